import GNMIProtos
import GRPCCore
import Hosting

/// gNMI 0.8 over gRPC, of the ports of a node.
public struct GNMIService: Gnmi_gNMI.StreamingServiceProtocol {
  let interfaces: Interfaces
  let limits: Limits
  let subscribers: Subscribers

  /// What clients may ask for. More is `resourceExhausted`.
  public struct Limits: Sendable {
    /// Operations of one Set.
    public var operations = 8192
    /// Paths of one Get.
    public var paths = 256
    /// Leaves in the answer to one Get.
    public var leaves = 200_000
    /// Subscribe calls at a time.
    public var streams = 64
    /// Subscriptions of all calls together.
    public var subscriptions = 256
    /// The shortest `sample_interval`, and what 0 means.
    public var shortestSample = Duration.milliseconds(100)
    /// How often counters are sent to who leaves the mode to the node.
    public var counterSample = Duration.seconds(10)
    /// How often leaves that change by themselves are looked at for ON_CHANGE.
    public var statusPoll = Duration.seconds(1)
    /// How long a Subscribe call may stay without its subscription.
    public var patience = Duration.seconds(60)
    public init() {}
  }

  public init(_ interfaces: Interfaces, limits: Limits = Limits()) {
    self.interfaces = interfaces
    self.limits = limits
    subscribers = Subscribers(limits)
  }

  /// The version that this service implements.
  public static let version = "0.8.0"

  public func capabilities(
    request: StreamingServerRequest<Gnmi_CapabilityRequest>, context: ServerContext
  ) async throws -> StreamingServerResponse<Gnmi_CapabilityResponse> {
    try await Self.answer(request) { message throws(GNMIError) in
      try Self.check(message.extension)
      return .with {
        $0.gNmiVersion = Self.version
        $0.supportedEncodings = TreeEncoding.allCases.map(\.name)
        $0.supportedModels = [
          .with {
            $0.name = InterfaceSchema.model
            $0.organization = InterfaceSchema.organization
            $0.version = InterfaceSchema.version
          }
        ]
      }
    }
  }

  public func get(
    request: StreamingServerRequest<Gnmi_GetRequest>, context: ServerContext
  ) async throws -> StreamingServerResponse<Gnmi_GetResponse> {
    try await Self.answer(request) { try await get($0) }
  }

  public func set(
    request: StreamingServerRequest<Gnmi_SetRequest>, context: ServerContext
  ) async throws -> StreamingServerResponse<Gnmi_SetResponse> {
    try await Self.answer(request) { try await set($0) }
  }

  public func subscribe(
    request: StreamingServerRequest<Gnmi_SubscribeRequest>, context: ServerContext
  ) async throws -> StreamingServerResponse<Gnmi_SubscribeResponse> {
    StreamingServerResponse { writer in
      try await SubscribeCall(self, context.cancellation).run(request, writer)
      return [:]
    }
  }

  /// Answers a unary call.
  private static func answer<Request, Response>(
    _ request: StreamingServerRequest<Request>,
    _ body: (Request) async throws -> Response
  ) async throws -> StreamingServerResponse<Response> {
    var only: Request?
    for try await message in request.messages {
      guard only == nil else {
        throw RPCError(code: .invalidArgument, message: "the call takes one message")
      }
      only = message
    }
    guard let only else {
      throw RPCError(code: .invalidArgument, message: "the call takes a message")
    }
    do {
      return StreamingServerResponse(single: ServerResponse(message: try await body(only)))
    } catch {
      throw RPCError(GNMIError(error))
    }
  }

  /// - Throws: `unimplemented` for an extension that would change what a request means.
  static func check(_ extensions: [GnmiExt_Extension]) throws(GNMIError) {
    for item in extensions {
      switch item.ext {
      case .masterArbitration?:
        throw GNMIError(.unimplemented, "master arbitration is not supported")
      case .history?: throw GNMIError(.unimplemented, "this node keeps no history")
      case .registeredExt?, nil: break
      }
    }
  }

  /// - Throws: `invalidArgument` when only models are asked for that are not served.
  static func check(_ models: [Gnmi_ModelData]) throws(GNMIError) {
    let served = models.contains { model in
      model.name == InterfaceSchema.model
        && ["", InterfaceSchema.organization].contains(model.organization)
        && ["", InterfaceSchema.version].contains(model.version)
    }
    guard models.isEmpty || served else {
      throw GNMIError(
        .invalidArgument,
        "use_models: this node serves \(InterfaceSchema.model) \(InterfaceSchema.version)")
    }
  }
}
