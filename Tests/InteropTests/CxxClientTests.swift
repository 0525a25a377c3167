import NodeTesting
import Testing

/// Our server driven by a controller on grpc++.
@Suite(
  .timeLimit(.minutes(30)),
  .enabled(if: CxxPrograms.reason == nil, "\(CxxPrograms.reason ?? "")"))
struct CxxClientTests {
  /// What it checks is in client.cc; it stops at the first answer that is not specified.
  @Test func drivesInfrap4d() async throws {
    let folder = try InteropFolder()
    let (server, port) = try await folder.infrap4d()
    let outcome = try await Command.run([
      CxxPrograms.client, "localhost:\(port)", folder.certificates, CxxPrograms.info,
      CxxPrograms.bundle,
    ])
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output.contains("P4Runtime 1.4.1 over mutual TLS"))
    #expect(outcome.output.hasSuffix("all as specified\n"))
    #expect(server.isRunning)
  }
}
