import GRPCCore
import InfraProtos

/// Calico's view of the node: accepted and kept.
extension InfraAgentService {
  /// An id that is text.
  private func key(_ text: String) -> Felix_ProfileID { .with { $0.name = text } }

  public func updateIPSetDelta(
    request: Felix_IPSetDeltaUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.change("ip set", key(request.id)) { (set: inout Felix_IPSetUpdate) in
      let removed = Set(request.removedMembers)
      set.members = set.members.filter { !removed.contains($0) } + request.addedMembers
    }
    return Self.done
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
    policies.keep("policy", request.id, request)
    return Self.done
  }

  public func activePolicyRemove(
    request: Felix_ActivePolicyRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.forget("policy", request.id)
    return Self.done
  }

  public func updateIPSet(
    request: Felix_IPSetUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.keep("ip set", key(request.id), request)
    return Self.done
  }

  public func removeIPSet(
    request: Felix_IPSetRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.forget("ip set", key(request.id))
    return Self.done
  }

  public func updateActiveProfile(
    request: Felix_ActiveProfileUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.keep("profile", request.id, request)
    return Self.done
  }

  public func removeActiveProfile(
    request: Felix_ActiveProfileRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.forget("profile", request.id)
    return Self.done
  }

  public func updateHostEndpoint(
    request: Felix_HostEndpointUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.keep("host endpoint", request.id, request)
    return Self.done
  }

  public func removeHostEndpoint(
    request: Felix_HostEndpointRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.forget("host endpoint", request.id)
    return Self.done
  }

  public func updateLocalEndpoint(
    request: Felix_WorkloadEndpointUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.keep("workload endpoint", request.id, request)
    return Self.done
  }

  public func removeLocalEndpoint(
    request: Felix_WorkloadEndpointRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.forget("workload endpoint", request.id)
    return Self.done
  }

  public func updateHostMetaData(
    request: Felix_HostMetadataUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.keep("host metadata", key(request.hostname), request)
    return Self.done
  }

  public func removeHostMetaData(
    request: Felix_HostMetadataRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.forget("host metadata", key(request.hostname))
    return Self.done
  }

  public func updateServiceAccount(
    request: Felix_ServiceAccountUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.keep("service account", request.id, request)
    return Self.done
  }

  public func removeServiceAccount(
    request: Felix_ServiceAccountRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.forget("service account", request.id)
    return Self.done
  }

  public func updateNamespace(
    request: Felix_NamespaceUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.keep("namespace", request.id, request)
    return Self.done
  }

  public func removeNamespace(
    request: Felix_NamespaceRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.forget("namespace", request.id)
    return Self.done
  }

  public func updateRoute(
    request: Felix_RouteUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.keep("route", key(request.dst), request)
    return Self.done
  }

  public func removeRoute(
    request: Felix_RouteRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.forget("route", key(request.dst))
    return Self.done
  }

  public func updateVXLANTunnelEndpoint(
    request: Felix_VXLANTunnelEndpointUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.keep("vxlan endpoint", key(request.node), request)
    return Self.done
  }

  public func removeVXLANTunnelEndpoint(
    request: Felix_VXLANTunnelEndpointRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.forget("vxlan endpoint", key(request.node))
    return Self.done
  }

  public func updateWireguardEndpoint(
    request: Felix_WireguardEndpointUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.keep("wireguard endpoint", key(request.hostname), request)
    return Self.done
  }

  public func removeWireguardEndpoint(
    request: Felix_WireguardEndpointRemove, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.forget("wireguard endpoint", key(request.hostname))
    return Self.done
  }

  public func updateGlobalBGPConfig(
    request: Felix_GlobalBGPConfigUpdate, context: ServerContext
  ) async throws -> Infra_Reply {
    policies.keep("bgp configuration", key(""), request)
    return Self.done
  }
}
