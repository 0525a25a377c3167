import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import Infrap4dDataplane
import P4RuntimeProtos

extension ClusterNode {
  /// The tables that the pipeline itself fills.
  static let learned = ["flows", "fragments"]

  /// All entries of all tables that the manager fills. Reading needs no primary, and does not
  /// take the manager's place.
  public func entries() async throws -> [String] {
    var options = Infrap4dOptions()
    options.address = .unix(path: "\(folder)/infrap4d.sock")
    options.security = .plaintext
    let tables = PipelineBundle.k8sDP().p4Info.tables
      .filter { !Self.learned.contains($0.preamble.alias) }
    let names = Dictionary(uniqueKeysWithValues: tables.map { ($0.preamble.id, $0.preamble.alias) })
    return try await withGRPCClient(transport: try options.transport()) { grpc in
      let request = P4_V1_ReadRequest.with { request in
        request.deviceID = 1
        request.entities = names.keys.map { id in
          .with { $0.tableEntry.tableID = id }
        }
      }
      return try await P4_V1_P4Runtime.Client(wrapping: grpc).read(request) { response in
        var entries: [String] = []
        for try await message in response.messages {
          for entity in message.entities {
            let name = names[entity.tableEntry.tableID] ?? ""
            entries.append("\(name) \(try entity.tableEntry.jsonString())")
          }
        }
        return entries
      }
    }
  }
}
