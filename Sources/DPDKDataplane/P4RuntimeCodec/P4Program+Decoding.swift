import Foundation
import P4RuntimeProtos

/// From messages to values, with the checks that P4Runtime 1.4 asks for (9.1, 9.2).
extension P4Program {
  /// The key of an entry.
  ///
  /// - Throws: ``P4Error/Code/invalidArgument`` for unknown, doubled or missing fields,
  ///   wrong kinds and priorities, ``P4Error/Code/outOfRange`` for values that are empty
  ///   or too wide.
  public func key(of entry: P4_V1_TableEntry, in table: Table) throws(P4Error) -> MatchKey {
    var values = [UInt64](repeating: 0, count: table.key.count)
    var masks = [UInt64](repeating: 0, count: table.key.count)
    var isSet = [Bool](repeating: false, count: table.key.count)
    for match in entry.match {
      guard let i = table.key.firstIndex(where: { $0.id == match.fieldID }) else {
        throw P4Error(.invalidArgument, "\(table.name) has no match field \(match.fieldID)")
      }
      guard !isSet[i] else {
        throw P4Error(.invalidArgument, "\(table.name) \(table.key[i].name) is given twice")
      }
      isSet[i] = true
      (values[i], masks[i]) = try value(of: match, table.key[i], table)
    }
    for (i, field) in table.key.enumerated() where !isSet[i] {
      guard field.kind != .exact else {
        throw P4Error(
          .invalidArgument,
          "\(table.name) needs match field \(field.id) (\(field.name)): exact fields have no "
            + "\"don't care\"")
      }
    }
    if table.hasPriority {
      guard entry.priority > 0 else {
        throw P4Error(.invalidArgument, "\(table.name) needs a priority above 0")
      }
    } else if entry.priority != 0 {
      throw P4Error(.invalidArgument, "\(table.name) takes no priority; leave it 0")
    }
    return MatchKey(
      values: values, masks: table.isExact ? [] : masks, priority: entry.priority)
  }

  private func value(
    of match: P4_V1_FieldMatch, _ field: MatchField, _ table: Table
  ) throws(P4Error) -> (UInt64, UInt64) {
    func number(_ bytes: Data) throws(P4Error) -> UInt64 {
      try Self.number(bytes, field.bits, "\(table.name) \(field.name)")
    }
    func malformed(_ why: String) -> P4Error {
      P4Error(.invalidArgument, "\(table.name) \(field.name): \(why)")
    }
    let all = Self.maximum(field.bits)
    switch (match.fieldMatchType, field.kind) {
    case (.exact(let exact), .exact):
      return (try number(exact.value), all)
    case (.lpm(let lpm), .lpm):
      guard lpm.prefixLen > 0 else { throw malformed("a prefix of 0 bits must be left out") }
      guard Int(lpm.prefixLen) <= field.bits else {
        throw malformed("a prefix of \(lpm.prefixLen) bits in a field of \(field.bits)")
      }
      let value = try number(lpm.value)
      let mask = all << UInt64(field.bits - Int(lpm.prefixLen)) & all
      guard value & ~mask == 0 else { throw malformed("bits behind the prefix are set") }
      return (value, mask)
    case (.ternary(let ternary), .ternary):
      let (value, mask) = (try number(ternary.value), try number(ternary.mask))
      guard mask != 0 else { throw malformed("a mask of 0 must be left out") }
      guard value & ~mask == 0 else { throw malformed("masked bits are set in the value") }
      return (value, mask)
    case (.optional(let optional), .optional):
      return (try number(optional.value), all)
    case (nil, _): throw malformed("no match is set")
    default: throw malformed("the kind of match is not the field's, \(field.kind)")
    }
  }

  static func maximum(_ bits: Int) -> UInt64 { bits >= 64 ? .max : (1 << UInt64(bits)) - 1 }

  static func number(
    _ bytes: Data, _ bits: Int, _ what: @autoclosure () -> String
  ) throws(P4Error) -> UInt64 {
    guard let value = Bytestring.value(bytes, bits: bits) else {
      throw P4Error(
        .outOfRange,
        bytes.isEmpty
          ? "\(what()): an empty string is no number"
          : "\(what()): the value does not fit into \(bits) bits")
    }
    return value
  }

  /// An action with its parameters.
  ///
  /// - Parameters:
  ///   - allowed: what the table or profile may run.
  ///   - isDefault: for a miss rather than for an entry.
  /// - Throws: ``P4Error/Code/invalidArgument`` for unknown actions and unknown, doubled
  ///   or missing parameters; ``P4Error/Code/permissionDenied`` for the wrong scope;
  ///   ``P4Error/Code/outOfRange`` for values that are empty or too wide, which is what 8.4
  ///   says of every bytestring (9.1.2 says INVALID_ARGUMENT, the less specific code).
  public func call(
    _ message: P4_V1_Action, allowed: [UInt32: ActionReference], of what: String,
    isDefault: Bool = false
  ) throws(P4Error) -> ActionCall {
    guard let action = actions[message.actionID], let reference = allowed[message.actionID] else {
      throw P4Error(.invalidArgument, "\(what) has no action \(message.actionID)")
    }
    if reference.scope == (isDefault ? .tableOnly : .defaultOnly) {
      throw P4Error(
        .permissionDenied,
        "\(action.name) is for \(isDefault ? "entries" : "misses") of \(what) only")
    }
    var values = [UInt64?](repeating: nil, count: action.parameters.count)
    for parameter in message.params {
      guard let i = action.parameters.firstIndex(where: { $0.id == parameter.paramID }) else {
        throw P4Error(.invalidArgument, "\(action.name) has no parameter \(parameter.paramID)")
      }
      guard values[i] == nil else {
        throw P4Error(
          .invalidArgument, "\(action.name) \(action.parameters[i].name) is given twice")
      }
      values[i] = try Self.number(
        parameter.value, action.parameters[i].bits,
        "\(action.name) \(action.parameters[i].name)")
    }
    var present: [UInt64] = []
    present.reserveCapacity(values.count)
    for (i, value) in values.enumerated() {
      guard let value else {
        throw P4Error(
          .invalidArgument,
          "\(action.name) needs parameter \(action.parameters[i].id) "
            + "(\(action.parameters[i].name))")
      }
      present.append(value)
    }
    return ActionCall(id: action.id, values: present)
  }
}
