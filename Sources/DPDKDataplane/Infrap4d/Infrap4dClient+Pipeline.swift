import Core
import GRPCCore
import P4RuntimeCodec
import P4RuntimeProtos

#if canImport(Glibc)
  import Glibc
#endif

extension Infrap4dClient {
  /// Attempts of a push that upstream's server may fail at random: one in six, on a
  /// loaded machine.
  private static let pushes = 5

  /// Sees to it that the server runs the pipeline that is wanted.
  func pipeline() async throws(DataplaneError) -> PipelineConfig {
    let present = try await runningPipeline()
    guard let wanted = options.pipeline else {
      guard let present else {
        throw DataplaneError(.unavailable, "infrap4d", "runs no pipeline, and none is to be pushed")
      }
      if kind == .upstream { try await countPorts(beforePush: false) }
      return try Self.parse(present)
    }
    let config = try Self.parse(wanted)
    let isThere = present.map { $0.hasCookie && $0.cookie == wanted.cookie } ?? false
    if kind == .upstream { try await countPorts(beforePush: present == nil) }
    if !isThere { try await push(wanted) }
    return config
  }

  private static func parse(
    _ message: P4_V1_ForwardingPipelineConfig
  ) throws(DataplaneError) -> PipelineConfig {
    do throws(P4Error) { return try PipelineConfig(message) } catch {
      throw DataplaneError(.invalidArgument, "pipeline", error.message)
    }
  }

  private func runningPipeline() async throws(DataplaneError) -> P4_V1_ForwardingPipelineConfig? {
    do {
      let response = try await client.getForwardingPipelineConfig(
        .with {
          $0.deviceID = options.deviceID
          $0.responseType = options.pipeline == nil ? .all : .cookieOnly
        })
      return response.hasConfig ? response.config : nil
    } catch let error as RPCError where error.code == .failedPrecondition {
      return nil
    } catch {
      throw failure(error, "pipeline")
    }
  }

  /// Upstream's server takes no port after the pipeline, and no pipeline for three of them.
  private func countPorts(beforePush: Bool) async throws(DataplaneError) {
    let count = try await UpstreamPorts(grpc).count()
    ports = count
    guard beforePush else { return }
    if let wanted = options.ports, count < wanted {
      throw DataplaneError(
        .unavailable, "pipeline",
        "the server has \(count) of \(wanted) ports; the pipeline waits for them, since "
          + "upstream's server takes none afterwards")
    }
    guard ServerKind.takes(ports: count) else {
      throw DataplaneError(
        .unavailable, "pipeline",
        "the server has \(count) ports; upstream's wants 1, 2, 4, 8 or so before the pipeline")
    }
  }

  private func push(_ config: P4_V1_ForwardingPipelineConfig) async throws(DataplaneError) {
    for attempt in 1... {
      do {
        _ = try await client.setForwardingPipelineConfig(
          .with {
            $0.deviceID = options.deviceID
            $0.electionID = electionID
            $0.action = .verifyAndCommit
            $0.config = config
          })
        logger.notice("pipeline pushed")
        return
      } catch let error as RPCError where error.code == .internalError && attempt < Self.pushes {
        // The same action again, never COMMIT: that leads upstream's server to its crash.
        guard kind == .upstream else { throw failure(error, "pipeline") }
        logger.warning("push failed, trying again", metadata: ["attempt": "\(attempt)"])
      } catch let error as RPCError where error.code == .internalError && kind == .upstream {
        throw DataplaneError(
          .invalidArgument, "pipeline",
          "refused \(attempt) times: \(error.message)")
      } catch let error as RPCError
        where error.code == .failedPrecondition && kind == .upstream
      {
        throw DataplaneError(
          .unavailable, "pipeline",
          "upstream's server runs another one and takes no second; restart it")
      } catch {
        throw failure(error, "pipeline")
      }
    }
  }
}
