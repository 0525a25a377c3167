import P4RuntimeCodec
import P4RuntimeProtos

extension ForwardingState {
  /// Updates that make this state of an empty one: members, groups, entries, defaults.
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
    return result
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
      all.registers += change.registers
    }
    return (state, all)
  }
}
