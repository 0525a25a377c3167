import AgentService
import CNIBackend
import Certificates
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import HTTPServing
import Health
import Infrap4dDataplane
import Kubernetes
import Logging
import Metrics
import ProcessSignals
import ServiceSync
import Serving
import StateDirectory
import Synchronization

/// The agent's parts, and how they hang together.
struct Agent: Sendable {
  private let plan: Plan
  private let logger: Logger

  init(_ plan: Plan, _ logger: Logger) {
    self.plan = plan
    self.logger = logger
  }

  /// Runs until SIGTERM or SIGINT.
  func run() async throws {
    if case .mutualTLS(let folder) = plan.gNMI.security, case .tcp = plan.gNMI.address {
      try CertificateFolder(folder, of: .client).check(now: Date())
    }
    let directory = try StateDirectory(plan.state, logger: logger)
    let lock = try StateLock(directory)
    defer { withExtendedLifetime(lock) {} }
    let gnmi = GRPCClient(transport: try plan.gNMI.transport())
    let managerClient = GRPCClient(transport: try plan.manager.transport())
    let ports = GNMIPorts(gnmi) { ConnectionFailure($0).map { "\($0)" } }
    let manager = ManagerLink(managerClient, logger: Logger(label: "manager"))
    let backend = try CNIBackend(
      options: plan.pods, networks: InfraManagerClient(managerClient), ports: ports,
      logger: Logger(label: "cni"))
    let host = HostUpkeep(
      HostInterface(plan.host, ports: ports), manager, logger: Logger(label: "host"))
    let watch = try plan.cluster.map { cluster in
      try ServiceWatch(
        cluster, node: plan.nodeName,
        sync: ServiceSync(
          node: plan.nodeName, sink: ManagerTranslations(managerClient),
          memory: ServiceMemory(directory), logger: Logger(label: "services")),
        logger: Logger(label: "kubernetes"))
    }

    let felix = plan.felixSocket.map { path in
      FelixServer(path: path, directory: directory, logger: Logger(label: "felix")) {
        try await manager.forward($0)
      }
    }

    // What must be so for pods to be connected.
    let conditions: @Sendable () async -> CheckPage.Conditions = {
      var conditions = ["manager": manager.isServing, "hostInterface": host.isReady]
      conditions["services"] = await watch?.hasSynced
      conditions["node"] = watch?.hasNode
      return conditions
    }
    let activity = CNIActivity()
    let listener = Listener(
      plan.cniAddress, security: .plaintext,
      services: [
        CNIService(backend, activity: activity, logger: Logger(label: "cni")),
        HealthService { await conditions().values.allSatisfy(\.self) },
      ], mode: 0o600, maximumConnections: 256, maximumRequestBytes: 1 << 20)
    let (ends, end) = AsyncStream<Void>.makeStream()
    let signals = TerminationSignals {
      logger.notice("stopping", metadata: ["signal": "\($0)"])
      end.finish()
    }
    defer { withExtendedLifetime(signals) {} }

    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await gnmi.runUntilCancelled() }
      group.addTask { try await managerClient.runUntilCancelled() }
      group.addTask { await host.run() }
      group.addTask {
        await manager.follow { beginning in
          if beginning == .anew { felix?.restart() }
          await host.tell()
          await watch?.resync()
          await backend.recoverAll()
        }
      }
      if let watch {
        group.addTask { await watch.run { await host.route(to: $0) } }
      }
      group.addTask {
        // Pods come after the host, whose port is made first.
        await host.untilReady()
        await backend.run()
      }
      group.addTask {
        do {
          try await listener.serve { logger.notice("listening", metadata: ["at": "\($0)"]) }
        } catch {
          throw ListenError(
            address: plan.cniAddress, reason: "\(error)", setting: "--set cniAddr=…")
        }
      }
      group.addTask {
        let pages = pages(
          conditions,
          {
            AgentMetrics.Sources(
              conditions: await conditions(), cni: activity, pods: await backend.count,
              watch: watch)
          },
          {
            NamesPage(
              pods: await backend.names(), services: await watch?.names() ?? [:])
          })
        try await HTTPServer(plan.health, pages: pages)
          .serve(setting: "--set healthAddr=…") {
            logger.notice("serving /check", metadata: ["at": "\($0)"])
          }
      }
      if let path = plan.felixSocket, let felix {
        group.addTask { try await serve(felix, at: path) }
      }
      group.addTask {
        for await _ in ends {}
        throw Stopped()
      }
      do {
        while try await group.next() != nil {}
      } catch is Stopped {
      }
      group.cancelAll()
    }
    logger.notice("stopped")
  }

  private func pages(
    _ conditions: @escaping @Sendable () async -> CheckPage.Conditions,
    _ sources: @escaping @Sendable () async -> AgentMetrics.Sources,
    _ names: @escaping @Sendable () async -> NamesPage
  ) -> HTTPServer.Pages {
    let check: @Sendable (HTTPRequest) async -> HTTPAnswer = { _ in
      CheckPage.answer(await conditions())
    }
    var pages: HTTPServer.Pages = [
      "/check": check, "/readyz": check, "/healthz": { _ in .text("ok") },
      "/names.json": { request in await names().answer(request) },
    ]
    if plan.servesMetrics {
      pages["/metrics"] = { _ in
        HTTPAnswer(Exposition.contentType, await AgentMetrics.text(await sources()))
      }
    }
    return pages
  }

  private func serve(_ felix: FelixServer, at path: String) async throws {
    try FileManager.default.createDirectory(
      at: URL(fileURLWithPath: path).deletingLastPathComponent(),
      withIntermediateDirectories: true)
    let logger = Logger(label: "felix")
    try await felix.serve { logger.notice("listening", metadata: ["at": "\(path)"]) }
  }

  private struct Stopped: Error {}
}
