import Core
import Testing

@testable import ManagerService

/// The list of Services is what it would be if it were made anew after each change.
@Suite struct ServiceListTests {
  @Test func randomChanges() {
    var random = SystemRandomNumberGenerator()
    var all: [ServiceAddress: [Intent.Endpoint]] = [:]
    var list = ServiceList(all)
    for step in 0..<2000 {
      let port = ServiceAddress(
        IPv4Address(0x0A60_0000 + UInt32.random(in: 0..<12, using: &random)),
        Bool.random(using: &random) ? .tcp : .udp, UInt16.random(in: 1...3, using: &random))
      let endpoints: [Intent.Endpoint]? =
        Int.random(in: 0..<3, using: &random) == 0
        ? nil : [Intent.Endpoint(address: IPv4Address(UInt32(step)), port: 80)]
      all[port] = endpoints
      list.put(endpoints, at: port)
      #expect(list.services == ServiceList(all).services)
    }
    let flat = list.services.flatMap { service in
      service.ports.map {
        (ServiceAddress(service.clusterIP, $0.transport, $0.port), $0.endpoints)
      }
    }
    #expect(Dictionary(uniqueKeysWithValues: flat) == all)
    #expect(list.services.map(\.clusterIP) == list.services.map(\.clusterIP).sorted())
  }
}
