import ArgumentParser
import Core
import DaemonLog
import Forwarding
import Foundation
import GRPCCore
import Glibc
import Hosting
import Logging
import P4RuntimeService
import Privileges
import Serving
import StateDirectory

/// The program's options, and what it does.
struct Infrap4d: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "infrap4d",
    abstract: "Runs a P4 pipeline between network interfaces, controlled by P4Runtime and gNMI.",
    discussion: """
      Ports are made by gNMI, the pipeline and its entries come by P4Runtime. Both are kept in \
      the state folder and are there again after a restart.

      SIGUSR1 makes it log all that debug does, SIGUSR2 what --log-level says. Exit codes: 0 \
      after SIGTERM or SIGINT, 1 when it cannot go on, 2 for bad options.
      """)

  @OptionGroup(title: "Engine") var engine: EngineOptions
  @OptionGroup(title: "Listening") var listening: ListenOptions
  @OptionGroup(title: "Security") var tls: TLSOptions

  @Option(help: "The folder that keeps ports, pipeline and entries; \"none\" keeps nothing.")
  var state = "/var/lib/infrap4d"

  @Option(help: "P4Runtime's device id.")
  var deviceId: UInt64 = 1

  @Option(help: "The port whose frames go to the controller as packet-ins.")
  var cpuPort: UInt32?

  @Flag(help: "Never sleep: lower latency, for one core.")
  var poll = false

  @Option(
    help: ArgumentHelp("\(DaemonLog.levelNames), in any case."),
    transform: { text in
      guard let level = DaemonLog.level(named: text) else {
        throw ValidationError("\(text) is no --log-level; give \(DaemonLog.levelNames)")
      }
      return level
    })
  var logLevel = Logger.Level.info

  func validate() throws {
    guard deviceId != 0 else { throw ValidationError("--device-id 0 means unset in P4Runtime") }
    if let cpuPort, cpuPort >= UInt32(engine.maxPorts) {
      throw ValidationError("--cpu-port is 0 to \(engine.maxPorts - 1); see --max-ports")
    }
  }

  func run() async throws {
    DaemonLog.bootstrap(logLevel)
    let logger = Logger(label: "infrap4d")
    let levels = [(SIGUSR1, Logger.Level.debug), (SIGUSR2, logLevel)].map { number, level in
      SignalCall(number) {
        DaemonLog.set(level)
        logger.notice("log level", metadata: ["level": "\(level)"])
      }
    }
    defer { withExtendedLifetime(levels) {} }
    signal(SIGPIPE, SIG_IGN)
    do {
      try await Node(self, logger: logger).run()
    } catch let error as ValidationError {
      throw error
    } catch {
      logger.critical("\(error)")
      throw ExitCode(1)
    }
  }

  /// What has to be done before there is a second thread.
  ///
  /// NET_ADMIN is for TAPs, NET_RAW for packet sockets, and SYS_ADMIN for what is asked of
  /// interfaces in the namespaces of pods: setns(2) takes it.
  func prepare() throws {
    raiseFileLimit()
    Forwarder.holdNamespaces()
    var kept: Set<Capability> = [.netAdmin, .netRaw, .sysAdmin]
    if try listening.addresses().contains(where: \.isPrivileged) { kept.insert(.netBindService) }
    try Capability.keep(only: kept)
  }

  /// A connection is a file.
  private func raiseFileLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = min(limit.rlim_max, 1 << 17)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}
