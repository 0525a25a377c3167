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
    let intent = intent(clients)
    if contract.tables.contains(where: { $0.name == "services" }) {
      var compiler = IntentCompiler()
      do throws(IntentError) { return try compiler.updates(for: intent) } catch {
        throw ReplayError("the benchmark's Service", "\(error.entity): \(error.message)")
      }
    }
    if UpstreamTables.areThose(of: contract) {
      var compiler = CarefulCompiler(contract: contract)
      return compiler.updates(for: intent)
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

  private static func intent(_ clients: [IPv4Address]) -> Intent {
    let backends = (0..<endpoints).map {
      Intent.Endpoint(address: endpoint($0), port: endpointPort)
    }
    let port = Intent.ServicePort(
      transport: .tcp, port: BenchTraffic.vipPort, endpoints: backends)
    return Intent(
      gateway: Intent.Interface(
        name: "gateway", ip: IPv4Address(0xA9FE_0101), mac: BenchTraffic.gatewayMAC, port: 0),
      pods: pods(clients),
      services: [Intent.Service(name: "web", clusterIP: BenchTraffic.vip, ports: [port])])
  }
}
