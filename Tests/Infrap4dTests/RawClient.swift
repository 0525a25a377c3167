import NodeTesting

/// A client that speaks HTTP/2 by itself, and does with it what no library would. It sends as much
/// as the server's windows let it.
enum RawClient {
  private static let program = """
    import socket, struct, sys

    class Connection:
        def __init__(self, port):
            self.socket = socket.create_connection(("127.0.0.1", port))
            self.initial, self.windows = 65535, {0: 65535}
            self.socket.sendall(b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n")
            self.send(4, 0, 0)

        def send(self, kind, flags, stream, payload=b""):
            self.socket.sendall(
                struct.pack(">I", len(payload))[1:] + bytes([kind, flags])
                + struct.pack(">I", stream) + payload)

        def read(self, count):
            data = b""
            while len(data) < count:
                more = self.socket.recv(count - len(data))
                assert more, "closed"
                data += more
            return data

        def take(self):
            head = self.read(9)
            kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
            payload = self.read(int.from_bytes(head[:3], "big"))
            if kind == 8 and stream in self.windows:
                self.windows[stream] += int.from_bytes(payload, "big")
            elif kind == 4 and not flags & 1:
                for i in range(0, len(payload), 6):
                    key, value = struct.unpack(">HI", payload[i:i + 6])
                    if key == 4:
                        for open in self.windows.keys() - {0}:
                            self.windows[open] += value - self.initial
                        self.initial = value
                self.send(4, 1, 0)
            elif kind == 6 and not flags & 1:
                self.send(6, 1, 0, payload)
            return kind, stream

        # Begins a Write of so many bytes, and sends some of them. Returns whether it could.
        def write(self, stream, total, count):
            self.windows[stream] = self.initial
            fields = [
                (":method", "POST"), (":scheme", "http"), (":path", "/p4.v1.P4Runtime/Write"),
                (":authority", "localhost"), ("te", "trailers"),
                ("content-type", "application/grpc")]
            self.send(1, 4, stream, b"".join(
                b"\\0" + b"".join(bytes([len(t)]) + t.encode() for t in field)
                for field in fields))
            body, sent = b"\\0" + struct.pack(">I", total), 0
            while sent < count:
                some = min(16384, self.windows[0], self.windows[stream], count - sent)
                if some < len(body) or some == 0:
                    kind, of = self.take()
                    if kind in (3, 7) and of in (0, stream):
                        return False
                    continue
                self.send(0, sent + some == total + 5, stream, body + bytes(some - len(body)))
                body, sent = b"", sent + some
                for open in (0, stream):
                    self.windows[open] -= some
            return True

        # Waits for the end of a stream: its kind of frame.
        def end(self, stream):
            while True:
                kind, of = self.take()
                if of == stream and kind in (1, 3):
                    return kind

    connection = Connection(int(sys.argv[2]))
    total = int(sys.argv[3])
    if sys.argv[1] == "half":
        assert connection.write(1, total, total // 2), "refused"
        connection.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.socket.close()
    else:
        if connection.write(1, total, total + 5):
            assert connection.end(1) == 3, "taken"
        # The connection is as good as before.
        assert connection.write(3, 0, 5) and connection.end(3) == 1, "not answered"
    """

  /// Sends half a request and resets the connection.
  static func breakOff(_ bytes: Int, port: Int) async throws {
    try await Command.check("python3", "-c", program, "half", "\(port)", "\(bytes)")
  }

  /// Sends a request that the server refuses, and a good one on the same connection.
  static func sendTooMuch(_ bytes: Int, port: Int) async throws {
    try await Command.check("python3", "-c", program, "whole", "\(port)", "\(bytes)")
  }
}
