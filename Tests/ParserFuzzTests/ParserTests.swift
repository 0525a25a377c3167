import Foundation
import Parsers
import Replay
import Testing

/// What libFuzzer starts from, and a little of what it does: without its engine, in every
/// run of the tests.
@Suite struct ParserTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  @Test(arguments: OutsideParsers.all.map { $0.name })
  func seedsAreTakenAndDamagedOnesDoNoHarm(_ name: String) throws {
    let type = try #require(OutsideParsers.named(name))
    var parser = try type.init()
    let seeds = try type.seeds(root: Self.root)
    #expect(seeds.contains { parser.parse($0) })
    var random = SplitMix64(seed: 1)
    var refused = 0
    for _ in 0..<300 {
      var bytes = try #require(seeds.randomElement(using: &random))
      for _ in 0..<Int.random(in: 1...4, using: &random) { damage(&bytes, &random) }
      if !parser.parse(bytes) { refused += 1 }
    }
    #expect(refused > 0 || name == FrameParser.name)
  }

  private func damage(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
    guard let i = bytes.indices.randomElement(using: &random) else { return }
    switch Int.random(in: 0..<4, using: &random) {
    case 0: bytes[i] ^= 1 << UInt8.random(in: 0...7, using: &random)
    case 1: bytes[i] = .random(in: 0...255, using: &random)
    case 2: bytes.removeSubrange(i...)
    default: bytes.insert(contentsOf: bytes[i..<min(i + 40, bytes.count)], at: i)
    }
  }
}
