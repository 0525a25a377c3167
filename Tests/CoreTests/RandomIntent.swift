@testable import Core

/// Small random intents that collide often enough to be interesting.
struct RandomIntent {
  var random: SeededGenerator
  var intent: Intent

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    intent = Intent()
  }

  static let gateway = Intent.Interface(
    name: "gateway", ip: IPv4Address(0xA9FE_0101), mac: MACAddress(0x0200_0000_0001), port: 0)
  static let host = Intent.Interface(
    name: "host", ip: IPv4Address(0xC801_0102), mac: MACAddress(0x0200_0000_0102), port: 1)

  private mutating func pod(_ n: UInt32) -> Intent.Interface {
    let version = UInt64.random(in: 0..<2, using: &random)
    return Intent.Interface(
      name: "pod-\(n)-\(Bool.random(using: &random) ? "a" : "b")", ip: IPv4Address(0x0AF4_0000 + n),
      mac: MACAddress(0x0200_0000_1000 + UInt64(n) + version << 24), port: 2 + n)
  }

  private mutating func endpoint() -> Intent.Endpoint {
    let kind = Int.random(in: 0..<10, using: &random)
    let address: UInt32 =
      kind == 0
      ? Self.host.ip.value
      : kind < 3
        ? 0x0B00_0000 + UInt32.random(in: 1..<6, using: &random)
        : 0x0AF4_0000 + UInt32.random(in: 1..<12, using: &random)
    return Intent.Endpoint(
      address: IPv4Address(address), port: UInt16.random(in: 80...81, using: &random),
      weight: [0, 1, 1, 1, 2, 5].randomElement(using: &random) ?? 1)
  }

  private mutating func endpoints() -> [Intent.Endpoint] {
    var seen: Set<[UInt32]> = []
    return (0..<Int.random(in: 0...9, using: &random)).map { _ in endpoint() }
      .filter { seen.insert([$0.address.value, UInt32($0.port)]).inserted }
  }

  /// One random change. Now and then the result is not valid.
  mutating func step() {
    switch Int.random(in: 0..<15, using: &random) {
    case 0: intent.gateway = intent.gateway == nil ? Self.gateway : nil
    case 1: intent.host = intent.host == nil ? Self.host : nil
    case 2, 3:
      let n = UInt32.random(in: 1..<12, using: &random)
      intent.pods.removeAll { $0.ip.value == 0x0AF4_0000 + n }
      if Bool.random(using: &random) { intent.pods.append(pod(n)) }
    case 4: intent.pods.shuffle(using: &random)
    case 5: intent.services.shuffle(using: &random)
    case 6, 7:
      let n = UInt32.random(in: 1..<6, using: &random)
      intent.services.removeAll { $0.name == "service-\(n)" }
      if Int.random(in: 0..<3, using: &random) > 0 {
        var ports: [Intent.ServicePort] = []
        for transport in TransportProtocol.allCases where Bool.random(using: &random) {
          ports.append(
            Intent.ServicePort(
              transport: transport, port: 80 + UInt16(n), endpoints: endpoints()))
        }
        intent.services.append(
          Intent.Service(
            name: "service-\(n)", clusterIP: IPv4Address(0x0A60_0000 + n / 2), ports: ports))
      }
    case 8: intent.pods.append(pod(1))
    default:
      guard let s = intent.services.indices.randomElement(using: &random),
        let p = intent.services[s].ports.indices.randomElement(using: &random)
      else { return }
      var list = intent.services[s].ports[p].endpoints
      switch Int.random(in: 0..<4, using: &random) {
      case 0: list = endpoints()
      case 1: if !list.isEmpty { list.removeLast() }
      case 2:
        if let e = list.indices.randomElement(using: &random) {
          list[e].weight = UInt32.random(in: 0...3, using: &random)
        }
      default: list.append(endpoint())
      }
      intent.services[s].ports[p].endpoints = list
    }
  }
}
