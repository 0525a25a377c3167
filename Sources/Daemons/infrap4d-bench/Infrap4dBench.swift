import ArgumentParser
import Core
import Foundation
import GRPCCore
import Infrap4dDataplane
import Logging

/// How fast a server takes what a controller has to say.
@main struct Infrap4dBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "infrap4d-bench",
    abstract: "Measure table writes and reads of an infrap4d, through mutual TLS.",
    discussion: """
      Starts the infrap4d beside this program in a folder of its own, on a free port of the \
      loopback interface, and ends it afterwards. Each figure is the best of --rounds.
      """)

  @Option(help: "The server's --dataplane: model or dpdk.") var dataplane = "dpdk"
  @Option(help: "Rounds of each measurement.") var rounds = 3
  @Option(help: "Updates in one Write.") var batch = 1000
  @Flag(help: "Print JSON: an array of name, value and unit.") var json = false

  struct Figure: Encodable {
    var name: String
    var value: Double
    var unit: String
  }

  func run() async throws {
    let server = try BenchServer(dataplane: dataplane)
    defer { server.stop() }
    let port = try await server.port()
    var figures: [String: Figure] = [:]
    var order: [String] = []
    func note(_ name: String, _ value: Double, _ unit: String, least: Bool) {
      if let old = figures[name] {
        if least == (value < old.value) { figures[name]?.value = value }
      } else {
        figures[name] = Figure(name: name, value: value, unit: unit)
        order.append(name)
      }
    }
    for round in 0..<rounds {
      var options = Infrap4dOptions()
      options.address = .tcp(host: "localhost", port: port)
      options.security = .mutualTLS(folder: server.folder + "/certs")
      options.pipeline = PipelineBundle.k8sDP()
      // Always above the controller of the last round.
      options.electionID = UInt64(round + 1)
      options.batchSize = batch
      let client = try Infrap4dClient(options, logger: Logger(label: "bench"))
      await client.start()
      try await client.ready()

      let routes = (0..<50_000).map { i in
        TableEntry(
          table: "routes", key: [UInt64(0x0B00_0000 + i)], action: "route_hop",
          arguments: [2, 0x0200_0000_0206, 0x0200_0000_0001])
      }
      let inserted = try await seconds { try await client.apply(routes.map { .insert($0) }) }
      note("insert 50,000 rows", 50_000 / inserted, "writes/s", least: false)
      let read = try await seconds { _ = try await client.entries(of: "routes") }
      note("read 50,000 rows", 50_000 / read, "rows/s", least: false)
      let deleted = try await seconds {
        try await client.apply(routes.map { .delete(table: $0.table, key: $0.key) })
      }
      note("delete 50,000 rows", 50_000 / deleted, "writes/s", least: false)

      var compiler = IntentCompiler()
      let intent = Self.services(10_000, endpoints: 10)
      let updates = try compiler.updates(for: intent)
      let programmed = try await seconds { try await client.apply(updates) }
      note("10,000 Services x 10 endpoints, \(updates.count) updates", programmed, "s", least: true)
      let gone = try await seconds {
        try await client.apply(try compiler.updates(for: Intent()))
      }
      note("all of them removed", gone, "s", least: true)
      await client.stop()
    }
    let result = order.compactMap { figures[$0] }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      print(String(decoding: try encoder.encode(result), as: UTF8.self))
      return
    }
    for figure in result {
      let value = String(format: figure.value < 1000 ? "%.2f" : "%.0f", figure.value)
      print(
        figure.name.padding(toLength: 52, withPad: " ", startingAt: 0)
          + String(repeating: " ", count: max(0, 10 - value.count)) + value + " " + figure.unit)
    }
  }

  private func seconds(_ body: () async throws -> Void) async rethrows -> Double {
    let start = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - start) / .seconds(1)
  }

  private static func services(_ count: Int, endpoints: Int) -> Intent {
    var intent = Intent()
    intent.gateway = Intent.Interface(
      name: "gateway", ip: IPv4Address(0xA9FE_0101), mac: MACAddress(0x0200_0000_0001), port: 0)
    intent.host = Intent.Interface(
      name: "host", ip: IPv4Address(0xC801_0102), mac: MACAddress(0x0200_0000_0102), port: 1)
    for i in 0..<UInt32(200) {
      let mac = MACAddress(0x0200_0000_0200 + UInt64(i))
      let ip = IPv4Address(0x0AF4_0002 + i)
      intent.pods.append(Intent.Interface(name: "pod-\(i)", ip: ip, mac: mac, port: 2 + i))
    }
    let pods = intent.pods
    for i in 0..<count {
      var port = Intent.ServicePort(transport: .tcp, port: 80, endpoints: [])
      for n in i * endpoints..<(i + 1) * endpoints {
        let target = UInt16(8000 + n / pods.count)
        port.endpoints.append(Intent.Endpoint(address: pods[n % pods.count].ip, port: target))
      }
      let address = IPv4Address(0x0A60_0000 + UInt32(i))
      intent.services.append(
        Intent.Service(name: "service-\(i)", clusterIP: address, ports: [port]))
    }
    return intent
  }
}
