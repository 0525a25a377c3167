import Core
import Metrics

/// What the manager wants of the node, and how it went so far.
public struct ManagerActivity: Sendable {
  /// Changes by what they are and how they ended: `ok`, or the code of the error.
  public internal(set) var changes: [[String]: UInt64] = Dictionary(
    uniqueKeysWithValues: Change.kinds.map { ([$0, "ok"], 0) })
  /// Updates of table entries by whether their batch was written: `ok` or the code of the error.
  public internal(set) var updates: [[String]: UInt64] = [["ok"]: 0]
  /// One batch of changes: compiling it and writing what differs.
  public internal(set) var reconcileDuration = Histogram.Value()
  /// From a change's arrival until packets follow it, or it has failed.
  public internal(set) var changeDuration = Histogram.Value()
  /// Changes that wait for those being made.
  public internal(set) var queue = 0
  public internal(set) var hasHost = false
  public internal(set) var pods = 0
  public internal(set) var servicePorts = 0
  /// Endpoints of all Service ports; one that serves several is counted for each.
  public internal(set) var endpoints = 0

  /// What Calico has said and is kept: kind → how many.
  public internal(set) var policies: [[String]: UInt64] = [:]
  /// Whether the disk has what is wanted; always, where nothing is to be kept.
  public internal(set) var isKept = true

  static func result(_ error: DataplaneError?) -> String { error.map { $0.code.rawValue } ?? "ok" }
}

extension Change {
  static let kinds = [
    "host", "pod", "remove_pod", "service", "remove_service", "remove_unclaimed",
  ]

  /// In metrics.
  var kind: String {
    switch self {
    case .host: "host"
    case .pod: "pod"
    case .removePod: "remove_pod"
    case .service: "service"
    case .removeService: "remove_service"
    case .removeUnclaimed: "remove_unclaimed"
    }
  }
}
