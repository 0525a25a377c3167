import GNMIProtos
import GRPCCore

/// A path as a client gives it: it may have wildcards, and leave keys out.
struct PathPattern: Hashable, Sendable, CustomStringConvertible {
  struct Element: Hashable, Sendable {
    /// `*` is any node, `...` any number of levels.
    var name: String
    /// What the keys of a list's entry must be; one that is left out, or `*`, is any.
    var keys: [String: String]
  }

  var elements: [Element]
  /// The name by which the client calls this node; it is echoed.
  var target: String

  /// Levels that a path may have.
  static let longest = 16

  /// - Throws: `invalidArgument` for a path that cannot be understood.
  init(_ path: Gnmi_Path, prefix: Gnmi_Path) throws(GNMIError) {
    for part in [prefix, path] {
      guard ["", "openconfig", InterfaceSchema.model].contains(part.origin) else {
        throw GNMIError(
          .invalidArgument, "origin \(part.origin.quoted): this node serves origin openconfig")
      }
      guard part.element.isEmpty else {
        throw GNMIError(.invalidArgument, "the field element is deprecated; send elem")
      }
    }
    target = prefix.target.isEmpty ? path.target : prefix.target
    let all = prefix.elem + path.elem
    guard all.count <= Self.longest else {
      throw GNMIError(
        .invalidArgument, "a path of \(all.count) elements; at most \(Self.longest)")
    }
    var elements: [Element] = []
    for elem in all {
      guard !elem.name.isEmpty else {
        throw GNMIError(.invalidArgument, "a path has an element without a name")
      }
      // A name may carry its model, as in `model:interfaces`.
      let name = elem.name.split(separator: ":", maxSplits: 1).last.map(String.init) ?? elem.name
      // Two in a row say no more than one.
      if name == "...", elements.last?.name == name { continue }
      elements.append(Element(name: name, keys: elem.key))
    }
    self.elements = elements
  }

  /// Whether it can name more than one node.
  var isWild: Bool {
    elements.contains { element in
      element.name == "*" || element.name == "..." || element.keys.values.contains("*")
    }
  }

  /// The one interface that it is about, or nil when it is not about one.
  var interface: String? {
    guard elements.count >= 2, elements[0].name == "interfaces",
      elements[1].name == InterfaceSchema.list, let name = elements[1].keys["name"], name != "*"
    else { return nil }
    return name
  }

  var description: String {
    let text = elements.map { element in
      "/" + element.name
        + element.keys.sorted { $0.key < $1.key }.map { "[\($0.key)=\($0.value)]" }.joined()
    }.joined()
    return text.isEmpty ? "/" : text.count > 200 ? text.prefix(200) + "…" : text
  }
}

/// A step to a node that is there.
struct PathStep: Hashable, Sendable {
  var name: String
  /// Of a list's entry.
  var key: Key?

  struct Key: Hashable, Sendable {
    var name: String
    var value: String
  }
}

extension Gnmi_Path {
  init(_ steps: some Sequence<PathStep>) {
    self.init()
    elem = steps.map { step in
      .with {
        $0.name = step.name
        if let key = step.key { $0.key = [key.name: key.value] }
      }
    }
  }
}

extension PathPattern {
  /// What reading it is refused with when the model has no such node.
  ///
  /// OpenConfig's interfaces are a model that is not served. Controllers such as finsy ask
  /// for them first, and go on without gNMI when told so.
  var errorWhenRead: RPCError.Code {
    elements.prefix(2).map(\.name) == ["interfaces", "interface"]
      ? .unimplemented : .invalidArgument
  }
}
