import ClusterTesting
import Foundation
import NodeTesting
import Testing

/// infra-cni against the CNI specification 1.0.0 and 1.1.0, with Debian's plugins beside it.
@Suite(.serialized, .enabled(if: Requirements.missing == nil, "\(Requirements.missing ?? "")"))
struct CNIPluginTests {
  /// What the plugin prints.
  private struct Answer: Decodable {
    struct Interface: Decodable {
      var name: String
      var mac: String?
      var sandbox: String?
    }
    struct IP: Decodable {
      var address: String
      var gateway: String?
      var interface: Int?
    }
    struct Route: Decodable {
      var dst: String
      var gw: String?
    }
    struct DNS: Decodable {
      var nameservers: [String]?
    }
    var cniVersion: String
    var supportedVersions: [String]?
    var interfaces: [Interface]?
    var ips: [IP]?
    var routes: [Route]?
    var dns: DNS?
    var code: Int?
    var msg: String?
    var details: String?
  }

  private func answer(_ outcome: Command.Outcome) throws -> Answer {
    try JSONDecoder().decode(Answer.self, from: Data(outcome.output.utf8))
  }

  /// A configuration with other values for some keys.
  private func network(_ node: ClusterNode, _ changes: [String: Any?]) throws -> String {
    let data = Data(node.network.utf8)
    var object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    for (key, value) in changes { object[key] = value }
    return String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
  }

  /// The configuration with what ADD answered, as a runtime passes it on.
  private func network(_ node: ClusterNode, after add: Command.Outcome) throws -> String {
    try network(
      node, ["prevResult": try JSONSerialization.jsonObject(with: Data(add.output.utf8))])
  }

  /// An IPAM plugin of version 1.1.0, which Debian 12 does not have: a stand-in that gives
  /// one address and writes down what it was asked.
  private func standIn(_ node: ClusterNode, answers: String) throws -> (path: String, log: String) {
    let folder = node.folder + "/ipam-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let log = folder + "/log"
    try """
    #!/bin/sh
    cat > /dev/null
    echo "$CNI_COMMAND $CNI_CONTAINERID" >> \(log)
    [ "$CNI_COMMAND" != ADD ] || echo '\(answers)'
    """.write(toFile: folder + "/stand-in", atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: folder + "/stand-in")
    return (folder, log)
  }

  private func leases(_ node: ClusterNode) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: node.leases + "/infra")
      .filter { $0.hasPrefix("10.") }
  }

  @Test("ADD, CHECK, DEL of version 1.0.0 with host-local") func lifecycle() async throws {
    let node = try await ClusterNode("model")
    let pod = try await NetworkNamespace("pod")
    let netns = "/run/netns/\(pod.name)"
    let add = try await node.cni("ADD", "one", netns: netns)
    #expect(add.status == 0, "\(add)")
    let result = try answer(add)
    #expect(result.cniVersion == "1.0.0")
    let interface = try #require(result.interfaces?.first)
    #expect(interface.name == "eth0" && interface.sandbox == netns)
    let link = try await pod.exec("ip", "link", "show", "dev", "eth0")
    #expect(link.contains(try #require(interface.mac)), "\(link)")
    let ip = try #require(result.ips?.first)
    #expect(ip.address == "10.244.0.2/32" && ip.gateway == "169.254.1.1" && ip.interface == 0)
    #expect(result.routes?.map(\.dst) == ["0.0.0.0/0"])
    // Each ADD is one attachment.
    #expect(try answer(try await node.cni("ADD", "one", netns: netns)).code == 101)
    #expect(try leases(node) == ["10.244.0.2"])

    let after = try network(node, after: add)
    func check() async throws -> Command.Outcome {
      try await node.cni("CHECK", "one", netns: netns, network: after)
    }
    #expect(try await check().status == 0)
    try await pod.exec("ip", "route", "del", "default")
    #expect(try answer(try await check()).code == 102)
    try await pod.exec("ip", "link", "set", "eth0", "down")
    #expect(try answer(try await check()).code == 102)
    // CHECK cannot do without what ADD answered.
    #expect(try answer(try await node.cni("CHECK", "one", netns: netns)).code == 7)

    for _ in 1...2 { #expect(try await node.cni("DEL", "one", netns: netns).status == 0) }
    #expect(try leases(node) == [])
    #expect(try await Command.run(pod.command(["ip", "link", "show", "eth0"])).status != 0)
    // Of a container that never was, and of one without a namespace.
    #expect(try await node.cni("DEL", "other", netns: netns).status == 0)
    #expect(try await node.cni("DEL", "other", netns: "").status == 0)
  }

  @Test("DEL when the namespace is gone") func namespaceGone() async throws {
    let node = try await ClusterNode("model")
    for netns in ["as told", "not told"] {
      let pod = try await NetworkNamespace("pod")
      let path = "/run/netns/\(pod.name)"
      #expect(try await node.cni("ADD", "one", netns: path).status == 0)
      // A plugin that is killed while it writes leaves what was there before.
      let file = try #require(
        FileHandle(forWritingAtPath: node.attachments + "/infra/one+eth0.json"))
      try file.seekToEnd()
      try file.write(contentsOf: Data("\n{\"netns\":".utf8))
      try file.close()
      try await Command.check("ip", "netns", "del", pod.name)
      let outcome = try await node.cni("DEL", "one", netns: netns == "as told" ? path : "")
      #expect(outcome.status == 0, "\(outcome)")
      #expect(try leases(node) == [])
    }
  }

  @Test("GC and STATUS of version 1.1.0") func garbageCollection() async throws {
    let node = try await ClusterNode("model")
    let ipam = try standIn(
      node, answers: #"{"cniVersion":"1.1.0","ips":[{"address":"10.244.0.9/24"}]}"#)
    let path = ["CNI_PATH": ipam.path]
    let base: [String: Any?] = ["cniVersion": "1.1.0", "ipam": ["type": "stand-in"]]
    let pod = try await NetworkNamespace("pod")
    let netns = "/run/netns/\(pod.name)"
    func call(_ command: String, _ changes: [String: Any?] = [:]) async throws -> Command.Outcome {
      try await node.cni(
        command, "one", netns: netns,
        network: try self.network(node, base.merging(changes) { $1 }), environment: path)
    }
    #expect(try await call("STATUS").output == "")
    let add = try await call("ADD")
    #expect(try answer(add).cniVersion == "1.1.0", "\(add)")
    // One that the runtime knows stays; without the list nothing is touched.
    let known = ["containerID": "one", "ifname": "eth0"]
    #expect(try await call("GC", ["cni.dev/valid-attachments": [known]]).output == "")
    try await pod.exec("ip", "link", "show", "dev", "eth0")
    #expect(try answer(try await call("GC")).code == 7)
    try await pod.exec("ip", "link", "show", "dev", "eth0")
    #expect(try await call("GC", ["cni.dev/valid-attachments": []]).output == "")
    #expect(try await Command.run(pod.command(["ip", "link", "show", "eth0"])).status != 0)
    let asked = try String(contentsOfFile: ipam.log, encoding: .utf8)
    #expect(asked == "STATUS one\nADD one\nGC one\nDEL one\nGC one\n")
    // Without the agent an ADD would fail, and does, and its address is given back.
    try await node.kill(.infraagent)
    #expect(try answer(try await call("STATUS")).code == 50)
    let refused = try answer(try await call("ADD"))
    #expect(refused.code == 11)
    #expect(refused.details?.contains("see that infraagent runs") == true)
    #expect(try String(contentsOfFile: ipam.log, encoding: .utf8).hasSuffix("ADD one\nDEL one\n"))
    // Both came with version 1.1.0.
    for command in ["GC", "STATUS"] {
      #expect(try answer(try await node.cni(command, "one", netns: netns)).code == 1)
    }
  }

  /// Calls a plugin of Debian's as a runtime does.
  private func debian(
    _ plugin: String, _ command: String, _ container: String, netns: String, _ network: String
  ) async throws -> Command.Outcome {
    try await Command.run(
      [
        "env", "CNI_COMMAND=\(command)", "CNI_CONTAINERID=\(container)", "CNI_NETNS=\(netns)",
        "CNI_IFNAME=eth0", "CNI_PATH=/usr/lib/cni", "/usr/lib/cni/\(plugin)",
      ], input: network)
  }

  private func prevResult(_ outcome: Command.Outcome) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
  }

  @Test("Addresses of the static plugin") func staticAddresses() async throws {
    let node = try await ClusterNode("model")
    let pod = try await NetworkNamespace("pod")
    let netns = "/run/netns/\(pod.name)"
    let ipam: [String: Any] = [
      "type": "static", "addresses": [["address": "10.244.0.200/24", "gateway": "10.244.0.1"]],
      "routes": [["dst": "0.0.0.0/0"]], "dns": ["nameservers": ["10.96.0.2"]],
    ]
    let network = try network(node, ["ipam": ipam])
    let add = try await node.cni("ADD", "one", netns: netns, network: network)
    let result = try answer(add)
    #expect(result.ips?.map(\.address) == ["10.244.0.200/32"], "\(add)")
    #expect(result.routes?.map(\.dst) == ["0.0.0.0/0"])
    #expect(result.dns?.nameservers == ["10.96.0.2"])
    try await node.namespace.exec("ping", "-c", "1", "-W", "5", "10.244.0.200")
    // It asks for the gateway that it gave, and the pod has another.
    let after = try self.network(node, ["ipam": ipam, "prevResult": try prevResult(add)])
    let check = try await node.cni("CHECK", "one", netns: netns, network: after)
    #expect(check.status == 0, "\(check)")
    // It remembers nothing: that another pod has the address is for us to say.
    let other = try await NetworkNamespace("pod")
    let refused = try await node.cni(
      "ADD", "two", netns: "/run/netns/\(other.name)", network: network)
    #expect(try answer(refused).details?.contains("10.244.0.200 is the address of") == true)
    #expect(try await node.cni("DEL", "one", netns: netns, network: after).status == 0)
    #expect(
      try await node.cni("ADD", "two", netns: "/run/netns/\(other.name)", network: network).status
        == 0)
  }

  @Test("Chained before and behind other plugins") func chained() async throws {
    let node = try await ClusterNode("model")
    let pod = try await NetworkNamespace("pod")
    let netns = "/run/netns/\(pod.name)"
    // Debian's loopback before us, its tuning behind us, which takes the result, works on the
    // interface in it, and passes it on.
    func configuration(_ type: String, after before: Command.Outcome?) throws -> String {
      var changes: [String: Any?] = ["type": type]
      if type != "infra-cni" { changes["ipam"] = .some(nil) }
      if type == "tuning" {
        changes["sysctl"] = ["net.ipv4.conf.eth0.arp_notify": "1"]
        changes["mtu"] = 1300
      }
      if let before { changes["prevResult"] = try prevResult(before) }
      return try network(node, changes)
    }
    let first = try await debian(
      "loopback", "ADD", "one", netns: netns, try configuration("loopback", after: nil))
    #expect(try answer(first).interfaces?.map(\.name) == ["lo"], "\(first)")
    let second = try await node.cni(
      "ADD", "one", netns: netns, network: try configuration("infra-cni", after: first))
    let third = try await debian(
      "tuning", "ADD", "one", netns: netns, try configuration("tuning", after: second))
    let all = try answer(third)
    #expect(all.interfaces?.map(\.name) == ["lo", "eth0"], "\(third)")
    #expect(
      all.ips?.first { $0.address == "10.244.0.2/32" }?.interface == 1
        && all.ips?.first { $0.address == "127.0.0.1/8" }?.interface == 0, "\(third)")
    #expect(try await pod.exec("ip", "link", "show", "eth0").contains("mtu 1300"))
    // Each is asked about the result of them all, and goes in the other order.
    for command in ["CHECK", "DEL"] {
      for type in command == "CHECK"
        ? ["loopback", "infra-cni", "tuning"] : ["tuning", "infra-cni"]
      {
        let network = try configuration(type, after: third)
        let outcome =
          type == "infra-cni"
          ? try await node.cni(command, "one", netns: netns, network: network)
          : try await debian(type, command, "one", netns: netns, network)
        #expect(outcome.status == 0, "\(command) of \(type): \(outcome)")
      }
    }
    // Behind one that has given an address: none of Debian's does so and leaves the interface
    // to others.
    let behind = try network(
      node,
      [
        "ipam": nil,
        "prevResult": [
          "cniVersion": "1.0.0", "interfaces": [["name": "dummy0"]],
          "ips": [["address": "10.244.0.77/24"]],
        ] as [String: Any],
      ])
    let last = try await node.cni("ADD", "two", netns: netns, network: behind)
    let result = try answer(last)
    #expect(result.interfaces?.map(\.name) == ["dummy0", "eth0"], "\(last)")
    #expect(result.ips?.map(\.address) == ["10.244.0.77/32"])
    #expect(result.ips?.first?.interface == 1)
    // Without either nobody gives addresses.
    let nobody = try network(node, ["ipam": nil])
    let other = try await NetworkNamespace("pod")
    let refused = try await node.cni(
      "ADD", "three", netns: "/run/netns/\(other.name)", network: nobody)
    #expect(try answer(refused).code == 7)
  }

  @Test("Hostile and mistaken requests: the specification's codes") func misuse() async throws {
    let node = try await ClusterNode("model")
    let pod = try await NetworkNamespace("pod")
    let netns = "/run/netns/\(pod.name)"
    let bad = try standIn(node, answers: "no JSON at all")
    let six = try standIn(
      node, answers: #"{"cniVersion":"1.0.0","ips":[{"address":"fd00::9/64"}]}"#)
    let full: [String: Any?] = [
      "ipam": [
        "type": "host-local", "subnet": "10.244.9.0/30", "dataDir": node.folder + "/small",
      ]
    ]
    let standIn: [String: Any?] = ["ipam": ["type": "stand-in"]]
    let cases: [(code: Int, environment: [String: String], network: String?)] = [
      (4, ["CNI_COMMAND": "EXPLODE"], nil), (4, ["CNI_CONTAINERID": ""], nil),
      (4, ["CNI_CONTAINERID": "../../etc"], nil), (4, ["CNI_IFNAME": "../eth0"], nil),
      (4, ["CNI_IFNAME": "a-name-that-is-too-long"], nil), (4, ["CNI_NETNS": ""], nil),
      (4, ["CNI_PATH": ""], nil), (3, ["CNI_NETNS": "/run/netns/none-such"], nil),
      (3, ["CNI_NETNS": "/dev/null"], nil), (6, [:], "{"), (6, [:], "[]"), (6, [:], ""),
      (6, [:], String(repeating: "[", count: 100_000)),
      (1, [:], try network(node, ["cniVersion": "0.3.1"])),
      (1, [:], try network(node, ["cniVersion": "9.0.0"])),
      (7, [:], try network(node, ["name": "../x"])),
      (7, [:], try network(node, ["dataDir": "here"])),
      (6, [:], try network(node, ["mtu": "large"])),
      (7, [:], try network(node, ["agent": "nowhere"])),
      (7, [:], try network(node, ["ipam": ["type": "../stand-in"]])),
      (7, [:], try network(node, ["ipam": ["type": "none-such"]])),
      (103, ["CNI_PATH": bad.path], try network(node, standIn)),
      (7, ["CNI_PATH": six.path], try network(node, standIn)),
    ]
    for (code, environment, network) in cases {
      let outcome = try await node.cni(
        "ADD", "one", netns: netns, network: network, environment: environment)
      let error = try? answer(outcome)
      #expect(
        outcome.status == 1 && error?.code == code && error?.msg?.isEmpty == false,
        "wanted \(code) for \(environment) \(network?.prefix(200) ?? ""): \(outcome)")
    }
    // An address that could not be used was given back.
    #expect(try String(contentsOfFile: six.log, encoding: .utf8) == "ADD one\nDEL one\n")
    // A range that is used up: what host-local says goes to the runtime.
    let small = try network(node, full)
    #expect(try await node.cni("ADD", "one", netns: netns, network: small).status == 0)
    let other = try await NetworkNamespace("pod")
    let refused = try await node.cni(
      "ADD", "two", netns: "/run/netns/\(other.name)", network: small)
    #expect(try answer(refused).msg?.contains("no IP addresses available") == true, "\(refused)")
    #expect(try await Command.run(other.command(["ip", "link", "show", "eth0"])).status != 0)
    // All that has changed nothing for others.
    #expect(try await node.cni("DEL", "one", netns: netns, network: small).status == 0)
    #expect(try await node.cni("ADD", "one", netns: netns).status == 0)
    #expect(try await node.check().hasSuffix("200"))
  }

  @Test("VERSION, and help") func version() async throws {
    let program = ClusterNode.products.appendingPathComponent("infra-cni").path
    for version in ["0.4.0", "1.0.0", "1.1.0", "2.0.0"] {
      let outcome = try await Command.run(
        ["env", "CNI_COMMAND=VERSION", program], input: #"{"cniVersion":"\#(version)"}"#)
      #expect(outcome.status == 0)
      let result = try answer(outcome)
      #expect(result.cniVersion == version)
      #expect(result.supportedVersions == ["1.0.0", "1.1.0"])
    }
    #expect(try await Command.run([program, "--help"]).output.contains("\"ipam\""))
    #expect(try answer(try await Command.run([program])).code == 4)
  }
}
