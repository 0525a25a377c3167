import Core

/// Makes the dataplane that a pushed pipeline runs on.
public struct DataplaneMaker: Sendable {
  /// A short name for logs, such as `dpdk`.
  public var name: String
  /// Throws ``DataplaneError`` when a pipeline cannot run here. Changes nothing.
  public var verify: @Sendable (PipelineSpec) throws -> Void
  /// Makes the dataplane.
  public var make: @Sendable (PipelineSpec) throws -> any Dataplane

  public init(
    name: String, verify: @escaping @Sendable (PipelineSpec) throws -> Void,
    make: @escaping @Sendable (PipelineSpec) throws -> any Dataplane
  ) {
    self.name = name
    self.verify = verify
    self.make = make
  }
}
