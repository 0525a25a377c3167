import Foundation
import NodeTesting
import Testing

/// Every fixture through a live server, frame by frame through its TAPs.
@Suite(.enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct FixtureTableTests {
  struct Table: Decodable {
    struct Row: Decodable {
      var fixture: String
      var cells: [Cell]
      var remarks: [String]
    }
    struct Cell: Decodable {
      var dataplane: String
      var frames: Int
      var differences: Int
      var stateDifferences: Int
      var isLeftOut: Bool
    }
    var rows: [Row]
  }

  private static let tool = URL(fileURLWithPath: ServerProcess.program)
    .deletingLastPathComponent().appendingPathComponent("k8sdp").path
  static let fixtures =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures").path

  @Test(arguments: SurvivalTests.engines) func liveServerForwardsAsTheModel(
    _ engine: String
  ) async throws {
    let namespace = try await NetworkNamespace("wire")
    let server = try ServerProcess(in: namespace)
    try await server.start(["--dataplane", engine])
    let live = "infrap4d:unix:\(server.socket)"
    let arguments = engine == "dpdk" ? ["--with", "dpdk"] : []
    let outcome = try await Command.run(
      namespace.command(
        [Self.tool, "table", Self.fixtures, "--json", "--with", live] + arguments))
    #expect(outcome.status == 0)
    let json = try #require(outcome.output.firstIndex(of: "{"), "\(outcome)")
    let table = try JSONDecoder().decode(Table.self, from: Data(outcome.output[json...].utf8))
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.fixtures)
    #expect(table.rows.count == folders.filter { !$0.hasSuffix(".md") }.count)
    for row in table.rows {
      for cell in row.cells {
        #expect(
          cell.differences == 0 && cell.stateDifferences == 0,
          "\(row.fixture) on \(cell.dataplane): \(cell)")
      }
      // What a wire cannot carry is named; all else went through it.
      let all = try #require(row.cells.first { $0.dataplane == "model" }).frames
      let carried = try #require(row.cells.first { $0.dataplane == live }).frames
      #expect((carried < all) == row.remarks.contains { $0.hasPrefix("left out") }, "\(row)")
    }
    let carried = table.rows.flatMap(\.cells).filter { $0.dataplane == live }
    #expect(carried.map(\.frames).reduce(0, +) > 7_000)
    // The ports that were made for it are gone.
    let links = try await namespace.exec("ip", "-o", "link")
    #expect(!links.contains("wire"), "\(links)")
    #expect(try await server.stop() == 0)
  }
}
