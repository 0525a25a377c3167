import Core
import GRPCCore
import InfraProtos
import ServiceSync

/// The Infra Manager over gRPC: ours takes many changes in a call, upstream's one.
public struct ManagerTranslations<Transport: ClientTransport>: TranslationSink {
  private let upstream: Infra_InfraAgent.Client<Transport>
  private let ours: K8sdp_V1_Translations.Client<Transport>
  private let options: CallOptions

  /// Calls at the same time to a manager that takes one change in each.
  private static var width: Int { 128 }

  /// - Parameter patience: how long a call may take.
  public init(_ client: GRPCClient<Transport>, patience: Duration = .seconds(60)) {
    upstream = .init(wrapping: client)
    ours = .init(wrapping: client)
    options = {
      var options = CallOptions.defaults
      options.timeout = patience
      return options
    }()
  }

  public func make(_ changes: [TranslationChange]) async -> [Int: any Error] {
    do { return try await makeTogether(changes) } catch {
      guard let error = error as? RPCError, error.code == .unimplemented else {
        return Dictionary(uniqueKeysWithValues: changes.indices.map { ($0, error) })
      }
      return await makeOneByOne(changes)
    }
  }

  private func makeTogether(_ changes: [TranslationChange]) async throws -> [Int: any Error] {
    let response = try await ours.makeChanges(
      .with { $0.changes = changes.map(Self.message) }, options: options)
    var errors: [Int: any Error] = [:]
    for refused in response.refused {
      let code = Status.Code(rawValue: Int(refused.code)).flatMap(RPCError.Code.init) ?? .unknown
      errors[Int(refused.index)] = RPCError(code: code, message: refused.message)
    }
    return errors
  }

  private func makeOneByOne(_ changes: [TranslationChange]) async -> [Int: any Error] {
    await withTaskGroup(of: (Int, (any Error)?).self) { group in
      var rest = changes.enumerated().makeIterator()
      func next() {
        guard let (index, change) = rest.next() else { return }
        group.addTask {
          do {
            try await make(change)
            return (index, nil)
          } catch { return (index, error) }
        }
      }
      for _ in 0..<Self.width { next() }
      var errors: [Int: any Error] = [:]
      for await (index, error) in group {
        errors[index] = error
        next()
      }
      return errors
    }
  }

  private func make(_ change: TranslationChange) async throws {
    let reply =
      switch change {
      case .put(let translation):
        try await upstream.natTranslationAdd(
          Self.message(translation.service, translation.endpoints), options: options)
      case .remove(let service):
        try await upstream.natTranslationDelete(Self.message(service), options: options)
      }
    guard reply.successful else {
      throw RPCError(code: .aborted, message: "the manager says: \(reply.errorMessage)")
    }
  }

  private static func message(_ change: TranslationChange) -> K8sdp_V1_TranslationChange {
    .with {
      switch change {
      case .put(let translation):
        $0.put = message(translation.service, translation.endpoints)
      case .remove(let service): $0.remove = message(service)
      }
    }
  }

  private static func message(
    _ service: ServiceAddress, _ endpoints: [Translation.Endpoint] = []
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
}
