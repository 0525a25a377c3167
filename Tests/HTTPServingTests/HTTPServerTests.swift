import Foundation
import HTTPServing
import NIOCore
import NIOPosix
import NodeTesting
import Serving
import Synchronization
import Testing

/// Pages as curl and as bad clients see them.
@Suite struct HTTPServerTests {
  /// A server on a free port while `body` runs.
  /// What a client takes its time for is up to the machine.
  private static let patient = {
    var limits = HTTPServer.Limits()
    limits.request = .seconds(3600)
    limits.connection = .seconds(3600)
    return limits
  }()

  private func serve(
    limits: HTTPServer.Limits = Self.patient,
    pages: HTTPServer.Pages = [
      "/page": { _ in .text("hello") }, "/bad": { _ in .text("no", .badGateway) },
      "/local": { .text("\($0.isLocal) \($0.isFromLocalPage)") },
    ],
    _ body: (Int) async throws -> Void
  ) async throws {
    let server = HTTPServer(.ipv4("127.0.0.1", 0), limits: limits, pages: pages)
    let (addresses, address) = AsyncStream<ListenAddress>.makeStream()
    let task = Task { try await server.serve { address.yield($0) } }
    defer { task.cancel() }
    for await case .ipv4(_, let port) in addresses {
      try await body(port)
      break
    }
    // It was alive to the end.
    #expect(!task.isCancelled)
  }

  private func get(_ port: Int, _ arguments: String...) async throws -> String {
    try await Command.run(
      ["curl", "-s", "-m", "20"] + arguments + ["http://127.0.0.1:\(port)/page"]
    )
    .output
  }

  @Test func statusHeadersAndBody() async throws {
    try await serve { (port: Int) async throws in
      let page = try await get(port, "-i")
      #expect(page.hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(page.contains("content-type: text/plain; charset=utf-8\r\n"))
      #expect(page.contains("content-length: 6\r\n"))
      #expect(page.contains("connection: close\r\n"))
      #expect(page.hasSuffix("\r\n\r\nhello\n"))
      let head = try await get(port, "-I")
      #expect(head.contains("content-length: 6\r\n") && !head.contains("hello"))
      #expect(
        try await Command.check("curl", "-s", "http://127.0.0.1:\(port)/bad?x=1") == "no\n")
    }
  }

  @Test func errorsNameTheCure() async throws {
    try await serve { (port: Int) async throws in
      #expect(
        try await Command.check("curl", "-s", "http://127.0.0.1:\(port)/pge")
          == "there is no such page; ask for /bad, /local, /page\n")
      #expect(
        try await get(port, "-X", "POST", "-d", "x") == "POST is not served; use GET\n")
    }
  }

  /// Another's name for this machine, and pages of others, are told from its own.
  @Test(arguments: [
    ("127.0.0.1:1", "http://127.0.0.1:9560", "true true"), ("localhost", "null", "true false"),
    ("[::1]:80", "http://[::1]", "true true"), ("[::1]", "http://localhost:1", "true true"),
    ("evil.example:50096", "http://evil.example", "false false"),
    ("127.0.0.1.evil.example", "http://localhost.evil.example:80", "false false"),
    ("", "https://127.0.0.1@evil.example", "false false"),
  ])
  func whoAsks(_ host: String, _ origin: String, _ expected: String) async throws {
    try await serve { (port: Int) async throws in
      #expect(
        try await Command.check(
          "curl", "-s", "-H", "Host: \(host)", "-H", "Origin: \(origin)",
          "http://127.0.0.1:\(port)/local") == expected + "\n")
    }
  }

  @Test func unixSocket() async throws {
    let path = NSTemporaryDirectory() + "http-\(UUID().uuidString.prefix(8)).sock"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let server = HTTPServer(.unix(path), pages: ["/": { _ in .text("hello") }])
    let (addresses, address) = AsyncStream<ListenAddress>.makeStream()
    let task = Task { try await server.serve { address.yield($0) } }
    defer { task.cancel() }
    for await address in addresses {
      #expect(address == .unix(path))
      break
    }
    #expect(
      try await Command.check("curl", "-s", "--unix-socket", path, "http://localhost/")
        == "hello\n")
  }

  @Test func addressInUse() async throws {
    try await serve { (port: Int) async throws in
      let second = HTTPServer(.ipv4("127.0.0.1", port), pages: [:])
      let error = await #expect(throws: ListenError.self) {
        try await second.serve(setting: "--metrics-address")
      }
      let found = try #require(error)
      #expect(
        "\(found)"
          == "127.0.0.1:\(port) is in use; stop the program that has it, or choose another with "
          + "--metrics-address")
    }
  }

  /// A socket that somebody listens at is not taken from him; one that was left is taken over.
  @Test func unixSocketInUse() async throws {
    let folder = try TemporaryFolder("http")
    let path = folder.path + "/pages.sock"
    func serve(_ word: String) async throws -> Task<Void, any Error> {
      let server = HTTPServer(.unix(path), pages: ["/": { _ in .text(word) }])
      let (addresses, address) = AsyncStream<ListenAddress>.makeStream()
      let task = Task {
        defer { address.finish() }
        try await server.serve(setting: "--metrics-address") { address.yield($0) }
      }
      for await _ in addresses { break }
      return task
    }
    func page() async throws -> String {
      try await Command.check("curl", "-s", "--unix-socket", path, "http://localhost/")
    }
    let first = try await serve("first")
    let error = await #expect(throws: ListenError.self) { try await serve("second").value }
    #expect(
      error.map { "\($0)" } == "unix:\(path) is in use; stop the program that has it, or choose "
        + "another with --metrics-address")
    #expect(try await page() == "first\n")
    first.cancel()
    _ = await first.result
    // As after SIGKILL: a file that nobody listens at.
    try await Command.check(
      "python3", "-c", "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", path)
    let third = try await serve("third")
    defer { third.cancel() }
    #expect(try await page() == "third\n")
  }

  /// Bytes that are no HTTP, requests that are cut off, and too long ones.
  @Test func garbage() async throws {
    try await serve { (port: Int) async throws in
      var random = SystemRandomNumberGenerator()
      for round in 0..<50 {
        let client = try await RawClient(port)
        switch round % 5 {
        case 0:
          await client.send((0..<512).map { _ in UInt8.random(in: 0...255, using: &random) })
        case 1: await client.send(Array("GET /page HTTP/1.1\r\nHost".utf8))
        case 2: await client.send(Array("GET /page HTTP/9.9\r\n\r\n".utf8))
        case 3:
          await client.send(
            Array("GET /\(String(repeating: "a", count: 200_000)) HTTP/1.1\r\n".utf8))
        default: await client.send(Array("\u{16}\u{3}\u{1}\u{0}\u{f8}\r\n\r\n".utf8))
        }
        await client.finish()
        _ = try await client.received()
      }
      #expect(try await get(port) == "hello\n")
    }
  }

  /// Several requests at once in a connection: the first is answered.
  @Test func pipelinedRequests() async throws {
    try await serve { (port: Int) async throws in
      let client = try await RawClient(port)
      let request = "GET /page HTTP/1.1\r\nHost: x\r\n\r\n"
      await client.send(Array((request + request).utf8))
      let answer = try await client.received()
      #expect(answer.components(separatedBy: "hello").count == 2, "\(answer)")
    }
  }

  @Test func slowClientIsTold() async throws {
    var limits = Self.patient
    limits.request = .milliseconds(50)
    try await serve(limits: limits) { (port: Int) async throws in
      let client = try await RawClient(port)
      await client.send(Array("GET /page".utf8))
      let answer = try await client.received()
      #expect(answer.contains(" 408 "))
      #expect(answer.hasSuffix("the request did not come in time\n"))
    }
  }

  /// A page that never comes does not keep its connection.
  @Test func connectionsEnd() async throws {
    var limits = Self.patient
    limits.connection = .milliseconds(50)
    let (never, _) = AsyncStream<Void>.makeStream()
    try await serve(
      limits: limits,
      pages: [
        "/page": { _ in
          for await _ in never {}
          return .text("late")
        }
      ]
    ) { (port: Int) async throws in
      let client = try await RawClient(port)
      await client.send(Array("GET /page HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
      #expect(try await client.received() == "")
    }
  }

  /// Those who are too many are told so, the server lives, and when some have gone the next
  /// are served.
  @Test func thousandConnections() async throws {
    var limits = Self.patient
    limits.connections = 8
    let seen = Mutex(0)
    let isOver = Mutex(false)
    let pages: HTTPServer.Pages = [
      "/page": { _ in .text("hello") },
      "/held": { _ in
        seen.withLock { $0 += 1 }
        while !isOver.withLock(\.self) { try? await Task.sleep(for: .milliseconds(5)) }
        return .text("late")
      },
    ]
    try await serve(limits: limits, pages: pages) { (port: Int) async throws in
      var held: [RawClient] = []
      for count in 1...8 {
        held.append(try await RawClient(port))
        await held[count - 1].send(Array("GET /held HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
        while seen.withLock(\.self) < count { try await Task.sleep(for: .milliseconds(2)) }
      }
      let told = try await RawClient(port).received()
      #expect(told.hasSuffix("there are 8 connections already; close some, and ask again\n"))
      let answers = try await withThrowingTaskGroup(of: String.self) { group in
        for _ in 0..<1000 {
          group.addTask {
            guard let client = try? await RawClient(port) else { return "" }
            // One that says nothing would not find out that the kernel forgot it in the rush.
            await client.send(Array("GET /page HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
            return try await client.received()
          }
        }
        return try await group.reduce(into: [String]()) { $0.append($1) }
      }
      #expect(answers.allSatisfy { $0.isEmpty || $0.contains("close some") })
      for client in held { await client.close() }
      // Who has sent all of its request may still read: it has its place until it is answered.
      isOver.withLock { $0 = true }
      while try await get(port) != "hello\n" { try await Task.sleep(for: .milliseconds(10)) }
    }
  }
}

/// A TCP connection that sends what it is told.
private struct RawClient: Sendable {
  private let channel: any Channel
  private let all: EventLoopFuture<String>

  init(_ port: Int) async throws {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let promise = loop.makePromise(of: String.self)
    all = promise.futureResult
    do {
      channel = try await ClientBootstrap(group: loop)
        .channelOption(.allowRemoteHalfClosure, value: true)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(Reception(promise))
          }
        }
        .connect(host: "127.0.0.1", port: port).get()
    } catch {
      promise.succeed("")
      throw error
    }
  }

  /// The server may have had enough already.
  func send(_ bytes: [UInt8]) async {
    try? await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
  }

  func finish() async { try? await channel.close(mode: .output).get() }

  func close() async { try? await channel.close().get() }

  /// All that the server sends until it closes.
  func received() async throws -> String { try await all.get() }

  private final class Reception: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let promise: EventLoopPromise<String>
    private var text = ""

    init(_ promise: EventLoopPromise<String>) { self.promise = promise }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      text += String(buffer: unwrapInboundIn(data))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      if let event = event as? ChannelEvent, event == .inputClosed { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) { promise.succeed(text) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      context.close(promise: nil)
    }
  }
}
