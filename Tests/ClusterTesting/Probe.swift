import Foundation
import NodeTesting

/// Finds out when packets reach a Service for the first time: a datagram every few milliseconds,
/// each from a port of its own.
public final class Probe: Sendable {
  private static let server = """
    import socket
    \(Script.ending)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", 9000))
    print("listening", flush=True)
    while True:
        data, peer = s.recvfrom(64)
        s.sendto(data, peer)
    """
  private static let client = """
    import select, socket, sys, time
    \(Script.ending)
    last, waiting, poll = "", {}, select.epoll()
    def drop(number):
        poll.unregister(number)
        waiting.pop(number).close()
    while True:
        try: address = open(sys.argv[1]).read()
        except FileNotFoundError: address = last
        if address == last:
            time.sleep(0.005)
            continue
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setblocking(False)
        try:
            s.connect((address, 90))
            s.send(address.encode())
        except OSError: pass
        waiting[s.fileno()] = s
        poll.register(s.fileno(), select.EPOLLIN)
        due = time.monotonic() + 0.005
        while (left := due - time.monotonic()) > 0:
            for number, _ in poll.poll(left):
                try: answer = waiting[number].recv(64).decode()
                except OSError: answer = ""
                drop(number)
                if answer == address != last:
                    print(address, "answered", time.time(), flush=True)
                    last = address
        # An answer may come late; a file descriptor is not held for ever.
        for number in list(waiting)[:-100]: drop(number)
        if last == address:
            for number in list(waiting): drop(number)
    """

  /// Of the Service, and of its endpoint.
  public static let (port, target) = (90, 9000)

  private let program: RunningProgram
  private let file: String

  public static func serve(in pod: TestPod) async throws -> RunningProgram {
    let program = try pod.start("python3", "-uc", server)
    try await program.wait(for: "listening")
    return program
  }

  public init(from pod: TestPod, folder: String) throws {
    file = "\(folder)/probe-\(UUID().uuidString)"
    program = try pod.start("python3", "-uc", Self.client, file)
  }

  /// Begins to ask an address, and no other any more.
  public func ask(_ address: String) throws {
    try address.write(toFile: file, atomically: true, encoding: .utf8)
  }

  /// Waits for the first answer of the address that is asked.
  public func answer(of address: String) async throws -> Date {
    let line = try await program.wait(for: "\(address) answered", within: .seconds(60))
    return Date(timeIntervalSince1970: Double(line.split(separator: " ").last ?? "") ?? 0)
  }
}
