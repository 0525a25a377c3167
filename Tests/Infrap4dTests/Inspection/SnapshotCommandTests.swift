import Core
import Foundation
import NodeTesting
import Replay
import Testing

/// A node taken along: what it did is done again, elsewhere, byte for byte.
@Suite(
  .serialized, .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct SnapshotCommandTests {
  private static let replayEngines = SurvivalTests.engines

  private static func frames(_ path: String) throws -> [[UInt8]] {
    let reader = try CaptureReader(path: path)
    var frames: [[UInt8]] = []
    while let frame = try reader.next() { frames.append(frame.bytes) }
    return frames
  }

  private static func captures(_ folder: String, _ prefix: String) throws -> [PortID: [[UInt8]]] {
    var found: [PortID: [[UInt8]]] = [:]
    for capture in FixtureFolder(path: folder).captures(prefix) {
      found[capture.port] = try frames(capture.path)
    }
    return found
  }

  /// Replays a snapshot and holds what leaves against what left.
  private static func replay(_ folder: String, on engine: String) async throws {
    let out = folder + "-replay-\(engine)"
    let outcome = try await K8sDPTool.run(
      "replay", "--dataplane", engine, "--snapshot", folder, "--out", out)
    #expect(outcome.status == 0, "\(outcome)")
    var left: [PortID: [[UInt8]]] = [:]
    for file in try FileManager.default.contentsOfDirectory(atPath: out)
    where file.hasSuffix(".pcapng") {
      let port = try #require(PortID(file.dropFirst("port-".count).dropLast(".pcapng".count)))
      left[port] = try frames("\(out)/\(file)")
    }
    let expected = try captures(folder, "expect")
    #expect(left.keys.sorted() == expected.keys.sorted(), "\(engine)")
    for (port, frames) in expected {
      let found = left[port] ?? []
      #expect(found.count == frames.count, "\(engine), port \(port)")
      let first = zip(found, frames).enumerated().first { $0.element.0 != $0.element.1 }
      #expect(
        first == nil,
        "\(engine), port \(port), frame \(first?.offset ?? 0): \(first.map { "\($0.element)" } ?? "")"
      )
    }
  }

  /// Connections that were there, new ones, ends of both, a change of tables in between: through
  /// a live server of either engine, and again through both dataplanes.
  @Test(arguments: SurvivalTests.engines) func whatTheNodeDidIsDoneAgain(
    _ engine: String
  ) async throws {
    let node = try await ServiceNode(["--dataplane", engine])
    let echo = try await LongConnection.serve(in: node.web, port: 8080)
    let transfers = try await Transfer.serve(in: node.web, port: 8081)
    let old = try await LongConnection(
      from: node.client, to: ServiceNode.vip, port: 80, folder: node.server.folder)
    try await old.exchange(3)
    let parent = node.server.folder + "/snapshots"
    let folder = parent + "/node"
    try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
    let snapshot = try K8sDPTool.Running([
      "snapshot", "--out", folder, "--duration", "1h", "--from", node.server.address,
    ])
    try await snapshot.waitFor("keeping frames of")
    // The old connection goes on, others come and go, large segments among them.
    _ = try await Transfer.send(300_000, from: node.client, to: ServiceNode.vip, port: 81)
    try await TestController.run(
      try TestController.unix(node.server.socket), electionID: .max
    ) { controller in
      try await controller.write([try TestController.route(0x0AF4_0063)], electionID: .max)
    }
    _ = try await Transfer.send(20_000, from: node.client, to: ServiceNode.vip, port: 81)
    let ping = ["ping", "-c", "2", "-i", "0.2", "-W", "1"]
    _ = try await Command.run(node.client.namespace.command(ping + ["-t", "1", "10.244.0.7"]))
    try await node.client.exec("ping", "-q", "-c", "2", "-i", "0.2", "10.244.0.7")
    try await node.client.exec(
      "python3", "-c",
      """
      import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      for _ in range(3): s.sendto(b"x" * 3000, ("\(ServiceNode.vip)", 99))
      """)
    try await old.exchange(50)
    snapshot.kill(SIGINT)
    let outcome = try await snapshot.end()
    #expect(outcome.status == 0, "\(outcome)")
    #expect(!outcome.error.contains("warning"), "\(outcome)")

    let files = Set(try FileManager.default.contentsOfDirectory(atPath: folder))
    #expect(
      files.isSuperset(of: [
        "state.yaml", "tables.txt", "flows.txt", "updates.txt", "node.json", "in-port-2.pcapng",
        "in-port-3.pcapng", "expect-port-2.pcapng", "expect-port-3.pcapng",
      ]), "\(files)")
    let state = try StateFile(contentsOf: folder + "/state.yaml")
    let taken = try #require(state.snapshot)
    #expect(taken.rows.count == 15)
    #expect((taken.learned?.entries.count ?? 0) >= 2)
    #expect(taken.changes.count == 1 && taken.changes[0].updates.count == 1)
    let into = try Self.captures(folder, "in")
    #expect(into.values.flatMap(\.self).contains { $0.count > 1514 }, "no segment was captured")
    for engine in Self.replayEngines { try await Self.replay(folder, on: engine) }
    let table = try await K8sDPTool.run(
      ["table", parent] + (Self.replayEngines.contains("dpdk") ? ["--with", "dpdk"] : []))
    #expect(table.status == 0, "\(table)")
    // And it can be asked.
    let why = try await K8sDPTool.run(
      "why", "--state", folder + "/state.yaml", "10.244.0.6", "10.96.0.80:80")
    #expect(why.status == 0, "\(why)")
    let check = try await K8sDPTool.run("check", folder + "/state.yaml")
    #expect(check.status == 0 && check.out.contains("is valid"), "\(check)")
    withExtendedLifetime((echo, transfers)) {}
    try await node.stop()
  }

  /// Without frames nothing waits; the tables come back as they are.
  @Test(arguments: SurvivalTests.engines) func theMomentOnly(_ engine: String) async throws {
    let node = try await ServiceNode(["--dataplane", engine])
    let echo = try await LongConnection.serve(in: node.web, port: 8080)
    let old = try await LongConnection(
      from: node.client, to: ServiceNode.vip, port: 80, folder: node.server.folder)
    try await old.exchange(2)
    let folder = node.server.folder + "/moment"
    let outcome = try await K8sDPTool.run(
      "snapshot", "--out", folder + "/", "--from", node.server.address, "--json")
    #expect(outcome.status == 0, "\(outcome)")
    let summary = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.out.utf8)) as? [String: Any])
    #expect(summary["rows"] as? Int == 15 && summary["frames"] as? Int == 0)
    #expect(summary["paused_nanoseconds"] as? Int == 0)
    let flows = try await K8sDPTool.run("flows", "-n", "--from", node.server.address)
    let client = try #require(flows.lines.last?.split(separator: " ").dropFirst(3).first)
    let text = try String(contentsOfFile: folder + "/flows.txt", encoding: .utf8)
    #expect(
      text.contains("flows \(client.replacing(":", with: " ")) 10.96.0.80 80 6"), "\(text)")
    // It must not be there already.
    let again = try await K8sDPTool.run(
      "snapshot", "--out", folder, "--from", node.server.address)
    #expect(again.status == 2 && again.error.contains("is there already"), "\(again)")
    // The same as an archive.
    let archive = try await Command.run([
      "sh", "-c",
      "mkdir \(folder)-tar && \(K8sDPTool.program) snapshot --out - --from \(node.server.address) "
        + "2>\(folder)-err | tar x -C \(folder)-tar",
    ])
    #expect(archive.status == 0, "\(archive)")
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: folder + "-tar/tables.txt")).count
        == Data(contentsOf: URL(fileURLWithPath: folder + "/tables.txt")).count)
    #expect(
      try await K8sDPTool.run("check", folder + "-tar/state.yaml").out.contains("is valid"))
    // Put into another server, it is the same node.
    let other = try ServerProcess()
    try await other.start(["--dataplane", "model"])
    let apply = try await K8sDPTool.run(
      "apply", folder + "/state.yaml", "--to", other.address)
    #expect(apply.status == 0 && apply.out.contains("has the 15 entries"), "\(apply)")
    let copied = try await K8sDPTool.run(
      "why", "10.244.0.6", "10.96.0.80:80", "--from", other.address)
    // Its ports are not there.
    #expect(copied.status == 1 && copied.out.contains("has no port 3"), "\(copied)")
    withExtendedLifetime(echo) {}
    try await node.stop()
  }

  /// The pipeline goes while frames are kept: what there is is whole, and it is said.
  @Test func anotherPipelineInBetween() async throws {
    let node = try await ServiceNode(["--dataplane", "model"])
    let folder = node.server.folder + "/cut"
    let snapshot = try K8sDPTool.Running([
      "snapshot", "--out", folder, "--duration", "1h", "--from", node.server.address,
    ])
    try await snapshot.waitFor("keeping frames of")
    try await node.client.exec("ping", "-q", "-c", "1", "10.244.0.7")
    try await TestController.run(
      try TestController.unix(node.server.socket), electionID: .max
    ) { try await $0.push(try TestController.k8sDP(), electionID: .max) }
    let outcome = try await snapshot.end()
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.error.contains("another pipeline was pushed"), "\(outcome)")
    try await Self.replay(folder, on: "model")
    try await node.stop()
  }
}
