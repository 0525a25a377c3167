import HashTreeCollections

/// Turns intent into table updates: everything the first time, the least
/// difference ever after.
///
/// Pure and deterministic: the same intents in the same order give the same
/// updates. The order of pods, Services, ports and endpoints means nothing.
///
/// Endpoints that leave their Service while their pod lives keep a draining row
/// in `endpoints`, and their id, until the pod itself is gone: established TCP
/// flows need it, even when the whole Service is removed.
///
/// A copy shares all that it does not change, so that trying a change of one Service among
/// thousands costs what that Service costs.
public struct IntentCompiler: Sendable, Codable {
  var node = NodeState()
  var services: [Intent.Service] = []
  /// Service ports in use, and removed ones whose pods may still have flows.
  var ports: TreeDictionary<ServicePortKey, ServicePortState> = [:]
  /// The epoch that a removed Service port starts with when it comes back:
  /// UDP flows may remember the lower ones. 12 bytes for each address, port and
  /// protocol that ever was a Service port.
  var forgotten: TreeDictionary<ServicePortKey, UInt32> = [:]
  /// Endpoint address → the Service ports it is a member of, once for each of
  /// its ports.
  var memberships: TreeDictionary<UInt32, [ServicePortKey]> = [:]
  /// Service address → its ports in use.
  var virtualAddresses: TreeDictionary<UInt32, Int> = [:]
  var rows = RowCounts()
  var serviceIDs: IDAllocator
  var endpointIDs: IDAllocator

  public init() { self.init(lastServiceID: 0, lastEndpointID: 0) }

  init(lastServiceID: UInt32, lastEndpointID: UInt32) {
    serviceIDs = IDAllocator(last: lastServiceID)
    endpointIDs = IDAllocator(last: lastEndpointID)
  }

  /// The updates that lead from the last intent to this one.
  ///
  /// They may be applied one by one: nothing ever refers to a row that is not
  /// there. Endpoints come before slots, slots before Services and routes, and
  /// deletions in the reverse order.
  ///
  /// - Throws: ``IntentError``; the compiler is then as before.
  public mutating func updates(for intent: Intent) throws(IntentError) -> [Update] {
    let plan = try plan(for: intent)
    let updates = updates(of: plan)
    commit(plan, intent)
    return updates
  }

  private mutating func commit(_ plan: IntentPlan, _ intent: Intent) {
    for state in plan.ports {
      let key = state.key
      reindex(from: ports[key]?.members ?? [], to: state.members, key)
      if state.wanted == nil, state.members.isEmpty {
        ports[key] = nil
        forgotten[key] = state.slots.latestEpoch
      } else {
        ports[key] = state
        forgotten[key] = nil
      }
    }
    for (address, count) in plan.virtualAddresses {
      virtualAddresses[address] = count == 0 ? nil : count
    }
    node.commit(plan.node, intent)
    services = intent.services
    rows = plan.rows
    serviceIDs = plan.serviceIDs
    endpointIDs = plan.endpointIDs
  }

  /// Brings ``memberships`` in line. Members are sorted on both sides.
  private mutating func reindex(
    from old: [ServicePortState.Member], to new: [ServicePortState.Member], _ key: ServicePortKey
  ) {
    var i = 0
    var j = 0
    while i < old.count || j < new.count {
      if j == new.count || (i < old.count && old[i].order < new[j].order) {
        let address = old[i].address.value
        if let position = memberships[address]?.firstIndex(of: key) {
          memberships[address]?.remove(at: position)
          if memberships[address]?.isEmpty == true { memberships[address] = nil }
        }
        i += 1
      } else if i == old.count || new[j].order < old[i].order {
        memberships[new[j].address.value, default: []].append(key)
        j += 1
      } else {
        i += 1
        j += 1
      }
    }
  }
}
