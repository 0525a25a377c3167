import Core
import Foundation
import GRPCCore
import InfraProtos
import Infrap4dDataplane
import Logging
import NodeTesting
import Testing

/// Our controllers and upstream's real server.
@Suite(
  .serialized, .timeLimit(.minutes(60)),
  .enabled(if: UpstreamServer.reason == nil, "\(UpstreamServer.reason ?? "")"))
struct UpstreamHostTests {
  private static let tool = URL(fileURLWithPath: ServerProcess.program)
    .deletingLastPathComponent().appendingPathComponent("k8sdp").path

  /// A server with TAPs.
  private func server(
    ports: Int, isSecure: Bool = false
  ) async throws -> (server: UpstreamServer, process: RunningProgram) {
    let server = try await UpstreamServer()
    let process = try server.start(isSecure: isSecure)
    try await makePorts(ports, on: server)
    return (server, process)
  }

  private func makePorts(_ ports: Int, on server: UpstreamServer) async throws {
    try await withGRPCClient(transport: try TestController.unix(server.socket)) { grpc in
      let kind = try await ServerKind.ask(grpc, patience: .seconds(60))
      #expect(kind == .upstream)
      let upstream = UpstreamPorts(grpc)
      #expect(try await upstream.count() == 0)
      try await upstream.makeTAPs(UpstreamPorts.taps.prefix(ports), mtu: 1500)
      #expect(try await upstream.count() == ports)
    }
  }

  private func client(
    _ server: UpstreamServer, electionID: UInt64 = 10,
    _ change: (inout Infrap4dOptions) -> Void = { _ in }
  ) async throws -> Infrap4dClient {
    var options = Infrap4dOptions()
    options.address = .unix(path: server.socket)
    options.electionID = electionID
    options.pipeline = PipelineBundle.k8sDP()
    // Other tests may have the processors.
    options.patience = .seconds(3600)
    options.backoff = .milliseconds(50)...(.milliseconds(500))
    change(&options)
    let client = try Infrap4dClient(
      options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    await client.start()
    return client
  }

  /// A node with two pods and so many Services, whose endpoints are those two in turn.
  private func intent(services: Int, endpoints: Int, from first: Int = 0) -> Intent {
    func interface(_ name: String, _ ip: UInt32, _ port: PortID) -> Intent.Interface {
      Intent.Interface(
        name: name, ip: IPv4Address(ip), mac: MACAddress(0x0200_0000_0000 + UInt64(ip)), port: port)
    }
    var intent = Intent()
    intent.gateway = interface("gateway", 0xA9FE_0101, 0)
    intent.host = interface("host", 0xC801_0102, 1)
    intent.pods = [interface("a", 0x0AF4_0006, 2), interface("b", 0x0AF4_0007, 3)]
    intent.services = (first..<first + services).map { n -> Intent.Service in
      let behind = (0..<endpoints).map { index -> Intent.Endpoint in
        Intent.Endpoint(
          address: IPv4Address(0x0AF4_0006 + UInt32(index % 2)),
          port: UInt16(8000 + n % 500 + index))
      }
      return Intent.Service(
        name: "s\(n)", clusterIP: IPv4Address(0x0A60_0000 + UInt32(n)),
        ports: [Intent.ServicePort(transport: .tcp, port: 80, endpoints: behind)])
    }
    return intent
  }

  /// The server has these entries, and no others.
  private func expect(
    _ client: Infrap4dClient, has entries: [TableEntry],
    _ location: SourceLocation = #_sourceLocation
  ) async throws {
    for table in K8sDP.Table.allCases {
      let wanted = entries.filter { $0.table == table.name }
        .sorted { $0.key.lexicographicallyPrecedes($1.key) }
      let found = try await client.entries(of: table.name)
      #expect(found == wanted, "\(table.name)", sourceLocation: location)
    }
  }

  /// Services come, change and go, and what is read back is what is wanted.
  @Test func intentsOfGrowingSize() async throws {
    let (server, process) = try await server(ports: 4)
    let client = try await client(server)
    var compiler = IntentCompiler()
    var written = 0
    for (services, endpoints, first) in [
      (10, 3, 0), (10, 2, 0), (10, 4, 5), (400, 3, 0), (400, 5, 100), (10, 3, 0), (0, 0, 0),
    ] {
      let updates = try compiler.updates(
        for: intent(services: services, endpoints: endpoints, from: first))
      written += updates.count
      try await client.apply(updates)
      try await expect(client, has: compiler.entries)
    }
    #expect(written > 10_000)
    #expect(await client.kind == .upstream)
    #expect(process.isRunning, "\(server.log)")
    await client.stop()
  }

  /// It is killed, and starts again without anything: with its ports it gets all back.
  @Test func killedServerIsBroughtBack() async throws {
    let (server, first) = try await server(ports: 4)
    let client = try await client(server) { $0.ports = 4 }
    var compiler = IntentCompiler()
    try await client.apply(try compiler.updates(for: intent(services: 20, endpoints: 3)))
    for _ in 0..<3 {
      first.kill()
      while first.isRunning { try await Task.sleep(for: .milliseconds(5)) }
      let process = try server.start(isSecure: false)
      // The client is back before the ports are, and waits for all of them.
      try await makePorts(4, on: server)
      try await expect(client, has: compiler.entries)
      try await client.apply(try compiler.updates(for: intent(services: 20, endpoints: 2)))
      try await expect(client, has: compiler.entries)
      #expect(process.isRunning, "\(server.log)")
      process.kill()
      while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
    }
    await client.stop()
  }

  /// Who has the higher election id drives it, and hands over when it goes; the same id is
  /// outbid, since it is not answered there.
  @Test func takeover() async throws {
    let (server, process) = try await server(ports: 4)
    var compiler = IntentCompiler()
    let updates = try compiler.updates(for: intent(services: 10, endpoints: 3))
    let first = try await client(server, electionID: 10)
    try await first.apply(updates)
    let second = try await client(server, electionID: 10) {
      $0.silence = .milliseconds(200)
      $0.entries = []
    }
    // It wants nothing, and so takes away what is there.
    try await second.ready()
    try await expect(second, has: [])
    await second.stop()
    while try await first.entries(of: "services").count != 10 {
      try await Task.sleep(for: .milliseconds(20))
    }
    try await expect(first, has: compiler.entries)
    await first.stop()
    #expect(process.isRunning, "\(server.log)")
  }

  /// Frames to a port that does not exist crash it, so no row leads to one.
  @Test func portsThatDoNotExistAreRefused() async throws {
    let (server, process) = try await server(ports: 2)
    let client = try await client(server)
    var compiler = IntentCompiler()
    let updates = try compiler.updates(for: intent(services: 1, endpoints: 2))
    let error = await #expect(throws: DataplaneError.self) { try await client.apply(updates) }
    #expect(error?.code == .outOfRange)
    try await expect(client, has: [])
    await client.stop()
    #expect(process.isRunning, "\(server.log)")
  }

  /// With TLS, which is its default: the right certificates, and the wrong ones.
  @Test func appliedOverTLS() async throws {
    let server = try await UpstreamServer()
    let process = try server.start(isSecure: true)
    let file = server.folder + "/state.yaml"
    try Self.state.write(toFile: file, atomically: true, encoding: .utf8)
    func apply(_ certificates: String) async throws -> Command.Outcome {
      try await Command.run(
        server.namespace.command([
          Self.tool, "apply", file, "--to", "infrap4d:localhost:9559", "--certs", certificates,
        ]))
    }
    // Without ports it has no pipeline.
    let early = try await apply(server.certificates)
    #expect(early.status == 2 && early.output.contains("has 0 ports"), "\(early)")
    for tap in UpstreamPorts.taps.prefix(4) {
      let outcome = try await Command.run(
        server.namespace.command([
          Self.gnmi, "--grpc_addr=localhost:9339", "--ca_cert_file=\(server.certificates)/ca.crt",
          "--client_cert_file=\(server.certificates)/client.crt",
          "--client_key_file=\(server.certificates)/client.key", "set",
          "device:virtual-device,name:\(tap),pipeline-name:pipe,mempool-name:MEMPOOL0,mtu:1500,"
            + "port-type:TAP",
        ]))
      #expect(outcome.status == 0, "\(outcome)")
    }
    let outcome = try await apply(server.certificates)
    #expect(outcome.status == 0, "\(outcome)\n\(server.log)")
    // Again: nothing is to be done.
    #expect(try await apply(server.certificates).status == 0)
    let other = try await UpstreamServer()
    let refused = try await apply(other.certificates)
    #expect(refused.status == 2, "\(refused)")
    #expect(process.isRunning, "\(server.log)")
  }

  private static let gnmi = URL(fileURLWithPath: ServerProcess.program)
    .deletingLastPathComponent().appendingPathComponent("gnmi-ctl").path

  private static let state = """
    apiVersion: k8sdp/v1
    gateway: {ip: 169.254.1.1, mac: "02:00:00:00:00:01", port: 0}
    host:    {ip: 200.1.1.2, mac: "02:00:00:00:01:02", port: 1}
    pods:
      - {name: client, ip: 10.244.0.6, mac: "02:00:00:00:02:06", port: 2}
      - {name: web-1,  ip: 10.244.0.7, mac: "02:00:00:00:02:07", port: 3}
    services:
      - name: web
        clusterIP: 10.96.0.80
        ports:
          - {protocol: TCP, port: 80, endpoints: ["10.244.0.7:8080"]}
    """

  /// The manager, its requests, and pods that talk through upstream's server.
  @Test func managerDrivesIt() async throws {
    let (server, process) = try await server(ports: 4)
    let manager = ManagerProcess(folder: server.folder)
    try await manager.start(at: server.socket, "Ports=4")
    let names = Array(UpstreamPorts.taps.prefix(4))
    try await manager.program(names)
    #expect(try await manager.isServing())
    // An interface of the chassis that was not made is no port, though its id reads 0.
    let error = await #expect(throws: RPCError.self) {
      try await manager.call { client in
        _ = try await client.createNetwork(
          .with {
            $0.hostIfName = "TAP9"
            $0.macAddr = "02:00:00:00:02:09"
            $0.addRequest.containerIps = [.with { $0.address = "10.244.0.9/32" }]
          })
      }
    }
    #expect(error?.message.contains("TAP9") == true, "\(String(describing: error))")
    try await manager.killHard()
    try await manager.start(at: server.socket, "Ports=4")
    try await manager.program(names)
    #expect(process.isRunning, "\(server.log)")
    try await manager.killHard()
  }

  /// Every fixture, frame by frame through its TAPs.
  @Test func forwardsTheFixtures() async throws {
    let server = try await UpstreamServer()
    let live = "infrap4d:unix:\(server.socket)"
    // What it warns of while it runs is in another file than the table.
    let warnings = server.folder + "/table.err"
    let outcome = try await Command.run(
      server.namespace.command([
        "sh", "-c", "exec \"$@\" 2>\(warnings)", "sh", Self.tool, "table",
        FixtureTableTests.fixtures, "--json", "--with", live, "--start",
        "sh -c '\(server.line(isSecure: false))'",
      ]))
    let said = (try? String(contentsOfFile: warnings, encoding: .utf8)) ?? ""
    try #require(outcome.output.hasPrefix("{"), "\(outcome)\n\(said)\n\(server.log)")
    let table = try JSONDecoder().decode(
      FixtureTableTests.Table.self, from: Data(outcome.output.utf8))
    let folders = try FileManager.default.contentsOfDirectory(atPath: FixtureTableTests.fixtures)
    #expect(table.rows.count == folders.filter { !$0.hasSuffix(".md") }.count)
    for row in table.rows {
      for cell in row.cells where !cell.isLeftOut {
        #expect(
          cell.differences == 0 && cell.stateDifferences == 0,
          "\(row.fixture) on \(cell.dataplane): \(cell) \(row.remarks)")
      }
    }
    let carried = table.rows.flatMap(\.cells).filter { $0.dataplane == live }
    #expect(carried.map(\.frames).reduce(0, +) > 6_000)
    #expect(outcome.status == 0, "\(server.log)")
  }
}
