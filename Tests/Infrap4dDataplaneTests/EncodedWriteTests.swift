import Core
import Foundation
import GRPCCore
import P4RuntimeCodec
import P4RuntimeProtos
import P4RuntimeTesting
import Testing

@testable import Infrap4dDataplane

/// Updates as bytes, against SwiftProtobuf.
@Suite struct EncodedWriteTests {
  private static let head = P4_V1_WriteRequest.with {
    $0.deviceID = 1
    $0.electionID = .with { ($0.high, $0.low) = (1 << 40, 7) }
    $0.atomicity = .rollbackOnError
  }

  private struct Bytes: GRPCContiguousBytes {
    var bytes: [UInt8]
    init(repeating: UInt8, count: Int) { bytes = Array(repeating: repeating, count: count) }
    init(_ sequence: some Sequence<UInt8>) { bytes = Array(sequence) }
    var count: Int { bytes.count }
    func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
      try bytes.withUnsafeBytes(body)
    }
    mutating func withUnsafeMutableBytes<R>(
      _ body: (UnsafeMutableRawBufferPointer) throws -> R
    ) rethrows -> R { try bytes.withUnsafeMutableBytes(body) }
  }

  private static func decoded(_ write: EncodedWrite) throws -> P4_V1_WriteRequest {
    let bytes: Bytes = EncodedWrite.Serializer().serialize(write)
    return try P4_V1_WriteRequest(serializedBytes: bytes.bytes)
  }

  /// Every table and action, with values of every length.
  private static func updates(
    _ contract: Contract, _ random: inout some RandomNumberGenerator
  ) -> [Update] {
    func value(_ field: Contract.Field) -> UInt64 {
      switch Int.random(in: 0..<4, using: &random) {
      case 0: 0
      case 1: field.maximum
      default: field.maximum >> UInt64.random(in: 0..<UInt64(field.bits), using: &random)
      }
    }
    var updates: [Update] = []
    for table in contract.tables where !table.key.isEmpty {
      for action in table.actions.compactMap({ contract.actions[$0] }) {
        var key = table.key.map(value)
        if table.match != .exact {
          let masks = table.key.map(\.maximum)
          key += masks + [table.match == .lpm ? 0 : 1]
        }
        let entry = TableEntry(
          table: table.name, key: key, action: action.name, arguments: action.arguments.map(value))
        updates += [.insert(entry), .modify(entry), .delete(table: table.name, key: key)]
      }
    }
    return updates
  }

  enum Pipeline: CaseIterable { case k8sDP, balancer, border }

  @Test(arguments: Pipeline.allCases) func equalsSwiftProtobuf(_ pipeline: Pipeline) throws {
    let config =
      switch pipeline {
      case .k8sDP: PipelineBundle.k8sDP()
      case .balancer: try Balancer.config()
      case .border: try Border().config
      }
    let encoder = UpdateEncoder(try PipelineConfig(config).program)
    #expect(!encoder.shapes.isEmpty)
    var random = SystemRandomNumberGenerator()
    for _ in 0..<200 {
      var updates = Self.updates(encoder.program.contract, &random)
      if pipeline == .balancer {
        updates += [Rows.group(3, [1, 2]), .resetDefault(table: "routes")]
      }
      var expected = Self.head
      var write = try EncodedWrite(Self.head)
      for update in updates {
        expected.updates.append(try encoder.message(update, isNew: true))
        try write.append(update, isNew: true, by: encoder)
      }
      #expect(try Self.decoded(write) == expected, "\(updates)")
      #expect(write.count == updates.count)
      // A part has the head of the whole.
      let middle = updates.count / 3..<updates.count / 2
      expected.updates = Array(expected.updates[middle])
      #expect(try Self.decoded(write.part(middle)) == expected)
    }
  }

  @Test func mistakes() throws {
    let encoder = UpdateEncoder(try PipelineConfig(PipelineBundle.k8sDP()).program)
    for entry in [
      TableEntry(table: "nowhere", key: [1], action: "route_hop", arguments: [1, 2, 3]),
      TableEntry(table: "routes", key: [1], action: "nothing"),
      TableEntry(table: "routes", key: [1, 2], action: "route_hop", arguments: [1, 2, 3]),
      TableEntry(table: "routes", key: [1], action: "route_hop", arguments: [1, 2]),
    ] {
      var write = try EncodedWrite(Self.head)
      #expect(throws: DataplaneError.self) {
        try write.append(.insert(entry), isNew: true, by: encoder)
      }
      #expect(write.count == 0)
      #expect(try Self.decoded(write) == Self.head)
    }
  }
}
