import GNMIProtos

/// The configuration as a Set would leave it. The operations of one request are applied
/// to it in order; an error leaves the real configuration as it was.
struct Draft {
  private(set) var interfaces: [String: InterfaceConfig]
  /// What was deleted on the way. It may be there again, and then may be another port.
  private(set) var deleted: Set<String> = []
  private let maximumInterfaces: Int

  init(_ interfaces: [String: InterfaceConfig], maximumInterfaces: Int) {
    self.interfaces = interfaces
    self.maximumInterfaces = maximumInterfaces
  }

  /// Deletes all that a path names; what is not there is deleted already.
  ///
  /// - Throws: `notFound` for a path that the schema does not have, `invalidArgument`
  ///   for one that cannot be written.
  mutating func delete(_ pattern: PathPattern) throws(GNMIError) {
    for node in try InterfaceSchema.root.nodes(matching: pattern, else: .notFound) {
      try node.checkDeletable(pattern)
    }
    let concerned = pattern.interface.map { name in
      [interfaces[name]].compactMap(\.self)
    }
    let views = (concerned ?? Array(interfaces.values)).map { InterfaceView(config: $0) }
    for selected in InterfaceSchema.root.select(pattern, in: .all(views)) {
      switch (selected.instance, selected.node.kind) {
      case (.all, _):
        removeAll()
      case (.interface(let view), .leaf(let leaf)):
        guard case .config(let leaf) = leaf.access else { continue }
        clear(leaf, of: view.config.name)
      case (.interface(let view), _):
        remove(view.config.name)
      case (.drop, _):
        continue
      }
    }
  }

  /// - Throws: `notFound` for a path that the schema does not have, `invalidArgument`
  ///   for a value that does not fit, `unimplemented` for what this node does not have,
  ///   `resourceExhausted`.
  mutating func update(_ path: PathPattern, _ value: NewValue) throws(GNMIError) {
    let place = try place(path)
    try write(place, value, path)
  }

  /// As ``update(_:_:)``, and what the value does not mention is deleted.
  ///
  /// - Throws: `invalidArgument` too for a value without a port's type: a port is removed by
  ///   deleting it.
  mutating func replace(_ path: PathPattern, _ value: NewValue) throws(GNMIError) {
    let place = try place(path)
    let old = place.interface.flatMap { interfaces[$0] }
    switch place.node.kind {
    case .leaf: break
    case .container, .list:
      // The interface stays the same port where that is possible.
      if let name = place.interface {
        interfaces[name] = nil
      } else {
        interfaces = [:]
      }
    }
    try write(place, value, path)
    guard let old, old.kind != nil, interfaces[old.name]?.kind == nil else { return }
    throw GNMIError(
      .invalidArgument,
      "\(path): without port-type the port \(old.name) would be gone; give it, or delete the port")
  }

  /// A node of the schema that can be written, and whose it is.
  private struct Place {
    var node: SchemaNode
    var interface: String?
    /// The path ends at a list, not at an entry of it.
    var isWholeList = false
  }

  private func place(_ path: PathPattern) throws(GNMIError) -> Place {
    guard !path.isWild else {
      throw GNMIError(.invalidArgument, "\(path) has wildcards, and a value has one place")
    }
    _ = try InterfaceSchema.root.nodes(matching: path, else: .notFound)
    var place = Place(node: InterfaceSchema.root)
    for (index, element) in path.elements.enumerated() {
      guard let child = place.node.child(element.name) else {
        throw GNMIError(.notFound, "\(path) is not a path of this node")
      }
      place.node = child
      guard case .list(let key, _, _) = child.kind else { continue }
      if let value = element.keys[key] {
        if place.interface == nil { place.interface = value }
      } else if index == path.elements.count - 1 {
        place.isWholeList = true
      } else {
        throw GNMIError(.invalidArgument, "\(path): \(element.name) needs its key \(key)")
      }
    }
    if case .leaf = place.node.kind { return place }
    guard place.node.roles.contains(.config) else {
      throw GNMIError(.invalidArgument, "\(path) is read-only")
    }
    return place
  }

  private mutating func write(
    _ place: Place, _ value: NewValue, _ path: PathPattern
  ) throws(GNMIError) {
    if let name = place.interface { try makeInterface(name) }
    switch (place.node.kind, value) {
    case (.leaf, .scalar(let scalar)):
      try write(scalar, to: place.node, of: place.interface, path)
    case (_, .json(let json)):
      if place.isWholeList {
        try write(json, toList: place.node, path)
      } else {
        try write(json, to: place.node, of: place.interface, path)
      }
    case (_, .scalar):
      throw GNMIError(
        .invalidArgument, "\(path) has children; its value is a JSON object")
    }
  }

  private mutating func write(
    _ json: JSONValue, to node: SchemaNode, of name: String?, _ path: PathPattern
  ) throws(GNMIError) {
    if case .leaf = node.kind {
      try write(Scalar(json), to: node, of: name, path)
      return
    }
    guard case .object(let members) = json else {
      throw GNMIError(.invalidArgument, "\(path): the value of \(node.title) is a JSON object")
    }
    for (member, value) in members.sorted(by: { $0.key < $1.key }) {
      let plain = member.split(separator: ":", maxSplits: 1).last.map(String.init) ?? member
      guard let child = node.child(plain) else {
        throw GNMIError(
          .invalidArgument, "\(path): \(node.title) has no child \(member.quoted)")
      }
      if case .list = child.kind {
        try write(value, toList: child, path)
      } else {
        try write(value, to: child, of: name, path)
      }
    }
  }

  private mutating func write(
    _ json: JSONValue, toList node: SchemaNode, _ path: PathPattern
  ) throws(GNMIError) {
    guard case .array(let entries) = json, case .list(let key, _, _) = node.kind else {
      throw GNMIError(.invalidArgument, "\(path): the value of \(node.title) is a JSON array")
    }
    for entry in entries {
      guard case .object(let members) = entry,
        let value = members.first(where: { $0.key.split(separator: ":").last == key[...] })?.value,
        case .string(let name) = value
      else {
        throw GNMIError(
          .invalidArgument, "\(path): an entry of \(node.title) is an object with a \(key)")
      }
      guard node.name == InterfaceSchema.list else {
        throw GNMIError(.invalidArgument, "\(path): \(node.name) is read-only")
      }
      try makeInterface(name)
      try write(entry, to: node, of: name, path)
    }
  }

  private mutating func write(
    _ value: Scalar, to node: SchemaNode, of name: String?, _ path: PathPattern
  ) throws(GNMIError) {
    guard case .leaf(let leaf) = node.kind, let name, var config = interfaces[name] else { return }
    do throws(GNMIError) {
      switch leaf.access {
      case .config(let leaf): try leaf.set(value, in: &config)
      case .key:
        guard try value.string(for: node.name) == name else {
          throw GNMIError(.invalidArgument, "\(node.name) is not the name in the path")
        }
      case .readOnly: throw GNMIError(.invalidArgument, "\(node.name) is read-only")
      case .unsupported(let why): throw GNMIError(.unimplemented, why)
      }
    } catch {
      throw GNMIError(error.code, "\(path): \(error.message)")
    }
    interfaces[name] = config
  }

  private mutating func makeInterface(_ name: String) throws(GNMIError) {
    guard interfaces[name] == nil else { return }
    guard (1...15).contains(name.utf8.count), name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
      !name.contains("*")
    else {
      throw GNMIError(
        .invalidArgument, "\(name.quoted) is no interface's name: 1 to 15 letters, digits, signs")
    }
    guard interfaces.count < maximumInterfaces else {
      throw GNMIError(
        .resourceExhausted, "there are \(maximumInterfaces) interfaces; delete one first")
    }
    interfaces[name] = InterfaceConfig(name: name)
  }

  private mutating func remove(_ name: String) {
    interfaces[name] = nil
    deleted.insert(name)
  }

  private mutating func removeAll() {
    deleted.formUnion(interfaces.keys)
    interfaces = [:]
  }

  private mutating func clear(_ leaf: ConfigLeaf, of name: String) {
    interfaces[name].map { leaf.clear(in: &interfaces[name, default: $0]) }
    if leaf == .portType { deleted.insert(name) }
  }
}

extension SchemaNode {
  /// The name for messages.
  fileprivate var title: String { name.isEmpty ? "/" : name }

  fileprivate func checkDeletable(_ pattern: PathPattern) throws(GNMIError) {
    switch kind {
    case .leaf(let leaf):
      switch leaf.access {
      case .config, .unsupported: return
      case .key:
        throw GNMIError(.invalidArgument, "\(pattern): \(name) goes with its interface only")
      case .readOnly: throw GNMIError(.invalidArgument, "\(pattern): \(name) is read-only")
      }
    case .container, .list:
      guard roles.contains(.config) else {
        throw GNMIError(.invalidArgument, "\(pattern): \(name) is read-only")
      }
    }
  }
}
