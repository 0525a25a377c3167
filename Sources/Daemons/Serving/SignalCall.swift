import Dispatch
import Glibc

/// Turns a signal into a call.
public final class SignalCall {
  private let source: any DispatchSourceSignal

  public init(_ number: Int32, _ body: @escaping @Sendable () -> Void) {
    signal(number, SIG_IGN)
    source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler(handler: body)
    source.resume()
  }
}
