import Core

/// A small node whose pods, Services and endpoints change at random.
package struct RandomNode {
  package private(set) var intent = Intent(
    gateway: Intent.Interface(
      name: "gateway", ip: IPv4Address(0xA9FE_0101), mac: MACAddress(0x0200_0000_0001), port: 0),
    host: Intent.Interface(
      name: "host", ip: IPv4Address(0xC801_0102), mac: MACAddress(0x0200_0000_0102), port: 1))

  package static let pods = UInt32(2)...9

  package static func address(_ pod: UInt32) -> IPv4Address { IPv4Address(0x0AF4_0000 + pod) }
  package static func vip(_ service: UInt32) -> IPv4Address { IPv4Address(0x0A60_0000 + service) }

  package init(using random: inout SplitMix64) {
    intent.pods = Self.pods.map(Self.pod)
    for n in UInt32(1)...3 { intent.services.append(service(n, using: &random)) }
  }

  private static func pod(_ n: UInt32) -> Intent.Interface {
    Intent.Interface(
      name: "pod-\(n)", ip: address(n), mac: MACAddress(0x0200_0000_0200 + UInt64(n)), port: n)
  }

  private func service(_ n: UInt32, using random: inout SplitMix64) -> Intent.Service {
    var ports: [Intent.ServicePort] = []
    for transport in TransportProtocol.allCases {
      for port in UInt16(80)...81 where port == 80 || Bool.random(using: &random) {
        ports.append(
          Intent.ServicePort(
            transport: transport, port: port, endpoints: endpoints(using: &random)))
      }
    }
    return Intent.Service(name: "service-\(n)", clusterIP: Self.vip(n), ports: ports)
  }

  /// Mostly pods of this node, and few target ports: many are shared.
  private func endpoint(using random: inout SplitMix64) -> Intent.Endpoint {
    let n = UInt32.random(in: 2...11, using: &random)
    return Intent.Endpoint(
      address: Self.address(n), port: Int.random(in: 0..<4, using: &random) == 0 ? 9090 : 8080,
      weight: [1, 1, 1, 2, 5, 0].randomElement(using: &random) ?? 1)
  }

  private func endpoints(using random: inout SplitMix64) -> [Intent.Endpoint] {
    var list: [Intent.Endpoint] = []
    for _ in 0..<Int.random(in: 0...5, using: &random) {
      let new = endpoint(using: &random)
      if !list.contains(where: { $0.address == new.address && $0.port == new.port }) {
        list.append(new)
      }
    }
    return list
  }

  /// One random change.
  package mutating func step(using random: inout SplitMix64) {
    switch Int.random(in: 0..<10, using: &random) {
    case 0, 1:
      let n = UInt32.random(in: Self.pods, using: &random)
      if let i = intent.pods.firstIndex(where: { $0.ip == Self.address(n) }) {
        intent.pods.remove(at: i)
      } else {
        intent.pods.append(Self.pod(n))
      }
    case 2:
      let n = UInt32.random(in: 1...3, using: &random)
      intent.services.removeAll { $0.clusterIP == Self.vip(n) }
      if Int.random(in: 0..<3, using: &random) > 0 {
        intent.services.append(service(n, using: &random))
      }
    default:
      guard let s = intent.services.indices.randomElement(using: &random),
        let p = intent.services[s].ports.indices.randomElement(using: &random)
      else { return }
      var list = intent.services[s].ports[p].endpoints
      switch Int.random(in: 0..<4, using: &random) {
      case 0: list = endpoints(using: &random)
      case 1: if !list.isEmpty { list.removeLast() }
      case 2:
        if let e = list.indices.randomElement(using: &random) {
          list[e].weight = UInt32.random(in: 0...3, using: &random)
        }
      default:
        let new = endpoint(using: &random)
        if !list.contains(where: { $0.address == new.address && $0.port == new.port }) {
          list.append(new)
        }
      }
      intent.services[s].ports[p].endpoints = list
    }
  }
}
