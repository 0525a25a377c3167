import Foundation
import Metrics

/// How the Services came to the manager so far. Names are kube-proxy's where the meaning is.
public struct SyncActivity: Sendable {
  public init() {}

  /// kube-proxy's buckets: 1 ms to 16.384 s, doubling.
  static let syncBounds = (0..<15).map { 0.001 * Double(1 << $0) }
  /// Between kube-proxy's, which are a hundred.
  static let programmingBounds: [Double] =
    [0.25, 0.5, 1, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300]

  /// One round: telling the manager of everything that changed.
  public internal(set) var syncDuration = Histogram.Value(bounds: syncBounds)
  /// From the change of a pod or Service, as Kubernetes noted it on the slice, until the manager
  /// has confirmed it.
  public internal(set) var programmingDuration = Histogram.Value(bounds: programmingBounds)
  /// Seconds since 1970 of the last round that left nothing undone; 0 before the first.
  public internal(set) var lastSync: Double = 0
  /// Of the last change that a round was asked for; 0 before the first.
  public internal(set) var lastQueued: Double = 0
  public internal(set) var serviceChanges: UInt64 = 0
  public internal(set) var endpointChanges: UInt64 = 0
  /// Service ports that the manager was told of, by `put` or `remove`, and `ok` or `error`.
  public internal(set) var calls: [[String]: UInt64] = [
    ["put", "ok"]: 0, ["put", "error"]: 0, ["remove", "ok"]: 0, ["remove", "error"]: 0,
  ]
  /// Service ports that there are.
  public internal(set) var servicePorts = 0
  public internal(set) var endpoints = 0
  /// Services whose `sessionAffinity: ClientIP` is not honoured.
  public internal(set) var affine = 0
  /// Service ports that the manager has yet to be told of.
  public internal(set) var pending = 0
}
