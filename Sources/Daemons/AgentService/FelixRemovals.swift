import InfraProtos

extension Felix_ToDataplane {
  /// Of an update, the message that takes it back, which the manager has a method for; of such a
  /// message, it itself; nil of others. It has no sequence number.
  var removal: Self? {
    payload?.removal.map { removal in .with { $0.payload = removal } }
  }

  var isRemoval: Bool { payload?.isRemoval == true }
}

extension Felix_ToDataplane.OneOf_Payload {
  fileprivate var isRemoval: Bool {
    switch self {
    case .ipsetRemove, .activeProfileRemove, .activePolicyRemove, .hostEndpointRemove,
      .workloadEndpointRemove, .hostMetadataRemove, .serviceAccountRemove, .namespaceRemove,
      .routeRemove, .vtepRemove, .wireguardEndpointRemove:
      true
    default: false
    }
  }

  fileprivate var removal: Self? {
    switch self {
    case .ipsetUpdate(let set): .ipsetRemove(.with { $0.id = set.id })
    case .activeProfileUpdate(let profile): .activeProfileRemove(.with { $0.id = profile.id })
    case .activePolicyUpdate(let policy): .activePolicyRemove(.with { $0.id = policy.id })
    case .hostEndpointUpdate(let endpoint): .hostEndpointRemove(.with { $0.id = endpoint.id })
    case .workloadEndpointUpdate(let endpoint):
      .workloadEndpointRemove(.with { $0.id = endpoint.id })
    case .hostMetadataUpdate(let host): .hostMetadataRemove(.with { $0.hostname = host.hostname })
    // The address in it tells nothing apart.
    case .hostMetadataRemove(let host): .hostMetadataRemove(.with { $0.hostname = host.hostname })
    case .serviceAccountUpdate(let account): .serviceAccountRemove(.with { $0.id = account.id })
    case .namespaceUpdate(let namespace): .namespaceRemove(.with { $0.id = namespace.id })
    case .routeUpdate(let route): .routeRemove(.with { $0.dst = route.dst })
    case .vtepUpdate(let tunnel): .vtepRemove(.with { $0.node = tunnel.node })
    case .wireguardEndpointUpdate(let endpoint):
      .wireguardEndpointRemove(.with { $0.hostname = endpoint.hostname })
    case .ipsetRemove, .activeProfileRemove, .activePolicyRemove, .hostEndpointRemove,
      .workloadEndpointRemove, .serviceAccountRemove, .namespaceRemove, .routeRemove, .vtepRemove,
      .wireguardEndpointRemove:
      self
    case .inSync, .ipsetDeltaUpdate, .configUpdate, .ipamPoolUpdate, .ipamPoolRemove,
      .globalBgpConfigUpdate:
      nil
    }
  }
}
