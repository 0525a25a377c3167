import Core
import GNMIPaths
import GNMIProtos
import GRPCCore
import GRPCNIOTransportHTTP2

/// A server's ports, by gNMI.
struct LivePorts: Sendable {
  /// A port as the server tells of it.
  struct State: Sendable {
    var id: PortID?
    var interface: Int32 = 0
    var framesIn: UInt64 = 0
    var framesOut: UInt64 = 0
    /// Frames that the interface did not take, and those that could not be read.
    var lost: UInt64 = 0
    /// Reason name → frames that came in here.
    var dropped: [String: UInt64] = [:]
  }

  let client: Gnmi_gNMI.Client<HTTP2ClientTransport.Posix>

  /// By the name of the interface.
  ///
  /// - Parameter names: of those asked for; nil is all.
  func states(_ names: [String]? = nil) async throws(DataplaneError) -> [String: State] {
    let paths = (names ?? ["*"]).map { Gnmi_Path.virtualInterface($0, ["state"]) }
    let response = try await call { () async throws in
      try await client.get(
        .with {
          $0.encoding = .proto
          $0.path = paths
        })
    }
    var states: [String: State] = [:]
    for update in response.notification.flatMap(\.update) {
      let elements = update.path.elem
      guard let name = elements.lazy.compactMap({ $0.key["name"] }).first,
        let leaf = elements.last?.name
      else { continue }
      let reason = elements.lazy.compactMap { $0.key["reason"] }.first
      states[name, default: State()].take(leaf, reason: reason, update.val.uintVal)
    }
    return states
  }

  /// Makes TAPs, all or none.
  func make(_ names: [String], mtu: Int) async throws(DataplaneError) {
    let updates = names.flatMap { name in
      [
        Gnmi_Update.with {
          $0.path = .virtualInterface(name, ["config", "mtu"])
          $0.val.uintVal = UInt64(mtu)
        },
        Gnmi_Update.with {
          $0.path = .virtualInterface(name, ["config", "port-type"])
          $0.val.stringVal = "TAP"
        },
      ]
    }
    _ = try await call { () async throws in
      try await client.set(.with { $0.update = updates })
    }
  }

  func remove(_ names: [String]) async throws(DataplaneError) {
    let paths = names.map { Gnmi_Path.virtualInterface($0) }
    _ = try await call { () async throws in
      try await client.set(.with { $0.delete = paths })
    }
  }

  private func call<Result: Sendable>(
    _ body: () async throws -> Result
  ) async throws(DataplaneError) -> Result {
    do { return try await body() } catch {
      let reason = (error as? RPCError)?.message ?? "\(error)"
      throw DataplaneError(.unavailable, "gNMI", reason)
    }
  }
}

extension LivePorts.State {
  fileprivate mutating func take(_ leaf: String, reason: String?, _ value: UInt64) {
    switch leaf {
    case "tdi-portin-id": id = PortID(clamping: value)
    case "ifindex": interface = Int32(clamping: value)
    case "in-pkts": framesIn = value
    case "out-pkts": framesOut = value
    case "in-errors", "out-errors", "out-discards": lost += value
    case "pkts": if let reason { dropped[reason] = value }
    default: break
    }
  }
}
