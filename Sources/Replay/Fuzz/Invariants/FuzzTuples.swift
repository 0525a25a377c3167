import Core

/// No two live flows share a translated tuple: the replies of both would be one's.
///
/// Either direction of an established connection keeps its own entry alive, so that a
/// segment costs one look-up. A connection whose replies pause for longer than the timer
/// has lost its entry for replies, and is not live.
struct FuzzTuples {
  private struct Tuple: Hashable {
    var transport: UInt8
    var client: UInt64
    var endpoint: UInt64
  }

  /// - Parameters:
  ///   - pins: the learned entries that translate requests, and are alive.
  ///   - entries: all learned entries that are alive.
  func check(_ pins: [FuzzPin], _ entries: [LearnedEntry]) -> String? {
    let answered = Set(entries.compactMap(Self.reply))
    var services: [Tuple: UInt64] = [:]
    for pin in pins where !pin.isStale {
      if pin.isEstablished, !answered.contains(pin.flow) { continue }
      let service = pin.flow.service
      let tuple = Tuple(
        transport: service.transport, client: pin.flow.client, endpoint: pin.endpoint)
      if let other = services.updateValue(service.end, forKey: tuple), other != service.end {
        return "two flows of one client look the same to one endpoint"
      }
    }
    return nil
  }

  /// The flow whose replies an entry translates: src and dst are the endpoint and the
  /// client, ip and port the Service.
  private static func reply(_ entry: LearnedEntry) -> FuzzFlow? {
    guard entry.table == "flows", entry.key.count == 6, entry.arguments.count == 5,
      entry.arguments[4] == 2
    else { return nil }
    let transport: TransportProtocol = entry.key[4] == 6 ? .tcp : .udp
    let service = FuzzFlow.Service(
      transport: transport.rawValue, end: entry.arguments[1] << 16 | entry.arguments[2])
    return FuzzFlow(client: entry.key[2] << 16 | entry.key[3], service: service)
  }
}
