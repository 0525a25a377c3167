import Foundation
import P4RuntimeProtos

/// Where a pipeline and its state are kept for the next start.
public protocol PipelineJournal: Sendable {
  /// A pipeline was put in place with these entries; what was before is void.
  ///
  /// - Parameter updates: insertions in an order in which they can be applied.
  func committed(
    _ config: P4_V1_ForwardingPipelineConfig, updates: [P4_V1_Update]) async

  /// Updates that have taken effect, in order.
  ///
  /// - Parameters:
  ///   - encoded: them as a WriteRequest, if they are all of one that came.
  ///   - entries: how many there are now.
  /// - Returns: whether the journal would rather have everything anew, because it has
  ///   become long or lacks something.
  func applied(_ updates: [P4_V1_Update], encoded: Data?, entries: Int) async -> Bool
}
