import Core
import DaemonLog
import Foundation
import Logging
import Netlink

/// The CNI plugin for nodes without Calico: a standard IPAM plugin gives addresses, and the
/// Infra Agent connects the pod.
@main
struct InfraCNI {
  static let usage = """
    infra-cni: CNI plugin of the Infra Agent, for versions 1.0.0 and 1.1.0.
    A container runtime starts it, with CNI_COMMAND and the like in the environment and
    the network's configuration on standard input:

      {
        "cniVersion": "1.1.0", "name": "infra", "type": "infra-cni",
        "ipam": {"type": "host-local", "subnet": "10.244.0.0/16"},
        "mtu": 1500,                          (default: the TAP's)
        "agent": "127.0.0.1:50001",           (or unix:PATH)
        "dataDir": "/run/infra-cni",          (what is attached; a reboot ends it all)
        "logLevel": "info",                   (on standard error; default: nothing is said)
        "logFormat": "text"                   (or json)
      }
    """

  static func main() {
    // An IPAM plugin that ends early is an error, not our end.
    signal(SIGPIPE, SIG_IGN)
    Task.detached {
      await run()
      exit(0)
    }
    // An asynchronous main ends this thread by unwinding its stack, for which a program that is
    // linked statically sorts the frames of all its functions: some 70 ms.
    while true { pause() }
  }

  private static func run() async {
    guard !CommandLine.arguments.dropFirst().contains(where: { ["-h", "--help"].contains($0) })
    else {
      write(Data((usage + "\n").utf8))
      return
    }
    guard !CommandLine.arguments.dropFirst().contains("--version") else {
      write(Data((Release.version + "\n").utf8))
      return
    }
    let input =
      ProcessInfo.processInfo.environment["CNI_COMMAND"] == nil
      ? Data() : FileHandle.standardInput.readDataToEndOfFile()
    var isLogging = false
    var metadata: Logger.Metadata = [:]
    do {
      let invocation = try Invocation(ProcessInfo.processInfo.environment)
      if invocation.command == .version {
        try print(VersionAnswer(input))
        return
      }
      let configuration = try NetworkConfiguration.parse(input)
      if let log = configuration.log { DaemonLog.bootstrap("infra-cni", log) }
      isLogging = configuration.log != nil
      metadata = [
        "command": "\(invocation.command.rawValue)", "container_id": "\(invocation.containerID)",
        "netns": "\(invocation.netns)", "interface": "\(invocation.interface)",
      ]
      if configuration.version == .v1, [.gc, .status].contains(invocation.command) {
        throw CNIError(
          .incompatibleVersion, "\(invocation.command.rawValue) came with version 1.1.0",
          "the configuration's cniVersion is 1.0.0")
      }
      if let result = try await Plugin(invocation, configuration).run() {
        metadata["ip"] = "\((result.ips ?? []).map(\.address).joined(separator: ","))"
        try print(result)
      }
      if isLogging { Logger(label: "infra-cni").info("done", metadata: metadata) }
    } catch {
      let error = error as? CNIError ?? CNIError(.ioFailure, "\(error)")
      if isLogging {
        metadata["code"] = "\(error.code)"
        metadata["reason"] = "\(error.msg)\(error.details.map { ": " + $0 } ?? "")"
        Logger(label: "infra-cni").error("failed", metadata: metadata)
      }
      fail(error, input)
    }
  }

  /// What VERSION answers.
  private struct VersionAnswer: Encodable {
    var cniVersion: String
    var supportedVersions = CNIVersion.allCases.map(\.rawValue)

    init(_ input: Data) { cniVersion = InfraCNI.version(of: input) }
  }

  /// The version that the runtime speaks, as far as it can be told.
  private static func version(of input: Data) -> String {
    struct Versioned: Decodable { var cniVersion: String? }
    return (try? JSONDecoder().decode(Versioned.self, from: input))?.cniVersion
      ?? CNIVersion.latest.rawValue
  }

  /// Ends the program as the specification has it.
  private static func fail(_ error: CNIError, _ input: Data) -> Never {
    struct Answer: Encodable {
      var cniVersion: String
      var code: Int
      var msg: String
      var details: String?
    }
    try? print(
      Answer(
        cniVersion: version(of: input), code: error.code, msg: error.msg, details: error.details))
    exit(1)
  }

  private static func print(_ answer: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    write(try encoder.encode(answer) + Data("\n".utf8))
  }

  private static func write(_ bytes: Data) {
    try? FileHandle.standardOutput.write(contentsOf: bytes)
  }
}
