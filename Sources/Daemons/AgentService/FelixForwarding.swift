import GRPCCore
import InfraProtos

extension Infra_InfraAgent.ClientProtocol {
  /// Calls the manager's method for a message of Felix. Messages that have none, such as
  /// settings of Felix itself, are not for the manager.
  ///
  /// - Throws: `RPCError`, also when the manager answers that it did not take it.
  func forward(_ message: Felix_ToDataplane, options: CallOptions) async throws {
    guard let payload = message.payload else { return }
    let reply: Infra_Reply
    switch payload {
    case .ipsetUpdate(let set): reply = try await updateIPSet(set, options: options)
    case .ipsetDeltaUpdate(let delta): reply = try await updateIPSetDelta(delta, options: options)
    case .ipsetRemove(let set): reply = try await removeIPSet(set, options: options)
    case .activeProfileUpdate(let profile):
      reply = try await updateActiveProfile(profile, options: options)
    case .activeProfileRemove(let profile):
      reply = try await removeActiveProfile(profile, options: options)
    case .activePolicyUpdate(let policy):
      reply = try await activePolicyUpdate(policy, options: options)
    case .activePolicyRemove(let policy):
      reply = try await activePolicyRemove(policy, options: options)
    case .hostEndpointUpdate(let endpoint):
      reply = try await updateHostEndpoint(endpoint, options: options)
    case .hostEndpointRemove(let endpoint):
      reply = try await removeHostEndpoint(endpoint, options: options)
    case .workloadEndpointUpdate(let endpoint):
      reply = try await updateLocalEndpoint(endpoint, options: options)
    case .workloadEndpointRemove(let endpoint):
      reply = try await removeLocalEndpoint(endpoint, options: options)
    case .hostMetadataUpdate(let host):
      reply = try await updateHostMetaData(host, options: options)
    case .hostMetadataRemove(let host):
      reply = try await removeHostMetaData(host, options: options)
    case .serviceAccountUpdate(let account):
      reply = try await updateServiceAccount(account, options: options)
    case .serviceAccountRemove(let account):
      reply = try await removeServiceAccount(account, options: options)
    case .namespaceUpdate(let namespace):
      reply = try await updateNamespace(namespace, options: options)
    case .namespaceRemove(let namespace):
      reply = try await removeNamespace(namespace, options: options)
    case .routeUpdate(let route): reply = try await updateRoute(route, options: options)
    case .routeRemove(let route): reply = try await removeRoute(route, options: options)
    case .vtepUpdate(let tunnel):
      reply = try await updateVXLANTunnelEndpoint(tunnel, options: options)
    case .vtepRemove(let tunnel):
      reply = try await removeVXLANTunnelEndpoint(tunnel, options: options)
    case .wireguardEndpointUpdate(let endpoint):
      reply = try await updateWireguardEndpoint(endpoint, options: options)
    case .wireguardEndpointRemove(let endpoint):
      reply = try await removeWireguardEndpoint(endpoint, options: options)
    case .globalBgpConfigUpdate(let update):
      reply = try await updateGlobalBGPConfig(update, options: options)
    case .inSync, .configUpdate, .ipamPoolUpdate, .ipamPoolRemove: return
    }
    guard reply.successful else {
      throw RPCError(code: .aborted, message: "the manager says: \(reply.errorMessage)")
    }
  }
}
