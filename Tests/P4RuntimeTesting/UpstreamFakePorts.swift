import GNMIProtos
import GRPCCore

/// The gNMI of ``UpstreamFake``: names of its chassis file only, no wildcards; a port is made
/// when its type is set, and never after the pipeline; what was never made has id 0, too.
public final class UpstreamFakePorts: Gnmi_gNMI.SimpleServiceProtocol {
  private static let names =
    (0..<32).map { "TAP\($0)" } + (0..<16).map { "net_vhost\($0)" } + (0..<8).map { "PORT\($0)" }
  private let fake: UpstreamFake

  public init(of fake: UpstreamFake) { self.fake = fake }

  public func capabilities(
    request: Gnmi_CapabilityRequest, context: ServerContext
  ) async throws -> Gnmi_CapabilityResponse {
    throw RPCError(code: .unknown, message: "/etc/stratum/gnmi_caps.pb.txt not found.")
  }

  public func get(
    request: Gnmi_GetRequest, context: ServerContext
  ) async throws -> Gnmi_GetResponse {
    try fake.alive()
    guard request.encoding == .proto else {
      throw RPCError(
        code: .invalidArgument, message: "Get response can only be encoded as PROTO.")
    }
    return try .with { response in
      response.notification = try request.path.map { path in
        let value = try value(of: path)
        return .with {
          $0.update = [
            .with {
              $0.path = path
              $0.val = value
            }
          ]
        }
      }
    }
  }

  private func value(of path: Gnmi_Path) throws -> Gnmi_TypedValue {
    let name = try name(of: path)
    return fake.state.withLock { state in
      .with {
        switch path.elem.last?.name {
        case "port-type":
          if let type = state.ports[name] { $0.stringVal = type } else { $0.uintVal = 0 }
        default: $0.uintVal = 0
        }
      }
    }
  }

  private func name(of path: Gnmi_Path) throws -> String {
    let name = path.elem.compactMap { $0.key["name"] }.first ?? ""
    guard Self.names.contains(name) else {
      throw RPCError(code: .invalidArgument, message: "The path (\(path)) is unsupported!")
    }
    return name
  }

  public func set(
    request: Gnmi_SetRequest, context: ServerContext
  ) async throws -> Gnmi_SetResponse {
    try fake.alive()
    for update in request.update where update.path.elem.last?.name == "port-type" {
      let name = try name(of: update.path)
      try fake.state.withLock { state in
        guard state.config == nil, state.ports[name] == nil else {
          throw RPCError(
            code: .invalidArgument,
            message: "port-type is already set or the PORT is already configured")
        }
        state.ports[name] = update.val.stringVal
      }
    }
    return .init()
  }

  public func subscribe(
    request: RPCAsyncSequence<Gnmi_SubscribeRequest, any Error>,
    response: RPCWriter<Gnmi_SubscribeResponse>, context: ServerContext
  ) async throws {
    throw RPCError(code: .unimplemented, message: "not of this fake")
  }
}
