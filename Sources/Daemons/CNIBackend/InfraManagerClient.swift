import Core
import GRPCCore
import InfraProtos

/// The Infra Manager over gRPC.
public struct InfraManagerClient<Transport: ClientTransport>: PodNetworks {
  private let client: Infra_InfraAgent.Client<Transport>
  private let options: CallOptions

  /// - Parameter patience: how long a call may take.
  public init(_ client: GRPCClient<Transport>, patience: Duration = .seconds(10)) {
    self.client = Infra_InfraAgent.Client(wrapping: client)
    options = {
      var options = CallOptions.defaults
      options.timeout = patience
      return options
    }()
  }

  public func create(_ request: Cni_AddRequest, tap: String, mac: MACAddress) async throws {
    let message = Infra_CreateNetworkRequest.with {
      $0.addRequest = request
      $0.addRequest.desiredHostInterfaceName = tap
      $0.hostIfName = tap
      $0.macAddr = mac.description
    }
    let reply = try await call { try await client.createNetwork(message, options: options) }
    try check(reply.successful, reply.errorMessage)
  }

  public func delete(
    _ request: Cni_DelRequest, tap: String, mac: MACAddress, address: IPv4Address
  ) async throws {
    let message = Infra_DeleteNetworkRequest.with {
      $0.delRequest = request
      $0.hostIfName = tap
      $0.macAddr = mac.description
      $0.ipv4Addr = "\(address)/32"
    }
    let reply = try await call { try await client.deleteNetwork(message, options: options) }
    try check(reply.successful, reply.errorMessage)
  }

  private func call<Reply>(_ body: () async throws -> Reply) async throws -> Reply {
    do {
      return try await body()
    } catch let error as RPCError {
      let text = "Infra Manager: \(error.code): \(error.message)"
      switch error.code {
      case .unavailable, .deadlineExceeded, .cancelled, .resourceExhausted:
        throw CNIBackendError(.managerAway, "\(text); see that it runs and serves")
      default:
        throw CNIBackendError(.manager, text)
      }
    }
  }

  private func check(_ isSuccessful: Bool, _ message: String) throws {
    guard !isSuccessful else { return }
    throw CNIBackendError(.manager, "Infra Manager: \(message.isEmpty ? "refused" : message)")
  }
}
