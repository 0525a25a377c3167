import Foundation
import GNMIProtos
import GRPCCore
import NodeTesting
import Testing

/// Ports by gNMI in the real server: real interfaces, and what is left of them when the
/// server is killed.
@Suite(
  .serialized, .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct PortTests {
  private func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: "/sys/class/net/\(name)")
  }

  @Test func upstreamsCommandsOverMutualTLS() async throws {
    let server = try ServerProcess()
    let port = try #require(
      try await server.start(["--dataplane", "model"], listen: ["127.0.0.1:0"]))
    let client = GNMIClient(server: server)
    let names = (0..<2).map { _ in NetworkNamespace.fresh("tap") }
    for (index, name) in names.enumerated() {
      let set = try await client.ctl(
        port: port, "set",
        "device:virtual-device,name:\(name),host-name:host1,pipeline-name:pipe,"
          + "mempool-name:MEMPOOL0,mtu:1500,port-type:TAP,packet-dir:host")
      #expect(set.status == 0, "\(set)")
      #expect(set.output.contains("Set request, successful...!!!"))
      #expect(exists(name))
      let get = try await client.ctl(
        port: port, "get", "device:virtual-device,name:\(name),tdi-portin-id")
      #expect(get.status == 0 && get.output.contains("uint_val: \(index)"), "\(get)")
    }
    // The same command again, as a script that is run twice does.
    let again = try await client.ctl(
      port: port, "set", "device:virtual-device,name:\(names[0]),mtu:1500,port-type:TAP")
    #expect(again.status == 0, "\(again)")
    // Without a certificate, and without TLS.
    let plain = try await client.ctl(
      port: port, "--grpc_use_insecure_mode=true", "cap")
    #expect(plain.status == 14, "\(plain)")
    // Errors end with their number in gRPC.
    let missing = try await client.ctl(
      port: port, "get", "device:virtual-device,name:none,tdi-portin-id")
    #expect(missing.status == 5, "\(missing)")
    for name in names {
      let deleted = try await client.ctl(
        port: port, "del", "device:virtual-device,name:\(name)")
      #expect(deleted.status == 0, "\(deleted)")
      #expect(!exists(name))
    }
    #expect(try await server.stop() == 0)
  }

  @Test func misuseOfTheTool() async throws {
    let client = GNMIClient(server: try ServerProcess())
    for arguments in [
      [], ["get"], ["get", "name:a"], ["set", "device:virtual-device,name:a"],
      ["set", "device:virtual-device,name:a,mtu"], ["get", "device:toaster,name:a"],
      ["fly", "device:virtual-device,name:a"], ["cap", "--no-such-flag=1"],
      ["del", "device:virtual-device,name:a,/interfaces["],
    ] {
      let outcome = try await Command.run(
        [
          URL(fileURLWithPath: ServerProcess.program).deletingLastPathComponent()
            .appendingPathComponent("gnmi-ctl").path
        ] + arguments)
      #expect(outcome.status == 3, "\(arguments) \(outcome)")
      #expect(outcome.output.contains("usage"))
    }
    // A server that is not there.
    let outcome = try await client.ctl("cap")
    #expect(outcome.status == 14, "\(outcome)")
  }

  @Test func portsOfAKilledServer() async throws {
    let server = try ServerProcess()
    let client = GNMIClient(server: server)
    try await server.start(["--dataplane", "model"])
    let (home, moved, gone) = (
      NetworkNamespace.fresh("tap"), NetworkNamespace.fresh("tap"), NetworkNamespace.fresh("tap")
    )
    let veth = NetworkNamespace.fresh("veth")
    try await Command.check("ip", "link", "add", veth, "type", "veth", "peer", "name", veth + "p")
    for name in [gone, home, moved] {
      let outcome = try await client.ctl(
        "set", "device:virtual-device,name:\(name),host-name:h-\(name),mtu:1400,port-type:TAP")
      #expect(outcome.status == 0, "\(outcome)")
    }
    let link = try await client.ctl("set", "device:physical-device,name:\(veth),port-type:LINK")
    #expect(link.status == 0, "\(link)")
    let pending = try await client.ctl("set", "device:virtual-device,name:later,mtu:1300")
    #expect(pending.status == 0, "\(pending)")
    let deleted = try await client.ctl("del", "device:virtual-device,name:\(gone)")
    #expect(deleted.status == 0, "\(deleted)")

    let pod = try await Pod(moved, ip: "10.244.0.9", mac: "02:00:00:00:02:09")
    // The server writes down where interfaces are, once a second.
    let ports = URL(fileURLWithPath: server.state + "/ports.log")
    while try !String(decoding: Data(contentsOf: ports), as: UTF8.self).contains("eth0") {
      try await Task.sleep(for: .milliseconds(20))
    }
    for _ in 0..<2 {
      try await server.killHard()
      #expect(exists(home))
      try await server.start(["--dataplane", "model"])
      #expect(try await client.id(home) == 1)
      #expect(try await client.id(moved) == 2)
      #expect(try await client.id(veth) == 3)
      #expect(try await client.id(gone) == nil)
      #expect(!exists(moved), "it is in the pod, and not made again")
      let config = try await client.leaves(moved, "config")
      #expect(config["host-name"]?.stringVal == "h-\(moved)")
      #expect(config["mtu"]?.uintVal == 1400)
      #expect(try await client.leaves("later", "config")["mtu"]?.uintVal == 1300)
      #expect(try await client.leaves(veth, "config")["port-type"]?.stringVal == "LINK")
    }
    // The pod's interface works: what it sends arrives at the new server.
    _ = try? await pod.exec("ping", "-c", "1", "-W", "1", "10.244.0.7")
    #expect(try await client.leaves(moved, "state/counters")["in-pkts"]?.uintVal ?? 0 > 0)
    // A namespace that went away with the interface while no server ran.
    try await server.killHard()
    try await Command.check("ip", "netns", "del", pod.namespace.name)
    try await server.start(["--dataplane", "model"])
    #expect(try await client.id(moved) == 2)
    while !exists(moved) { try await Task.sleep(for: .milliseconds(20)) }
    // Deleting a LINK port leaves the interface to its owner.
    for name in [home, moved, veth] {
      let outcome = try await client.ctl("del", "device:virtual-device,name:\(name)")
      #expect(outcome.status == 0, "\(outcome)")
    }
    #expect(!exists(home) && !exists(moved) && exists(veth))
    try await Command.check("ip", "link", "del", veth)
    #expect(try await server.stop() == 0)
  }

  /// A TAP that was made in a pod is found there however soon the server is killed, and is
  /// forgotten with its pod.
  @Test func aPortInAPodOfAKilledServer() async throws {
    let server = try ServerProcess()
    let client = GNMIClient(server: server)
    try await server.start(["--dataplane", "model"])
    let pod = try await NetworkNamespace("pod")
    let name = NetworkNamespace.fresh("tap")
    let made = try await client.ctl(
      "set",
      "device:virtual-device,name:\(name),netns:/run/netns/\(pod.name),ifname:eth0,port-type:TAP")
    #expect(made.status == 0, "\(made)")
    try await server.killHard()
    let index = try await pod.exec("cat", "/sys/class/net/eth0/ifindex")
    try await server.start(["--dataplane", "model"])
    #expect(try await client.id(name) == 0)
    #expect(!exists(name))
    #expect(try await pod.exec("cat", "/sys/class/net/eth0/ifindex") == index)
    #expect(try await client.leaves(name, "config")["ifname"]?.stringVal == "eth0")
    try await server.killHard()
    try await Command.check("ip", "netns", "del", pod.name)
    try await server.start(["--dataplane", "model"])
    #expect(try await client.id(name) == nil)
    #expect(!exists(name))
    #expect(try await server.stop() == 0)
  }

  /// A namespace without a name is found by its process, which has more capabilities than
  /// the server keeps.
  @Test func namespaceOfAProcess() async throws {
    let server = try ServerProcess()
    let client = GNMIClient(server: server)
    try await server.start(["--dataplane", "model"])
    let name = NetworkNamespace.fresh("tap")
    let made = try await client.ctl("set", "device:virtual-device,name:\(name),port-type:TAP")
    #expect(made.status == 0, "\(made)")
    let holder = try RunningProgram(["unshare", "--net", "sh", "-c", "echo ready; exec sleep 3600"])
    try await holder.wait(for: "ready")
    try await Command.check("ip", "link", "set", name, "netns", "\(holder.identifier)")
    let space = try FileManager.default.destinationOfSymbolicLink(
      atPath: "/proc/\(holder.identifier)/ns/net")
    let inode = try #require(space.firstMatch(of: /[0-9]+/)).output
    let ports = URL(fileURLWithPath: server.state + "/ports.log")
    while try !String(decoding: Data(contentsOf: ports), as: UTF8.self).contains(inode) {
      try await Task.sleep(for: .milliseconds(20))
    }
    try await server.killHard()
    try await server.start(["--dataplane", "model"])
    #expect(!exists(name), "it is where it was, and not made again")
    #expect(!server.log.contains("making it again"), "\(server.log)")
    #expect(try await client.id(name) == 0)
    #expect(try await server.stop() == 0)
  }

  @Test(arguments: SurvivalTests.engines)
  func countersOfRealTraffic(_ engine: String) async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", engine])
    let client = GNMIClient(server: server)
    let name = NetworkNamespace.fresh("tap")
    let set = try await client.ctl("set", "device:virtual-device,name:\(name),port-type:TAP")
    #expect(set.status == 0, "\(set)")
    #expect(try await client.leaves(name, "state")["oper-status"]?.stringVal == "DOWN")
    let pod = try await Pod(
      name, ip: "10.244.0.9", mac: "02:00:00:00:02:09", gatewayMAC: "02:00:00:00:00:01")
    // No pipeline yet: frames are dropped for that reason, and counted.
    _ = try? await pod.exec("ping", "-c", "3", "-i", "0.05", "-W", "1", "10.244.0.7")
    let counters = try await client.leaves(name, "state/counters")
    #expect(counters["in-pkts"]?.uintVal == 3)
    #expect(counters["in-octets"]?.uintVal == 3 * 98)
    #expect(counters["in-discards"]?.uintVal == 3)
    #expect(counters["no_pipeline"]?.uintVal == 3)
    #expect(try await client.leaves(name, "state")["oper-status"]?.stringVal == "UP")
    try await TestController.run(try TestController.unix(server.socket)) { try await $0.push() }
    _ = try? await pod.exec("ping", "-c", "2", "-i", "0.05", "-W", "1", "10.244.0.7")
    let after = try await client.leaves(name, "state/counters")
    #expect(after["in-pkts"]?.uintVal == 5)
    #expect(after["no_pipeline"]?.uintVal == 3)
    let deleted = try await client.ctl("del", "device:virtual-device,name:\(name)")
    #expect(deleted.status == 0)
    #expect(try await server.stop() == 0)
  }

  @Test func aSubscriptionThatStaysOpenDoesNotKeepTheServer() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    let client = GNMIClient(server: server)
    let name = NetworkNamespace.fresh("tap")
    let watching = try client.start("sub-onchange", "device:virtual-device,name:\(name)")
    try await watching.wait(for: "sync_response: true")
    let sampling = try client.start(
      "--interval", "100", "sub-sample",
      "device:virtual-device,name:\(name),/interfaces/virtual-interface[name=\(name)]/state/counters"
    )
    try await sampling.wait(for: "sync_response: true")
    let set = try await client.ctl("set", "device:virtual-device,name:\(name),port-type:TAP")
    #expect(set.status == 0, "\(set)")
    try await watching.wait(for: "string_val: \"TAP\"")
    try await sampling.wait(for: "in-octets")
    let deleted = try await client.ctl("del", "device:virtual-device,name:\(name)")
    #expect(deleted.status == 0, "\(deleted)")
    try await watching.wait(for: "delete {")
    #expect(try await server.stop() == 0)
    _ = try await watching.rest()
    withExtendedLifetime(sampling) {}
  }

  /// The configuration comes back even when a port cannot, which is then forgotten.
  @Test func aPortThatCannotComeBack() async throws {
    let server = try ServerProcess()
    let client = GNMIClient(server: server)
    try await server.start(["--dataplane", "model"])
    let veth = NetworkNamespace.fresh("veth")
    try await Command.check("ip", "link", "add", veth, "type", "veth", "peer", "name", veth + "p")
    let link = try await client.ctl("set", "device:physical-device,name:\(veth),port-type:LINK")
    #expect(link.status == 0, "\(link)")
    let vhost = try await client.ctl("set", "device:virtual-device,name:\(veth)x,port-type:LINK")
    #expect(vhost.status == 12, "the tool makes it a vhost port: \(vhost)")
    try await server.killHard()
    try await Command.check("ip", "link", "del", veth)
    try await server.start(["--dataplane", "model"])
    #expect(server.log.contains("port cannot be restored"))
    #expect(try await client.id(veth) == nil)
    #expect(try await server.stop() == 0)
  }
}
