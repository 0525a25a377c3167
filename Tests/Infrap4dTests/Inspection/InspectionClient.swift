import GRPCCore
import GRPCNIOTransportHTTP2
import InspectionProtos
import Testing

/// The service as its clients have it.
enum InspectionClient {
  typealias Client = K8sdp_V1_Inspection.Client<HTTP2ClientTransport.Posix>

  static func run<Result: Sendable>(
    _ server: ServerProcess, _ body: @Sendable @escaping (Client) async throws -> Result
  ) async throws -> Result {
    try await withGRPCClient(transport: try TestController.unix(server.socket)) { grpc in
      try await body(Client(wrapping: grpc))
    }
  }

  typealias Messages = RPCAsyncSequence<K8sdp_V1_CaptureResponse, any Error>.AsyncIterator

  /// Begins a capture, and runs `body` with what comes after that while it goes on.
  static func capturing<Result: Sendable>(
    _ client: Client, _ request: K8sdp_V1_CaptureRequest = .init(),
    _ body: @Sendable @escaping (inout Messages) async throws -> Result
  ) async throws -> Result {
    try await client.capture(request) { response in
      var messages = response.messages.makeAsyncIterator()
      let first = try #require(try await messages.next())
      #expect(first.frames.isEmpty)
      return try await body(&messages)
    }
  }
}
