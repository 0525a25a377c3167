import Core
import P4RuntimeCodec
import P4RuntimeProtos

extension ForwardingState {
  /// Updates that make this state of an empty one: members, groups, entries with the rates
  /// of their meters, defaults, meters.
  func updates() -> [P4_V1_Update] {
    var result: [P4_V1_Update] = []
    func add(_ type: P4_V1_Update.TypeEnum, _ entity: P4_V1_Entity) {
      result.append(
        .with {
          $0.type = type
          $0.entity = entity
        })
    }
    let view = ReadSnapshot(state: self)
    for query in [
      P4_V1_Entity.with { $0.actionProfileMember = P4_V1_ActionProfileMember() },
      P4_V1_Entity.with { $0.actionProfileGroup = P4_V1_ActionProfileGroup() },
      P4_V1_Entity.with { $0.tableEntry = P4_V1_TableEntry() },
    ] {
      do throws(P4Error) { for entity in try view.answer(query) { add(.insert, entity) } } catch {
        preconditionFailure("a query for everything is always good: \(error)")
      }
    }
    for i in result.indices {
      guard case .tableEntry(let entry)? = result[i].entity.entity,
        let rates = program.tables[entry.tableID].flatMap({ rates(of: entry, in: $0) })
      else { continue }
      result[i].entity.tableEntry.meterConfig = Self.message(rates)
    }
    for (id, row) in defaults.sorted(by: { $0.key < $1.key }) {
      guard case .call(let call) = row.action else { continue }
      add(
        .modify,
        .with {
          $0.tableEntry = .with {
            $0.tableID = id
            $0.isDefaultAction = true
            $0.action = .with { $0.action = program.message(call) }
            $0.metadata = row.metadata
            $0.controllerMetadata = row.controllerMetadata
          }
        })
    }
    for (id, rates) in defaultRates.sorted(by: { $0.key < $1.key }) {
      add(
        .modify,
        .with {
          $0.directMeterEntry.tableEntry.tableID = id
          $0.directMeterEntry.tableEntry.isDefaultAction = true
          $0.directMeterEntry.config = Self.message(rates)
        })
    }
    for (id, all) in meters.sorted(by: { $0.key < $1.key }) {
      for (index, rates) in all.sorted(by: { $0.key < $1.key }) {
        add(
          .modify,
          .with {
            $0.meterEntry.meterID = id
            $0.meterEntry.index.index = Int64(index)
            $0.meterEntry.config = Self.message(rates)
          })
      }
    }
    return result
  }

  private func rates(of entry: P4_V1_TableEntry, in table: P4Program.Table) -> MeterRates? {
    guard table.directMeter != nil, let key = try? program.key(of: entry, in: table) else {
      return nil
    }
    return tables[table.id]?[key]?.rates
  }

  /// A state made by updates, with what the engine has to do for it.
  ///
  /// - Throws: the ``P4Error`` of the first update that is not good.
  static func replaying(
    _ updates: [P4_V1_Update], on program: P4Program
  ) throws(P4Error) -> (state: ForwardingState, change: Change) {
    var state = ForwardingState(program: program)
    var all = Change()
    for update in updates {
      let change = try state.perform(update)
      all.engine += change.engine
      all.writes += change.writes
    }
    return (state, all)
  }
}
