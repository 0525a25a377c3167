import Hosting

/// What has to happen to ports for a Set.
struct PortPlan {
  /// Ports that are made, by name.
  var create: [PortDescription] = []
  /// Ports that go away and come back as something else.
  var recreate: [(old: PortDescription, new: PortDescription)] = []
  /// Ports that go away.
  var remove: [PortDescription] = []

  /// - Throws: `invalidArgument` for a name in no namespace, `alreadyExists` when a port would become one of another type,
  ///   `failedPrecondition` when its MTU, place or MAC address would change. Either is possible by deleting
  ///   the port, in the same request or before.
  init(from configs: [String: InterfaceConfig], to draft: Draft) throws(GNMIError) {
    for name in Set(configs.keys).union(draft.interfaces.keys).sorted() {
      let (old, new) = (configs[name]?.port, draft.interfaces[name]?.port)
      if new != nil, let config = draft.interfaces[name], config.ifname != nil, config.netns == nil
      {
        throw GNMIError(.invalidArgument, "the ifname of \(name) needs a netns")
      }
      guard old != new else { continue }
      switch (old, new) {
      case (nil, let new?): create.append(new)
      case (let old?, nil): remove.append(old)
      case (let old?, let new?):
        if draft.deleted.contains(name) {
          recreate.append((old, new))
        } else if old.kind != new.kind {
          throw GNMIError(
            .alreadyExists,
            "\(name) is a port of type \(old.kind.typeName) already; delete it first")
        } else {
          let leaf = old.mtu != new.mtu ? "mtu" : "place or MAC address"
          throw GNMIError(
            .failedPrecondition,
            "the \(leaf) of \(name) stays as long as the port is there; delete it first")
        }
      case (nil, nil): break
      }
    }
  }
}
