#if DPDK
  import CSWX
  import Core

  extension SWXDataplane {
    public func setTimer(_ profile: Int, seconds: UInt32) throws(DataplaneError) {
      let count = contract.learners.map(\.timers.count).min() ?? 0
      guard (0..<min(count, 8)).contains(profile), seconds > 0 else {
        throw DataplaneError(
          .outOfRange, "timer \(profile)",
          "profiles are 0..<\(min(count, 8)), seconds at least 1")
      }
      for learner in contract.learners.indices {
        let status = cswx_timeout_set(engine.pointer, UInt32(learner), UInt32(profile), seconds)
        guard status == 0 else {
          throw DataplaneError(
            .invalidArgument, "timer \(profile)",
            "the engine refuses it: \(SWXEngine.text(status))")
        }
      }
    }

    public func cycles(at time: Timestamp) -> UInt64 {
      options.virtualTime ? clock.cycles(at: time) : cswx_cycles()
    }

    public func restore(_ entries: [LearnedEntry]) -> Int {
      let ids = Dictionary(
        engine.actions.enumerated().map { ($1, UInt32($0)) }, uniquingKeysWith: { id, _ in id })
      return entries.count { entry in
        guard let index = contract.learners.firstIndex(where: { $0.name == entry.table }),
          contract.learners[index].key.count == entry.key.count,
          let action = ids[entry.action],
          contract.actions[entry.action]?.arguments.count == entry.arguments.count
        else { return false }
        return cswx_learner_put(
          engine.pointer, UInt32(index), entry.key, action, entry.arguments, UInt32(entry.timer),
          entry.expiry) == 0
      }
    }

    public func learnedEntries(at time: Timestamp) -> [LearnedEntry] {
      learnedEntries(at: time, part: 0, of: 1).sorted()
    }

    public func learnedEntries(
      at time: Timestamp, part: Int, of parts: Int
    ) -> [LearnedEntry] {
      let now = cycles(at: time)
      var result: [LearnedEntry] = []
      var keys = [UInt64](repeating: 0, count: 64)
      var values = [UInt64](repeating: 0, count: 64)
      for (i, learner) in contract.learners.enumerated() {
        let slots = cswx_learner_slots(engine.pointer, UInt32(i))
        let end = slots * UInt64(part + 1) / UInt64(parts)
        let start = slots * UInt64(part) / UInt64(parts)
        var next = cswx_learner_next(engine.pointer, UInt32(i), start, end, now)
        while next < end {
          let slot = next
          next = cswx_learner_next(engine.pointer, UInt32(i), slot + 1, end, now)
          var action: UInt32 = 0
          var timer: UInt32 = 0
          var expiry: UInt64 = 0
          guard
            cswx_learner_get(
              engine.pointer, UInt32(i), slot, now, &keys, &action, &values, &timer, &expiry) == 1
          else { continue }
          let name = engine.actions[Int(action)]
          let count = contract.actions[name]?.arguments.count ?? 0
          result.append(
            LearnedEntry(
              table: learner.name, key: Array(keys[..<learner.key.count]), action: name,
              arguments: Array(values[..<count]), timer: UInt8(truncatingIfNeeded: timer),
              expiry: expiry))
        }
      }
      return result
    }

    /// Every counter. Actions that never ran, ports and reasons without a frame
    /// are left out.
    public func counters() -> Counters {
      var counters = Counters()
      var actions = [UInt64](repeating: 0, count: engine.actions.count)
      func named(_ allowed: Set<String>) -> [String: UInt64] {
        var result: [String: UInt64] = [:]
        for (i, value) in actions.enumerated()
        where value > 0 && allowed.contains(engine.actions[i]) {
          result[engine.actions[i]] = value
        }
        return result
      }
      for table in contract.tables {
        var values: [UInt64] = [0, 0]
        guard cswx_table_stats(engine.pointer, table.name, &values, &actions) == 0 else { continue }
        var entry = Counters.Table()
        entry.hit = values[0]
        entry.miss = values[1]
        entry.actions = named(Set(table.actions + [table.defaultAction]))
        counters.tables[table.name] = entry
      }
      for learner in contract.learners {
        var values: [UInt64] = [0, 0, 0, 0, 0]
        guard cswx_learner_stats(engine.pointer, learner.name, &values, &actions) == 0 else {
          continue
        }
        var entry = Counters.Learner()
        entry.hit = values[0]
        entry.miss = values[1]
        entry.learned = values[2]
        entry.learnFailed = values[3]
        entry.rearmed = values[4]
        entry.actions = named(Set(engine.actions))
        counters.learners[learner.name] = entry
      }
      if let dropped = cswx_dropped(engine.pointer) {
        for reason in 0..<256 where dropped[reason] > 0 {
          let name = DropReason(rawValue: UInt8(reason)) ?? .pipeline
          counters.dropped[name, default: 0] += dropped[reason]
        }
      }
      // A pipeline without named reasons has no such registers.
      for reason in DropReason.allCases where reason.isOfPipeline {
        guard let count = try? register("drops_0", Int(reason.rawValue)) else { break }
        if count > 0 { counters.droppedByPipeline[reason] = count }
      }
      if let forwarded = cswx_forwarded(engine.pointer) {
        for port in 0..<ports where forwarded[port] > 0 {
          counters.forwarded[PortID(port)] = forwarded[port]
        }
      }
      return counters
    }

    public func registers(_ name: String) throws(DataplaneError) -> [UInt64] {
      guard let size = registerSizes[name] else {
        throw DataplaneError(.notFound, name, "no such register array")
      }
      var values = [UInt64](repeating: 0, count: size)
      for index in values.indices { values[index] = try register(name, index) }
      return values
    }

    public func setRegister(_ name: String, _ index: Int, to value: UInt64) throws(DataplaneError) {
      guard let index = UInt32(exactly: index),
        cswx_register_write(engine.pointer, name, index, value) == 0
      else { throw DataplaneError(.notFound, "\(name)[\(index)]", "no such register") }
    }

    public func register(_ name: String, _ index: Int) throws(DataplaneError) -> UInt64 {
      var value: UInt64 = 0
      guard let index = UInt32(exactly: index),
        cswx_register_read(engine.pointer, name, index, &value) == 0
      else { throw DataplaneError(.notFound, "\(name)[\(index)]", "no such register") }
      return value
    }
  }
#endif
