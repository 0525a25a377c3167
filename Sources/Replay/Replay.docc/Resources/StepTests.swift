import Foundation
import Testing

/// What the tutorial shows on the way is what is compiled here, with parts left out.
@Suite struct StepTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

  private static func lines(_ name: String) throws -> [String] {
    try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
      .split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
  }

  @Test(arguments: [
    ("Router", ["Router-1", "Router-2", "Router-3"]),
    ("ServiceTests", ["ServiceTests-1", "ServiceTests-2"]),
  ])
  func everyStepIsPartOfTheWhole(_ whole: String, _ steps: [String]) throws {
    var before = 0
    for step in steps {
      let lines = try Self.lines(step + ".swift")
      #expect(lines.count > before, "\(step) adds nothing")
      before = lines.count
      var rest = try Self.lines(whole + ".swift")[...]
      for line in lines where !["}", "return .forward(K8sDP.hostPort)"].contains(line) {
        let place = try #require(rest.firstIndex(of: line), "\(step): \(line)")
        rest = rest[(place + 1)...]
      }
    }
  }

  @Test func theBackendHasFiftyLines() throws {
    let code = try Self.lines("Router.swift").filter { !$0.isEmpty && !$0.hasPrefix("//") }
    #expect(code.count <= 50)
  }
}
