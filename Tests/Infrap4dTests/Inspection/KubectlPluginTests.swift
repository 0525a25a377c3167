import Foundation
import NodeTesting
import Replay
import Testing

/// `kubectl k8sdp`, with a kubectl that answers as a cluster of two nodes would, and runs in "the
/// pod" the program that is there: `k8sdp` on a server of the test.
@Suite(.serialized) struct KubectlPluginTests {
  private static let plugin =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("deploy/kubectl/kubectl-k8sdp").path

  private static let kubectl = """
    #!/usr/bin/env bash
    echo "$*" >>"$FAKE/log"
    case " $* " in
      *" get pod client "*) echo -n node-1 ;;
      *" get pod pending "*) ;;
      *" get pod "*) echo "Error from server (NotFound): pods not found" >&2; exit 1 ;;
      *" get pods "*) cat "$FAKE/pods" ;;
      *" exec "*)
        while [ "$1" != -- ]; do shift; done
        shift 2
        exec "$FAKE_K8SDP" "$@" --from "$FAKE_FROM"
        ;;
      *) echo "what is $*?" >&2; exit 3 ;;
    esac
    """

  private let folder: String
  private let log: String

  init() throws {
    folder = NSTemporaryDirectory() + "kubectl-\(UUID().uuidString.prefix(8))"
    log = folder + "/log"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(Self.kubectl.utf8).write(to: URL(fileURLWithPath: folder + "/kubectl"))
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: folder + "/kubectl")
    try pods("infrap4d-ds-a node-1\ninfrap4d-ds-b node-2\n")
  }

  private func pods(_ text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/pods"))
  }

  private func environment(_ from: String) -> [String] {
    [
      "env", "FAKE=\(folder)", "FAKE_FROM=\(from)", "FAKE_K8SDP=\(K8sDPTool.program)",
      "PATH=\(folder):/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ]
  }

  private func run(
    _ arguments: [String], from: String = "infrap4d:unix:/nowhere"
  ) async throws -> Command.Outcome {
    try await Command.run(environment(from) + [Self.plugin] + arguments)
  }

  private func logged() -> [String] {
    ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n")
      .map(String.init)
  }

  /// The folder of a real kubectl: that of scripts/deploy/tools.sh, or the machine's.
  private static let tools: String? = {
    let tools = MetricsDocument.repository.appendingPathComponent(".build/deploy-tools/bin").path
    let folders = [tools, "/usr/local/bin", "/usr/bin", "/bin"]
    return folders.first { FileManager.default.isExecutableFile(atPath: $0 + "/kubectl") }
  }()

  @Test(
    .enabled(
      if: tools != nil, "not installed: kubectl (scripts/deploy/tools.sh gets it)"))
  func found() async throws {
    let tools = try #require(Self.tools)
    let plugins = URL(fileURLWithPath: Self.plugin).deletingLastPathComponent().path
    let path = "PATH=\(plugins):\(tools):/usr/bin:/bin"
    let outcome = try await Command.run(["env", path, "kubectl", "plugin", "list"])
    #expect(outcome.status == 0 && outcome.output.contains(Self.plugin), "\(outcome)")
    let help = try await Command.run(["env", path, "kubectl", "k8sdp", "--help"])
    #expect(help.status == 0 && help.output.contains("kubectl k8sdp [--node NODE"), "\(help)")
  }

  @Test(arguments: [
    ([], "COMMAND"),
    (["replay"], "replay is no command that looks at a running node"),
    (["--nood", "n", "top"], "--nood is no option here"),
    (["--node"], "--node needs a value"),
    (["--node", "a", "--pod", "b", "flows"], "give one of --node and --pod"),
    (["flows"], "give --node, one of: node-1 node-2"),
    (["--node", "node-9", "flows"], "infrap4d does not run on node-9, but on: node-1 node-2"),
    (["--pod", "gone", "flows"], "where does gone run? give --pod NAMESPACE/NAME, or --node"),
    (["--pod", "pending", "flows"], "pending runs on no node yet"),
    (["--node", "node-1", "flows", "--from", "x"], "--from is not for kubectl k8sdp"),
    (["--node", "node-1", "capture", "-w"], "-w needs a value"),
    (["--node", "node-1", "capture", "-w", "/nowhere/x"], "/nowhere/x"),
    (["--node", "node-1", "snapshot", "--out", "/proc"], "/proc: is there already"),
    (["--node", "node-1", "why", "--capture", "/nowhere/x"], "/nowhere/x: cannot be read"),
  ])
  func misuse(_ arguments: [String], _ cure: String) async throws {
    let outcome = try await run(arguments)
    #expect(outcome.status != 0 && outcome.output.contains(cure), "\(outcome)")
    #expect(!logged().contains { $0.contains(" exec ") }, "\(logged())")
  }

  @Test func noInfrap4dAtAll() async throws {
    try pods("")
    let outcome = try await run(["flows"])
    #expect(outcome.status == 2 && outcome.output.contains("infrap4d runs on no node"))
  }

  @Test func theRightPod() async throws {
    let outcome = try await run([
      "--context", "far", "-n", "net", "--pod", "default/client", "flows", "--count",
    ])
    // Nobody listens there: what k8sdp says of it, and its exit code, come through.
    #expect(outcome.status == 2 && outcome.output.contains("infrap4d is not reached"), "\(outcome)")
    #expect(
      logged() == [
        "--context=far -n default get pod client -o jsonpath={.spec.nodeName}",
        "--context=far -n net get pods -l app.kubernetes.io/name=infrap4d --field-selector "
          + "status.phase=Running -o jsonpath={range .items[*]}{.metadata.name}{\" \"}"
          + "{.spec.nodeName}{\"\\n\"}{end}",
        "--context=far -n net exec -i infrap4d-ds-a -c infrap4d -- /usr/bin/k8sdp flows "
          + "--end-with-input --count",
      ], "\(logged())")
  }

  /// Of a file that may be being written.
  private static func packets(in file: String) -> Int {
    var count = 0
    guard let reader = try? CaptureReader(path: file) else { return 0 }
    while (try? reader.next()) != nil { count += 1 }
    return count
  }

  /// Everything that writes a file here, or reads one, with real frames.
  @Test(.enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
  func filesAreHere() async throws {
    let node = try await ServiceNode(["--dataplane", "model"])
    let from = node.server.address
    let file = folder + "/frames.pcapng"
    // Ctrl-C ends it, and the file is whole.
    let capture = try RunningProgram(
      environment(from) + [Self.plugin, "--node", "node-2", "capture", "-w", file, "icmp"])
    try await capture.wait(for: "capturing on")
    try await node.client.exec("ping", "-q", "-c", "5", "-i", "0.05", "10.244.0.7")
    // Each frame as it came and as it left.
    while Self.packets(in: file) < 20 { try await Task.sleep(for: .milliseconds(5)) }
    capture.interrupt()
    let rest = try await capture.rest()
    #expect(rest.contains { $0.contains("10 frames captured, 0 missed") }, "\(rest)")
    let reader = try CaptureReader(path: file)
    while try reader.next() != nil {}
    #expect(Self.packets(in: file) == 20)

    let count = try await run(["--node", "node-2", "flows", "--count"], from: from)
    #expect(count.status == 0 && count.output == "0\n", "\(count)")
    let why = try await run(
      ["--node", "node-2", "why", "10.244.0.6", "\(ServiceNode.vip):99"], from: from)
    #expect(why.status == 1 && why.output.contains("no_service"), "\(why)")
    let packet = try await run(
      ["--node", "node-2", "why", "--capture", file, "--frame", "1"], from: from)
    #expect(packet.status == 0 && packet.output.contains("It arrives"), "\(packet)")

    let out = folder + "/taken"
    let snapshot = try await run(
      ["--node", "node-2", "snapshot", "--out", out, "--duration", "100ms"], from: from)
    #expect(snapshot.status == 0 && snapshot.output.contains("15 rows"), "\(snapshot)")
    let check = try await K8sDPTool.run("check", out + "/state.yaml")
    #expect(check.status == 0, "\(check)")
    // Nothing came: nothing is left.
    let failed = try await run(["--node", "node-2", "snapshot", "--out", out + "2"])
    #expect(failed.status != 0)
    #expect(!FileManager.default.fileExists(atPath: out + "2"))
    try await node.stop()
  }
}
