import Core
import Foundation

/// What identifies an entry of a table: one value a key field in P4Info's order, and
/// for fields that are not exact a mask.
public struct MatchKey: Hashable, Sendable {
  public var values: [UInt64]
  /// Masks of `lpm`, `ternary` and `optional` fields; empty when all fields are exact.
  public var masks: [UInt64]
  /// 0 in tables without priorities.
  public var priority: Int32

  public init(values: [UInt64], masks: [UInt64] = [], priority: Int32 = 0) {
    self.values = values
    self.masks = masks
    self.priority = priority
  }
}

/// An action with a value for every parameter, in P4Info's order.
public struct ActionCall: Hashable, Sendable {
  public var id: UInt32
  public var values: [UInt64]
  public init(id: UInt32, values: [UInt64]) {
    self.id = id
    self.values = values
  }
}

/// A member of a group, or an action of a one-shot set, with how often it is chosen.
public struct Weighted<Choice: Hashable & Sendable>: Hashable, Sendable {
  public var choice: Choice
  public var weight: Int32
  /// The port on whose state it depends; empty for none.
  public var watchPort: Data
  public init(_ choice: Choice, weight: Int32, watchPort: Data = Data()) {
    self.choice = choice
    self.weight = weight
    self.watchPort = watchPort
  }
}

/// What an entry of a table does.
public enum RowAction: Hashable, Sendable {
  case call(ActionCall)
  case member(UInt32)
  case group(UInt32)
  case oneShot([Weighted<ActionCall>])
}

/// One entry of a table as its controller wrote it.
public struct Row: Hashable, Sendable {
  public var action: RowAction
  public var metadata: Data
  public var controllerMetadata: UInt64
  /// Nanoseconds without a hit after which the controller is told; 0 is never.
  public var idleTimeout: Int64
  /// Of its direct meter; nil marks everything green.
  public var rates: MeterRates?
  public init(
    action: RowAction, metadata: Data = Data(), controllerMetadata: UInt64 = 0,
    idleTimeout: Int64 = 0, rates: MeterRates? = nil
  ) {
    self.action = action
    self.metadata = metadata
    self.controllerMetadata = controllerMetadata
    self.idleTimeout = idleTimeout
    self.rates = rates
  }
}
