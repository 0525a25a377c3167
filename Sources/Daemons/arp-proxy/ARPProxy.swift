import Core
import DaemonLog
import Foundation
import Glibc
import Logging
import Netlink
import ProcessSignals
import Synchronization

/// The program: answers ARP for the gateway of pods, on the interface of port 0.
@main
struct ARPProxy {
  static let usage = """
    arp-proxy: answers ARP requests on one interface with its own address.

    The interface is named by ARP_PROXY_IF. It need not be there yet, and may go and come
    back. Where the host itself answers for the gateway (infraagent's default), this program
    is not needed; where it is used, inframanager is told its MAC by InfraManager.arp-mac.

    LOG_LEVEL, LOG_FORMAT, LOG_FILE, LOG_FILE_SIZE and LOG_FILES are those of inframanager's
    settings. SIGUSR1 makes the log one level more detailed, SIGUSR2 as LOG_LEVEL has it.
    SIGHUP changes nothing.
    Exit codes: 0 after SIGTERM or SIGINT, 2 for a bad environment.
    """

  private static let pause: UInt32 = 100_000

  static func main() {
    let environment = ProcessInfo.processInfo.environment
    if CommandLine.arguments.dropFirst().contains(where: { ["-h", "--help"].contains($0) }) {
      print(usage)
      return
    }
    guard !CommandLine.arguments.dropFirst().contains("--version") else {
      return print(Release.version)
    }
    guard let interface = environment["ARP_PROXY_IF"], Link.misnomer(interface) == nil else {
      try? FileHandle.standardError.write(
        contentsOf: Data("arp-proxy: ARP_PROXY_IF has to name an interface, such as P4TAP_0\n".utf8)
      )
      exit(2)
    }
    do {
      DaemonLog.bootstrap("arp-proxy", try DaemonLog.Options(environment: environment))
    } catch {
      try? FileHandle.standardError.write(contentsOf: Data("arp-proxy: \(error)\n".utf8))
      exit(2)
    }
    let logger = Logger(label: "arp-proxy")
    // As the other daemons', which read their settings anew; the environment stays as it is.
    signal(SIGHUP, SIG_IGN)
    let isStopped = Atomic(false)
    let signals = TerminationSignals { _ in isStopped.store(true, ordering: .relaxed) }
    defer { withExtendedLifetime(signals) {} }

    var complaint = ""
    while !isStopped.load(ordering: .relaxed) {
      do {
        let link = try self.link(interface)
        let mac = stride(from: UInt64(40), through: 0, by: -8).map {
          UInt8(truncatingIfNeeded: link.mac.value >> $0)
        }
        let listener = try ARPListener(interface)
        logger.notice("answering", metadata: ["interface": "\(interface)", "mac": "\(link.mac)"])
        complaint = ""
        while !isStopped.load(ordering: .relaxed) {
          guard try !listener.answer(with: mac) else { continue }
          guard try self.link(interface) == link else {
            throw ARPListener.Failure(description: "\(interface) is another one")
          }
        }
      } catch {
        // Once, however long it lasts.
        if complaint != "\(error)" { logger.warning("waiting", metadata: ["reason": "\(error)"]) }
        complaint = "\(error)"
        usleep(pause)
      }
    }
    logger.notice("stopped")
  }

  /// - Throws: unless it is there and up.
  private static func link(_ interface: String) throws -> Link {
    guard let link = try RouteSocket().link(named: interface), link.isUp else {
      throw ARPListener.Failure(description: "\(interface) is not there, or not up")
    }
    return link
  }
}
