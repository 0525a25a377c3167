import Core
import GRPCCore
import GRPCNIOTransportHTTP2
import P4RuntimeProtos

/// One stream to a server: it asks to be primary and hears who is.
struct ControllerStream: Sendable {
  typealias Client = P4_V1_P4Runtime.Client<HTTP2ClientTransport.Posix>

  private let deviceID: UInt64
  private let requests: AsyncStream<P4_V1_StreamMessageRequest>
  private let feed: AsyncStream<P4_V1_StreamMessageRequest>.Continuation

  init(deviceID: UInt64) {
    self.deviceID = deviceID
    (requests, feed) = AsyncStream.makeStream()
  }

  /// Asks to be primary.
  func arbitrate(electionID: P4_V1_Uint128) {
    feed.yield(
      .with {
        $0.arbitration = .with {
          $0.deviceID = deviceID
          $0.electionID = electionID
        }
      })
  }

  /// Runs until the server or the task ends it.
  ///
  /// - Parameter hear: called with every message, one after the other.
  func run(
    _ client: Client,
    _ hear: @escaping @Sendable (P4_V1_StreamMessageResponse) async throws -> Void
  ) async throws {
    defer { feed.finish() }
    let requests = requests
    let request = StreamingClientRequest<P4_V1_StreamMessageRequest> { writer in
      for await message in requests { try await writer.write(message) }
    }
    try await client.streamChannel(request: request) { response in
      for try await message in response.messages { try await hear(message) }
    }
  }
}
