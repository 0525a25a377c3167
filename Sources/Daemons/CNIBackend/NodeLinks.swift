import Core
import Netlink

/// The interfaces of the node's own namespace.
struct NodeLinks: Sendable {
  let namespace: NetworkNamespace

  init(_ path: String) throws(CNIBackendError) {
    do {
      namespace = try NetworkNamespace(path: path)
    } catch {
      throw CNIBackendError(.kernel, "\(error)")
    }
  }

  /// The names of all interfaces.
  func names() async throws -> Set<String> {
    let namespace = namespace
    return try await blocking {
      Set(try RouteSocket(in: namespace).links().map(\.name))
    }
  }

  /// The Ethernet address of an interface, or nil when it is not there.
  func mac(of name: String) async throws -> MACAddress? {
    let namespace = namespace
    return try await blocking { try RouteSocket(in: namespace).link(named: name)?.mac }
  }
}
