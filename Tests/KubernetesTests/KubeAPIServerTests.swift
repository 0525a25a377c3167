import Foundation
import Kubernetes
import KubernetesTesting
import Testing

/// List and watch against a real kube-apiserver on a real etcd, with the rights that the
/// manifests give the agent.
@Suite(
  .serialized, .enabled(if: KubeAPIServer.missing == nil, "\(KubeAPIServer.missing ?? "")"))
struct KubeAPIServerTests {
  /// As our objects are when the server has filled in what it likes.
  private static func plain(_ service: Service) -> Service {
    var plain = ReflectorTests.service(0, port: service.spec?.ports?.first?.port ?? 0)
    plain.metadata.name = service.metadata.name
    plain.spec?.clusterIP = service.spec?.clusterIP
    return plain
  }

  /// Waits until the mirror has these beside the server's own.
  private static func reach(
    _ mirror: Mirror<Service>, _ wanted: [ObjectName: Service]
  ) async throws {
    let own = ObjectName("default", "kubernetes")
    try await mirror.reach(wanted.mapValues(plain), plain, of: { $0 != own })
  }

  @Test func randomEvents() async throws {
    let server = try await KubeAPIServer()
    let mirror = Mirror<Service>()
    let follower = Task { try await mirror.follow(server.kubeconfig) }
    defer { follower.cancel() }
    var random = Random(1)
    var wanted: [ObjectName: Service] = [:]
    for step in 0..<120 {
      let service = ReflectorTests.service(Int.random(in: 1..<20, using: &random), port: step + 1)
      switch Int.random(in: 0..<20, using: &random) {
      case 0, 1: try await server.cut()
      case 2: try await server.compact()
      case 3..<8:
        wanted[service.objectName] = nil
        try await server.delete(Service.self, service.objectName)
      default:
        wanted[service.objectName] = service
        try await server.put(service)
      }
      if step % 40 == 39 { try await Self.reach(mirror, wanted) }
    }
    try await Self.reach(mirror, wanted)
  }

  /// The server is away, its cluster goes on by another one, and etcd forgets what happened:
  /// 410 Gone, and a new list.
  @Test func goneMeansANewList() async throws {
    let server = try await KubeAPIServer()
    let other = try await server.another()
    let mirror = Mirror<Service>()
    let follower = Task { try await mirror.follow(server.kubeconfig) }
    defer { follower.cancel() }
    let (first, second) = (ReflectorTests.service(1, port: 1), ReflectorTests.service(2, port: 2))
    try await server.put(first)
    try await Self.reach(mirror, [first.objectName: first])
    #expect(await mirror.lists == 1)
    server.stop()
    try await other.delete(Service.self, first.objectName)
    try await other.put(second)
    try await other.compact()
    try await server.start()
    try await Self.reach(mirror, [second.objectName: second])
    #expect(await mirror.lists == 2)
  }

  /// A connection that breaks goes on where it was: there is no other list.
  @Test func aLostConnectionGoesOn() async throws {
    let server = try await KubeAPIServer()
    let mirror = Mirror<Service>()
    let follower = Task { try await mirror.follow(server.kubeconfig) }
    defer { follower.cancel() }
    var wanted: [ObjectName: Service] = [:]
    for step in 1...5 {
      let service = ReflectorTests.service(step, port: 80)
      wanted[service.objectName] = service
      try await server.put(service)
      try await Self.reach(mirror, wanted)
      try await server.cut()
    }
    #expect(await mirror.lists == 1)
  }

  @Test func pages() async throws {
    let server = try await KubeAPIServer()
    var wanted: [ObjectName: EndpointSlice] = [:]
    for number in 0..<520 {
      let slice = EndpointSlice(
        metadata: ObjectMetadata(
          name: "s\(number)", namespace: "default",
          labels: [EndpointSlice.serviceLabel: "s\(number)"]),
        endpoints: [.init(addresses: ["10.244.0.\(number % 250 + 1)"])], ports: [.init(port: 80)])
      wanted[slice.objectName] = slice
      try await server.put(slice)
    }
    let mirror = Mirror<EndpointSlice>()
    let follower = Task { try await mirror.follow(server.kubeconfig) }
    defer { follower.cancel() }
    func plain(_ slice: EndpointSlice) -> EndpointSlice {
      EndpointSlice(
        metadata: ObjectMetadata(
          name: slice.metadata.name, namespace: slice.metadata.namespace,
          labels: slice.metadata.labels),
        endpoints: slice.endpoints?.map { .init(addresses: $0.addresses) },
        ports: slice.ports?.map { .init(port: $0.port) })
    }
    try await mirror.reach(wanted, plain)
    #expect(await mirror.lists == 1)
  }

  @Test func theNodesOwnObject() async throws {
    let server = try await KubeAPIServer()
    for (name, prefix) in [("n1", "10.244.0.0/24"), ("n2", "10.244.1.0/24")] {
      try await server.put(Node(metadata: ObjectMetadata(name: name), spec: .init(podCIDR: prefix)))
    }
    let mirror = Mirror<Node>()
    let follower = Task { try await mirror.follow(server.kubeconfig, selector: "metadata.name=n2") }
    defer { follower.cancel() }
    while await mirror.objects.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
    #expect(await mirror.objects.values.map(\.podCIDRs) == [["10.244.1.0/24"]])
  }

  /// What the real authorizer says of the manifests' rights.
  @Test func theRightsOfTheManifests() async throws {
    let server = try await KubeAPIServer()
    let token = try server.token()
    let group = "/apis/discovery.k8s.io/v1"
    for (path, status) in [
      ("/api/v1/services", 200), ("/api/v1/nodes", 200), ("\(group)/endpointslices", 200),
      ("/api/v1/secrets", 403), ("/api/v1/configmaps", 403), ("/api/v1/pods", 403),
      ("/api/v1/namespaces/default/services/kubernetes", 403),
      ("/apis/networking.k8s.io/v1/networkpolicies", 403),
    ] {
      #expect(try await server.ask("GET", path, token: token).status == status, "\(path)")
    }
    for method in ["POST", "DELETE"] {
      let path = "/api/v1/namespaces/default/services"
      #expect(try await server.ask(method, path, "{}", token: token).status == 403)
    }
    #expect(try await server.ask("GET", "/api/v1/services", token: "nobody").status == 401)
  }

  /// A reader without rights is told what to do, and goes on when it has them.
  @Test func aReaderWithoutRights() async throws {
    let server = try await KubeAPIServer()
    let binding =
      "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/infraagent-cluster-role-binding"
    let before = try await server.ask("GET", binding)
    #expect(try await server.ask("DELETE", binding).status == 200)
    let client = try KubernetesClient(try Cluster(kubeconfig: server.kubeconfig))
    // The authorizer follows its own watch.
    var refusal: KubernetesError?
    while refusal == nil {
      do { _ = try await client.list(Service.self) } catch let error as KubernetesError {
        refusal = error
      }
    }
    #expect(refusal?.code == .refused)
    #expect(refusal?.message.contains("(RBAC)") == true, "\(refusal?.message ?? "")")
    await client.shutdown()
    let mirror = Mirror<Service>()
    let follower = Task { try await mirror.follow(server.kubeconfig) }
    defer { follower.cancel() }
    let tree = try JSONSerialization.jsonObject(with: Data(before.body.utf8)) as? [String: Any]
    var object = try #require(tree)
    object["metadata"] = ["name": "infraagent-cluster-role-binding"]
    let body = try JSONSerialization.data(withJSONObject: object)
    let made = try await server.ask(
      "POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
      String(decoding: body, as: UTF8.self))
    #expect(made.status == 201, "\(made)")
    while await mirror.lists == 0 { try await Task.sleep(for: .milliseconds(10)) }
  }
}
