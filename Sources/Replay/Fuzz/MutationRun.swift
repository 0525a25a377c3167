import Core
import Foundation
import K8sDPArtefacts

/// Puts faults into the compiled pipeline, one at a time, and lets the fuzzer look
/// for them. A fault that is not found is a hole in what the fuzzer tries, or
/// changes nothing that can be seen.
public struct MutationRun {
  /// What became of one fault.
  public enum Outcome: String, Sendable {
    /// The faulty pipeline answered otherwise than the model.
    case found
    /// The loader did not take it.
    case refused
    case survived
  }

  public struct Report: Hashable, Sendable, Encodable {
    public var mutants = 0
    public var found = 0
    /// Faults that crash the engine: found, too.
    public var crashed = 0
    public var refused = 0
    public var survivors: [SpecMutant] = []

    public var text: String {
      var table = TextTable()
      table.add("faults", mutants)
      table.add("found by a difference", found)
      table.add("found by a crash", crashed)
      table.add("refused by the loader", refused)
      table.add("survived", survivors.count)
      let list = survivors.map {
        "  k8s_dp.spec:\($0.line): \($0.before) → \($0.after.isEmpty ? "left out" : $0.after)\n"
      }
      return table.text + list.joined()
    }
  }

  /// Frames a fault may take to be found.
  public var frames: Int
  public var seed: UInt64

  public init(frames: Int, seed: UInt64) {
    self.frames = frames
    self.seed = seed
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
    fuzzer.factory = { episode in
      var factory = DataplaneFactory.k8sDP(sizes: episode.sizes, ports: 16)
      factory.recipes.append(
        DataplaneFactory.Recipe(name: "mutant", bringsClock: true) { (_) throws(ReplayError) in
          LoadedDataplane(
            k8sDP: try DataplaneFactory.engine(
              spec, sizes: episode.sizes, ports: 16, staleByte: episode.staleByte,
              virtualTime: true))
        })
      return factory
    }
    guard let report = try? fuzzer.run() else { return .refused }
    if report.failure != nil { return .found }
    // Only a mutant has no contract to keep; the loader holds `k8s_dp` to its own.
    return K8sDP.contract.disagreement(with: spec.contract) == nil ? .survived : .refused
  }

  /// Tries faults in a process of their own, and goes on behind those that crash it.
  ///
  /// - Parameters:
  ///   - every: only every n-th fault.
  ///   - program: the `k8sdp` to run.
  public func supervise(every: Int, program: URL, progress: (Int) -> Void) throws(ReplayError)
    -> Report
  {
    let mutants = Self.mutants
    let numbers = Array(stride(from: 0, to: mutants.count, by: every))
    var report = Report()
    var next = 0
    while next < numbers.count {
      let process = Process()
      let output = Pipe()
      process.executableURL = program
      process.arguments = [
        "mutate", "--from", "\(numbers[next])", "--every", "\(every)", "--frames", "\(frames)",
        "--seed", "\(seed)",
      ]
      process.environment = ProcessInfo.processInfo.environment
        .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
      process.standardOutput = output
      process.standardError = FileHandle.nullDevice
      do { try process.run() } catch {
        throw ReplayError("mutate", "\(program.path) does not start: \(error)")
      }
      let text = String(
        decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      for line in text.split(separator: "\n") where next < numbers.count {
        guard let outcome = Outcome(rawValue: String(line)) else { continue }
        report.mutants += 1
        switch outcome {
        case .found: report.found += 1
        case .refused: report.refused += 1
        case .survived: report.survivors.append(mutants[numbers[next]])
        }
        next += 1
      }
      progress(report.mutants)
      guard next < numbers.count else { break }
      // It ended before the last one: that fault crashed it.
      guard process.terminationReason == .uncaughtSignal else {
        throw ReplayError("mutate", "a process ended with \(process.terminationStatus)")
      }
      report.mutants += 1
      report.crashed += 1
      next += 1
    }
    return report
  }
}
