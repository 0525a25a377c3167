import Core
import Forwarding
import Foundation
import GNMIService
import GRPCCore
import Glibc
import HTTPServing
import Hosting
import InspectionService
import Logging
import P4RuntimeService
import ProcessSignals
import Serving
import StateDirectory

/// Everything that runs, put together.
struct Node {
  private let options: Infrap4d
  private let logger: Logger

  init(_ options: Infrap4d, logger: Logger) {
    self.options = options
    self.logger = logger
  }

  func run() async throws {
    // Everything that can be wrong with the options shows before anything is made.
    let maker = try options.engine.maker()
    let addresses = try options.listening.addresses()
    let security = try options.tls.security(for: addresses, logger)
    let directory =
      options.state == "none" ? nil : try StateDirectory(options.state, logger: logger)
    let lock = try directory.map { try StateLock($0) }
    defer { withExtendedLifetime(lock) {} }

    var forwarding = Forwarder.Options()
    forwarding.maximumPorts = options.engine.maxPorts
    forwarding.controllerPort = options.cpuPort
    forwarding.poll = options.poll
    let forwarder = try Forwarder(options: forwarding)

    let ports = PortStore(forwarder, directory, logger: logger)
    await ports.restore()
    Forwarder.releaseNamespaces()
    let interfaceStore = directory.map { InterfaceStore($0, logger: logger) }
    let interfaces = Interfaces(
      ports, journal: interfaceStore, maximumInterfaces: options.engine.maxPorts, logger: logger)
    await interfaces.restore(interfaceStore?.content() ?? [])
    let store = directory.map { PipelineStore($0, logger: logger) }
    var controllerOptions = PipelineController.Options()
    controllerOptions.deviceID = options.deviceId
    let controller = PipelineController(
      host: forwarder, maker: maker, packets: options.cpuPort == nil ? nil : forwarder,
      journal: store, options: controllerOptions, logger: logger)
    let flows = directory.map { FlowStore(forwarder, $0, logger: logger) }
    try await restore(store, flows, controller)

    let watch = NodeWatch(
      engine: maker.name, ports: ports, host: forwarder, controller: controller,
      agent: try options.listening.agent())
    let watching = Task { await watch.follow() }
    defer { watching.cancel() }
    let services: [any RegistrableRPCService] = [
      P4RuntimeService(controller), GNMIService(interfaces),
      InspectionService(host: forwarder, controller: controller) { await watch.inspection() },
    ]
    let listeners = try addresses.map { address in
      Listener(
        address, security: security, services: services, mode: try options.listening.mode(),
        maximumConnections: options.listening.maxConnections,
        maximumRequestBytes: options.listening.maxRequest << 20)
    }
    let following = Task { await ports.follow() }
    defer { following.cancel() }
    let keeping = Task { await flows?.follow() }
    defer { keeping.cancel() }
    try await serve(listeners, try options.listening.metrics(), watch, controller)
    keeping.cancel()
    await keeping.value
    await ports.noteLocations()
    await forwarder.stop()
    logger.notice("stopped")
  }

  /// - Throws: ``KeptPipelineError`` for a pipeline that is good and does not run here: it is
  ///   left where it is.
  private func restore(
    _ store: PipelineStore?, _ flows: FlowStore?, _ controller: PipelineController
  ) async throws {
    guard let store, let content = await store.content() else { return }
    do {
      let prepare = await flows?.restoring()
      try await controller.restore(content.config, updates: content.updates) { dataplane in
        prepare?(dataplane)
      }
      let entries = try await controller.entryCount()
      logger.notice("pipeline restored", metadata: ["entries": "\(entries)"])
    } catch RestoreError.inconsistent(let error) {
      await store.setAside("\(error)")
    } catch {
      throw KeptPipelineError(file: store.path, reason: "\(error)")
    }
  }

  private func serve(
    _ listeners: [Listener], _ metrics: ListenAddress?, _ watch: NodeWatch,
    _ controller: PipelineController
  ) async throws {
    let logger = logger
    let packets = Task { await controller.deliverPackets() }
    defer { packets.cancel() }
    let idle = Task { await controller.watchIdleEntries() }
    defer { idle.cancel() }
    let signals = TerminationSignals {
      logger.notice("stopping", metadata: ["signal": "\($0)"])
      for listener in listeners { listener.stop() }
    }
    defer { withExtendedLifetime(signals) {} }
    try await withThrowingTaskGroup(of: Void.self) { group in
      if let metrics {
        group.addTask { try await serve(watch, at: metrics) }
      }
      for listener in listeners {
        group.addTask {
          do {
            try await listener.serve { logger.notice("listening", metadata: ["at": "\($0)"]) }
          } catch {
            throw ListenError(address: listener.address, reason: "\(error)")
          }
        }
      }
      // All listeners end together, or one address without the others would be half a server; the
      // pages go on until then.
      for _ in listeners { try await group.next() }
      group.cancelAll()
    }
  }

  private func serve(_ watch: NodeWatch, at address: ListenAddress) async throws {
    try await HTTPServer(address, pages: NodePages.all(watch))
      .serve(setting: "--metrics-address") {
        logger.notice("serving /metrics", metadata: ["at": "\($0)"])
      }
  }
}

/// Why the pipeline of the last process is not there again, though it could be.
private struct KeptPipelineError: Error, CustomStringConvertible {
  var file: String
  var reason: String

  var description: String {
    "\(file): the pipeline cannot be put back: \(reason); start with the --dataplane, --max-ports "
      + "and --memory that it ran with, or move the file away to start without it"
  }
}
