import GNMIProtos

extension GNMIService {
  func get(_ request: Gnmi_GetRequest) async throws -> Gnmi_GetResponse {
    try Self.check(request.extension)
    try Self.check(request.useModels)
    let encoding = try TreeEncoding(request.encoding)
    let roles = try Self.roles(request.type, encoding)
    guard request.path.count <= limits.paths else {
      throw GNMIError(
        .resourceExhausted, "\(request.path.count) paths; at most \(limits.paths) in one Get")
    }
    var patterns: [PathPattern] = []
    var needed: Set<SchemaNode.Role> = []
    for path in request.path {
      let pattern = try PathPattern(path, prefix: request.prefix)
      for node in try InterfaceSchema.root.nodes(matching: pattern, else: pattern.errorWhenRead) {
        needed.formUnion(node.roles)
      }
      patterns.append(pattern)
    }
    let snapshot = await interfaces.snapshot(
      needed.isDisjoint(with: SchemaNode.Role.ofStatus) ? .none : .current)
    var room = limits.leaves
    var response = Gnmi_GetResponse()
    for pattern in patterns {
      response.notification.append(
        try notification(pattern, snapshot, roles, encoding, room: &room))
    }
    return response
  }

  /// The answer to one path.
  private func notification(
    _ pattern: PathPattern, _ snapshot: Snapshot, _ roles: Set<SchemaNode.Role>,
    _ encoding: TreeEncoding, room: inout Int
  ) throws -> Gnmi_Notification {
    let found = InterfaceSchema.root.select(pattern, in: .all(snapshot.interfaces))
    var notification = Gnmi_Notification.with {
      $0.timestamp = snapshot.timestamp
      if !pattern.target.isEmpty { $0.prefix.target = pattern.target }
    }
    var hasValue = false
    for selected in found {
      var leaves: [([PathStep], LeafValue)] = []
      var count = 0
      selected.forEachLeaf(of: Set(SchemaNode.Role.allCases)) { _, _ in count += 1 }
      hasValue = hasValue || count > 0
      room -= count
      guard room >= 0 else {
        throw GNMIError(
          .resourceExhausted,
          "more than \(limits.leaves) leaves; ask for less, or subscribe ONCE")
      }
      if encoding == .proto {
        selected.forEachLeaf(of: roles) { leaves.append(($0, $1)) }
        for (path, value) in leaves {
          notification.update.append(try Self.update(path, encoding.value(value)))
        }
      } else if case .leaf = selected.node.kind {
        selected.forEachLeaf(of: roles) { leaves.append(($0, $1)) }
        for (path, value) in leaves {
          notification.update.append(try Self.update(path, encoding.value(value.json(encoding))))
        }
      } else if let tree = selected.json(of: roles, encoding) {
        notification.update.append(try Self.update(selected.path, encoding.value(tree)))
      }
    }
    let isThere = hasValue || (pattern.isOpen && pattern.isPossible(in: snapshot))
    guard isThere else { throw GNMIError(.notFound, "\(pattern) is not there") }
    return notification
  }

  private static func update(_ path: [PathStep], _ value: Gnmi_TypedValue) -> Gnmi_Update {
    .with {
      $0.path = Gnmi_Path(path)
      $0.val = value
    }
  }

  private static func roles(
    _ type: Gnmi_GetRequest.DataType, _ encoding: TreeEncoding
  ) throws(GNMIError) -> Set<SchemaNode.Role> {
    // JSON tells entries of lists from each other by their keys.
    let keys: Set<SchemaNode.Role> = encoding == .proto ? [] : [.key]
    switch type {
    case .all: return Set(SchemaNode.Role.allCases)
    case .config: return [.key, .config]
    case .state: return keys.union([.applied, .operational, .counter])
    case .operational: return keys.union([.operational, .counter])
    case .UNRECOGNIZED(let number):
      throw GNMIError(.invalidArgument, "type \(number) is not ALL, CONFIG, STATE or OPERATIONAL")
    }
  }
}

extension PathPattern {
  /// Whether it leaves open which entry of a list is meant: there may be none.
  fileprivate var isOpen: Bool {
    if isWild { return true }
    var node = InterfaceSchema.root
    for element in elements {
      guard let child = node.child(element.name) else { return false }
      node = child
      if case .list(let key, _, _) = child.kind, element.keys[key] == nil { return true }
    }
    return elements.count < 2
  }

  /// Whether the interface that it names, if it does, is there.
  fileprivate func isPossible(in snapshot: Snapshot) -> Bool {
    guard let interface else { return true }
    return snapshot.interfaces.contains { $0.config.name == interface }
  }
}
