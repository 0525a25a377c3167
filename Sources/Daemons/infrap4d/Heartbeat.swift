import Hosting

/// Notices when the thread that forwards frames does nothing any more.
actor Heartbeat {
  /// A pipeline that is pushed, or millions of flows that are restored, hold the thread up for
  /// some seconds; this is no work any more.
  static let patience = Duration.seconds(60)

  private let host: any DataplaneHost
  private let pause: Duration
  /// When the thread last answered.
  private(set) var last = ContinuousClock.now

  /// - Parameter pause: between two questions.
  init(_ host: any DataplaneHost, pause: Duration = .seconds(1)) {
    self.host = host
    self.pause = pause
  }

  /// Asks until the task is cancelled.
  func follow() async {
    while !Task.isCancelled {
      // Without a pipeline the thread answers, too.
      _ = try? await host.withDataplane { _ in }
      last = .now
      try? await Task.sleep(for: pause)
    }
  }

  /// Since the thread last answered.
  func silence(at now: ContinuousClock.Instant = .now) -> Duration { now - last }
}
