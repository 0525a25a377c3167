import Core
import Replay

/// `k8sdp top`: a running node, again and again.
public struct LiveTop: Sendable {
  public struct Options: Sendable {
    /// Between two looks.
    public var interval = Duration.seconds(1)
    /// Reports; 0 is no end.
    public var count = 0
    public init() {}
  }

  private let inspector: NodeInspector
  private let options: Options

  public init(_ inspector: NodeInspector, _ options: Options) {
    self.inspector = inspector
    self.options = options
  }

  /// Reports until the interruption.
  ///
  /// - Parameter show: shows a report; false ends.
  public func run(
    _ names: NodeNames, _ interruption: Interruption,
    _ show: @escaping @Sendable (TopReport) throws(ReplayError) -> Bool
  ) async throws(ReplayError) {
    let before = try await inspector.status()
    do {
      try await interruption.ending { [inspector, options] in
        var before = before
        var shown = 0
        while true {
          try await Task.sleep(for: options.interval)
          let now = try await inspector.status()
          // The node may answer with what it told a moment ago.
          guard now.time > before.time else { continue }
          guard try show(TopReport(now, since: before, names)) else { return }
          before = now
          shown += 1
          if shown == options.count { return }
        }
      }
    } catch {
      if interruption.isCalled { return }
      throw inspector.explain(error)
    }
  }
}
