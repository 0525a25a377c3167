import Core

/// Selection spreads by weight within a stated bound.
///
/// - Slots: an endpoint owns its share of a Service port's slots, rounded down or up.
/// - Flows: of the new flows of an episode, those that went to the endpoint of lowest
///   address are as many as its share lets expect, within seven standard deviations and
///   two: a right pipeline is beyond that less than once in 10¹¹ episodes.
struct FuzzSpread {
  private static let deviations = 7.0

  private var seen: Set<FuzzFlow> = []
  private var expected = 0.0
  private var variance = 0.0
  private var found = 0.0
  /// Service port → endpoint of lowest address that takes new flows, and its share.
  private var shares: [FuzzFlow.Service: (endpoint: UInt64, share: Double)] = [:]

  /// A change of the node.
  mutating func change(to node: FuzzNode) {
    shares = [:]
    seen.removeAll(keepingCapacity: true)
    for (service, endpoints) in node.services {
      let active = endpoints.filter { $0.value > 0 }
      let total = active.values.reduce(0) { $0 + Double($1) }
      if active.count > 1, let least = active.keys.min(), let weight = active[least] {
        shares[service] = (least, Double(weight) / total)
      }
    }
  }

  /// - Parameter isNew: whether the flow is certainly a new one.
  mutating func note(_ request: FuzzRequest, isNew: Bool) {
    // The same client choosing again is no new sample.
    guard isNew, let endpoint = request.endpoint, let share = shares[request.flow.service],
      seen.insert(request.flow).inserted
    else { return }
    expected += share.share
    variance += share.share * (1 - share.share)
    if endpoint == share.endpoint { found += 1 }
  }

  /// - Parameters:
  ///   - services: the rows of `services`: dst_ip, dst_port, kind → id, mask.
  ///   - slots: the rows of `slots`, in any order.
  /// - Returns: what is wrong with the episode as a whole.
  func finish(_ node: FuzzNode, services: [TableEntry], slots: [TableEntry]) -> String? {
    guard abs(found - expected) <= Self.deviations * variance.squareRoot() + 2 else {
      return "\(Int(found)) new flows went to an endpoint whose weight is worth \(Int(expected))"
    }
    var owned: [UInt64: [UInt32: Int]] = [:]
    for row in slots {
      for slot in K8sDP.slots(in: row) {
        owned[row.key[0], default: [:]][slot.endpoint, default: 0] += 1
      }
    }
    for row in services {
      let active = (node.services[FuzzFlow.Service(row)] ?? [:]).values.filter { $0 > 0 }
      let counts = (owned[row.arguments[0]] ?? [:]).values.sorted()
      let count = active.isEmpty ? 0 : Int(row.arguments[1]) + 1
      guard counts.count == active.count, counts.reduce(0, +) == count else {
        return "the slots of a Service are not those of its endpoints"
      }
      let total = active.reduce(0) { $0 + Double($1) }
      let exact = active.map { Double(count) * Double($0) / total }.sorted()
      for (slots, exact) in zip(counts, exact) where abs(Double(slots) - exact) > 1 {
        return "an endpoint has \(slots) of \(count) slots; its weight is worth \(exact)"
      }
    }
    return nil
  }
}
