import Core
import Netlink

extension Plugin {
  /// Holds the pod's interface against what ADD answered.
  func check() async throws {
    guard let before = configuration.prevResult else {
      throw CNIError(.invalidConfiguration, "CHECK without prevResult")
    }
    try await ipam?.check(
      invocation, against: store[invocation.containerID, invocation.interface]?.leased)
    let index = before.interfaces?.firstIndex {
      $0.name == invocation.interface && $0.sandbox == invocation.netns
    }
    guard let index, let expected = before.interfaces?[index] else {
      throw CNIError(
        .invalidConfiguration,
        "prevResult has no \(invocation.interface) in \(invocation.netns)")
    }
    let socket = try RouteSocket(in: namespace())
    guard let link = try socket.link(named: invocation.interface) else {
      throw CNIError(.notAsAdded, "\(invocation.interface) is gone")
    }
    guard link.isUp else { throw CNIError(.notAsAdded, "\(link.name) is down") }
    if let mac = expected.mac.flatMap({ MACAddress($0) }), mac != link.mac {
      throw CNIError(.notAsAdded, "\(link.name) has the address \(link.mac), not \(mac)")
    }
    let addresses = Set(try socket.addresses(of: link))
    for ip in before.ips ?? [] where ip.interface == index {
      guard let address = IPv4Prefix(ip.address), addresses.contains(address) else {
        throw CNIError(.notAsAdded, "\(link.name) does not have \(ip.address)")
      }
    }
    try checkRoutes(before, try socket.routes(of: link))
  }

  private func checkRoutes(_ before: CNIResult, _ routes: [Route]) throws(CNIError) {
    let present = Set(routes)
    for route in before.routes ?? [] where route.gw == Self.gateway {
      guard let destination = IPv4Prefix(route.dst), let gateway = IPv4Address(Self.gateway),
        present.contains(Route(destination, via: gateway))
      else {
        throw CNIError(.notAsAdded, "the route to \(route.dst) is gone")
      }
    }
  }
}
