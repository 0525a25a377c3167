import GRPCCore
import HealthProtos

/// gRPC's health protocol (grpc.health.v1): whether a daemon does its work.
public struct HealthService: Grpc_Health_V1_Health.SimpleServiceProtocol {
  private let isServing: @Sendable () async -> Bool

  /// - Parameter isServing: asked on each check.
  public init(_ isServing: @escaping @Sendable () async -> Bool) { self.isServing = isServing }

  public func check(
    request: Grpc_Health_V1_HealthCheckRequest, context: ServerContext
  ) async throws -> Grpc_Health_V1_HealthCheckResponse {
    guard request.service.isEmpty else {
      throw RPCError(
        code: .notFound, message: "\(request.service) is not known; ask for the empty name")
    }
    let status: Grpc_Health_V1_HealthCheckResponse.ServingStatus =
      await isServing() ? .serving : .notServing
    return .with { $0.status = status }
  }

  /// Tells the status now and at each change, which it looks for five times a second.
  public func watch(
    request: Grpc_Health_V1_HealthCheckRequest,
    response: RPCWriter<Grpc_Health_V1_HealthCheckResponse>, context: ServerContext
  ) async throws {
    guard request.service.isEmpty else {
      try await response.write(.with { $0.status = .serviceUnknown })
      return
    }
    var last: Bool?
    // The task of a call that its client has left goes on: the context knows.
    while !Task.isCancelled, !context.cancellation.isCancelled {
      let now = await isServing()
      if now != last {
        try await response.write(.with { $0.status = now ? .serving : .notServing })
        last = now
      }
      try await Task.sleep(for: .milliseconds(200))
    }
  }
}
