import Dispatch
import Glibc

/// Turns a signal into a call, from when it is made: one that comes right after is not lost.
public final class SignalCall: Sendable {
  /// Dispatch's own objects may be used from any thread; their Swift types do not say so.
  private nonisolated(unsafe) let source: any DispatchSourceSignal

  /// Waits until the system listens.
  ///
  /// - Parameters:
  ///   - number: of the signal, as signal(7) has it.
  ///   - endsBefore: whether the signal ends the program, as is its nature, until then; otherwise
  ///     it does nothing until then.
  ///   - body: called on a queue of its own, once for several signals that come together.
  public init(_ number: Int32, endsBefore: Bool = false, _ body: @escaping @Sendable () -> Void) {
    if !endsBefore { signal(number, SIG_IGN) }
    source = DispatchSource.makeSignalSource(
      signal: number, queue: DispatchQueue(label: "signal \(number)"))
    let listens = DispatchSemaphore(value: 0)
    source.setRegistrationHandler { listens.signal() }
    source.setEventHandler(handler: body)
    source.resume()
    listens.wait()
  }

  deinit { source.cancel() }
}
