import Core
import Replay

/// Connections as lines, as `conntrack -L` shows them.
public struct FlowText: Sendable {
  private static let widths = [5, 14, 7, 32, 32]

  private let names: NodeNames
  private let isJSON: Bool

  /// - Parameter names: none shows addresses.
  public init(_ names: NodeNames, isJSON: Bool) {
    self.names = names
    self.isJSON = isJSON
  }

  /// nil for JSON.
  public var heading: String? {
    isJSON ? nil : Self.columns(["PROTO", "STATE", "LEFT", "CLIENT", "SERVICE", "ENDPOINT"])
  }

  private struct Line: Encodable {
    var transport: String
    var state: String
    var left: UInt64
    var client: String
    var service: String
    var endpoint: String
    var clientName: String?
    var serviceName: String?
    var endpointName: String?

    enum CodingKeys: String, CodingKey {
      case transport = "protocol"
      case state, client, service, endpoint
      case left = "left_seconds"
      case clientName = "client_name"
      case serviceName = "service_name"
      case endpointName = "endpoint_name"
    }
  }

  public func line(_ flow: LiveFlow) throws(ReplayError) -> String {
    let connection = flow.connection
    guard isJSON else {
      return Self.columns([
        connection.transport.name.lowercased(), connection.timer.name, "\(flow.left)",
        names.text(pod: connection.client),
        names.text(service: connection.service, connection.transport),
        names.text(pod: connection.endpoint),
      ])
    }
    let service = ServiceAddress(
      connection.service.address, connection.transport, connection.service.port)
    return try JSONText.line(
      Line(
        transport: connection.transport.name.lowercased(), state: connection.timer.name,
        left: flow.left, client: connection.client.description,
        service: connection.service.description, endpoint: connection.endpoint.description,
        clientName: names.pod(connection.client.address), serviceName: names.service(service),
        endpointName: names.pod(connection.endpoint.address)))
  }

  /// Lines come one by one, so the widths are not those of the longest.
  private static func columns(_ words: [String]) -> String {
    var line = ""
    for (index, word) in words.enumerated() {
      line += word
      guard index < widths.count else { break }
      line += String(repeating: " ", count: max(0, widths[index] - word.count) + 2)
    }
    return line
  }
}
