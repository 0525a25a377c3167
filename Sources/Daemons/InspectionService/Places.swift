import GRPCCore
import Synchronization

/// Counts calls of a kind, and refuses those that are too many.
final class Places: Sendable {
  private let maximum: Int
  private let what: String
  private let taken = Mutex(0)

  /// - Parameter what: the calls, for error messages.
  init(_ maximum: Int, _ what: String) {
    self.maximum = maximum
    self.what = what
  }

  func take<Result>(_ body: () async throws -> Result) async throws -> Result {
    let isFree = taken.withLock { taken in
      guard taken < maximum else { return false }
      taken += 1
      return true
    }
    guard isFree else {
      throw RPCError(
        code: .resourceExhausted, message: "\(maximum) \(what) are under way; end one first")
    }
    defer { taken.withLock { $0 -= 1 } }
    return try await body()
  }
}
