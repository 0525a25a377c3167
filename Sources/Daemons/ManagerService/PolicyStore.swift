import Core
import InfraProtos
import SwiftProtobuf

/// What Calico has said of policies, endpoints and routes: kept, not enforced yet.
struct PolicyStore: Sendable {
  typealias Payload = Felix_ToDataplane.OneOf_Payload

  /// What there may be, as metrics have it.
  enum Kind: String, CaseIterable, Sendable {
    case policy
    case profile
    case ipSet = "ip_set"
    case hostEndpoint = "host_endpoint"
    case workloadEndpoint = "workload_endpoint"
    case hostMetadata = "host_metadata"
    case serviceAccount = "service_account"
    case namespace
    case route
    case vxlanEndpoint = "vxlan_endpoint"
    case wireguardEndpoint = "wireguard_endpoint"
    case bgpConfiguration = "bgp_configuration"
  }

  private struct Key: Hashable {
    var kind: Kind
    var id: String

    init(_ kind: Kind, _ id: String) { (self.kind, self.id) = (kind, id) }
    init(_ kind: Kind, _ id: some Message) { self.init(kind, id.textFormatString()) }
  }

  private enum Effect {
    case put(Key)
    case remove(Key)
    case change(Key, Felix_IPSetDeltaUpdate)
  }

  private var payloads: [Key: Payload] = [:]

  /// - Throws: ``DataplaneError/Code/notFound`` for a change of a set that is not there.
  mutating func take(_ payload: Payload) throws(DataplaneError) {
    switch Self.effect(of: payload) {
    case .put(let key)?: payloads[key] = payload
    case .remove(let key)?: payloads[key] = nil
    case .change(let key, let delta)?:
      guard case .ipsetUpdate(var set)? = payloads[key] else {
        throw DataplaneError(
          .notFound, "IP set \(key.id)", "is not known; send all of it before what changes")
      }
      let removed = Set(delta.removedMembers)
      set.members = set.members.filter { !removed.contains($0) } + delta.addedMembers
      payloads[key] = .ipsetUpdate(set)
    case nil: break
    }
  }

  /// What makes a store like this one of an empty one.
  var messages: [Felix_ToDataplane] {
    payloads.values.map { payload in .with { $0.payload = payload } }
  }

  /// Kind → how many.
  var counts: [[String]: UInt64] {
    var counts: [[String]: UInt64] = [:]
    for kind in Kind.allCases { counts[[kind.rawValue]] = 0 }
    for key in payloads.keys { counts[[key.kind.rawValue], default: 0] += 1 }
    return counts
  }

  /// - Returns: nil for what is not kept, such as settings of Felix itself.
  private static func effect(of payload: Payload) -> Effect? {
    switch payload {
    case .activePolicyUpdate(let message): .put(Key(.policy, message.id))
    case .activePolicyRemove(let message): .remove(Key(.policy, message.id))
    case .activeProfileUpdate(let message): .put(Key(.profile, message.id))
    case .activeProfileRemove(let message): .remove(Key(.profile, message.id))
    case .ipsetUpdate(let message): .put(Key(.ipSet, message.id))
    case .ipsetDeltaUpdate(let message): .change(Key(.ipSet, message.id), message)
    case .ipsetRemove(let message): .remove(Key(.ipSet, message.id))
    case .hostEndpointUpdate(let message): .put(Key(.hostEndpoint, message.id))
    case .hostEndpointRemove(let message): .remove(Key(.hostEndpoint, message.id))
    case .workloadEndpointUpdate(let message): .put(Key(.workloadEndpoint, message.id))
    case .workloadEndpointRemove(let message): .remove(Key(.workloadEndpoint, message.id))
    case .hostMetadataUpdate(let message): .put(Key(.hostMetadata, message.hostname))
    case .hostMetadataRemove(let message): .remove(Key(.hostMetadata, message.hostname))
    case .serviceAccountUpdate(let message): .put(Key(.serviceAccount, message.id))
    case .serviceAccountRemove(let message): .remove(Key(.serviceAccount, message.id))
    case .namespaceUpdate(let message): .put(Key(.namespace, message.id))
    case .namespaceRemove(let message): .remove(Key(.namespace, message.id))
    case .routeUpdate(let message): .put(Key(.route, message.dst))
    case .routeRemove(let message): .remove(Key(.route, message.dst))
    case .vtepUpdate(let message): .put(Key(.vxlanEndpoint, message.node))
    case .vtepRemove(let message): .remove(Key(.vxlanEndpoint, message.node))
    case .wireguardEndpointUpdate(let message): .put(Key(.wireguardEndpoint, message.hostname))
    case .wireguardEndpointRemove(let message): .remove(Key(.wireguardEndpoint, message.hostname))
    case .globalBgpConfigUpdate: .put(Key(.bgpConfiguration, ""))
    case .inSync, .configUpdate, .ipamPoolUpdate, .ipamPoolRemove: nil
    }
  }
}
