import Core
import Kubernetes
import ServiceSync
import Testing

/// Event by event it comes to the same as all at once.
@Suite struct ServiceWorldTests {
  @Test(arguments: 0..<20 as Range<UInt64>)
  func anyOrder(_ seed: UInt64) {
    var random = Random(seed)
    var world = ServiceWorld(node: "here")
    var services: [ObjectName: Service] = [:]
    var slices: [ObjectName: EndpointSlice] = [:]
    var known: [ServiceAddress: [Translation.Endpoint]] = [:]
    for step in 0..<200 {
      let number = Int.random(in: 0..<6, using: &random)
      switch Int.random(in: 0..<10, using: &random) {
      case 0...3:
        let service = Service(
          metadata: .init(name: "s\(number)", namespace: "default"),
          spec: .init(
            clusterIP: "10.96.0.\(number + 1)",
            ports: [.init(port: Int.random(in: 80..<83, using: &random))]))
        services[service.objectName] = service
        world.apply(.changed(service))
      case 4:
        let name = ObjectName("default", "s\(number)")
        services[name] = nil
        world.apply(Reflector<Service>.Change.deleted(name))
      case 5...7:
        let slice = EndpointSlice(
          metadata: .init(
            name: "e\(number)", namespace: "default",
            labels: [
              EndpointSlice.serviceLabel: "s\(Int.random(in: 0..<6, using: &random))"
            ]),
          endpoints: (0..<Int.random(in: 0..<4, using: &random)).map {
            TranslationTests.endpoint("10.244.\(number).\($0)")
          }, ports: [.init(port: 8080)])
        slices[slice.objectName] = slice
        world.apply(.changed(slice))
      case 8:
        let name = ObjectName("default", "e\(number)")
        slices[name] = nil
        world.apply(Reflector<EndpointSlice>.Change.deleted(name))
      default:
        world.apply(.all(services))
        world.apply(.all(slices))
      }
      guard step % 3 == 0 else { continue }
      // What it says has changed is all that has.
      let touched = world.settle()
      for service in touched { #expect(known[service] != world.desired[service]) }
      for service in touched { known[service] = world.desired[service] }
      #expect(known == world.desired)
      var fresh = ServiceWorld(node: "here")
      fresh.apply(.all(services))
      fresh.apply(.all(slices))
      _ = fresh.settle()
      #expect(fresh.desired == world.desired)
    }
  }
}

/// Random numbers that a seed repeats (SplitMix64).
struct Random: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
