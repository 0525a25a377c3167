import Logging

/// The TAPs for pods: those in use, and a few that wait in the node's namespace, so that
/// an Add need not wait for infrap4d.
actor TAPPool {
  private let ports: any TAPPorts
  private let host: NodeLinks
  private let options: CNIBackendOptions
  private var isKnown = false
  /// In use, being made, or elsewhere: names that are not to be given to another.
  private var taken: Set<String> = []
  private var spare: Set<String> = []
  /// Tells ``needs`` that there may be something to do.
  private let wake: AsyncStream<Void>.Continuation
  /// Something for ``fill()`` to do.
  nonisolated let needs: AsyncStream<Void>

  init(ports: any TAPPorts, host: NodeLinks, options: CNIBackendOptions) {
    self.ports = ports
    self.host = host
    self.options = options
    (needs, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    wake.yield()
  }

  /// TAPs that are in use, and those that wait.
  var counts: (used: Int, spare: Int) { (taken.count, spare.count) }

  /// Learns what there is, once. What is used is in use from the beginning.
  ///
  /// - Parameter used: the TAPs of all records.
  func learn(used: Set<String>) async throws {
    guard !isKnown else { return }
    let found = try await ports.list().filter { index($0.name) != nil }
    let here = try await host.names()
    // Another call may have been faster.
    guard !isKnown else { return }
    taken.formUnion(used)
    for port in found where !used.contains(port.name) {
      if here.contains(port.name) {
        spare.insert(port.name)
      } else if port.isPresent {
        // Somewhere that no record tells of: not ours to take away.
        taken.insert(port.name)
      }
      // One that is gone is made again when its name is taken.
    }
    isKnown = true
  }

  /// A TAP that nobody else gets.
  func take() async throws -> String {
    defer { wake.yield() }
    if let name = lowest(of: spare) {
      spare.remove(name)
      taken.insert(name)
      return name
    }
    let name = fresh()
    taken.insert(name)
    do {
      try await make(name)
    } catch {
      taken.remove(name)
      throw error
    }
    return name
  }

  /// Makes a TAP that is in use anew, because it is not where it should be.
  func renew(_ name: String) async throws { try await make(name) }

  /// Takes back a TAP that is in the node's namespace again.
  func giveBack(_ name: String) {
    taken.remove(name)
    spare.insert(name)
    wake.yield()
  }

  /// Removes a TAP wherever it is. Its name stays taken until ``release(_:)``.
  func destroy(_ name: String) async throws { try await ports.delete(name) }

  /// Lets the name of a TAP that is gone be used again.
  func release(_ name: String) {
    taken.remove(name)
    wake.yield()
  }

  /// Makes spare TAPs until there are enough, and removes those that are too many.
  func fill() async throws {
    while spare.count < options.spareTAPs {
      let name = fresh()
      taken.insert(name)
      defer { taken.remove(name) }
      try await make(name)
      spare.insert(name)
    }
    while spare.count > options.maximumSpareTAPs, let name = highest(of: spare) {
      spare.remove(name)
      taken.insert(name)
      defer { taken.remove(name) }
      try await ports.delete(name)
    }
  }

  private func make(_ name: String) async throws {
    // What may be left of one that is gone.
    try await ports.delete(name)
    try await ports.create(name, mtu: options.mtu)
  }

  private func fresh() -> String {
    var number = options.firstTAP
    while taken.contains(options.tapPrefix + "\(number)")
      || spare.contains(options.tapPrefix + "\(number)")
    {
      number += 1
    }
    return options.tapPrefix + "\(number)"
  }

  /// The number of a TAP of the pool.
  private func index(_ name: String) -> Int? {
    guard name.hasPrefix(options.tapPrefix),
      let number = Int(name.dropFirst(options.tapPrefix.count)), number >= options.firstTAP,
      name == options.tapPrefix + "\(number)"
    else { return nil }
    return number
  }

  private func lowest(of names: Set<String>) -> String? {
    names.min { (index($0) ?? 0) < (index($1) ?? 0) }
  }

  private func highest(of names: Set<String>) -> String? {
    names.max { (index($0) ?? 0) < (index($1) ?? 0) }
  }
}
