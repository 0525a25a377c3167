import Core
import GRPCCore
import P4RuntimeProtos
import SwiftProtobuf

/// A WriteRequest as bytes.
///
/// SwiftProtobuf measures a message anew at every level that it is nested in, and a row's
/// value is at the seventh: most of a controller's time would go into that. Rows of exact
/// tables, which nearly all updates are, become bytes here at once; all else does by
/// SwiftProtobuf.
struct EncodedWrite: Sendable {
  private let head: [UInt8]
  private var updates: [UInt8] = []
  /// Where each update begins.
  private var starts: [Int] = []

  /// - Parameter head: the request without its updates.
  init(_ head: P4_V1_WriteRequest) throws(DataplaneError) {
    self.head = try Self.bytes(of: head)
  }

  var count: Int { starts.count }

  /// Some of the updates, with the same head.
  func part(_ range: Range<Int>) -> EncodedWrite {
    var part = self
    let start = starts[range.lowerBound]
    let end = range.upperBound < count ? starts[range.upperBound] : updates.count
    part.updates = Array(updates[start..<end])
    part.starts = starts[range].map { $0 - start }
    return part
  }

  /// - Parameter isNew: for groups: INSERT rather than MODIFY.
  /// - Throws: ``DataplaneError`` for what P4Info does not have.
  mutating func append(
    _ update: Update, isNew: Bool, by encoder: UpdateEncoder
  ) throws(DataplaneError) {
    let start = updates.count
    let row: (P4_V1_Update.TypeEnum, TableEntry)? =
      switch update {
      case .insert(let entry): (.insert, entry)
      case .modify(let entry): (.modify, entry)
      case .delete(let table, let key): (.delete, TableEntry(table: table, key: key, action: ""))
      default: nil
      }
    if let (type, entry) = row, let shape = encoder.shapes[entry.table] {
      updates.append(type, entry, try shape.action(of: entry), shape)
    } else {
      let message = try encoder.message(update, isNew: isNew)
      updates.appendField(4, try Self.bytes(of: message))
    }
    starts.append(start)
  }

  private static func bytes(of message: some Message) throws(DataplaneError) -> [UInt8] {
    do { return try message.serializedBytes() } catch {
      throw DataplaneError(.invalidArgument, "write", "\(error)")
    }
  }

  struct Serializer: MessageSerializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ write: EncodedWrite) -> Bytes {
      var bytes = write.head
      bytes += write.updates
      return Bytes(bytes)
    }
  }
}

/// What the rows of an exact table look like in P4Runtime, where their actions are their own.
final class RowShape: Sendable {
  struct Action: Sendable {
    var name: String
    var id: UInt32
    /// P4Info's ids, and the places among the engine's arguments.
    var parameters: [(id: UInt32, index: Int)]
  }

  let table: UInt32
  /// P4Info's ids.
  let key: [UInt32]
  private let actions: [Action]

  init(table: UInt32, key: [UInt32], actions: [Action]) {
    (self.table, self.key, self.actions) = (table, key, actions)
  }

  /// - Returns: nil for an entry that only names a row.
  func action(of entry: TableEntry) throws(DataplaneError) -> Action? {
    guard entry.key.count == key.count else {
      throw DataplaneError(.invalidArgument, entry.table, "the key has \(key.count) fields")
    }
    guard !entry.action.isEmpty else { return nil }
    guard let action = actions.first(where: { $0.name == entry.action }),
      action.parameters.allSatisfy({ entry.arguments.indices.contains($0.index) })
    else {
      throw DataplaneError(
        .invalidArgument, entry.table, "action \(entry.action) is not one of it in P4Info")
    }
    return action
  }
}

/// Protobuf's wire format, as far as a row needs it: the numbers are those of the fields in
/// `p4/v1/p4runtime.proto`.
extension [UInt8] {
  fileprivate mutating func append(
    _ type: P4_V1_Update.TypeEnum, _ entry: TableEntry, _ action: RowShape.Action?,
    _ shape: RowShape
  ) {
    var matches = 0
    for (id, value) in zip(shape.key, entry.key) {
      matches += Self.field(Self.match(id, value))
    }
    var call = 0
    if let action {
      call = 1 + Self.varint(action.id)
      for (id, index) in action.parameters {
        call += Self.field(Self.parameter(id, entry.arguments[index]))
      }
    }
    var row = 1 + Self.varint(shape.table) + matches
    if action != nil { row += Self.field(Self.field(call)) }
    let entity = Self.field(row)

    appendHead(4, 2 + Self.field(entity))  // WriteRequest.updates
    append(1 << 3)  // Update.type
    append(UInt8(type.rawValue))
    appendHead(2, entity)  // Update.entity
    appendHead(2, row)  // Entity.table_entry
    append(1 << 3)  // TableEntry.table_id
    appendVarint(UInt64(shape.table))
    for (id, value) in zip(shape.key, entry.key) {
      appendHead(2, Self.match(id, value))  // TableEntry.match
      append(1 << 3)  // FieldMatch.field_id
      appendVarint(UInt64(id))
      appendHead(2, 2 + Self.canonical(value))  // FieldMatch.exact
      appendValue(1, value)  // Exact.value
    }
    guard let action else { return }
    appendHead(3, Self.field(call))  // TableEntry.action
    appendHead(1, call)  // TableAction.action
    append(1 << 3)  // Action.action_id
    appendVarint(UInt64(action.id))
    for (id, index) in action.parameters {
      let value = entry.arguments[index]
      appendHead(4, Self.parameter(id, value))  // Action.params
      append(2 << 3)  // Param.param_id
      appendVarint(UInt64(id))
      appendValue(3, value)  // Param.value
    }
  }

  fileprivate mutating func appendField(_ number: UInt8, _ bytes: [UInt8]) {
    appendHead(number, bytes.count)
    self += bytes
  }

  private mutating func appendHead(_ number: UInt8, _ length: Int) {
    append(number << 3 | 2)
    appendVarint(UInt64(length))
  }

  private mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(rest))
  }

  /// As ``Bytestring/canonical(_:)`` has it.
  private mutating func appendValue(_ number: UInt8, _ value: UInt64) {
    let count = Self.canonical(value)
    appendHead(number, count)
    for place in (0..<count).reversed() {
      append(UInt8(truncatingIfNeeded: value >> UInt64(place * 8)))
    }
  }

  // Lengths.

  private static func canonical(_ value: UInt64) -> Int {
    Swift.max(1, (71 - value.leadingZeroBitCount) / 8)
  }
  private static func varint(_ value: UInt32) -> Int {
    Swift.max(1, (38 - value.leadingZeroBitCount) / 7)
  }
  private static func field(_ length: Int) -> Int { 1 + varint(UInt32(length)) + length }
  private static func match(_ id: UInt32, _ value: UInt64) -> Int {
    1 + varint(id) + field(2 + canonical(value))
  }
  private static func parameter(_ id: UInt32, _ value: UInt64) -> Int {
    1 + varint(id) + 2 + canonical(value)
  }
}
