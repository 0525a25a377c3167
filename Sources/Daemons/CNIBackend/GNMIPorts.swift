import Core
import GNMIPaths
import GNMIProtos
import GRPCCore

/// The TAPs of infrap4d over gNMI.
public struct GNMIPorts<Transport: ClientTransport>: TAPPorts {
  private let client: Gnmi_gNMI.Client<Transport>
  private let options: CallOptions
  private let explain: @Sendable (any Error) -> String?

  /// - Parameters:
  ///   - patience: how long a call may take.
  ///   - explain: why a call did not reach the server, and what to do; nil for other errors.
  public init(
    _ client: GRPCClient<Transport>, patience: Duration = .seconds(10),
    explain: @escaping @Sendable (any Error) -> String? = { _ in nil }
  ) {
    self.client = Gnmi_gNMI.Client(wrapping: client)
    self.explain = explain
    options = {
      var options = CallOptions.defaults
      options.timeout = patience
      return options
    }()
  }

  public func list() async throws -> [TAPPort] {
    let interfaces = try await leaves([
      ["config", "port-type"], ["config", "tdi-portin-id"], ["state", "oper-status"],
      ["state", "mac-address"],
    ])
    return interfaces.sorted { $0.key < $1.key }.compactMap { name, leaves in
      guard leaves["config/port-type"]?.stringVal == "TAP",
        let id = leaves["config/tdi-portin-id"]?.uintVal
      else { return nil }
      return TAPPort(
        name: name, id: id, isPresent: leaves["state/oper-status"]?.stringVal != "NOT_PRESENT",
        mac: leaves["state/mac-address"].flatMap { MACAddress($0.stringVal) })
    }
  }

  public func create(_ name: String, mtu: UInt32, in place: TAPPlace?) async throws -> Bool {
    var leaves = ["port-type": "TAP"]
    if let place {
      leaves["netns"] = place.interface.netns
      leaves["ifname"] = place.interface.name
      leaves["mac-address"] = "\(place.mac)"
    }
    let request = Gnmi_SetRequest.with {
      $0.delete = [.virtualInterface(name)]
      $0.update = leaves.map { leaf, value in
        .with {
          $0.path = .virtualInterface(name, ["config", leaf])
          $0.val.stringVal = value
        }
      }
      $0.update.append(
        .with {
          $0.path = .virtualInterface(name, ["config", "mtu"])
          $0.val.uintVal = UInt64(mtu)
        })
    }
    do {
      _ = try await client.set(request, options: options)
      return true
    } catch let error as RPCError where error.code == .notFound && place != nil {
      // A path that is the agent's alone, or an infrap4d without these leaves.
      _ = try await create(name, mtu: mtu, in: nil)
      return false
    } catch let error as RPCError {
      throw failure("infrap4d made no TAP \(name)", error)
    }
  }

  public func delete(_ name: String) async throws {
    let request = Gnmi_SetRequest.with { $0.delete = [.virtualInterface(name)] }
    do {
      _ = try await client.set(request, options: options)
    } catch let error as RPCError {
      throw failure("infrap4d did not remove \(name)", error)
    }
  }

  /// Leaves of all interfaces in one look, by the interface's name and their own.
  private func leaves(
    _ paths: [[String]]
  ) async throws -> [String: [String: Gnmi_TypedValue]] {
    let request = Gnmi_GetRequest.with {
      $0.encoding = .proto
      $0.path = paths.map { .virtualInterface("*", $0) }
    }
    let response: Gnmi_GetResponse
    do {
      response = try await client.get(request, options: options)
    } catch let error as RPCError where error.code == .notFound {
      // There is no interface at all.
      return [:]
    } catch let error as RPCError {
      throw failure("infrap4d does not list its ports", error)
    }
    var values: [String: [String: Gnmi_TypedValue]] = [:]
    for notification in response.notification {
      for update in notification.update {
        let path = notification.prefix.elem + update.path.elem
        guard let name = path.first(where: { $0.name == "virtual-interface" })?.key["name"] else {
          continue
        }
        let leaf = path.suffix(2).map(\.name).joined(separator: "/")
        values[name, default: [:]][leaf] = update.val
      }
    }
    return values
  }

  private func failure(_ what: String, _ error: RPCError) -> CNIBackendError {
    let text = "\(what): \(error.code): \(error.message)"
    switch error.code {
    case .unavailable, .deadlineExceeded, .cancelled:
      let reason = explain(error).map { "\(what): \($0)" }
      return CNIBackendError(.unreachable, reason ?? "\(text); see that it runs")
    case .resourceExhausted:
      return CNIBackendError(.noTAP, "\(text); start infrap4d with more --max-ports")
    default:
      return CNIBackendError(.noTAP, "\(text); its log says more")
    }
  }
}
