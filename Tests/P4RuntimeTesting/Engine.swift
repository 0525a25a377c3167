import Core
import Hosting
import SimDataplane

#if DPDK
  import DPDKDataplane
#endif

/// What a test server makes its dataplanes with.
public enum Engine {
  /// Keeps entries of any pipeline, so there is none that it cannot run.
  public static let store = store(sizes: [:])

  /// - Parameter sizes: of tables that are to be smaller than their spec says.
  public static func store(sizes: [String: Int]) -> DataplaneMaker {
    DataplaneMaker(
      name: "store", verify: { _ = try $0.resized(sizes) },
      make: { StoreDataplane(spec: try $0.resized(sizes)) })
  }

  /// The reference model: `k8s_dp` only.
  public static let model = DataplaneMaker(
    name: "model",
    verify: { spec in
      if let problem = K8sDP.contract.disagreement(with: spec.contract) {
        throw DataplaneError(.invalidArgument, spec.source, "is not k8s_dp: \(problem)")
      }
    },
    make: { _ in SimDataplane() })

  #if DPDK
    /// DPDK's SWX engine: any pipeline.
    public static let dpdk = dpdk(sizes: [:])

    /// - Parameter sizes: of tables that are to be smaller than their spec says.
    public static func dpdk(sizes: [String: Int]) -> DataplaneMaker {
      let options = { @Sendable (spec: PipelineSpec) in
        var options = SWXOptions()
        // Meters run on the processor's time.
        options.virtualTime = spec.meters.isEmpty
        options.sizes = sizes
        // Learners of full size take gigabytes.
        for learner in spec.learners { options.sizes[learner.name] = min(learner.size, 4096) }
        return options
      }
      return DataplaneMaker(name: "dpdk") { spec in
        try SWXDataplane.verify(spec: spec, options: options(spec))
      } make: { spec in
        try SWXDataplane(spec: spec, options: options(spec))
      }
    }
  #endif
}
