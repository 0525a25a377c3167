import Core

/// One life of a node: what it has, what changes, and every frame it gets. It is
/// all that a fixture is.
struct FuzzEpisode: Sendable {
  enum Event: Sendable {
    case frame([UInt8])
    /// Always one that the compiler takes.
    case intent(Intent)
    /// One row overwritten with what no intent says, as any P4Runtime client may; a row
    /// that is not there is refused.
    case row(TableEntry)
  }

  struct Step: Sendable {
    /// Never before that of the step above.
    var time: Timestamp
    var event: Event
  }

  var seed: UInt64
  var sizes: [String: Int]
  var timers: [K8sDP.Timer: UInt32]
  var intent: Intent
  /// What is stale in the engine must not matter: seeds take turns.
  var staleByte: UInt8? { [0, 0xA5, nil][Int(seed % 3)] }
  var steps: [Step]

  var frames: Int {
    steps.count { if case .frame = $0.event { true } else { false } }
  }

  /// Whether an intent says all there is: a state file has no rows.
  var isOfIntents: Bool {
    steps.allSatisfy { if case .row = $0.event { false } else { true } }
  }

  /// The port every frame comes in on; the pipeline does not look at it.
  static let port: PortID = 2
}
