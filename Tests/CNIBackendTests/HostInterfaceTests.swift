import CNIBackend
import CNITesting
import Core
import Foundation
import Netlink
import NodeTesting
import Testing

/// The node's own interface, on a real infrap4d.
@Suite(
  .serialized,
  .enabled(
    if: NodeTesting.NetworkNamespace.reason == nil, "\(NodeTesting.NetworkNamespace.reason ?? "")"))
struct HostInterfaceTests {
  private func interface(
    _ node: TestNode, _ change: (inout HostInterface.Options) -> Void = { _ in }
  ) -> HostInterface {
    var options = HostInterface.Options()
    options.namespace = node.options.hostNamespace
    change(&options)
    return HostInterface(options, ports: node.ports)
  }

  /// What `ip` says of the interface.
  private func shown(_ node: TestNode) async throws -> String {
    try await node.namespace.exec("ip", "-d", "addr", "show", "dev", "P4TAP_1")
  }

  private func routes(_ node: TestNode) async throws -> Set<String> {
    Set(
      try await node.namespace.exec("ip", "route", "show", "dev", "P4TAP_1").split(separator: "\n")
        .map {
          $0.split(separator: " ").joined(separator: " ")
            .replacingOccurrences(of: " proto static", with: "")
        })
  }

  private static func prefix(_ text: String) -> IPv4Prefix {
    IPv4Prefix(text) ?? IPv4Prefix(IPv4Address(0), length: 32)
  }

  @Test func whatThePodsAndTheHostNeed() async throws {
    try await TestNode.run { node in
      let interface = interface(node) {
        $0.mtu = 1400
        $0.podPrefixes = [Self.prefix("10.244.0.0/24")]
      }
      // Twice: what is there already stays.
      for _ in 0..<2 {
        let address = try await interface.prepare([Self.prefix("10.244.7.0/24")])
        #expect(address.tap == "P4TAP_1" && address.ip == IPv4Address("200.1.1.2"))
        let shown = try await shown(node)
        #expect(shown.contains("inet 200.1.1.2/32"), "\(shown)")
        #expect(shown.contains("mtu 1400") && shown.contains(",UP"), "\(shown)")
        #expect(shown.contains("\(address.mac)"), "\(shown)")
        #expect(
          try await routes(node) == [
            "169.254.1.1 scope link", "10.244.0.0/24 via 169.254.1.1",
            "10.244.7.0/24 via 169.254.1.1",
          ])
        let neighbours = try await node.namespace.exec("ip", "neigh", "show", "dev", "P4TAP_1")
        #expect(neighbours.contains("169.254.1.1 lladdr 02:00:a9:fe:01:01 PERMANENT"))
        for (name, value) in [
          ("conf/P4TAP_1/forwarding", "1"), ("conf/P4TAP_1/proxy_arp_pvlan", "1"),
          ("neigh/P4TAP_1/proxy_delay", "0"),
        ] {
          let now = try await node.namespace.exec("cat", "/proc/sys/net/ipv4/\(name)")
          #expect(now == value + "\n", "\(name)")
        }
        #expect(try await node.ports.list().map(\.name) == ["P4TAP_0", "P4TAP_1"])
      }
    }
  }

  /// What was so before, or has come since, and is not wanted.
  @Test func staleAddressesAndRoutes() async throws {
    try await TestNode.run { node in
      let interface = interface(node)
      _ = try await interface.prepare([Self.prefix("10.244.7.0/24")])
      try await node.namespace.exec("ip", "addr", "add", "10.9.9.9/24", "dev", "P4TAP_1")
      try await node.namespace.exec("ip", "route", "add", "10.1.0.0/16", "dev", "P4TAP_1")
      try await node.namespace.exec("ip", "link", "set", "P4TAP_1", "mtu", "1280")
      _ = try await interface.prepare()
      #expect(try await routes(node) == ["169.254.1.1 scope link"])
      let shown = try await shown(node)
      #expect(!shown.contains("10.9.9.9") && shown.contains("mtu 1500"), "\(shown)")
      try await node.namespace.exec("ip", "link", "set", "P4TAP_1", "down")
      _ = try await interface.prepare([Self.prefix("10.244.7.0/24")])
      #expect(
        try await routes(node) == ["169.254.1.1 scope link", "10.244.7.0/24 via 169.254.1.1"])
    }
  }

  /// Somebody takes the TAP away, or moves that of port 0 and forgets it.
  @Test func aTAPThatIsGoneComesBack() async throws {
    try await TestNode.run { node in
      let interface = interface(node)
      let before = try await interface.prepare()
      try await node.namespace.exec("ip", "link", "del", "P4TAP_1")
      let after = try await interface.prepare()
      #expect(after.tap == before.tap && after.mac == before.mac)
      #expect(try await shown(node).contains("inet 200.1.1.2/32"))
      try await node.namespace.exec("ip", "link", "del", "P4TAP_0")
      _ = try await interface.prepare()
      #expect(try await node.links() == ["P4TAP_0", "P4TAP_1"])
      let ports = try await node.ports.list()
      #expect(ports.map(\.name) == ["P4TAP_0", "P4TAP_1"] && ports.allSatisfy(\.isPresent))
      #expect(ports.map(\.id) == [0, 1])
    }
  }

  /// Whoever answers for the gateway, on port 0 or 1, pods' frames to the host have the address
  /// that its kernel takes.
  @Test func theAddressIsThatOfPort0() async throws {
    try await TestNode.run { node in
      let interface = interface(node)
      let first = try await interface.prepare()
      let ports = try await node.ports.list()
      #expect(ports.map(\.mac) == [first.mac, first.mac])
      // An operator gives it one that the manager knows, and an arp-proxy a namespace of its own.
      let proxy = try await NodeTesting.NetworkNamespace("pod0")
      try await node.namespace.exec("ip", "link", "set", "P4TAP_0", "address", "02:00:00:00:00:42")
      try await node.namespace.exec("ip", "link", "set", "P4TAP_0", "netns", proxy.name)
      let second = try await interface.prepare()
      #expect(second.mac == MACAddress("02:00:00:00:00:42"))
      #expect(try await shown(node).contains("02:00:00:00:00:42"))
    }
  }

  @Test func anotherPort() async throws {
    try await TestNode.run { node in
      // Somebody was faster.
      for name in ["X_0", "P4TAP_0", "P4TAP_1"] { try await node.ports.create(name, mtu: 1500) }
      let error = await #expect(throws: CNIBackendError.self) {
        try await interface(node).prepare()
      }
      #expect(error?.code == .misplacedTAP)
      #expect(error?.message.contains("P4TAP_1 is not port 1") == true)
      #expect(error?.message.contains("gnmi-ctl del") == true)
      // The cure.
      for name in ["X_0", "P4TAP_0", "P4TAP_1"] { try await node.ports.delete(name) }
      _ = try await interface(node).prepare()
    }
  }

  @Test func anotherNamespaceAndNoServer() async throws {
    try await TestNode.run { node in
      let elsewhere = try await NodeTesting.NetworkNamespace("node")
      let error = await #expect(throws: CNIBackendError.self) {
        try await interface(node) { $0.namespace = "/run/netns/\(elsewhere.name)" }.prepare()
      }
      #expect(error?.code == .misplacedTAP)
      #expect(error?.message.contains("run both in the node's") == true)
      let sysctls = await #expect(throws: CNIBackendError.self) {
        try await interface(node) { $0.sysctls = "/none" }.prepare()
      }
      #expect(sysctls?.code == .kernel)
      #expect(sysctls?.message.contains("the agent needs /none to be writable") == true)
    }
  }

  /// Two who set it up at once: in the end it is as the last one wants it.
  @Test func atOnce() async throws {
    try await TestNode.run { node in
      let interface = interface(node)
      for _ in 0..<5 {
        try await withThrowingTaskGroup { group in
          for number in 1...6 {
            group.addTask {
              _ = try await interface.prepare([Self.prefix("10.244.\(number).0/24")])
            }
          }
          try await group.waitForAll()
        }
        #expect(try await routes(node).count == 2)
      }
      _ = try await interface.prepare([Self.prefix("10.244.9.0/24")])
      #expect(
        try await routes(node) == ["169.254.1.1 scope link", "10.244.9.0/24 via 169.254.1.1"])
    }
  }
}
