/// One row of a table. All values are host order; a field is at most 64 bits.
public struct TableEntry: Hashable, Sendable {
  public var table: String
  /// One value a key field, in the contract's order. In a table whose match is not exact,
  /// then one mask a field, and at last the priority: of two entries that match, the one
  /// with the greater priority is hit, and 0 in an `lpm` table, where the longer prefix is.
  public var key: [UInt64]
  public var action: String
  /// One value an action argument, in the contract's order.
  public var arguments: [UInt64]

  public init(table: String, key: [UInt64], action: String, arguments: [UInt64] = []) {
    self.table = table
    self.key = key
    self.action = action
    self.arguments = arguments
  }
}

/// A member of a selector group (only pipelines with SWX selectors have them).
public struct GroupMember: Hashable, Sendable {
  public var id: UInt32
  public var weight: UInt32
  public init(id: UInt32, weight: UInt32 = 1) {
    self.id = id
    self.weight = weight
  }
}

/// A change to a dataplane. Batches of them are applied whole or not at all.
public enum Update: Hashable, Sendable {
  /// The key must be absent.
  case insert(TableEntry)
  /// The key must be present.
  case modify(TableEntry)
  /// The key must be present.
  case delete(table: String, key: [UInt64])
  /// What a miss of a table runs, unless the pipeline fixes it.
  case setDefault(table: String, action: String, arguments: [UInt64])
  /// Back to what the pipeline came with.
  case resetDefault(table: String)
  /// Sets the members of a selector group, making the group if need be.
  case setGroup(selector: String, group: UInt32, members: [GroupMember])
}
