import Core

/// No flow at a removed endpoint: what is sent to an endpoint finds it listed, or, with
/// TCP, its pod alive; a new flow goes only where the Service sends new flows.
struct FuzzLiveness {
  /// - Parameter isNew: whether the flow is certainly a new one.
  func check(_ request: FuzzRequest, isNew: Bool, in node: FuzzNode) -> String? {
    guard let endpoint = request.endpoint else { return nil }
    let service = request.flow.service
    if isNew {
      guard node.services[service]?[endpoint] ?? 0 > 0 else {
        return "a new flow goes to an endpoint that takes none"
      }
      return nil
    }
    if node.lists(endpoint, for: service) { return nil }
    if service.transport == TransportProtocol.tcp.rawValue, node.pod(of: endpoint) != nil {
      return nil
    }
    return "a flow goes to an endpoint that was removed"
  }
}
