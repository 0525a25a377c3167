import ArgumentParser
import ClusterTesting
import Foundation

/// How fast a whole node takes pods and changes of Services.
@main struct NodeBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "node-bench",
    abstract: "Measure a whole node: pods that come and go, Services that change.",
    discussion: """
      Starts infrap4d, inframanager and infraagent, which are beside this program, in network \
      namespaces of their own, with a stand-in for the API server. Needs root. Exit codes: 0 when \
      every aim is met, 1 when one is missed.
      """)

  /// What can be measured.
  enum Measurement: String, CaseIterable, ExpressibleByArgument {
    case pods, endpoints
    case coldStart = "cold-start"
    case cycles

    func run(_ bench: NodeBench) async throws -> [Figure] {
      switch self {
      case .pods: try await PodMeasurement.run(bench.dataplane, pods: bench.pods)
      case .endpoints:
        try await EndpointMeasurement.run(
          bench.dataplane, services: 1000, changes: bench.changes)
      case .coldStart:
        try await ColdStartMeasurement.run(bench.dataplane, services: bench.services)
      case .cycles: try await CycleMeasurement.run(bench.dataplane, cycles: bench.cycles)
      }
    }
  }

  @Argument(
    help: ArgumentHelp(
      "What to measure: \(Measurement.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "measurement"))
  var measurements: [Measurement] = []
  @Option(help: "infrap4d's --dataplane: model or dpdk.") var dataplane = "dpdk"
  @Option(help: "Pods of `pods`, at most 250.") var pods = 200
  @Option(help: "Changes of `endpoints`.") var changes = 300
  @Option(help: "Services of `cold-start`, 10 endpoints each.") var services = 10_000
  @Option(help: "ADD and DEL of `cycles`.") var cycles = 10_000
  @Flag(help: "Print JSON: an array of name, value, unit and aim.") var json = false

  func validate() throws {
    guard (1...250).contains(pods) else { throw ValidationError("--pods is 1 to 250") }
    guard changes > 0, cycles > 0 else { throw ValidationError("measure at least one") }
    guard (1...50_000).contains(services) else {
      throw ValidationError("--services is 1 to 50000")
    }
  }

  func run() async throws {
    if let missing = Requirements.missing { throw ValidationError(missing) }
    var figures: [Figure] = []
    for measurement in measurements.isEmpty ? Measurement.allCases : measurements {
      FileHandle.standardError.write(Data("measuring \(measurement.rawValue)\n".utf8))
      figures += try await measurement.run(self)
    }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      print(String(decoding: try encoder.encode(figures), as: UTF8.self))
    } else {
      for figure in figures { print(figure) }
    }
    let missed = figures.filter(\.isMissed)
    let aims = figures.count { $0.aim != nil }
    let verdict =
      "aims met: \(aims - missed.count) of \(aims)"
      + (missed.isEmpty ? "" : "; missed: \(missed.map(\.name).joined(separator: ", "))")
    // Beside JSON, not in it.
    if json { FileHandle.standardError.write(Data("\(verdict)\n".utf8)) } else { print(verdict) }
    guard missed.isEmpty else { throw ExitCode(1) }
  }
}
