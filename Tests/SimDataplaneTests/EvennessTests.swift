import Core
import Testing

@testable import SimDataplane

/// R9: structured tuples fill the table like random ones.
@Suite struct EvennessTests {
  /// Clients and ports as real ones have them.
  enum Pattern: CaseIterable {
    case sequentialPorts
    case sequentialAddresses
    case evenPorts
    case manySubnets

    func client(_ i: Int) -> (ip: UInt32, port: UInt16) {
      switch self {
      case .sequentialPorts: (0x0AF4_0006 + UInt32(i / 32_768), UInt16(32_768 + i % 32_768))
      case .sequentialAddresses: (0x0AF4_0000 + UInt32(i % 65_536), UInt16(40_000 + i / 65_536))
      case .evenPorts: (0x0AF4_0006 + UInt32(i / 16_384), UInt16(32_768 + i % 16_384 * 2))
      case .manySubnets: (0x0A00_0006 + UInt32(i % 256) << 16, UInt16(32_768 + i / 256))
      }
    }
  }

  /// A quarter of the contract's table with a quarter of its flows, two entries
  /// each: one entry a bucket on average. Were buckets drawn at random, 0.43 %
  /// of the entries would find theirs full: sum over k > 4 of (k − 4)/(k! e).
  /// All 1,048,576 flows in the whole table are the same load, and four times
  /// the time.
  @Test(arguments: Pattern.allCases)
  func fullBucketsAsIfAtRandom(pattern: Pattern) {
    let flows = 262_144
    let mask = UInt32(flows * 2 - 1)
    let crc = CRC32C()
    var filled = [UInt8](repeating: 0, count: Int(mask) + 1)
    var refused = 0
    func add(_ src: UInt32, _ srcPort: UInt16, _ dst: UInt32, _ dstPort: UInt16) {
      let key = FlowKey(
        src: src, srcPort: srcPort, dst: dst, dstPort: dstPort, kind: FlowKind.tcp,
        mix: FlowKey.mix(src: src, srcPort: srcPort, dst: dst, dstPort: dstPort))
      let bucket = Int(crc.hash16(key.low, key.high) & mask)
      if filled[bucket] == 4 { refused += 1 } else { filled[bucket] += 1 }
    }
    for i in 0..<flows {
      let client = pattern.client(i)
      add(client.ip, client.port, 0x0A60_0050, 80)
      add(0x0AF4_0007 + UInt32(i % 3), 8080, client.ip, client.port)
    }
    let share = Double(refused) / Double(flows * 2)
    #expect(share < 0.0050, "\(pattern): \(refused) refused")
  }

  /// The slots of a Service see the lower bits of the same hash.
  @Test(arguments: Pattern.allCases)
  func slotsAsIfAtRandom(pattern: Pattern) {
    let flows = 65_536
    var counts = [Int](repeating: 0, count: 256)
    for i in 0..<flows {
      let client = pattern.client(i)
      let mix = FlowKey.mix(src: client.ip, srcPort: client.port, dst: 0x0A60_0050, dstPort: 80)
      counts[Int(mix & 255)] += 1
    }
    // 255 degrees of freedom: 99.9 % of random draws are below 330.5.
    let expected = Double(flows) / 256
    let chiSquare = counts.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) }
    #expect(chiSquare / expected < 330.5)
  }
}
