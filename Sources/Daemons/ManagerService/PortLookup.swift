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
    guard case .uintVal(let id)? = try await leaf("tdi-portin-id", of: interface),
      let port = PortID(exactly: id)
    else { throw DataplaneError(.unavailable, interface, "infrap4d answers with no port id") }
    guard port == 0 else { return port }
    // Upstream's server gives this id to interfaces that are no ports, too. Their type is no
    // word there.
    guard case .stringVal? = try await leaf("port-type", of: interface) else {
      throw Self.noPort(interface)
    }
    return port
  }

  private func leaf(
    _ name: String, of interface: String
  ) async throws(DataplaneError) -> Gnmi_TypedValue.OneOf_Value? {
    let path = Gnmi_Path.with {
      $0.elem = [
        .with { $0.name = "interfaces" },
        .with {
          $0.name = "virtual-interface"
          $0.key = ["name": interface]
        },
        .with { $0.name = "config" }, .with { $0.name = name },
      ]
    }
    var options = CallOptions.defaults
    options.timeout = .seconds(10)
    // An infrap4d that is just back has this connection later than that of P4Runtime.
    options.waitForReady = true
    do {
      let response = try await client.get(
        .with {
          $0.path = [path]
          $0.encoding = .proto
          $0.type = .all
        }, options: options)
      return response.notification.first?.update.first?.val.value
    } catch let error as RPCError where [.notFound, .invalidArgument].contains(error.code) {
      throw Self.noPort(interface)
    } catch {
      throw DataplaneError(.unavailable, interface, "its port cannot be looked up: \(error)")
    }
  }

  private static func noPort(_ interface: String) -> DataplaneError {
    DataplaneError(
      .notFound, interface, "infrap4d has no port of this name; make it with gnmi-ctl")
  }
}
