import Certificates
import Foundation
import NodeTesting
import Testing

/// Upstream's `infrap4d` of IPDK 23.01, in a namespace and a folder of its own.
///
/// Its program, or a script that ends in it with the arguments it is given, is named by
/// K8SDP_UPSTREAM_INFRAP4D. It finds gcc, and what it needs besides by SDE_INSTALL.
final class UpstreamServer: Sendable {
  private static let program = ProcessInfo.processInfo.environment["K8SDP_UPSTREAM_INFRAP4D"]
  static let reason: String? =
    program == nil
    ? "K8SDP_UPSTREAM_INFRAP4D does not name upstream's infrap4d" : NetworkNamespace.reason

  let folder: String
  let namespace: NetworkNamespace
  var socket: String { folder + "/infrap4d.sock" }
  var certificates: String { folder + "/certs" }

  init() async throws {
    folder = NSTemporaryDirectory() + "upstream-\(UUID().uuidString.prefix(8))"
    namespace = try await NetworkNamespace("upst")
    try CertificateSet(hosts: ["localhost"], now: Date()).write(to: certificates)
    try Self.driver.write(toFile: folder + "/driver.conf", atomically: true, encoding: .utf8)
    try Self.chassis.write(toFile: folder + "/chassis.pb.txt", atomically: true, encoding: .utf8)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// A line for the shell that ends in the server, in the namespace that it is run in.
  ///
  /// - Parameter isSecure: TLS on localhost:9559, or none on ``socket``.
  func line(isSecure: Bool) -> String {
    let listen =
      isSecure
      ? [
        "--external_stratum_urls=localhost:9339", "--ca_cert_file=\(certificates)/ca.crt",
        "--server_cert_file=\(certificates)/stratum.crt",
        "--server_key_file=\(certificates)/stratum.key",
      ] : ["--grpc_open_insecure_mode=true", "--external_stratum_urls=unix:\(socket)"]
    let arguments =
      listen + [
        "--dpdk_infrap4d_cfg=\(folder)/driver.conf",
        "--chassis_config_file=\(folder)/chassis.pb.txt", "--log_dir=\(folder)",
        "--persistent_config_dir=\(folder)/etc", "--tdi_sde_config_dir=\(folder)/tdi",
        "--forwarding_pipeline_configs_file=\(folder)/etc/pipeline.pb.txt",
        "--write_req_log_file=", "--read_req_log_file=",
      ]
    // Its driver logs into the folder it is run in.
    return
      "cd \(folder) && exec \(Self.program ?? "") \(arguments.joined(separator: " ")) > out 2>&1"
  }

  /// Starts it. It is killed with the last reference.
  func start(isSecure: Bool) throws -> RunningProgram {
    try RunningProgram(namespace.command(["sh", "-c", line(isSecure: isSecure)]))
  }

  /// The end of what it printed and logged.
  var log: String {
    ["out", "infrap4d.INFO", "p4_driver.log"].map { name in
      let text = (try? String(contentsOfFile: folder + "/\(name)", encoding: .utf8)) ?? ""
      return "\(name):\n\(text.suffix(2000))"
    }.joined(separator: "\n")
  }

  /// Without hugepages, and without a look at the machine's own network interfaces.
  private static let driver = """
    {
      "chip_list": [{"id": "asic-0", "chip_family": "dpdk", "instance": 0,
        "pcie_sysfs_prefix": "/sys/devices/none", "pcie_domain": 0, "pcie_bus": 5, "pcie_fn": 0,
        "pcie_dev": 0, "pcie_int_mode": 1, "sds_fw_path": "none"}],
      "instance": 0,
      "p4_devices": [{
        "device-id": 0,
        "mempools": [{"name": "MEMPOOL0", "buffer_size": 2304, "pool_size": 4096,
          "cache_size": 256, "numa_node": 0}],
        "eal-args": "infrap4d -c 3 --no-huge --no-shconf --no-pci --no-telemetry -m 3072",
        "p4_programs": [{
          "program-name": "none", "cpu_numa_node": "0",
          "p4_pipelines": [{"p4_pipeline_name": "pipe", "core_id": 1, "numa_node": 0,
            "pipe_scope": [0, 1, 2, 3], "path": "none"}]
        }]
      }]
    }
    """

  /// As in the release: TAP0 to TAP31, four to a port of the switch.
  private static let chassis =
    """
    description: "TAPs"
    chassis { platform: PLT_P4_SOFT_SWITCH name: "DPDK" }
    nodes { id: 1 slot: 1 index: 1 }

    """
    + (0..<32).map { tap in
      """
      singleton_ports {
        id: \((tap / 4 + 5) * 100 + tap % 4) name: "TAP\(tap)" slot: 1 port: \(tap / 4 + 5)
        channel: \(tap % 4 + 1) speed_bps: 10000000000
        config_params { admin_state: ADMIN_STATE_ENABLED } node: 1
      }
      """
    }.joined(separator: "\n")
}
