import Foundation
import InfraProtos
import Netlink

/// The commands of the specification.
struct Plugin: Sendable {
  let invocation: Invocation
  let configuration: NetworkConfiguration
  let agent: AgentClient
  let ipam: IPAMPlugin?
  let store: AttachmentStore

  /// The gateway of every pod, whose ARP the dataplane answers.
  static let gateway = "169.254.1.1"

  init(_ invocation: Invocation, _ configuration: NetworkConfiguration) throws {
    self.invocation = invocation
    self.configuration = configuration
    agent = AgentClient(address: configuration.agent)
    ipam = try IPAMPlugin(configuration, invocation)
    store = AttachmentStore(configuration)
  }

  /// - Returns: what ADD prints; the others print nothing.
  func run() async throws -> CNIResult? {
    switch invocation.command {
    case .add: return try await add()
    case .del: try await delete(invocation, agent.connect())
    case .check: try await check()
    case .gc: try await collectGarbage()
    case .status: try await status()
    // Answered before there is a configuration.
    case .version: break
    }
    return nil
  }

  private func add() async throws -> CNIResult {
    try refuseExisting()
    // The IPAM plugin is what takes longest: it runs while all else is made ready.
    let leasing = Task { try await lease() }
    do {
      let agent = try agent.connect()
      try store.keep(
        .init(
          containerID: invocation.containerID, ifname: invocation.interface,
          netns: invocation.netns))
      return try await add(agent, await leasing.value)
    } catch {
      // The runtime's DEL comes, too; an address should not wait for it.
      if (try? await leasing.value) != nil {
        try? await ipam?.call(
          Invocation(
            .del, containerID: invocation.containerID, netns: invocation.netns,
            interface: invocation.interface, like: invocation))
      }
      throw error
    }
  }

  private func add(_ agent: AgentClient.Calls, _ leased: CNIResult) async throws -> CNIResult {
    let request = try AddMessage(leased, invocation, configuration).message
    // Only CHECK asks for it: it is written while the agent works.
    async let isKept: Void = keep(leased)
    let reply = try await agent.add(request)
    do { try await isKept } catch {
      try? await agent.del(invocation.interface, netns: invocation.netns)
      throw error
    }
    return result(leased, request, mac: reply.containerMac)
  }

  private func keep(_ leased: CNIResult) async throws {
    guard ipam != nil else { return }
    try store.keep(
      .init(
        containerID: invocation.containerID, ifname: invocation.interface,
        netns: invocation.netns, leased: leased))
  }

  /// Addresses for the pod: the IPAM plugin's, or those of the plugins before this one.
  private func lease() async throws -> CNIResult {
    if let ipam { return try await ipam.add(invocation) }
    guard let before = configuration.prevResult, before.ips?.isEmpty == false else {
      throw CNIError(
        .invalidConfiguration, "nobody gives addresses", "name a plugin in ipam.type")
    }
    return CNIResult(ips: before.ips, routes: before.routes, dns: before.dns)
  }

  /// What was there before, and the pod's interface.
  private func result(
    _ leased: CNIResult, _ request: Cni_AddRequest, mac: String
  ) -> CNIResult {
    var result = configuration.prevResult ?? CNIResult()
    result.cniVersion = configuration.version.rawValue
    let index = result.interfaces?.count ?? 0
    result.interfaces =
      (result.interfaces ?? []) + [
        .init(
          name: invocation.interface, mac: mac,
          mtu: configuration.version == .v11 ? configuration.mtu : nil, sandbox: invocation.netns)
      ]
    let ours = request.containerIps.map {
      CNIResult.IP(address: $0.address, gateway: Self.gateway, interface: index)
    }
    let routes = request.containerRoutes.map { CNIResult.Route(dst: $0, gw: Self.gateway) }
    // Without an IPAM plugin the addresses and routes before are ours.
    result.ips = (ipam == nil ? [] : result.ips ?? []) + ours
    result.routes = (ipam == nil ? [] : result.routes ?? []) + routes
    result.dns = leased.dns ?? configuration.dns ?? result.dns
    return result
  }

  /// An interface that is there already is an error of the runtime's.
  private func refuseExisting() throws {
    let socket = try RouteSocket(in: namespace())
    guard try socket.link(named: invocation.interface) == nil else {
      throw CNIError(
        .interfaceExists, "\(invocation.interface) is in \(invocation.netns) already",
        "DEL comes before another ADD")
    }
  }

  /// - Throws: ``CNIError/Code/unknownContainer``.
  func namespace() throws(CNIError) -> NetworkNamespace {
    do {
      return try NetworkNamespace(path: invocation.netns)
    } catch {
      throw CNIError(.unknownContainer, "the container has no network namespace", "\(error)")
    }
  }

  /// First no frames go to the pod, then its address is free, then it is forgotten.
  private func delete(_ invocation: Invocation, _ agent: AgentClient.Calls) async throws {
    let kept = store[invocation.containerID, invocation.interface]
    let netns = invocation.netns.isEmpty ? kept?.netns ?? "" : invocation.netns
    try await agent.del(invocation.interface, netns: netns)
    try await ipam?.call(invocation)
    try store.remove(invocation.containerID, invocation.interface)
  }

  /// Ends the attachments that the runtime does not know. One that fails does not keep the
  /// others.
  private func collectGarbage() async throws {
    guard let valid = configuration.validAttachments else {
      throw CNIError(
        .invalidConfiguration, "cni.dev/valid-attachments is missing",
        "an empty list ends all attachments")
    }
    let agent = try agent.connect()
    var first: (any Error)?
    for attachment in store.all {
      let known = NetworkConfiguration.Attachment(
        containerID: attachment.containerID, ifname: attachment.ifname)
      guard !valid.contains(known) else { continue }
      do {
        try await delete(
          Invocation(
            .del, containerID: attachment.containerID, netns: attachment.netns,
            interface: attachment.ifname, like: invocation), agent)
      } catch {
        first = first ?? error
      }
    }
    do {
      try await ipam?.call(invocation)
    } catch {
      first = first ?? error
    }
    if let first { throw first }
  }

  private func status() async throws {
    do {
      try await agent.connect().checkHealth()
    } catch let error as CNIError {
      throw CNIError(.notAvailable, error.msg, error.details)
    }
    try await ipam?.call(invocation)
  }
}
