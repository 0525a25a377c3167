import GRPCCore
import P4RuntimeProtos

/// A controller's stream.
public final class Session: Sendable {
  public typealias Client = P4_V1_P4Runtime.Client<TestServer.Transport>

  private let outgoing: AsyncStream<P4_V1_StreamMessageRequest>.Continuation
  private let incoming: AsyncThrowingStream<P4_V1_StreamMessageResponse, any Error>
  private let task: Task<Void, Never>

  /// - Parameter isRead: whether answers are taken off the wire.
  public init(_ client: Client, isRead: Bool = true) {
    let (messages, outgoing) = AsyncStream<P4_V1_StreamMessageRequest>.makeStream()
    let (incoming, answers) = AsyncThrowingStream<
      P4_V1_StreamMessageResponse, any Error
    >.makeStream()
    self.outgoing = outgoing
    self.incoming = incoming
    task = Task {
      do {
        try await client.streamChannel(
          request: StreamingClientRequest { writer in
            for await message in messages { try await writer.write(message) }
          },
          onResponse: { response in
            if isRead {
              for try await message in response.messages { answers.yield(message) }
            } else {
              // Only the end of the stream gets here.
              try await Task.sleep(for: .seconds(3600))
            }
          })
        answers.finish()
      } catch {
        answers.finish(throwing: error)
      }
    }
  }

  deinit {
    outgoing.finish()
    task.cancel()
  }

  public func send(_ message: P4_V1_StreamMessageRequest) { outgoing.yield(message) }

  /// Asks to be primary.
  public func arbitrate(
    _ id: (high: UInt64, low: UInt64)?, role: String? = nil, device: UInt64 = 1,
    _ more: (inout P4_V1_MasterArbitrationUpdate) -> Void = { _ in }
  ) {
    send(
      .with {
        $0.arbitration = .with {
          $0.deviceID = device
          if let role { $0.role = .with { $0.name = role } }
          if let id {
            $0.electionID = .with {
              $0.high = id.high
              $0.low = id.low
            }
          }
          more(&$0)
        }
      })
  }

  /// The next message; nil when the server ended the stream well.
  public func next() async throws -> P4_V1_StreamMessageResponse? {
    var iterator = incoming.makeAsyncIterator()
    return try await iterator.next()
  }

  /// The next message, which is of arbitration.
  public func news() async throws -> P4_V1_MasterArbitrationUpdate {
    guard case .arbitration(let update)? = try await next()?.update else {
      throw SessionError.unexpected
    }
    return update
  }

  /// The next message, which is an error.
  public func error() async throws -> P4_V1_StreamError {
    guard case .error(let error)? = try await next()?.update else {
      throw SessionError.unexpected
    }
    return error
  }

  /// The code with which the server ends the stream, skipping messages; nil for OK.
  public func ending() async -> RPCError.Code? {
    do {
      while try await next() != nil {}
      return nil
    } catch {
      return (error as? RPCError)?.code
    }
  }

  /// Says no more.
  public func finish() { outgoing.finish() }

  /// Breaks off.
  public func cancel() { task.cancel() }

  public enum SessionError: Error { case unexpected }
}
