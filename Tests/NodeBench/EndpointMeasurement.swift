import ClusterTesting
import Foundation
import Kubernetes
import NodeTesting

/// From an EndpointSlice in the API to the first packet at its new endpoint.
enum EndpointMeasurement {
  /// Answers each datagram with its name.
  private static let server = """
    import socket, sys
    \(Script.ending)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", 9000))
    print("listening", flush=True)
    while True:
        data, peer = s.recvfrom(64)
        s.sendto(sys.argv[1].encode(), peer)
    """
  /// Sends a datagram a millisecond, each from a port of its own, and prints when
  /// another endpoint has answered than before.
  private static let client = """
    import select, socket, sys, time
    \(Script.ending)
    last = None
    ports = list(range(1024, 65536))
    waiting = {}
    poll = select.epoll()
    while ports:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("0.0.0.0", ports.pop()))
        s.connect((sys.argv[1], 9000))
        s.setblocking(False)
        try: s.send(b"?")
        except OSError: pass
        waiting[s.fileno()] = s
        poll.register(s.fileno(), select.EPOLLIN)
        due = time.monotonic() + 0.001
        while (left := due - time.monotonic()) > 0:
            for number, _ in poll.poll(left):
                one = waiting.pop(number)
                poll.unregister(number)
                try: name = one.recv(64).decode()
                except OSError: name = last
                now = time.monotonic_ns()
                one.close()
                if name != last: print(now, name, "answers", flush=True)
                last = name
        if len(waiting) > 200:
            number, oldest = next(iter(waiting.items()))
            poll.unregister(number)
            waiting.pop(number).close()
    print("no ports are left")
    """

  static func run(_ engine: String, services: Int, changes: Int) async throws -> [Figure] {
    let node = try await ClusterNode(engine, podCIDR: "10.244.0.0/16")
    let client = try await TestPod(on: node)
    var servers: [(pod: TestPod, program: RunningProgram)] = []
    for name in ["a", "b"] {
      let pod = try await TestPod(on: node)
      let program = try pod.start("python3", "-uc", server, name)
      try await program.wait(for: "listening")
      servers.append((pod, program))
    }
    try await ManyServices.put(1..<services, on: node)
    let ports = [EndpointSlice.Port(protocol: "UDP", port: 9000)]
    try await node.put("probed", "10.96.255.1", [.init(protocol: "UDP", port: 9000)])
    try await node.put(
      endpoints: [.init(addresses: [servers[0].pod.ip])], of: "probed", ports: ports)
    let probe = try client.start("python3", "-uc", Self.client, "10.96.255.1")
    try await probe.wait(for: " a answers")
    var times = Sample()
    for change in 1...(changes + 1) {
      // Now and then, so that it falls into no step with anything.
      try await Task.sleep(for: .milliseconds(Int.random(in: 5...25)))
      let next = change % 2
      let start = monotonic()
      try await node.put(
        endpoints: [.init(addresses: [servers[next].pod.ip])], of: "probed", ports: ports)
      let line = try await probe.wait(for: " \(["a", "b"][next]) answers")
      let end = Int(line.split(separator: " ")[0]) ?? 0
      // The first waits for all the Services before it.
      if change > 1 { times.add(.nanoseconds(end - start)) }
    }
    withExtendedLifetime(servers) {}
    return times.figures("endpoint change to packets, \(services) Services", aim: 50)
  }

  /// The clock of Python's time.monotonic_ns, in nanoseconds.
  private static func monotonic() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}
