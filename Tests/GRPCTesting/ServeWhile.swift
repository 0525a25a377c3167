import GRPCCore

extension GRPCServer {
  /// Serves while `body` runs.
  ///
  /// The server is stopped and never cancelled, however `body` ends: one that is cancelled while a
  /// client connects ends the process.
  public func serve<Outcome>(
    while body: () async throws -> Outcome
  ) async throws -> Outcome {
    let serving = Task { try await self.serve() }
    let outcome: Result<Outcome, any Error>
    do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
    beginGracefulShutdown()
    try await serving.value
    return try outcome.get()
  }
}
