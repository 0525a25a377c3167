import Core
import Forwarding
import Hosting
import NodeTesting
import Testing

/// Real programs in two pods, live through the forwarder.
@Suite(
  .serialized, .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct TrafficTests {
  @Test(arguments: LiveNode.engines) func pingBetweenPods(_ engine: String) async throws {
    let node = try await LiveNode(engine)
    try await node.client.exec("ping", "-q", "-c", "3", "-i", "0.2", "10.244.0.7")
    #expect(try await node.status(0).counters.framesIn >= 3)
    #expect(try await node.status(1).counters.framesOut >= 3)
    try await node.stop()
  }

  /// Large segments with partial checksums cross the pipeline whole, translated both
  /// ways, and arrive unharmed.
  @Test(arguments: LiveNode.engines) func segmentsPassThrough(_ engine: String) async throws {
    let node = try await LiveNode(engine)
    let server = try await Transfer.serve(in: node.server, port: 8080)
    let bytes = 64 << 20
    let peer = try await Transfer.send(bytes, from: node.client, to: LiveNode.vip, port: 80)
    #expect(peer == "10.244.0.6")
    let counters = try await node.status(0).counters
    // More than a segment of 1,448 bytes a frame, on the average by far.
    #expect(counters.bytesIn > bytes)
    #expect(counters.bytesIn / counters.framesIn > 4000, "\(counters)")
    #expect(counters.dropped.isEmpty, "\(counters)")
    withExtendedLifetime(server) {}
    try await node.stop()
  }

  /// Whether the kernel gives this process io_uring: io_uring_setup(2) of one entry.
  private static func permitsRings() async throws -> Bool {
    let outcome = try await Command.run([
      "python3", "-c",
      "import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(425, 1, bytes(120)) < 0)",
    ])
    return outcome.status == 0
  }

  /// The same without any offload: checksums are the senders' own.
  @Test(arguments: LiveNode.engines, [true, false])
  func plainFrames(_ engine: String, batched: Bool) async throws {
    var options = Forwarder.Options()
    options.batched = batched
    let node = try await LiveNode(engine, options: options)
    let permitsRings = try await Self.permitsRings()
    #expect(try await node.forwarder.isBatched() == (batched && permitsRings))
    for pod in [node.client, node.server] {
      try await pod.exec("ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gso", "off")
    }
    let server = try await Transfer.serve(in: node.server, port: 8080)
    _ = try await Transfer.send(4 << 20, from: node.client, to: LiveNode.vip, port: 80)
    let counters = try await node.status(0).counters
    #expect(counters.bytesIn / counters.framesIn < 1600, "\(counters)")
    withExtendedLifetime(server) {}
    try await node.stop()
  }

  /// A datagram larger than the MTU arrives in fragments, translated.
  @Test(arguments: LiveNode.engines) func fragmentsOfADatagram(_ engine: String) async throws {
    let node = try await LiveNode(engine)
    let echo = try node.server.start(
      "python3", "-uc",
      """
      import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      s.bind(("0.0.0.0", 8080))
      print("listening", flush=True)
      while True:
          data, peer = s.recvfrom(65535)
          s.sendto(data, peer)
      """)
    try await echo.wait(for: "listening")
    let outcome = try await Command.run(
      node.client.namespace.command([
        "python3", "-c",
        """
        import random, socket
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(10)
        s.connect(("\(LiveNode.vip)", 80))
        for size in (1, 1472, 1473, 9000, 20000):
            data = random.Random(size).randbytes(size)
            s.send(data)
            assert s.recv(65535) == data, size
        print("equal")
        """,
      ]))
    let ports = await node.forwarder.ports()
    #expect(outcome.status == 0, "\(outcome) \(ports.map(\.counters))")
    try await node.stop()
  }

  /// A frame is counted where it is dropped, with the reason that the pipeline gives.
  @Test(arguments: LiveNode.engines) func dropsHaveReasons(_ engine: String) async throws {
    let node = try await LiveNode(engine)
    let ping = ["ping", "-q", "-c", "2", "-i", "0.2", "-W", "1"]
    // The second would go to the host's port, which this node has not.
    for command in [ping + ["-t", "1", "10.244.0.7"], ping + ["10.9.9.9"]] {
      let outcome = try await Command.run(node.client.namespace.command(command))
      #expect(outcome.status == 1)
    }
    let dropped = try await node.status(0).counters.dropped
    #expect(dropped == ["ttl_expired": 2, "bad_port": 2])
    try await node.stop()
  }

  /// Without a pipeline nothing is forwarded, and all is counted.
  @Test func noPipeline() async throws {
    let node = try await LiveNode("model")
    await node.forwarder.uninstall()
    let ping = ["ping", "-q", "-c", "2", "-i", "0.2", "-W", "1", "10.244.0.7"]
    #expect(try await Command.run(node.client.namespace.command(ping)).status == 1)
    #expect(try await node.status(0).counters.dropped["no_pipeline"] == 2)
    await #expect(throws: DataplaneError.self) { try await node.forwarder.withDataplane { _ in } }
    // And it goes on with the next one.
    try await LiveNode.install("model", on: node.forwarder)
    try await node.client.exec("ping", "-q", "-c", "1", "10.244.0.7")
    try await node.stop()
  }

  /// The interface's own queue is the limit: what it does not take is counted.
  @Test func framesToAPortThatIsDown() async throws {
    let node = try await LiveNode("model")
    try await node.server.exec("ip", "link", "set", "eth0", "down")
    let ping = ["ping", "-q", "-c", "2", "-i", "0.2", "-W", "1", "10.244.0.7"]
    #expect(try await Command.run(node.client.namespace.command(ping)).status == 1)
    let status = try await node.status(1)
    #expect(status.counters.refused == 2, "\(status)")
    #expect(!status.isUp)
    try await node.stop()
  }
}
