#if DPDK
  import Core
  import K8sDPArtefacts
  import SimDataplane

  @testable import DPDKDataplane

  /// Where the model and the engine part, with all it takes to see it again.
  struct Difference: Error, CustomStringConvertible {
    var description: String
  }

  /// The engine and the model side by side, given the same.
  final class Twins {
    let engine: SWXDataplane
    let model: SimDataplane
    let label: String
    private(set) var frames = 0
    private var compiler = IntentCompiler()
    private var last = ""

    /// So small that learners fill up, and that reading all of them is cheap.
    private static let sizes = [
      "services": 64, "slots": 32_768, "endpoints": 256,
      "routes": 256, "arp_targets": 256,
    ]

    /// - Parameter staleByte: see ``SWXOptions/staleByte``.
    init(_ label: String, buckets: (flows: Int, fragments: Int) = (64, 4), staleByte: UInt8? = 0)
      throws
    {
      self.label = label
      var options = SWXOptions.k8sDP
      options.sizes = Twins.sizes
      options.sizes["flows"] = buckets.flows
      options.sizes["fragments"] = buckets.fragments
      options.staleByte = staleByte
      engine = try SWXDataplane(
        spec: try PipelineSpec(parsing: K8sDPArtefacts.spec), options: options)
      var modelOptions = SimDataplane.Options()
      modelOptions.clock = engine.clock
      modelOptions.sizes = options.sizes
      model = SimDataplane(options: modelOptions)
    }

    /// - Returns: false when the intent contradicts itself; nothing changes then.
    func set(_ intent: Intent) throws -> Bool {
      var next = compiler
      guard let updates = try? next.updates(for: intent) else { return false }
      try apply(updates)
      compiler = next
      last = "an intent of \(updates.count) updates"
      return true
    }

    /// Both take the updates, or both refuse them for the same reason. Only the
    /// spec's names of key fields differ from the contract's.
    func apply(_ updates: [Update]) throws {
      var errors: [DataplaneError?] = []
      for plane in [engine, model] as [any Dataplane] {
        do throws(DataplaneError) {
          try plane.apply(updates)
          errors.append(nil)
        } catch { errors.append(error) }
      }
      if errors[0]?.code != errors[1]?.code || errors[0]?.entity != errors[1]?.entity {
        throw difference(
          "updates: engine \(errors[0].map(\.description) ?? "took them"), "
            + "model \(errors[1].map(\.description) ?? "took them")")
      }
    }

    func setTimer(_ timer: K8sDP.Timer, seconds: UInt32) throws {
      try engine.setTimer(timer.profile, seconds: seconds)
      try model.setTimer(timer.profile, seconds: seconds)
    }

    /// Sends a frame through both.
    func process(
      _ frame: [UInt8], at time: Timestamp
    ) throws -> (verdict: Verdict, bytes: [UInt8]) {
      frames += 1
      last = "\(time.nanoseconds) ns, \(PacketSummary.line(frame)): \(hex(frame))"
      var left = frame
      var right = frame
      let port = PortID(frames % 8)
      let verdict = engine.process(&left, port: port, at: time)
      let other = model.process(&right, port: port, at: time)
      if verdict != other { throw difference("engine \(verdict), model \(other)") }
      guard case .forward = verdict else { return (verdict, frame) }
      if left != right {
        throw difference(
          "engine \(PacketSummary.line(left)): \(hex(left)), "
            + "model \(PacketSummary.line(right)): \(hex(right))")
      }
      if ChecksumVerifier.problems(in: frame).isEmpty {
        let problems = ChecksumVerifier.problems(in: left)
        if !problems.isEmpty { throw difference("\(problems) in \(hex(left))") }
      }
      return (verdict, left)
    }

    /// Everything both know: tables, learned entries, counters.
    func compareState(at time: Timestamp) throws {
      let left = engine.counters()
      let right = model.counters()
      if left != right { throw difference("engine \(left)\nmodel \(right)") }
      let total = left.forwarded.values.reduce(0, +) + left.dropped.values.reduce(0, +)
      if total != UInt64(frames) { throw difference("\(total) of \(frames) frames are counted") }
      let learned = engine.learnedEntries(at: time)
      let known = model.learnedEntries(at: time)
      if learned != known {
        let odd = Set(learned).symmetricDifference(known).sorted()
        throw difference("only one has \(odd.map { "\($0)" }.joined(separator: "\n"))")
      }
    }

    func compareTables() throws {
      for table in K8sDP.Table.allCases {
        let rows = try engine.entries(of: table.name)
        if try rows != model.entries(of: table.name) { throw difference("table \(table.name)") }
        for row in rows where engine.engineEntry(table: row.table, key: row.key) != row {
          throw difference("the engine lost \(row)")
        }
      }
    }

    private func difference(_ text: String) -> Difference {
      Difference(description: "\(label), frame \(frames), after \(last)\n\(text)")
    }

    private func hex(_ bytes: [UInt8]) -> String {
      bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
  }

  extension Counters {
    /// Adds another run's hits, misses, actions and drops.
    mutating func add(_ other: Counters) {
      for (name, table) in other.tables {
        tables[name, default: .init()].hit += table.hit
        tables[name, default: .init()].miss += table.miss
        tables[name, default: .init()].actions.merge(table.actions, uniquingKeysWith: +)
      }
      for (name, learner) in other.learners {
        learners[name, default: .init()].hit += learner.hit
        learners[name, default: .init()].learned += learner.learned
        learners[name, default: .init()].learnFailed += learner.learnFailed
      }
      dropped.merge(other.dropped, uniquingKeysWith: +)
    }
  }
#endif
