import ArgumentParser
import Core
import DaemonConfiguration
import DaemonLog
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import Glibc
import Health
import Infrap4dDataplane
import Logging
import ManagerService
import Serving
import StateDirectory

/// The program.
@main
struct InfraManagerProgram: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inframanager",
    abstract: "Turns what the node's agent asks for into table entries of infrap4d.",
    discussion: """
      Settings come from --set, else from the environment (INFRAMANAGER_GRPCSERVER_ADDR …), \
      else from --config, else they are:

      \(ConfigurationOptions.help(ManagerSettings.all))

      SIGHUP reads LogLevel anew. Exit codes: 0 after SIGTERM or SIGINT, 1 when it cannot go on, \
      2 for bad settings.
      """)

  @OptionGroup var options: ConfigurationOptions

  static let defaultFile = "/etc/infra/inframanager.yaml"

  /// As the default, but bad options end with 2.
  static func main() async {
    do {
      try await parse().run()
    } catch {
      let code = exitCode(for: error)
      guard code == .validationFailure else { exit(withError: error) }
      FileHandle.standardError.write(Data((fullMessage(for: error) + "\n").utf8))
      Glibc.exit(2)
    }
  }

  private func read() throws(ConfigurationError) -> Configuration {
    try options.read(
      ManagerSettings.all, file: Self.defaultFile, prefix: ManagerSettings.prefix)
  }

  func run() async throws {
    let configuration: Configuration
    let servers: (p4Runtime: Infrap4dOptions, gNMI: Infrap4dOptions)
    let gateway: InfraAgentService.Gateway
    let address: ListenAddress
    do {
      configuration = try read()
      DaemonLog.bootstrap(try DaemonLog.level(configuration))
      servers = (
        try ManagerSettings.infrap4d(configuration, "GrpcServer.addr"),
        try ManagerSettings.infrap4d(configuration, "GnmiServer.addr")
      )
      gateway = try ManagerSettings.gateway(configuration)
      guard let found = ListenAddress(configuration["InfraManager.addr"]) else {
        throw ConfigurationError("InfraManager.addr", "give HOST:PORT or unix:PATH")
      }
      address = found
    } catch {
      throw ValidationError("\(error)")
    }
    let logger = Logger(label: "inframanager")
    signal(SIGPIPE, SIG_IGN)
    let reloads = HangUpSignal {
      do { DaemonLog.set(try DaemonLog.level(try read())) } catch { logger.error("\(error)") }
      logger.notice("log level", metadata: ["level": "\(DaemonLog.level)"])
    }
    defer { withExtendedLifetime(reloads) {} }
    do {
      try await serve(configuration, servers.p4Runtime, servers.gNMI, gateway, address, logger)
    } catch let error as ValidationError {
      throw error
    } catch {
      logger.critical("\(error)")
      throw ExitCode(1)
    }
  }

  private func serve(
    _ configuration: Configuration, _ p4Runtime: Infrap4dOptions, _ gNMI: Infrap4dOptions,
    _ gateway: InfraAgentService.Gateway, _ address: ListenAddress, _ logger: Logger
  ) async throws {
    let folder = configuration["State"]
    let directory = folder == "none" ? nil : try StateDirectory(folder, logger: logger)
    let lock = try directory.map { try StateLock($0) }
    defer { withExtendedLifetime(lock) {} }
    let restored = Restored(directory, logger: logger)
    logger.notice(
      "desired state", metadata: ["pods": "\(restored.pods)", "services": "\(restored.services)"])

    var p4Runtime = p4Runtime
    p4Runtime.pipeline = try pipeline(configuration)
    p4Runtime.entries = restored.entries
    let client = try Infrap4dClient(p4Runtime, logger: Logger(label: "p4runtime"))
    let gnmi = GRPCClient(transport: try gNMI.transport())
    let manager = InfraManager(restored, writer: client, logger: logger)
    let services: [any RegistrableRPCService] = [
      InfraAgentService(manager, ports: GNMIPortLookup(gnmi), gateway: gateway),
      HealthService { await client.isReady },
    ]
    let listener = Listener(
      address, security: .plaintext, services: services, mode: 0o660, maximumConnections: 256,
      maximumRequestBytes: 16 << 20)
    let signals = TerminationSignals {
      logger.notice("stopping", metadata: ["signal": "\($0)"])
      listener.stop()
    }
    defer { withExtendedLifetime(signals) {} }
    await client.start()
    let connections = Task { try? await gnmi.runConnections() }
    do {
      try await listener.serve { logger.notice("listening", metadata: ["at": "\($0)"]) }
    } catch {
      throw ListenError(address: address, reason: "\(error)")
    }
    await client.stop()
    gnmi.beginGracefulShutdown()
    await connections.value
    logger.notice("stopped")
  }

  private func pipeline(
    _ configuration: Configuration
  ) throws -> PipelineBundle.Config {
    let (info, bundle) = (configuration["P4InfoPath"], configuration["P4BinPath"])
    switch (info.isEmpty, bundle.isEmpty) {
    case (true, true): return PipelineBundle.k8sDP()
    case (false, false):
      do { return try PipelineBundle.load(bundle: bundle, p4Info: info) } catch {
        throw ValidationError("\(error)")
      }
    default: throw ValidationError("give both P4InfoPath and P4BinPath, or neither")
    }
  }
}

extension Infrap4dClient: TableWriter {}
