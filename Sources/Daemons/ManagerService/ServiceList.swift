import Core

/// The Services of an intent: by ascending address, their ports by number. What does not
/// change keeps its storage, so that comparing two versions of thousands costs little.
struct ServiceList: Sendable {
  private(set) var services: [Intent.Service] = []

  init(_ all: some Sequence<(key: ServiceAddress, value: [Intent.Endpoint])>) {
    for (address, ports) in Dictionary(grouping: all, by: \.key.address) {
      services.append(Self.service(address))
      for (port, endpoints) in ports { put(endpoints, at: port, of: services.count - 1) }
    }
    services.sort { $0.clusterIP < $1.clusterIP }
  }

  /// - Parameter endpoints: nil removes the port.
  mutating func put(_ endpoints: [Intent.Endpoint]?, at port: ServiceAddress) {
    let index = services.position { $0.clusterIP < port.address }
    let isThere = index < services.count && services[index].clusterIP == port.address
    if !isThere {
      guard endpoints != nil else { return }
      services.insert(Self.service(port.address), at: index)
    }
    put(endpoints, at: port, of: index)
    if services[index].ports.isEmpty { services.remove(at: index) }
  }

  private mutating func put(
    _ endpoints: [Intent.Endpoint]?, at port: ServiceAddress, of index: Int
  ) {
    let place = services[index].ports.position {
      ($0.port, $0.transport.rawValue) < (port.port, port.transport.rawValue)
    }
    let old = services[index].ports[place...].first
    let isThere = old?.port == port.port && old?.transport == port.transport
    let range = place..<(isThere ? place + 1 : place)
    services[index].ports.replaceSubrange(
      range,
      with: endpoints.map {
        [Intent.ServicePort(transport: port.transport, port: port.port, endpoints: $0)]
      } ?? [])
  }

  private static func service(_ address: IPv4Address) -> Intent.Service {
    Intent.Service(name: "\(address)", clusterIP: address, ports: [])
  }
}

extension Array {
  /// The number of elements that come before, which are the first ones.
  fileprivate func position(_ isBefore: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
