import Foundation

/// `docs/differences.md`: what stands between two marks is made from a run.
public struct DifferenceDocument {
  static let start = "<!-- made by k8sdp differences --document -->"
  static let end = "<!-- end -->"

  /// Steps of a trace that are shown.
  static let steps = 9

  public var shown: [Difference.Shown]

  public init(_ shown: [Difference.Shown]) { self.shown = shown }

  /// The document with its made part anew.
  ///
  /// - Throws: when the marks are not there.
  public func update(_ text: String, path: String) throws(ReplayError) -> String {
    let (head, tail) = try Self.split(text, path: path)
    return "\(head)\(Self.start)\n\n\(made)\n\(Self.end)\(tail)"
  }

  /// What stands before and behind the made part.
  static func split(_ text: String, path: String) throws(ReplayError) -> (String, String) {
    guard let start = text.range(of: start),
      let end = text.range(of: end, range: start.upperBound..<text.endIndex)
    else {
      throw ReplayError(path, "has no lines \"\(Self.start)\" and \"\(Self.end)\"; put them in")
    }
    return (String(text[..<start.lowerBound]), String(text[end.upperBound...]))
  }

  private var made: String {
    Self.table(shown.map(\.difference)) + "\n"
      + shown.enumerated().map { section($0.offset + 1, $0.element) }.joined(separator: "\n")
  }

  /// One row a difference.
  static func table(_ differences: [Difference]) -> String {
    var text = "| # | upstream | rule | who | fixture |\n|---|---|---|---|---|\n"
    for (i, difference) in differences.enumerated() {
      text += row(i + 1, difference) + "\n"
    }
    return text
  }

  static func row(_ number: Int, _ difference: Difference) -> String {
    "| \(number) | [\(difference.title)](#\(anchor(number, difference))) | \(difference.rule) "
      + "| \(who(difference)) | [`\(difference.fixture)`](../Fixtures/\(difference.fixture)) |"
  }

  static func heading(_ number: Int, _ difference: Difference) -> String {
    "### \(number). \(difference.title)"
  }

  /// As GitHub makes it of the heading.
  private static func anchor(_ number: Int, _ difference: Difference) -> String {
    String(
      "\(number) \(difference.title)".lowercased().compactMap { character -> Character? in
        if character == " " { return "-" }
        return character.isLetter || character.isNumber || "-_".contains(character)
          ? character : nil
      })
  }

  private static func who(_ difference: Difference) -> String {
    difference.control == .careful ? "pipeline" : "manager"
  }

  static func paragraph(_ text: String) -> String {
    SideBySideText.wrap(text, 105, hanging: 0).joined(separator: "\n")
  }

  private func section(_ number: Int, _ shown: Difference.Shown) -> String {
    let difference = shown.difference
    let count = difference.expectations.count
    let frames = difference.expectations.map { "\($0.frame)" }.joined(separator: " and ")
    let traces = shown.frames.map { SideBySideText(frame: $0, steps: Self.steps).text }
      .joined(separator: "\n\n")
    return """
      \(Self.heading(number, difference))

      \(difference.rule), \(Self.who(difference)); fixture \
      [`\(difference.fixture)`](../Fixtures/\(difference.fixture)), \
      \(count == 1 ? "frame" : "frames") \(frames).

      \(Self.paragraph(difference.sees))

      \(Self.paragraph("*Why:* \(difference.why)"))

      ```
      \(traces)
      ```

      """
  }
}
