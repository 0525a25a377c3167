import Foundation
import NodeTesting

/// What these tests need of the machine.
public enum Requirements {
  /// infrap4d's dataplanes: everything has to be so with either.
  public static let engines = ["model", "dpdk"]

  /// What is not there, or nil.
  public static let missing: String? = {
    if let reason = NetworkNamespace.reason { return reason }
    let missing = ["curl", "dig", "dnsmasq", "iperf3"].filter {
      (try? Command.runNow(["which", $0]))?.status != 0
    }
    guard missing.isEmpty else { return "not installed: \(missing.joined(separator: ", "))" }
    return FileManager.default.isExecutableFile(atPath: "/usr/lib/cni/host-local")
      ? nil : "not installed: host-local (containernetworking-plugins)"
  }()
}
