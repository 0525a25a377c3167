import Foundation
import GRPCCore
import P4RuntimeCodec
import P4RuntimeProtos
import SwiftProtobuf

extension RPCError {
  init(_ error: P4Error) {
    let status = Status.Code(rawValue: Int(error.code.rawValue))
    self.init(code: status.flatMap(Code.init) ?? .unknown, message: error.message)
  }

  /// The status of a batch in which something failed: one `p4.v1.Error` an element, in
  /// order (P4Runtime 1.4, section 10).
  ///
  /// Clients take 8 KiB of status by default. From ``messageBudget`` bytes of messages
  /// on, further errors have a code and no message.
  init(batch results: [P4Error?], what: String) {
    var budget = Self.messageBudget
    var status = Google_Rpc_Status()
    status.code = P4Error.Code.unknown.rawValue
    let failed = results.count { $0 != nil }
    let first = results.firstIndex { $0 != nil } ?? 0
    status.message =
      "\(failed) of \(results.count) \(what) failed; the first is number \(first): "
      + (results[first]?.message ?? "")
    status.details = results.map { result in
      var detail = P4_V1_Error()
      if let result {
        detail.canonicalCode = result.code.rawValue
        if budget > 0 {
          detail.message = result.message
          budget -= result.message.utf8.count
        }
      }
      return (try? Google_Protobuf_Any(message: detail)) ?? Google_Protobuf_Any()
    }
    var metadata = Metadata()
    if let bytes: [UInt8] = try? status.serializedBytes() {
      metadata.addBinary(bytes, forKey: "grpc-status-details-bin")
    }
    self.init(code: .unknown, message: status.message, metadata: metadata)
  }

  static let messageBudget = 2048
}
