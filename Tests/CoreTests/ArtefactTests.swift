import Foundation
import K8sDPArtefacts
import NodeTesting
import Testing

@testable import Core

/// What is checked in beside `k8s_dp.p4` is what the compiler made of it.
@Suite struct ArtefactTests {
  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("k8s_dp")

  private func file(_ name: String) throws -> Data {
    try Data(contentsOf: Self.folder.appendingPathComponent(name))
  }

  private func text(_ name: String) throws -> String {
    String(decoding: try file(name), as: UTF8.self)
  }

  /// compile.sh records source and artefacts together: a change of one without
  /// the others is drift.
  @Test func nothingIsOlderThanItsSource() throws {
    let manifest = try text("artefacts.sha256")
    for name in [
      "k8s_dp.p4", "k8s_dp.spec", "p4Info.txt", "context.json", "tdi.json", "k8s_dp.conf",
      "k8s_dp.pb.bin",
    ] {
      #expect(manifest.contains("  \(name)\n"), "\(name) is not recorded")
    }
    let (status, output) = try run("sha256sum", ["--check", "artefacts.sha256"])
    #expect(status == 0, "run k8s_dp/compile.sh: \(output)")
  }

  @Test func noTestProgramIsOlderThanItsSource() throws {
    let folder = Self.folder.deletingLastPathComponent().appending(path: "Tests/TestPrograms")
    let (status, output) = try run("sha256sum", ["--check", "artefacts.sha256"], in: folder)
    #expect(status == 0, "run Tests/TestPrograms/compile.sh: \(output)")
  }

  @Test(.enabled(if: which("p4c-dpdk") != nil, "p4c-dpdk is not on the PATH"))
  func theCompilerMakesTheSameAgain() throws {
    let copy = FileManager.default.temporaryDirectory
      .appendingPathComponent("k8s_dp-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.copyItem(at: Self.folder, to: copy)
    defer { try? FileManager.default.removeItem(at: copy) }
    let (status, output) = try run("./compile.sh", [], in: copy)
    #expect(status == 0, "\(output)")
    for name in ["k8s_dp.spec", "p4Info.txt", "context.json", "tdi.json", "k8s_dp.pb.bin"] {
      let made = try Data(contentsOf: copy.appendingPathComponent(name))
      #expect(made == (try file(name)), "\(name)")
    }
  }

  @Test func theBundleHoldsTheSpec() throws {
    let spec = try text("k8s_dp.spec")
    #expect(spec == K8sDPArtefacts.spec)
    let packed = try PipelineSpec(bundle: [UInt8](try file("k8s_dp.pb.bin")), file: "k8s_dp.spec")
    #expect(packed == (try PipelineSpec(parsing: spec)))
  }

  /// Upstream's driver refuses a pipeline that has an extern without a type.
  @Test func upstreamTakesTheExterns() throws {
    struct Context: Decodable {
      struct Extern: Decodable {
        struct Attributes: Decodable { var type: String }
        var name: String
        var attributes: Attributes
      }
      var externs: [Extern]
    }
    let context = try JSONDecoder().decode(Context.self, from: Data(K8sDPArtefacts.context))
    #expect(context.externs.map(\.name) == ["k8s_dp_control.drops"])
    #expect(context.externs.map(\.attributes.type) == ["packets"])
    let packed = try file("k8s_dp.pb.bin")
    #expect(packed.range(of: Data(K8sDPArtefacts.context)) != nil)
  }

  /// SWX keeps offsets of metadata in 8 bits and wraps them silently.
  @Test func metadataIsSmallEnough() throws {
    let bytes = try PipelineSpec(parsing: K8sDPArtefacts.spec).metadataBytes
    #expect((1..<256).contains(bytes), "\(bytes) bytes")
  }

  @Test func theSpecAgreesWithTheContract() throws {
    let compiled = try PipelineSpec(parsing: K8sDPArtefacts.spec).contract
    #expect(K8sDP.contract.disagreement(with: compiled) == nil)
    for (found, table) in zip(compiled.tables, K8sDP.contract.tables) {
      #expect(found.actions.filter { $0 != found.defaultAction } == table.actions)
    }
  }

  @Test func aDisagreementIsNamed() throws {
    let compiled = try PipelineSpec(parsing: K8sDPArtefacts.spec).contract
    var other = K8sDP.contract
    other.tables[1].key[0].bits = 16
    #expect(other.disagreement(with: compiled) == "key of slots differs")
    other = K8sDP.contract.resized(["flows": 16])
    #expect(other.disagreement(with: compiled) == "learner flows differs")
    other = K8sDP.contract
    other.tables[3].actions.append("arp_forward")
    #expect(other.disagreement(with: compiled) == "table routes differs")
    other = K8sDP.contract
    other.actions["route_hop"]?.arguments.removeLast()
    #expect(other.disagreement(with: compiled) == "actions differ")
  }

  @Test func theP4InfoAgreesWithTheContract() throws {
    let info = try TextProto(try text("p4Info.txt"))
    var actions: [Int: Contract.Action] = [:]
    for action in info.all("actions") {
      let preamble = try #require(action.first("preamble"))
      let id = try #require(preamble.number("id"))
      // P4Runtime 1.4 section 6.3: the first byte of an id says what it is of.
      #expect(id >> 24 == 0x01)
      actions[id] = Contract.Action(
        name: try #require(preamble["alias"]),
        arguments: try action.all("params").map {
          Contract.Field(name: try #require($0["name"]), bits: try #require($0.number("bitwidth")))
        })
    }
    #expect(
      Dictionary(uniqueKeysWithValues: actions.values.map { ($0.name, $0) })
        == K8sDP.contract.actions)

    var known: [String: (key: [Contract.Field], actions: Set<String>, size: Int)] = [:]
    for table in K8sDP.contract.tables {
      known[table.name] = (table.key, Set(table.actions), table.size)
    }
    for learner in K8sDP.contract.learners {
      known[learner.name] = (learner.key, Set(learner.actions), learner.buckets)
    }
    for table in info.all("tables") {
      let preamble = try #require(table.first("preamble"))
      #expect((preamble.number("id") ?? 0) >> 24 == 0x02)
      let name = try #require(preamble["alias"])
      let removed = known.removeValue(forKey: name)
      let ours = try #require(removed, "\(name)")
      let fields = try table.all("match_fields").map { field in
        #expect(field["match_type"] == "EXACT")
        let path = try #require(field["name"])
        return Contract.Field(
          name: String(path.split(separator: ".").last ?? ""),
          bits: try #require(field.number("bitwidth")))
      }
      #expect(fields.map(\.bits) == ours.key.map(\.bits), "\(name)")
      #expect(fields.map(\.name) == ours.key.map(\.name), "\(name)")
      #expect(table.number("size") == ours.size, "\(name)")
      let allowed = table.all("action_refs").filter { $0["scope"] != "DEFAULT_ONLY" }
        .compactMap { $0.number("id").flatMap { actions[$0]?.name } }
      #expect(Set(allowed) == ours.actions, "\(name)")
    }
    #expect(known.isEmpty, "P4Info lacks \(known.keys)")

    let counter = try #require(info.all("counters").first)
    #expect(counter.first("preamble")?["alias"] == "drops")
    let reasons = DropReason.allCases.filter { $0.rawValue < 64 }.map { Int($0.rawValue) }
    #expect((counter.number("size") ?? 0) > (reasons.max() ?? 0))
  }

  /// The constants of the source, by the names they have in Core.
  @Test func reasonsAndTimersAreThoseOfTheSource() throws {
    let source = try text("k8s_dp.p4")
    for reason in DropReason.allCases where reason.rawValue < 64 {
      let name = "DROP_\(reason.name.uppercased())"
      let found = source.firstMatch(
        of: try Regex("\(name) +=\\s*(\\d+);", as: (Substring, Substring).self))
      #expect(found.flatMap { UInt8($0.1) } == reason.rawValue, "\(name)")
    }
    for timer in K8sDP.Timer.allCases {
      let snake = timer.name.replacing(#/[A-Z]/#) { "_" + $0.output }.uppercased()
      let pattern = try Regex("TIMER_\(snake) +=[^;]*8w(\\d+);", as: (Substring, Substring).self)
      let found = source.firstMatch(of: pattern)
      #expect(found.flatMap { UInt8($0.1) } == timer.rawValue, "TIMER_\(snake)")
    }
  }

  private func run(_ program: String, _ arguments: [String], in folder: URL = folder) throws
    -> (status: Int32, output: String)
  {
    let outcome = try Command.runNow([program] + arguments, folder: folder.path)
    return (outcome.status, outcome.output)
  }
}

/// Where a program is on the PATH.
private func which(_ program: String) -> String? {
  ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":")
    .map { "\($0)/\(program)" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }
}
