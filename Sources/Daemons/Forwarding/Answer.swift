import Dispatch
import Synchronization

/// What a job on the forwarding thread answers to a thread that waits for it.
final class Answer<Value: Sendable>: Sendable {
  private let result = Mutex<Result<Value, any Error>?>(nil)
  private let isThere = DispatchSemaphore(value: 0)

  /// Once.
  func give(_ result: Result<Value, any Error>) {
    self.result.withLock { $0 = result }
    isThere.signal()
  }

  /// Once; waits until it was given.
  func take() throws -> Value {
    isThere.wait()
    return try result.withLock { result in
      guard let result else { preconditionFailure("signalled without an answer") }
      return try result.get()
    }
  }
}
