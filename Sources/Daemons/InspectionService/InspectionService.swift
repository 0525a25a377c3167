import Core
import GRPCCore
import Hosting
import InspectionProtos
import P4RuntimeCodec
import P4RuntimeService

/// Looking at the node while it runs, over gRPC: `proto/k8sdp/v1/inspection.proto`. Nothing here
/// changes anything.
public struct InspectionService: K8sdp_V1_Inspection.SimpleServiceProtocol {
  /// Calls of a kind at a time. More is `RESOURCE_EXHAUSTED`.
  public struct Limits: Sendable {
    /// Each may have 16 MiB waiting for its reader.
    public var captures = 8
    public var snapshots = 2
    public var readings = 4
    public init() {}
  }

  let host: any DataplaneHost & FrameCaptures
  let controller: PipelineController
  private let status: @Sendable () async -> K8sdp_V1_GetStatusResponse
  private let captures: Places
  private let snapshots: Places
  private let readings: Places

  /// - Parameter status: what GetStatus answers.
  public init(
    host: any DataplaneHost & FrameCaptures, controller: PipelineController,
    limits: Limits = Limits(),
    status: @escaping @Sendable () async -> K8sdp_V1_GetStatusResponse
  ) {
    self.host = host
    self.controller = controller
    self.status = status
    captures = Places(limits.captures, "captures")
    snapshots = Places(limits.snapshots, "snapshots")
    readings = Places(limits.readings, "readings of learned entries")
  }

  public func getStatus(
    request: K8sdp_V1_GetStatusRequest, context: ServerContext
  ) async throws -> K8sdp_V1_GetStatusResponse { await status() }

  public func capture(
    request: K8sdp_V1_CaptureRequest, response: RPCWriter<K8sdp_V1_CaptureResponse>,
    context: ServerContext
  ) async throws {
    let options = try CaptureOptions(request)
    try await captures.take {
      let (capture, epoch) = try await Self.mapped {
        try await host.capture(options) { _, now in Epoch(now) }
      }
      try await Self.follow(capture, for: request.duration, context) {
        try await response.write(K8sdp_V1_CaptureResponse())
        while let batch = await capture.next() {
          for message in FrameMessages(batch, epoch) { try await response.write(message) }
        }
      }
    }
  }

  public func readLearned(
    request: K8sdp_V1_ReadLearnedRequest, response: RPCWriter<K8sdp_V1_ReadLearnedResponse>,
    context: ServerContext
  ) async throws {
    let wanted = request.table
    try await readings.take {
      let (tables, clock) = try await Self.mapped {
        try await host.withDataplane { dataplane in
          (dataplane.contract.learners.map(\.name), K8sdp_V1_Clock(dataplane, at: host.now))
        }
      }
      guard wanted.isEmpty || tables.contains(wanted) else {
        throw RPCError(
          code: .notFound,
          message: "the pipeline learns no table \(wanted), but \(tables.joined(separator: ", "))")
      }
      try await response.write(.with { $0.clock = clock })
      try await learned { entries in
        let rows = RowMessages.learned(
          entries.filter { wanted.isEmpty || $0.table == wanted })
        if !rows.isEmpty { try await response.write(.with { $0.rows = rows }) }
      }
    }
  }

  public func takeSnapshot(
    request: K8sdp_V1_TakeSnapshotRequest, response: RPCWriter<K8sdp_V1_TakeSnapshotResponse>,
    context: ServerContext
  ) async throws {
    try await snapshots.take {
      try await SnapshotCall(self, addresses: request.addresses, response)
        .run(for: request.duration, context)
    }
  }

  /// Reads all learned entries, a part at a time: frames go on meanwhile.
  func learned(_ body: ([LearnedEntry]) async throws -> Void) async throws {
    // Of two million entries, two thousand at a time.
    let parts = 1024
    for part in 0..<parts {
      let some = try await Self.mapped {
        try await host.withDataplane { dataplane in
          dataplane.learnedEntries(at: host.now, part: part, of: parts)
        }
      }
      if !some.isEmpty { try await body(some) }
    }
  }

  /// Runs `body`, which reads a capture to its end: that comes after some time, when `body` ends,
  /// or with the client.
  ///
  /// - Parameter nanoseconds: 0 is no end.
  static func follow(
    _ capture: any FrameCapture, for nanoseconds: UInt64, _ context: ServerContext,
    _ body: () async throws -> Void
  ) async throws {
    let timer =
      nanoseconds == 0
      ? nil
      : Task {
        try await Task.sleep(for: .nanoseconds(Int64(clamping: nanoseconds)))
        capture.close()
      }
    defer {
      timer?.cancel()
      capture.close()
    }
    try await withRPCCancellationHandler {
      try await body()
    } onCancelRPC: {
      capture.close()
    }
    // A client that has gone does not hear it; one that is there must not take it for the end.
    if context.cancellation.isCancelled {
      throw RPCError(code: .unavailable, message: "infrap4d is stopping")
    }
  }

  static func mapped<Result>(_ body: () async throws -> Result) async throws -> Result {
    do { return try await body() } catch let error as P4Error {
      throw RPCError(code: .failedPrecondition, message: error.message)
    } catch let error as DataplaneError {
      let code: RPCError.Code = error.code == .unavailable ? .failedPrecondition : .internalError
      throw RPCError(code: code, message: error.description)
    }
  }
}
