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
  /// Many clients take no more than 8 KiB of metadata, so what the messages may take
  /// shrinks with the batch; errors behind that have a code and no message. grpc-core
  /// takes 16 KiB at most whatever its user sets, and loses the whole status beyond that:
  /// from ``detailsLimit`` on the details are left out, and the message says so, and what
  /// the first error is.
  init(batch results: [P4Error?], what: String) {
    var budget = Self.detailsBudget - results.count * Self.bytesPerDetail
    var status = Google_Rpc_Status()
    status.code = P4Error.Code.unknown.rawValue
    let failed = results.count { $0 != nil }
    status.message = "\(failed) of \(results.count) \(what) failed"
    status.details = results.map { result in
      var detail = P4_V1_Error()
      if let result {
        detail.canonicalCode = result.code.rawValue
        budget -= result.message.utf8.count
        if budget >= 0 { detail.message = result.message }
      }
      return (try? Google_Protobuf_Any(message: detail)) ?? Google_Protobuf_Any()
    }
    var metadata = Metadata()
    if let bytes: [UInt8] = try? status.serializedBytes(), bytes.count <= Self.detailsLimit {
      metadata.addBinary(bytes, forKey: "grpc-status-details-bin")
    } else if let first = results.firstIndex(where: { $0 != nil && $0?.code != .aborted }),
      let error = results[first]
    {
      status.message +=
        "; number \(first + 1): \(error.code) \(error.message); the other errors take more than "
        + "\(Self.detailsLimit) bytes and are left out: send fewer \(what) at a time"
    }
    self.init(code: .unknown, message: status.message, metadata: metadata)
  }

  /// Bytes of details that fit into 8 KiB of metadata, which are base64, beside the rest.
  static let detailsBudget = 5_600
  /// Bytes of details that fit into grpc-core's 16 KiB.
  static let detailsLimit = 11_500
  /// An `Any` with its type's address, a code, and the frames of both.
  static let bytesPerDetail = 44
}
