import CForwarding
import Core
import Synchronization

/// Work for the forwarding thread, in the order in which it was given.
final class CommandQueue: Sendable {
  typealias Command = @Sendable (ForwardingLoop?) -> Void

  private struct State {
    var commands: [Command] = []
    var isClosed = false
  }

  private let state = Mutex(State())
  /// Readable while there is work.
  let event: Int32

  init() throws(DataplaneError) {
    event = cfwd_event_make()
    guard event >= 0 else {
      throw DataplaneError(.unavailable, "forwarding", "no event descriptor; raise the file limit")
    }
  }

  /// Gives work. After ``close()`` it is called at once, with nil.
  func add(_ command: @escaping Command) {
    let isClosed = state.withLock { state in
      if !state.isClosed { state.commands.append(command) }
      return state.isClosed
    }
    if isClosed { command(nil) } else { cfwd_event_set(event) }
  }

  func take() -> [Command] {
    cfwd_event_clear(event)
    return state.withLock { state in
      defer { state.commands.removeAll() }
      return state.commands
    }
  }

  func close() {
    let left = state.withLock { state in
      state.isClosed = true
      defer { state.commands.removeAll() }
      return state.commands
    }
    for command in left { command(nil) }
  }
}
