import Kubernetes
import KubernetesTesting
import Synchronization
import Testing

/// List and watch against a server that does what real ones do at the worst moment.
@Suite struct ReflectorTests {
  static func service(_ number: Int, port: Int) -> Service {
    Service(
      metadata: ObjectMetadata(name: "s\(number)", namespace: "default"),
      spec: Service.Spec(clusterIP: "10.96.0.\(number % 250 + 1)", ports: [.init(port: port)]))
  }

  static func plain(_ service: Service) -> Service {
    var service = service
    service.metadata.resourceVersion = nil
    return service
  }

  /// Runs a test with a reflector on a server.
  private func with(
    _ body: @Sendable (APIServer, Mirror<Service>) async throws -> Void
  ) async throws {
    let server = try await APIServer()
    let mirror = Mirror<Service>()
    let follower = Task { try await mirror.follow(server.kubeconfig) }
    defer { follower.cancel() }
    try await body(server, mirror)
  }

  /// Whatever happens in whatever order, in the end both have the same.
  @Test(arguments: 0..<4 as Range<UInt64>)
  func randomEvents(_ seed: UInt64) async throws {
    try await with { server, mirror in
      var random = Random(seed)
      var wanted: [ObjectName: Service] = [:]
      for step in 0..<300 {
        let service = Self.service(Int.random(in: 0..<40, using: &random), port: step + 1)
        switch Int.random(in: 0..<20, using: &random) {
        case 0: server.cut()
        case 1: server.expireWatches()
        case 2: server.compact()
        case 3: server.bookmark()
        case 4: try server.setToken("token \(step)")
        case 5..<9:
          wanted[service.objectName] = nil
          server.delete(Service.self, service.objectName)
        default:
          wanted[service.objectName] = service
          server.put(service)
        }
        if step % 100 == 99 { try await mirror.reach(wanted, Self.plain) }
      }
      try await mirror.reach(wanted, Self.plain)
    }
  }

  @Test func pages() async throws {
    let server = try await APIServer()
    var wanted: [ObjectName: Service] = [:]
    for number in 0..<1_201 {
      let service = Self.service(number, port: 80)
      wanted[service.objectName] = service
      server.put(service)
    }
    let mirror = Mirror<Service>()
    let follower = Task { try await mirror.follow(server.kubeconfig) }
    defer { follower.cancel() }
    try await mirror.reach(wanted, Self.plain)
    #expect(server.lists == 1)
    #expect(await mirror.events == 1)
  }

  /// A lost connection goes on where it was; there is no new list and no event twice.
  @Test func aLostConnectionGoesOn() async throws {
    try await with { server, mirror in
      var wanted: [ObjectName: Service] = [:]
      for step in 0..<10 {
        let service = Self.service(step, port: 80)
        wanted[service.objectName] = service
        server.put(service)
        try await mirror.reach(wanted, Self.plain)
        server.cut()
      }
      #expect(server.lists == 1)
      // The first list may have had the first Service.
      #expect(await (10...11).contains(mirror.events))
    }
  }

  /// A connection that is dead without a word: what happened meanwhile comes by the next one.
  @Test func silence() async throws {
    let server = try await APIServer()
    let mirror = Mirror<Service>()
    let failures = Atomic(0)
    let follower = Task {
      try await mirror.follow(server.kubeconfig, silence: .milliseconds(300)) { event in
        if case .failed = event { failures.add(1, ordering: .relaxed) }
      }
    }
    defer { follower.cancel() }
    var first = Self.service(1, port: 1)
    let second = Self.service(2, port: 2)
    server.put(first)
    try await mirror.reach([first.objectName: first], Self.plain)
    // After the list, it comes by the watch.
    first.spec?.clusterIP = "10.96.7.7"
    server.put(first)
    try await mirror.reach([first.objectName: first], Self.plain)
    server.mute()
    server.put(second)
    try await mirror.reach([first.objectName: first, second.objectName: second], Self.plain)
    #expect(failures.load(ordering: .relaxed) >= 1 && server.lists == 1)
  }

  /// What was deleted while the server forgot is gone after the new list.
  @Test func goneMeansANewList() async throws {
    try await with { server, mirror in
      var first = Self.service(1, port: 1)
      let second = Self.service(2, port: 2)
      server.put(first)
      try await mirror.reach([first.objectName: first], Self.plain)
      // After the list, it comes by the watch; that one hears no more, and has to come again.
      first.spec?.clusterIP = "10.96.7.7"
      server.put(first)
      try await mirror.reach([first.objectName: first], Self.plain)
      server.mute()
      server.delete(Service.self, first.objectName)
      server.put(second)
      server.compact()
      server.cut()
      try await mirror.reach([second.objectName: second], Self.plain)
      #expect(server.lists == 2)
    }
  }

  /// A bookmark spares the list after the server has forgotten the rest.
  @Test func bookmarks() async throws {
    let server = try await APIServer()
    let mirror = Mirror<Node>()
    var node = Node(metadata: ObjectMetadata(name: "n1"), spec: .init(podCIDR: "10.244.0.0/24"))
    server.put(node)
    let follower = Task {
      try await mirror.follow(server.kubeconfig, selector: "metadata.name=n1")
    }
    defer { follower.cancel() }
    func plain(_ node: Node) -> Node {
      var node = node
      node.metadata.resourceVersion = nil
      return node
    }
    try await mirror.reach([node.objectName: node], plain)
    // After the list, it comes by the watch.
    node.spec?.podCIDR = "10.244.9.0/24"
    server.put(node)
    try await mirror.reach([node.objectName: node], plain)
    // Others' changes, of which this watch is not told.
    for number in 0..<10 { server.put(Self.service(number, port: 80)) }
    server.bookmark()
    server.compact()
    // Until the bookmark has come a cut would lose it.
    var changed = node
    changed.spec?.podCIDR = "10.244.1.0/24"
    server.put(changed)
    try await mirror.reach([node.objectName: changed], plain)
    server.cut()
    changed.spec?.podCIDR = "10.244.2.0/24"
    server.put(changed)
    try await mirror.reach([node.objectName: changed], plain)
    #expect(server.lists == 1)
  }

  /// A token that is not valid any more is read again.
  @Test func aNewToken() async throws {
    try await with { server, mirror in
      let service = Self.service(1, port: 80)
      server.put(service)
      try await mirror.reach([service.objectName: service], Self.plain)
      try server.setToken("second", inFile: false)
      server.cut()
      var changed = service
      changed.spec?.clusterIP = "10.96.7.7"
      server.put(changed)
      let events = await mirror.events
      try await Task.sleep(for: .milliseconds(50))
      #expect(await mirror.events == events)
      try server.setToken("second")
      try await mirror.reach([service.objectName: changed], Self.plain)
    }
  }
}

/// Random numbers that a seed repeats (SplitMix64).
struct Random: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
