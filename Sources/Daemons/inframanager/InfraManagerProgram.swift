import ArgumentParser
import Certificates
import Core
import DaemonConfiguration
import DaemonLog
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import Glibc
import HTTPServing
import Health
import HealthProtos
import Infrap4dDataplane
import Logging
import ManagerService
import Metrics
import ProcessSignals
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

      SIGHUP reads LogLevel and LogFormat anew; SIGUSR1 makes the log one level more detailed, \
      SIGUSR2 as LogLevel has it. Exit codes: 0 after SIGTERM or SIGINT, 1 when it cannot go on, \
      2 for bad settings.
      """,
    version: Release.version)

  @OptionGroup var options: ConfigurationOptions

  @Flag(help: "Ask the manager that runs whether it serves, for a probe: exit code 0 or 1.")
  var check = false

  static let defaultFile = "/etc/infra/inframanager.yaml"

  /// As the default, but bad options end with 2.
  static func main() async {
    do {
      try await parse().run()
    } catch {
      let code = exitCode(for: error)
      guard code == .validationFailure else { exit(withError: error) }
      try? FileHandle.standardError.write(contentsOf: Data((fullMessage(for: error) + "\n").utf8))
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
    let metrics: ListenAddress?
    let log: DaemonLog.Options
    do {
      configuration = try read()
      log = try configuration.log()
      servers = (
        try ManagerSettings.infrap4d(configuration, "GrpcServer.addr"),
        try ManagerSettings.infrap4d(configuration, "GnmiServer.addr")
      )
      gateway = try ManagerSettings.gateway(configuration)
      guard let found = ListenAddress(configuration["InfraManager.addr"]) else {
        throw ConfigurationError("InfraManager.addr", "give HOST:PORT or unix:PATH")
      }
      address = found
      metrics = try ManagerSettings.metrics(configuration)
    } catch {
      throw ValidationError("\(error)")
    }
    if check { return try await Self.check(address) }
    DaemonLog.bootstrap("inframanager", log)
    let logger = Logger(label: "inframanager")
    signal(SIGPIPE, SIG_IGN)
    let reloads = SignalCall(SIGHUP) {
      do { DaemonLog.set(try read().log()) } catch {
        logger.error("settings cannot be read anew", metadata: ["reason": "\(error)"])
      }
      logger.notice("log level", metadata: ["log_level": "\(DaemonLog.level)"])
    }
    defer { withExtendedLifetime(reloads) {} }
    do {
      try await serve(
        configuration, servers.p4Runtime, servers.gNMI, gateway, address, metrics, logger)
    } catch let error as ValidationError {
      throw error
    } catch {
      logger.critical("\(error)")
      throw ExitCode(1)
    }
  }

  /// Asks for the health of a manager that listens there.
  private static func check(_ address: ListenAddress) async throws {
    var server = Infrap4dOptions()
    switch address {
    case .ipv4("0.0.0.0", let port): server.address = .tcp(host: "127.0.0.1", port: port)
    case .ipv4(let host, let port), .ipv6(let host, let port):
      server.address = .tcp(host: host, port: port)
    case .unix(let path): server.address = .unix(path: path)
    }
    server.security = .plaintext
    let answer = try await withGRPCClient(transport: try server.transport()) { client in
      var options = CallOptions.defaults
      options.timeout = .seconds(2)
      let health = Grpc_Health_V1_Health.Client(wrapping: client)
      return try? await health.check(.init(), options: options).status
    }
    guard answer == .serving else {
      print(
        answer == nil
          ? "no manager answers at \(address)"
          : "the manager at \(address) does not reach infrap4d, or has not brought it to what is "
            + "wanted; see its log")
      throw ExitCode(1)
    }
  }

  private func serve(
    _ configuration: Configuration, _ p4Runtime: Infrap4dOptions, _ gNMI: Infrap4dOptions,
    _ gateway: InfraAgentService.Gateway, _ address: ListenAddress,
    _ metrics: ListenAddress?, _ logger: Logger
  ) async throws {
    var p4Runtime = p4Runtime
    p4Runtime.pipeline = try pipeline(configuration)
    if case .mutualTLS(let folder) = p4Runtime.security, case .tcp = p4Runtime.address {
      try CertificateFolder(folder, of: .client).check(now: Date())
    }
    let folder = configuration["State"]
    let directory = folder == "none" ? nil : try StateDirectory(folder, logger: logger)
    let lock = try directory.map { try StateLock($0) }
    defer { withExtendedLifetime(lock) {} }
    let restored = Restored(directory, logger: logger)
    p4Runtime.entries = restored.entries
    p4Runtime.adoptsEntries = true
    if p4Runtime.entries == nil {
      logger.notice("no desired state; what the pipeline has is kept until agents have asked")
    } else {
      logger.notice(
        "desired state",
        metadata: ["pods": "\(restored.pods)", "services": "\(restored.services)"])
    }
    let client = try Infrap4dClient(p4Runtime, logger: Logger(label: "p4runtime"))
    let gnmi = GRPCClient(transport: try gNMI.transport())
    let manager = InfraManager(restored, writer: client, logger: logger)
    let services: [any RegistrableRPCService] = [
      InfraAgentService(manager, ports: GNMIPortLookup(gnmi), gateway: gateway),
      TranslationsService(manager),
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
    try await withThrowingTaskGroup(of: Void.self) { group in
      if let metrics {
        group.addTask { try await serve(manager, client, at: metrics, logger) }
      }
      group.addTask {
        do {
          try await listener.serve { logger.notice("listening", metadata: ["at": "\($0)"]) }
        } catch {
          throw ListenError(
            address: address, reason: "\(error)", setting: "--set InfraManager.addr=…")
        }
      }
      // The listener ends first; the pages go on until then.
      try await group.next()
      group.cancelAll()
    }
    await client.stop()
    gnmi.beginGracefulShutdown()
    await connections.value
    logger.notice("stopped")
  }

  private func serve(
    _ manager: InfraManager, _ client: Infrap4dClient, at address: ListenAddress, _ logger: Logger
  ) async throws {
    let pages: HTTPServer.Pages = [
      "/metrics": { _ in
        HTTPAnswer(
          Exposition.contentType,
          ManagerMetrics.text(await manager.activity(), isReady: await client.isReady))
      },
      "/healthz": { _ in .text("ok") },
      "/readyz": { _ in
        guard await client.isReady else {
          return .text(
            "infrap4d is not reached, or has another controller; see the log", .serviceUnavailable)
        }
        guard await manager.activity().isKept else {
          return .text("the disk does not take the desired state; see the log", .serviceUnavailable)
        }
        return .text("ok")
      },
    ]
    try await HTTPServer(address, pages: pages)
      .serve(setting: "--set InfraManager.metrics-addr=…") {
        logger.notice("serving /metrics", metadata: ["at": "\($0)"])
      }
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
