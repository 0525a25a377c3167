#if DPDK
  import CSWX
  import Core
  import Glibc

  extension SWXDataplane {
    public func apply(_ updates: [Update]) throws(DataplaneError) {
      let changes = try store.commit(updates) { objection(to: $0) }
      var done: [Undo] = []
      done.reserveCapacity(changes.count)
      for change in changes {
        let status = perform(change, &done)
        if status != 0 {
          throw takeBack(changes, done, Self.entity(of: change), SWXEngine.text(status))
        }
      }
      do throws(DataplaneError) { try makeRules(for: changes) } catch {
        throw takeBack(changes, done, error.entity, error.message)
      }
    }

    /// How the engine was before one change.
    private enum Undo {
      /// - Parameter values: what the pipeline kept of the entry.
      case entry(table: String, key: [UInt64], old: TableEntry?, values: EntryValues?)
      case group(selector: String, group: UInt32, old: [GroupMember])
      case missAction(table: String, old: PipelineSpec.DefaultAction?)
    }

    public func entries(of table: String) throws(DataplaneError) -> [TableEntry] {
      try store.entries(of: table)
    }

    /// Reads one entry from the engine itself, past the shadow.
    ///
    /// - Returns: nil if it is not there.
    public func engineEntry(table: String, key: [UInt64]) -> TableEntry? {
      guard let index = engine.tableIndex[table], contract.table(table)?.key.count == key.count
      else {
        return nil
      }
      var action: UInt32 = 0
      var values = [UInt64](repeating: 0, count: 64)
      guard cswx_table_get(engine.pointer, index, key, &action, &values) == 1 else { return nil }
      let name = engine.actions[Int(action)]
      let count = contract.actions[name]?.arguments.count ?? 0
      return TableEntry(table: table, key: key, action: name, arguments: Array(values[..<count]))
    }

    /// What this engine has against an entry that the contract allows, or against an action
    /// for misses, which comes without a key.
    private func objection(to entry: TableEntry) -> DataplaneError? {
      for i in portArguments[entry.action] ?? [] where entry.arguments[i] >= UInt64(ports) {
        return DataplaneError(
          .outOfRange, "\(entry.table)[\(entry.key.map(String.init).joined(separator: ","))]",
          "port \(entry.arguments[i]) does not exist; there are \(ports)")
      }
      return nil
    }

    /// Takes back what a batch has done so far. The engine's table can run out of
    /// bucket extensions before it has as many entries as it was made for.
    private func takeBack(
      _ changes: [TableStore.Change], _ done: [Undo], _ entity: String, _ why: String
    ) -> DataplaneError {
      var ignored: [Undo] = []
      for step in done.reversed() {
        switch step {
        case .entry(let table, let key, nil, _):
          _ = perform(.delete(TableEntry(table: table, key: key, action: "")), &ignored)
        case .entry(let table, let key, let old?, let values):
          _ = perform(.set(old, old: nil), &ignored)
          setEntryValues(values, of: key, in: table)
        case .group(let selector, let group, let old):
          _ = perform(.setGroup(selector: selector, group: group, members: old), &ignored)
        case .missAction(let table, nil): _ = perform(.resetDefault(table: table), &ignored)
        case .missAction(let table, let old?):
          _ = perform(
            .setDefault(table: table, action: old.name, arguments: old.arguments), &ignored)
        }
      }
      store.takeBack(changes)
      return DataplaneError(
        .resourceExhausted, entity, "the engine has no room for it: \(why)")
    }

    private static func entity(of change: TableStore.Change) -> String {
      switch change {
      case .set(let entry, _), .delete(let entry): entry.table
      case .setDefault(let table, _, _), .resetDefault(let table): table
      case .setGroup(let selector, let group, _): "\(selector)[\(group)]"
      }
    }

    private func perform(_ change: TableStore.Change, _ done: inout [Undo]) -> Int32 {
      switch change {
      case .set(let entry, _) where isRuleTable(entry.table): return 0
      case .delete(let entry) where isRuleTable(entry.table): return 0
      case .set(let entry, let old):
        guard let table = engine.tableIndex[entry.table],
          let action = engine.actionIndex[entry.action]
        else { return -EINVAL }
        let values = old == nil ? nil : entryValues(of: entry.key, in: entry.table)
        let status = cswx_table_set(engine.pointer, table, entry.key, action, entry.arguments)
        if status == 0 {
          if old == nil { setEntryValues(nil, of: entry.key, in: entry.table) }
          done.append(.entry(table: entry.table, key: entry.key, old: old, values: values))
        }
        return status
      case .delete(let entry):
        guard let table = engine.tableIndex[entry.table] else { return -EINVAL }
        let values = entryValues(of: entry.key, in: entry.table)
        let status = cswx_table_delete(engine.pointer, table, entry.key)
        if status == 0 {
          done.append(.entry(table: entry.table, key: entry.key, old: entry, values: values))
        }
        return status
      case .setDefault(let table, let action, let arguments):
        let new = PipelineSpec.DefaultAction(
          name: action, arguments: arguments, isConstant: false)
        return setMissAction(table, new, &done)
      case .resetDefault(let table):
        return setMissAction(table, nil, &done)
      case .setGroup(let name, let group, let members):
        guard let selector = engine.selectorIndex[name] else { return -EINVAL }
        let status = cswx_group_set(
          engine.pointer, selector, group, UInt32(members.count), members.map(\.id),
          members.map(\.weight))
        if status == 0 {
          done.append(.group(selector: name, group: group, old: groups[name]?[group] ?? []))
          groups[name, default: [:]][group] = members
        }
        return status
      }
    }

    /// - Parameter action: nil is the pipeline's own.
    private func setMissAction(
      _ table: String, _ action: PipelineSpec.DefaultAction?, _ done: inout [Undo]
    ) -> Int32 {
      guard let index = engine.tableIndex[table],
        let new = action ?? missActions[table]?.original, let id = engine.actionIndex[new.name]
      else { return -EINVAL }
      let status = cswx_table_default(engine.pointer, index, id, new.arguments)
      if status == 0 {
        done.append(.missAction(table: table, old: missActions[table]?.present))
        missActions[table]?.present = action
      }
      return status
    }
  }
#endif
