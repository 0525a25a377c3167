import Core
import Dispatch
import Hosting

/// The ports by name, and their interfaces. Everything happens on one queue, in the
/// order of the calls, and may wait for the kernel and for the forwarding thread.
///
/// Unchecked: all state is touched on the queue only.
final class PortTable: @unchecked Sendable {
  private struct Entry {
    var id: PortID
    var description: PortDescription
    var interface: KernelInterface
  }

  private let queue = DispatchQueue(label: "ports")
  private let mailbox: Mailbox
  private let maximumPorts: Int
  private let controllerPort: PortID?
  private var entries: [String: Entry] = [:]

  init(mailbox: Mailbox, maximumPorts: Int, controllerPort: PortID?) {
    self.mailbox = mailbox
    self.maximumPorts = maximumPorts
    self.controllerPort = controllerPort
  }

  func add(_ port: PortDescription) async throws -> PortID {
    try await onQueue { table in try table.addNow(port) }
  }

  func remove(_ name: String) async throws {
    try await onQueue { table in try table.removeNow(name) }
  }

  /// By ascending id; empty once the forwarding thread has ended.
  ///
  /// A look enters the namespaces of all pods: whoever adds or removes a port waits for a few of
  /// them, not for all.
  func status() async -> [PortStatus] {
    do {
      let ids = try await onQueue { table in table.entries.values.map(\.id).sorted() }
      var all: [PortStatus] = []
      for start in stride(from: 0, to: ids.count, by: Self.portsAtOnce) {
        let some = Set(ids[start..<min(start + Self.portsAtOnce, ids.count)])
        all += try await onQueue { table in try table.statusNow(of: some) }
      }
      return all
    } catch {
      return []
    }
  }

  private static let portsAtOnce = 8

  /// Where the TAPs are, by the ports' names.
  func locations() async -> [String: InterfaceLocation] {
    (try? await onQueue { table in table.entries.compactMapValues { $0.interface.location() } })
      ?? [:]
  }

  /// Lets go of all interfaces, without deleting them.
  func forget() async { try? await onQueue { table in table.entries = [:] } }

  private func addNow(_ port: PortDescription) throws(DataplaneError) -> PortID {
    try port.validate()
    guard entries[port.name] == nil else {
      throw DataplaneError(.alreadyExists, "port \(port.name)", "is there already; remove it first")
    }
    let id = try id(for: port)
    let interface = try KernelInterface(port)
    let (fd, isSocket) = (interface.descriptor, interface.isSocket)
    do {
      try onLoop { loop in
        try loop.attach(LoopPort(id: id, descriptor: fd, isSocket: isSocket))
      }
    } catch {
      if interface.isNew { interface.delete() }
      if let error = error as? DataplaneError { throw error }
      throw DataplaneError(.unavailable, "port \(port.name)", "\(error)")
    }
    entries[port.name] = Entry(id: id, description: port, interface: interface)
    return id
  }

  private func id(for port: PortDescription) throws(DataplaneError) -> PortID {
    let used = Set(entries.values.map(\.id) + [controllerPort].compactMap(\.self))
    if let id = port.id {
      guard id < maximumPorts else {
        throw DataplaneError(
          .invalidArgument, "port \(port.name)", "id \(id); ids are 0...\(maximumPorts - 1)")
      }
      guard !used.contains(id) else {
        throw DataplaneError(.alreadyExists, "port \(port.name)", "id \(id) is taken")
      }
      return id
    }
    guard let id = (0..<PortID(maximumPorts)).first(where: { !used.contains($0) }) else {
      throw DataplaneError(
        .resourceExhausted, "port \(port.name)", "all \(maximumPorts) ids are in use")
    }
    return id
  }

  private func removeNow(_ name: String) throws {
    guard let entry = entries[name] else {
      throw DataplaneError(.notFound, "port \(name)", "is not there")
    }
    try onLoop { $0.detach(entry.id) }
    entries[name] = nil
    entry.interface.delete()
  }

  private func statusNow(of ids: Set<PortID>) throws -> [PortStatus] {
    let counters = try onLoop { loop in
      loop.ports.filter { ids.contains($0.key) }.mapValues { $0.readCounters() }
    }
    let entries = entries.values.filter { ids.contains($0.id) }.sorted { $0.id < $1.id }
    let states = KernelInterface.states(of: entries.map(\.interface))
    return zip(entries, states).map { entry, state in
      var counters = counters[entry.id] ?? PortCounters()
      counters.lost += state?.lost ?? 0
      return PortStatus(
        id: entry.id, description: entry.description, interfaceIndex: state?.index ?? 0,
        isUp: state?.isRunning ?? false, macAddress: state?.macAddress,
        counters: counters, location: state?.location)
    }
  }

  private func onQueue<Result: Sendable>(
    _ body: @escaping @Sendable (PortTable) throws -> Result
  ) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { [self] in continuation.resume(with: Swift.Result { try body(self) }) }
    }
  }

  /// Runs on the forwarding thread and waits for it.
  private func onLoop<Result: Sendable>(
    _ body: @escaping @Sendable (ForwardingLoop) throws -> Result
  ) throws -> Result {
    let answer = Answer<Result>()
    mailbox.post(
      Mailbox.Job(
        run: { loop in answer.give(Swift.Result { try body(loop) }) },
        cancel: { answer.give(.failure(DataplaneError.stopped)) }))
    return try answer.take()
  }
}
