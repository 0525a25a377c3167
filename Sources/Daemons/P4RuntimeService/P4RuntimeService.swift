import Core
import GRPCCore
import GRPCProtobuf
import P4RuntimeCodec
import P4RuntimeProtos

/// P4Runtime 1.4 over gRPC.
public struct P4RuntimeService: RegistrableRPCService {
  private let methods: P4RuntimeMethods

  public init(_ controller: PipelineController) {
    methods = P4RuntimeMethods(controller: controller)
  }

  /// The version that this service implements.
  public static let version = "1.4.1"

  public func registerMethods<Transport: ServerTransport>(
    with router: inout RPCRouter<Transport>
  ) {
    methods.registerMethods(with: &router)
    let methods = methods
    // In place of the generated one, to keep the bytes of a Write for the journal.
    router.registerHandler(
      forMethod: P4_V1_P4Runtime.Method.Write.descriptor,
      deserializer: WriteCall.Deserializer(),
      serializer: ProtobufSerializer<P4_V1_WriteResponse>()
    ) { request, _ in try await methods.write(P4RuntimeMethods.only(request)) }
  }
}

struct P4RuntimeMethods: P4_V1_P4Runtime.StreamingServiceProtocol {
  let controller: PipelineController

  /// Entities in one ReadResponse.
  static let entitiesPerResponse = 512

  func capabilities(
    request: StreamingServerRequest<P4_V1_CapabilitiesRequest>, context: ServerContext
  ) async throws -> StreamingServerResponse<P4_V1_CapabilitiesResponse> {
    let response = P4_V1_CapabilitiesResponse.with {
      $0.p4RuntimeApiVersion = P4RuntimeService.version
    }
    return StreamingServerResponse(single: ServerResponse(message: response))
  }

  func write(
    request: StreamingServerRequest<P4_V1_WriteRequest>, context: ServerContext
  ) async throws -> StreamingServerResponse<P4_V1_WriteResponse> {
    try await write(WriteCall(message: Self.only(request)))
  }

  func write(_ call: WriteCall) async throws -> StreamingServerResponse<P4_V1_WriteResponse> {
    let results = try await Self.mapped { try await controller.write(call) }
    guard results.allSatisfy({ $0 == nil }) else {
      throw RPCError(batch: results, what: "updates")
    }
    return StreamingServerResponse(single: ServerResponse(message: P4_V1_WriteResponse()))
  }

  func read(
    request: StreamingServerRequest<P4_V1_ReadRequest>, context: ServerContext
  ) async throws -> StreamingServerResponse<P4_V1_ReadResponse> {
    let message = try await Self.only(request)
    let view = try await Self.mapped { try await controller.snapshot(for: message) }
    return StreamingServerResponse { writer in
      var results: [P4Error?] = []
      var part: [P4_V1_Entity] = []
      for query in message.entities {
        let answer: AnySequence<P4_V1_Entity>
        do throws(P4Error) { answer = try view.answer(query) } catch {
          results.append(error)
          continue
        }
        results.append(nil)
        for entity in answer {
          part.append(entity)
          guard part.count == Self.entitiesPerResponse else { continue }
          try await writer.write(.with { $0.entities = part })
          part.removeAll(keepingCapacity: true)
        }
      }
      if !part.isEmpty { try await writer.write(.with { $0.entities = part }) }
      guard results.allSatisfy({ $0 == nil }) else {
        throw RPCError(batch: results, what: "queries")
      }
      return [:]
    }
  }

  func setForwardingPipelineConfig(
    request: StreamingServerRequest<P4_V1_SetForwardingPipelineConfigRequest>,
    context: ServerContext
  ) async throws -> StreamingServerResponse<P4_V1_SetForwardingPipelineConfigResponse> {
    let message = try await Self.only(request)
    try await Self.mapped { try await controller.setConfig(message) }
    return StreamingServerResponse(single: ServerResponse(message: .init()))
  }

  func getForwardingPipelineConfig(
    request: StreamingServerRequest<P4_V1_GetForwardingPipelineConfigRequest>,
    context: ServerContext
  ) async throws -> StreamingServerResponse<P4_V1_GetForwardingPipelineConfigResponse> {
    let message = try await Self.only(request)
    let response = try await Self.mapped { try await controller.getConfig(message) }
    return StreamingServerResponse(single: ServerResponse(message: response))
  }

  func streamChannel(
    request: StreamingServerRequest<P4_V1_StreamMessageRequest>, context: ServerContext
  ) async throws -> StreamingServerResponse<P4_V1_StreamMessageResponse> {
    StreamingServerResponse { writer in
      let stream = try await Self.mapped { try await controller.openStream() }
      // It ends when the controller has said all and was told all, when it does not
      // listen, or by an error.
      let ending = await withTaskGroup(of: Ending?.self) { group in
        group.addTask { await listen(to: request, stream) }
        group.addTask {
          do {
            for await message in stream.messages {
              try await writer.write(message)
              stream.didWrite()
            }
          } catch {}
          return .closed
        }
        group.addTask {
          await stream.untilCut()
          return .failed(
            RPCError(code: .resourceExhausted, message: "the stream was not read; cut off"))
        }
        group.addTask { await patience(stream) }
        var ending = Ending.closed
        for await case let first? in group {
          ending = first
          break
        }
        await controller.closeStream(stream)
        group.cancelAll()
        return ending
      }
      if case .failed(let error) = ending { throw error }
      return [:]
    }
  }

  /// A stream without arbitration keeps a place that others want.
  private func patience(_ stream: ControllerStream) async -> Ending? {
    let patience = controller.options.patience
    do { try await Task.sleep(for: patience) } catch { return nil }
    guard await !controller.hasArbitrated(stream) else { return nil }
    return .failed(
      RPCError(code: .deadlineExceeded, message: "no arbitration came within \(patience)"))
  }

  /// Takes what a controller says.
  ///
  /// - Returns: nil when it has said all.
  private func listen(
    to request: StreamingServerRequest<P4_V1_StreamMessageRequest>, _ stream: ControllerStream
  ) async -> Ending? {
    do {
      for try await message in request.messages {
        try await controller.receive(message, on: stream)
      }
      await controller.leave(stream)
      return nil
    } catch let error as P4Error {
      return .failed(RPCError(error))
    } catch let error as RPCError {
      return .failed(error)
    } catch {
      return .closed
    }
  }

  private enum Ending: Sendable {
    case closed
    case failed(RPCError)
  }

  /// The one message of a unary call.
  static func only<Message>(
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
