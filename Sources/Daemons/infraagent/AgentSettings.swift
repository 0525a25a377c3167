import CNIBackend
import Core
import DaemonConfiguration
import Foundation
import Infrap4dDataplane
import Kubernetes
import Netlink

/// What the agent can be told. Names are upstream's where it has them.
enum AgentSettings {
  static let prefix = "INFRAAGENT"

  static let all = own + Configuration.log

  private static let own: [Configuration.Setting] = [
    .init("interfaceType", "tap", "tap: what this agent connects pods by"),
    .init("interface", "", "upstream's master interface, which TAPs have none of; not used"),
    .init("tapPrefix", "P4TAP_", "what the names of TAPs begin with"),
    .init("hostIfaceMTU", "1500", "bytes of an IP packet on TAPs; pods have this or less"),
    .init("hostIfaceAddress", "200.1.1.2", "the host's address in the pipeline"),
    .init(
      "podCIDRs", "", "prefixes of pods, with commas, that the host reaches through the pipeline"),
    .init("sysctls", "/proc/sys/net", "the kernel's settings of networks, writable"),
    .init("managerAddr", "127.0.0.1", "the Infra Manager: HOST, or unix:PATH"),
    .init("managerPort", "50002", "the Infra Manager's port"),
    .init("GnmiServer.addr", "localhost:9339", "gNMI of infrap4d: HOST:PORT or unix:PATH"),
    .init("Certs", "/usr/share/stratum/certs", "folder with ca.crt, client.crt and client.key"),
    .init("Insecure", "false", "true: infrap4d has no TLS"),
    .init(
      "kubeconfig", "",
      "a kubeconfig; empty: the service account, else $KUBECONFIG or ~/.kube/config; none: there "
        + "is no Kubernetes"),
    .init("nodeName", "", "this node's name in Kubernetes; empty: $NODE_NAME, else the host's"),
    .init("cniAddr", "127.0.0.1:50001", "where CNI plugins call: HOST:PORT or unix:PATH"),
    .init("healthAddr", "0.0.0.0:50096", "where /check and /metrics are asked for by HTTP"),
    .init("metrics", "true", "false: /metrics is not served"),
    .init(
      "felixSocket", "/var/run/calico/felix-dataplane.sock", "where Felix connects; none: nowhere"),
    .init("State", "/var/lib/cni/infraagent", "folder of what must survive a restart"),
  ]

  static func check(_ configuration: Configuration) throws(ConfigurationError) {
    guard configuration["interfaceType"].lowercased() == "tap" else {
      throw ConfigurationError(
        "interfaceType", "is \(configuration["interfaceType"]); this agent has tap only")
    }
  }

  /// infrap4d's gNMI.
  static func gNMI(_ configuration: Configuration) throws(ConfigurationError) -> Infrap4dOptions {
    var options = try server(try configuration.endpoint("GnmiServer.addr"))
    options.security =
      try configuration.flag("Insecure")
      ? .plaintext : .mutualTLS(folder: configuration["Certs"])
    return options
  }

  /// Upstream's manager and ours have no TLS on this address of the machine itself.
  static func manager(_ configuration: Configuration) throws(ConfigurationError) -> Infrap4dOptions
  {
    let host = configuration["managerAddr"]
    var options: Infrap4dOptions
    if host.hasPrefix("unix:/") {
      options = try server(.unix(path: String(host.dropFirst(5))))
    } else {
      let port = try configuration.number("managerPort", in: 1...65_535)
      options = try server(.tcp(host: host, port: Int(port)))
    }
    options.security = .plaintext
    return options
  }

  private static func server(
    _ endpoint: Configuration.Endpoint
  ) throws(ConfigurationError) -> Infrap4dOptions {
    var options = Infrap4dOptions()
    switch endpoint {
    case .tcp(let host, let port): options.address = .tcp(host: host, port: port)
    case .unix(let path): options.address = .unix(path: path)
    }
    return options
  }

  /// - Returns: nil for a node without Kubernetes.
  static func cluster(_ configuration: Configuration) throws -> Cluster? {
    switch configuration["kubeconfig"] {
    case "none": return nil
    case "":
      if let cluster = try Cluster.inCluster() { return cluster }
      let path = Cluster.kubeconfigPath()
      guard FileManager.default.fileExists(atPath: path) else {
        throw ConfigurationError(
          "kubeconfig",
          "there is no service account here and no \(path); give kubeconfig=PATH, or "
            + "kubeconfig=none on a node without Kubernetes")
      }
      return try Cluster(kubeconfig: path)
    case let path: return try Cluster(kubeconfig: path)
    }
  }

  static func nodeName(_ configuration: Configuration) -> String {
    let name = configuration["nodeName"]
    if !name.isEmpty { return name }
    // The kubelet's rule.
    return ProcessInfo.processInfo.environment["NODE_NAME"]
      ?? ProcessInfo.processInfo.hostName.lowercased()
  }

  static func pods(_ configuration: Configuration) throws(ConfigurationError) -> CNIBackendOptions {
    var options = CNIBackendOptions()
    options.folder = configuration["State"] + "/tap"
    options.tapPrefix = configuration["tapPrefix"]
    options.mtu = try mtu(configuration)
    return options
  }

  static func host(
    _ configuration: Configuration
  ) throws(ConfigurationError) -> HostInterface.Options {
    var options = HostInterface.Options()
    options.tapPrefix = configuration["tapPrefix"]
    options.mtu = try mtu(configuration)
    guard let address = IPv4Address(configuration["hostIfaceAddress"]) else {
      throw ConfigurationError(
        "hostIfaceAddress", "\(configuration["hostIfaceAddress"]) is no IPv4 address")
    }
    options.address = address
    options.sysctls = configuration["sysctls"]
    for text in configuration.list("podCIDRs") {
      guard let prefix = IPv4Prefix(text) else {
        throw ConfigurationError("podCIDRs", "\(text) is no prefix; give such as 10.244.0.0/16")
      }
      options.podPrefixes.append(prefix)
    }
    return options
  }

  /// The kernel's limits for IPv4 and for a TAP.
  private static func mtu(_ configuration: Configuration) throws(ConfigurationError) -> UInt32 {
    UInt32(try configuration.number("hostIfaceMTU", in: 68...65_521))
  }
}
