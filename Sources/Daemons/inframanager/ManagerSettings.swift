import Core
import DaemonConfiguration
import Infrap4dDataplane
import ManagerService
import Serving

/// What the manager can be told. Names are upstream's where it has them.
enum ManagerSettings {
  static let prefix = "INFRAMANAGER"

  static let all = own + Configuration.log

  private static let own: [Configuration.Setting] = [
    .init("GrpcServer.addr", "localhost:9559", "P4Runtime of infrap4d: HOST:PORT or unix:PATH"),
    .init("GnmiServer.addr", "localhost:9339", "gNMI of infrap4d: HOST:PORT or unix:PATH"),
    .init("Certs", "/usr/share/stratum/certs", "folder with ca.crt, client.crt and client.key"),
    .init("Insecure", "false", "true: infrap4d has no TLS"),
    .init("P4InfoPath", "", "P4Info in text format; empty: the k8s_dp of this version"),
    .init("P4BinPath", "", "the pipeline's .pb.bin; empty: the k8s_dp of this version"),
    .init(
      "Ports", "1",
      "upstream's infrap4d: how many ports it must have before the pipeline, since it takes none "
        + "afterwards"),
    .init("DeviceId", "1", "P4Runtime's device id"),
    .init("InfraManager.addr", "127.0.0.1:50002", "where agents call"),
    .init(
      "InfraManager.metrics-addr", "127.0.0.1:50097",
      "where /metrics is served by HTTP: HOST:PORT or unix:PATH; empty: nowhere"),
    .init(
      "InfraManager.arp-mac", "",
      "MAC of the arp-proxy on port 0; empty: the host interface answers for the gateway"),
    .init("State", "/var/lib/cni/inframanager", "folder of the desired state"),
  ]

  /// - Returns: nil for nowhere.
  static func metrics(_ configuration: Configuration) throws(ConfigurationError) -> ListenAddress? {
    let text = configuration["InfraManager.metrics-addr"]
    guard !text.isEmpty else { return nil }
    guard let address = ListenAddress(text) else {
      throw ConfigurationError(
        "InfraManager.metrics-addr", "\(text) is no address; give HOST:PORT or unix:PATH")
    }
    return address
  }

  /// Where infrap4d's services are.
  static func infrap4d(
    _ configuration: Configuration, _ setting: String
  ) throws(ConfigurationError) -> Infrap4dOptions {
    var options = Infrap4dOptions()
    switch try configuration.endpoint(setting) {
    case .tcp(let host, let port): options.address = .tcp(host: host, port: port)
    case .unix(let path): options.address = .unix(path: path)
    }
    options.security =
      try configuration.flag("Insecure")
      ? .plaintext : .mutualTLS(folder: configuration["Certs"])
    options.ports = Int(try configuration.number("Ports", in: 1...65_536))
    options.deviceID = try configuration.number("DeviceId", in: 1...UInt64.max)
    return options
  }

  static func gateway(
    _ configuration: Configuration
  ) throws(ConfigurationError) -> InfraAgentService.Gateway {
    let text = configuration["InfraManager.arp-mac"]
    guard !text.isEmpty else { return .host }
    guard let mac = MACAddress(text), !mac.isGroup else {
      throw ConfigurationError("InfraManager.arp-mac", "\(text) is no unicast MAC address")
    }
    return .proxy(mac)
  }
}
