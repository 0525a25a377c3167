import ChildProcess
import Core
import Foundation
import K8sDPArtefacts

/// Puts faults into the compiled pipeline, one at a time, and lets the fuzzer look
/// for them, then fixtures. A fault that is not found is a hole in what these try, or
/// changes nothing that can be seen.
public struct MutationRun: Sendable {
  /// What became of one fault.
  public enum Outcome: String, Sendable {
    /// The faulty pipeline answered otherwise than the model.
    case found
    /// The engine crashed on it.
    case crashed
    /// The loader did not take it.
    case refused
    case survived
  }

  /// Frames a fault may take to be found.
  public var frames: Int
  public var seed: UInt64
  /// The folder with the fixtures for what fuzzing does not find.
  public var fixtures: String?

  public init(frames: Int, seed: UInt64, fixtures: String? = nil) {
    self.frames = frames
    self.seed = seed
    self.fixtures = fixtures
  }

  /// All faults of `k8s_dp`.
  public static var mutants: [SpecMutant] { SpecMutant.all(of: K8sDPArtefacts.spec) }

  /// Tries faults in this process, which some of them crash.
  ///
  /// - Parameter report: Hears of each outcome.
  public func run(_ numbers: some Sequence<Int>, _ report: (Int, Outcome) -> Void) {
    let mutants = Self.mutants
    for number in numbers where mutants.indices.contains(number) {
      report(number, outcome(of: mutants[number]))
    }
  }

  private func outcome(of mutant: SpecMutant) -> Outcome {
    let text = mutant.applied(to: K8sDPArtefacts.spec)
    guard let spec = try? PipelineSpec(parsing: text) else { return .refused }
    var fuzzer = Fuzzer(seed: seed, frames: frames, left: "model", right: "mutant")
    fuzzer.minimises = false
    fuzzer.factory = {
      factory(spec, sizes: $0.sizes, ports: 16, staleByte: $0.staleByte)
    }
    guard let report = try? fuzzer.run() else { return .refused }
    // A mutant has no contract to keep; the loader holds `k8s_dp` to its own.
    if report.failure != nil || differsInAFixture(spec) { return .found }
    return K8sDP.contract.disagreement(with: spec.contract) == nil ? .survived : .refused
  }

  private func factory(
    _ spec: PipelineSpec, sizes: [String: Int], ports: Int, staleByte: UInt8?
  ) -> DataplaneFactory {
    var factory = DataplaneFactory.k8sDP(sizes: sizes, ports: ports)
    factory.recipes.append(
      DataplaneFactory.Recipe(name: "mutant", bringsClock: true) { (_) throws(ReplayError) in
        LoadedDataplane(
          k8sDP: try DataplaneFactory.engine(
            spec, sizes: sizes, ports: ports, staleByte: staleByte, virtualTime: true))
      })
    return factory
  }

  private func differsInAFixture(_ spec: PipelineSpec) -> Bool {
    guard let fixtures else { return false }
    let factory = factory(spec, sizes: FixtureFolder.sizes, ports: 1024, staleByte: 0)
    return FixtureFolder.all(in: fixtures).contains { fixture in
      guard let run = try? fixture.run(), let pair = try? factory.makePair("model", "mutant"),
        let comparison = try? Comparer(run: run, everyFrame: true).compare(pair.left, pair.right)
      else { return false }
      return !comparison.isEqual
    }
  }

  /// Tries faults in processes of their own, and goes on behind those that crash one.
  ///
  /// - Parameters:
  ///   - numbers: of faults.
  ///   - program: the `k8sdp` to run.
  public func supervise(_ numbers: [Int], program: URL, progress: (Int) -> Void)
    throws(ReplayError) -> MutationReport
  {
    let mutants = Self.mutants
    var report = MutationReport()
    while report.outcomes.count < numbers.count {
      let left = Array(numbers[report.outcomes.count...])
      let (outcomes, hasCrashed) = try start(left, program)
      for (number, outcome) in zip(left, outcomes) { report.add(mutants[number], outcome) }
      if outcomes.count < left.count {
        // It ended before the last one: that fault crashed it.
        guard hasCrashed else {
          throw ReplayError("mutate", "a process ended at \(mutants[left[outcomes.count]].name)")
        }
        report.add(mutants[left[outcomes.count]], .crashed)
      }
      progress(report.outcomes.count)
    }
    return report
  }

  /// - Returns: outcomes as far as the process came, and whether a signal ended it.
  private func start(_ numbers: [Int], _ program: URL) throws(ReplayError) -> ([Outcome], Bool) {
    let output = Pipe()
    let arguments =
      [
        "mutate", "--only", numbers.map(String.init).joined(separator: ","), "--frames",
        "\(frames)", "--seed", "\(seed)",
      ] + (fixtures.map { ["--fixtures", $0] } ?? [])
    let environment = ProcessInfo.processInfo.environment
      .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
    let process: ChildProcess
    do {
      process = try ChildProcess(
        program.path, arguments, environment: environment,
        output: .descriptor(output.fileHandleForWriting.fileDescriptor), error: .null)
    } catch { throw ReplayError("mutate", "\(error)") }
    try? output.fileHandleForWriting.close()
    let text = String(
      decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let ending = process.wait()
    let outcomes = text.split(separator: "\n").compactMap { Outcome(rawValue: String($0)) }
    if case .signalled = ending { return (outcomes, true) }
    return (outcomes, false)
  }
}
