import Core
import Foundation
import Glibc
import Netlink
import NodeTesting
import Testing

private typealias TestNamespace = NodeTesting.NetworkNamespace

/// rtnetlink in real namespaces, held against what `ip` says.
@Suite(.enabled(if: TestNamespace.reason == nil, "\(TestNamespace.reason ?? "")"))
struct RouteSocketTests {
  private func open(_ space: TestNamespace) throws -> Netlink.NetworkNamespace {
    try Netlink.NetworkNamespace(path: "/run/netns/\(space.name)")
  }

  @Test func aLinkBetweenTwoNamespaces() async throws {
    let (host, pod) = (try await TestNamespace("host"), try await TestNamespace("pod"))
    try await host.exec("ip", "link", "add", "t0", "type", "veth", "peer", "name", "t1")
    let (hostSpace, podSpace) = (try open(host), try open(pod))
    let (here, there) = (try RouteSocket(in: hostSpace), try RouteSocket(in: podSpace))
    #expect(try Set(here.links().map(\.name)) == ["lo", "t0", "t1"])

    let link = try #require(try here.link(named: "t0"))
    #expect(try here.link(index: link.index) == link)
    #expect(link.kind == "veth" && !link.isUp && link.mtu == 1500)
    let mac = try #require(MACAddress("02:00:00:00:02:06"))
    try here.setMACAddress(mac, link)
    try here.move(link, to: podSpace)
    #expect(try here.link(named: "t0") == nil)
    let moved = try #require(try there.link(named: "t0"))
    try there.rename(moved, to: "eth0")
    let eth0 = try #require(try there.link(named: "eth0"))
    try there.setMTU(1280, eth0)
    try there.setUp(true, eth0)

    let address = try #require(IPv4Prefix("10.244.0.6/32"))
    let gateway = try #require(IPv4Address("169.254.1.1"))
    let route = Route(IPv4Prefix(gateway, length: 32))
    let standard = Route(IPv4Prefix(IPv4Address(0), length: 0), via: gateway)
    // Twice: what is there already stays.
    for _ in 0..<2 {
      try there.add(address, to: eth0)
      try there.add(route, to: eth0)
      try there.add(standard, to: eth0)
      try there.add(Neighbour(gateway, mac: mac), to: eth0)
    }
    let now = try #require(try there.link(named: "eth0"))
    #expect(now.isUp && now.mtu == 1280 && now.mac == mac)
    #expect(try there.addresses(of: eth0) == [address])
    #expect(try Set(there.routes(of: eth0)) == [route, standard])
    #expect(try there.neighbours(of: eth0) == [Neighbour(gateway, mac: mac)])
    #expect(try await pod.exec("ip", "-4", "addr", "show", "eth0").contains("10.244.0.6/32"))
    let routes = try await pod.exec("ip", "route")
    #expect(routes.contains("default via 169.254.1.1 dev eth0"), "\(routes)")
    #expect(routes.contains("169.254.1.1 dev eth0 proto static scope link"), "\(routes)")
    #expect(try await pod.exec("ip", "neigh").contains("lladdr \(mac) PERMANENT"))

    try there.removeNeighbour(gateway, from: eth0)
    try there.remove(standard, from: eth0)
    try there.remove(route, from: eth0)
    try there.remove(address, from: eth0)
    #expect(try there.addresses(of: eth0).isEmpty && there.routes(of: eth0).isEmpty)
    #expect(try there.neighbours(of: eth0).isEmpty)
    try there.setUp(false, eth0)
    #expect(try there.link(named: "eth0")?.isUp == false)
    try there.delete(eth0)
    #expect(try here.links().map(\.name) == ["lo"])
  }

  /// Routes of others, such as `ip` makes, too.
  @Test func routesOfOthers() async throws {
    let host = try await TestNamespace("host")
    try await host.exec("ip", "link", "add", "t0", "type", "veth", "peer", "name", "t1")
    for end in ["t0", "t1"] { try await host.exec("ip", "link", "set", end, "up") }
    let socket = try RouteSocket(in: open(host))
    let link = try #require(try socket.link(named: "t0"))
    try await host.exec("ip", "route", "add", "10.1.0.0/16", "dev", "t0")
    try await host.exec("ip", "route", "add", "10.1.0.9", "dev", "t0", "proto", "99")
    try await host.exec("ip", "route", "add", "10.2.0.0/16", "via", "10.1.0.9", "metric", "7")
    let routes = try socket.routes(of: link)
    #expect(routes.count == 3)
    for route in routes.reversed() { try socket.remove(route, from: link) }
    #expect(try socket.routes(of: link) == [])
  }

  @Test func errorsNameTheRequestAndTheObject() async throws {
    let host = try await TestNamespace("host")
    try await host.exec("ip", "link", "add", "t0", "type", "veth", "peer", "name", "t1")
    let socket = try RouteSocket(in: open(host))
    let link = try #require(try socket.link(named: "t0"))
    let error = #expect(throws: NetlinkError.self) { try socket.rename(link, to: "t1") }
    #expect(error?.errno == EEXIST && error?.request == "rename to t1")
    #expect(error?.object == "t0 in /run/netns/\(host.name)")
    let long = #expect(throws: NetlinkError.self) {
      try socket.rename(link, to: "sixteen-letters-")
    }
    #expect(long?.errno == EINVAL)
    // The kernel's own words.
    let mtu = #expect(throws: NetlinkError.self) { try socket.setMTU(70_000, link) }
    #expect(mtu?.errno == EINVAL && mtu?.detail.isEmpty == false, "\(String(describing: mtu))")
    #expect(throws: NetlinkError.self) {
      try socket.add(Route(IPv4Prefix(IPv4Address(0), length: 0)), to: link)
    }
    #expect(try socket.link(named: "none") == nil && socket.link(index: 9999) == nil)
    #expect(try socket.link(named: "no/name") == nil)
  }

  @Test func whatIsNoNamespace() throws {
    let missing = #expect(throws: NetlinkError.self) {
      try Netlink.NetworkNamespace(path: "/run/netns/none-such")
    }
    #expect(missing?.errno == ENOENT)
    // After a restart of the machine a file is left where the namespace was mounted.
    let file = NSTemporaryDirectory() + "namespace-\(UUID().uuidString)"
    try Data().write(to: URL(fileURLWithPath: file))
    defer { try? FileManager.default.removeItem(atPath: file) }
    for path in [file, "/proc/self/ns/mnt", "/", "/dev/null", ""] {
      #expect(throws: NetlinkError.self, "\(path)") { try Netlink.NetworkNamespace(path: path) }
    }
  }

  @Test func aThreadInTheNamespace() async throws {
    let host = try await TestNamespace("host")
    let space = try open(host)
    let own = try Netlink.NetworkNamespace.current()
    let inside = try space.run {
      try Netlink.NetworkNamespace(path: "/proc/thread-self/ns/net").identity
    }
    #expect(inside == space.identity && inside != own.identity)
    #expect(try Netlink.NetworkNamespace.current().identity == own.identity)
    struct Stop: Error {}
    #expect(throws: Stop.self) { try space.run { throw Stop() } }
  }

  @Test func manyLinksInOneDump() async throws {
    let host = try await TestNamespace("host")
    let batch = (0..<300).map { "link add d\($0) type dummy\n" }.joined()
    let outcome = try await Command.run(
      ["ip", "-n", host.name, "-batch", "-"], input: batch)
    // Where the kernel has no dummy links, pairs of veth do.
    if outcome.status != 0 {
      let pairs = (0..<150).map { "link add d\($0) type veth peer name d\($0 + 150)\n" }.joined()
      try await Command.check("ip", "-n", host.name, "-batch", "-", input: pairs)
    }
    let socket = try RouteSocket(in: open(host))
    #expect(try socket.links().filter { $0.name.hasPrefix("d") }.count == 300)
  }
}
