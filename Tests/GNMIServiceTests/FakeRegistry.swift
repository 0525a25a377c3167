import Core
import Hosting

/// Ports that are only remembered, and what was asked of them.
actor FakeRegistry: PortRegistry {
  private(set) var calls: [String] = []
  private(set) var descriptions: [PortDescription] = []
  private var counters: [String: PortCounters] = [:]
  /// What making a port of this name ends with.
  private var refusals: [String: DataplaneError] = [:]

  func refuse(_ name: String, _ code: DataplaneError.Code?) {
    refusals[name] = code.map { DataplaneError($0, "port \(name)", "refused") }
  }

  func count(_ name: String, _ change: @Sendable (inout PortCounters) -> Void) {
    change(&counters[name, default: PortCounters()])
  }

  /// The ports by name, with ids.
  var ids: [String: PortID] {
    Dictionary(uniqueKeysWithValues: descriptions.map { ($0.name, $0.id ?? .max) })
  }

  func add(_ port: PortDescription) async throws -> PortID {
    calls.append("add \(port.name) \(port.mtu)")
    if let refusal = refusals[port.name] { throw refusal }
    guard !descriptions.contains(where: { $0.name == port.name }) else {
      throw DataplaneError(.alreadyExists, "port \(port.name)", "is there")
    }
    let used = Set(descriptions.compactMap(\.id))
    let id = port.id ?? (0...).first { !used.contains($0) } ?? 0
    var port = port
    port.id = id
    descriptions.append(port)
    return id
  }

  func remove(_ name: String) async throws {
    calls.append("remove \(name)")
    guard let index = descriptions.firstIndex(where: { $0.name == name }) else {
      throw DataplaneError(.notFound, "port \(name)", "is not there")
    }
    descriptions.remove(at: index)
  }

  func locations() async -> [String: InterfaceLocation] { [:] }

  func ports() async -> [PortStatus] {
    descriptions.map { port in
      PortStatus(
        id: port.id ?? .max, description: port, interfaceIndex: 7, isUp: true,
        macAddress: MACAddress(0x0200_0000_0001),
        counters: counters[port.name] ?? PortCounters())
    }.sorted { $0.id < $1.id }
  }
}
