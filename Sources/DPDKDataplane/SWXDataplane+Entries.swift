#if DPDK
  import CSWX
  import Core

  /// What the pipeline keeps of the entries of a table, beside it: arrays that its actions
  /// index by `entryid`, and the times of hits.
  struct EntryArrays {
    /// Registers: direct counters, and ``hits``.
    var registers: [String] = []
    /// Direct meters.
    var meters: [String] = []
    /// The times of the last hits, in nanoseconds, of a table that tracks them.
    var hits: String?
  }

  /// What is in them for one entry.
  struct EntryValues {
    var registers: [UInt64]
    var rates: [MeterRates?]
  }

  /// The engine gives the id of an entry that is gone to the next one that comes.
  extension SWXDataplane {
    public func index(of key: [UInt64], in table: String) throws(DataplaneError) -> Int? {
      guard let number = engine.tableIndex[table], let known = contract.table(table) else {
        throw DataplaneError(.notFound, table, "no such table")
      }
      if let places = rulePlaces[table] { return places[key] }
      guard known.key.count == key.count, !key.isEmpty else { return nil }
      let index = cswx_table_index(engine.pointer, number, key)
      return index > 0 ? Int(index) : nil
    }

    public func lastHit(of key: [UInt64], in table: String) throws(DataplaneError) -> Timestamp {
      let (array, index) = try hit(key, table)
      return Timestamp(nanoseconds: try register(array, index))
    }

    public func setLastHit(
      of key: [UInt64], in table: String, to time: Timestamp
    ) throws(DataplaneError) {
      let (array, index) = try hit(key, table)
      try setRegister(array, index, to: time.nanoseconds)
    }

    private func hit(
      _ key: [UInt64], _ table: String
    ) throws(DataplaneError) -> (array: String, index: Int) {
      guard let array = entryArrays[table]?.hits else {
        throw DataplaneError(.notFound, table, "the times of hits are not kept")
      }
      guard let index = try index(of: key, in: table) else {
        throw DataplaneError(
          .notFound, "\(table)[\(key.map(String.init).joined(separator: ","))]", "is not there")
      }
      return (array, index)
    }

    func entryValues(of key: [UInt64], in table: String) -> EntryValues? {
      guard !entryArrays.isEmpty, let arrays = entryArrays[table],
        let index = try? index(of: key, in: table)
      else { return nil }
      return entryValues(arrays, index)
    }

    func entryValues(_ arrays: EntryArrays, _ index: Int) -> EntryValues {
      EntryValues(
        registers: arrays.registers.map { (try? register($0, index)) ?? 0 },
        rates: arrays.meters.map { meters[$0]?[index]?.rates })
    }

    /// - Parameter values: nil are those of a new entry: 0, and everything is green.
    func setEntryValues(_ values: EntryValues?, of key: [UInt64], in table: String) {
      guard !entryArrays.isEmpty, let arrays = entryArrays[table],
        let index = try? index(of: key, in: table)
      else { return }
      setEntryValues(values, arrays, index)
    }

    func setEntryValues(_ values: EntryValues?, _ arrays: EntryArrays, _ index: Int) {
      for (i, name) in arrays.registers.enumerated() {
        try? setRegister(name, index, to: values?.registers[i] ?? 0)
      }
      for (i, name) in arrays.meters.enumerated() {
        try? setMeter(name, index, to: values?.rates[i])
        try? clearMeterCounts(name, index)
      }
    }
  }
#endif
