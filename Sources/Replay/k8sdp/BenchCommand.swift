import ArgumentParser
import Core
import Replay
import SimDataplane

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measures the dataplanes on this machine.")

  func run() throws {
    let model = SimDataplane()
    try model.apply(BenchTraffic.k8sDPUpdates())
    let r = try Bench().tcp(
      model, traffic: BenchTraffic(flows: 1000), packets: 2_000_000, firstTime: .zero)
    print(r)
    let m2 = SimDataplane()
    try m2.apply(BenchTraffic.k8sDPUpdates())
    let r2 = try Bench().tcp(
      m2, traffic: BenchTraffic(flows: 100000), packets: 2_000_000, firstTime: .zero)
    print(r2)
  }
}
