import GRPCCore

/// A node that a path names.
struct Selected: Sendable {
  var path: [PathStep]
  var node: SchemaNode
  var instance: Instance
}

extension SchemaNode {
  /// The nodes of the schema that a path can name, whatever the keys.
  ///
  /// - Throws: an error of `code` when there is none, `invalidArgument` for a key that
  ///   the schema does not have.
  func nodes(
    matching pattern: PathPattern, else code: RPCError.Code
  ) throws(GNMIError) -> [SchemaNode] {
    var found: [SchemaNode] = []
    try collect(pattern.elements[...], &found)
    guard !found.isEmpty else {
      throw GNMIError(code, "\(pattern) is not a path of this node")
    }
    return found
  }

  private func collect(
    _ pattern: ArraySlice<PathPattern.Element>, _ found: inout [SchemaNode]
  ) throws(GNMIError) {
    guard let element = pattern.first else {
      found.append(self)
      return
    }
    let rest = pattern.dropFirst()
    if element.name == "..." {
      try collect(rest, &found)
      for child in children where !rest.isEmpty { try child.collect(pattern, &found) }
      return
    }
    for child in children where element.name == "*" || element.name == child.name {
      for key in element.keys.keys where element.name != "*" {
        guard case .list(key, _, _) = child.kind else {
          throw GNMIError(.invalidArgument, "\(child.name) has no key \(key.quoted)")
        }
      }
      try child.collect(rest, &found)
    }
  }

  /// The nodes that a path names in the data, none inside another.
  func select(_ pattern: PathPattern, in instance: Instance) -> [Selected] {
    var found: [Selected] = []
    select(pattern.elements[...], [], instance, &found)
    guard pattern.elements.contains(where: { $0.name == "..." }) else { return found }
    // Different levels may name one node twice, or a node and its parent.
    var paths: Set<[PathStep]> = []
    for selected in found.sorted(by: { $0.path.count < $1.path.count })
    where !selected.path.indices.contains(where: { paths.contains(Array(selected.path[..<$0])) }) {
      paths.insert(selected.path)
    }
    return found.filter { paths.remove($0.path) != nil }
  }

  private func select(
    _ pattern: ArraySlice<PathPattern.Element>, _ path: [PathStep], _ instance: Instance,
    _ found: inout [Selected]
  ) {
    guard let element = pattern.first else {
      found.append(Selected(path: path, node: self, instance: instance))
      return
    }
    let rest = pattern.dropFirst()
    let isDeep = element.name == "..."
    if isDeep { select(rest, path, instance, &found) }
    guard !isDeep || !rest.isEmpty else { return }
    for child in children where isDeep || element.name == "*" || element.name == child.name {
      child.forEachEntry(in: instance) { key, entry in
        if let key, let wanted = element.keys[key.name], wanted != "*", wanted != key.value {
          return
        }
        child.select(
          isDeep ? pattern : rest, path + [PathStep(name: child.name, key: key)], entry, &found)
      }
    }
  }

  /// Calls with every entry of a list, and with what it is in otherwise.
  func forEachEntry(in instance: Instance, _ body: (PathStep.Key?, Instance) -> Void) {
    switch kind {
    case .list(let key, _, let entries):
      for entry in entries(instance) {
        body(PathStep.Key(name: key, value: entry.key), entry.instance)
      }
    case .container, .leaf:
      body(nil, instance)
    }
  }
}

extension Selected {
  /// The leaves at and below the node that have a value.
  ///
  /// - Parameter body: gets each with its path.
  func forEachLeaf(of roles: Set<SchemaNode.Role>, _ body: ([PathStep], LeafValue) -> Void) {
    if case .leaf(let leaf) = node.kind {
      if roles.contains(leaf.role), let value = leaf.read(instance) { body(path, value) }
      return
    }
    for child in node.children {
      child.forEachEntry(in: instance) { key, entry in
        Selected(
          path: path + [PathStep(name: child.name, key: key)], node: child, instance: entry
        ).forEachLeaf(of: roles, body)
      }
    }
  }

  /// The part of the tree as JSON, or nil when nothing in it has a value.
  func json(of roles: Set<SchemaNode.Role>, _ encoding: TreeEncoding) -> JSONValue? {
    if case .leaf(let leaf) = node.kind {
      guard roles.contains(leaf.role) else { return nil }
      return leaf.read(instance)?.json(encoding)
    }
    var members: [String: JSONValue] = [:]
    var isEmpty = true
    for child in node.children {
      var entries: [JSONValue] = []
      child.forEachEntry(in: instance) { key, entry in
        let part = Selected(path: [], node: child, instance: entry).json(of: roles, encoding)
        if let part { entries.append(part) }
      }
      guard let first = entries.first else { continue }
      if case .list = child.kind {
        members[child.name] = .array(entries)
      } else {
        members[child.name] = first
      }
      if case .leaf(let leaf) = child.kind, leaf.role == .key { continue }
      isEmpty = false
    }
    return isEmpty ? nil : .object(members)
  }
}
