import Core
import Foundation
import Testing

@testable import Replay

/// Would a packet arrive?
@Suite struct WhyTests {
  static let state = """
    apiVersion: k8sdp/v1
    gateway: {ip: 169.254.1.1, mac: "02:00:00:00:00:01", port: 0}
    host:    {ip: 200.1.1.2, mac: "02:00:00:00:01:02", port: 1}
    pods:
      - {name: default/client, ip: 10.244.0.6, mac: "02:00:00:00:02:06", port: 2}
      - {name: default/web-1,  ip: 10.244.0.7, mac: "02:00:00:00:02:07", port: 3}
      - {name: default/web-2,  ip: 10.244.0.8, mac: "02:00:00:00:02:08", port: 4}
    services:
      - name: default/web
        clusterIP: 10.96.0.80
        ports:
          - {protocol: TCP, port: 80, endpoints: ["10.244.0.7:8080", "10.244.0.8:8080"]}
          - {protocol: UDP, port: 53, endpoints: ["10.244.0.7:5353"]}
          - {protocol: TCP, port: 81, endpoints: []}
          - {protocol: TCP, port: 82, endpoints: ["10.250.0.1:9000"]}
    """

  private static func tables(
    ports: [PortID: WhyTables.Port]? = nil
  ) throws -> WhyTables {
    let file = try StateFile(yaml: state, path: "s.yaml")
    let tables = try WhyTables(file, names: NodeNames())
    return WhyTables(tables.snapshot, timers: tables.timers, ports: ports, names: tables.names)
  }

  private static func ask(
    _ source: String, _ destination: String, by transport: String? = nil,
    sourcePort: UInt16? = nil, _ tables: WhyTables
  ) throws -> WhyAnswer {
    let question = try WhyQuestion(
      source: source, destination: destination, transport: transport, sourcePort: sourcePort,
      tables.names)
    return try WhyOracle(tables).answer(question)
  }

  @Test(
    arguments: [
      ("10.244.0.6", "10.96.0.80:80", nil, nil, "it leaves by port"),
      ("client", "web:80", "tcp", nil, "it leaves by port"),
      ("client", "default/web", "udp", nil, "it leaves by port 3 to default/web-1 10.244.0.7"),
      ("client", "web-1", nil, nil, "it leaves by port 3 to default/web-1 10.244.0.7"),
      ("client", "10.244.0.7:22", nil, nil, "it leaves by port 3 to default/web-1 10.244.0.7"),
      ("client", "200.1.1.2", "icmp", nil, "it leaves by port 1, to the host."),
      ("client", "8.8.8.8:53", "udp", nil, "it leaves by port 1, to the host; what the node's"),
      ("client", "web:82", nil, nil, "it leaves by port 1, to the host; what the node's own"),
      ("10.250.0.9", "client:22", nil, nil, "it leaves by port 2 to default/client 10.244.0.6"),
      ("client", "web:81", nil, "no_endpoint: the Service port has no endpoint", "No pod behind"),
      ("client", "web:99", nil, "no_service: the Service has no such port", "kubectl get service"),
      ("client", "10.96.0.80", "icmp", nil, nil),
      ("client", "255.255.255.255:9", "udp", "multicast: multicast and broadcast are not", nil),
      ("10.96.0.80", "client:22", nil, "is the address of a Service, and those send nothing", nil),
      ("web-1", "web:53", "udp", "hairpin is not handled", nil),
    ] as [(String, String, String?, String?, String?)])
  func verdicts(
    _ source: String, _ destination: String, _ transport: String?, _ problem: String?,
    _ words: String?
  ) throws {
    let answer = try Self.ask(source, destination, by: transport, try Self.tables())
    if destination == "10.96.0.80" {
      // What the pipeline does with ICMP to a Service is its business; it is told, either way.
      #expect(answer.passages.count >= 1 && !answer.verdict.isEmpty)
      return
    }
    #expect(answer.arrives == (problem == nil), "\(answer.text)")
    if let problem { #expect(answer.verdict.contains(problem), "\(answer.verdict)") }
    if let words { #expect(answer.verdict.contains(words), "\(answer.verdict)") }
  }

  @Test func bothWaysTableByTable() throws {
    let answer = try Self.ask("client", "web:80", try Self.tables())
    #expect(answer.passages.map(\.what) == ["a SYN", "the SYN-ACK in answer to it"])
    for words in [
      "SYN to VIP default/web 10.96.0.80:80 → endpoint default/web-", "services   hit",
      "slots      hit", "reply of a pinned flow → SNAT to VIP default/web 10.96.0.80:80",
      "A new connection is given one of these endpoints:", "10.244.0.7:8080  arrives",
      "10.244.0.8:8080  arrives",
    ] {
      #expect(answer.text.contains(words), "\(words): \(answer.text)")
    }
    #expect(answer.text.hasSuffix("default/client 10.244.0.6 reaches \(words(answer))\n"))
    let json = try JSONSerialization.jsonObject(with: Data(try JSONText.encode(answer).utf8))
    let object = try #require(json as? [String: Any])
    #expect(object["arrives"] as? Bool == true)
    #expect((object["packets"] as? [Any])?.count == 2)
    #expect((object["endpoints"] as? [Any])?.count == 2)
  }

  private func words(_ answer: WhyAnswer) -> String {
    String(answer.verdict.dropFirst("default/client 10.244.0.6 reaches ".count))
  }

  /// What the pipeline does right can fail at a pod's interface.
  @Test func interfacesThatAreDown() throws {
    func port(_ name: String, isThere: Bool = true, isUp: Bool = true) -> WhyTables.Port {
      WhyTables.Port(name: name, isThere: isThere, isUp: isUp)
    }
    var ports: [PortID: WhyTables.Port] = [
      0: port("P4TAP_0"), 1: port("P4TAP_1"), 2: port("P4TAP_2"), 3: port("P4TAP_3", isUp: false),
      4: port("P4TAP_4"),
    ]
    let down = try Self.ask("client", "web-1:22", try Self.tables(ports: ports))
    #expect(!down.arrives && down.verdict.contains("the interface of P4TAP_3 is down"))
    // Of two endpoints, each is looked at.
    let service = try Self.ask("client", "web:80", try Self.tables(ports: ports))
    let problems = service.endpoints.map(\.problem)
    #expect(problems == ["the interface of P4TAP_3 is down", nil], "\(service.text)")
    ports[3] = port("P4TAP_3", isThere: false)
    let gone = try Self.ask("client", "web-1:22", try Self.tables(ports: ports))
    #expect(gone.verdict.contains("the interface of P4TAP_3 is gone with its namespace"))
    ports[3] = nil
    let missing = try Self.ask("client", "web-1:22", try Self.tables(ports: ports))
    #expect(missing.verdict.contains("bad_port: the node has no port 3"))
  }

  /// A flow that is there decides where its packets go, and another one may be in the way.
  @Test func flowsThatAreThere() throws {
    let before = try Self.tables()
    let model = try before.model()
    var frame = PacketBuilder(
      from: MACAddress(0x0200_0000_0206), to: MACAddress(0x0200_0000_0001)
    ).tcp(
      PacketBuilder.IPv4(from: IPv4Address(0x0AF4_0006), to: IPv4Address(0x0A60_0050)),
      PacketBuilder.TCP(from: 40_000, to: 80, flags: .syn))
    _ = model.process(&frame, port: 2, at: .zero)
    var snapshot = before.snapshot
    snapshot.learned = StateSnapshot.Learned(
      hertz: model.clock.hertz, cycles: model.clock.cycles(at: .zero),
      entries: model.learnedEntries(at: .zero))
    #expect(snapshot.learned?.entries.count == 2)
    let tables = WhyTables(snapshot, timers: [:], ports: nil, names: before.names)
    let same = try Self.ask("client", "web:80", sourcePort: 40_000, tables)
    #expect(same.text.contains("(pinned)"), "\(same.text)")
    let fresh = try Self.ask("client", "web:80", tables)
    #expect(!fresh.passages[0].trace.explanation.contains("(pinned)"), "\(fresh.text)")
  }

  @Test func aPacketOfACapture() throws {
    let tables = try Self.tables()
    let lost = PacketBuilder(
      from: MACAddress(0x0200_0000_0206), to: MACAddress(0x0200_0000_0001)
    ).tcp(
      PacketBuilder.IPv4(from: IPv4Address(0x0AF4_0006), to: IPv4Address(0x0A60_0050)),
      PacketBuilder.TCP(from: 40_000, to: 80, flags: .ack))
    let answer = try WhyOracle(tables).answer(frame: lost, port: nil)
    #expect(answer.passages[0].port == 2)
    #expect(answer.verdict.hasPrefix("It does not arrive: no_flow"))
    let cut = try WhyOracle(tables).answer(frame: Array(lost.prefix(20)), port: 3)
    #expect(cut.verdict == "It does not arrive: truncated: the frame ends before its headers do.")
  }

  @Test(
    arguments: [
      ("nobody", "web:80", nil, "is neither an IPv4 address nor the name of a pod of this node"),
      ("client", "web", "tcp", "has the ports 53/udp, 80/tcp, 81/tcp, 82/tcp; give one: web:PORT"),
      ("client", "10.244.0.7", "tcp", "needs a port: 10.244.0.7:PORT"),
      ("client", "10.244.0.7:22", "icmp", "has a port, and ICMP has none"),
      ("client", "10.244.0.7:22", "sctp", "is tcp, udp or icmp"),
      ("client", "10.244.0.7:x", nil, "ends with a colon and a port, 1 to 65535"),
      ("client", "10.244.0.7:0", nil, "ends with a colon and a port, 1 to 65535"),
    ] as [(String, String, String?, String)])
  func questionsThatMakeNoSense(
    _ source: String, _ destination: String, _ transport: String?, _ message: String
  ) throws {
    let tables = try Self.tables()
    let error = try #require(throws: ReplayError.self) {
      try Self.ask(source, destination, by: transport, tables)
    }
    #expect(error.description.contains(message), "\(error)")
  }
}
