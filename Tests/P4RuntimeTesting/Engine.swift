import Core
import Hosting
import SimDataplane

#if DPDK
  import DPDKDataplane
#endif

/// What a test server makes its dataplanes with.
public enum Engine {
  /// Keeps entries of any pipeline.
  public static let store = DataplaneMaker(
    name: "store", verify: { _ in }, make: { StoreDataplane(spec: $0) })

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
    public static let dpdk = DataplaneMaker(
      name: "dpdk", verify: { _ in },
      make: { spec in
        var options = SWXOptions()
        // Meters run on the processor's time.
        options.virtualTime = spec.meters.isEmpty
        // Learners of full size take gigabytes.
        for learner in spec.learners { options.sizes[learner.name] = min(learner.size, 4096) }
        return try SWXDataplane(spec: spec, options: options)
      })
  #endif
}
