/// A node of the data tree's schema.
struct SchemaNode: Sendable {
  enum Kind: Sendable {
    case container([SchemaNode])
    /// One entry a value of the leaf `key`.
    case list(
      key: String, [SchemaNode],
      entries: @Sendable (Instance) -> [(key: String, instance: Instance)])
    case leaf(Leaf)
  }

  struct Leaf: Sendable {
    var role: Role
    var access: Access
    var read: @Sendable (Instance) -> LeafValue?
  }

  /// What kind of data a leaf is.
  enum Role: Hashable, Sendable, CaseIterable {
    /// Tells an entry of a list from others.
    case key
    /// Set by clients.
    case config
    /// What came of it, the same as long as the port lives.
    case applied
    /// Changes by itself, now and then.
    case operational
    /// Changes with every frame.
    case counter

    /// What is known only by asking the kernel and the forwarding thread.
    static let ofStatus: Set<Role> = [.operational, .counter]
  }

  /// Who may write a leaf.
  enum Access: Sendable {
    case config(ConfigLeaf)
    case key
    case readOnly
    /// The leaf is known, but nothing here can do what it asks for; why.
    case unsupported(String)
  }

  var name: String
  var kind: Kind

  static func container(_ name: String, _ children: [SchemaNode]) -> SchemaNode {
    SchemaNode(name: name, kind: .container(children))
  }

  static func list(
    _ name: String, key: String, _ children: [SchemaNode],
    entries: @escaping @Sendable (Instance) -> [(key: String, instance: Instance)]
  ) -> SchemaNode {
    SchemaNode(name: name, kind: .list(key: key, children, entries: entries))
  }

  static func leaf(
    _ name: String, _ role: Role, _ access: Access = .readOnly,
    _ read: @escaping @Sendable (Instance) -> LeafValue?
  ) -> SchemaNode {
    SchemaNode(name: name, kind: .leaf(Leaf(role: role, access: access, read: read)))
  }

  var children: [SchemaNode] {
    switch kind {
    case .container(let children), .list(_, let children, _): children
    case .leaf: []
    }
  }

  func child(_ name: String) -> SchemaNode? { children.first { $0.name == name } }

  /// The roles of the leaves at and below the node.
  var roles: Set<Role> {
    if case .leaf(let leaf) = kind { return [leaf.role] }
    return children.reduce(into: []) { $0.formUnion($1.roles) }
  }
}
