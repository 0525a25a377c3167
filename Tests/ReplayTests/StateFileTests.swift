import Core
import Testing

@testable import Replay

@Suite struct StateFileTests {
  static let example = """
    apiVersion: k8sdp/v1
    gateway: {ip: 169.254.1.1, mac: "02:00:00:00:00:01", port: 0}
    host:    {ip: 200.1.1.2, mac: "02:00:00:00:01:02", port: 1}
    pods:
      - {name: client, ip: 10.244.0.6, mac: "02:00:00:00:02:06", port: 2}
      - {name: web-1,  ip: 10.244.0.7, mac: "02:00:00:00:02:07", port: 3}
    services:
      - name: web
        clusterIP: 10.96.0.80
        ports:
          - {protocol: TCP, port: 80, endpoints: ["10.244.0.7:8080"]}
    """

  func error(_ text: String) -> String {
    do {
      _ = try StateFile(yaml: text, path: "s.yaml")
      return "accepted"
    } catch { return error.description }
  }

  @Test func theExampleOfTheDesignIsRead() throws {
    let state = try StateFile(yaml: Self.example, path: "s.yaml")
    #expect(state.intent.gateway?.ip.description == "169.254.1.1")
    #expect(state.intent.host?.port == 1)
    #expect(state.intent.pods.map(\.name) == ["client", "web-1"])
    #expect(state.intent.pods[1].mac.value == 0x0200_0000_0207)
    let endpoint = Intent.Endpoint(address: IPv4Address(0x0AF4_0007), port: 8080, weight: 1)
    #expect(
      state.intent.services == [
        Intent.Service(
          name: "web", clusterIP: IPv4Address(0x0A60_0050),
          ports: [Intent.ServicePort(transport: .tcp, port: 80, endpoints: [endpoint])])
      ])
    let names = NameBook(state.intent)
    #expect(names.addresses[0x0AF4_0007] == "web-1")
    #expect(names.services[0x0A60_0050] == "web")
  }

  @Test func timersEventsAndWeightsAreRead() throws {
    let more = """

      timers: {tcpReset: 1, udpStream: 300}
      events:
        - {at: 0.000000001, pods: []}
        - at: 12.5
          services:
            - name: web
              clusterIP: 10.96.0.80
              ports:
                - protocol: UDP
                  port: 53
                  endpoints: [{address: 10.244.0.9, port: 53, weight: 0}]
      """
    let state = try StateFile(yaml: Self.example + more, path: "s.yaml")
    #expect(state.timers == [.tcpReset: 1, .udpStream: 300])
    #expect(state.events.map(\.at.nanoseconds) == [1, 12_500_000_000])
    #expect(state.events[0].intent.pods.isEmpty)
    #expect(state.events[0].intent.services == state.intent.services)
    #expect(state.events[1].intent.pods.isEmpty)
    #expect(state.events[1].intent.services[0].ports[0].endpoints[0].weight == 0)
    #expect(state.events[1].place == "s.yaml:15:5")
  }

  @Test(arguments: [
    ("port: 3}", "prot: 3}", "s.yaml:6:62: a pod has no key \"prot\"; did you mean \"port\"?"),
    ("k8sdp/v1", "k8sdp/v2", "s.yaml:1:13: apiVersion is k8sdp/v1, not \"k8sdp/v2\""),
    (
      "10.244.0.7,", "10.244.0.700,",
      "s.yaml:6:24: ip is an IPv4 address such as 10.244.0.6, not \"10.244.0.700\""
    ),
    (
      "10.244.0.7,", "224.0.0.1,",
      "s.yaml:6:24: ip is a unicast address, which 224.0.0.1 is not"
    ),
    (
      "10.244.0.7,", "10.244.0.6,",
      "s.yaml:6:24: address 10.244.0.6 is already used in line 5; give it to one only"
    ),
    (
      "10.96.0.80", "10.244.0.7",
      "s.yaml:9:16: address 10.244.0.7 is already used in line 6; give it to one only"
    ),
    (
      "name: web-1, ", "name: client, ",
      "s.yaml:6:12: pod name client is already used in line 5; give it to one only"
    ),
    (
      "port: 3}", "port: 2}",
      "s.yaml:6:68: pipeline port 2 is already used in line 5; give it to one only"
    ),
    (
      "port: 3}", "port: three}",
      "s.yaml:6:68: port of a pod is a whole number, not \"three\""
    ),
    ("port: 3}", "port: \"3\"}", "s.yaml:6:68: port of a pod is a whole number, not \"3\""),
    (
      "port: 3}", "port: 2147483648}",
      "s.yaml:6:68: port of a pod is 0 to 65535, not 2147483648"
    ),
    ("port: 3}", "port: [3]}", "s.yaml:6:68: port of a pod is a whole number, not a list"),
    (", port: 3}", "}", "s.yaml:6:5: a pod has no \"port\"; add it"),
    (
      "02:00:00:00:02:07", "02:00:00:00:02",
      "s.yaml:6:41: mac is six octets such as \"02:00:00:00:02:06\", not \"02:00:00:00:02\""
    ),
    (
      "02:00:00:00:02:07", "03:00:00:00:02:07",
      "s.yaml:6:41: mac is a unicast address, which 03:00:00:00:02:07 is not"
    ),
    ("TCP", "SCTP", "s.yaml:11:20: protocol is TCP or UDP, not \"SCTP\""),
    ("port: 80,", "port: 0,", "s.yaml:11:31: port of a service is 1 to 65535, not 0"),
    (
      "10.244.0.7:8080", "10.244.0.7",
      "s.yaml:11:47: an endpoint is \"ip:port\" such as \"10.244.0.7:8080\", not \"10.244.0.7\""
    ),
    (
      "[\"10.244.0.7:8080\"]", "[\"10.244.0.7:80\", \"10.244.0.7:80\"]",
      "s.yaml:11:64: endpoint 10.244.0.7:80 is already used in line 11; give it to one only"
    ),
    (
      "clusterIP", "clusterIp",
      "s.yaml:9:5: a service has no key \"clusterIp\"; did you mean \"clusterIP\"?"
    ),
    (
      "services:", "servers:",
      "s.yaml:7:1: the state file has no key \"servers\"; it takes apiVersion, gateway, host, "
        + "pods, services, timers, events, moment, tables, flows, updates, names"
    ),
    ("services:", "pods:", "s.yaml:4:1: key \"pods\" is given more than once; keep one"),
  ])
  func whatIsWrongIsNamedWithItsPlace(from: String, to: String, message: String) {
    let text = Self.example.replacing(from, with: to, maxReplacements: 1)
    #expect(error(text) == message)
  }

  @Test(arguments: [
    ("", "s.yaml:1:1: is empty; start with \"apiVersion: k8sdp/v1\""),
    (
      "[1]",
      "s.yaml:1:1: the state file is a mapping with apiVersion, gateway, host, pods, "
        + "services, timers, events, moment, tables, flows, updates, names, not a list"
    ),
    (
      "apiVersion: k8sdp/v1\npods: {a",
      "s.yaml:3:1: is not YAML: did not find expected ',' or "
        + "'}'; correct it"
    ),
    ("pods: []", "s.yaml:1:1: the state file has no \"apiVersion\"; add it"),
    ("apiVersion: k8sdp/v1\npods:\n", "s.yaml:2:6: pods is a list, not nothing"),
    ("apiVersion: k8sdp/v1\ntimers: {tcpReset: 0}", "s.yaml:2:20: tcpReset is 1 to 604800, not 0"),
    (
      "apiVersion: k8sdp/v1\nevents: [{at: 2, pods: []}, {at: 1, pods: []}]",
      "s.yaml:2:34: is earlier than the event above; put events in order of time"
    ),
    (
      "apiVersion: k8sdp/v1\nevents: [{at: 2}]",
      "s.yaml:2:10: an event changes nothing; give it gateway, host, pods, services"
    ),
    (
      "apiVersion: k8sdp/v1\nevents: [{at: 1e3, pods: []}]",
      "s.yaml:2:15: at is a number of seconds such as 12.5, not \"1e3\""
    ),
  ])
  func otherFilesAreRefused(text: String, message: String) {
    #expect(error(text) == message)
  }

  @Test func everyTruncationIsAnErrorOrAState() {
    let text = Array(Self.example.utf8)
    for end in text.indices { _ = error(String(decoding: text[..<end], as: UTF8.self)) }
    let deep = String(repeating: "[", count: 20_000)
    #expect(error(deep).hasPrefix("s.yaml"))
    #expect(error("apiVersion: k8sdp/v1\npods: &a [*a]").hasPrefix("s.yaml"))
  }
}
