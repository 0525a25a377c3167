import Foundation
import Synchronization

/// What happens on a test's node, a line each, for people who read `make e2e`.
///
/// Told when K8SDP_STORY is set.
public final class Story: Sendable {
  private static let isTold = ProcessInfo.processInfo.environment["K8SDP_STORY"] != nil
  private static let count = Mutex(0)

  private let name: String
  private let start = ContinuousClock.now
  private let told = Mutex<Set<String>>([])

  /// - Parameter engine: of infrap4d's `--dataplane`.
  init(_ engine: String) {
    let number = Self.count.withLock { count in
      count += 1
      return count
    }
    name = "node \(number), \(engine)"
  }

  /// Tells a line.
  public func tell(_ text: @autoclosure () -> String) {
    guard Self.isTold else { return }
    let time = Self.text((ContinuousClock.now - start) / .seconds(1), "%8.3f")
    print("  [\(name)] \(time) s  \(text())")
  }

  /// Tells what may happen again and again when it does for the first time.
  func tellOnce(_ text: String) {
    guard told.withLock({ $0.insert(text).inserted }) else { return }
    tell(text)
  }

  /// Milliseconds since an instant, for a line.
  static func milliseconds(since instant: ContinuousClock.Instant) -> String {
    text((ContinuousClock.now - instant) / .milliseconds(1), "%.0f ms")
  }

  private static func text(_ value: Double, _ format: String) -> String {
    String(format: format, value)
  }
}
