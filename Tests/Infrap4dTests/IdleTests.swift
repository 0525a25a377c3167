import Foundation
import NodeTesting
import Testing

/// What a server costs that has nothing to do.
@Suite(.timeLimit(.minutes(10))) struct IdleTests {
  /// Seconds of the processor that a process has had.
  private static func used(_ identifier: pid_t) throws -> Double {
    let text = try String(contentsOfFile: "/proc/\(identifier)/stat", encoding: .utf8)
    let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
    // Behind the name: utime and stime are the 14th and 15th field of all.
    let ticks = fields[11...12].compactMap { Double($0) }
    return ticks.reduce(0, +) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  private static func start(_ engine: String, _ arguments: String...) async throws -> ServerProcess
  {
    let server = try ServerProcess()
    try await server.start(["--dataplane", engine] + arguments)
    try await TestController.run(try TestController.unix(server.socket)) { controller in
      try await controller.push()
      try await controller.write([try TestController.route(1)])
    }
    return server
  }

  /// With a pipeline and without --poll it sleeps. Its own time counts, not that of others.
  @Test(arguments: SurvivalTests.engines) func sleepsWithoutWork(_ engine: String) async throws {
    let server = try await Self.start(engine)
    // A while; nothing is waited for.
    let before = try Self.used(server.identifier)
    try await Task.sleep(for: .seconds(2))
    let used = try Self.used(server.identifier) - before
    #expect(used < 0.2, "\(used) s of 2")
  }

  /// The time is there to be seen.
  @Test func pollingTakesAll() async throws {
    let server = try await Self.start("model", "--poll")
    let before = try Self.used(server.identifier)
    while try Self.used(server.identifier) - before < 0.5 {
      try await Task.sleep(for: .milliseconds(50))
    }
  }
}
