import Core

/// What the pipeline knows of the packet's flow.
struct FlowState {
  enum Found {
    case none
    /// TCP past its handshake, or UDP.
    case live
    /// TCP in its handshake.
    case half
  }

  /// What a hit does to the timer of the entry.
  enum Rearm {
    /// Start the stored timer again.
    case keep
    /// Store ``FlowState/timer`` and start it.
    case set
    /// Look only.
    case none
  }

  private(set) var key: FlowKey
  /// The CRC of the key, once known.
  private(set) var hash: UInt32?
  var data = FlowData(id: 0, ip: 0, port: 0, kind: 0, nat: 0)
  var timer = K8sDP.Timer.tcpEstablished
  var rearm = Rearm.keep
  var found = Found.none
  /// The kind of the entry for this direction.
  var forwardKind: UInt8 = 0
  /// The other direction needs an entry, too.
  var pair = false
  /// The other direction's entry gets the timer, too.
  var touch = false

  init(key: FlowKey, hash: UInt32) {
    self.key = key
    self.hash = hash
  }

  @inline(__always)
  mutating func set(key: FlowKey) {
    self.key = key
    hash = nil
  }

  @inline(__always)
  mutating func set(kind: UInt8) { set(key: key.with(kind: kind)) }
}
