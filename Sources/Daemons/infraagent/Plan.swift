import CNIBackend
import DaemonConfiguration
import Infrap4dDataplane
import Kubernetes
import Serving

/// The settings, checked.
struct Plan: Sendable {
  var gNMI: Infrap4dOptions
  var manager: Infrap4dOptions
  var pods: CNIBackendOptions
  var host: HostInterface.Options
  var cniAddress: ListenAddress
  /// Of /check and /metrics.
  var health: ListenAddress
  var servesMetrics: Bool
  /// nil: Felix is not served.
  var felixSocket: String?
  /// nil: there is no Kubernetes.
  var cluster: Cluster?
  var nodeName: String
  /// Folder.
  var state: String

  init(_ configuration: Configuration) throws {
    try AgentSettings.check(configuration)
    gNMI = try AgentSettings.gNMI(configuration)
    manager = try AgentSettings.manager(configuration)
    pods = try AgentSettings.pods(configuration)
    host = try AgentSettings.host(configuration)
    guard let address = ListenAddress(configuration["cniAddr"]) else {
      throw ConfigurationError("cniAddr", "give HOST:PORT or unix:PATH")
    }
    cniAddress = address
    guard let pages = ListenAddress(configuration["healthAddr"]) else {
      throw ConfigurationError("healthAddr", "give HOST:PORT or unix:PATH")
    }
    health = pages
    servesMetrics = try configuration.flag("metrics")
    felixSocket = configuration["felixSocket"] == "none" ? nil : configuration["felixSocket"]
    cluster = try AgentSettings.cluster(configuration)
    nodeName = AgentSettings.nodeName(configuration)
    state = configuration["State"]
  }
}
