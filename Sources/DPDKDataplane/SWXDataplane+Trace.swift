#if DPDK
  import Core

  extension SWXDataplane: TracingDataplane {
    /// As ``process(_:port:at:)``, with the look-ups the engine counted.
    ///
    /// The engine tells how often each action of each table ran, but not on what:
    /// steps carry no addresses, and those of one table stand together, in the
    /// order in which the pipeline first comes to the tables.
    public func trace(
      _ frame: inout [UInt8], port: PortID, at time: Timestamp, names: NameBook
    ) -> FrameTrace {
      let before = counters()
      let verdict = process(&frame, port: port, at: time)
      let difference = CounterSteps(before: before, after: counters())
      let steps = lookUpOrder.flatMap(difference.steps)
      var parts = steps.map {
        "\($0.table ?? "") \($0.outcome == .none ? $0.text : $0.outcome.rawValue)"
      }
      switch verdict {
      case .forward(let port): parts.append("port \(port)")
      case .drop(let reason): parts.append("dropped: \(reason.name) (\(reason.meaning))")
      }
      return FrameTrace(
        verdict: verdict, explanation: parts.joined(separator: " → "), steps: steps)
    }
  }

  /// What one frame added to the counters, as steps.
  private struct CounterSteps {
    let before: Counters
    let after: Counters

    func steps(of table: String, missAction: String) -> [TraceStep] {
      if let new = after.tables[table] {
        let old = before.tables[table] ?? Counters.Table()
        return look(table, new.actions, old.actions, misses: new.miss - old.miss, missAction)
      }
      guard let new = after.learners[table] else { return [] }
      let old = before.learners[table] ?? Counters.Learner()
      var steps = look(table, new.actions, old.actions, misses: new.miss - old.miss, missAction)
      for (count, text) in [
        (new.learned - old.learned, "learned"),
        (new.learnFailed - old.learnFailed, "not learned: bucket full"),
        (new.rearmed - old.rearmed, "timer started again"),
      ] where count > 0 {
        steps.append(TraceStep(table: table, text: text + times(count)))
      }
      return steps
    }

    private func look(
      _ table: String, _ new: [String: UInt64], _ old: [String: UInt64], misses: UInt64,
      _ missAction: String
    ) -> [TraceStep] {
      new.keys.sorted().compactMap { action in
        let count = (new[action] ?? 0) - (old[action] ?? 0)
        guard count > 0 else { return nil }
        // The default action runs on a miss; an entry could name it, too.
        let isMiss = action == missAction && misses > 0
        return TraceStep(
          table: table, outcome: isMiss ? .miss : .hit, action: action,
          text: count == 1 ? "" : times(count).trimmingPrefix(" ").description)
      }
    }

    private func times(_ count: UInt64) -> String { count == 1 ? "" : " ×\(count)" }
  }
#endif
