import AgentService
import NodeTesting
import Synchronization
import Testing

/// `/check` as curl sees it.
@Suite struct CheckServerTests {
  @Test func statusAndReasons() async throws {
    let conditions = Mutex(["manager": true, "services": false])
    let server = CheckServer(host: "127.0.0.1", port: 0) { conditions.withLock(\.self) }
    let (ports, port) = AsyncStream<Int>.makeStream()
    let task = Task { try await server.serve { port.yield($0) } }
    defer { task.cancel() }
    var iterator = ports.makeAsyncIterator()
    let number = try #require(await iterator.next())

    func get(_ path: String) async throws -> String {
      try await Command.check(
        "curl", "-s", "-w", "%{http_code}", "http://127.0.0.1:\(number)\(path)")
    }
    #expect(
      try await get("/check") == """
        {
          "manager": true,
          "services": false
        }
        500
        """)
    conditions.withLock { $0["services"] = true }
    #expect(try await get("/check?verbose=1").hasSuffix("200"))
    #expect(try await get("/other").hasSuffix("404"))
  }
}
