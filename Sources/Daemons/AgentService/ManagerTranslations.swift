import Core
import GRPCCore
import InfraProtos
import ServiceSync

/// The Infra Manager over gRPC.
public struct ManagerTranslations<Transport: ClientTransport>: TranslationSink {
  private let client: Infra_InfraAgent.Client<Transport>
  private let options: CallOptions

  /// - Parameter patience: how long a call may take.
  public init(_ client: GRPCClient<Transport>, patience: Duration = .seconds(60)) {
    self.client = .init(wrapping: client)
    options = {
      var options = CallOptions.defaults
      options.timeout = patience
      return options
    }()
  }

  public func put(_ translation: Translation) async throws {
    let message = Self.message(translation.service, translation.endpoints)
    try Self.check(try await client.natTranslationAdd(message, options: options))
  }

  public func remove(_ service: ServiceAddress) async throws {
    let message = Self.message(service, [])
    try Self.check(try await client.natTranslationDelete(message, options: options))
  }

  private static func message(
    _ service: ServiceAddress, _ endpoints: [Translation.Endpoint]
  ) -> Infra_NatTranslation {
    .with {
      $0.proto = service.transport.name
      $0.endpoint.ipv4Addr = "\(service.address)"
      $0.endpoint.port = UInt32(service.port)
      $0.backends = endpoints.map { endpoint in
        .with {
          $0.dstEp.ipv4Addr = "\(endpoint.address)"
          $0.dstEp.port = UInt32(endpoint.port)
        }
      }
    }
  }

  private static func check(_ reply: Infra_Reply) throws {
    guard reply.successful else {
      throw RPCError(code: .aborted, message: "the manager says: \(reply.errorMessage)")
    }
  }
}
