import Core
import GRPCCore
import GRPCNIOTransportHTTP2
import InfraProtos

/// The Infra Agent, which connects pods.
struct AgentClient: Sendable {
  let address: String

  /// An ADD may wait for infrap4d and the manager.
  fileprivate static let patience = Duration.seconds(60)

  /// What can be asked of an agent.
  struct Calls: Sendable {
    fileprivate let client: GRPCClient<HTTP2ClientTransport.Posix>
    fileprivate let address: String

    private static let options: CallOptions = {
      var options = CallOptions.defaults
      options.timeout = AgentClient.patience
      options.waitForReady = false
      return options
    }()

    func add(_ request: Cni_AddRequest) async throws -> Cni_AddReply {
      let reply = try await call {
        try await Cni_CniDataplane.Client(wrapping: client).add(request, options: Self.options)
      }
      guard reply.successful else { throw Self.refusal(reply.errorMessage) }
      return reply
    }

    func del(_ interface: String, netns: String) async throws {
      let request = Cni_DelRequest.with {
        $0.interfaceName = interface
        $0.netns = netns
      }
      let reply = try await call {
        try await Cni_CniDataplane.Client(wrapping: client).del(request, options: Self.options)
      }
      guard reply.successful else { throw Self.refusal(reply.errorMessage) }
    }

    /// The protocol has no codes: what the message of our agent begins with says which it is.
    private static func refusal(_ message: String) -> CNIError {
      func rest(after start: String) -> String? {
        message.hasPrefix(start) ? String(message.dropFirst(start.count)) : nil
      }
      if let reason = rest(after: "try again later: ") {
        return CNIError(.tryAgainLater, "the agent cannot do it now", reason)
      }
      if let reason = rest(after: "no namespace: ") {
        return CNIError(.unknownContainer, "the container has no network namespace", reason)
      }
      return CNIError(.refused, "the agent refused", message)
    }

    /// Asks `grpc.health.v1.Health`.
    func checkHealth() async throws {
      let method = MethodDescriptor(
        fullyQualifiedService: "grpc.health.v1.Health", method: "Check")
      let status = try await call {
        try await client.unary(
          request: ClientRequest(message: []), descriptor: method, serializer: PlainBytes(),
          deserializer: PlainBytes(), options: Self.options
        ) { try $0.message }
      }
      // HealthCheckResponse.status, field 1: SERVING is 1.
      guard status == [0x08, 0x01] else {
        throw CNIError(.notAvailable, "the agent at \(address) does not serve now")
      }
    }

    private func call<Answer>(_ body: () async throws -> Answer) async throws -> Answer {
      do {
        return try await body()
      } catch let error as RPCError {
        throw CNIError(
          .tryAgainLater, "the agent at \(address) does not answer",
          "\(error.code): \(error.message); see that infraagent runs")
      }
    }
  }

  /// Begins to connect. The connection ends with the program: the system closes it sooner than
  /// an orderly end would be over, for which a runtime would wait.
  ///
  /// - Throws: ``CNIError/Code/invalidConfiguration``.
  func connect() throws -> Calls {
    let client = GRPCClient(transport: try transport())
    Task { try await client.runConnections() }
    return Calls(client: client, address: address)
  }

  private func transport() throws -> HTTP2ClientTransport.Posix {
    if address.hasPrefix("unix:") {
      return try .http2NIOPosix(
        target: .unixDomainSocket(path: String(address.dropFirst(5)), authority: "localhost"),
        transportSecurity: .plaintext)
    }
    guard let colon = address.lastIndex(of: ":"),
      let port = Int(address[address.index(after: colon)...]), (1...65_535).contains(port)
    else {
      throw CNIError(
        .invalidConfiguration, "agent \(address) is no address", "give HOST:PORT or unix:PATH")
    }
    let host = String(address[..<colon])
    return try .http2NIOPosix(
      target: IPv4Address(host) == nil
        ? .dns(host: host, port: port) : .ipv4(address: host, port: port),
      transportSecurity: .plaintext)
  }
}

/// A message whose bytes are written by hand.
private struct PlainBytes: MessageSerializer, MessageDeserializer {
  func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes {
    Bytes(message)
  }

  func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] {
    bytes.withUnsafeBytes { Array($0) }
  }
}
