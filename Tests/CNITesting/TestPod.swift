import Foundation
import InfraProtos
import NodeTesting

/// The namespace of a pod, and the requests about it.
public struct TestPod: Sendable {
  public let namespace: NetworkNamespace
  public let ip: String

  public init(_ ip: String) async throws {
    namespace = try await NetworkNamespace("pod")
    self.ip = ip
  }

  public var path: String { "/run/netns/\(namespace.name)" }

  public var add: Cni_AddRequest {
    .with {
      $0.interfaceName = "eth0"
      $0.netns = path
      $0.desiredHostInterfaceName = "cali0123456789a"
      $0.settings.mtu = 1280
      $0.containerIps = [.with { $0.address = "\(ip)/32" }]
      $0.containerRoutes = ["0.0.0.0/0", "::/0", "10.96.0.0/12"]
      $0.workload.pod = "web"
    }
  }

  public var del: Cni_DelRequest {
    .with {
      $0.interfaceName = "eth0"
      $0.netns = path
    }
  }

  /// Removes the namespace, and what is in it.
  public func vanish() async throws {
    try await Command.check("ip", "netns", "del", namespace.name)
  }

  /// What `ip` says of the interface; nil when it is not there.
  public func interface(_ name: String = "eth0") async throws -> String? {
    let outcome = try await Command.run(
      namespace.command(["ip", "-d", "addr", "show", "dev", name]))
    return outcome.status == 0 ? outcome.output : nil
  }

  /// The kernel's number of the interface; another one means that it was made anew.
  public func index(_ name: String = "eth0") async throws -> String {
    try await namespace.exec("cat", "/sys/class/net/\(name)/ifindex")
  }

  public func routes() async throws -> Set<String> {
    let output = try await namespace.exec("ip", "route")
    return Set(
      output.split(separator: "\n").map {
        $0.split(separator: " ").joined(separator: " ")
          .replacingOccurrences(of: " proto static", with: "")
      })
  }

  /// What a pod that is connected has.
  public static let routes: Set = [
    "default via 169.254.1.1 dev eth0", "10.96.0.0/12 via 169.254.1.1 dev eth0",
    "169.254.1.1 dev eth0 scope link",
  ]
}
