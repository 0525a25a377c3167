import GRPCCore

extension GRPCClient {
  /// Connects until the task is cancelled.
  ///
  /// A client whose ``runConnections()`` is cancelled while it connects may never end: it is only
  /// ever told to shut down. Its calls are their callers' to cancel.
  public func runUntilCancelled() async throws {
    let connections = Task { try await runConnections() }
    try await withTaskCancellationHandler {
      try await connections.value
    } onCancel: {
      beginGracefulShutdown()
    }
  }
}
