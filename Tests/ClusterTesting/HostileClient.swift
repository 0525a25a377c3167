import NodeTesting

/// Somebody who reaches a gRPC port and means harm, or whose program is broken: by hand, since
/// no client's library writes this.
public enum HostileClient {
  private static let script = """
    import os, random, socket, struct, sys, time
    \(Script.ending)
    port, path, seed = int(sys.argv[1]), sys.argv[2].encode(), int(sys.argv[3])
    chance = random.Random(seed)
    preface = b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n"
    DATA, HEADERS, RST, SETTINGS, PING, CONTINUATION = 0, 1, 3, 4, 6, 9

    def frame(kind, flags, stream, payload=b""):
        size = struct.pack(">I", len(payload))[1:]
        return size + bytes([kind, flags]) + struct.pack(">I", stream) + payload

    def field(name, value):
        return b"\\0" + bytes([len(name)]) + name + bytes([len(value)]) + value

    request = (field(b":method", b"POST") + field(b":scheme", b"http") + field(b":path", path)
        + field(b":authority", b"localhost") + field(b"content-type", b"application/grpc")
        + field(b"te", b"trailers"))

    def connect(greets=True):
        s = socket.create_connection(("127.0.0.1", port), timeout=20)
        if greets: s.sendall(preface + frame(SETTINGS, 0, 0))
        return s

    # A server that has enough may close at any moment.
    def attack(what, times=1):
        for _ in range(times):
            s = connect(greets=False)
            try: what(s)
            except (ConnectionError, TimeoutError): pass
            s.close()
        print(what.__name__, flush=True)

    def greet(s): s.sendall(preface + frame(SETTINGS, 0, 0))

    def whole(s, size):
        data = b""
        while len(data) < size:
            part = s.recv(size - len(data))
            if not part: raise ConnectionResetError
            data += part
        return data

    # Until the stream is answered to its end.
    def answered(s, stream):
        while True:
            head = whole(s, 9)
            size, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
            number = int.from_bytes(head[5:], "big") & 0x7fffffff
            whole(s, size)
            if number == stream and (kind == RST or kind == HEADERS and flags & 1): return

    def garbage(s):
        s.sendall(chance.randbytes(chance.choice([1, 5, 100, 4096, 100_000])))
    def garbage_after_greeting(s):
        greet(s)
        s.sendall(chance.randbytes(chance.choice([9, 100, 4096, 100_000])))
    def half_greeting(s):
        s.sendall(preface[:chance.randrange(1, len(preface))])
    def broken_messages(s):
        greet(s)
        messages = [b"\\xff" * 20, b"\\x0b" * 50_000, b"\\x0a\\xff\\xff\\xff\\xff\\x07x", b"\\x0a\\x05ab",
            b"\\x0a\\x02\\xff\\xfe"] + [chance.randbytes(chance.randrange(1, 2000)) for _ in range(50)]
        for number, message in enumerate(messages):
            stream = 2 * number + 1
            s.sendall(frame(HEADERS, 4, stream, request))
            whole_message = b"\\0" + struct.pack(">I", len(message)) + message
            for i in range(0, len(whole_message), 16_000):
                last = i + 16_000 >= len(whole_message)
                s.sendall(frame(DATA, 1 if last else 0, stream, whole_message[i:i + 16_000]))
            answered(s, stream)
    def no_such_method(s):
        greet(s)
        s.sendall(frame(HEADERS, 5, 1, request.replace(path, b"/" + b"x" * (len(path) - 1))))
        answered(s, 1)
    # What is announced, and what comes, is more than anything that is allowed.
    def oversized_message(s):
        greet(s)
        s.sendall(frame(HEADERS, 4, 1, request) + frame(DATA, 0, 1, b"\\0\\xff\\xff\\xff\\xff"))
        for _ in range(4000): s.sendall(frame(DATA, 0, 1, bytes(16_000)))
    def oversized_frame(s):
        greet(s)
        s.sendall(b"\\xff\\xff\\xff\\0\\0" + struct.pack(">I", 1))
        for _ in range(100): s.sendall(bytes(100_000))
    # Headers without an end (CVE-2024-27316), and requests that are withdrawn (CVE-2023-44487).
    def endless_headers(s):
        greet(s)
        s.sendall(frame(HEADERS, 0, 1, request))
        for i in range(2000):
            s.sendall(frame(CONTINUATION, 0, 1, field(b"x-%d" % i, b"y" * 100) * 100))
    def rapid_resets(s):
        greet(s)
        for i in range(20_000):
            s.sendall(frame(HEADERS, 4, 2 * i + 1, request)
                + frame(RST, 0, 2 * i + 1, struct.pack(">I", 8)))
    # Answers that nobody reads.
    def pings(s):
        greet(s)
        for _ in range(2000): s.sendall(frame(PING, 0, 0, bytes(8)) * 100)

    attack(garbage, 20)
    attack(garbage_after_greeting, 20)
    attack(half_greeting, 20)
    attack(broken_messages)
    attack(no_such_method)
    attack(oversized_message)
    attack(oversized_frame)
    attack(endless_headers)
    attack(rapid_resets)
    attack(pings)
    held, opened = [], 0
    for _ in range(3000):
        try: held.append(connect(greets=False))
        except OSError: continue
        opened += 1
        if len(held) > 400: held.pop(0).close()
    print("flood", opened, flush=True)
    for s in held: s.close()
    # Streams that are begun and never ended; the server is left with them.
    half_open = []
    for _ in range(20):
        s = connect()
        try:
            for i in range(200): s.sendall(frame(HEADERS, 4, 2 * i + 1, request))
        except ConnectionError: pass
        half_open.append(s)
    half_open += [connect(greets=False) for _ in range(20)]
    print("holding", len(half_open), flush=True)
    while True: time.sleep(1)
    """

  /// Attacks a port of the node, and stays connected with streams that never end.
  ///
  /// - Parameters:
  ///   - path: of a method that is there.
  ///   - seed: of the garbage.
  public static func attack(
    _ port: Int, _ path: String, on node: ClusterNode, seed: UInt64
  ) async throws -> RunningProgram {
    let program = try RunningProgram(
      node.namespace.command(["python3", "-uc", script, "\(port)", path, "\(seed)"]))
    try await program.wait(for: "holding")
    return program
  }
}
