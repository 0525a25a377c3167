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
import ProcessSignals
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

      What is not given as an option comes from the environment (INFRAP4D_LOG_LEVEL …), else \
      from --config, else it is the default. In a file, options are keys: log-level: debug.

      SIGHUP reads --log-level and --log-format anew from there; SIGUSR1 makes the log one level \
      more detailed, SIGUSR2 as --log-level has it.

      Exit codes: 0 after SIGTERM or SIGINT, 1 when it cannot go on, 2 for bad options.
      """,
    version: Release.version)

  @OptionGroup(title: "Engine") var engine: EngineOptions
  @OptionGroup(title: "Listening") var listening: ListenOptions
  @OptionGroup(title: "Security") var tls: TLSOptions
  @OptionGroup(title: "Log") var log: LogOptions

  @Option(
    help: ArgumentHelp(
      "The file of settings, YAML; by default \(Settings.defaultFile), if that is there.",
      valueName: "file"))
  var config: String?

  @Option(help: "The folder that keeps ports, pipeline and entries; \"none\" keeps nothing.")
  var state = "/var/lib/infrap4d"

  @Option(help: "P4Runtime's device id.")
  var deviceId: UInt64 = 1

  @Option(help: "The port whose frames go to the controller as packet-ins.")
  var cpuPort: UInt32?

  @Flag(inversion: .prefixedNo, help: "Never sleep: lower latency, for one core.")
  var poll = false

  func validate() throws {
    guard deviceId != 0 else { throw ValidationError("--device-id 0 means unset in P4Runtime") }
    if let cpuPort, cpuPort >= UInt32(engine.maxPorts) {
      throw ValidationError("--cpu-port is 0 to \(engine.maxPorts - 1); see --max-ports")
    }
  }

  func run() async throws {
    DaemonLog.bootstrap("infrap4d", try log.options())
    let logger = Logger(label: "infrap4d")
    signal(SIGPIPE, SIG_IGN)
    // A limit on the size of files is as a full disk.
    signal(SIGXFSZ, SIG_IGN)
    let reloads = SignalCall(SIGHUP) {
      do { DaemonLog.set(try Settings.command().log.options()) } catch {
        logger.error("settings cannot be read anew", metadata: ["reason": "\(error)"])
      }
      logger.notice("log level", metadata: ["log_level": "\(DaemonLog.level)"])
    }
    defer { withExtendedLifetime(reloads) {} }
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
