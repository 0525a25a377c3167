import Foundation
import NodeTesting

/// A web server that says who it is, and clients that look at every byte.
public enum Web {
  /// Bytes of an answer.
  public static let size = 200_000

  private static let server = """
    import http.server, sys
    \(Script.ending)
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = (sys.argv[1] + "\\n").encode() * (\(size) // (len(sys.argv[1]) + 1))
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        def log_message(self, *_): pass
    s = http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler)
    print("listening", flush=True)
    s.serve_forever()
    """

  private static let load = """
    import collections, json, signal, sys, threading, urllib.request
    \(Script.ending)
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    # The threads that start programs here have all signals blocked.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    counts, failures, lock = collections.Counter(), [], threading.Lock()
    def work():
        while not stop.is_set():
            try:
                with urllib.request.urlopen(sys.argv[1], timeout=30) as answer:
                    lines = answer.read().decode().split("\\n")[:-1]
                assert len(set(lines)) == 1 and lines, "a mixed answer"
                with lock:
                    counts[lines[0]] += 1
                    if sum(counts.values()) == 20: print("under way", flush=True)
            except Exception as error:
                with lock: failures.append(repr(error))
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print(json.dumps({"counts": counts, "failures": failures[:10]}), flush=True)
    """

  /// Starts a server at port 8080 of a pod.
  public static func serve(_ name: String, in pod: TestPod) async throws -> RunningProgram {
    let program = try pod.start("python3", "-uc", server, name)
    try await program.wait(for: "listening")
    return program
  }

  /// What a load came to.
  public struct Result: Decodable, CustomStringConvertible {
    public var counts: [String: Int]
    public var failures: [String]
    public var total: Int { counts.values.reduce(0, +) }
    public var description: String {
      "\(total) requests, \(failures.count) failed: "
        + counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        .joined(separator: ", ")
    }
  }

  /// Requests, each by a connection of its own, until ``finish(_:)``.
  public static func load(_ url: String, from pod: TestPod) async throws -> RunningProgram {
    let program = try pod.start("python3", "-uc", load, url)
    try await program.wait(for: "under way")
    return program
  }

  public static func finish(_ load: RunningProgram) async throws -> Result {
    load.interrupt()
    let lines = try await load.rest()
    return try JSONDecoder().decode(Result.self, from: Data((lines.last ?? "").utf8))
  }
}
