import Core
import Forwarding
import Hosting
import NodeTesting
import Testing

/// AF_PACKET ports: veth pairs into pods.
@Suite(
  .serialized, .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct PacketPortTests {
  /// Two pods behind veths; segments of up to 64 KiB and their partial checksums pass
  /// between packet sockets too.
  @Test(arguments: LiveNode.engines) func podsBehindVeths(_ engine: String) async throws {
    let forwarder = try Forwarder()
    try await LiveNode.install(engine, on: forwarder)
    var pods: [Pod] = []
    var names: [String] = []
    for (id, last) in [(PortID(2), 6), (3, 7)] {
      let (outside, inside) = (NetworkNamespace.fresh("veth"), NetworkNamespace.fresh("veth"))
      try await Command.check("ip", "link", "add", outside, "type", "veth", "peer", inside)
      try await Command.check("ip", "link", "set", outside, "up")
      _ = try await forwarder.add(PortDescription(name: outside, kind: .packet, id: id))
      names.append(outside)
      pods.append(
        try await Pod(
          inside, ip: "10.244.0.\(last)", mac: "02:00:00:00:02:0\(last)",
          gatewayMAC: LiveNode.gatewayMAC))
    }
    try await pods[0].exec("ping", "-q", "-c", "2", "-i", "0.2", "10.244.0.7")
    let server = try await Transfer.serve(in: pods[1], port: 8080)
    _ = try await Transfer.send(16 << 20, from: pods[0], to: LiveNode.vip, port: 80)
    let counters = try #require(await forwarder.ports().first).counters
    #expect(counters.bytesIn / counters.framesIn > 2000, "\(counters)")
    withExtendedLifetime(server) {}
    for name in names {
      try await forwarder.remove(name)
      // The interface was somebody else's and stays.
      try await Command.check("ip", "link", "del", name)
    }
    await forwarder.stop()
  }

  /// The kernel hands VLAN tags over beside the frame; the pipeline sees them in it.
  @Test func tagsAreInTheFrame() async throws {
    let forwarder = try Forwarder()
    let recorder = FrameRecorder()
    try await forwarder.install { RecordingDataplane(recorder) }
    let (outside, inside) = (NetworkNamespace.fresh("veth"), NetworkNamespace.fresh("veth"))
    try await Command.check("ip", "link", "add", outside, "type", "veth", "peer", inside)
    try await Command.check("ip", "link", "set", outside, "up")
    let namespace = try await NetworkNamespace("vlan")
    try await Command.check("ip", "link", "set", inside, "netns", namespace.name)
    try await namespace.exec("ip", "link", "set", inside, "up")
    _ = try await forwarder.add(PortDescription(name: outside, kind: .packet, id: 1))
    let sent = PacketBuilder(from: MACAddress(2), to: MACAddress(4), vlan: 0x604D)
      .frame(etherType: 0x88B5, payload: [UInt8](repeating: 0x5A, count: 46))
    let hex = sent.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    try await namespace.exec(
      "python3", "-c",
      "import socket; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); "
        + "s.bind(('\(inside)', 0)); s.send(bytes.fromhex('\(hex)'))")
    for await frame in recorder.frames where frame.count >= 18 && frame[16...17] == [0x88, 0xB5] {
      #expect(frame == sent)
      break
    }
    try await forwarder.remove(outside)
    try await Command.check("ip", "link", "del", outside)
    await forwarder.stop()
  }
}
