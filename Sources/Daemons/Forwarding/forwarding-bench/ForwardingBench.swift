import ArgumentParser
import Core
import Forwarding
import Foundation
import Hosting
import K8sDPArtefacts
import Replay
import SimDataplane

#if DPDK && canImport(DPDKDataplane)
  import DPDKDataplane
#endif

/// A dataplane on live ports, without a control plane: what
/// `scripts/bench-forwarding.sh` measures.
@main struct ForwardingBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forwarding-bench",
    abstract: "Forward between a TAP for each pod of a state file, until standard input ends.")

  @Option(help: "model or dpdk") var dataplane = "dpdk"
  @Option(help: "The state file.") var state: String
  @Option(help: "Port N is the interface PREFIXN.") var prefix: String
  @Flag(help: "Never sleep.") var poll = false
  @Flag(help: "One frame a system call.") var unbatched = false

  func run() async throws {
    let intent = try StateFile(contentsOf: state).intent
    var options = Forwarder.Options()
    options.poll = poll
    options.batched = !unbatched
    let forwarder = try Forwarder(options: options)
    let kind = dataplane
    try await forwarder.install { try Self.make(kind) }
    try await forwarder.withDataplane { dataplane in
      var compiler = IntentCompiler()
      try dataplane.apply(try compiler.updates(for: intent))
    }
    let names = ([intent.gateway, intent.host].compactMap(\.self) + intent.pods).map {
      ("\(prefix)\($0.port)", $0.port)
    }
    for (name, id) in names {
      _ = try await forwarder.add(PortDescription(name: name, kind: .tap, id: id))
    }
    print("ready", try await forwarder.isBatched() ? "batched" : "unbatched")
    fflush(nil)
    while readLine() != nil {}
    for port in await forwarder.ports() {
      let c = port.counters
      print(
        "port \(port.id): in \(c.framesIn) frames \(c.bytesIn) bytes, out \(c.framesOut) frames"
          + " \(c.bytesOut) bytes, refused \(c.refused), errors \(c.errorsIn) \(c.errorsOut),"
          + " dropped \(c.dropped)")
    }
    for (name, _) in names { try await forwarder.remove(name) }
    await forwarder.stop()
  }

  private static func make(_ name: String) throws -> any Dataplane {
    switch name {
    case "model": return SimDataplane()
    #if DPDK && canImport(DPDKDataplane)
      case "dpdk":
        var options = SWXOptions.k8sDP
        options.virtualTime = false
        return try SWXDataplane(
          spec: try PipelineSpec(parsing: K8sDPArtefacts.spec), options: options)
    #endif
    default: throw ValidationError("dataplane \(name) is not in this build")
    }
  }
}
