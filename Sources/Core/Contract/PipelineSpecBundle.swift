extension PipelineSpec {
  /// Reads the first profile of a `.pb.bin`, the file a P4Runtime controller
  /// pushes to a P4-DPDK target.
  ///
  /// It is a protobuf message `BfPipelineConfig` {1 program name, 2 bfrt JSON,
  /// 3 repeated `Profile` {1 name, 2 context JSON, 3 spec, 4 pipe scope}}
  /// (stratum `p4/bf.proto` as shipped with P4-DPDK 23.01).
  ///
  /// - Throws: ``DataplaneError/Code/invalidArgument`` about the file, or about
  ///   a line of the spec in it.
  public init(bundle: [UInt8], file: String = "k8s_dp.pb.bin") throws(DataplaneError) {
    let pipeline = try ProtobufFields(bundle[...], file: file)
    guard let profile = pipeline.first(3) else {
      throw DataplaneError(.invalidArgument, file, "no pipeline profile in it")
    }
    guard let text = try ProtobufFields(profile, file: file).first(3) else {
      throw DataplaneError(.invalidArgument, file, "no spec in its first profile")
    }
    try self.init(parsing: String(decoding: text, as: UTF8.self), file: file)
  }
}

/// The length-delimited fields of one protobuf message.
struct ProtobufFields {
  private var fields: [(number: UInt64, bytes: ArraySlice<UInt8>)] = []

  func first(_ number: UInt64) -> ArraySlice<UInt8>? {
    fields.first { $0.number == number }?.bytes
  }

  init(_ message: ArraySlice<UInt8>, file: String) throws(DataplaneError) {
    var rest = message
    while !rest.isEmpty {
      guard let tag = Self.varint(&rest), tag >> 3 != 0 else { throw Self.broken(file) }
      switch tag & 7 {
      case 0:
        guard Self.varint(&rest) != nil else { throw Self.broken(file) }
      case 1, 5:
        let size = tag & 7 == 1 ? 8 : 4
        guard rest.count >= size else { throw Self.broken(file) }
        rest = rest.dropFirst(size)
      case 2:
        guard let size = Self.varint(&rest), size <= UInt64(rest.count) else {
          throw Self.broken(file)
        }
        fields.append((tag >> 3, rest.prefix(Int(size))))
        rest = rest.dropFirst(Int(size))
      default: throw Self.broken(file)
      }
    }
  }

  private static func broken(_ file: String) -> DataplaneError {
    DataplaneError(.invalidArgument, file, "not a protobuf message, or a damaged one")
  }

  private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while let byte = bytes.popFirst(), shift < 64 {
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
      shift += 7
    }
    return nil
  }
}
