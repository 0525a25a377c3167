import Core
import GRPCCore
import P4RuntimeCodec
import P4RuntimeProtos

/// P4Runtime 1.4 over gRPC.
public struct P4RuntimeService: P4_V1_P4Runtime.StreamingServiceProtocol {
  private let controller: PipelineController

  public init(_ controller: PipelineController) { self.controller = controller }

  /// The version that this service implements.
  public static let version = "1.4.1"
  /// Entities in one ReadResponse.
  static let entitiesPerResponse = 512

  public func capabilities(
    request: StreamingServerRequest<P4_V1_CapabilitiesRequest>, context: ServerContext
  ) async throws -> StreamingServerResponse<P4_V1_CapabilitiesResponse> {
    let response = P4_V1_CapabilitiesResponse.with {
      $0.p4RuntimeApiVersion = Self.version
    }
    return StreamingServerResponse(single: ServerResponse(message: response))
  }

  public func write(
    request: StreamingServerRequest<P4_V1_WriteRequest>, context: ServerContext
  ) async throws -> StreamingServerResponse<P4_V1_WriteResponse> {
    let message = try await Self.only(request)
    let results = try await Self.mapped { try await controller.write(message) }
    guard results.allSatisfy({ $0 == nil }) else {
      throw RPCError(batch: results, what: "updates")
    }
    return StreamingServerResponse(single: ServerResponse(message: P4_V1_WriteResponse()))
  }

  public func read(
    request: StreamingServerRequest<P4_V1_ReadRequest>, context: ServerContext
  ) async throws -> StreamingServerResponse<P4_V1_ReadResponse> {
    let message = try await Self.only(request)
    let view = try await Self.mapped { try await controller.snapshot(for: message) }
    return StreamingServerResponse { writer in
      var results: [P4Error?] = []
      for query in message.entities {
        var entities: [P4_V1_Entity] = []
        do throws(P4Error) {
          try view.answer(query) { entities.append($0) }
          results.append(nil)
        } catch {
          results.append(error)
        }
        var rest = entities[...]
        while !rest.isEmpty {
          let part = rest.prefix(Self.entitiesPerResponse)
          rest = rest.dropFirst(part.count)
          try await writer.write(.with { $0.entities = Array(part) })
        }
      }
      guard results.allSatisfy({ $0 == nil }) else {
        throw RPCError(batch: results, what: "queries")
      }
      return [:]
    }
  }

  public func setForwardingPipelineConfig(
    request: StreamingServerRequest<P4_V1_SetForwardingPipelineConfigRequest>,
    context: ServerContext
  ) async throws -> StreamingServerResponse<P4_V1_SetForwardingPipelineConfigResponse> {
    let message = try await Self.only(request)
    try await Self.mapped { try await controller.setConfig(message) }
    return StreamingServerResponse(single: ServerResponse(message: .init()))
  }

  public func getForwardingPipelineConfig(
    request: StreamingServerRequest<P4_V1_GetForwardingPipelineConfigRequest>,
    context: ServerContext
  ) async throws -> StreamingServerResponse<P4_V1_GetForwardingPipelineConfigResponse> {
    let message = try await Self.only(request)
    let response = try await Self.mapped { try await controller.getConfig(message) }
    return StreamingServerResponse(single: ServerResponse(message: response))
  }

  public func streamChannel(
    request: StreamingServerRequest<P4_V1_StreamMessageRequest>, context: ServerContext
  ) async throws -> StreamingServerResponse<P4_V1_StreamMessageResponse> {
    let stream = await controller.openStream()
    return StreamingServerResponse { writer in
      // Either side ends the stream: the controller by its half, we by an error.
      let ending = await withTaskGroup(of: Ending.self) { group in
        group.addTask {
          do {
            for try await message in request.messages {
              try await controller.receive(message, on: stream)
            }
            return .closed
          } catch let error as P4Error {
            return .failed(RPCError(error))
          } catch {
            return .closed
          }
        }
        group.addTask {
          do {
            for await message in stream.messages {
              try await writer.write(message)
              stream.didWrite()
            }
            return .failed(
              RPCError(code: .resourceExhausted, message: "the stream was not read; cut off"))
          } catch {
            return .closed
          }
        }
        let first = await group.next() ?? .closed
        await controller.closeStream(stream)
        group.cancelAll()
        return first
      }
      if case .failed(let error) = ending { throw error }
      return [:]
    }
  }

  private enum Ending: Sendable {
    case closed
    case failed(RPCError)
  }

  /// The one message of a unary call.
  private static func only<Message>(
    _ request: StreamingServerRequest<Message>
  ) async throws -> Message {
    var only: Message?
    for try await message in request.messages {
      guard only == nil else {
        throw RPCError(code: .invalidArgument, message: "the call takes one message")
      }
      only = message
    }
    guard let only else {
      throw RPCError(code: .invalidArgument, message: "the call takes a message")
    }
    return only
  }

  private static func mapped<Result>(
    _ body: () async throws -> Result
  ) async throws -> Result {
    do {
      return try await body()
    } catch let error as P4Error {
      throw RPCError(error)
    } catch let error as DataplaneError {
      throw RPCError(P4Error(error))
    } catch is CancellationError {
      throw RPCError(code: .cancelled, message: "the call was cancelled")
    } catch {
      throw RPCError(code: .internalError, message: "\(error)")
    }
  }
}
