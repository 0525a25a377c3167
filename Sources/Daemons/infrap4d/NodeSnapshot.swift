import Core
import Foundation
import Hosting
import Metrics
import P4RuntimeService

/// What the daemon knows of itself at one moment, for those who look.
struct NodeSnapshot: Sendable {
  /// The pipeline on the engine.
  struct Pipeline: Sendable {
    var contract: Contract
    var counters: Counters
    /// Entries that controllers wrote, by table.
    var entries: [String: Int]
  }

  var ports: [PortStatus]
  /// nil: none is installed.
  var pipeline: Pipeline?
  var flows: FlowCensus?
  var control: ControlActivity
  /// When this was taken.
  var date = Date()
}
