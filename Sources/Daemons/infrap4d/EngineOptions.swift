import ArgumentParser
import Core
import Hosting
import K8sDPArtefacts
import SimDataplane

#if DPDK && canImport(DPDKDataplane)
  import DPDKDataplane
#endif

/// Which dataplane runs the pipeline.
struct EngineOptions: ParsableArguments {
  enum Engine: String, ExpressibleByArgument, CaseIterable {
    case dpdk, model
  }

  @Option(help: "The engine: dpdk, or model, which needs no DPDK and runs k8s_dp only.")
  var dataplane = Engine.dpdk

  @Option(help: "The ids that ports can have: 0 to one less than this.")
  var maxPorts = 1024

  @Option(help: "Megabytes that DPDK may take for tables.")
  var memory: UInt32 = 3072

  func validate() throws {
    guard (2...65_536).contains(maxPorts) else {
      throw ValidationError("--max-ports is 2 to 65536")
    }
  }

  func maker() throws -> DataplaneMaker {
    switch dataplane {
    case .model: modelMaker
    case .dpdk: try dpdkMaker()
    }
  }

  /// The model is k8s_dp: it takes that pipeline and no other.
  private var modelMaker: DataplaneMaker {
    let ports = maxPorts
    return DataplaneMaker(name: "model") { spec in
      guard let own = try? PipelineSpec(parsing: K8sDPArtefacts.spec),
        own.contract.withTimers(of: spec.contract) == spec.contract
      else {
        throw DataplaneError(
          .invalidArgument, spec.source,
          "is not this version's k8s_dp, the one pipeline that the model runs; use "
            + "--dataplane dpdk for others")
      }
    } make: { spec in
      var options = SimDataplane.Options()
      options.ports = ports
      let model = SimDataplane(options: options)
      for (profile, seconds) in (spec.contract.learners.first?.timers ?? []).enumerated() {
        try model.setTimer(profile, seconds: seconds)
      }
      return model
    }
  }

  private func dpdkMaker() throws -> DataplaneMaker {
    #if DPDK && canImport(DPDKDataplane)
      let (ports, memory) = (maxPorts, memory)
      let options = { @Sendable (spec: PipelineSpec) in
        let isK8sDP = K8sDP.contract.disagreement(with: spec.contract) == nil
        var options = isK8sDP ? SWXOptions.k8sDP : SWXOptions()
        // No pipeline can see where a frame ends.
        options.gate = SWXOptions.k8sDP.gate
        options.ports = ports
        options.memoryMegabytes = memory
        options.virtualTime = false
        options.staleByte = nil
        return options
      }
      return DataplaneMaker(name: "dpdk") { spec in
        try SWXDataplane.verify(spec: spec, options: options(spec))
      } make: { spec in
        try SWXDataplane(spec: spec, options: options(spec))
      }
    #else
      throw ValidationError("this build has no DPDK; take --dataplane model")
    #endif
  }
}

extension Contract {
  /// The same with the timers of another. The model has one set of them for all learners.
  fileprivate func withTimers(of other: Contract) -> Contract {
    var copy = self
    let timers = other.learners.first?.timers ?? []
    for i in copy.learners.indices where copy.learners[i].timers.count == timers.count {
      copy.learners[i].timers = timers
    }
    return copy
  }
}
