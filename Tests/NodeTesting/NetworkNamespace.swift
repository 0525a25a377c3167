import Foundation
import Synchronization

/// A network namespace of a test, deleted with its last reference.
public final class NetworkNamespace: Sendable {
  /// Why this process may not make any, or nil.
  public static let reason: String? = {
    guard geteuid() == 0 else { return "network namespaces need root" }
    let name = fresh("probe")
    guard let outcome = try? Command.runNow(["ip", "netns", "add", name]) else {
      return "there is no ip command"
    }
    guard outcome.status == 0 else { return "no network namespaces: \(outcome.output)" }
    _ = try? Command.runNow(["ip", "netns", "del", name])
    guard FileManager.default.fileExists(atPath: "/dev/net/tun") else { return "no /dev/net/tun" }
    let missing = ["ping", "python3", "ethtool"].filter {
      (try? Command.runNow(["which", $0]))?.status != 0
    }
    return missing.isEmpty ? nil : "not installed: \(missing.joined(separator: ", "))"
  }()

  public let name: String

  /// - Parameter name: for people; it is made unique.
  public init(_ name: String) async throws {
    Leftovers.watch()
    self.name = Self.fresh(name)
    try await Command.check("ip", "netns", "add", self.name)
    try await exec("ip", "link", "set", "lo", "up")
    // No frames but the test's own.
    try await exec(
      "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
  }

  deinit { _ = try? Command.runNow(["ip", "netns", "del", name]) }

  /// A command line that runs in it.
  public func command(_ command: [String]) -> [String] {
    ["ip", "netns", "exec", name] + command
  }

  /// Runs a program in it to the end; it must end with 0.
  @discardableResult
  public func exec(_ command: String...) async throws -> String {
    let outcome = try await Command.run(self.command(command))
    guard outcome.status == 0 else { throw Command.Failed(command: command, outcome: outcome) }
    return outcome.output
  }

  private static let count = Mutex(0)

  /// A name that no other test, of this process or another, has; 15 bytes at most.
  public static func fresh(_ name: String) -> String {
    let number = count.withLock { count in
      count += 1
      return count
    }
    return "\(name.prefix(4))\(mark)\(number)"
  }

  /// In the name of all that is this process's.
  static let mark = "\(getpid() % 100_000)-"
}
