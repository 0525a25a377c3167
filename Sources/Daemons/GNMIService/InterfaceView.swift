import Core
import Hosting

/// An interface as it is read: what was set, and what became of it.
struct InterfaceView: Sendable {
  var config: InterfaceConfig
  /// Nil while it is no port.
  var id: PortID?
  /// Nil when it is no port, or was not asked for.
  var status: PortStatus?
}

/// The interfaces at one time.
struct Snapshot: Sendable {
  var interfaces: [InterfaceView]
  /// Changes with every Set that changed something.
  var generation: Int
  /// Nanoseconds since 1970.
  var timestamp: Int64
}

/// What a node of the tree shows.
enum Instance: Sendable {
  case all([InterfaceView])
  case interface(InterfaceView)
  case drop(reason: String, frames: UInt64)
}
