import Core
import GRPCCore
import InfraProtos

/// infra.InfraAgent, which agents call.
///
/// A request that cannot be met ends with a gRPC error; a reply always says `successful`.
/// Requests that came already, and requests to remove what is gone, are met.
public struct InfraAgentService: Infra_InfraAgent.SimpleServiceProtocol {
  /// Who answers ARP for the pods' gateway.
  public enum Gateway: Sendable {
    /// The host's own interface.
    case host
    /// A program on port 0 with this MAC address.
    case proxy(MACAddress)
  }

  /// 169.254.1.1, as Calico has it.
  public static let gatewayAddress = IPv4Address(0xA9FE_0101)

  let manager: InfraManager
  private let ports: any PortLookup
  private let gateway: Gateway

  public init(_ manager: InfraManager, ports: any PortLookup, gateway: Gateway) {
    self.manager = manager
    self.ports = ports
    self.gateway = gateway
  }

  public func createNetwork(
    request: Infra_CreateNetworkRequest, context: ServerContext
  ) async throws -> Cni_AddReply {
    guard let first = request.addRequest.containerIps.first else {
      throw RequestParsing.refuse("add_request.container_ips", "", "the pod's IPv4 address")
    }
    guard request.addRequest.containerIps.count == 1 else {
      throw RPCError(
        code: .invalidArgument,
        message: "add_request.container_ips has \(request.addRequest.containerIps.count) "
          + "addresses; this node takes one, of IPv4")
    }
    let name = try RequestParsing.name(request.hostIfName, "host_if_name")
    let address = try RequestParsing.address(
      first.address, "add_request.container_ips[0].address")
    let mac = try RequestParsing.mac(request.macAddr, "mac_addr")
    try await Self.refusals {
      let pod = Intent.Interface(
        name: name, ip: address, mac: mac, port: try await ports.port(of: name))
      try await manager.make(.pod(pod))
    }
    return .with {
      $0.successful = true
      $0.hostInterfaceName = name
      $0.containerMac = "\(mac)"
    }
  }

  public func deleteNetwork(
    request: Infra_DeleteNetworkRequest, context: ServerContext
  ) async throws -> Cni_DelReply {
    let address = try RequestParsing.address(request.ipv4Addr, "ipv4_addr")
    let interface = request.hostIfName.isEmpty ? nil : request.hostIfName
    try await Self.refusals {
      try await manager.make(.removePod(address, interface: interface))
    }
    return .with { $0.successful = true }
  }

  public func setupHostInterface(
    request: Infra_SetupHostInterfaceRequest, context: ServerContext
  ) async throws -> Infra_Reply {
    let name = try RequestParsing.name(request.ifName, "if_name")
    let address = try RequestParsing.address(request.ipv4Addr, "ipv4_addr")
    let mac = try RequestParsing.mac(request.macAddr, "mac_addr")
    try await Self.refusals {
      let host = Intent.Interface(
        name: name, ip: address, mac: mac, port: try await ports.port(of: name))
      // Frames to elsewhere leave for the host as they are, and so with the gateway's
      // address: the host takes them only when that is its own.
      let (gatewayMAC, port): (MACAddress, PortID) =
        switch gateway {
        case .host: (mac, K8sDP.hostPort)
        case .proxy(let proxy): (proxy, 0)
        }
      try await manager.make(
        .host(
          host,
          gateway: Intent.Interface(
            name: "gateway", ip: Self.gatewayAddress, mac: gatewayMAC, port: port)))
    }
    return Self.done
  }

  public func natTranslationAdd(
    request: Infra_NatTranslation, context: ServerContext
  ) async throws -> Infra_Reply {
    let service = try RequestParsing.service(request)
    let endpoints = try RequestParsing.endpoints(request)
    try await Self.refusals { try await manager.make(.service(service, endpoints)) }
    return Self.done
  }

  public func natTranslationDelete(
    request: Infra_NatTranslation, context: ServerContext
  ) async throws -> Infra_Reply {
    let service = try RequestParsing.service(request)
    try await Self.refusals { try await manager.make(.removeService(service)) }
    return Self.done
  }

  static let done = Infra_Reply.with { $0.successful = true }

  static func refusals(_ body: () async throws -> Void) async throws {
    do { try await body() } catch let error as DataplaneError { throw RPCError(error) }
  }
}
