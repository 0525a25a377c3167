import Foundation
import Glibc
import NodeTesting
import Testing

/// The log of a felix-api-proxy that is at work.
@Suite struct FelixProxyLogTests {
  /// A socket that a proxy can connect to.
  private static func listen(at path: String) throws -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(descriptor >= 0 && result == 0 && Glibc.listen(descriptor, 1) == 0)
    return descriptor
  }

  @Test func theLevelChangesWhileItRuns() async throws {
    let folder = try TemporaryFolder("felix")
    let agent = try Self.listen(at: folder.path + "/felix.sock")
    defer { close(agent) }
    // Felix hands two pipes over.
    let program = try RunningProgram([
      "env", "FELIX_DATAPLANE_SOCKET=\(folder.path)/felix.sock",
      "LOG_FILE=\(folder.path)/log", "sh", "-c",
      "mkfifo \"$2\" && exec \"$1\" 3<>\"$2\" 4>/dev/null", "sh",
      ProgramTests.products.appendingPathComponent("felix-api-proxy").path, folder.path + "/pipe",
    ])
    try await program.wait(for: "connected")
    kill(program.identifier, SIGUSR1)
    #expect(try await program.wait(for: "log level").contains("log_level=debug"))
    kill(program.identifier, SIGUSR1)
    #expect(try await program.wait(for: "log level").contains("log_level=trace"))
    kill(program.identifier, SIGUSR2)
    #expect(try await program.wait(for: "log level").contains("log_level=info"))
    let file = try String(contentsOfFile: folder.path + "/log", encoding: .utf8)
    #expect(file.components(separatedBy: "log level").count == 4, "\(file)")
    #expect(program.isRunning)
  }
}
