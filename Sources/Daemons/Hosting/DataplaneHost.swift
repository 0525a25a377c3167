import Core

/// The owner of the dataplane of a process: it forwards frames with it, and lets
/// control operations in between two bursts.
///
/// A dataplane is driven by one thread; nobody else holds a reference to it.
public protocol DataplaneHost: Sendable {
  /// Runs `body` with the dataplane on the thread that drives it, or throws what
  /// `body` throws. Calls run in the order in which they were made.
  ///
  /// - Throws: ``DataplaneError/Code/unavailable`` when no pipeline is installed or
  ///   the host has stopped.
  func withDataplane<Result: Sendable>(
    _ body: @escaping @Sendable (any Dataplane) throws -> Result
  ) async throws -> Result

  /// As ``withDataplane(_:)``, after updates, all or none, that those who look at frames see
  /// in their place between them.
  func withDataplane<Result: Sendable>(
    applying updates: [Update], _ body: @escaping @Sendable (any Dataplane) throws -> Result
  ) async throws -> Result

  /// Puts another dataplane in place, made by `make` on the thread that drives it.
  /// When `make` throws, the old one stays.
  func install(_ make: @escaping @Sendable () throws -> any Dataplane) async throws

  /// The time that frames are processed at now, for reading learned entries.
  var now: Timestamp { get }

  /// Returns when ``now`` is at least this time.
  ///
  /// - Throws: `CancellationError` when the task is cancelled before.
  func sleep(until time: Timestamp) async throws

  /// Takes the dataplane away: from now on no frame is forwarded.
  func uninstall() async
}

extension DataplaneHost {
  public func withDataplane<Result: Sendable>(
    applying updates: [Update], _ body: @escaping @Sendable (any Dataplane) throws -> Result
  ) async throws -> Result {
    try await withDataplane { dataplane in
      try dataplane.apply(updates)
      return try body(dataplane)
    }
  }
}
