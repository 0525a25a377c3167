import Core
import Yams

/// Turns the YAML of a state file into intent, timers and events.
struct StateFileDecoder {
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
      optional: IntentDecoder.keys + ["timers", "events"])
    if let version = root["apiVersion"]?.value {
      let text = try yaml.text(version, "apiVersion")
      guard text == Self.apiVersion else {
        throw yaml.error(version, "apiVersion is \(Self.apiVersion), not \"\(text)\"")
      }
    }
    var sections = root.filter { IntentDecoder.keys.contains($0.key) }
    var state = StateFile(path: file, intent: try intents.decode(sections))
    if let timers = root["timers"]?.value { state.timers = try decode(timers: timers) }
    if let events = root["events"]?.value {
      for event in try yaml.sequence(events, "events") {
        state.events.append(try decode(event: event, sections: &sections, after: state.events.last))
      }
    }
    return state
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
