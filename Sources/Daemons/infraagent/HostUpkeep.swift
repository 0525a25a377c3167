import AgentService
import CNIBackend
import GRPCNIOTransportHTTP2
import Logging
import Netlink
import Synchronization

/// Keeps the host's interface as it has to be, and the manager informed of it.
final class HostUpkeep: Sendable {
  private let interface: HostInterface
  /// Prefixes of pods that Kubernetes tells, beside those of the settings.
  private let podPrefixes = Mutex<[IPv4Prefix]>([])
  private let manager: ManagerLink<HTTP2ClientTransport.Posix>
  private let logger: Logger
  private let address = Mutex<HostInterface.Address?>(nil)
  private let (ready, isMade) = AsyncStream<Void>.makeStream()

  private static let period = Duration.seconds(5)
  private static let pause = Duration.milliseconds(500)

  init(
    _ interface: HostInterface, _ manager: ManagerLink<HTTP2ClientTransport.Posix>,
    logger: Logger
  ) {
    self.interface = interface
    self.manager = manager
    self.logger = logger
  }

  /// Whether the interface is there.
  var isReady: Bool { address.withLock { $0 != nil } }

  /// Returns when the interface is there for the first time.
  func untilReady() async { for await _ in ready {} }

  /// Sets the interface up, and again whenever it has changed, until it is cancelled.
  func run() async {
    var complaint = Complaint()
    while !Task.isCancelled {
      do {
        let prefixes = prefixes
        let now = try await interface.prepare(self.prefixes)
        let before = address.withLock { address in
          defer { address = now }
          return address
        }
        if before != now {
          logger.notice("host interface", metadata: ["tap": "\(now.tap)", "ip": "\(now.ip)"])
          isMade.finish()
          if manager.isServing { await tell() }
        }
        complaint.end()
        // Told of others meanwhile, route(to:) has left them to us.
        guard self.prefixes == prefixes else { continue }
      } catch {
        address.withLock { $0 = nil }
        if complaint.isNew(error) {
          logger.warning("no host interface", metadata: ["reason": "\(error)"])
        }
      }
      try? await Task.sleep(for: complaint.isEmpty ? Self.period : Self.pause)
    }
  }

  private var prefixes: [IPv4Prefix] { podPrefixes.withLock(\.self) }

  /// Makes the host reach these by the pipeline, too.
  func route(to prefixes: [IPv4Prefix]) async {
    podPrefixes.withLock { $0 = prefixes }
    // Without an interface, run() comes to it.
    guard isReady else { return }
    do {
      _ = try await interface.prepare(self.prefixes)
    } catch {
      logger.warning("no routes to pods yet", metadata: ["reason": "\(error)"])
    }
  }

  /// Tells the manager, if there is something to tell.
  func tell() async {
    guard let address = address.withLock({ $0 }) else { return }
    do {
      try await manager.setUp(address)
    } catch {
      logger.warning(
        "the manager does not know the host interface", metadata: ["reason": "\(error)"])
    }
  }
}
