/// The names of the TAPs of pods: each is one pod's at a time.
actor TAPNames {
  private let ports: any TAPPorts
  private let node: NodeLinks
  private let options: CNIBackendOptions
  private var isKnown = false
  private var taken: Set<String> = []

  init(ports: any TAPPorts, node: NodeLinks, options: CNIBackendOptions) {
    self.ports = ports
    self.node = node
    self.options = options
  }

  /// Learns what there is, once.
  ///
  /// - Parameter used: the TAPs of all records.
  func learn(used: Set<String>) async throws {
    guard !isKnown else { return }
    let found = try await ports.list()
    let here = try await node.names()
    // Another call may have been faster.
    guard !isKnown else { return }
    taken.formUnion(used)
    // Somewhere that no record tells of: not ours to take away. What is in the node's own
    // namespace is made anew when its name is taken.
    taken.formUnion(found.filter { $0.isPresent && !here.contains($0.name) }.map(\.name))
    isKnown = true
  }

  /// A name that nobody else gets.
  func take() -> String {
    var number = options.firstTAP
    while !taken.insert(options.tapPrefix + "\(number)").inserted { number += 1 }
    return options.tapPrefix + "\(number)"
  }

  /// Lets a name be used again whose TAP is gone.
  func release(_ name: String) { taken.remove(name) }
}
