import Core
import GRPCCore
import InfraProtos

/// k8sdp.v1.Translations: many Services in one call, for agents that know it.
public struct TranslationsService: K8sdp_V1_Translations.SimpleServiceProtocol {
  private let manager: InfraManager

  public init(_ manager: InfraManager) { self.manager = manager }

  public func makeChanges(
    request: K8sdp_V1_MakeChangesRequest, context: ServerContext
  ) async throws -> K8sdp_V1_MakeChangesResponse {
    var refused: [K8sdp_V1_RefusedChange] = []
    func refuse(_ index: Int, _ error: RPCError) {
      refused.append(
        .with {
          $0.index = UInt32(index)
          $0.code = Int32(error.code.rawValue)
          $0.message = error.message
        })
    }
    var changes: [Change] = []
    var indices: [Int] = []
    for (index, message) in request.changes.enumerated() {
      do throws(RPCError) {
        changes.append(try RequestParsing.change(message))
        indices.append(index)
      } catch { refuse(index, error) }
    }
    for (number, error) in await manager.make(changes) { refuse(indices[number], RPCError(error)) }
    return .with { $0.refused = refused.sorted { $0.index < $1.index } }
  }
}
