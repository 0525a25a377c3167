import GNMIProtos

/// The value of a leaf.
enum LeafValue: Hashable, Sendable {
  case text(String)
  /// YANG's uint8 to uint32.
  case number(UInt32)
  /// YANG's uint64, which JSON_IETF writes as a string (RFC 7951 6.1).
  case counter(UInt64)

  /// As a scalar of the protocol.
  var scalar: Gnmi_TypedValue {
    .with {
      switch self {
      case .text(let text): $0.stringVal = text
      case .number(let number): $0.uintVal = UInt64(number)
      case .counter(let counter): $0.uintVal = counter
      }
    }
  }

  func json(_ encoding: TreeEncoding) -> JSONValue {
    switch self {
    case .text(let text): .string(text)
    case .number(let number): .unsigned(UInt64(number))
    case .counter(let counter):
      encoding == .jsonIETF ? .string(String(counter)) : .unsigned(counter)
    }
  }
}
