import Core

/// The reference model of `k8s_dp`.
public final class SimDataplane {
}
