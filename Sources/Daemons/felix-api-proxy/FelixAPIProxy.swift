import Core
import DaemonLog
import Foundation
import Glibc
import Logging

/// The program: Felix starts it as its dataplane driver, with what it says to read from
/// file descriptor 3 and what it hears to write to 4; both are passed on to the agent.
@main
struct FelixAPIProxy {
  private static let attempts = 10
  private static let fromFelix: Int32 = 3
  private static let toFelix: Int32 = 4

  static func main() {
    let environment = ProcessInfo.processInfo.environment
    let path = environment["FELIX_DATAPLANE_SOCKET"] ?? "/var/run/calico/felix-dataplane.sock"
    if CommandLine.arguments.dropFirst().contains(where: { ["-h", "--help"].contains($0) }) {
      print(
        """
        felix-api-proxy: Calico's Felix starts it (DataplaneDriver), and talks to the agent
        through it: descriptors 3 and 4 on one side, FELIX_DATAPLANE_SOCKET
        (\(path)) on the other. Ends when either side does.

        LOG_LEVEL, LOG_FORMAT, LOG_FILE, LOG_FILE_SIZE and LOG_FILES are those of infraagent's
        settings. Exit codes: 0 at the end, 1 when it cannot go on, 2 for a bad environment.
        """)
      return
    }
    guard !CommandLine.arguments.dropFirst().contains("--version") else {
      return print(Release.version)
    }
    // Before the log is begun, which opens descriptors of its own.
    let isStartedByFelix = fcntl(fromFelix, F_GETFD) >= 0 && fcntl(toFelix, F_GETFD) >= 0
    do {
      DaemonLog.bootstrap("felix-api-proxy", try DaemonLog.Options(environment: environment))
    } catch {
      try? FileHandle.standardError.write(contentsOf: Data("felix-api-proxy: \(error)\n".utf8))
      exit(2)
    }
    signal(SIGPIPE, SIG_IGN)
    guard isStartedByFelix else {
      fail("descriptors 3 and 4 are not open; Felix starts this program")
    }
    let socket = connect(path)
    Logger(label: "felix-api-proxy").info("connected", metadata: ["to": "\(path)"])
    // Either end of the way is the end of all: Felix starts us again.
    for (from, to) in [(fromFelix, socket), (socket, toFelix)] {
      Thread.detachNewThread {
        copy(from, to)
        exit(0)
      }
    }
    while true { pause() }
  }

  private static func connect(_ path: String) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
      fail("\(path) is too long for a socket")
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    for attempt in 1...attempts {
      let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      let status = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      if status == 0 { return socket }
      let reason = String(cString: strerror(errno))
      close(socket)
      guard attempt < attempts else {
        fail("\(path): \(reason); see that infraagent runs with this felixSocket")
      }
      sleep(1)
    }
    exit(1)
  }

  /// Copies until either side ends.
  private static func copy(_ from: Int32, _ to: Int32) {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(from, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      var written = 0
      while written < count {
        let result = buffer[written..<count].withUnsafeBytes { write(to, $0.baseAddress, $0.count) }
        if result < 0, errno == EINTR { continue }
        guard result > 0 else { return }
        written += result
      }
    }
  }

  private static func fail(_ reason: String) -> Never {
    Logger(label: "felix-api-proxy").critical("\(reason)")
    exit(1)
  }
}
