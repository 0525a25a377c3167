import Foundation
import P4RuntimeProtos

/// Short forms of messages. Bytestrings are as given, so that tests can be wrong.
extension P4_V1_Entity {
  public static func table(_ entry: P4_V1_TableEntry) -> Self { .with { $0.tableEntry = entry } }

  public static func allTables() -> Self { .with { $0.tableEntry = P4_V1_TableEntry() } }

  public static func member(
    _ profile: UInt32, _ id: UInt32, _ action: P4_V1_Action? = nil
  ) -> Self {
    .with {
      $0.actionProfileMember = .with {
        $0.actionProfileID = profile
        $0.memberID = id
        if let action { $0.action = action }
      }
    }
  }

  public static func group(
    _ profile: UInt32, _ id: UInt32, _ members: [(UInt32, Int32)] = [], maximum: Int32 = 0
  ) -> Self {
    .with {
      $0.actionProfileGroup = .with {
        $0.actionProfileID = profile
        $0.groupID = id
        $0.maxSize = maximum
        $0.members = members.map { member in
          .with {
            $0.memberID = member.0
            $0.weight = member.1
          }
        }
      }
    }
  }

  public static func counter(
    _ id: UInt32, _ index: Int64? = nil, packets: Int64 = 0, bytes: Int64 = 0, data: Bool = true
  ) -> Self {
    .with {
      $0.counterEntry = .with {
        $0.counterID = id
        if let index { $0.index = .with { $0.index = index } }
        if data {
          $0.data = .with {
            $0.packetCount = packets
            $0.byteCount = bytes
          }
        }
      }
    }
  }

  public var insert: P4_V1_Update { update(.insert) }
  public var modify: P4_V1_Update { update(.modify) }
  public var delete: P4_V1_Update { update(.delete) }

  public func update(_ type: P4_V1_Update.TypeEnum) -> P4_V1_Update {
    .with {
      $0.type = type
      $0.entity = self
    }
  }
}

extension P4_V1_Action {
  public static func call(_ id: UInt32, _ values: [UInt8]...) -> Self {
    .with {
      $0.actionID = id
      $0.params = values.enumerated().map { i, value in
        .with {
          $0.paramID = UInt32(i + 1)
          $0.value = Data(value)
        }
      }
    }
  }
}

extension P4_V1_TableEntry {
  /// An entry of exact fields 1, 2, …
  public static func row(
    _ table: UInt32, _ key: [UInt8]..., action: P4_V1_TableAction? = nil
  ) -> Self {
    .with {
      $0.tableID = table
      $0.match = key.enumerated().map { i, value in
        .with {
          $0.fieldID = UInt32(i + 1)
          $0.exact = .with { $0.value = Data(value) }
        }
      }
      if let action { $0.action = action }
    }
  }

  public static func defaultEntry(_ table: UInt32, _ action: P4_V1_TableAction? = nil) -> Self {
    .with {
      $0.tableID = table
      $0.isDefaultAction = true
      if let action { $0.action = action }
    }
  }
}

extension P4_V1_TableAction {
  public static func call(_ id: UInt32, _ values: [UInt8]...) -> Self {
    .with {
      $0.action = .with {
        $0.actionID = id
        $0.params = values.enumerated().map { i, value in
          .with {
            $0.paramID = UInt32(i + 1)
            $0.value = Data(value)
          }
        }
      }
    }
  }

  public static func member(_ id: UInt32) -> Self { .with { $0.actionProfileMemberID = id } }
  public static func group(_ id: UInt32) -> Self { .with { $0.actionProfileGroupID = id } }

  public static func oneShot(_ actions: [(P4_V1_Action, Int32)]) -> Self {
    .with {
      $0.actionProfileActionSet = .with {
        $0.actionProfileActions = actions.map { item in
          .with {
            $0.action = item.0
            $0.weight = item.1
          }
        }
      }
    }
  }
}
