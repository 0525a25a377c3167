import Foundation
import Infrap4dDataplane
import ProcessSignals
import Replay
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// SIGINT and SIGTERM, which end what is under way and not the program: what was written so far
/// is brought to its end.
public final class Interruption: Sendable {
  private struct State {
    var isCalled = false
    var handler: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())
  private let signals = Mutex<TerminationSignals?>(nil)

  public init() {
    let made = TerminationSignals { [weak self] _ in self?.call() }
    signals.withLock { $0 = made }
  }

  public var isCalled: Bool { state.withLock { $0.isCalled } }

  /// As the signals do.
  public func end() { call() }

  /// As the signals do, when standard input ends.
  public func endWithInput() {
    Thread.detachNewThread { [weak self] in
      var bytes = [UInt8](repeating: 0, count: 256)
      while read(STDIN_FILENO, &bytes, bytes.count) > 0 {}
      self?.end()
    }
  }

  private func call() {
    let handler = state.withLock { state in
      state.isCalled = true
      return state.handler
    }
    handler?()
  }

  /// Runs `body` and waits for it. Not for Swift's concurrency pool, whose thread it would hold.
  public func run<Result: Sendable>(
    _ body: @escaping @Sendable (Interruption) async throws(ReplayError) -> Result
  ) throws(ReplayError) -> Result {
    try waiting { () async throws(ReplayError) in try await body(self) }
  }

  /// Runs `body` as a task that is cancelled by the signal.
  public func ending<Result: Sendable>(
    _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    let task = Task { try await body() }
    let isCalled = state.withLock { state in
      state.handler = { task.cancel() }
      return state.isCalled
    }
    if isCalled { task.cancel() }
    defer { state.withLock { $0.handler = nil } }
    return try await task.value
  }
}
