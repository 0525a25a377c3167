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
        if status != 0 { throw rollBack(changes, done, change, status) }
      }
    }

    /// How the engine was before one change.
    private enum Undo {
      case entry(table: String, key: [UInt64], old: TableEntry?)
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
    /// for misses, which comes without a key and is good whatever the match.
    private func objection(to entry: TableEntry) -> DataplaneError? {
      guard let index = engine.tableIndex[entry.table],
        entry.key.isEmpty || cswx_table_is_exact(engine.pointer, index) == 1
      else {
        return DataplaneError(
          .unimplemented, entry.table,
          "only exact-match tables with adjacent keys can be programmed")
      }
      for i in portArguments[entry.action] ?? [] where entry.arguments[i] >= UInt64(ports) {
        return DataplaneError(
          .outOfRange, "\(entry.table)[\(entry.key.map(String.init).joined(separator: ","))]",
          "port \(entry.arguments[i]) does not exist; there are \(ports)")
      }
      return nil
    }

    /// Takes back what a batch has done so far. The engine's table can run out of
    /// bucket extensions before it has as many entries as it was made for.
    private func rollBack(
      _ changes: [TableStore.Change], _ done: [Undo], _ failed: TableStore.Change, _ status: Int32
    ) -> DataplaneError {
      var ignored: [Undo] = []
      for step in done.reversed() {
        let change: TableStore.Change =
          switch step {
          case .entry(let table, let key, nil): .delete(table: table, key: key)
          case .entry(_, _, let old?): .set(old, isNew: false)
          case .group(let selector, let group, let old):
            .setGroup(selector: selector, group: group, members: old)
          case .missAction(let table, nil): .resetDefault(table: table)
          case .missAction(let table, let old?):
            .setDefault(table: table, action: old.name, arguments: old.arguments)
          }
        _ = perform(change, &ignored)
      }
      // The engine is as before: bring the store in step, deletions first.
      var present: [TableEntry] = []
      for change in changes {
        let (table, key): (String, [UInt64])
        switch change {
        case .set(let entry, _): (table, key) = (entry.table, entry.key)
        case .delete(let name, let fields): (table, key) = (name, fields)
        case .setGroup, .setDefault, .resetDefault: continue
        }
        _ = try? store.commit([.delete(table: table, key: key)])
        if let entry = engineEntry(table: table, key: key) { present.append(entry) }
      }
      for entry in present { _ = try? store.commit([.insert(entry)]) }
      let entity =
        switch failed {
        case .set(let entry, _): entry.table
        case .delete(let table, _), .setDefault(let table, _, _), .resetDefault(let table): table
        case .setGroup(let selector, let group, _): "\(selector)[\(group)]"
        }
      return DataplaneError(
        .resourceExhausted, entity, "the engine has no room for it: \(SWXEngine.text(status))")
    }

    private func perform(_ change: TableStore.Change, _ done: inout [Undo]) -> Int32 {
      switch change {
      case .set(let entry, let isNew):
        guard let table = engine.tableIndex[entry.table],
          let action = engine.actionIndex[entry.action]
        else { return -EINVAL }
        let old = isNew ? nil : engineEntry(table: entry.table, key: entry.key)
        let status = cswx_table_set(engine.pointer, table, entry.key, action, entry.arguments)
        if status == 0 { done.append(.entry(table: entry.table, key: entry.key, old: old)) }
        return status
      case .delete(let name, let key):
        guard let table = engine.tableIndex[name] else { return -EINVAL }
        let old = engineEntry(table: name, key: key)
        let status = cswx_table_delete(engine.pointer, table, key)
        if status == 0 { done.append(.entry(table: name, key: key, old: old)) }
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
