#if DPDK
  import CSWX
  import Core

  /// The engine's meters have profiles by name, and counts that start again with each change
  /// of profile and cannot be set.
  struct MeterState {
    var rates: MeterRates?
    /// What is to be added to the engine's counts, wrapping.
    var before = MeterCounts()
  }

  /// The profiles of the engine, by what they are.
  struct MeterProfiles {
    private var users: [MeterRates: (name: String, count: Int)] = [:]
    private var next = 0

    /// - Returns: the name, and whether the engine has none of it yet.
    mutating func take(_ rates: MeterRates) -> (name: String, isNew: Bool) {
      if let (name, count) = users[rates] {
        users[rates] = (name, count + 1)
        return (name, false)
      }
      next += 1
      users[rates] = ("k8sdp_\(next)", 1)
      return ("k8sdp_\(next)", true)
    }

    /// - Returns: the name, when nobody uses it any more.
    mutating func giveBack(_ rates: MeterRates) -> String? {
      guard let (name, count) = users[rates] else { return nil }
      users[rates] = count > 1 ? (name, count - 1) : nil
      return count > 1 ? nil : name
    }
  }

  extension SWXDataplane {
    public func setMeter(
      _ name: String, _ index: Int, to rates: MeterRates?
    ) throws(DataplaneError) {
      let shown = try meterCounts(name, index)
      let old = meters[name]?[index]?.rates
      guard rates != nil || old != nil else { return }
      var status: Int32
      if let rates {
        let (profile, isNew) = meterProfiles.take(rates)
        status =
          isNew
          ? cswx_profile_add(
            engine.pointer, profile,
            [rates.committed, rates.committedBurst, rates.peak, rates.peakBurst]) : 0
        if status == 0 { status = cswx_meter_set(engine.pointer, name, UInt32(index), profile) }
        if status != 0 { release(rates) }
      } else {
        status = cswx_meter_set(engine.pointer, name, UInt32(index), nil)
      }
      guard status == 0 else {
        throw DataplaneError(
          .invalidArgument, "\(name)[\(index)]",
          "the engine takes rates and bursts from 1 on, and no peak rate below the committed one: "
            + SWXEngine.text(status))
      }
      if let old { release(old) }
      meters[name, default: [:]][index] = MeterState(rates: rates, before: shown)
    }

    private func release(_ rates: MeterRates) {
      if let unused = meterProfiles.giveBack(rates) {
        _ = cswx_profile_delete(engine.pointer, unused)
      }
    }

    public func meterCounts(_ name: String, _ index: Int) throws(DataplaneError) -> MeterCounts {
      try engineCounts(name, index).adding(meters[name]?[index]?.before ?? MeterCounts())
    }

    public func clearMeterCounts(_ name: String, _ index: Int) throws(DataplaneError) {
      let counts = try engineCounts(name, index)
      meters[name, default: [:]][index, default: MeterState()].before = counts.negated
    }

    private func engineCounts(
      _ name: String, _ index: Int
    ) throws(DataplaneError) -> MeterCounts {
      var packets: [UInt64] = [0, 0, 0]
      var bytes: [UInt64] = [0, 0, 0]
      guard let number = UInt32(exactly: index),
        cswx_meter_stats(engine.pointer, name, number, &packets, &bytes) == 0
      else { throw DataplaneError(.notFound, "\(name)[\(index)]", "no such meter") }
      var counts = MeterCounts()
      counts.green = .init(packets: packets[0], bytes: bytes[0])
      counts.yellow = .init(packets: packets[1], bytes: bytes[1])
      counts.red = .init(packets: packets[2], bytes: bytes[2])
      return counts
    }
  }

  extension MeterCounts {
    fileprivate func adding(_ other: MeterCounts) -> MeterCounts {
      var sum = self
      for color in [\MeterCounts.green, \.yellow, \.red] {
        sum[keyPath: color].packets &+= other[keyPath: color].packets
        sum[keyPath: color].bytes &+= other[keyPath: color].bytes
      }
      return sum
    }

    fileprivate var negated: MeterCounts {
      var result = self
      for color in [\MeterCounts.green, \.yellow, \.red] {
        result[keyPath: color].packets = 0 &- self[keyPath: color].packets
        result[keyPath: color].bytes = 0 &- self[keyPath: color].bytes
      }
      return result
    }
  }
#endif
