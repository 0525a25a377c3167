import Core
import Foundation

/// What a state file says: the intent at the start, timers, and changes mid-run.
public struct StateFile: Hashable, Sendable {
  /// A change of intent at a time.
  public struct Event: Hashable, Sendable {
    /// Since the first frame. The change is in force for frames of this time.
    public var at: Timestamp
    /// The whole intent from then on.
    public var intent: Intent
    /// Where it stands: `state.yaml:14:5`.
    public var place: String

    public init(at: Timestamp, intent: Intent, place: String) {
      self.at = at
      self.intent = intent
      self.place = place
    }
  }

  /// The file's path as it was given.
  public var path: String
  public var intent: Intent
  /// Timers that differ from the pipeline's own, in seconds.
  public var timers: [K8sDP.Timer: UInt32]
  /// In ascending order of time.
  public var events: [Event]
  /// What a node had, in place of an intent and events.
  public var snapshot: StateSnapshot?

  public init(
    path: String, intent: Intent, timers: [K8sDP.Timer: UInt32] = [:], events: [Event] = [],
    snapshot: StateSnapshot? = nil
  ) {
    self.path = path
    self.intent = intent
    self.timers = timers
    self.events = events
    self.snapshot = snapshot
  }

  /// Reads and validates a file.
  ///
  /// - Throws: With `file:line:column` at the first thing that is wrong.
  public init(contentsOf path: String) throws(ReplayError) {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw ReplayError(path, "cannot be read; check the path and its permissions")
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw ReplayError(path, "is not UTF-8 text; save it as UTF-8")
    }
    try self.init(yaml: text, path: path)
  }

  /// Reads and validates YAML text.
  public init(yaml text: String, path: String) throws(ReplayError) {
    self = try StateFileDecoder(file: path).decode(text)
  }
}

extension StateFile {
  /// The highest port that it names.
  public var highestPort: PortID {
    let intents = [intent] + events.map(\.intent)
    let named = intents.flatMap { intent in
      ([intent.gateway, intent.host].compactMap(\.self) + intent.pods).map(\.port)
    }
    return max(named.max() ?? 0, snapshot?.highestPort ?? 0)
  }

  /// How many ports a dataplane needs for it: a power of two, 1,024 at least.
  public var ports: Int {
    var ports = 1024
    while ports <= highestPort { ports *= 2 }
    return ports
  }

  /// The clock that a dataplane needs for it; nil is any.
  public var clock: EngineClock? { snapshot?.learned?.clock() }

  /// What addresses are called at the beginning.
  public var names: NameBook { snapshot?.names ?? NameBook(intent) }
}

extension NameBook {
  /// The names that an intent gives to addresses.
  public init(_ intent: Intent) {
    self.init()
    for interface in [intent.gateway, intent.host].compactMap(\.self) + intent.pods {
      addresses[interface.ip.value] = interface.name
    }
    for service in intent.services { services[service.clusterIP.value] = service.name }
  }
}
