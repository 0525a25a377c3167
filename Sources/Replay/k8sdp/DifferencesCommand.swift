import ArgumentParser
import Core
import Foundation
import Replay

struct DifferencesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "differences",
    abstract: "Shows where upstream's pipeline goes wrong and this one does not.",
    discussion: """
      Runs upstream's k8s_dp of v23.01, from the k8s_dp.pb.bin you have, on the same DPDK. \
      Without further options every difference of the catalogue is run, and the exit code is 1 \
      when one is not as the catalogue says. --id shows one of them with both traces. --fixture \
      shows each frame of any folder that has a state.yaml and in-port-N.pcap; the exit code is \
      then 1 when a frame differs.

      --control careful fills upstream's tables as well as they allow, manager as upstream's \
      Infra Manager does.

      Examples:
        k8sdp differences --upstream k8s_dp.pb.bin
        k8sdp differences --upstream k8s_dp.pb.bin --id ecn-syn
        k8sdp differences --upstream k8s_dp.pb.bin --fixture Fixtures/ttl --frame 17
        k8sdp differences --upstream k8s_dp.pb.bin --document docs/differences.md
      """)

  @Option(
    name: .long, help: ArgumentHelp("Upstream's pipeline, k8s_dp.pb.bin.", valueName: "file"))
  var upstream: String

  @Option(name: .long, help: "Only this difference, with its traces.")
  var id: String?

  @Option(name: .long, help: ArgumentHelp("All frames of this folder.", valueName: "dir"))
  var fixture: String?

  @Option(name: .long, help: ArgumentHelp("With --fixture: only this frame.", valueName: "n"))
  var frame: Int?

  @Option(name: .long, help: "With --fixture: who fills upstream's tables, careful or manager.")
  var control = UpstreamControl.careful

  @Option(name: .long, help: "The catalogue.")
  var catalogue = "docs/differences.yaml"

  @Option(name: .long, help: ArgumentHelp("The folder of all fixtures.", valueName: "dir"))
  var fixtures = "Fixtures"

  @Option(name: .long, help: ArgumentHelp("Write tables and traces into it.", valueName: "file.md"))
  var document: String?

  @Flag(name: .long, help: "Print JSON instead of text.")
  var json = false

  func validate() throws {
    guard [id, fixture, document].compactMap(\.self).count < 2 else {
      throw ValidationError("Take one of --id, --fixture and --document.")
    }
    guard frame == nil || fixture != nil else {
      throw ValidationError("--frame needs --fixture.")
    }
    if let frame, frame < 1 { throw ValidationError("--frame is 1 or more.") }
  }

  func run() throws {
    let pipeline = try PipelineFile.read(upstream)
    if let fixture {
      let pair = SideBySide(
        run: try FixtureFolder(path: fixture).run(), upstream: pipeline, control: control)
      let report = SideBySideReport(try pair.frames(frame.map { [$0] }))
      Terminal.out(json ? try JSONText.encode(report) : report.text)
      if !report.isSame { throw ExitCode(1) }
      return
    }
    let report = DifferenceReport(try shown(pipeline))
    if let document {
      try write(report, to: document)
    } else if json {
      Terminal.out(try JSONText.encode(report))
    } else if id != nil, let only = report.shown.first {
      Terminal.out(only.text)
      for problem in only.problems { Terminal.error(problem) }
    } else {
      Terminal.out(report.text)
    }
    if !report.isAsExpected { throw ExitCode(1) }
  }

  private func shown(_ pipeline: PipelineSpec) throws(ReplayError) -> [Difference.Shown] {
    var wanted = try DifferenceCatalogue(contentsOf: catalogue).differences
    if let id {
      let known = wanted.map(\.id).joined(separator: ", ")
      wanted.removeAll { $0.id != id }
      guard !wanted.isEmpty else {
        throw ReplayError("--id \(id)", "is not in the catalogue, which has \(known)")
      }
    }
    defer { Terminal.endProgress() }
    var shown: [Difference.Shown] = []
    for difference in wanted {
      Terminal.step(difference.id)
      shown.append(try difference.show(fixtures: fixtures, upstream: pipeline))
    }
    return shown
  }

  private func write(_ report: DifferenceReport, to path: String) throws(ReplayError) {
    let old: String
    do { old = try String(contentsOfFile: path, encoding: .utf8) } catch {
      throw ReplayError(path, "cannot be read; name the document that is to be changed")
    }
    let new = try DifferenceDocument(report.shown).update(old, path: path)
    do { try new.write(toFile: path, atomically: true, encoding: .utf8) } catch {
      throw ReplayError(path, "cannot be written; check its permissions")
    }
    for entry in report.shown {
      for problem in entry.problems { Terminal.error("\(entry.difference.id): \(problem)") }
    }
  }
}

extension UpstreamControl: ExpressibleByArgument {}
