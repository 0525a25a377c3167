import InfraProtos
import Netlink

/// An ADD as the agent takes it.
struct AddMessage {
  let message: Cni_AddRequest

  /// - Throws: ``CNIError`` for addresses that the pipeline does not forward.
  init(
    _ leased: CNIResult, _ invocation: Invocation, _ configuration: NetworkConfiguration
  ) throws(CNIError) {
    var addresses: [Cni_IPConfig] = []
    for ip in leased.ips ?? [] {
      guard let prefix = IPv4Prefix(ip.address) else {
        throw CNIError(
          .invalidConfiguration, "the IPAM plugin gave \(ip.address)",
          "the pipeline forwards IPv4: configure IPv4 addresses only")
      }
      addresses.append(.with { $0.address = "\(prefix.address)/32" })
    }
    // All is by way of the gateway, so without routes there is one to everywhere.
    let routes = (leased.routes ?? []).map(\.dst).filter { !$0.contains(":") }
    message = .with {
      $0.interfaceName = invocation.interface
      $0.netns = invocation.netns
      $0.settings.mtu = configuration.mtu ?? 0
      $0.containerIps = addresses
      $0.containerRoutes = routes.isEmpty ? ["0.0.0.0/0"] : routes
      $0.workload.name = invocation.containerID
      $0.workload.endpoint = invocation.interface
      $0.workload.pod = invocation.arguments["K8S_POD_NAME"] ?? ""
      $0.workload.namespace = invocation.arguments["K8S_POD_NAMESPACE"] ?? ""
      $0.workload.orchestrator = invocation.arguments["K8S_POD_NAME"] == nil ? "cni" : "k8s"
    }
  }
}
