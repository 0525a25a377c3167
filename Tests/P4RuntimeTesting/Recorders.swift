import Core
import Foundation
import Hosting
import P4RuntimeProtos
import P4RuntimeService

/// A journal in memory.
public actor MemoryJournal: PipelineJournal {
  public private(set) var config: P4_V1_ForwardingPipelineConfig?
  public private(set) var updates: [P4_V1_Update] = []
  public private(set) var commits = 0

  public init() {}

  public func committed(_ config: P4_V1_ForwardingPipelineConfig, updates: [P4_V1_Update]) {
    self.config = config
    self.updates = updates
    commits += 1
  }

  public func applied(_ updates: [P4_V1_Update], encoded: Data?, entries: Int) -> Bool {
    self.updates += updates
    return false
  }
}

/// A controller's port with nothing behind it.
public final class RecordedPackets: PacketIO {
  private let frames: AsyncStream<[UInt8]>
  private let framesIn: AsyncStream<[UInt8]>.Continuation
  /// What was injected, in order.
  public let injected: AsyncStream<[UInt8]>
  private let injecting: AsyncStream<[UInt8]>.Continuation

  public init() {
    (frames, framesIn) = AsyncStream.makeStream()
    (injected, injecting) = AsyncStream.makeStream()
  }

  public func inject(_ frame: [UInt8]) { injecting.yield(frame) }
  public func framesForController() -> AsyncStream<[UInt8]> { frames }

  /// A frame of the pipeline for the controller.
  public func emit(_ frame: [UInt8]) { framesIn.yield(frame) }
  public func finish() { framesIn.finish() }
}
