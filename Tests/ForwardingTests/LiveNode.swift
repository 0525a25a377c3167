import Core
import Forwarding
import Hosting
import K8sDPArtefacts
import NodeTesting
import SimDataplane

#if DPDK
  import DPDKDataplane
#endif

/// A forwarder that runs k8s_dp between two pods, a client and a server with a Service
/// of TCP and UDP before it.
final class LiveNode: Sendable {
  static let vip = "10.96.0.80"
  static let gatewayMAC = "02:00:00:00:00:01"
  #if DPDK
    static let engines = ["model", "dpdk"]
  #else
    static let engines = ["model"]
  #endif

  let forwarder: Forwarder
  let client: Pod
  let server: Pod
  /// The TAPs' names as ports.
  let ports: [String]

  init(_ engine: String, options: Forwarder.Options = Forwarder.Options()) async throws {
    let forwarder = try Forwarder(options: options)
    self.forwarder = forwarder
    try await Self.install(engine, on: forwarder)
    ports = [NetworkNamespace.fresh("fwd"), NetworkNamespace.fresh("fwd")]
    for (name, id) in zip(ports, [PortID(2), 3]) {
      let given = try await forwarder.add(PortDescription(name: name, kind: .tap, id: id))
      precondition(given == id)
    }
    client = try await Pod(
      ports[0], ip: "10.244.0.6", mac: "02:00:00:00:02:06", gatewayMAC: Self.gatewayMAC)
    server = try await Pod(
      ports[1], ip: "10.244.0.7", mac: "02:00:00:00:02:07", gatewayMAC: Self.gatewayMAC)
  }

  /// Ports and forwarding thread; the namespaces go with the node.
  func stop() async throws {
    for port in ports { try await forwarder.remove(port) }
    await forwarder.stop()
  }

  func status(_ index: Int) async throws -> PortStatus {
    let all = await forwarder.ports()
    guard let status = all.first(where: { $0.description.name == ports[index] }) else {
      throw DataplaneError(.notFound, ports[index], "no such port")
    }
    return status
  }

  static func install(_ engine: String, on forwarder: Forwarder) async throws {
    try await forwarder.install { try make(engine) }
    let intent = try intent()
    try await forwarder.withDataplane { dataplane in
      var compiler = IntentCompiler()
      try dataplane.apply(try compiler.updates(for: intent))
    }
  }

  private static func intent() throws -> Intent {
    func address(_ text: String) throws -> IPv4Address {
      guard let address = IPv4Address(text) else {
        throw DataplaneError(.invalidArgument, text, "no address")
      }
      return address
    }
    func pod(_ name: String, _ ip: String, _ mac: UInt64, _ port: PortID) throws -> Intent.Interface
    {
      Intent.Interface(name: name, ip: try address(ip), mac: MACAddress(mac), port: port)
    }
    let endpoint = Intent.Endpoint(address: try address("10.244.0.7"), port: 8080)
    var intent = Intent()
    intent.gateway = try pod("gateway", "169.254.1.1", 0x0200_0000_0001, 0)
    intent.host = try pod("host", "200.1.1.2", 0x0200_0000_0102, 1)
    intent.pods = [
      try pod("client", "10.244.0.6", 0x0200_0000_0206, 2),
      try pod("server", "10.244.0.7", 0x0200_0000_0207, 3),
    ]
    intent.services = [
      Intent.Service(
        name: "web", clusterIP: try address(vip),
        ports: [TransportProtocol.tcp, .udp].map {
          Intent.ServicePort(transport: $0, port: 80, endpoints: [endpoint])
        })
    ]
    return intent
  }

  private static func make(_ engine: String) throws -> any Dataplane {
    #if DPDK
      if engine == "dpdk" {
        var options = SWXOptions.k8sDP
        options.virtualTime = false
        let spec = try PipelineSpec(parsing: K8sDPArtefacts.spec)
        for learner in spec.learners { options.sizes[learner.name] = 4096 }
        return try SWXDataplane(spec: spec, options: options)
      }
    #endif
    return SimDataplane()
  }
}
