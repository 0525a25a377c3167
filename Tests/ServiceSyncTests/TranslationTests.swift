import Core
import Kubernetes
import ServiceSync
import Testing

/// What a Service and its slices come to, case by case as kube-proxy has it.
@Suite struct TranslationTests {
  typealias Conditions = EndpointSlice.Conditions

  static func service(
    _ spec: Service.Spec = .init(
      clusterIP: "10.96.0.10", ports: [.init(name: "web", port: 80)]),
    labels: [String: String]? = nil
  ) -> Service {
    Service(metadata: .init(name: "web", namespace: "default", labels: labels), spec: spec)
  }

  static func slice(
    _ endpoints: [EndpointSlice.Endpoint], type: String = "IPv4", labels: [String: String] = [:],
    ports: [EndpointSlice.Port] = [.init(name: "web", port: 8080)]
  ) -> EndpointSlice {
    EndpointSlice(
      metadata: .init(
        name: "web-1", namespace: "default",
        labels: labels.merging([EndpointSlice.serviceLabel: "web"]) { $1 }),
      addressType: type, endpoints: endpoints, ports: ports)
  }

  static func endpoint(
    _ address: String, ready: Bool? = nil, serving: Bool? = nil, terminating: Bool? = nil,
    node: String? = nil
  ) -> EndpointSlice.Endpoint {
    .init(
      addresses: [address],
      conditions: Conditions(ready: ready, serving: serving, terminating: terminating),
      nodeName: node)
  }

  private func translate(_ service: Service, _ slices: EndpointSlice...) -> [String] {
    ServiceTranslation.translate(service, slices, node: "here").map { translation in
      "\(translation.service) -> "
        + translation.endpoints.map { "\($0.address):\($0.port)" }.joined(separator: " ")
    }
  }

  @Test func readyAndNotReady() {
    #expect(
      translate(
        Self.service(),
        Self.slice([
          Self.endpoint("10.244.0.7", ready: true), Self.endpoint("10.244.0.6"),
          Self.endpoint("10.244.0.8", ready: false),
          Self.endpoint("10.244.0.9", ready: false, serving: true, terminating: true),
        ])) == ["10.96.0.10:80/TCP -> 10.244.0.6:8080 10.244.0.7:8080"])
  }

  /// Only when nobody is ready do those serve that are about to end.
  @Test func terminating() {
    #expect(
      translate(
        Self.service(),
        Self.slice([
          Self.endpoint("10.244.0.8", ready: false, serving: false, terminating: true),
          Self.endpoint("10.244.0.9", ready: false, serving: true, terminating: true),
          Self.endpoint("10.244.0.10", ready: false, serving: true, terminating: false),
        ])) == ["10.96.0.10:80/TCP -> 10.244.0.9:8080"])
    // What is not said of serving is true, of terminating false.
    #expect(
      translate(
        Self.service(),
        Self.slice([
          Self.endpoint("10.244.0.8", ready: false, terminating: true),
          Self.endpoint("10.244.0.9", ready: false, serving: true),
        ])) == ["10.96.0.10:80/TCP -> 10.244.0.8:8080"])
  }

  /// Several slices, the same endpoint in two of them, other families.
  @Test func severalSlices() {
    #expect(
      translate(
        Self.service(), Self.slice([Self.endpoint("10.244.0.7")]),
        Self.slice([Self.endpoint("10.244.0.7"), Self.endpoint("10.244.0.6")]),
        Self.slice([Self.endpoint("fd00::1")], type: "IPv6"),
        Self.slice([Self.endpoint("example.org")], type: "FQDN"),
        Self.slice([Self.endpoint("10.244.0.9")], labels: ["service.kubernetes.io/headless": ""])
      ) == ["10.96.0.10:80/TCP -> 10.244.0.6:8080 10.244.0.7:8080"])
  }

  /// Ports are found by name and protocol, each with its own target.
  @Test func severalPorts() {
    let spec = Service.Spec(
      clusterIP: "10.96.0.10",
      ports: [
        .init(name: "dns", protocol: "UDP", port: 53),
        .init(name: "dns-tcp", protocol: "TCP", port: 53),
        .init(name: "assoc", protocol: "SCTP", port: 9), .init(name: "none", port: 99),
      ])
    let slice = Self.slice(
      [Self.endpoint("10.244.0.7")],
      ports: [
        .init(name: "dns", protocol: "UDP", port: 1053),
        .init(name: "dns-tcp", protocol: "TCP", port: 2053),
        .init(name: "assoc", protocol: "SCTP", port: 9), .init(name: "dns", port: 1),
        .init(name: "any"),
      ])
    #expect(
      translate(Self.service(spec), slice) == [
        "10.96.0.10:53/UDP -> 10.244.0.7:1053", "10.96.0.10:53/TCP -> 10.244.0.7:2053",
        "10.96.0.10:99/TCP -> ",
      ])
  }

  @Test func localTraffic() {
    var service = Self.service()
    service.spec?.internalTrafficPolicy = "Local"
    #expect(
      translate(
        service,
        Self.slice([
          Self.endpoint("10.244.0.7", node: "there"), Self.endpoint("10.244.0.6", node: "here"),
        ])) == ["10.96.0.10:80/TCP -> 10.244.0.6:8080"])
  }

  @Test func dualStack() {
    let spec = Service.Spec(
      clusterIP: "fd00::10", clusterIPs: ["fd00::10", "10.96.0.10"], ports: [.init(port: 80)])
    #expect(translate(Self.service(spec)) == ["10.96.0.10:80/TCP -> "])
  }

  /// What no proxy, or another one, has to do with.
  @Test(arguments: [
    service(.init(clusterIP: "None", ports: [.init(port: 80)])),
    service(.init(clusterIP: "", ports: [.init(port: 80)])),
    service(.init(ports: [.init(port: 80)])),
    service(.init(clusterIP: "fd00::10", ports: [.init(port: 80)])),
    service(.init(type: "ExternalName", clusterIP: "10.96.0.10", ports: [.init(port: 80)])),
    service(labels: ["service.kubernetes.io/service-proxy-name": "other"]),
    service(labels: ["service.kubernetes.io/headless": ""]),
    service(.init(clusterIP: "10.96.0.10", ports: [.init(port: 0), .init(port: 65_536)])),
  ])
  func nothing(_ service: Service) {
    #expect(translate(service, Self.slice([Self.endpoint("10.244.0.7")])) == [])
  }
}
