import Foundation
import NodeTesting

/// A TCP connection that stays: numbers go to the other end and come back, one after
/// another, as long as it lives.
final class LongConnection: Sendable {
  private static let echo = """
    import socket, sys, threading
    s = socket.create_server(("0.0.0.0", int(sys.argv[1])))
    print("listening", flush=True)
    def serve(c):
        while data := c.recv(1000):
            c.sendall(data)
    while True:
        c, _ = s.accept()
        threading.Thread(target=serve, args=(c,), daemon=True).start()
    """
  private static let client = """
    import os, socket, sys, time
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=300)
    print("connected", flush=True)
    n = 0
    while True:
        n += 1
        line = b"%d\\n" % n
        s.sendall(line)
        got = b""
        while not got.endswith(b"\\n"):
            data = s.recv(100)
            assert data, "closed"
            got += data
        assert got == line, (got, line)
        with open(sys.argv[3] + ".new", "w") as f:
            f.write(str(n))
        os.rename(sys.argv[3] + ".new", sys.argv[3])
        time.sleep(0.002)
    """

  private let program: RunningProgram
  private let file: String

  /// Starts a server that sends everything back.
  static func serve(in pod: Pod, port: Int) async throws -> RunningProgram {
    let program = try pod.start("python3", "-uc", echo, "\(port)")
    try await program.wait(for: "listening")
    return program
  }

  /// Connects, and begins.
  ///
  /// - Parameter folder: for a file of its own.
  init(from pod: Pod, to address: String, port: Int, folder: String) async throws {
    file = folder + "/connection-\(UUID().uuidString.prefix(8))"
    program = try pod.start("python3", "-uc", Self.client, address, "\(port)", file)
    try await program.wait(for: "connected")
  }

  /// Numbers that came back so far.
  private var count: Int {
    (try? String(contentsOfFile: file, encoding: .utf8)).flatMap { Int($0) } ?? 0
  }

  /// Waits until that many more have gone and come back.
  ///
  /// - Throws: when the connection has ended.
  func exchange(_ more: Int) async throws {
    let wanted = count + more
    while count < wanted {
      guard program.isRunning else { throw Ended(output: try await program.rest()) }
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  struct Ended: Error, CustomStringConvertible {
    var output: [String]
    var description: String { "the connection ended: \(output.joined(separator: "\n"))" }
  }
}
