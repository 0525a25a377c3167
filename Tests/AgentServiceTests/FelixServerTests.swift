import Foundation
import InfraProtos
import Logging
import NIOCore
import NIOPosix
import NodeTesting
import Serving
import StateDirectory
import Synchronization
import Testing

@testable import AgentService

/// Felix's messages through a socket, also by way of felix-api-proxy.
@Suite struct FelixServerTests {
  /// What arrived, in order.
  private actor Messages {
    private(set) var all: [Felix_ToDataplane] = []
    private var refused = 0

    func take(_ message: Felix_ToDataplane) throws {
      guard message.sequenceNumber != 666 else {
        refused += 1
        throw POSIXError(.EIO)
      }
      all.append(message)
    }

    func reach(_ count: Int) async throws {
      while all.count < count { try await Task.sleep(for: .milliseconds(2)) }
    }

    func reachRefusals(_ count: Int) async throws {
      while refused < count { try await Task.sleep(for: .milliseconds(2)) }
    }
  }

  private static func frame(_ number: UInt64, members: Int = 0) throws -> Data {
    let message = Felix_ToDataplane.with {
      $0.sequenceNumber = number
      $0.ipsetUpdate.id = "s\(number)"
      $0.ipsetUpdate.members = (0..<members).map { "10.0.\($0 >> 8).\($0 & 255)" }
    }
    let bytes: Data = try message.serializedBytes()
    return withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { Data($0) } + bytes
  }

  private func serve(
    _ body: (String, Messages) async throws -> Void
  ) async throws {
    let path = NSTemporaryDirectory() + "felix-\(UUID().uuidString.prefix(8)).sock"
    let messages = Messages()
    let server = FelixServer(
      path: path, logger: Self.silent
    ) { try await messages.take($0) }
    let (listening, isListening) = AsyncStream<Void>.makeStream()
    let task = Task { try await server.serve { isListening.finish() } }
    for await _ in listening {}
    defer { task.cancel() }
    try await body(path, messages)
  }

  /// Sends bytes through socat, as a connection of its own that ends afterwards.
  private func send(_ bytes: Data, to path: String) async throws {
    let file = NSTemporaryDirectory() + "felix-\(UUID().uuidString)"
    try bytes.write(to: URL(fileURLWithPath: file))
    _ = try await Command.run(["socat", "-u", "FILE:\(file)", "UNIX-CONNECT:\(path)"])
  }

  @Test func everyConnectionIsServed() async throws {
    try await serve { path, messages in
      for round in 0..<3 as Range<UInt64> {
        try await send(try Self.frame(round * 2) + Self.frame(round * 2 + 1), to: path)
      }
      try await messages.reach(6)
      #expect(await Set(messages.all.map(\.sequenceNumber)) == Set(0..<6))
    }
  }

  /// An agent that is started twice takes nothing away from the first.
  @Test func anotherOneListens() async throws {
    try await serve { path, messages in
      let second = FelixServer(path: path, logger: Self.silent) { try await messages.take($0) }
      let error = await #expect(throws: ListenError.self) { try await second.serve() }
      #expect("\(error)".contains("choose another with felixSocket"))
      try await send(try Self.frame(1), to: path)
      try await messages.reach(1)
    }
  }

  @Test func aLargeMessage() async throws {
    try await serve { path, messages in
      try await send(try Self.frame(1, members: 60_000), to: path)
      try await messages.reach(1)
      #expect(await messages.all.first?.ipsetUpdate.members.count == 60_000)
    }
  }

  /// What is no frame ends its connection, and only that.
  @Test func garbage() async throws {
    try await serve { path, messages in
      for bytes in [
        Data([1, 2, 3]), Data(repeating: 0xFF, count: 100),
        Data([4, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]),
        try Self.frame(9).dropLast(1),
      ] {
        try await send(Data(bytes), to: path)
      }
      try await send(try Self.frame(7), to: path)
      try await messages.reach(1)
      #expect(await messages.all.map(\.sequenceNumber) == [7])
    }
  }

  /// When the manager does not take one, Felix has to come again.
  @Test func aRefusedMessageEndsTheConnection() async throws {
    try await serve { path, messages in
      try await send(try Self.frame(1) + Self.frame(666) + Self.frame(2), to: path)
      try await messages.reachRefusals(1)
      try await send(try Self.frame(3), to: path)
      try await messages.reach(2)
      #expect(await messages.all.map(\.sequenceNumber) == [1, 3])
    }
  }

  @Test func throughTheProxy() async throws {
    let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
    let folder =
      bundle.map { $0.bundleURL.deletingLastPathComponent() }
      ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    let proxy = folder.appendingPathComponent("felix-api-proxy").path
    try await serve { path, messages in
      let file = NSTemporaryDirectory() + "felix-\(UUID().uuidString)"
      try (try Self.frame(1) + Self.frame(2)).write(to: URL(fileURLWithPath: file))
      let outcome = try await Command.run([
        "env", "FELIX_DATAPLANE_SOCKET=\(path)", "bash", "-c",
        "exec \(proxy) 3< \(file) 4> /dev/null",
      ])
      #expect(outcome.status == 0, "\(outcome)")
      try await messages.reach(2)
    }
    let outcome = try await Command.run(["bash", "-c", "exec \(proxy) 3<&- 4<&-"])
    #expect(outcome.status == 1 && outcome.output.contains("Felix starts this program"))
  }

  // MARK: What a connection does not tell any more

  private static func frame(_ message: Felix_ToDataplane) throws -> Data {
    let bytes: Data = try message.serializedBytes()
    return withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { Data($0) } + bytes
  }

  private static func policy(_ name: String) -> Felix_ToDataplane {
    .with { $0.activePolicyUpdate.id.name = name }
  }

  private static func set(_ name: String) -> Felix_ToDataplane {
    .with { $0.ipsetUpdate.id = name }
  }

  private static let inSync = Felix_ToDataplane.with { $0.inSync = .init() }

  /// A manager as far as policies and sets are concerned.
  private actor Manager {
    private(set) var known: Set<String> = []
    private(set) var syncs = 0

    func take(_ message: Felix_ToDataplane) {
      switch message.payload {
      case .activePolicyUpdate(let policy): known.insert("policy \(policy.id.name)")
      case .activePolicyRemove(let policy): known.remove("policy \(policy.id.name)")
      case .ipsetUpdate(let set): known.insert("set \(set.id)")
      case .ipsetRemove(let set): known.remove("set \(set.id)")
      case .inSync: syncs += 1
      default: break
      }
    }

    func reach(_ wanted: Set<String>) async throws {
      while known != wanted { try await Task.sleep(for: .milliseconds(2)) }
    }

    func reach(syncs wanted: Int) async throws {
      while syncs < wanted { try await Task.sleep(for: .milliseconds(2)) }
    }
  }

  /// A connection that stays open until it is closed.
  private final class Connection {
    private let channel: any Channel

    init(_ path: String) async throws {
      channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(unixDomainSocketPath: path).get()
    }

    func tell(_ messages: Felix_ToDataplane...) async throws {
      for message in messages {
        let bytes = ByteBuffer(bytes: try FelixServerTests.frame(message))
        try await channel.writeAndFlush(bytes).get()
      }
    }

    func close() async throws { try await channel.close() }

    /// The other side has hung up.
    func untilClosed() async throws { try await channel.closeFuture.get() }
  }

  private func serve(
    _ manager: Manager, _ directory: StateDirectory? = nil,
    _ body: (String, FelixServer) async throws -> Void
  ) async throws {
    let path = NSTemporaryDirectory() + "felix-\(UUID().uuidString.prefix(8)).sock"
    let server = FelixServer(path: path, directory: directory, logger: Self.silent) {
      await manager.take($0)
    }
    let (listening, isListening) = AsyncStream<Void>.makeStream()
    let task = Task { try await server.serve { isListening.finish() } }
    for await _ in listening {}
    do { try await body(path, server) } catch {
      task.cancel()
      throw error
    }
    task.cancel()
    _ = await task.result
    try? FileManager.default.removeItem(atPath: path)
  }

  private static let silent = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

  @Test func aResyncRemovesWhatWentMeanwhile() async throws {
    let manager = Manager()
    try await serve(manager) { path, server in
      let first = try await Connection(path)
      try await first.tell(
        Self.policy("a"), Self.policy("b"), Self.set("x"), Self.set("y"), Self.inSync,
        .with { $0.ipsetRemove.id = "y" })
      try await manager.reach(["policy a", "policy b", "set x"])
      // The manager has begun anew: Felix has to come again.
      server.restart()
      try await first.untilClosed()
      let second = try await Connection(path)
      try await second.tell(Self.policy("b"), Self.set("z"))
      // Nothing goes before all is told.
      try await manager.reach(["policy a", "policy b", "set x", "set z"])
      try await second.tell(Self.inSync)
      try await manager.reach(["policy b", "set z"])
      try await second.close()
    }
  }

  /// Two at the same time: what either has told stays until it is gone and the other has told
  /// everything.
  @Test func twoConnections() async throws {
    let manager = Manager()
    try await serve(manager) { path, _ in
      let first = try await Connection(path)
      try await first.tell(Self.policy("a"), Self.policy("both"), Self.inSync)
      try await manager.reach(["policy a", "policy both"])
      let second = try await Connection(path)
      try await second.tell(Self.policy("b"), Self.policy("both"), Self.inSync)
      try await manager.reach(syncs: 2)
      try await first.tell(Self.policy("c"))
      try await manager.reach(["policy a", "policy b", "policy both", "policy c"])
      try await first.close()
      try await manager.reach(["policy b", "policy both"])
      try await second.tell(Self.policy("d"))
      try await manager.reach(["policy b", "policy both", "policy d"])
      try await second.close()
    }
  }

  /// An agent that starts again knows what the one before it has told.
  @Test func whatWentWhileTheAgentWasDown() async throws {
    let folder = try TemporaryFolder("felix")
    let directory = try StateDirectory(folder.path, logger: Self.silent)
    let manager = Manager()
    try await serve(manager, directory) { path, _ in
      let felix = try await Connection(path)
      try await felix.tell(Self.policy("a"), Self.set("x"), Self.inSync, Self.set("y"))
      try await manager.reach(["policy a", "set x", "set y"])
      try await felix.close()
    }
    try await serve(manager, directory) { path, _ in
      let felix = try await Connection(path)
      try await felix.tell(Self.policy("a"), Self.inSync)
      try await manager.reach(["policy a"])
      try await felix.close()
    }
  }

  /// Every update is taken back by a message that the manager has a method for.
  @Test func removals() {
    let updates: [(Felix_ToDataplane.OneOf_Payload, Felix_ToDataplane.OneOf_Payload)] = [
      (.ipsetUpdate(.with { $0.id = "x" }), .ipsetRemove(.with { $0.id = "x" })),
      (
        .activeProfileUpdate(.with { $0.id.name = "x" }),
        .activeProfileRemove(.with { $0.id.name = "x" })
      ),
      (
        .hostEndpointUpdate(.with { $0.id.endpointID = "x" }),
        .hostEndpointRemove(.with { $0.id.endpointID = "x" })
      ),
      (
        .workloadEndpointUpdate(.with { $0.id.workloadID = "x" }),
        .workloadEndpointRemove(.with { $0.id.workloadID = "x" })
      ),
      (
        .hostMetadataUpdate(
          .with {
            $0.hostname = "x"
            $0.ipv4Addr = "10.0.0.1"
          }), .hostMetadataRemove(.with { $0.hostname = "x" })
      ),
      (
        .serviceAccountUpdate(.with { $0.id.name = "x" }),
        .serviceAccountRemove(.with { $0.id.name = "x" })
      ),
      (.namespaceUpdate(.with { $0.id.name = "x" }), .namespaceRemove(.with { $0.id.name = "x" })),
      (.routeUpdate(.with { $0.dst = "x" }), .routeRemove(.with { $0.dst = "x" })),
      (.vtepUpdate(.with { $0.node = "x" }), .vtepRemove(.with { $0.node = "x" })),
      (
        .wireguardEndpointUpdate(.with { $0.hostname = "x" }),
        .wireguardEndpointRemove(.with { $0.hostname = "x" })
      ),
    ]
    for (update, removal) in updates {
      let (update, removal) = (
        Felix_ToDataplane.with { $0.payload = update },
        Felix_ToDataplane.with { $0.payload = removal }
      )
      #expect(update.removal == removal && !update.isRemoval)
      #expect(removal.removal == removal && removal.isRemoval)
    }
    #expect(Self.inSync.removal == nil && !Self.inSync.isRemoval)
  }
}
