import Foundation
import GNMIProtos

/// A value that a client wants a leaf to have.
enum Scalar: Hashable, Sendable {
  case text(String)
  case integer(Int64)
  case unsigned(UInt64)
  /// Of a type that no leaf has; its name.
  case other(String)

  init(_ json: JSONValue) {
    self =
      switch json {
      case .string(let text): .text(text)
      case .integer(let number): .integer(number)
      case .unsigned(let number): .unsigned(number)
      case .bool: .other("a boolean")
      case .double: .other("a fraction")
      case .null: .other("null")
      case .array: .other("an array")
      case .object: .other("an object")
      }
  }

  func string(for leaf: String) throws(GNMIError) -> String {
    guard case .text(let text) = self else {
      throw GNMIError(.invalidArgument, "\(leaf) is a string, and the value is \(kind)")
    }
    guard text.utf8.count <= 255, !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
      throw GNMIError(
        .invalidArgument, "\(leaf) is at most 255 bytes without control characters")
    }
    return text
  }

  /// - Parameter range: what the leaf may be.
  func integer(for leaf: String, in range: ClosedRange<Int>) throws(GNMIError) -> Int {
    let value: Int?
    switch self {
    case .integer(let number): value = Int(exactly: number)
    case .unsigned(let number): value = Int(exactly: number)
    case .text, .other:
      throw GNMIError(.invalidArgument, "\(leaf) is a number, and the value is \(kind)")
    }
    guard let value, range.contains(value) else {
      throw GNMIError(
        .invalidArgument, "\(leaf) is \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  private var kind: String {
    switch self {
    case .text: "a string"
    case .integer, .unsigned: "a number"
    case .other(let name): name
    }
  }
}

/// What an update carries: one value, or a part of the tree.
enum NewValue: Sendable {
  case scalar(Scalar)
  case json(JSONValue)

  /// - Throws: `invalidArgument` for a value that is missing or no JSON,
  ///   `unimplemented` for an encoding that is not supported.
  init(_ update: Gnmi_Update, _ path: PathPattern) throws(GNMIError) {
    do throws(GNMIError) { try self.init(update) } catch {
      throw GNMIError(error.code, "\(path): \(error.message)")
    }
  }

  private init(_ update: Gnmi_Update) throws(GNMIError) {
    guard update.hasVal, let value = update.val.value else {
      throw GNMIError(
        .invalidArgument,
        update.hasValue
          ? "the field value is deprecated; the value goes into val" : "the update has no val")
    }
    switch value {
    case .stringVal(let text): self = .scalar(.text(text))
    case .intVal(let number): self = .scalar(.integer(number))
    case .uintVal(let number): self = .scalar(.unsigned(number))
    case .boolVal: self = .scalar(.other("a boolean"))
    case .floatVal, .doubleVal, .decimalVal: self = .scalar(.other("a fraction"))
    case .bytesVal: self = .scalar(.other("bytes"))
    case .leaflistVal: self = .scalar(.other("a list"))
    case .jsonVal(let text), .jsonIetfVal(let text): self = .json(try JSONValue(parsing: text))
    case .asciiVal, .protoBytes, .anyVal:
      throw GNMIError(
        .unimplemented,
        "the value's encoding is not supported; send a scalar, json_val or json_ietf_val")
    }
  }
}
