import ArgumentParser

/// How long a check goes on.
struct Timeout: ExpressibleByArgument, Sendable {
  /// 0 is for ever.
  var seconds: Double

  init(seconds: Double) { self.seconds = seconds }

  init?(argument: String) {
    guard let seconds = Double(argument.hasSuffix("s") ? String(argument.dropLast()) : argument),
      seconds >= 0
    else { return nil }
    self.seconds = seconds
  }

  var defaultValueDescription: String { "\(seconds)s" }

  /// Asks until the answer is true or the time is over.
  func poll(every pause: Duration, _ body: () async -> Bool) async -> Bool {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    while true {
      if await body() { return true }
      guard seconds == 0 || clock.now < end else { return false }
      try? await Task.sleep(for: pause)
    }
  }
}
