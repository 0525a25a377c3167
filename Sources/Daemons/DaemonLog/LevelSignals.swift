import Glibc
import ProcessSignals
import Synchronization

/// SIGUSR1 and SIGUSR2 as calls, for as long as the program runs.
final class LevelSignals: Sendable {
  static let shared = LevelSignals()

  private let calls = Mutex<[SignalCall]>([])

  /// - Parameter body: whether more detail is wanted (SIGUSR1), or what was configured.
  func follow(_ body: @escaping @Sendable (Bool) -> Void) {
    let made = [(SIGUSR1, true), (SIGUSR2, false)].map { number, isMore in
      SignalCall(number) { body(isMore) }
    }
    calls.withLock { $0 = made }
  }
}
