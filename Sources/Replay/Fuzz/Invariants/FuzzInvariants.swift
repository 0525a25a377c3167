import Core

/// What must be true of any dataplane, whichever agree: both may be wrong together.
struct FuzzInvariants {
  private var translations = FuzzTranslations()
  private let liveness = FuzzLiveness()
  private let tuples = FuzzTuples()
  private var survival = FuzzSurvival()
  private var choices = FuzzChoices()
  private var spread = FuzzSpread()

  /// Whether the tables are what the intent says.
  private var isIntended = true
  private var node = FuzzNode(Intent())
  /// Service port → slots − 1.
  private var masks: [FuzzFlow.Service: UInt64] = [:]
  /// Flows that may have an entry: no new ones.
  private var known: Set<FuzzFlow> = []
  /// Flows whose endpoint was taken away, while they have an entry.
  private var removed: Set<FuzzFlow> = []
  private var pins: [FuzzPin] = []

  /// A row is overwritten, so that the intent says nothing more of flows.
  mutating func overwrite() { isIntended = false }

  /// A change of the node, which the dataplane has taken.
  mutating func change(to intent: Intent, on plane: any Dataplane) -> String? {
    let new = FuzzNode(intent)
    let services: [TableEntry]
    do throws(DataplaneError) { services = try plane.entries(of: "services") } catch {
      return error.description
    }
    var newMasks: [FuzzFlow.Service: UInt64] = [:]
    for row in services { newMasks[FuzzFlow.Service(row)] = row.arguments[1] }
    let refolded = Set(
      masks.compactMap { service, mask in newMasks[service] ?? 0 < mask ? service : nil })
    masks = newMasks
    survival.change(from: node, to: new, refolded: refolded)
    choices.change(from: node, to: new, refolded: refolded)
    for i in pins.indices
    where new.removes(pins[i].endpoint, of: pins[i].flow.service, from: node) {
      removed.insert(pins[i].flow)
    }
    node = new
    spread.change(to: node)
    return nil
  }

  /// A frame, and what became of it.
  mutating func check(
    before: [UInt8], after: [UInt8], _ verdict: Verdict, cycles: UInt64
  ) -> String? {
    switch verdict {
    case .forward:
      if ChecksumVerifier.problems(in: before).isEmpty,
        let problem = ChecksumVerifier.problems(in: after).first
      {
        return problem
      }
      if let problem = translations.check(before: before, after: after) { return problem }
    case .drop(.flowTableFull), .drop(.fragment): translations.refused(before)
    case .drop(.pipeline), .drop(.badPort):
      return "\(TraceText.verdict(verdict)): not a reason of k8s_dp"
    case .drop: break
    }
    guard isIntended, let request = FuzzRequest(before: before, after: after, verdict: verdict)
    else {
      return nil
    }
    guard node.services[request.flow.service] != nil || request.endpoint != nil else {
      // Perhaps a reply that ends its connection.
      if let flags = request.flags, !flags.isDisjoint(with: [.fin, .rst]) {
        survival.forget(client: request.flow.service.end)
      }
      return nil
    }
    let isNew = request.opens && !known.contains(request.flow)
    if request.endpoint != nil { known.insert(request.flow) }
    spread.note(request, isNew: isNew)
    return liveness.check(request, isNew: isNew, in: node)
      ?? survival.check(request, cycles: cycles) ?? choices.check(request, isNew: isNew)
  }

  /// The learned entries that are alive.
  mutating func learned(_ entries: [LearnedEntry]) -> String? {
    guard isIntended else { return nil }
    pins = entries.compactMap(FuzzPin.init)
    known = Set(pins.map(\.flow))
    removed.formIntersection(known)
    for i in pins.indices where removed.contains(pins[i].flow) { pins[i].isStale = true }
    survival.learn(pins)
    return tuples.check(pins, entries)
  }

  /// The end of an episode.
  func finish(on plane: any Dataplane) -> String? {
    guard isIntended else { return nil }
    do throws(DataplaneError) {
      return spread.finish(
        node, services: try plane.entries(of: "services"), slots: try plane.entries(of: "slots"))
    } catch { return error.description }
  }
}
