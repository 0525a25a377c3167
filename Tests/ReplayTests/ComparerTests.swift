import Core
import Testing

@testable import Replay

@Suite struct ComparerTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  func run() throws -> ReplayRun {
    let frames = (0..<6).map { (UInt64($0) * 1000, tcpFrame(mark: UInt8($0))) }
    let path = try scratch.write("<in>.pcap", CaptureImage.pcap(nano: true, frames))
    let state = try StateFile(yaml: StateFileTests.example, path: "s.yaml")
    return ReplayRun(state: state, inputs: [CaptureInput(port: 2, path: path)])
  }

  func factory(_ fault: FakeDataplane.Fault?, quiet: Bool = false) -> DataplaneFactory {
    DataplaneFactory(recipes: [
      .init(name: "good") { (clock) throws(ReplayError) in
        FakeDataplane(name: "good", clock: clock ?? .model).loaded
      },
      .init(name: "bad", bringsClock: true) { (_) throws(ReplayError) in
        let bad = FakeDataplane(name: "bad", clock: EngineClock(hertz: 3), fault: fault)
        guard quiet else { return bad.loaded }
        return LoadedDataplane(QuietDataplane(bad)) { (_) throws(DataplaneError) in }
      },
    ])
  }

  func compare(_ fault: FakeDataplane.Fault?, everyFrame: Bool = false, quiet: Bool = false)
    throws -> Comparison
  {
    try Comparer(run: try run(), everyFrame: everyFrame)
      .compare("good", "bad", from: factory(fault, quiet: quiet))
  }

  @Test func equalDataplanesAgree() throws {
    let comparison = try compare(nil)
    #expect(comparison.isEqual)
    #expect(comparison.exitCode == 0)
    #expect(comparison.rows.count == 6)
    #expect(comparison.text.contains("good and bad agree on every frame"))
  }

  @Test func aFlippedByteIsFound() throws {
    let comparison = try compare(.flip(frame: 4, byte: 30))
    #expect(comparison.exitCode == 1)
    #expect(comparison.differingFrames == 1)
    let first = try #require(comparison.frameDifferences.first)
    #expect(first.frame.number == 4)
    #expect(first.hexDiff?.offsets == [30])
    #expect(first.left.trace?.steps.count == 2)
    #expect(first.right.trace?.steps.count == 2)
    #expect(
      comparison.text.hasSuffix(
        """
          1 byte differs: IPv4 destination
          0x0000  both  02 00 00 00 00 01 02 00 00 00 02 06 08 00 45 00
          0x0010  good  00 29 00 01 40 00 3f 06 00 00 0a f4 00 06 0a 60
                  bad   00 29 00 01 40 00 3f 06 00 00 0a f4 00 06 f5 60
                                                                  ^^
          0x0020  both  00 50 a0 28 00 50 00 00 00 01 00 00 00 00 50 02

        """))
    let json = try JSONText.encode(comparison)
    #expect(json.contains("\"differing_bytes\" : [\n      30\n    ]"))
    #expect(json.contains("\"equal\" : false"))
  }

  @Test func anotherVerdictIsFound() throws {
    let comparison = try compare(.drop(frame: 2), quiet: true)
    let first = try #require(comparison.frameDifferences.first)
    #expect(first.frame.number == 2)
    #expect(first.hexDiff == nil)
    #expect(first.left.trace?.steps != nil)
    #expect(first.right.trace?.steps == nil)
    #expect(comparison.right.dropped == [.noFlow: 1])
    #expect(comparison.text.contains("bad: dropped: no_flow"))
  }

  @Test(arguments: [FakeDataplane.Fault.counter(frame: 3), .entry(frame: 3)])
  func countersAndEntriesAreComparedAtTheEndOrAfterEveryFrame(fault: FakeDataplane.Fault) throws {
    let end = try compare(fault)
    #expect(end.exitCode == 1)
    #expect(end.differingFrames == 0)
    #expect(end.stateDifferences.count == 1)
    #expect(end.stateDifferenceFrame == nil)
    #expect(end.text.contains("At the end, learned entries and counters"))
    #expect(try compare(fault, everyFrame: true).stateDifferenceFrame == 3)
  }

  @Test func bothSidesGetOneClock() throws {
    let pair = try factory(nil).makePair("good", "bad")
    #expect(pair.left.dataplane.clock.hertz == 3)
    let other = try factory(nil).makePair("bad", "good")
    #expect(other.right.dataplane.clock.hertz == 3)
    #expect(throws: ReplayError.self) { try factory(nil).make("ugly") }
  }

  @Test(arguments: [nil, FakeDataplane.Fault.flip(frame: 4, byte: 30), .entry(frame: 1)])
  func thePageNeedsNothingElseAndEscapesWhatItShows(fault: FakeDataplane.Fault?) throws {
    let run = try run()
    let comparison = try Comparer(run: run).compare("good", "bad", from: factory(fault))
    let page = ComparisonPage(comparison, run: run).html
    for word in ["http:", "https:", "src=", "<link", "<script", "@import", "url("] {
      #expect(!page.contains(word), "\(word)")
    }
    #expect(page.contains("&lt;in&gt;.pcap"))
    #expect(!page.contains("<in>"))
    #expect(page.contains("<mark>f5</mark>") == (fault == .flip(frame: 4, byte: 30)))
    for tag in ["table", "tr", "td", "div", "section", "ol", "li", "h2"] {
      let opened = page.matches(of: try Regex("<\(tag)[ >]")).count
      #expect(opened == page.matches(of: try Regex("</\(tag)>")).count, "\(tag)")
    }
    #expect(ComparisonPage(comparison, run: run).html == page)
  }
}
