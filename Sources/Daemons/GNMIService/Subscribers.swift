import Synchronization

/// Counts Subscribe calls and their subscriptions, and refuses those that are too many.
final class Subscribers: Sendable {
  private struct Count {
    var streams = 0
    var subscriptions = 0
  }

  private let limits: GNMIService.Limits
  private let count = Mutex(Count())

  init(_ limits: GNMIService.Limits) { self.limits = limits }

  func enter() throws(GNMIError) {
    let isRoom = count.withLock { count in
      guard count.streams < limits.streams else { return false }
      count.streams += 1
      return true
    }
    guard isRoom else {
      throw GNMIError(
        .resourceExhausted, "there are \(limits.streams) Subscribe calls; end one first")
    }
  }

  func subscribe(_ number: Int) throws(GNMIError) {
    let isRoom = count.withLock { count in
      guard number <= limits.subscriptions - count.subscriptions else { return false }
      count.subscriptions += number
      return true
    }
    guard isRoom else {
      throw GNMIError(
        .resourceExhausted, "at most \(limits.subscriptions) subscriptions of all calls together")
    }
  }

  /// A call has ended that had so many subscriptions.
  func leave(_ number: Int) {
    count.withLock { count in
      count.streams -= 1
      count.subscriptions -= number
    }
  }
}
