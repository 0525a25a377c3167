import Foundation
import GRPCCore
import P4RuntimeProtos

/// How a call ended.
public struct Outcome: Sendable, Equatable, CustomStringConvertible {
  /// Nil is OK.
  public var code: RPCError.Code?
  public var message = ""
  /// One error an element, where the status has them.
  public var details: [P4_V1_Error] = []

  public static let ok = Outcome()

  public var isOK: Bool { code == nil }

  /// The canonical codes of the elements.
  public var codes: [Int32] { details.map(\.canonicalCode) }

  public var description: String {
    "\(code.map { "\($0)" } ?? "ok") \(message) \(details.map { "\($0.canonicalCode) \($0.message)" })"
  }

  init(code: RPCError.Code? = nil, message: String = "", details: [P4_V1_Error] = []) {
    self.code = code
    self.message = message
    self.details = details
  }

  /// How a call ended that threw this.
  public init(_ error: any Error) {
    guard let error = error as? RPCError else {
      self.init(code: .unknown, message: "\(error)")
      return
    }
    let bytes = error.metadata[binaryValues: "grpc-status-details-bin"].first { _ in true }
    let status = bytes.flatMap { try? Google_Rpc_Status(serializedBytes: $0) }
    self.init(
      code: error.code, message: error.message,
      details: (status?.details ?? []).compactMap { try? P4_V1_Error(unpackingAny: $0) })
  }
}

extension TestServer {
  /// Becomes primary with id 1, and pushes a pipeline.
  ///
  /// - Returns: the session, on which the right to write hangs.
  public func start(
    _ config: P4_V1_ForwardingPipelineConfig, id: UInt64 = 1
  ) async throws -> Session {
    let session = Session(client)
    session.arbitrate((0, id))
    _ = try await session.news()
    let outcome = await set(.verifyAndCommit, config, id: (0, id))
    guard outcome.isOK else {
      throw RPCError(code: outcome.code ?? .unknown, message: "\(outcome)")
    }
    return session
  }

  public func set(
    _ action: P4_V1_SetForwardingPipelineConfigRequest.Action,
    _ config: P4_V1_ForwardingPipelineConfig? = nil, id: (UInt64, UInt64)? = (0, 1),
    role: String = "", device: UInt64 = 1
  ) async -> Outcome {
    do {
      _ = try await client.setForwardingPipelineConfig(
        .with {
          $0.deviceID = device
          $0.role = role
          if let id { $0.electionID = Self.election(id) }
          $0.action = action
          if let config { $0.config = config }
        })
      return .ok
    } catch {
      return Outcome(error)
    }
  }

  public func get(
    _ type: P4_V1_GetForwardingPipelineConfigRequest.ResponseType = .all, device: UInt64 = 1
  ) async throws -> P4_V1_GetForwardingPipelineConfigResponse {
    try await client.getForwardingPipelineConfig(
      .with {
        $0.deviceID = device
        $0.responseType = type
      })
  }

  public func write(
    _ updates: [P4_V1_Update], _ atomicity: P4_V1_WriteRequest.Atomicity = .continueOnError,
    id: (UInt64, UInt64)? = (0, 1), role: String = "", device: UInt64 = 1
  ) async -> Outcome {
    do {
      _ = try await client.write(
        .with {
          $0.deviceID = device
          $0.role = role
          if let id { $0.electionID = Self.election(id) }
          $0.updates = updates
          $0.atomicity = atomicity
        })
      return .ok
    } catch {
      return Outcome(error)
    }
  }

  public func write(
    _ updates: P4_V1_Update..., atomicity: P4_V1_WriteRequest.Atomicity = .continueOnError
  ) async -> Outcome {
    await write(updates, atomicity)
  }

  /// The code of one update by itself.
  public func code(_ update: P4_V1_Update) async -> Int32 {
    let outcome = await write([update])
    return outcome.isOK ? 0 : outcome.codes.first ?? -1
  }

  public func read(
    _ entities: [P4_V1_Entity], role: String = "", device: UInt64 = 1
  ) async -> (entities: [P4_V1_Entity], outcome: Outcome) {
    do {
      let entities = try await client.read(
        .with {
          $0.deviceID = device
          $0.role = role
          $0.entities = entities
        }
      ) { response in
        var entities: [P4_V1_Entity] = []
        for try await message in response.messages { entities += message.entities }
        return entities
      }
      return (entities, .ok)
    } catch {
      return ([], Outcome(error))
    }
  }

  /// - Throws: ``ReadError`` for any other outcome than OK.
  public func read(_ entities: P4_V1_Entity...) async throws -> [P4_V1_Entity] {
    let (found, outcome) = await read(entities)
    guard outcome.isOK else { throw ReadError(outcome: outcome) }
    return found
  }

  public struct ReadError: Error, CustomStringConvertible {
    public var outcome: Outcome
    public var description: String { "the Read failed: \(outcome)" }
  }

  /// Every entry, member and group.
  public func readAll() async throws -> [P4_V1_Entity] {
    try await read(.member(0, 0), .group(0, 0), .allTables())
  }

  static func election(_ id: (UInt64, UInt64)) -> P4_V1_Uint128 {
    .with {
      $0.high = id.0
      $0.low = id.1
    }
  }
}
