import Foundation
import Testing

/// Documents that name tests and fixtures: they are there.
@Suite struct UpstreamBugTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  @Test func everyBugHasATestThatExists() throws {
    let text = try String(
      contentsOf: Self.root.appendingPathComponent("docs/upstream-bugs.md"), encoding: .utf8)
    let rows = text.split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst()
    #expect(rows.count == 31)
    let tests = try suites()
    for row in rows {
      let last = String(row.split(separator: "|").last ?? "")
      let names = last.matches(of: /`(\w+)\.(\w+)`/)
      let fixtures = last.matches(of: /\*([\w-]+)\*/)
      #expect(names.count + fixtures.count > 0, "\(row)")
      for name in names {
        #expect(
          tests[String(name.1)]?.contains("func \(name.2)(") == true, "no \(name.0) in Tests")
      }
      for fixture in fixtures {
        let folder = Self.root.appendingPathComponent("Fixtures/\(fixture.1)").path
        #expect(FileManager.default.fileExists(atPath: folder), "no fixture \(fixture.1)")
      }
    }
  }

  @Test(arguments: ["upstream-comparison.md", "security.md"])
  func whatIsNamedExists(_ page: String) throws {
    let page = try String(
      contentsOf: Self.root.appendingPathComponent("docs/\(page)"), encoding: .utf8)
    let text = page.replacing(/\*\*[^*]+\*\*/, with: "")
    let tests = try suites()
    let names = text.matches(of: /`(\w+Tests)\.(\w+)`/)
    #expect(!names.isEmpty)
    for name in names {
      #expect(tests[String(name.1)]?.contains("func \(name.2)(") == true, "no \(name.0) in Tests")
    }
    for fixture in text.matches(of: /\*([a-z0-9]+(?:-[a-z0-9]+)*)\*/) where fixture.1 != "italics" {
      let folder = Self.root.appendingPathComponent("Fixtures/\(fixture.1)").path
      #expect(FileManager.default.fileExists(atPath: folder), "no fixture \(fixture.1)")
    }
  }

  /// The sources of suites by the names of their types; some names are used twice, some suites
  /// have several files.
  private func suites() throws -> [String: String] {
    var suites: [String: String] = [:]
    let folder = Self.root.appendingPathComponent("Tests")
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    while let file = files?.nextObject() as? URL {
      guard file.pathExtension == "swift" else { continue }
      let text = try String(contentsOf: file, encoding: .utf8)
      for name in text.matches(of: /(?:struct|extension) (\w+Tests)\b/) {
        suites[String(name.1), default: ""] += text
      }
    }
    return suites
  }
}
