import Dispatch
import Glibc
import Synchronization

/// SIGUSR1 and SIGUSR2 as calls, for as long as the program runs.
final class LevelSignals: Sendable {
  static let shared = LevelSignals()

  private let sources = Mutex<[any DispatchSourceSignal]>([])

  /// - Parameter body: whether more detail is wanted (SIGUSR1), or what was configured.
  func follow(_ body: @escaping @Sendable (Bool) -> Void) {
    sources.withLock {
      $0 = [(SIGUSR1, true), (SIGUSR2, false)].map { number, isMore in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler { body(isMore) }
        source.resume()
        return source
      }
    }
  }
}
