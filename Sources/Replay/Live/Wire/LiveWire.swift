import Core
import Infrap4dDataplane

/// TAPs of a live server, seen from the kernel's side: a frame goes into one, and what
/// becomes of it is waited for.
///
/// A frame that the server forwards arrives. That one was dropped, and why, the server's
/// counters say: it counts a frame when it is through with it, so when the port's count of
/// frames in has risen, what was to be sent has been sent. Nothing is left to time.
final class LiveWire: FrameWire {
  /// The most that a TAP takes (Linux, drivers/net/tun.c: 65,535 less the Ethernet header).
  static let mtu = 65_521
  /// How long the server may take for a frame.
  private static let patience = Duration.seconds(60)

  private struct Port {
    var name: String
    var interface: Int32
    /// The server's counts when the wire began to use the port, and since.
    var framesIn: UInt64
    var framesOut: UInt64
    var lost: UInt64
    var dropped: [String: UInt64]
  }

  private let socket: LiveSocket
  private let server: LivePorts
  private var ports: [PortID: Port] = [:]
  private var ids: [Int32: PortID] = [:]
  private var made: [String] = []
  /// Ports that frames went in or out by since the last audit.
  private var used: Set<PortID> = []

  /// - Throws: ``DataplaneError/Code/unavailable`` without the permission to send frames.
  init(_ server: LivePorts) throws(DataplaneError) {
    self.server = server
    socket = try LiveSocket()
  }

  /// Removes the ports that were made for this wire.
  func close() throws(DataplaneError) {
    let (server, made) = (server, made)
    guard !made.isEmpty else { return }
    try waiting { () async throws(DataplaneError) in try await server.remove(made) }
  }

  /// Why an interface carries no such frame, or nil.
  static func refusal(_ frame: [UInt8]) -> String? {
    guard frame.count >= EthernetHeader.length else {
      return "shorter than an Ethernet header"
    }
    let type = UInt16(frame[12]) << 8 | UInt16(frame[13])
    let longest = mtu + EthernetHeader.length + (type == EtherType.vlan ? VLANTag.length : 0)
    guard frame.count <= longest else { return "longer than an interface takes" }
    // Linux, net/core/skbuff.c, skb_vlan_untag. What the server drops need not arrive.
    if [EtherType.vlan, 0x88A8].contains(type), frame.count < EthernetHeader.length + 6,
      gate(frame) == nil
    {
      return "a VLAN tag with less behind it than the kernel reads"
    }
    return nil
  }

  /// Why a host of ours keeps a frame from the pipeline, or nil.
  static func gate(_ frame: [UInt8]) -> DropReason? {
    frame.withUnsafeBytes { bytes in
      bytes.baseAddress.map { FrameGate.check($0, length: bytes.count) } ?? .truncated
    }
  }

  /// Sees to it that ports 0 to `last` are there, and up.
  func prepare(through last: PortID) throws(DataplaneError) {
    // Ports are prepared from 0 on.
    let next = PortID(ports.count)
    guard last >= next else { return }
    let missing = next...last
    let server = server
    var states = try waiting { () async throws(DataplaneError) in try await server.states() }
    let present = Set(states.values.compactMap(\.id))
    let names = missing.filter { !present.contains($0) }.map { "wire\($0)" }
    if !names.isEmpty {
      made += names
      states = try waiting { () async throws(DataplaneError) in
        try await server.make(names, mtu: Self.mtu)
        return try await server.states()
      }
    }
    for (name, state) in states {
      guard let id = state.id, id <= last, ports[id] == nil else { continue }
      guard LiveSocket.index(of: name) == state.interface else {
        throw DataplaneError(
          .unavailable, "port \(id)",
          "its interface \(name) is in another network namespace; run in the server's own")
      }
      try LiveSocket.bringUp(name)
      ids[state.interface] = id
      ports[id] = Port(
        name: name, interface: state.interface, framesIn: state.framesIn,
        framesOut: state.framesOut, lost: state.lost, dropped: state.dropped)
    }
    if let id = missing.first(where: { ports[$0] == nil }) {
      throw DataplaneError(.unavailable, "port \(id)", "the server gives no port this id")
    }
  }

  func exchange(_ frame: inout [UInt8], port: PortID) throws(DataplaneError) -> Verdict {
    try prepare(through: port)
    guard var sender = ports[port] else { preconditionFailure("port \(port) was prepared") }
    used.insert(port)
    try socket.send(frame, to: sender.interface)
    sender.framesIn += 1
    ports[port] = sender
    let deadline = ContinuousClock.now + Self.patience
    while ContinuousClock.now < deadline {
      if let verdict = try arrival(&frame, milliseconds: 1) { return verdict }
      let state = try state(of: sender.name)
      guard state.framesIn <= sender.framesIn else {
        throw DataplaneError(.unavailable, "port \(port)", "somebody else sends frames into it")
      }
      guard state.framesIn == sender.framesIn else { continue }
      // The server is through with the frame: what it sent is here.
      if let verdict = try arrival(&frame, milliseconds: 0) { return verdict }
      return .drop(try dropped(state, at: port))
    }
    throw DataplaneError(
      .unavailable, "port \(port)", "the server does not take a frame within \(Self.patience)")
  }

  /// Takes a frame that a port sent.
  private func arrival(
    _ frame: inout [UInt8], milliseconds: Int32
  ) throws(DataplaneError) -> Verdict? {
    while let arrival = try socket.receive(milliseconds: milliseconds) {
      // Others may have interfaces in this namespace.
      guard let id = ids[arrival.interface] else { continue }
      used.insert(id)
      ports[id]?.framesOut += 1
      frame = arrival.frame
      return .forward(id)
    }
    return nil
  }

  /// The reason that the server counted.
  private func dropped(
    _ state: LivePorts.State, at port: PortID
  ) throws(DataplaneError) -> DropReason {
    let before = ports[port]?.dropped ?? [:]
    ports[port]?.dropped = state.dropped
    for reason in DropReason.allCases {
      var expected = before
      expected[reason.name, default: 0] += 1
      if expected == state.dropped { return reason }
    }
    throw DataplaneError(
      .unavailable, "port \(port)",
      "a frame came in and neither left nor was dropped: \(before) became \(state.dropped)")
  }

  private func state(of name: String) throws(DataplaneError) -> LivePorts.State {
    let server = server
    let states = try waiting { () async throws(DataplaneError) in try await server.states([name]) }
    guard let state = states[name] else {
      throw DataplaneError(.unavailable, "port \(name)", "is gone")
    }
    return state
  }

  /// Holds the server's counters against the frames that went in and came out since the last
  /// audit.
  ///
  /// - Throws: ``DataplaneError/Code/unavailable`` when they do not agree.
  func audit() throws(DataplaneError) {
    if let stray = try socket.receive(milliseconds: 0), let id = ids[stray.interface] {
      throw DataplaneError(.unavailable, "port \(id)", "sent a frame that nobody waits for")
    }
    let (server, names) = (server, used.compactMap { ports[$0]?.name })
    guard !names.isEmpty else { return }
    let states = try waiting { () async throws(DataplaneError) in
      // A request has so many paths at most.
      try await server.states(names.count > 128 ? nil : names)
    }
    for (id, port) in ports where used.contains(id) {
      guard let state = states[port.name], state.framesIn == port.framesIn,
        state.framesOut == port.framesOut, state.dropped == port.dropped, state.lost == port.lost
      else {
        throw DataplaneError(
          .unavailable, "port \(id)",
          "counts otherwise than the wire: \(String(describing: states[port.name])), \(port)")
      }
    }
    used = []
  }
}
