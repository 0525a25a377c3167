import Foundation
import NodeTesting

/// One long TCP connection from a pod to a server that echoes.
public final class Echo: Sendable {
  private static let server = """
    import socket, threading
    \(Script.ending)
    s = socket.create_server(("0.0.0.0", 7007))
    print("listening", flush=True)
    def serve(c):
        while data := c.recv(1 << 16): c.sendall(data)
        c.close()
    while True:
        threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
    """
  private static let client = """
    import os, socket, sys, time
    \(Script.ending)
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=60)
    print("connected", flush=True)
    number = 0
    while True:
        # A number that another wrote is how often to ask.
        try: wanted = int(open(sys.argv[3]).read() or 0)
        except FileNotFoundError: wanted = 0
        while number < wanted:
            number += 1
            text = f"{number} " * 1000
            s.sendall(text.encode())
            got = b""
            while len(got) < len(text):
                part = s.recv(1 << 16)
                assert part, "the connection was closed"
                got += part
            assert got.decode() == text
            print(f"exchanged {number}", flush=True)
        time.sleep(0.005)
    """

  private let program: RunningProgram
  private let file: String

  public static func serve(in pod: TestPod) async throws -> RunningProgram {
    let program = try pod.start("python3", "-uc", server)
    try await program.wait(for: "listening")
    return program
  }

  public init(from pod: TestPod, to address: String, port: Int, folder: String) async throws {
    file = "\(folder)/echo-\(UUID().uuidString)"
    program = try pod.start("python3", "-uc", Self.client, address, "\(port)", file)
    try await program.wait(for: "connected")
  }

  /// Sends and receives until there were so many exchanges in all.
  public func exchange(upTo number: Int) async throws {
    try "\(number)".write(toFile: file, atomically: true, encoding: .utf8)
    try await program.wait(for: "exchanged \(number)")
  }
}
