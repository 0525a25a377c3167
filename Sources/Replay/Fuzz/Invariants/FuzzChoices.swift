import Core

/// Removing one of N endpoints moves only its own new flows: the same client asking the
/// same Service anew is sent where it was sent before, unless that endpoint left.
struct FuzzChoices {
  private var choices: [FuzzFlow: UInt64] = [:]

  /// A change of the node. Choices of a Service port that lost one endpoint and is the
  /// same else hold on; those of one that changed in another way are void.
  mutating func change(
    from old: FuzzNode, to node: FuzzNode, refolded: Set<FuzzFlow.Service>
  ) {
    var touched: Set<FuzzFlow.Service> = refolded
    var removed: [FuzzFlow.Service: UInt64] = [:]
    for (service, before) in old.services where before != node.services[service] {
      let after = node.services[service] ?? [:]
      let gone = before.filter { after[$0.key] == nil }
      if gone.count == 1, let endpoint = gone.first?.key, !after.isEmpty,
        after.allSatisfy({ before[$0.key] == $0.value })
      {
        removed[service] = endpoint
      } else {
        touched.insert(service)
      }
    }
    for service in node.services.keys where old.services[service] == nil { touched.insert(service) }
    guard !touched.isEmpty || !removed.isEmpty else { return }
    for (flow, endpoint) in choices
    where touched.contains(flow.service) || removed[flow.service] == endpoint {
      choices[flow] = nil
    }
  }

  /// - Parameter isNew: whether the flow is certainly a new one.
  mutating func check(_ request: FuzzRequest, isNew: Bool) -> String? {
    guard isNew, let endpoint = request.endpoint else { return nil }
    guard let before = choices.updateValue(endpoint, forKey: request.flow) else { return nil }
    return before == endpoint
      ? nil : "a new flow went elsewhere, although its endpoint was not removed"
  }
}
