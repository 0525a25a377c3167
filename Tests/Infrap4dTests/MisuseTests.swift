import Foundation
import Testing

/// One line that names the cure, and the right exit code.
@Suite struct MisuseTests {
  @Test(arguments: [
    (["--dataplane", "fpga"], "dpdk"),
    (["--listen", "nowhere"], "HOST:PORT"),
    (["--listen", "unix:relative"], "unix:PATH"),
    (["--metrics-address", "9560"], "--metrics-address: 9560 is no address: give HOST:PORT"),
    (["--device-id", "0"], "unset in P4Runtime"),
    (["--cpu-port", "5000"], "--max-ports"),
    (["--max-ports", "1"], "2 to 65536"),
    (["--socket-mode", "999"], "octal"),
    (["--log-level", "loud"], "log-level"),
  ])
  func badOptions(_ arguments: [String], _ cure: String) async throws {
    let server = try ServerProcess()
    let outcome = try await server.run(arguments)
    #expect(outcome.code == 2)
    #expect(outcome.log.contains(cure), "\(outcome.log)")
  }

  @Test func helpNamesEveryOption() async throws {
    let server = try ServerProcess()
    let outcome = try await server.run(["--help"])
    #expect(outcome.code == 0)
    for option in ["--dataplane", "--listen", "--certs", "--insecure", "--state", "--poll"] {
      #expect(outcome.log.contains(option))
    }
  }

  @Test func oneStateFolderOneServer() async throws {
    let first = try ServerProcess()
    try await first.start(["--dataplane", "model"])
    let second = try ServerProcess()
    let outcome = try await second.run([
      "--dataplane", "model", "--state", first.state, "--certs", first.certificates, "--listen",
      "unix:" + second.socket,
    ])
    #expect(outcome.code == 1)
    #expect(outcome.log.contains("used by another process"))
  }

  @Test func addressInUse() async throws {
    let first = try ServerProcess()
    let port = try #require(
      try await first.start(["--dataplane", "model"], listen: ["127.0.0.1:0"]))
    let second = try ServerProcess()
    let outcome = try await second.run([
      "--dataplane", "model", "--state", second.state, "--certs", first.certificates, "--listen",
      "127.0.0.1:\(port)",
    ])
    #expect(outcome.code == 1)
    #expect(outcome.log.contains("in use"))
  }

  @Test func metricsAddressInUse() async throws {
    let first = try ServerProcess()
    try await first.start(["--dataplane", "model", "--metrics-address", "127.0.0.1:0"])
    let port = try #require(first.log.firstMatch(of: /127\.0\.0\.1:([0-9]+)/)).1
    let second = try ServerProcess()
    let outcome = try await second.run([
      "--dataplane", "model", "--state", second.state, "--certs", first.certificates, "--listen",
      "unix:" + second.socket, "--metrics-address", "127.0.0.1:\(port)",
    ])
    #expect(outcome.code == 1)
    #expect(
      outcome.log.contains(
        "127.0.0.1:\(port) is in use; stop the program that has it, or choose another with "
          + "--metrics-address"))
  }

  @Test func stateFolderThatCannotBe() async throws {
    let server = try ServerProcess()
    let outcome = try await server.run([
      "--dataplane", "model", "--state", "/proc/nowhere", "--certs", server.certificates,
      "--listen", "unix:" + server.socket,
    ])
    #expect(outcome.code == 1)
    #expect(outcome.log.contains("/proc/nowhere"))
  }
}
