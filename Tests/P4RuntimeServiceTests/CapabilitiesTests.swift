import P4RuntimeProtos
import P4RuntimeTesting
import Testing

@Suite(.timeLimit(.minutes(15))) struct CapabilitiesTests {
  @Test func version() async throws {
    try await TestServer.run { server in
      let response = try await server.client.capabilities(P4_V1_CapabilitiesRequest())
      #expect(response.p4RuntimeApiVersion == "1.4.1")
    }
  }
}
