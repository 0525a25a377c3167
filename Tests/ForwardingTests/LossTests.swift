import Forwarding
import Foundation
import Hosting
import NodeTesting
import SimDataplane
import Testing

/// Frames that come faster than they are read: the kernel has no room for all, and says so.
@Suite(
  .serialized, .timeLimit(.minutes(10)),
  .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct LossTests {
  /// More than any queue takes.
  private static let count = 60_000

  /// Sends frames by an interface as fast as it can.
  private static let sender = """
    import socket, sys
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.setsockopt(263, 20, 1)  # SOL_PACKET, PACKET_QDISC_BYPASS
    s.bind((sys.argv[1], 0))
    frame = bytes.fromhex("020000000002" "020000000001" "88b5") + bytes(46)
    for _ in range(int(sys.argv[2])):
        try:
            s.send(frame)
        except OSError:
            pass  # The queue is full.
    """

  @Test(arguments: [PortKind.tap, .packet]) func lostFramesAreCounted(
    _ kind: PortKind
  ) async throws {
    let forwarder = try Forwarder()
    let name = NetworkNamespace.fresh("loss")
    let peer = NetworkNamespace.fresh("loss")
    if kind == .packet {
      try await Command.check("ip", "link", "add", name, "type", "veth", "peer", peer)
      try await Command.check("ip", "link", "set", peer, "up")
    }
    _ = try await forwarder.add(PortDescription(name: name, kind: kind, id: 1))
    try await Command.check("ip", "link", "set", name, "up")

    // The thread that reads is held.
    let (isHeld, mayGo) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let holding = Task {
      try await forwarder.install {
        isHeld.signal()
        mayGo.wait()
        return SimDataplane()
      }
    }
    try await blocking { isHeld.wait() }
    try await Command.check(
      "python3", "-c", Self.sender, kind == .tap ? name : peer, "\(Self.count)")
    mayGo.signal()
    try await holding.value

    var counters = PortCounters()
    while counters.framesIn + counters.lost < Self.count {
      counters = try #require(await forwarder.ports().first).counters
    }
    #expect(counters.framesIn > 0 && counters.lost > 0, "\(counters)")
    // Asking again counts nothing twice.
    #expect(await forwarder.ports().first?.counters.lost == counters.lost)
    try await forwarder.remove(name)
    if kind == .packet { try await Command.check("ip", "link", "del", name) }
    await forwarder.stop()
  }
}
