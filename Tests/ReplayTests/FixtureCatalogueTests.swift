import Foundation
import Testing

/// `Fixtures/README.md` and the README of every fixture.
@Suite struct FixtureCatalogueTests {
  /// The two lines: what it shows; `Rules R4 R5; captured …` or `; synthesised: …`.
  static func readme(_ fixture: Fixture) throws -> [Substring] {
    try String(contentsOf: fixture.folder.appendingPathComponent("README.md"), encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// The rules that the second line names.
  static func rules(_ fixture: Fixture) throws -> [Substring] {
    guard let line = try readme(fixture).dropFirst().first, line.hasPrefix("Rules "),
      let end = line.firstIndex(of: ";")
    else { return [] }
    return line[..<end].dropFirst(6).split(separator: " ")
  }

  @Test(arguments: Fixture.all)
  func readmeHasTwoLinesAndRules(_ fixture: Fixture) throws {
    let lines = try Self.readme(fixture)
    #expect(lines.count == 3 && lines.last == "", "two lines and their ends")
    #expect(lines.dropLast().allSatisfy { !$0.isEmpty && $0.last == "." })
    #expect(try !Self.rules(fixture).isEmpty)
  }

  /// It goes stale unless `scripts/make-fixtures.py --table` is run.
  @Test func tableListsEveryFixture() throws {
    let table = try String(
      contentsOf: Fixture.root.appendingPathComponent("README.md"), encoding: .utf8
    ).split(separator: "\n").filter { $0.hasPrefix("| `") }.map(String.init)
    let wanted = try Fixture.all.map { fixture in
      let lines = try Self.readme(fixture)
      let source = lines[1].contains("; captured") ? "captured" : "synthesised"
      let rules = try Self.rules(fixture).joined(separator: " ")
      return "| `\(fixture.name)` | \(source) | \(rules) | \(lines[0]) |"
    }
    #expect(table == wanted)
  }

  @Test func thereAreEnough() {
    #expect(Fixture.all.count >= 60)
  }

  @Test(arguments: 1...15)
  func ruleHasAFixture(_ rule: Int) throws {
    #expect(try Fixture.all.contains { try Self.rules($0).contains("R\(rule)") })
  }
}
