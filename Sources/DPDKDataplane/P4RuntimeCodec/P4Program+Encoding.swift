import Core
import Foundation
import P4RuntimeProtos

/// From values to messages in canonical form, and to the engine's terms.
extension P4Program {
  public func match(_ key: MatchKey, in table: Table) -> [P4_V1_FieldMatch] {
    var result: [P4_V1_FieldMatch] = []
    for (i, field) in table.key.enumerated() {
      let value = key.values[i]
      let mask = key.masks.isEmpty ? Self.maximum(field.bits) : key.masks[i]
      var match = P4_V1_FieldMatch()
      match.fieldID = field.id
      switch field.kind {
      case .exact:
        match.exact = .with { $0.value = Bytestring.canonical(value) }
      case .lpm:
        guard mask != 0 else { continue }
        match.lpm = .with {
          $0.value = Bytestring.canonical(value)
          $0.prefixLen = Int32(mask.nonzeroBitCount)
        }
      case .ternary:
        guard mask != 0 else { continue }
        match.ternary = .with {
          $0.value = Bytestring.canonical(value)
          $0.mask = Bytestring.canonical(mask)
        }
      case .optional:
        guard mask != 0 else { continue }
        match.optional = .with { $0.value = Bytestring.canonical(value) }
      }
      result.append(match)
    }
    return result
  }

  public func message(_ call: ActionCall) -> P4_V1_Action {
    .with {
      $0.actionID = call.id
      guard let action = actions[call.id] else { return }
      $0.params = zip(action.parameters, call.values).map { parameter, value in
        .with {
          $0.paramID = parameter.id
          $0.value = Bytestring.canonical(value)
        }
      }
    }
  }

  public func message(_ row: Row, key: MatchKey, in table: Table) -> P4_V1_TableEntry {
    .with {
      $0.tableID = table.id
      $0.match = match(key, in: table)
      $0.priority = key.priority
      $0.metadata = row.metadata
      $0.controllerMetadata = row.controllerMetadata
      $0.idleTimeoutNs = row.idleTimeout
      $0.action = .with {
        switch row.action {
        case .call(let call): $0.action = message(call)
        case .member(let id): $0.actionProfileMemberID = id
        case .group(let id): $0.actionProfileGroupID = id
        case .oneShot(let set):
          $0.actionProfileActionSet = .with {
            $0.actionProfileActions = set.map { item in
              .with {
                $0.action = message(item.choice)
                $0.weight = item.weight
                if !item.watchPort.isEmpty { $0.watchPort = item.watchPort }
              }
            }
          }
        }
      }
    }
  }

  /// The engine's key: ``TableEntry/key``.
  public func engineKey(_ key: MatchKey, in table: Table) -> [UInt64] {
    guard table.engineMatch != .exact else { return key.values }
    let masks = table.key.indices.map { i in
      let field = table.key[i]
      let mask = key.masks.isEmpty ? Self.maximum(field.bits) : key.masks[i]
      // Bits that only the engine's field has are 0 in every frame.
      let rest = Self.maximum(table.engineBits[i]) & ~Self.maximum(field.bits)
      return field.kind == .ternary || mask == 0 ? mask : mask | rest
    }
    return key.values + masks + [UInt64(max(0, key.priority))]
  }

  /// The other way of ``engineKey(_:in:)``.
  public func matchKey(_ key: [UInt64], in table: Table) -> MatchKey {
    let count = table.key.count
    guard table.engineMatch != .exact, key.count == 2 * count + 1 else {
      return MatchKey(values: key)
    }
    let isExact = table.key.allSatisfy { $0.kind == .exact }
    let masks = zip(table.key, key[count...]).map { Self.maximum($0.bits) & $1 }
    return MatchKey(
      values: Array(key[..<count]), masks: isExact ? [] : masks,
      priority: Int32(clamping: key[2 * count]))
  }

  /// The engine's row for an entry with an action of its own.
  public func engineEntry(_ table: Table, _ key: MatchKey, _ call: ActionCall) -> TableEntry {
    engineEntry(table.engineTable, engineKey(key, in: table), call, table.actions)
  }

  /// The engine's row for a member of an action profile.
  public func engineMember(_ profile: Profile, _ id: UInt32, _ call: ActionCall) -> TableEntry {
    engineEntry(profile.memberTable, [UInt64(id)], call, profile.actions)
  }

  private func engineEntry(
    _ table: String, _ key: [UInt64], _ call: ActionCall, _ allowed: [UInt32: ActionReference]
  ) -> TableEntry {
    var arguments = [UInt64](repeating: 0, count: call.values.count)
    for (parameter, value) in zip(actions[call.id]?.parameters ?? [], call.values) {
      arguments[parameter.index] = value
    }
    return TableEntry(
      table: table, key: key, action: allowed[call.id]?.engineAction ?? "", arguments: arguments)
  }

  /// From the engine's arguments to P4Info's order.
  public func call(action: String, arguments: [UInt64], in table: Table) -> ActionCall? {
    guard
      let reference = table.actions.values.first(where: { $0.engineAction == action }),
      let parameters = actions[reference.id]?.parameters,
      parameters.allSatisfy({ arguments.indices.contains($0.index) })
    else { return nil }
    return ActionCall(id: reference.id, values: parameters.map { arguments[$0.index] })
  }

  /// What a miss of a table runs unless a controller changes it.
  public func originalDefault(of table: Table) -> ActionCall? {
    let miss =
      spec.tables.first { $0.name == table.engineTable }?.defaultAction
      ?? spec.learners.first { $0.name == table.engineTable }?.defaultAction
    guard let miss else { return nil }
    if let call = call(action: miss.name, arguments: miss.arguments, in: table) { return call }
    // For misses only, so the engine's name is not bound.
    let action = table.actions.keys.compactMap { actions[$0] }.first {
      isAction(miss.name, named: Self.shortName($0.name))
    }
    guard let action, action.parameters.allSatisfy({ miss.arguments.indices.contains($0.index) })
    else { return nil }
    return ActionCall(id: action.id, values: action.parameters.map { miss.arguments[$0.index] })
  }

  /// The register arrays that a controller can write: those behind indirect counters, and
  /// registers.
  public var controlledRegisters: [PipelineSpec.RegisterArray] {
    var names = Set(counters.values.flatMap { [$0.packets, $0.bytes].compactMap { $0 } })
    names.formUnion(registers.values.compactMap { try? $0.get().registers })
    return spec.registers.filter { names.contains($0.name) }
  }
}
