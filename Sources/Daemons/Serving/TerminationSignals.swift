import Dispatch
import Glibc

/// Turns SIGTERM and SIGINT into a call.
public final class TerminationSignals {
  private let sources: [any DispatchSourceSignal]

  public init(_ body: @escaping @Sendable (String) -> Void) {
    sources = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")].map { number, name in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { body(name) }
      source.resume()
      return source
    }
  }
}
