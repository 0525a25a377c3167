import ArgumentParser
import Foundation

/// For an init container: waits for Calico.
struct CheckCalicoConfig: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkCalicoConfig",
    abstract: "Waits until Calico has written its CNI configuration.",
    discussion: "Exit codes: 0 when it is there, 1 when it is not in time.")

  @Option(help: "The file.") var file = "/etc/cni/net.d/10-calico.conflist"
  @Option(help: "Seconds, as 30s or 30; 0 is for ever.") var timeout = Timeout(seconds: 0)

  func run() async throws {
    let isThere = await timeout.poll(every: .milliseconds(100)) {
      FileManager.default.fileExists(atPath: file)
    }
    guard isThere else {
      print("there is no \(file); see that Calico's install-cni has run")
      throw ExitCode(1)
    }
  }
}
