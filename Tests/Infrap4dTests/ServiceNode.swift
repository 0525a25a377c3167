import Core
import Foundation
import GRPCCore
import Infrap4dDataplane
import Logging
import NodeTesting
import Testing

/// A server with two pods on its TAPs, a client and a web server behind a Service.
struct ServiceNode: Sendable {
  static let vip = "10.96.0.80"

  let server: ServerProcess
  let client: Pod
  let web: Pod
  /// The TAPs of ports 0 to 3.
  let names: [String]

  /// - Parameter program: fills the tables; the TAPs are there by then.
  init(
    _ arguments: [String],
    program: (ServerProcess, [String]) async throws -> Void = { server, _ in
      try await Self.program(server)
    }
  ) async throws {
    server = try ServerProcess()
    try await server.start(arguments)
    let gnmi = GNMIClient(server: server)
    names = (0..<4).map { _ in NetworkNamespace.fresh("tap") }
    for name in names {
      let outcome = try await gnmi.ctl("set", "device:virtual-device,name:\(name),port-type:TAP")
      try #require(outcome.status == 0, "\(outcome)")
    }
    try await program(server, names)
    let gateway = "02:00:00:00:00:01"
    client = try await Pod(
      names[2], ip: "10.244.0.6", mac: "02:00:00:00:02:06", gatewayMAC: gateway)
    web = try await Pod(names[3], ip: "10.244.0.7", mac: "02:00:00:00:02:07", gatewayMAC: gateway)
    // Where the TAPs are now is written down once a second.
    let file = server.state + "/ports.log"
    while try String(decoding: Data(contentsOf: URL(fileURLWithPath: file)), as: UTF8.self)
      .components(separatedBy: "eth0").count < 3
    {
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  /// Pushes k8s_dp and its entries, and goes.
  private static func program(_ server: ServerProcess) async throws {
    var options = Infrap4dOptions()
    options.address = .unix(path: server.socket)
    options.pipeline = PipelineBundle.k8sDP()
    options.patience = .seconds(3600)
    let controller = try Infrap4dClient(
      options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    await controller.start()
    var compiler = IntentCompiler()
    try await controller.apply(try compiler.updates(for: try intent()))
    await controller.stop()
  }

  private static func intent() throws -> Intent {
    func pod(_ name: String, _ ip: String, _ mac: UInt64, _ port: PortID) throws -> Intent.Interface
    {
      Intent.Interface(
        name: name, ip: try #require(IPv4Address(ip)), mac: MACAddress(mac), port: port)
    }
    var intent = Intent()
    intent.gateway = try pod("gateway", "169.254.1.1", 0x0200_0000_0001, 0)
    intent.host = try pod("host", "200.1.1.2", 0x0200_0000_0102, 1)
    intent.pods = [
      try pod("client", "10.244.0.6", 0x0200_0000_0206, 2),
      try pod("web", "10.244.0.7", 0x0200_0000_0207, 3),
    ]
    let address = intent.pods[1].ip
    intent.services = [
      Intent.Service(
        name: "web", clusterIP: try #require(IPv4Address(vip)),
        ports: [(80, 8080), (81, 8081)].map { port, target in
          Intent.ServicePort(
            transport: .tcp, port: port,
            endpoints: [Intent.Endpoint(address: address, port: target)])
        })
    ]
    return intent
  }

  /// Everything that controllers have written, as they read it.
  func entries() async throws -> Set<String> {
    // Reading needs no primary, and so takes the place of none.
    try await withGRPCClient(transport: try TestController.unix(server.socket)) { grpc in
      let controller = TestController(client: TestController.Client(wrapping: grpc))
      let learned = Set(
        try TestController.k8sDP().p4Info.tables
          .filter { ["flows", "fragments"].contains($0.preamble.alias) }.map(\.preamble.id))
      return Set(
        try await controller.entries().filter { !learned.contains($0.tableEntry.tableID) }
          .map { try $0.jsonString() })
    }
  }

  /// Waits until the flows that are there now are on disk.
  func flowsAreKept() async throws {
    let file = server.state + "/flows.log"
    func written() -> Date? {
      (try? FileManager.default.attributesOfItem(atPath: file))?[.modificationDate] as? Date
    }
    // The first one that ends from now on may have begun before.
    for _ in 0..<2 {
      let before = written()
      while written() == before { try await Task.sleep(for: .milliseconds(10)) }
    }
  }

  /// The ports with their interfaces.
  func stop() async throws {
    let gnmi = GNMIClient(server: server)
    for name in names {
      let outcome = try await gnmi.ctl("del", "device:virtual-device,name:\(name)")
      #expect(outcome.status == 0, "\(outcome)")
    }
    #expect(try await server.stop() == 0)
  }
}
