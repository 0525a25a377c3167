import Core
import GNMIProtos
import GRPCCore
import GRPCNIOTransportHTTP2
import Infrap4dDataplane
import K8sDPArtefacts
import Logging
import Replay

/// A connection to a running `infrap4d` and its TAPs.
///
/// Unchecked: one thread drives it, as it does every dataplane.
final class LiveSession: @unchecked Sendable {
  private enum Wire {
    case ours(LiveWire)
    case upstream(UpstreamWire)
  }

  let kind: ServerKind
  private let options: Infrap4dOptions
  private let logger = Logger(label: "infrap4d")
  private let grpc: GRPCClient<HTTP2ClientTransport.Posix>
  private let wire: Wire
  private var client: Infrap4dClient?

  /// - Throws: ``DataplaneError``: `invalidArgument` for certificates that cannot be read,
  ///   `unavailable` without a server, or without the permission to send frames.
  init(_ options: Infrap4dOptions) throws(DataplaneError) {
    self.options = options
    let grpc: GRPCClient<HTTP2ClientTransport.Posix>
    do { grpc = GRPCClient(transport: try options.transport()) } catch {
      throw DataplaneError(.invalidArgument, "infrap4d", "\(error)")
    }
    self.grpc = grpc
    let connections = Task.detached { try? await grpc.runConnections() }
    do throws(DataplaneError) {
      kind = try waiting { () async throws(DataplaneError) in
        try await ServerKind.ask(grpc, patience: options.patience)
      }
      wire =
        switch kind {
        case .faithful: .ours(try LiveWire(LivePorts(client: Gnmi_gNMI.Client(wrapping: grpc))))
        case .upstream:
          .upstream(try UpstreamWire(UpstreamPorts(grpc), names: UpstreamPorts.taps))
        }
    } catch {
      connections.cancel()
      throw error
    }
  }

  deinit {
    let (client, grpc) = (client, grpc)
    // A server that has gone cannot be asked to remove them.
    if case .ours(let wire) = wire { try? wire.close() }
    try? waiting { () async throws(DataplaneError) in await client?.stop() }
    grpc.beginGracefulShutdown()
  }

  /// A fresh k8s_dp: the pipeline is pushed anew, and so has no entries and no flows. The one
  /// that was made before ends.
  ///
  /// - Parameters:
  ///   - electionID: higher than any before.
  ///   - failure: why the server is no longer there, or nil.
  func load(
    name: String, electionID: UInt64, failure: @escaping () -> DataplaneError?
  ) throws(DataplaneError) -> LoadedDataplane {
    if let client { try waiting { () async throws(DataplaneError) in await client.stop() } }
    var options = options
    options.electionID = electionID
    var pipeline = PipelineBundle.k8sDP(timers: LiveTerms.timers)
    // Another cookie than any before, or it would be taken for the one that runs.
    pipeline.cookie.cookie = electionID
    options.pipeline = pipeline
    let client = try Infrap4dClient(options, logger: logger)
    self.client = client
    try waiting { () async throws(DataplaneError) in await client.start() }
    switch wire {
    case .ours(let wire): return try ours(client, wire, name)
    case .upstream(let wire): return try upstream(client, wire, name, failure)
    }
  }

  private func ours(
    _ client: Infrap4dClient, _ wire: LiveWire, _ name: String
  ) throws(DataplaneError) -> LoadedDataplane {
    let dataplane = try Infrap4dDataplane(client, name: name, wire: wire)
    let tables = LoadedDataplane(k8sDP: dataplane)
    return LoadedDataplane(
      dataplane, setTimer: tables.setTimer,
      setIntent: { (intent) throws(DataplaneError) in
        let interfaces = [intent.gateway, intent.host].compactMap(\.self) + intent.pods
        try wire.prepare(through: max(K8sDP.hostPort, interfaces.map(\.port).max() ?? 0))
        try tables.setIntent(intent)
      },
      apply: { (updates) throws(DataplaneError) in
        try wire.prepare(through: max(K8sDP.hostPort, updates.compactMap(\.egress).max() ?? 0))
        try dataplane.apply(updates)
      },
      live: LiveTerms(
        refusal: LiveWire.refusal,
        learned: { () throws(DataplaneError) in
          try waiting { () async throws(DataplaneError) in try await client.learned() }
        },
        audit: { () throws(DataplaneError) in
          if let failure = dataplane.failure { throw failure }
          try wire.audit()
        }))
  }

  private func upstream(
    _ client: Infrap4dClient, _ wire: UpstreamWire, _ name: String,
    _ failure: @escaping () -> DataplaneError?
  ) throws(DataplaneError) -> LoadedDataplane {
    wire.failure = failure
    wire.counter = { () throws(DataplaneError) in
      try waiting { () async throws(DataplaneError) in try await client.frames(of: "drops") }
    }
    let dataplane = try Infrap4dDataplane(client, name: name, wire: wire)
    let tables = LoadedDataplane(k8sDP: dataplane)
    return LoadedDataplane(
      dataplane, setTimer: tables.setTimer, setIntent: tables.setIntent,
      live: LiveTerms(
        ports: UpstreamPorts.taps.count, refusal: UpstreamWire.refusal, learned: nil,
        audit: { () throws(DataplaneError) in
          if let failure = dataplane.failure { throw failure }
          try wire.audit()
        }))
  }
}
