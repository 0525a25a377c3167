import CForwarding
import Core
import Hosting

/// A port as the forwarding thread sees it.
final class LoopPort {
  let id: PortID
  let descriptor: FileDescriptor
  let fd: Int32
  /// A packet socket, not a TAP.
  let isSocket: Bool
  /// Frames to ask for at once: twice what came the last time, if all of it came.
  var burst = 1
  /// Frames that came this turn.
  var received = 0
  /// The interface is gone, with its namespace or by other hands.
  var isGone = false

  var framesIn: UInt64 = 0
  var bytesIn: UInt64 = 0
  var framesOut: UInt64 = 0
  var bytesOut: UInt64 = 0
  var refused: UInt64 = 0
  var errorsIn: UInt64 = 0
  var errorsOut: UInt64 = 0
  /// Frames that the socket had no room for.
  private var lost: UInt64 = 0
  /// Frames dropped, by the raw value of the reason.
  private let dropped: UnsafeMutablePointer<UInt64>

  init(id: PortID, descriptor: FileDescriptor, isSocket: Bool) {
    self.id = id
    self.descriptor = descriptor
    fd = descriptor.number
    self.isSocket = isSocket
    dropped = .allocate(capacity: 256)
    dropped.initialize(repeating: 0, count: 256)
  }

  deinit { dropped.deallocate() }

  @inline(__always)
  func drop(_ reason: UInt8) { dropped[Int(reason)] &+= 1 }

  func readCounters() -> Hosting.PortCounters {
    if isSocket { lost &+= UInt64(cfw_packet_lost(fd)) }
    var counters = Hosting.PortCounters()
    counters.framesIn = framesIn
    counters.bytesIn = bytesIn
    counters.framesOut = framesOut
    counters.bytesOut = bytesOut
    counters.refused = refused
    counters.lost = lost
    counters.errorsIn = errorsIn
    counters.errorsOut = errorsOut
    for reason in DropReason.allCases where dropped[Int(reason.rawValue)] > 0 {
      counters.dropped[reason.name] = dropped[Int(reason.rawValue)]
    }
    return counters
  }
}
