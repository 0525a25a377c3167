import Kubernetes
import Logging

/// What a reflector has told, put together.
actor Mirror<Object: KubernetesObject> {
  private(set) var objects: [ObjectName: Object] = [:]
  private(set) var events = 0
  /// Events that told of all objects.
  private(set) var lists = 0

  func take(_ change: Reflector<Object>.Change) {
    events += 1
    switch change {
    case .all(let all):
      lists += 1
      objects = all
    case .changed(let object): objects[object.objectName] = object
    case .deleted(let name): objects[name] = nil
    }
  }

  /// Follows a server until the task is cancelled.
  ///
  /// - Parameters:
  ///   - silence: of a watch, before it is given up.
  ///   - note: of the reflector.
  func follow(
    _ kubeconfig: String, selector: String? = nil, silence: Duration = .seconds(130),
    note: @escaping @Sendable (ReflectorEvent) -> Void = { _ in }
  ) async throws {
    let client = try KubernetesClient(try Cluster(kubeconfig: kubeconfig), silence: silence)
    await Reflector<Object>(
      client, selector: selector,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), note: note
    ).run { await self.take($0) }
    await client.shutdown()
  }

  /// Waits until it has these, without their versions.
  ///
  /// - Parameter isAsked: whether an object counts.
  func reach(
    _ wanted: [ObjectName: Object], _ plain: (Object) -> Object,
    of isAsked: (ObjectName) -> Bool = { _ in true }
  ) async throws {
    while objects.filter({ isAsked($0.key) }).mapValues(plain) != wanted {
      try await Task.sleep(for: .milliseconds(2))
    }
  }
}
