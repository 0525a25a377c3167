/// A pod: a namespace with one interface, addressed and routed as Calico's CNI plugin
/// does it: a /32, and everything by way of 169.254.1.1.
public struct Pod: Sendable {
  public let namespace: NetworkNamespace
  public let ip: String
  public let mac: String

  /// Moves an interface of this namespace into a new one, as `eth0`.
  ///
  /// - Parameter gatewayMAC: nil leaves it to ARP.
  public init(
    _ interface: String, ip: String, mac: String, gatewayMAC: String? = nil
  ) async throws {
    self.ip = ip
    self.mac = mac
    namespace = try await NetworkNamespace("pod")
    let name = namespace.name
    try await Command.check("ip", "link", "set", interface, "netns", name, "name", "eth0")
    try await namespace.exec("ip", "addr", "add", "\(ip)/32", "dev", "eth0")
    try await namespace.exec("ip", "link", "set", "eth0", "address", mac, "up")
    try await namespace.exec("ip", "route", "add", "169.254.1.1/32", "dev", "eth0", "scope", "link")
    try await namespace.exec("ip", "route", "add", "default", "via", "169.254.1.1")
    if let gatewayMAC {
      try await namespace.exec(
        "ip", "neigh", "add", "169.254.1.1", "lladdr", gatewayMAC, "dev", "eth0", "nud",
        "permanent")
    }
  }

  /// Runs a program in the pod to the end; it must end with 0.
  @discardableResult
  public func exec(_ command: String...) async throws -> String {
    let outcome = try await Command.run(namespace.command(command))
    guard outcome.status == 0 else { throw Command.Failed(command: command, outcome: outcome) }
    return outcome.output
  }

  /// Starts a program in the pod.
  public func start(_ command: String...) throws -> RunningProgram {
    try RunningProgram(namespace.command(command))
  }
}
