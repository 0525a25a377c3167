import AgentService
import ArgumentParser
import CNIBackend
import DaemonConfiguration
import DaemonLog
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import Glibc
import Health
import Infrap4dDataplane
import Logging
import ProcessSignals
import Serving
import StateDirectory

/// The daemon.
struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs the agent (the default).",
    discussion: """
      Settings come from --set or a flag, else from the environment (INFRAAGENT_TAPPREFIX …), \
      else from NODE_NAME.yaml beside infraagent.yaml, else from --config, else they are:

      \(ConfigurationOptions.help(AgentSettings.all))

      SIGHUP reads LogLevel and LogFormat anew; SIGUSR1 makes the log one level more detailed, \
      SIGUSR2 as LogLevel has it. Exit codes: 0 after SIGTERM or SIGINT, 1 when it cannot go on, \
      2 for bad settings.
      """)

  @OptionGroup var options: AgentOptions

  func run() async throws {
    let plan: Plan
    do {
      let configuration = try options.read()
      plan = try Plan(configuration)
      DaemonLog.bootstrap("infraagent", try configuration.log())
    } catch {
      throw ValidationError("\(error)")
    }
    let logger = Logger(label: "infraagent")
    signal(SIGPIPE, SIG_IGN)
    let reloads = SignalCall(SIGHUP) {
      do { DaemonLog.set(try options.read().log()) } catch {
        logger.error("settings cannot be read anew", metadata: ["reason": "\(error)"])
      }
      logger.notice("log level", metadata: ["log_level": "\(DaemonLog.level)"])
    }
    defer { withExtendedLifetime(reloads) {} }
    do {
      try await Agent(plan, logger).run()
    } catch {
      logger.critical("\(error)")
      throw ExitCode(1)
    }
  }
}
