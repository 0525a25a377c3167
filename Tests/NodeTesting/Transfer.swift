/// A TCP transfer between two pods by Python's sockets, whose content is checked at the
/// other end.
public enum Transfer {
  private static let server = """
    import hashlib, socket, sys
    s = socket.create_server(("0.0.0.0", int(sys.argv[1])))
    print("listening", flush=True)
    while True:
        c, peer = s.accept()
        digest, size = hashlib.sha256(), 0
        while data := c.recv(1 << 20):
            digest.update(data)
            size += len(data)
        c.sendall(f"{digest.hexdigest()} {size} {peer[0]}".encode())
        c.close()
    """
  private static let client = """
    import hashlib, random, socket, sys
    data = random.Random(1).randbytes(int(sys.argv[3]))
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=30)
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    answer = s.recv(1000).decode().split()
    assert answer[:2] == [hashlib.sha256(data).hexdigest(), str(len(data))], answer
    print("equal", answer[2])
    """

  /// Starts a server that hashes what it receives; it serves until it is let go.
  public static func serve(in pod: Pod, port: Int) async throws -> RunningProgram {
    let program = try pod.start("python3", "-uc", server, "\(port)")
    try await program.wait(for: "listening")
    return program
  }

  /// Sends bytes and compares the hash that comes back.
  ///
  /// - Returns: the client's address as the server saw it.
  public static func send(
    _ bytes: Int, from pod: Pod, to address: String, port: Int
  ) async throws -> String {
    let output = try await pod.exec("python3", "-c", client, address, "\(port)", "\(bytes)")
    return output.split(separator: " ").last.map { String($0.filter { !$0.isWhitespace }) } ?? ""
  }
}
