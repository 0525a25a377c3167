import Core
import GNMIProtos
import GRPCCore

/// Finds the pipeline's port of an interface.
public protocol PortLookup: Sendable {
  /// - Throws: ``DataplaneError``: `notFound` for an interface that is no port,
  ///   `unavailable`.
  func port(of interface: String) async throws(DataplaneError) -> PortID
}

/// Asks infrap4d by gNMI.
public struct GNMIPortLookup<Transport: ClientTransport>: PortLookup {
  private let client: Gnmi_gNMI.Client<Transport>

  public init(_ client: GRPCClient<Transport>) { self.client = .init(wrapping: client) }

  public func port(of interface: String) async throws(DataplaneError) -> PortID {
    let path = Gnmi_Path.with {
      $0.elem = [
        .with { $0.name = "interfaces" },
        .with {
          $0.name = "virtual-interface"
          $0.key = ["name": interface]
        },
        .with { $0.name = "config" }, .with { $0.name = "tdi-portin-id" },
      ]
    }
    var options = CallOptions.defaults
    options.timeout = .seconds(10)
    let response: Gnmi_GetResponse
    do {
      response = try await client.get(
        .with {
          $0.path = [path]
          $0.encoding = .proto
          $0.type = .all
        }, options: options)
    } catch let error as RPCError where error.code == .notFound {
      throw DataplaneError(
        .notFound, interface, "infrap4d has no port of this name; make it with gnmi-ctl")
    } catch {
      throw DataplaneError(.unavailable, interface, "its port cannot be looked up: \(error)")
    }
    guard case .uintVal(let id)? = response.notification.first?.update.first?.val.value,
      let port = PortID(exactly: id)
    else { throw DataplaneError(.unavailable, interface, "infrap4d answers with no port id") }
    return port
  }
}
