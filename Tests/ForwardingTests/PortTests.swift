import Core
import Forwarding
import Foundation
import Hosting
import NodeTesting
import Testing

/// Ports made and removed while the forwarder runs.
@Suite(
  .serialized, .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct PortTests {
  private func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: "/sys/class/net/\(name)")
  }

  @Test func tapComesAndGoes() async throws {
    let forwarder = try Forwarder()
    let names = (0..<3).map { _ in NetworkNamespace.fresh("tap") }
    for (index, name) in names.enumerated() {
      let id = try await forwarder.add(PortDescription(name: name, kind: .tap, mtu: 1400 + index))
      #expect(id == PortID(index))
      #expect(exists(name))
    }
    let mtu = try String(contentsOfFile: "/sys/class/net/\(names[1])/mtu", encoding: .utf8)
    #expect(mtu == "1401\n")
    try await forwarder.remove(names[1])
    #expect(!exists(names[1]))
    // The lowest id that is free.
    #expect(try await forwarder.add(PortDescription(name: names[1], kind: .tap)) == 1)
    #expect(await forwarder.ports().map(\.id) == [0, 1, 2])
    for name in names { try await forwarder.remove(name) }
    #expect(names.allSatisfy { !exists($0) })
    await forwarder.stop()
  }

  @Test func refusals() async throws {
    var options = Forwarder.Options()
    options.maximumPorts = 2
    options.controllerPort = 1
    let forwarder = try Forwarder(options: options)
    let name = NetworkNamespace.fresh("tap")
    func code(_ port: PortDescription) async -> DataplaneError.Code? {
      do {
        _ = try await forwarder.add(port)
        return nil
      } catch {
        return (error as? DataplaneError)?.code
      }
    }
    for bad in ["", "a/b", "0123456789abcdef", "a b", ".", "..", "eth%d", "x:1", "ü"] {
      #expect(await code(PortDescription(name: bad, kind: .tap)) == .invalidArgument, "\(bad)")
    }
    #expect(await code(PortDescription(name: name, kind: .tap, mtu: 67)) == .invalidArgument)
    #expect(await code(PortDescription(name: name, kind: .tap, mtu: 65_536)) == .invalidArgument)
    #expect(await code(PortDescription(name: name, kind: .tap, id: 2)) == .invalidArgument)
    #expect(await code(PortDescription(name: name, kind: .packet)) == .notFound)
    // The controller's.
    #expect(await code(PortDescription(name: name, kind: .tap, id: 1)) == .alreadyExists)
    // An interface of another kind.
    #expect(await code(PortDescription(name: "lo", kind: .tap)) == .alreadyExists)
    #expect(!exists(name))
    #expect(await code(PortDescription(name: name, kind: .tap)) == nil)
    #expect(await code(PortDescription(name: name, kind: .tap)) == .alreadyExists)
    let second = NetworkNamespace.fresh("tap")
    #expect(await code(PortDescription(name: second, kind: .tap)) == .resourceExhausted)
    await #expect(throws: DataplaneError.self) { try await forwarder.remove("nobody") }
    try await forwarder.remove(name)
    await forwarder.stop()
    #expect(await code(PortDescription(name: name, kind: .tap)) == .unavailable)
    // A program that another test is starting has its descriptor until it runs.
    while exists(name) { await Task.yield() }
  }

  /// A TAP that is made in a pod is never anywhere else.
  @Test func aTAPInAPod() async throws {
    let forwarder = try Forwarder()
    let pod = try await NetworkNamespace("pod")
    let path = "/run/netns/\(pod.name)"
    var port = PortDescription(
      name: "pod-port", kind: .tap, mtu: 1400, place: InterfacePlace(netns: path, name: "eth0"),
      macAddress: MACAddress("02:00:00:00:02:09"))
    let id = try await forwarder.add(port)
    #expect(!exists("pod-port"))
    let shown = try await pod.exec("ip", "link", "show", "dev", "eth0")
    #expect(shown.contains("02:00:00:00:02:09") && shown.contains("mtu 1400"), "\(shown)")
    let status = try #require(await forwarder.ports().first { $0.id == id })
    #expect(status.location?.name == "eth0" && status.macAddress == port.macAddress)
    // Another of that name, an interface of others, and what is no namespace.
    port.name = "second"
    let refusals: [(InterfacePlace, DataplaneError.Code)] = [
      (InterfacePlace(netns: path, name: "eth0"), .alreadyExists),
      (InterfacePlace(netns: path, name: "lo"), .alreadyExists),
      (InterfacePlace(netns: "/run/netns/none-such", name: "eth1"), .notFound),
      (InterfacePlace(netns: "/proc/self/ns/mnt", name: "eth1"), .notFound),
      (InterfacePlace(netns: "/dev/null", name: "eth1"), .notFound),
      (InterfacePlace(netns: "pod", name: "eth1"), .invalidArgument),
      (InterfacePlace(netns: path, name: "a/b"), .invalidArgument),
    ]
    for (place, code) in refusals {
      port.place = place
      let error = await #expect(throws: DataplaneError.self) { try await forwarder.add(port) }
      #expect(error?.code == code, "\(place)")
    }
    port.place = InterfacePlace(netns: path, name: "eth1")
    port.macAddress = MACAddress("01:00:00:00:00:01")
    await #expect(throws: DataplaneError.self) { try await forwarder.add(port) }
    #expect(
      try await pod.exec("ip", "-o", "link").split(separator: "\n").count == 2, "lo and eth0")
    try await forwarder.remove("pod-port")
    #expect(try await !pod.exec("ip", "-o", "link").contains("eth0"))
    await forwarder.stop()
  }

  /// A TAP that another process holds is not taken away from it.
  @Test func tapInUse() async throws {
    let (first, second) = (try Forwarder(), try Forwarder())
    let name = NetworkNamespace.fresh("tap")
    _ = try await first.add(PortDescription(name: name, kind: .tap))
    let error = await #expect(throws: DataplaneError.self) {
      try await second.add(PortDescription(name: name, kind: .tap))
    }
    #expect(error?.code == .alreadyExists)
    #expect(exists(name))
    try await first.remove(name)
    await first.stop()
    await second.stop()
  }

  /// A forwarder takes the TAPs of the last one over where they are: in a pod, under
  /// another name; a connection goes on.
  @Test func podsKeepTheirInterfaces() async throws {
    let node = try await LiveNode("model")
    try await node.client.exec("ping", "-q", "-c", "1", "10.244.0.7")
    let before = await node.forwarder.ports()
    let locations = before.compactMap(\.location)
    #expect(locations.map(\.name) == ["eth0", "eth0"])
    // A stream that lasts from one forwarder to the next.
    let ping = try node.client.start("ping", "-w", "300", "-i", "0.05", "10.244.0.7")
    try await ping.wait(for: "icmp_seq=2 ")
    await node.forwarder.stop()

    let next = try Forwarder()
    try await LiveNode.install("model", on: next)
    for (port, location) in zip(before, locations) {
      var description = port.description
      description.location = location
      #expect(try await next.add(description) == port.id)
    }
    // Only an answer that came through the new one ends the test.
    let framesOut = await next.ports().map(\.counters.framesOut)
    while true {
      try await ping.wait(for: "icmp_seq=")
      let now = await next.ports().map(\.counters.framesOut)
      if zip(now, framesOut).allSatisfy({ $0 > $1 + 3 }) { break }
    }
    ping.kill()
    for port in before { try await next.remove(port.description.name) }
    await next.stop()
  }

  @Test func interfaceWhosePodIsGone() async throws {
    let forwarder = try Forwarder()
    let name = NetworkNamespace.fresh("tap")
    _ = try await forwarder.add(PortDescription(name: name, kind: .tap))
    var location: InterfaceLocation?
    do {
      let pod = try await Pod(name, ip: "10.244.0.9", mac: "02:00:00:00:02:09")
      location = await forwarder.ports().first?.location
      withExtendedLifetime(pod) {}
    }
    // The kernel takes a namespace down in its own time.
    while await forwarder.ports().first?.location != nil { await Task.yield() }
    #expect(await forwarder.ports().first?.isUp == false)
    try await forwarder.remove(name)
    let gone = try #require(location)
    let error = await #expect(throws: DataplaneError.self) {
      try await forwarder.add(PortDescription(name: name, kind: .tap, location: gone))
    }
    #expect(error?.code == .notFound)
    await forwarder.stop()
  }
}
