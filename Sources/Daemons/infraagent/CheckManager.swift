import ArgumentParser
import GRPCCore
import GRPCNIOTransportHTTP2
import HealthProtos
import Infrap4dDataplane

/// For an init container: waits for the manager.
struct CheckManager: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkManager", abstract: "Waits until the Infra Manager serves.",
    discussion: "Exit codes: 0 when it serves, 1 when it does not in time.")

  @OptionGroup var options: AgentOptions
  @Option(help: "Seconds, as 30s or 30; 0 is for ever.") var timeout = Timeout(seconds: 0)

  func run() async throws {
    let manager: Infrap4dOptions
    do {
      manager = try AgentSettings.manager(try options.read())
    } catch {
      throw ValidationError("\(error)")
    }
    let serves = try await withGRPCClient(transport: try manager.transport()) { client in
      await timeout.poll(every: .milliseconds(100)) {
        var options = CallOptions.defaults
        options.timeout = .seconds(1)
        let health = Grpc_Health_V1_Health.Client(wrapping: client)
        return (try? await health.check(.init(), options: options))?.status == .serving
      }
    }
    guard serves else {
      print("the Infra Manager does not serve; see inframanager's log")
      throw ExitCode(1)
    }
  }
}
