import Core
import Foundation
import Testing

@testable import Replay

/// `docs/differences.yaml` and the document made of it. What upstream's pipeline does
/// is run when K8SDP_UPSTREAM_PB names its k8s_dp.pb.bin of release v23.01.
@Suite(.serialized)
struct DifferenceTests {
  static let docs = Fixture.root.deletingLastPathComponent().appendingPathComponent("docs").path
  static let document = docs + "/differences.md"
  static let upstreamFile = ProcessInfo.processInfo.environment["K8SDP_UPSTREAM_PB"]
  static let all: [Difference] =
    (try? DifferenceCatalogue(contentsOf: docs + "/differences.yaml"))?.differences ?? []

  static func show(_ difference: Difference, _ upstream: PipelineSpec?) throws
    -> Difference.Shown
  {
    try difference.show(
      fixtures: Fixture.root.path, upstream: upstream, sizes: FixtureTests.sizes)
  }

  static func upstream() throws -> PipelineSpec {
    try PipelineFile.read(try #require(upstreamFile))
  }

  @Test func catalogueIsGoodAndCoversTheRules() throws {
    let all = try DifferenceCatalogue(contentsOf: Self.docs + "/differences.yaml").differences
    #expect(all.count { $0.control == .careful } >= 20)
    #expect(Set(all.map(\.title)).count == all.count)
    // R2 and R3 are the same in both.
    let rules = Set((1...15).map { "R\($0)" }).subtracting(["R2", "R3"])
    #expect(Set(all.map(\.rule)) == rules)
    for difference in all {
      #expect(Fixture.all.contains { $0.name == difference.fixture }, "\(difference.id)")
    }
  }

  @Test(arguments: all)
  func oursDoesTheRightThing(_ difference: Difference) throws {
    let shown = try Self.show(difference, nil)
    #expect(shown.frames.count == difference.expectations.count)
    #expect(shown.problems == [])
  }

  #if DPDK
    @Test(
      .enabled(
        if: upstreamFile != nil, "K8SDP_UPSTREAM_PB does not name upstream's k8s_dp.pb.bin"),
      arguments: all)
    func upstreamDoesTheWrongThing(_ difference: Difference) throws {
      let shown = try Self.show(difference, Self.upstream())
      #expect(shown.hasUpstream)
      #expect(shown.problems == [])
    }

    @Test(
      .enabled(
        if: upstreamFile != nil, "K8SDP_UPSTREAM_PB does not name upstream's k8s_dp.pb.bin"))
    func documentIsOfThisRun() throws {
      let upstream = try Self.upstream()
      let shown = try Self.all.map { try Self.show($0, upstream) }
      let old = try String(contentsOfFile: Self.document, encoding: .utf8)
      let new = try DifferenceDocument(shown).update(old, path: Self.document)
      #expect(new == old, "run make differences")
    }
    @Test(
      .enabled(
        if: upstreamFile != nil, "K8SDP_UPSTREAM_PB does not name upstream's k8s_dp.pb.bin"))
    func filesStandForDataplanes() throws {
      let file = try #require(Self.upstreamFile)
      let fixture = try #require(Fixture.all.first { $0.name == "tcp-ecn" })
      let factory = try DataplaneFactory.k8sDP(sizes: FixtureTests.sizes)
        .adding(upstream: file, control: .careful, ports: 1024)
      let comparison = try Comparer(run: fixture.run(), everyFrame: true)
        .compare("dpdk", file, from: factory)
      #expect(!comparison.hasState && comparison.stateDifferences.isEmpty)
      #expect(comparison.differingFrames > 0)
      #expect(comparison.frameDifferences.first?.right.trace != nil)
    }
  #endif

  @Test func ourPipelineIsNotUpstreams() throws {
    let ours = Fixture.root.deletingLastPathComponent().appendingPathComponent("k8s_dp/k8s_dp.spec")
    let factory = try DataplaneFactory.k8sDP()
      .adding(upstream: ours.path, control: .careful, ports: 1024)
    #expect {
      try factory.make(ours.path)
    } throws: { error in
      "\(error)".contains("is not upstream's pipeline")
    }
  }

  @Test func conclusionsClaimOnlyWhatWasCompared() {
    var comparison = Comparison(left: "a", right: "b")
    #expect(comparison.conclusion == "a and b agree on every frame, learned entry and counter.")
    comparison.hasState = false
    #expect(comparison.conclusion == "a and b agree on every frame.")
  }

  /// Without upstream's pipeline the traces cannot be made, but all else can be held.
  @Test func documentNamesEveryDifference() throws {
    let text = try String(contentsOfFile: Self.document, encoding: .utf8)
    _ = try DifferenceDocument.split(text, path: Self.document)
    let lines = text.split(separator: "\n").map(String.init)
    let numbered = Self.all.enumerated().map { ($0.offset + 1, $0.element) }
    #expect(lines.filter { $0.hasPrefix("### ") } == numbered.map(DifferenceDocument.heading))
    #expect(
      lines.filter { $0.hasPrefix("|") }.dropFirst(2) == numbered.map(DifferenceDocument.row)[...])
    for (_, difference) in numbered {
      for paragraph in [difference.sees, "*Why:* \(difference.why)"] {
        #expect(text.contains(DifferenceDocument.paragraph(paragraph)), "\(difference.id)")
      }
    }
  }

  /// An entry cannot be good by accident: each fact of ours is looked at.
  @Test(arguments: all)
  func wrongExpectationsAreFound(_ difference: Difference) throws {
    for i in difference.expectations.indices {
      for j in difference.expectations[i].ours.indices {
        var wrong = difference
        wrong.expectations[i].ours[j].value += "0"
        #expect(try Self.show(wrong, nil).problems.count == 1)
      }
    }
    var none = difference
    none.expectations[0].frame = 999_999
    #expect(throws: ReplayError.self) { try Self.show(none, nil) }
  }

  /// What ours does as well is no difference, and neither is what upstream does not do.
  @Test(arguments: all)
  func entriesThatShowNothingAreFound(_ difference: Difference) throws {
    var frame = try #require(try Self.show(difference, nil).frames.first)
    frame.upstream = frame.ours
    var same = difference.expectations[0]
    #expect(!same.problems(of: frame).isEmpty)
    same.upstream = same.ours
    #expect(same.problems(of: frame).count == 1)
  }

  @Test(arguments: [
    ("differences: 3", ":1:14: differences is a list"),
    ("differences:\n  - {id: a}", "a difference has no \"title\""),
    (
      "differences:\n  - {id: a, title: t, rule: R1, control: x, fixture: f, sees: s, why: w, frames: []}",
      "control is careful or manager, not \"x\""
    ),
    (
      "differences:\n  - {id: a, title: t, rule: R1, control: manager, fixture: f, sees: s, why: w, frames: []}",
      "names at least one frame"
    ),
    (
      "differences:\n  - {id: a, title: t, rule: R1, control: manager, fixture: f, sees: s, why: w, "
        + "frames: [{frame: 1, upstream: {ports: 1}, ours: {port: 1}}]}",
      "did you mean \"port\"?"
    ),
  ])
  func badCataloguesAreRefused(_ text: String, _ message: String) {
    #expect {
      try DifferenceCatalogue(yaml: text, path: "c.yaml")
    } throws: { error in
      "\(error)".contains(message)
    }
  }
}
