import Configuration
import Core
import Infrap4dDataplane
import ManagerService

/// What the manager can be told. Names are upstream's where it has them.
enum ManagerSettings {
  static let prefix = "INFRAMANAGER"

  static let all: [Configuration.Setting] = [
    .init("GrpcServer.addr", "localhost:9559", "P4Runtime of infrap4d: HOST:PORT or unix:PATH"),
    .init("GnmiServer.addr", "localhost:9339", "gNMI of infrap4d: HOST:PORT or unix:PATH"),
    .init("Certs", "/usr/share/stratum/certs", "folder with ca.crt, client.crt and client.key"),
    .init("Insecure", "false", "true: infrap4d has no TLS"),
    .init("P4InfoPath", "", "P4Info in text format; empty: the k8s_dp of this version"),
    .init("P4BinPath", "", "the pipeline's .pb.bin; empty: the k8s_dp of this version"),
    .init("DeviceId", "1", "P4Runtime's device id"),
    .init("LogLevel", "Info", "Trace, Debug, Info, Notice, Warn, Error or Critical"),
    .init("InfraManager.addr", "127.0.0.1:50002", "where agents call"),
    .init(
      "InfraManager.arp-mac", "",
      "MAC of the arp-proxy on port 0; empty: the host interface answers for the gateway"),
    .init("State", "/var/lib/cni/inframanager", "folder of the desired state"),
  ]

  /// Where infrap4d's services are.
  static func infrap4d(
    _ configuration: Configuration, _ setting: String
  ) throws(ConfigurationError) -> Infrap4dOptions {
    var options = Infrap4dOptions()
    let text = configuration[setting]
    if text.hasPrefix("unix:/") {
      options.address = .unix(path: String(text.dropFirst(5)))
    } else {
      guard let colon = text.lastIndex(of: ":"), colon > text.startIndex,
        let port = UInt16(text[text.index(after: colon)...]), port > 0
      else {
        throw ConfigurationError(setting, "\(text) is no address; give HOST:PORT or unix:PATH")
      }
      options.address = .tcp(host: String(text[..<colon]), port: Int(port))
    }
    options.security =
      try flag(configuration, "Insecure")
      ? .plaintext : .mutualTLS(folder: configuration["Certs"])
    guard let id = UInt64(configuration["DeviceId"]), id > 0 else {
      throw ConfigurationError("DeviceId", "is \(configuration["DeviceId"]); give 1 or above")
    }
    options.deviceID = id
    return options
  }

  static func flag(
    _ configuration: Configuration, _ setting: String
  ) throws(ConfigurationError) -> Bool {
    switch configuration[setting].lowercased() {
    case "true": true
    case "false": false
    default:
      throw ConfigurationError(setting, "is \(configuration[setting]); give true or false")
    }
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
