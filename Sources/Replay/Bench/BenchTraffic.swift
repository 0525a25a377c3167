import Core

/// The traffic of the benchmark: clients that open TCP connections to one
/// Service with 64 endpoints, in frames of 64 bytes.
public struct BenchTraffic: Sendable {
  public static let vip: UInt32 = 0x0A60_0050
  public static let vipPort: UInt16 = 80
  public static let endpoints = 64
  public static let endpointPort: UInt16 = 8080
  static let gatewayMAC: UInt64 = 0x0200_0000_0001
  static let frameLength = 64

  /// Address of endpoint `i`.
  public static func endpoint(_ i: Int) -> UInt32 { 0x0AF4_0100 + UInt32(i) }
  /// Port of the pod of endpoint `i`.
  public static func endpointPortID(_ i: Int) -> PortID { PortID(3 + i) }
  /// MAC of the pod of endpoint `i`.
  public static func endpointMAC(_ i: Int) -> UInt64 { 0x0200_0000_0100 + UInt64(i) }

  /// Connections, each with a tuple of its own.
  public let flows: Int

  public init(flows: Int) { self.flows = flows }

  /// Client address and port of flow `i`.
  func client(_ i: Int) -> (ip: UInt32, port: UInt16) {
    (0x0AF4_8000 + UInt32(i / 50_000), UInt16(1024 + i % 50_000))
  }

  /// A TCP frame from a client to the Service.
  ///
  /// - Parameter flags: the TCP flags byte (RFC 9293 3.1).
  func frame(flow i: Int, flags: UInt8) -> [UInt8] {
    let (ip, port) = client(i)
    var frame = [UInt8](repeating: 0, count: Self.frameLength)
    func put(_ value: UInt64, _ bytes: Int, at offset: Int) {
      for b in 0..<bytes {
        frame[offset + b] = UInt8(truncatingIfNeeded: value >> UInt64(8 * (bytes - 1 - b)))
      }
    }
    put(Self.gatewayMAC, 6, at: 0)
    put(0x0200_0000_0002, 6, at: 6)
    put(0x0800, 2, at: 12)
    put(0x45, 1, at: 14)
    put(40, 2, at: 16)
    put(64, 1, at: 22)
    put(6, 1, at: 23)
    put(UInt64(ip), 4, at: 26)
    put(UInt64(Self.vip), 4, at: 30)
    put(UInt64(port), 2, at: 34)
    put(UInt64(Self.vipPort), 2, at: 36)
    put(0x50, 1, at: 46)
    put(UInt64(flags), 1, at: 47)
    return frame
  }

  /// Rows for `k8s_dp`.
  public static func k8sDPUpdates() -> [Update] {
    var updates: [Update] = []
    for i in 0..<endpoints {
      let hop: [UInt64] = [UInt64(endpointPortID(i)), endpointMAC(i), gatewayMAC]
      updates.append(
        .insert(
          TableEntry(
            table: "endpoints", key: [UInt64(i + 1)], action: "endpoint_hop",
            arguments: [UInt64(endpoint(i)), UInt64(endpointPort)] + hop)))
      updates.append(
        .insert(
          TableEntry(
            table: "routes", key: [UInt64(endpoint(i))], action: "route_hop", arguments: hop)))
    }
    let slots = 512
    for slot in 0..<slots {
      updates.append(
        .insert(
          TableEntry(
            table: "slots", key: [1, UInt64(slot)], action: "slot_endpoint",
            arguments: [UInt64(slot % endpoints + 1), 0x80])))
    }
    updates.append(
      .insert(
        TableEntry(
          table: "services", key: [UInt64(vip), UInt64(vipPort), 6], action: "service_select",
          arguments: [1, UInt64(slots - 1)])))
    updates.append(
      .insert(TableEntry(table: "routes", key: [UInt64(vip)], action: "route_vip")))
    return updates
  }
}
