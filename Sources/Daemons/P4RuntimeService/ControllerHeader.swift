import Foundation
import P4RuntimeCodec
import P4RuntimeProtos

/// The header in front of a packet between controller and pipeline: P4Info's
/// `packet_in` or `packet_out`, its fields one behind the other, most significant bit
/// first.
struct ControllerHeader: Sendable {
  private let fields: [P4_Config_V1_ControllerPacketMetadata.Metadata]
  private let bits: Int

  /// The most bits of one header.
  private static let maximumBits = 4096

  /// - Throws: ``P4Error/Code/invalidArgument`` for headers that no frame has room for.
  static func check(_ info: P4_Config_V1_P4Info) throws(P4Error) {
    for header in info.controllerPacketMetadata {
      let bits = header.metadata.reduce(0) { $0 + Int($1.bitwidth) }
      guard header.metadata.allSatisfy({ $0.bitwidth > 0 }), bits <= maximumBits else {
        throw P4Error(
          .invalidArgument,
          "the fields of \(header.preamble.name) have \(bits) bits; each has 1 or more, and all of "
            + "them \(maximumBits) at most")
      }
    }
  }

  /// - Parameter name: `packet_in` or `packet_out`; P4Info may have neither.
  init(_ name: String, of info: P4_Config_V1_P4Info) {
    fields = info.controllerPacketMetadata.first { $0.preamble.name == name }?.metadata ?? []
    bits = fields.reduce(0) { $0 + Int($1.bitwidth) }
  }

  /// The header's bytes.
  ///
  /// - Throws: ``P4Error/Code/invalidArgument`` when the metadata are not those of P4Info.
  func bytes(_ metadata: [P4_V1_PacketMetadata]) throws(P4Error) -> [UInt8] {
    var values: [UInt32: Data] = [:]
    for item in metadata {
      guard fields.contains(where: { $0.id == item.metadataID }) else {
        throw P4Error(.invalidArgument, "P4Info has no packet_out metadata \(item.metadataID)")
      }
      guard values.updateValue(item.value, forKey: item.metadataID) == nil else {
        throw P4Error(.invalidArgument, "metadata \(item.metadataID) is given twice")
      }
    }
    var result: [UInt8] = [UInt8](repeating: 0, count: (bits + 7) / 8)
    var position = 0
    for field in fields {
      guard let value = values[field.id] else {
        throw P4Error(.invalidArgument, "metadata \(field.id) (\(field.name)) is missing")
      }
      let width = Int(field.bitwidth)
      let set = Self.setBits(of: value)
      guard !value.isEmpty, set.allSatisfy({ $0 < width }) else {
        throw P4Error(
          .invalidArgument, "metadata \(field.name) does not fit into \(field.bitwidth) bits")
      }
      for bit in set {
        let place = position + width - 1 - bit
        result[place / 8] |= 0x80 >> UInt8(place % 8)
      }
      position += width
    }
    return result
  }

  /// Takes a frame apart; nil when it is shorter than the header.
  func split(_ frame: [UInt8]) -> (metadata: [P4_V1_PacketMetadata], payload: ArraySlice<UInt8>)? {
    let size = (bits + 7) / 8
    guard frame.count >= size else { return nil }
    var position = 0
    let metadata = fields.map { field -> P4_V1_PacketMetadata in
      let width = Int(field.bitwidth)
      var value = Data(count: max(1, (width + 7) / 8))
      for i in 0..<width where frame[(position + i) / 8] << UInt8((position + i) % 8) & 0x80 != 0 {
        let bit = width - 1 - i
        value[value.count - 1 - bit / 8] |= 1 << UInt8(bit % 8)
      }
      position += width
      return .with {
        $0.metadataID = field.id
        let leading = value.prefix { $0 == 0 }.count
        $0.value = Data(value.dropFirst(min(leading, value.count - 1)))
      }
    }
    return (metadata, frame[size...])
  }

  /// The numbers of the bits that are 1, the least significant being 0.
  private static func setBits(of value: Data) -> [Int] {
    value.reversed().enumerated().flatMap { i, byte in
      (0..<8).filter { byte >> UInt8($0) & 1 == 1 }.map { i * 8 + $0 }
    }
  }
}
