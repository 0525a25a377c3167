import Core
import Logging

/// Drives one or more dataplanes through the same captures: sets the state,
/// makes its changes at their times and hands out every frame in order.
public struct ReplayRun {
  /// What a finished run has seen.
  public struct Outcome: Hashable, Sendable {
    public var frames = 0
    /// Frames whose time went backwards in their file and was raised.
    public var clamped = 0
    /// The time of the last frame.
    public var end = Timestamp.zero
    public var eventsApplied = 0
    /// Events later than the last frame.
    public var eventsNotReached = 0
    /// Why frames were left out, which an interface does not carry → how many.
    public var notCarried: [String: Int] = [:]
    /// Timers of the state file that were not set: beside a live dataplane nothing expires.
    public var timersLeft = 0

    /// What a user should know although nothing failed.
    public var warnings: [String] {
      var warnings: [String] = []
      if frames == 0 { warnings.append("the input has no frames") }
      if clamped > 0 {
        warnings.append(
          "\(clamped) frames are earlier than the one before them in their file; their times "
            + "were raised")
      }
      if eventsNotReached > 0 {
        warnings.append("events later than the last frame were not made: \(eventsNotReached)")
      }
      for (reason, count) in notCarried.sorted(by: { $0.key < $1.key }) {
        warnings.append(
          "frames that an interface does not carry were left out: \(count), \(reason)")
      }
      if timersLeft > 0 {
        warnings.append("timers were not set: nothing expires beside a live dataplane")
      }
      return warnings
    }
  }

  public var state: StateFile
  public var inputs: [CaptureInput]
  /// Called every 4,096 frames with the number of frames so far.
  public var progress: ((Int) -> Void)?

  public init(state: StateFile, inputs: [CaptureInput], progress: ((Int) -> Void)? = nil) {
    self.state = state
    self.inputs = inputs
    self.progress = progress
  }

  /// Runs to the end of the input, or until `body` returns false.
  ///
  /// - Parameter body: Takes a frame and the names in force; pushes the frame
  ///   through the dataplanes itself.
  public func run(
    _ dataplanes: [LoadedDataplane],
    _ body: (InputFrame, NameBook) throws(ReplayError) -> Bool
  ) throws(ReplayError) -> Outcome {
    var merged = try MergedCapture(inputs, moment: state.snapshot?.moment)
    let changes = state.snapshot?.changes ?? []
    let live = dataplanes.lazy.compactMap(\.live).first
    var outcome = Outcome()
    if live != nil { outcome.timersLeft = state.timers.count }
    let timers = live == nil ? state.timers : LiveTerms.timers
    for loaded in dataplanes { try prepare(loaded, loaded.live == nil ? timers : [:]) }
    var names = state.names
    var changed = 0
    while var frame = try merged.next() {
      while outcome.eventsApplied < state.events.count,
        state.events[outcome.eventsApplied].at <= frame.time
      {
        let event = state.events[outcome.eventsApplied]
        for loaded in dataplanes { try set(event.intent, on: loaded, place: event.place) }
        names = NameBook(event.intent)
        outcome.eventsApplied += 1
      }
      while changed < changes.count, changes[changed].at <= frame.time {
        for loaded in dataplanes { try apply(changes[changed].updates, to: loaded) }
        changed += 1
      }
      if let live {
        if let reason = live.refusal(frame.bytes) {
          outcome.notCarried[reason, default: 0] += 1
          continue
        }
        frame.time = .zero
      }
      outcome.frames = frame.number
      outcome.end = frame.time
      guard try body(frame, names) else { break }
      if frame.number.isMultiple(of: 4096) { progress?(frame.number) }
    }
    for loaded in dataplanes {
      do { try loaded.live?.audit() } catch {
        throw ReplayError(error, dataplane: loaded.dataplane.name)
      }
    }
    outcome.clamped = merged.clamped
    outcome.eventsNotReached =
      state.events.count - outcome.eventsApplied + changes.count - changed
    outcome.eventsApplied += changed
    return outcome
  }

  /// Logs the warnings of a run that went to its end.
  func warn(_ outcome: Outcome) {
    let logger = Logger(label: "replay")
    for warning in outcome.warnings { logger.warning("\(warning)") }
  }

  private func prepare(
    _ loaded: LoadedDataplane, _ timers: [K8sDP.Timer: UInt32]
  ) throws(ReplayError) {
    for timer in K8sDP.Timer.allCases {
      guard let seconds = timers[timer] else { continue }
      do { try loaded.setTimer(timer, seconds) } catch {
        throw ReplayError(error, dataplane: loaded.dataplane.name)
      }
    }
    guard let snapshot = state.snapshot else {
      return try set(state.intent, on: loaded, place: state.path)
    }
    try apply(snapshot.rows.map { .insert($0) }, to: loaded)
    guard let learned = snapshot.learned else { return }
    let entries = learned.entries(by: loaded.dataplane.clock)
    let restored = loaded.dataplane.restore(entries)
    guard restored == entries.count else {
      throw ReplayError(
        "\(state.path): flows",
        "\(restored) of \(entries.count) entries can be put into the dataplane "
          + "\(loaded.dataplane.name); "
          + (loaded.live == nil
            ? "an entry is there twice, or its table is smaller than the node's"
            : "a running infrap4d takes none: leave out flows"))
    }
  }

  private func apply(_ updates: [Update], to loaded: LoadedDataplane) throws(ReplayError) {
    do { try loaded.apply(updates) } catch {
      let error = ReplayError(error, dataplane: loaded.dataplane.name)
      throw ReplayError("\(state.path): \(error.place)", error.message)
    }
  }

  private func set(_ intent: Intent, on loaded: LoadedDataplane, place: String)
    throws(ReplayError)
  {
    do { try loaded.setIntent(intent) } catch {
      let error = ReplayError(error, dataplane: loaded.dataplane.name)
      throw ReplayError("\(place): \(error.place)", error.message)
    }
  }
}
