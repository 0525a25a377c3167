import Foundation
import Yams

/// Reads the catalogue and refuses what it does not know.
struct DifferenceDecoder {
  let yaml: StrictYAML

  func decode(_ text: String) throws(ReplayError) -> [Difference] {
    let root = try yaml.mapping(
      try yaml.root(text), "the catalogue", required: ["differences"])
    var differences: [Difference] = []
    guard let list = root["differences"]?.value else { return [] }
    for node in try yaml.sequence(list, "differences") {
      let difference = try self.difference(node)
      if differences.contains(where: { $0.id == difference.id }) {
        throw yaml.error(node, "the id \(difference.id) is there already; give it another")
      }
      differences.append(difference)
    }
    return differences
  }

  private func difference(_ node: Node) throws(ReplayError) -> Difference {
    let keys = ["id", "title", "rule", "control", "fixture", "sees", "why"]
    let entries = try yaml.mapping(node, "a difference", required: keys + ["frames"])
    var texts: [String: String] = [:]
    for key in keys {
      guard let value = entries[key]?.value else { continue }
      texts[key] = try yaml.text(value, key).trimmingCharacters(in: .whitespacesAndNewlines)
    }
    func text(_ key: String) -> String { texts[key] ?? "" }
    guard let control = UpstreamControl(rawValue: text("control")) else {
      let known = UpstreamControl.allCases.map(\.rawValue).joined(separator: " or ")
      throw yaml.error(
        entries["control"]?.value ?? node, "control is \(known), not \"\(text("control"))\"")
    }
    var expectations: [Difference.Expectation] = []
    if let frames = entries["frames"]?.value {
      for frame in try yaml.sequence(frames, "frames") { expectations.append(try expected(frame)) }
    }
    guard !expectations.isEmpty else {
      throw yaml.error(node, "a difference names at least one frame that shows it")
    }
    return Difference(
      id: text("id"), title: text("title"), rule: text("rule"), control: control,
      fixture: text("fixture"), sees: text("sees"), why: text("why"), expectations: expectations)
  }

  private func expected(_ node: Node) throws(ReplayError) -> Difference.Expectation {
    let entries = try yaml.mapping(node, "a frame", required: ["frame", "upstream", "ours"])
    func value(_ key: String) -> Node { entries[key]?.value ?? node }
    return Difference.Expectation(
      frame: Int(try yaml.integer(value("frame"), "frame", 1...1_000_000)),
      upstream: try facts(value("upstream")), ours: try facts(value("ours")))
  }

  private func facts(_ node: Node) throws(ReplayError) -> [FrameFact] {
    let entries = try yaml.mapping(
      node, "what becomes of a frame", optional: FrameFact.Subject.allCases.map(\.rawValue))
    var facts: [FrameFact] = []
    for subject in FrameFact.Subject.allCases {
      guard let value = entries[subject.rawValue]?.value else { continue }
      facts.append(FrameFact(subject, try yaml.text(value, subject.rawValue)))
    }
    guard !facts.isEmpty else {
      throw yaml.error(node, "nothing is expected of the frame; say at least its port or drop")
    }
    return facts
  }
}
