import Core

/// Who fills the tables of upstream's pipeline.
public enum UpstreamControl: String, CaseIterable, Sendable {
  /// A control plane that gets the most out of the tables: what goes wrong then is
  /// the pipeline's doing. See `CarefulCompiler`.
  case careful
  /// Upstream's own. See `UpstreamManager`.
  case manager
}

/// Fills the tables of one dataplane that runs upstream's pipeline.
final class UpstreamController {
  let dataplane: any Dataplane
  private var follow: (Intent) throws(DataplaneError) -> [String]
  /// What the last intent asked for and did not get.
  private(set) var refused: [String] = []

  init(_ dataplane: any Dataplane, _ control: UpstreamControl) {
    self.dataplane = dataplane
    switch control {
    case .careful:
      var compiler = CarefulCompiler(contract: dataplane.contract)
      follow = { (intent) throws(DataplaneError) in
        try dataplane.apply(compiler.updates(for: intent))
        return compiler.refused
      }
    case .manager:
      var manager = UpstreamManager()
      follow = { (intent) throws(DataplaneError) in
        manager.follow(intent) { (update) throws(DataplaneError) in
          try dataplane.apply([update])
        }
        return manager.refused
      }
    }
  }

  /// The dataplane for a replay. Timers stay as the pipeline has them: upstream's
  /// control plane sets none.
  var loaded: LoadedDataplane {
    LoadedDataplane(
      dataplane, setTimer: { (_, _) throws(DataplaneError) in },
      setIntent: { (intent) throws(DataplaneError) in
        self.refused = try self.follow(intent)
      })
  }
}

extension UpstreamController {
  /// Upstream's pipeline on DPDK, as on a host of upstream's: no gate before it, and
  /// every frame finds what earlier ones left in the engine.
  ///
  /// A frame longer than 65,535 bytes is still refused by the port, and an update to
  /// a port that does not exist by validation: both would crash the engine. Behind a
  /// frame that is cut short there are zeros.
  convenience init(
    pipeline: PipelineSpec, _ control: UpstreamControl, ports: Int
  ) throws(ReplayError) {
    guard UpstreamTables.areThose(of: pipeline.contract) else {
      throw ReplayError(
        pipeline.source,
        "is not upstream's pipeline: it has no table tx_balance_tcp; give the k8s_dp.pb.bin of "
          + "IPDK k8s-infra-offload v23.01")
    }
    self.init(
      try DataplaneFactory.engine(
        pipeline, name: "upstream", ports: ports, staleByte: nil, isGated: false,
        virtualTime: true), control)
  }
}

extension DataplaneFactory {
  /// The same factory, which also makes upstream's pipeline under the name of its file.
  public func adding(
    upstream file: String, control: UpstreamControl, ports: Int
  ) throws(ReplayError) -> DataplaneFactory {
    let pipeline = try PipelineFile.read(file)
    var factory = self
    factory.recipes.append(
      Recipe(name: file, bringsClock: true) { (_) throws(ReplayError) in
        try UpstreamController(pipeline: pipeline, control, ports: ports).loaded
      })
    return factory
  }
}
