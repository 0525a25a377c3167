import Core
import Infrap4dDataplane

/// TAPs of upstream's `infrap4d`, seen from the kernel's side.
///
/// Its gNMI counts frames before the pipeline has them and knows no reasons. But `k8s_dp`
/// counts what it drops, by reason, and P4Runtime reads that: so a frame has either arrived
/// at another TAP or is counted there, and nothing is left to time.
final class UpstreamWire: FrameWire {
  /// Bytes of an IP packet. The server reads so many and 14, and its buffers have 2,048.
  static let mtu = 1500
  private static let longest = mtu + EthernetHeader.length
  /// How long the server may take for a frame.
  private static let patience = Duration.seconds(60)

  private let socket: LiveSocket
  private let ports: UpstreamPorts
  private let names: [String]
  private var ids: [Int32: PortID] = [:]
  private var interfaces: [Int32] = []
  private var framesIn: [PortID: UInt64] = [:]
  private var framesOut: [PortID: UInt64] = [:]
  private var drops: [UInt64] = []
  /// Reads the pipeline's counter of drops.
  var counter: () throws(DataplaneError) -> [UInt64] = { () throws(DataplaneError) in [] }
  /// Why the server is no longer there, or nil.
  var failure: () -> DataplaneError? = { nil }

  /// Makes the TAPs, on a server that has none, and brings them up.
  ///
  /// - Throws: ``DataplaneError/Code/unavailable`` without the permission to send frames, or
  ///   when the server makes no ports.
  init(_ ports: UpstreamPorts, names: [String]) throws(DataplaneError) {
    (self.ports, self.names) = (ports, names)
    socket = try LiveSocket()
    try waiting { () async throws(DataplaneError) in
      try await ports.makeTAPs(names, mtu: Self.mtu)
    }
    for (id, name) in names.enumerated() {
      guard let interface = LiveSocket.index(of: name) else {
        throw DataplaneError(
          .unavailable, name,
          "is not in this network namespace; run in the server's own, and start the server anew")
      }
      try LiveSocket.bringUp(name)
      ids[interface] = PortID(id)
      interfaces.append(interface)
    }
  }

  /// Why an interface carries no such frame, or nil.
  ///
  /// What the host keeps from the pipeline is left out, too: upstream's keeps nothing from it, and
  /// k8s_dp trusts the lengths of what it is given.
  static func refusal(_ frame: [UInt8]) -> String? {
    guard frame.count <= longest else { return "longer than upstream's server reads" }
    if let reason = LiveWire.gate(frame) {
      return "\(reason.name), for which upstream's server does not look"
    }
    return LiveWire.refusal(frame)
  }

  func exchange(_ frame: inout [UInt8], port: PortID) throws(DataplaneError) -> Verdict {
    guard interfaces.indices.contains(Int(port)) else {
      throw DataplaneError(
        .outOfRange, "port \(port)", "upstream's server has \(names.count) ports")
    }
    if drops.isEmpty { drops = try counter() }
    try socket.send(frame, to: interfaces[Int(port)])
    framesIn[port, default: 0] += 1
    let deadline = ContinuousClock.now + Self.patience
    while ContinuousClock.now < deadline {
      if let arrival = try socket.receive(milliseconds: 1) {
        // Others may have interfaces in this namespace.
        guard let id = ids[arrival.interface] else { continue }
        framesOut[id, default: 0] += 1
        frame = arrival.frame
        return .forward(id)
      }
      if let failure = failure() { throw failure }
      if let reason = try dropped() { return .drop(reason) }
    }
    throw DataplaneError(
      .unavailable, "port \(port)",
      "a frame came in and neither left nor was counted as dropped within \(Self.patience)")
  }

  /// The reason that the pipeline counted since it was last asked.
  private func dropped() throws(DataplaneError) -> DropReason? {
    let now = try counter()
    guard now != drops else { return nil }
    defer { drops = now }
    for reason in DropReason.allCases where drops.indices.contains(Int(reason.rawValue)) {
      var expected = drops
      expected[Int(reason.rawValue)] += 1
      if expected == now { return reason }
    }
    throw DataplaneError(
      .unavailable, "drops", "one frame made \(now) of \(drops); somebody else sends frames")
  }

  /// Holds the server's counters against the frames that went in and came out.
  ///
  /// - Throws: ``DataplaneError/Code/unavailable`` when they do not agree.
  func audit() throws(DataplaneError) {
    if let stray = try socket.receive(milliseconds: 0), let id = ids[stray.interface] {
      throw DataplaneError(.unavailable, "port \(id)", "sent a frame that nobody waits for")
    }
    if !drops.isEmpty, try counter() != drops {
      throw DataplaneError(.unavailable, "drops", "counts frames that nobody sent")
    }
    let (ports, names) = (ports, names)
    for id in Set(framesIn.keys).union(framesOut.keys).sorted() {
      let counted = try waiting { () async throws(DataplaneError) in
        try await ports.frames(names[Int(id)])
      }
      let seen = (framesIn[id] ?? 0, framesOut[id] ?? 0)
      guard counted == seen else {
        throw DataplaneError(
          .unavailable, "port \(id)", "counts otherwise than the wire: \(counted), \(seen)")
      }
    }
  }
}
