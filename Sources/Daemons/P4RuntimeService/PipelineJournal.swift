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
  /// - Returns: whether the journal would rather have everything anew, because it has
  ///   become long.
  func applied(_ updates: [P4_V1_Update]) async -> Bool
}
