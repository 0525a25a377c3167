import Crypto
import Foundation

/// A record on disk: 4 bytes of length (little-endian), the SHA-256 of kind and
/// payload, one byte of kind, the payload.
struct CheckedRecord: Equatable {
  var kind: UInt8
  var payload: Data

  static let headerLength = 4 + 32 + 1
  /// No record is longer, so that a damaged length asks for no gigabytes.
  static let maximumLength = 1 << 28

  var bytes: Data {
    var body = Data([kind])
    body.append(payload)
    var result = Data(capacity: Self.headerLength + payload.count)
    withUnsafeBytes(of: UInt32(payload.count).littleEndian) { result.append(contentsOf: $0) }
    result.append(contentsOf: SHA256.hash(data: body))
    result.append(body)
    return result
  }

  enum Outcome: Equatable {
    case record(CheckedRecord, next: Int)
    /// The file ends within the record, as it does when the writer was killed.
    case cutShort
    case damaged
  }

  /// Reads the record at an offset.
  static func read(_ data: Data, at offset: Int) -> Outcome {
    let rest = data.dropFirst(offset)
    guard rest.count >= headerLength else { return .cutShort }
    let start = rest.startIndex
    let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= maximumLength else { return .damaged }
    guard rest.count >= headerLength + length else { return .cutShort }
    let body = rest[(start + 36)..<(start + headerLength + length)]
    guard SHA256.hash(data: body).elementsEqual(rest[(start + 4)..<(start + 36)]) else {
      return .damaged
    }
    return .record(
      CheckedRecord(kind: body[body.startIndex], payload: Data(body.dropFirst())),
      next: offset + headerLength + length)
  }
}
