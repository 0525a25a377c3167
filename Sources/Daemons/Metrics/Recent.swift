/// A value that costs something to make: made for those who ask, by one of them for all who
/// ask meanwhile, and not again until it has aged.
public actor Recent<Value: Sendable> {
  private let lifetime: Duration
  /// Making it takes one part of this many of the time.
  private let share: Int
  private let make: @Sendable () async -> Value
  private var last: Value?
  private var goodUntil = ContinuousClock.now
  private var running: Task<Value, Never>?

  /// - Parameters:
  ///   - lifetime: a value is good for this long after it was made, and for `share` times as
  ///     long as that took.
  public init(
    for lifetime: Duration, share: Int = 0, _ make: @escaping @Sendable () async -> Value
  ) {
    self.lifetime = lifetime
    self.share = share
    self.make = make
  }

  public func value() async -> Value {
    if let running { return await running.value }
    if let last, ContinuousClock.now < goodUntil { return last }
    // Its own task: one who asked and hung up does not take it from the others.
    let task = Task { await make() }
    running = task
    let start = ContinuousClock.now
    let value = await task.value
    let now = ContinuousClock.now
    goodUntil = now + max(lifetime, (now - start) * share)
    last = value
    running = nil
    return value
  }
}
