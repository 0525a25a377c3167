import Core
import Testing

@testable import SimDataplane

/// An address and a port.
struct Socket: Hashable, CustomStringConvertible {
  var ip: IPv4Address
  var port: UInt16
  var description: String { "\(ip):\(port)" }
}

/// What became of one frame.
struct Outcome {
  let verdict: Verdict
  let bytes: [UInt8]

  private var layers: FrameLayers { FrameLayers(bytes) }
  private func port(_ offset: Int) -> UInt16 {
    layers.ipv4.flatMap { layers.u16($0.header.upperBound + offset) } ?? 0
  }

  var source: Socket { Socket(ip: layers.ipv4?.source ?? IPv4Address(0), port: port(0)) }
  var destination: Socket {
    Socket(ip: layers.ipv4?.destination ?? IPv4Address(0), port: port(2))
  }
  var ttl: UInt8? { layers.u8(layers.network + IPv4Header.ttl) }
  var problems: [String] { ChecksumVerifier.problems(in: bytes) }
}

/// A node with a model for a pipeline, in virtual time.
final class Node {
  let plane: SimDataplane
  private var compiler = IntentCompiler()
  private(set) var intent = Intent(gateway: Node.gateway, host: Node.host)
  /// Seconds.
  var now = 0.0

  static let gateway = Intent.Interface(
    name: "gateway", ip: IPv4Address(0xA9FE_0101), mac: MACAddress(0x0200_0000_0001), port: 0)
  static let host = Intent.Interface(
    name: "host", ip: IPv4Address(0xC801_0102), mac: MACAddress(0x0200_0000_0102), port: 1)
  static let vip = IPv4Address(0x0A60_0050)
  static let client = pod(6)

  /// Pod `n` is 10.244.0.n on port n.
  static func pod(_ n: UInt8) -> Intent.Interface {
    Intent.Interface(
      name: "pod-\(n)", ip: IPv4Address(0x0AF4_0000 + UInt32(n)),
      mac: MACAddress(0x0200_0000_0200 + UInt64(n)), port: PortID(n))
  }

  /// - Parameter pods: numbers, besides the client's.
  init(pods: [UInt8] = [], sizes: [String: Int] = [:]) throws {
    var options = SimDataplane.Options()
    options.sizes = ["flows": 4096, "fragments": 64].merging(sizes) { $1 }
    plane = SimDataplane(options: options)
    try change { $0.pods = [Node.client] + pods.map(Node.pod) }
  }

  func change(_ edit: (inout Intent) -> Void) throws {
    var next = intent
    edit(&next)
    try plane.apply(try compiler.updates(for: next))
    intent = next
  }

  /// Makes a Service port, or replaces its endpoints: pod → weight.
  func serve(
    _ transport: TransportProtocol = .tcp, vip: IPv4Address = Node.vip, port: UInt16 = 80,
    by endpoints: KeyValuePairs<UInt8, UInt32>, targetPort: UInt16 = 8080
  ) throws {
    let servicePort = Intent.ServicePort(
      transport: transport, port: port,
      endpoints: endpoints.map {
        Intent.Endpoint(address: Node.pod($0.key).ip, port: targetPort, weight: $0.value)
      })
    try change { intent in
      let s =
        intent.services.firstIndex { $0.clusterIP == vip }
        ?? {
          intent.services.append(Intent.Service(name: "\(vip)", clusterIP: vip, ports: []))
          return intent.services.count - 1
        }()
      intent.services[s].ports.removeAll { $0.transport == transport && $0.port == port }
      intent.services[s].ports.append(servicePort)
    }
  }

  /// Sends a frame; the port it comes in on means nothing to the pipeline.
  @discardableResult
  func send(_ frame: [UInt8]) -> Outcome {
    var bytes = frame
    let verdict = plane.process(&bytes, port: 0, at: .seconds(now))
    return Outcome(verdict: verdict, bytes: bytes)
  }

  @discardableResult
  func tcp(_ from: Socket, _ to: Socket, _ flags: TCPFlags) -> Outcome {
    send(Node.ether.tcp(.init(from: from.ip, to: to.ip), tcpHeader(from, to, flags)))
  }

  @discardableResult
  func udp(_ from: Socket, _ to: Socket, payload: [UInt8] = [1, 2, 3]) -> Outcome {
    send(
      Node.ether.udp(
        .init(from: from.ip, to: to.ip), .init(from: from.port, to: to.port), payload: payload))
  }

  private func tcpHeader(
    _ from: Socket, _ to: Socket, _ flags: TCPFlags
  ) -> PacketBuilder.TCP { .init(from: from.port, to: to.port, flags: flags) }

  /// SYN, SYN-ACK, ACK.
  ///
  /// - Returns: the endpoint chosen.
  @discardableResult
  func connect(_ client: Socket, _ service: Socket) -> Socket {
    let endpoint = tcp(client, service, .syn).destination
    tcp(endpoint, client, [.syn, .ack])
    tcp(client, service, .ack)
    return endpoint
  }

  /// All learned flows that are live now.
  var flows: [Flow] {
    plane.learnedEntries(at: .seconds(now)).filter { $0.table == "flows" }.map(Flow.init)
  }

  var learner: Counters.Learner { plane.counters().learners["flows"] ?? .init() }

  /// From a pod to its gateway.
  static let ether = PacketBuilder(from: client.mac, to: gateway.mac)
}

/// A flow entry in words.
struct Flow: Hashable {
  var source: Socket
  var destination: Socket
  var kind: UInt8
  var translation: Socket
  var isReply: Bool
  var timer: K8sDP.Timer?

  init(_ entry: LearnedEntry) {
    let (k, a) = (entry.key, entry.arguments)
    source = Socket(ip: IPv4Address(UInt32(k[0])), port: UInt16(k[1]))
    destination = Socket(ip: IPv4Address(UInt32(k[2])), port: UInt16(k[3]))
    kind = UInt8(k[4])
    translation = Socket(ip: IPv4Address(UInt32(a[1])), port: UInt16(a[2]))
    isReply = a[4] == UInt64(NAT.snat.rawValue)
    timer = K8sDP.Timer(rawValue: entry.timer)
  }
}

extension Socket {
  /// A port of pod `n`.
  static func pod(_ n: UInt8, _ port: UInt16) -> Socket { Socket(ip: Node.pod(n).ip, port: port) }
  /// Port 80 of the usual Service.
  static let service = Socket(ip: Node.vip, port: 80)
  /// Every port of the client is another flow.
  static func client(_ port: UInt16 = 41_000) -> Socket { .pod(6, port) }
}

/// SplitMix64: the same numbers for the same seed on every machine.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
