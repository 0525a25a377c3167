import ArgumentParser

/// How long a check goes on.
struct Timeout: ExpressibleByArgument, Sendable {
  /// 0 is for ever.
  var seconds: Double

  init(seconds: Double) { self.seconds = seconds }

  /// - Parameter argument: seconds, or a duration as upstream's, Go's: `1m30s`, `500ms`.
  init?(argument: String) {
    if let seconds = Double(argument) {
      self.seconds = seconds
    } else {
      let part = /(\d+(?:\.\d+)?)(ms|h|m|s)/
      guard !argument.isEmpty, argument.replacing(part, with: "").isEmpty else { return nil }
      seconds = argument.matches(of: part).reduce(0) { sum, part in
        let unit: Double =
          switch part.2 {
          case "h": 3600
          case "m": 60
          case "s": 1
          default: 0.001
          }
        return sum + (Double(part.1) ?? 0) * unit
      }
    }
    guard seconds >= 0, seconds.isFinite else { return nil }
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
