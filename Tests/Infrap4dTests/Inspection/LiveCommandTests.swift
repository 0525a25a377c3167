import Core
import Foundation
import InspectionProtos
import NodeTesting
import Replay
import Testing

/// A running node looked at while real programs talk through it.
@Suite(
  .serialized, .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct LiveCommandTests {
  private static let names = """
    {"pods":{"10.244.0.6":"default/client","10.244.0.7":"default/web-1"},
     "services":{"10.96.0.80:80/TCP":"default/web","10.96.0.80:81/TCP":"default/web"}}
    """

  private static func names(_ node: ServiceNode) throws -> String {
    let path = node.server.folder + "/names.json"
    try Data(Self.names.utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  private static func json(_ line: String) throws -> [String: Any] {
    try #require(
      try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
  }

  /// Each frame of a connection through a Service, in words and in a file.
  @Test(arguments: SurvivalTests.engines) func capture(_ engine: String) async throws {
    let node = try await ServiceNode(["--dataplane", engine])
    let from = ["--from", node.server.address, "--names", try Self.names(node)]
    let transfers = try await Transfer.serve(in: node.web, port: 8081)
    let file = node.server.folder + "/all.pcapng"
    let text = try K8sDPTool.Running(["capture"] + from + ["tcp or icmp"])
    let json = try K8sDPTool.Running(["capture", "--json", "tcp[tcpflags] & tcp-syn != 0"] + from)
    // The endpoint's port is there only when the frame leaves.
    let after = try K8sDPTool.Running(["capture", "-c", "1", "dst port 8081"] + from)
    let whole = try K8sDPTool.Running(["capture", "-w", file] + from + ["tcp or icmp"])
    let short = try K8sDPTool.Running(["capture", "-s", "60", "-w", file + ".short"] + from)
    let port = try K8sDPTool.Running(["capture", "-n", "-i", "default/web-1", "tcp"] + from)
    let all = [text, json, after, whole, short, port]
    for one in all { try await one.waitFor("capturing on") }
    _ = try await Transfer.send(100_000, from: node.client, to: ServiceNode.vip, port: 81)
    try await json.wait { $0.split(separator: "\n").count >= 2 }
    // What comes after the connection is seen by whoever has seen all of it.
    try await node.client.exec("ping", "-q", "-c", "1", "10.244.0.7")
    try await text.wait { $0.split(separator: "\n").count { $0.contains("ICMP") } == 2 }
    try await Self.until { Self.echoes(in: file) == 4 }
    #expect(try await after.end().status == 0)
    for one in all { one.kill(SIGINT) }

    let lines = try await text.end()
    #expect(lines.status == 0, "\(lines)")
    #expect(lines.error.contains(" frames captured, 0 missed"), "\(lines)")
    let syn = try #require(lines.lines.first { $0.contains("[SYN]") })
    #expect(
      syn.contains("default/client > default/web-1  TCP 10.244.0.6:")
        && syn.hasSuffix(" > 10.96.0.80:81 [SYN] len 0, DNAT to 10.244.0.7:8081"), "\(syn)")
    #expect(lines.lines.contains { $0.contains("SNAT to 10.96.0.80:81") })
    let one = try await after.end()
    #expect(one.lines.count == 1 && one.out.contains("DNAT to 10.244.0.7:8081"), "\(one)")
    let numeric = try await port.end()
    #expect(numeric.out.contains(" \(node.names[2]) > \(node.names[3])  TCP"), "\(numeric)")

    let records = try await json.end().lines.map(Self.json)
    #expect(records.count == 2)
    #expect(records[0]["port"] as? Int == 2 && records[0]["forwarded"] as? Int == 3)
    #expect(records[0]["forwarded_name"] as? String == node.names[3])
    #expect((records[0]["out"] as? String)?.contains("> 10.244.0.7:8081 [SYN]") == true)
    #expect((records[1]["summary"] as? String)?.contains("[SYN, ACK]") == true)

    #expect(try await whole.end().status == 0)
    #expect(try await short.end().status == 0)
    try Self.check(file, lines: lines.lines.count)
    if Wireshark.missing == nil {
      let fields = try await Wireshark.fields(
        file, "frame.interface_name", "frame.comment", "tcp.flags.syn", "tcp.dstport",
        "tcp.checksum.status")
      let syns = fields.filter { $0[2] == "True" || $0[2] == "1" }
      #expect(syns.count == 4, "\(fields.prefix(8))")
      #expect(syns[0][0] == node.names[2] && syns[1][0] == node.names[3], "\(syns)")
      #expect(syns[0][3] == "81" && syns[1][3] == "8081", "\(syns)")
      #expect(
        syns[0][1].contains("frame 1, in by \(node.names[2]) (default/client)")
          && syns[0][1].contains("DNAT to 10.244.0.7:8081"), "\(syns)")
      // 1 is good: what the kernel left undone is done.
      #expect(fields.allSatisfy { ["1", ""].contains($0[4]) }, "\(fields)")
    }
    withExtendedLifetime(transfers) {}
    try await node.stop()
  }

  private static func until(_ condition: () -> Bool) async throws {
    while !condition() { try await Task.sleep(for: .milliseconds(5)) }
  }

  /// Packets of ping in a file that is being written.
  private static func echoes(in file: String) -> Int {
    var count = 0
    guard let reader = try? CaptureReader(path: file) else { return 0 }
    while let frame = try? reader.next() {
      if frame.bytes.count > 23, frame.bytes[23] == 1 { count += 1 }
    }
    return count
  }

  /// Whole frames, each twice, one translated.
  private static func check(_ file: String, lines: Int) throws {
    let reader = try CaptureReader(path: file)
    var frames: [CapturedFrame] = []
    while let frame = try reader.next() { frames.append(frame) }
    #expect(frames.count == 2 * lines, "\(frames.count) packets of \(lines) frames")
    for frame in frames { #expect(ChecksumVerifier.problems(in: frame.bytes).isEmpty) }
    // Frames are cut where they were to be.
    let short = try CaptureReader(path: file + ".short")
    #expect(throws: ReplayError.self) { while try short.next() != nil {} }
  }

  @Test func drops() async throws {
    let node = try await ServiceNode(["--dataplane", "model"])
    let from = ["--from", node.server.address]
    let dropped = try K8sDPTool.Running(["capture", "--dropped", "-c", "3"] + from)
    let reason = try K8sDPTool.Running(
      ["capture", "--reason", "no_service", "-c", "2", "--json"] + from)
    let refused = try K8sDPTool.Running(["capture", "--reason", "refused", "-c", "1"] + from)
    for one in [dropped, reason, refused] { try await one.waitFor("capturing on") }
    try await node.client.exec(
      "python3", "-c",
      """
      import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      for _ in range(2): s.sendto(b"x", ("\(ServiceNode.vip)", 99))
      """)
    try await node.web.exec("ip", "link", "set", "eth0", "down")
    _ = try await Command.run(
      node.client.namespace.command(["ping", "-c", "1", "-W", "1", "10.244.0.7"]))
    let all = try await dropped.end()
    #expect(all.status == 0, "\(all)")
    #expect(
      all.lines.map { $0.split(separator: " ").dropFirst().prefix(4).joined(separator: " ") } == [
        "\(node.names[2]) dropped no_service UDP", "\(node.names[2]) dropped no_service UDP",
        "\(node.names[2]) > \(node.names[3]) refused",
      ], "\(all)")
    #expect(
      try await reason.end().lines.map(Self.json).allSatisfy {
        $0["dropped"] as? String == "no_service" && $0["forwarded"] == nil
      })
    #expect(try await refused.end().out.contains("refused"))
    let unknown = try await K8sDPTool.run(["capture", "-i", "eth7"] + from)
    #expect(
      unknown.status == 2
        && unknown.error.contains("-i eth7: is no port and no pod; the node has the ports 0 ("),
      "\(unknown)")
    try await node.stop()
  }

  /// A reader that stops reading costs frames of its own, and nobody else anything.
  @Test func slowReader() async throws {
    let node = try await ServiceNode(["--dataplane", "model"])
    let transfers = try await Transfer.serve(in: node.web, port: 8081)
    let (missed, frames) = try await InspectionClient.run(node.server) { client in
      try await InspectionClient.capturing(client) { messages in
        // In and out, this is many times what waits for a reader.
        _ = try await Transfer.send(96 << 20, from: node.client, to: ServiceNode.vip, port: 81)
        var last: UInt64 = 0
        var frames = 0
        while let message = try await messages.next() {
          frames += message.frames.count
          last = message.missed
          if last > 0 { break }
        }
        return (last, frames)
      }
    }
    #expect(missed > 0 && frames > 0)
    withExtendedLifetime(transfers) {}
    try await node.stop()
  }

  /// The reader is killed: its place is free, and frames go on.
  @Test func readerThatDies() async throws {
    let node = try await ServiceNode(["--dataplane", "model"])
    let transfers = try await Transfer.serve(in: node.web, port: 8081)
    for _ in 0..<12 {
      let reader = try K8sDPTool.Running(["capture", "--from", node.server.address])
      try await reader.waitFor("capturing on")
      reader.kill(SIGKILL)
      _ = try await reader.end()
      _ = try await Transfer.send(100_000, from: node.client, to: ServiceNode.vip, port: 81)
    }
    // More than there are places have come and gone.
    var last = try await K8sDPTool.run(
      "capture", "--duration", "10ms", "--from", node.server.address)
    while last.error.contains("8 captures are under way; end one first") {
      last = try await K8sDPTool.run(
        "capture", "--duration", "10ms", "--from", node.server.address)
    }
    #expect(last.status == 0, "\(last)")
    // Whoever reads its output goes: it ends, and says nothing. The file is there before the
    // shell looks into it, whichever of the two runs first.
    let errors = node.server.folder + "/err"
    let outcome = try await Command.run([
      "sh", "-c",
      ": > \(errors); \(K8sDPTool.program) capture --from \(node.server.address) 2>> \(errors) "
        + "| head -n 1 & while ! grep -q capturing \(errors); do sleep 0.01; done; "
        + node.client.namespace.command(["ping", "-c", "5", "-i", "0.05", "10.244.0.7"])
        .joined(separator: " ") + " > /dev/null; wait",
    ])
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output.split(separator: "\n").count == 1, "\(outcome)")
    withExtendedLifetime(transfers) {}
    try await node.stop()
  }

  /// The server is killed: the file is whole, and the exit code says that more was to come.
  @Test(arguments: SurvivalTests.engines) func serverThatDies(_ engine: String) async throws {
    let node = try await ServiceNode(["--dataplane", engine])
    let file = node.server.folder + "/cut.pcapng"
    let reader = try K8sDPTool.Running([
      "capture", "-w", file, "icmp", "--from", node.server.address,
    ])
    try await reader.waitFor("capturing on")
    try await node.client.exec("ping", "-q", "-c", "5", "-i", "0.1", "10.244.0.7")
    // Ten packets came in and went out, and are on disk by now or with the end.
    func packets() -> Int {
      guard let capture = try? CaptureReader(path: file) else { return 0 }
      var count = 0
      while (try? capture.next()) != nil { count += 1 }
      return count
    }
    while packets() < 20 { try await Task.sleep(for: .milliseconds(5)) }
    try await node.server.killHard()
    let outcome = try await reader.end()
    #expect(outcome.status == 1, "\(outcome)")
    #expect(outcome.error.contains("10 frames captured"), "\(outcome)")
    #expect(outcome.error.contains(node.server.address), "\(outcome)")
    #expect(packets() == 20)
    try await node.server.start(["--dataplane", engine])
    try await node.stop()
  }

  @Test(arguments: SurvivalTests.engines) func flows(_ engine: String) async throws {
    let node = try await ServiceNode(["--dataplane", engine])
    let from = ["--from", node.server.address, "--names", try Self.names(node)]
    let listeners = [
      try await LongConnection.serve(in: node.web, port: 8080),
      try await LongConnection.serve(in: node.web, port: 8081),
    ]
    var connections: [LongConnection] = []
    for port in [80, 80, 81] {
      connections.append(
        try await LongConnection(
          from: node.client, to: ServiceNode.vip, port: port, folder: node.server.folder))
    }
    for connection in connections { try await connection.exchange(1) }
    let text = try await K8sDPTool.run(["flows"] + from)
    #expect(text.status == 0 && text.lines.count == 4, "\(text)")
    #expect(text.lines[0].hasPrefix("PROTO  STATE           LEFT     CLIENT"), "\(text)")
    for line in text.lines.dropFirst() {
      #expect(
        line.contains(
          /^tcp    tcpEstablished  4\d{4}    default\/client:\d+ +default\/web:8[01] +default\/web-1:808[01]$/
        ),
        "\(line)")
    }
    let records = try await K8sDPTool.run(["flows", "--json"] + from).lines.map(Self.json)
    #expect(records.count == 3)
    for record in records {
      #expect(
        record["state"] as? String == "tcpEstablished" && record["protocol"] as? String == "tcp")
      #expect((record["client"] as? String)?.hasPrefix("10.244.0.6:") == true)
      #expect(record["client_name"] as? String == "default/client")
      #expect(record["service_name"] as? String == "default/web")
      let left = try #require(record["left_seconds"] as? Int)
      #expect((40_000...43_200).contains(left))
    }
    func count(_ filter: String...) async throws -> String {
      try await K8sDPTool.run(["flows", "--count"] + filter + from).out
    }
    #expect(try await count() == "3\n")
    #expect(try await count("--service", "default/web") == "3\n")
    #expect(try await count("--service", "web:80") == "2\n")
    #expect(try await count("--service", "10.96.0.80:81") == "1\n")
    #expect(try await count("--endpoint", "web-1:8080") == "2\n")
    #expect(try await count("--client", "10.244.0.6") == "3\n")
    #expect(try await count("--client", "10.244.0.7") == "0\n")
    #expect(try await count("--state", "tcpHalfOpen") == "0\n")
    #expect(try await count("--protocol", "udp") == "0\n")
    let numeric = try await K8sDPTool.run(["flows", "-n"] + from)
    #expect(numeric.out.contains("10.96.0.80:80") && !numeric.out.contains("default/"))
    withExtendedLifetime((listeners, connections)) {}
    try await node.stop()
  }

  @Test func top() async throws {
    let node = try await ServiceNode(["--dataplane", "model"])
    let from = ["--from", node.server.address, "--names", try Self.names(node)]
    let listener = try await LongConnection.serve(in: node.web, port: 8080)
    let connection = try await LongConnection(
      from: node.client, to: ServiceNode.vip, port: 80, folder: node.server.folder)
    let watch = try K8sDPTool.Running(["top", "--json", "--interval", "300ms"] + from)
    // Connections are counted every few seconds.
    try await watch.wait { $0.contains(#""connections":{"tcpEstablished":1}"#) }
    watch.kill(SIGINT)
    let outcome = try await watch.end()
    #expect(outcome.status == 0, "\(outcome)")
    let last = try Self.json(try #require(outcome.lines.last))
    let ports = try #require(last["ports"] as? [[String: Any]])
    #expect(ports.count == 4)
    let client = try #require(ports.first { $0["id"] as? Int == 2 })
    #expect(client["pod"] as? String == "default/client" && client["up"] as? Bool == true)
    #expect((client["frames_in_per_second"] as? Double ?? 0) > 0)
    #expect((client["bits_in_per_second"] as? Double ?? 0) > 100)
    let services = try #require(last["services"] as? [[String: Any]])
    #expect(services.first?["name"] as? String == "default/web")
    #expect(services.first?["connections"] as? Int == 1)
    let text = try await K8sDPTool.run(["top", "--once", "--interval", "300ms"] + from)
    #expect(text.status == 0)
    for words in [
      "connections 1: tcpEstablished 1", "PORT ", "IN frames/s", "default/client", "TABLE ",
      "slots", "SERVICE ", "default/web", "10.96.0.80:80/TCP",
    ] {
      #expect(text.out.contains(words), "\(words): \(text)")
    }
    #expect(!text.out.contains("\u{1B}"))
    withExtendedLifetime((listener, connection)) {}
    try await node.stop()
  }

  @Test(arguments: SurvivalTests.engines) func why(_ engine: String) async throws {
    let node = try await ServiceNode(["--dataplane", engine])
    let from = ["--from", node.server.address, "--names", try Self.names(node)]
    func ask(_ arguments: String...) async throws -> K8sDPTool.Outcome {
      try await K8sDPTool.run(["why"] + arguments + from)
    }
    let good = try await ask("10.244.0.6", "10.96.0.80:80")
    #expect(good.status == 0, "\(good)")
    #expect(
      good.lines.last
        == "default/client 10.244.0.6 reaches default/web 10.96.0.80:80: it leaves by "
        + "\(node.names[3]) to default/web-1 10.244.0.7.", "\(good)")
    #expect(good.out.contains("slots") && good.out.contains("SNAT"), "\(good)")
    #expect(try await ask("client", "web-1").status == 0)
    #expect(try await ask("client", "web:81").status == 0)
    let bad = try await ask("client", "10.96.0.80:99", "--json")
    #expect(bad.status == 1)
    let answer = try Self.json(bad.out)
    #expect(answer["arrives"] as? Bool == false)
    #expect((answer["verdict"] as? String)?.contains("no_service") == true)

    // What it says is what happens.
    try await node.web.exec("ip", "link", "set", "eth0", "down")
    var down = try await ask("client", "web:80")
    // What is told of interfaces may be a moment old.
    while down.status == 0 { down = try await ask("client", "web:80") }
    #expect(
      down.status == 1 && down.out.contains("the interface of \(node.names[3]) is down"),
      "\(down)")
    try await node.web.exec("ip", "link", "set", "eth0", "up")

    // A packet of a capture.
    let file = node.server.folder + "/lost.pcapng"
    let capture = try K8sDPTool.Running(
      ["capture", "--dropped", "-c", "1", "-w", file, "--from", node.server.address])
    try await capture.waitFor("capturing on")
    try await node.client.exec(
      "python3", "-c",
      """
      import socket
      socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("\(ServiceNode.vip)", 99))
      """)
    #expect(try await capture.end().status == 0)
    let packet = try await ask("--capture", file, "--frame", "1")
    #expect(packet.status == 1, "\(packet)")
    #expect(packet.out.contains("It does not arrive: no_service"), "\(packet)")
    let piped = try await K8sDPTool.run(
      ["why", "--capture", "-"] + from, input: try Data(contentsOf: URL(fileURLWithPath: file)))
    #expect(piped.status == 1 && piped.out == packet.out, "\(piped)")
    #expect(try await ask("--capture", file, "--frame", "2").status == 2)
    try await node.stop()
  }

  /// Names come from the agent of the node, when it is asked for or near.
  @Test func namesOfAnAgent() async throws {
    let node = try await ServiceNode(["--dataplane", "model"])
    _ = try Self.names(node)
    let web = try RunningProgram([
      "python3", "-uc",
      """
      import functools, http.server
      handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory="\(node.server.folder)")
      server = http.server.HTTPServer(("127.0.0.1", 0), handler)
      print("port", server.server_address[1], flush=True)
      server.serve_forever()
      """,
    ])
    let port = try await web.wait(for: "port ").split(separator: " ")[1]
    let outcome = try await K8sDPTool.run(
      "why", "client", "web-1", "--from", node.server.address, "--agent", "127.0.0.1:\(port)")
    #expect(outcome.status == 0 && outcome.out.contains("default/web-1"), "\(outcome)")
    try FileManager.default.removeItem(atPath: node.server.folder + "/names.json")
    let refused = try await K8sDPTool.run(
      "why", "client", "web-1", "--from", node.server.address, "--agent", "127.0.0.1:\(port)")
    #expect(refused.status == 2 && refused.error.contains("answers 404"), "\(refused)")
    withExtendedLifetime(web) {}
    try await node.stop()
  }
}
