import Core
import GNMIProtos
import GRPCCore
import GRPCNIOTransportHTTP2
import Infrap4dDataplane
import K8sDPArtefacts
import Logging
import Replay

/// A running `infrap4d` that frames go through by its TAPs: they are made for it, and
/// removed with the last reference.
///
/// Unchecked: one thread drives it, as it does every dataplane.
public final class LiveServer: @unchecked Sendable {
  private let options: Infrap4dOptions
  private let logger = Logger(label: "infrap4d")
  private let grpc: GRPCClient<HTTP2ClientTransport.Posix>
  private let wire: LiveWire
  private var client: Infrap4dClient?
  private var electionID: UInt64

  /// - Parameter options: where it is; its pipeline is always k8s_dp.
  /// - Throws: ``DataplaneError``: `invalidArgument` for certificates that cannot be read,
  ///   `unavailable` without the permission to send frames.
  public init(_ options: Infrap4dOptions) throws(DataplaneError) {
    self.options = options
    electionID = options.electionID
    let grpc: GRPCClient<HTTP2ClientTransport.Posix>
    do { grpc = GRPCClient(transport: try options.transport()) } catch {
      throw DataplaneError(.invalidArgument, "infrap4d", "\(error)")
    }
    self.grpc = grpc
    wire = try LiveWire(LivePorts(client: Gnmi_gNMI.Client(wrapping: grpc)))
    Task.detached { try? await grpc.runConnections() }
  }

  deinit {
    let (client, grpc) = (client, grpc)
    // A server that has gone cannot be asked to remove them.
    try? wire.close()
    try? waiting { () async throws(DataplaneError) in await client?.stop() }
    grpc.beginGracefulShutdown()
  }

  /// A fresh k8s_dp on it: the pipeline is pushed anew, and so has no entries and no flows.
  /// The one that was made before ends.
  public func load(name: String) throws(DataplaneError) -> LoadedDataplane {
    if let client { try waiting { () async throws(DataplaneError) in await client.stop() } }
    electionID += 1
    var options = options
    options.electionID = electionID
    var pipeline = PipelineBundle.k8sDP(timers: LiveTerms.timers)
    // Another cookie than any before, or it would be taken for the one that runs.
    pipeline.cookie.cookie = electionID
    options.pipeline = pipeline
    let client = try Infrap4dClient(options, logger: logger)
    self.client = client
    try waiting { () async throws(DataplaneError) in await client.start() }
    let dataplane = try Infrap4dDataplane(client, name: name, wire: wire)
    let tables = LoadedDataplane(k8sDP: dataplane)
    let wire = wire
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
}
