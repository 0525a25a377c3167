import Core
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import GRPCTesting
import InfraProtos
import K8sDPArtefacts
import Logging
import ManagerService
import SimDataplane
import StateDirectory
import Synchronization

/// A manager with its service, whose tables are those of the model.
struct Manager {
  typealias Client = Infra_InfraAgent.Client<HTTP2ClientTransport.Posix>

  let client: Client
  let connection: GRPCClient<HTTP2ClientTransport.Posix>
  let tables: Tables
  let manager: InfraManager

  /// What the manager counts.
  func activity() async -> ManagerActivity { await manager.activity() }

  /// Runs one until the body returns.
  ///
  /// - Parameters:
  ///   - state: a folder; nil keeps nothing.
  ///   - isUpstreams: whether it has the calls of infra.proto alone.
  static func run(
    state: String? = nil, tables: Tables? = nil, ports: any PortLookup = Ports(),
    isUpstreams: Bool = false, pauses: InfraManager.Pauses = .init(),
    _ body: (Manager) async throws -> Void
  ) async throws {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let directory = try state.map { try StateDirectory($0, logger: logger) }
    let restored = Restored(directory, logger: logger)
    // As the client of infrap4d does: what is wanted is brought there first.
    let tables = tables ?? Tables()
    if let entries = restored.entries { tables.become(entries) }
    let manager = InfraManager(restored, writer: tables, pauses: pauses, logger: logger)
    let transport = HTTP2ServerTransport.Posix(
      address: .ipv4(host: "127.0.0.1", port: 0), transportSecurity: .plaintext)
    let server = GRPCServer(
      transport: transport,
      services: [InfraAgentService(manager, ports: ports, gateway: .host)]
        + (isUpstreams ? [] : [TranslationsService(manager)]))
    try await server.serve {
      guard let port = try await server.listeningAddress?.ipv4?.port else {
        throw CancellationError()
      }
      let connection = GRPCClient(transport: try HTTP2ClientTransport.Posix.loopback(port))
      // A body without calls may be over before this begins.
      Task { try? await connection.runConnections() }
      defer { connection.beginGracefulShutdown() }
      try await body(
        Manager(
          client: Client(wrapping: connection), connection: connection, tables: tables,
          manager: manager))
    }
  }

  /// Waits until what the manager counts is as it shall be.
  func until(_ isSo: @Sendable (ManagerActivity) -> Bool) async throws {
    while await !isSo(activity()) { try await Task.sleep(for: .milliseconds(2)) }
  }

  /// The code of the error that a call ends with, nil for none.
  static func code(_ body: () async throws -> Void) async -> RPCError.Code? {
    do {
      try await body()
      return nil
    } catch { return (error as? RPCError)?.code ?? .unknown }
  }

  func host(mac: String = "02:00:00:00:01:02") async throws {
    _ = try await client.setupHostInterface(
      .with {
        $0.ifName = "P4TAP_1"
        $0.ipv4Addr = "200.1.1.2/32"
        $0.macAddr = mac
      })
  }

  func pod(_ n: Int, ip: String? = nil) async throws {
    _ = try await client.createNetwork(
      .with {
        $0.hostIfName = "P4TAP_\(n)"
        $0.macAddr = "02:00:00:00:02:0\(n)"
        $0.addRequest.containerIps = [.with { $0.address = ip ?? "10.244.0.\(n)/32" }]
      })
  }

  func removePod(_ n: Int, ip: String? = nil) async throws {
    _ = try await client.deleteNetwork(
      .with {
        $0.hostIfName = "P4TAP_\(n)"
        $0.ipv4Addr = ip ?? "10.244.0.\(n)/32"
      })
  }

  static func service(
    _ address: String, proto: String = "TCP", port: UInt32 = 80,
    to endpoints: [(String, UInt32)]
  ) -> Infra_NatTranslation {
    .with {
      $0.endpoint.ipv4Addr = address
      $0.endpoint.port = port
      $0.proto = proto
      $0.backends = endpoints.map { ip, port in
        .with {
          $0.dstEp.ipv4Addr = ip
          $0.dstEp.port = port
        }
      }
    }
  }
}

/// P4TAP_n is on port n.
struct Ports: PortLookup {
  func port(of interface: String) throws(DataplaneError) -> PortID {
    guard interface.hasPrefix("P4TAP_"), let id = PortID(interface.dropFirst(6)) else {
      throw DataplaneError(.notFound, interface, "no port")
    }
    return id
  }
}

/// Says no port before so many have asked.
actor Meeting: PortLookup {
  private var waiting: [CheckedContinuation<Void, Never>] = []
  private let size: Int

  init(of size: Int) { self.size = size }

  func port(of interface: String) async throws(DataplaneError) -> PortID {
    await withCheckedContinuation { continuation in
      waiting.append(continuation)
      if waiting.count == size { for waiter in waiting { waiter.resume() } }
    }
    return try Ports().port(of: interface)
  }
}

/// The model's tables, which can be away.
final class Tables: TableWriter {
  private struct State {
    var model = SimDataplane()
    var isAway = false
    var isHeld = false
    var waiting = 0
    var updates = 0
    var learned: [TableEntry] = []
  }

  private let state = Mutex(State())

  var isAway: Bool {
    get { state.withLock { $0.isAway } }
    set { state.withLock { $0.isAway = newValue } }
  }

  /// Whether batches wait.
  var isHeld: Bool {
    get { state.withLock { $0.isHeld } }
    set { state.withLock { $0.isHeld = newValue } }
  }

  /// Batches that wait.
  var waiting: Int { state.withLock { $0.waiting } }

  /// What flows there are.
  var learned: [TableEntry] {
    get { state.withLock { $0.learned } }
    set { state.withLock { $0.learned = newValue } }
  }

  /// Updates so far.
  var updates: Int { state.withLock { $0.updates } }

  func programmed() async throws(DataplaneError) -> ProgrammedState {
    guard !isAway else { throw DataplaneError(.unavailable, "infrap4d", "is away") }
    var programmed = ProgrammedState(Array(entries()))
    for entry in learned { programmed.note(learned: entry) }
    return programmed
  }

  func apply(_ updates: [Update]) async throws(DataplaneError) {
    state.withLock { $0.waiting += 1 }
    while isHeld { try? await Task.sleep(for: .milliseconds(2)) }
    state.withLock { $0.waiting -= 1 }
    try state.withLock { state throws(DataplaneError) in
      guard !state.isAway else { throw DataplaneError(.unavailable, "infrap4d", "is away") }
      try state.model.apply(updates)
      state.updates += updates.count
    }
  }

  func become(_ entries: [TableEntry]) {
    state.withLock { state in
      state.model = SimDataplane()
      try? state.model.apply(entries.map { .insert($0) })
    }
  }

  func entries(of table: String? = nil) -> Set<TableEntry> {
    state.withLock { state in
      let names = table.map { [$0] } ?? state.model.contract.tables.map(\.name)
      return Set(names.flatMap { (try? state.model.entries(of: $0)) ?? [] })
    }
  }
}
