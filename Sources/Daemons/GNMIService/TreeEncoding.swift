import GNMIProtos

/// How values are written.
enum TreeEncoding: Sendable, CaseIterable {
  case json
  /// RFC 7951.
  case jsonIETF
  /// One update a leaf, with a scalar.
  case proto

  /// - Throws: `unimplemented` for an encoding that is not supported.
  init(_ encoding: Gnmi_Encoding) throws(GNMIError) {
    switch encoding {
    case .json: self = .json
    case .jsonIetf: self = .jsonIETF
    case .proto: self = .proto
    case .bytes, .ascii, .UNRECOGNIZED:
      throw GNMIError(
        .unimplemented,
        "encoding \(encoding) is not supported; ask for JSON, JSON_IETF or PROTO")
    }
  }

  var name: Gnmi_Encoding {
    switch self {
    case .json: .json
    case .jsonIETF: .jsonIetf
    case .proto: .proto
    }
  }

  /// The value of one leaf.
  func value(_ leaf: LeafValue) throws -> Gnmi_TypedValue {
    self == .proto ? leaf.scalar : try value(leaf.json(self))
  }

  /// A part of the tree. In JSON_IETF its outermost members carry the model's name
  /// (RFC 7951 4).
  func value(_ tree: JSONValue) throws -> Gnmi_TypedValue {
    guard self == .jsonIETF else { return try .with { $0.jsonVal = try tree.text() } }
    guard case .object(let members) = tree else {
      return try .with { $0.jsonIetfVal = try tree.text() }
    }
    let named = members.map { ("\(InterfaceSchema.model):\($0)", $1) }
    return try .with {
      $0.jsonIetfVal = try JSONValue.object(Dictionary(uniqueKeysWithValues: named)).text()
    }
  }
}
