import Dispatch
import Glibc

/// Turns SIGHUP into a call.
public final class HangUpSignal {
  private let source: any DispatchSourceSignal

  public init(_ body: @escaping @Sendable () -> Void) {
    signal(SIGHUP, SIG_IGN)
    source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: .global())
    source.setEventHandler(handler: body)
    source.resume()
  }
}
