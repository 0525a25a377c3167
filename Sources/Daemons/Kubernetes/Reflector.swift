import Logging

/// Follows all objects of a kind: a list, then a watch of what changes; again from where it
/// was when the watch ends, and from a new list when the server has forgotten that.
public struct Reflector<Object: KubernetesObject>: Sendable {
  /// What happened to the objects.
  public enum Change: Sendable {
    /// All there are.
    case all([ObjectName: Object])
    case changed(Object)
    case deleted(ObjectName)
  }

  /// Pauses between attempts: client-go's, without its factor of chance, which
  /// ``pause(_:)`` adds.
  private static var pauses: ClosedRange<Duration> { .milliseconds(200)...Duration.seconds(10) }

  private let client: KubernetesClient
  private let selector: String?
  private let logger: Logger
  private let note: @Sendable (ReflectorEvent) -> Void

  /// - Parameter note: called at each event.
  public init(
    _ client: KubernetesClient, selector: String? = nil, logger: Logger,
    note: @escaping @Sendable (ReflectorEvent) -> Void = { _ in }
  ) {
    self.client = client
    self.selector = selector
    self.logger = logger
    self.note = note
  }

  /// Follows until the task is cancelled.
  ///
  /// - Parameter take: called with each change, one after the other.
  public func run(_ take: @Sendable (Change) async -> Void) async {
    var failures = 0
    var version: String?
    while !Task.isCancelled {
      do {
        if version == nil {
          let list = try await client.list(Object.self, selector: selector)
          note(.listed)
          await take(
            .all(Dictionary(list.objects.map { ($0.objectName, $0) }) { _, last in last }))
          version = list.version
        }
        var reached = version ?? ""
        defer { version = reached }
        try await client.watch(Object.self, from: reached, selector: selector) {
          if failures > 0 {
            logger.notice("the API server is back", metadata: ["kind": "\(Object.kind)"])
          }
          failures = 0
        } each: { event in
          switch event {
          case .changed(let object):
            reached = object.metadata.resourceVersion ?? reached
            await take(.changed(object))
          case .deleted(let object):
            reached = object.metadata.resourceVersion ?? reached
            await take(.deleted(object.objectName))
          case .bookmark(let bookmark): reached = bookmark
          }
        }
      } catch let error as KubernetesError where error.code == .expired {
        logger.info("listing anew", metadata: ["kind": "\(Object.kind)", "reason": "\(error)"])
        version = nil
        failures += 1
        note(.failed)
      } catch is CancellationError {
        return
      } catch {
        failures += 1
        note(.failed)
        // Once, and when it lasts.
        if failures == 1 || failures % 10 == 0 {
          logger.warning(
            "the API server is away",
            metadata: ["kind": "\(Object.kind)", "reason": "\(error)", "failures": "\(failures)"])
        }
        if let error = error as? KubernetesError, error.code == .protocolError { version = nil }
      }
      try? await Task.sleep(for: Self.pause(failures))
    }
  }

  /// Doubles with each failure; the last half is by chance, so that a server that comes back
  /// is not asked by all nodes at once.
  static func pause(_ failures: Int) -> Duration {
    let base = min(pauses.lowerBound * (1 << min(max(failures - 1, 0), 10)), pauses.upperBound)
    return base / 2 + base * Double.random(in: 0...0.5)
  }
}
