import Core
import Foundation

/// The catalogue after a run, for the terminal and for machines.
public struct DifferenceReport: Encodable, Sendable {
  public var shown: [Difference.Shown]

  public init(_ shown: [Difference.Shown]) { self.shown = shown }

  public var isAsExpected: Bool { shown.allSatisfy { $0.problems.isEmpty } }

  /// One line a frame, then what is not as expected.
  public var text: String {
    var rows = [["", "rule", "fixture", "frame", "upstream", "ours"]]
    for entry in shown {
      for (i, expectation) in entry.difference.expectations.enumerated() {
        rows.append([
          i == 0 ? entry.difference.id : "", i == 0 ? entry.difference.rule : "",
          i == 0 ? entry.difference.fixture : "", "\(expectation.frame)",
          Self.list(expectation.upstream), Self.list(expectation.ours),
        ])
      }
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    var text = rows.map { row in
      let cells = row.enumerated().map { i, cell in
        i == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[i] - cell.count)
      }
      return cells.joined(separator: "  ") + "\n"
    }.joined()
    let good = shown.count { $0.problems.isEmpty }
    text += "\n\(good) of \(shown.count) differences are as the catalogue says.\n"
    for entry in shown {
      text += entry.problems.map { "  \(entry.difference.id): \($0)\n" }.joined()
    }
    return text
  }

  static func list(_ facts: [FrameFact]) -> String {
    facts.map(\.description).joined(separator: ", ")
  }

  private struct Entry: Encodable {
    var id: String
    var title: String
    var rule: String
    var control: String
    var fixture: String
    var frames: [Frame]
    var problems: [String]
  }

  public func encode(to encoder: any Encoder) throws {
    try shown.map { shown in
      Entry(
        id: shown.difference.id, title: shown.difference.title, rule: shown.difference.rule,
        control: shown.difference.control.rawValue, fixture: shown.difference.fixture,
        frames: shown.frames.map(Frame.init), problems: shown.problems)
    }.encode(to: encoder)
  }

  /// A frame for machines.
  struct Frame: Encodable {
    struct Side: Encodable {
      var verdict: VerdictText
      var summary: String?
      /// Hexadecimal; nil for a drop.
      var bytes: String?
      var steps: [String]

      init(_ result: FrameResult) {
        verdict = VerdictText(result.verdict)
        steps = TraceText.lines(result.trace?.steps ?? []).map {
          $0.trimmingCharacters(in: .whitespaces)
        }
        guard case .forward = result.verdict else { return }
        summary = PacketSummary.line(result.bytes)
        bytes = result.bytes.map(HexDiff.hex).joined()
      }
    }

    var frame: Int
    var time: String
    var port: PortID
    var summary: String
    var same: Bool
    var ours: Side
    var upstream: Side?
    var refused: [String]

    init(_ frame: SideBySide.Frame) {
      self.frame = frame.input.number
      time = TraceText.seconds(frame.input.time)
      port = frame.input.port
      summary = PacketSummary.line(frame.input.bytes)
      same = frame.isSame
      ours = Side(frame.ours)
      upstream = frame.upstream.map(Side.init)
      refused = frame.refused
    }
  }
}

extension Difference.Shown {
  /// Everything about one difference, for the terminal.
  public var text: String {
    let frames = frames.map { SideBySideText(frame: $0).text }.joined(separator: "\n\n")
    return "\(difference.title) (\(difference.id), \(difference.rule), \(difference.fixture))\n\n"
      + SideBySideText.wrap("\(difference.sees) \(difference.why)", 105, hanging: 0)
      .joined(separator: "\n") + "\n\n\(frames)\n"
  }
}
