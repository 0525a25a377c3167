import GRPCCore
import InfraProtos

/// Calico's view of the node: accepted and kept.
extension InfraAgentService {
  private func keep(_ payload: PolicyStore.Payload) async throws -> Infra_Reply {
    try await Self.refusals { try await manager.keep(payload) }
    return Self.done
  }

  public func updateIPSetDelta(
    request: Felix_IPSetDeltaUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.ipsetDeltaUpdate(request))
  }

  public func setSnatAddress(
    request: Infra_SetSnatAddressRequest, context: ServerContext
  ) async throws -> Infra_Reply {
    throw RPCError(code: .unimplemented, message: "the pipeline does no source NAT")
  }

  public func addDelSnatPrefix(
    request: Infra_AddDelSnatPrefixRequest, context: ServerContext
  ) async throws -> Infra_Reply {
    throw RPCError(code: .unimplemented, message: "the pipeline does no source NAT")
  }

  public func activePolicyUpdate(
    request: Felix_ActivePolicyUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.activePolicyUpdate(request))
  }

  public func activePolicyRemove(
    request: Felix_ActivePolicyRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.activePolicyRemove(request))
  }

  public func updateIPSet(
    request: Felix_IPSetUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.ipsetUpdate(request))
  }

  public func removeIPSet(
    request: Felix_IPSetRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.ipsetRemove(request))
  }

  public func updateActiveProfile(
    request: Felix_ActiveProfileUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.activeProfileUpdate(request))
  }

  public func removeActiveProfile(
    request: Felix_ActiveProfileRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.activeProfileRemove(request))
  }

  public func updateHostEndpoint(
    request: Felix_HostEndpointUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.hostEndpointUpdate(request))
  }

  public func removeHostEndpoint(
    request: Felix_HostEndpointRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.hostEndpointRemove(request))
  }

  public func updateLocalEndpoint(
    request: Felix_WorkloadEndpointUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.workloadEndpointUpdate(request))
  }

  public func removeLocalEndpoint(
    request: Felix_WorkloadEndpointRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.workloadEndpointRemove(request))
  }

  public func updateHostMetaData(
    request: Felix_HostMetadataUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.hostMetadataUpdate(request))
  }

  public func removeHostMetaData(
    request: Felix_HostMetadataRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.hostMetadataRemove(request))
  }

  public func updateServiceAccount(
    request: Felix_ServiceAccountUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.serviceAccountUpdate(request))
  }

  public func removeServiceAccount(
    request: Felix_ServiceAccountRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.serviceAccountRemove(request))
  }

  public func updateNamespace(
    request: Felix_NamespaceUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.namespaceUpdate(request))
  }

  public func removeNamespace(
    request: Felix_NamespaceRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.namespaceRemove(request))
  }

  public func updateRoute(
    request: Felix_RouteUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.routeUpdate(request))
  }

  public func removeRoute(
    request: Felix_RouteRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.routeRemove(request))
  }

  public func updateVXLANTunnelEndpoint(
    request: Felix_VXLANTunnelEndpointUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.vtepUpdate(request))
  }

  public func removeVXLANTunnelEndpoint(
    request: Felix_VXLANTunnelEndpointRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.vtepRemove(request))
  }

  public func updateWireguardEndpoint(
    request: Felix_WireguardEndpointUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.wireguardEndpointUpdate(request))
  }

  public func removeWireguardEndpoint(
    request: Felix_WireguardEndpointRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.wireguardEndpointRemove(request))
  }

  public func updateGlobalBGPConfig(
    request: Felix_GlobalBGPConfigUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    try await keep(.globalBgpConfigUpdate(request))
  }
}
