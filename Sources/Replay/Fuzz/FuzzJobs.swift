import ChildProcess
import Foundation

/// The same fuzzing in several processes: one dataplane is driven by one thread,
/// and the engine's virtual time belongs to a process.
public struct FuzzJobs {
  public var fuzzer: Fuzzer
  public var jobs: Int
  /// The `k8sdp` to run.
  public var program: URL

  public init(fuzzer: Fuzzer, jobs: Int, program: URL) {
    self.fuzzer = fuzzer
    self.jobs = jobs
    self.program = program
  }

  /// - Throws: the error of a process that could not do its part.
  public func run() throws(ReplayError) -> Fuzzer.Report {
    var started: [(process: ChildProcess, output: Pipe, error: Pipe)] = []
    for job in 0..<jobs {
      let share = fuzzer.frames / jobs + (job < fuzzer.frames % jobs ? 1 : 0)
      guard share > 0 else { continue }
      let (output, error) = (Pipe(), Pipe())
      let arguments =
        [
          "fuzz", "--json", "--jobs", "1", "--seed", "\(fuzzer.seed &+ UInt64(job))",
          "--stride", "\(jobs)", "--frames", "\(share)", "--left", fuzzer.left, "--right",
          fuzzer.right, "--interval", "\(fuzzer.interval)",
        ] + (fuzzer.folder.map { ["--out", $0] } ?? [])
      let process: ChildProcess
      do {
        process = try ChildProcess(
          program.path, arguments,
          output: .descriptor(output.fileHandleForWriting.fileDescriptor),
          error: .descriptor(error.fileHandleForWriting.fileDescriptor))
      } catch { throw ReplayError("fuzz", "\(error)") }
      for pipe in [output, error] { try? pipe.fileHandleForWriting.close() }
      started.append((process, output, error))
    }
    var report = Fuzzer.Report(seed: fuzzer.seed)
    for (process, output, error) in started {
      let json = output.fileHandleForReading.readDataToEndOfFile()
      let text = error.fileHandleForReading.readDataToEndOfFile()
      let ending = process.wait()
      guard case .exited = ending,
        let part = try? JSONDecoder().decode(Fuzzer.Report.self, from: json)
      else {
        let message = String(decoding: text, as: UTF8.self)
        throw ReplayError(
          "fuzz", "a process ended with \(ending.status): \(message)")
      }
      report.add(part)
      fuzzer.progress?(report.frames)
    }
    return report
  }
}
