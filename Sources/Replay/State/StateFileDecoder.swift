import Core
import Yams

/// Turns the YAML of a state file into intent, timers and events, or into a snapshot.
struct StateFileDecoder {
  private static let snapshotKeys = ["moment", "tables", "flows", "updates", "names"]

  let file: String
  private let yaml: StrictYAML
  private let intents: IntentDecoder

  static let apiVersion = "k8sdp/v1"

  init(file: String) {
    self.file = file
    yaml = StrictYAML(file: file)
    intents = IntentDecoder(yaml: yaml)
  }

  func decode(_ text: String) throws(ReplayError) -> StateFile {
    let root = try yaml.mapping(
      try yaml.root(text), "the state file", required: ["apiVersion"],
      optional: IntentDecoder.keys + ["timers", "events"] + Self.snapshotKeys)
    if let version = root["apiVersion"]?.value {
      let text = try yaml.text(version, "apiVersion")
      guard text == Self.apiVersion else {
        throw yaml.error(version, "apiVersion is \(Self.apiVersion), not \"\(text)\"")
      }
    }
    var sections = root.filter { IntentDecoder.keys.contains($0.key) }
    var state = StateFile(path: file, intent: try intents.decode(sections))
    if let timers = root["timers"]?.value { state.timers = try decode(timers: timers) }
    state.snapshot = try decode(snapshot: root)
    if let events = root["events"]?.value {
      for event in try yaml.sequence(events, "events") {
        state.events.append(try decode(event: event, sections: &sections, after: state.events.last))
      }
    }
    return state
  }

  /// - Returns: nil when the state file says what a node shall have, and not what one had.
  private func decode(
    snapshot root: [String: StrictYAML.Entry]
  ) throws(ReplayError) -> StateSnapshot? {
    guard let tables = root["tables"] else {
      for key in Self.snapshotKeys {
        if let entry = root[key] {
          throw yaml.error(entry.key, "\(key) belongs to a snapshot, which has tables as well")
        }
      }
      return nil
    }
    for key in IntentDecoder.keys + ["events"] {
      if let entry = root[key] {
        throw yaml.error(
          entry.key, "\(key) and tables say the same thing twice; leave out one of them")
      }
    }
    var snapshot = StateSnapshot(
      rows: try SnapshotFiles.rows(contentsOf: try beside(tables.value, "tables")))
    if let moment = root["moment"]?.value {
      snapshot.moment = try yaml.integer(moment, "moment, in nanoseconds,", 0...UInt64(Int64.max))
    }
    if let flows = root["flows"]?.value {
      snapshot.learned = try SnapshotFiles.learned(contentsOf: try beside(flows, "flows"))
    }
    if let updates = root["updates"]?.value {
      snapshot.changes = try SnapshotFiles.changes(contentsOf: try beside(updates, "updates"))
    }
    if let names = root["names"]?.value { snapshot.names = try decode(names: names) }
    return snapshot
  }

  /// The path of a file that is named in this one.
  private func beside(_ node: Node, _ what: String) throws(ReplayError) -> String {
    let name = try yaml.text(node, what)
    guard !name.isEmpty, !name.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "/") }) else {
      throw yaml.error(node, "\(what) is the name of a file beside this one")
    }
    guard let slash = file.lastIndex(of: "/") else { return name }
    return file[...slash] + name
  }

  private func decode(names node: Node) throws(ReplayError) -> NameBook {
    let entries = try yaml.mapping(node, "names", optional: ["pods", "services"])
    var names = NameBook()
    if let pods = entries["pods"]?.value { names.addresses = try decode(addresses: pods, "pods") }
    if let services = entries["services"]?.value {
      names.services = try decode(addresses: services, "services")
    }
    return names
  }

  private func decode(
    addresses node: Node, _ what: String
  ) throws(ReplayError) -> [UInt32: String] {
    var names: [UInt32: String] = [:]
    for (key, value) in try yaml.pairs(node, what) {
      guard let address = IPv4Address(try yaml.text(key, "an address")) else {
        throw yaml.error(
          key, "\(what) are IPv4 addresses such as 10.244.0.6, not \(yaml.shape(key))")
      }
      names[address.value] = try intents.name(value, "a name")
    }
    return names
  }

  private func decode(timers node: Node) throws(ReplayError) -> [K8sDP.Timer: UInt32] {
    var timers: [K8sDP.Timer: UInt32] = [:]
    let entries = try yaml.mapping(
      node, "timers", optional: K8sDP.Timer.allCases.map(\.name))
    for timer in K8sDP.Timer.allCases {
      guard let value = entries[timer.name]?.value else { continue }
      // A day over tcpEstablished's own twelve hours is more than any capture needs.
      timers[timer] = UInt32(try yaml.integer(value, timer.name, 1...UInt64(K8sDP.Timer.longest)))
    }
    return timers
  }

  /// Each section an event gives replaces that section from then on.
  private func decode(
    event node: Node, sections: inout [String: StrictYAML.Entry], after last: StateFile.Event?
  ) throws(ReplayError) -> StateFile.Event {
    let entries = try yaml.mapping(
      node, "an event", required: ["at"], optional: IntentDecoder.keys)
    var time = Timestamp.zero
    if let at = entries["at"]?.value {
      time = Timestamp(nanoseconds: try yaml.seconds(at, "at"))
      if let last, time < last.at {
        throw yaml.error(at, "is earlier than the event above; put events in order of time")
      }
    }
    guard entries.count > 1 else {
      throw yaml.error(
        node, "an event changes nothing; give it \(IntentDecoder.keys.joined(separator: ", "))")
    }
    for (key, entry) in entries where key != "at" { sections[key] = entry }
    let intent = try intents.decode(sections)
    return StateFile.Event(at: time, intent: intent, place: yaml.error(node, "").place)
  }
}
