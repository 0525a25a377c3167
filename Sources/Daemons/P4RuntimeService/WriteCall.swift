import Foundation
import GRPCCore
import GRPCProtobuf
import P4RuntimeProtos

/// A Write as it arrived.
struct WriteCall: Sendable {
  var message: P4_V1_WriteRequest
  /// Its encoding, so that whoever keeps it need not encode it again: that takes longer than
  /// to do what it says.
  var bytes: Data?

  struct Deserializer: MessageDeserializer {
    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> WriteCall {
      WriteCall(
        message: try ProtobufDeserializer<P4_V1_WriteRequest>().deserialize(bytes),
        bytes: bytes.withUnsafeBytes { Data($0) })
    }
  }
}
