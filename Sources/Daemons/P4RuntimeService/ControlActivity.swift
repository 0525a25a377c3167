import Metrics
import P4RuntimeCodec

/// What controllers asked of a device since the process started.
public struct ControlActivity: Sendable {
  /// Writes by result: `ok`; `partial`, when updates of it were refused; `refused`, when none
  /// was attempted.
  public private(set) var writes: [[String]: UInt64] = [["ok"]: 0, ["partial"]: 0, ["refused"]: 0]
  /// Updates of writes by the code of their result, such as `OK` and `NOT_FOUND`.
  public private(set) var updates: [[String]: UInt64] = [["OK"]: 0]
  /// SetForwardingPipelineConfig by the code of its result.
  public private(set) var pushes: [[String]: UInt64] = [["OK"]: 0]
  /// From a Write's arrival to its end, waiting for others included.
  public private(set) var writeDuration = Histogram.Value()
  /// Streams that are open.
  public var streams = 0

  public init() {}

  mutating func wrote(_ results: [P4Error?], _ duration: Duration) {
    let errors = results.compactMap { $0 }
    writes[[errors.isEmpty ? "ok" : "partial"], default: 0] += 1
    updates[[Self.name(.ok)], default: 0] += UInt64(results.count - errors.count)
    for error in errors { updates[[Self.name(error.code)], default: 0] += 1 }
    writeDuration.observe(duration)
  }

  mutating func refusedWrite() { writes[["refused"], default: 0] += 1 }

  mutating func pushed(_ error: (any Error)?) {
    let code = error.map { ($0 as? P4Error)?.code ?? .unknown } ?? .ok
    pushes[[Self.name(code)], default: 0] += 1
  }

  /// As gRPC spells it.
  private static func name(_ code: P4Error.Code) -> String {
    "\(code)".map { $0.isUppercase ? "_\($0)" : $0.uppercased() }.joined()
  }
}

extension PipelineController {
  public func controlActivity() -> ControlActivity {
    var activity = activity
    activity.streams = openStreams
    return activity
  }

  /// The entries that each table has, by the engine's names; nil while a request changes them,
  /// which is not waited for.
  public func tableEntries() -> [String: Int]? {
    guard let state = activeState else { return active == nil ? [:] : nil }
    return Dictionary(
      state.program.tables.values.filter { $0.filling != .pipeline }
        .map { ($0.engineTable, state.tables[$0.id]?.count ?? 0) }
    ) { first, _ in first }
  }
}
