import Core

/// The benchmark's Service in the tables of the pipelines it knows.
struct BenchService {
  static let endpoints = 16
  static let endpointPort: UInt16 = 8080

  static func endpoint(_ i: Int) -> IPv4Address { IPv4Address(0x0AF4_0100 + UInt32(i)) }

  /// Rows for a pipeline.
  ///
  /// - Throws: when it is neither `k8s_dp` nor upstream's.
  static func updates(for contract: Contract, clients: [IPv4Address]) throws(ReplayError)
    -> [Update]
  {
    if contract.tables.contains(where: { $0.name == "services" }) {
      return try k8sDP(clients: clients)
    }
    if contract.tables.contains(where: { $0.name == "tx_balance_tcp" }) {
      return upstream(clients: clients)
    }
    throw ReplayError(
      "--against",
      "has neither table services nor tx_balance_tcp: only k8s_dp and upstream's pipeline of "
        + "v23.01 can be programmed with the benchmark's Service")
  }

  private static func pods(_ clients: [IPv4Address]) -> [Intent.Interface] {
    clients.enumerated().map { i, ip in
      Intent.Interface(
        name: "client-\(i)", ip: ip, mac: MACAddress(0x0200_0000_8000 + UInt64(i)),
        port: BenchTraffic.clientPort)
    }
      + (0..<endpoints).map { i in
        Intent.Interface(
          name: "endpoint-\(i)", ip: endpoint(i), mac: MACAddress(0x0200_0000_0100 + UInt64(i)),
          port: PortID(3 + i))
      }
  }

  private static func k8sDP(clients: [IPv4Address]) throws(ReplayError) -> [Update] {
    let backends = (0..<endpoints).map {
      Intent.Endpoint(address: endpoint($0), port: endpointPort)
    }
    let port = Intent.ServicePort(
      transport: .tcp, port: BenchTraffic.vipPort, endpoints: backends)
    let intent = Intent(
      gateway: Intent.Interface(
        name: "gateway", ip: IPv4Address(0xA9FE_0101), mac: BenchTraffic.gatewayMAC, port: 0),
      pods: pods(clients),
      services: [Intent.Service(name: "web", clusterIP: BenchTraffic.vip, ports: [port])])
    var compiler = IntentCompiler()
    do throws(IntentError) { return try compiler.updates(for: intent) } catch {
      throw ReplayError("the benchmark's Service", "\(error.entity): \(error.message)")
    }
  }

  /// Tables and arguments of upstream's k8s_dp.p4, release v23.01.
  private static func upstream(clients: [IPv4Address]) -> [Update] {
    var updates: [Update] = []
    func insert(_ table: String, _ key: [UInt64], _ action: String, _ arguments: [UInt64]) {
      updates.append(
        .insert(TableEntry(table: table, key: key, action: action, arguments: arguments)))
    }
    for pod in pods(clients) {
      insert(
        "ipv4_to_port_table", [UInt64(pod.ip.value)], "set_dest_mac_vport",
        [UInt64(pod.port), pod.mac.value])
    }
    let group: UInt64 = 1
    let source: UInt64 = 1000
    updates.append(
      .setGroup(
        selector: "as_sl3_tcp_sel", group: UInt32(group),
        members: (1...endpoints).map { GroupMember(id: UInt32($0)) }))
    insert(
      "tx_balance_tcp", [UInt64(BenchTraffic.vip.value), UInt64(BenchTraffic.vipPort)],
      "tx_balance_tcp_set_group_id", [group])
    insert(
      "write_source_ip_table", [source], "update_src_ip",
      [UInt64(BenchTraffic.vip.value), UInt64(BenchTraffic.vipPort)])
    for i in 0..<endpoints {
      let member = UInt64(i + 1)
      let address = [UInt64(endpoint(i).value), UInt64(endpointPort)]
      insert("as_sl3_tcp", [member], "set_default_lb_dest", [member])
      insert("write_dest_ip_table", [member], "update_dst_ip", address)
      insert("set_meta_tcp", address, "set_key_for_reverse_ct", [source])
    }
    return updates
  }
}
