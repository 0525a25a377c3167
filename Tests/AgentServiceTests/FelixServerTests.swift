import Foundation
import InfraProtos
import Logging
import NodeTesting
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
      path: path, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
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
}
