import Foundation
import P4RuntimeProtos
import P4RuntimeTesting

/// The Writes of upstream's Infra Manager 23.01, in its order and its encodings: one update
/// a Write, keys canonical, parameters as wide as its code has them (pointers of 24 bits in
/// 4 bytes), members without weights.
struct UpstreamManager {
  struct Service {
    let protocolName: String
    let address: [UInt8]
    let port: UInt16
    /// Of its process: the first Service has 1.
    let group: UInt32

    var isTCP: Bool { protocolName == "TCP" }
    var profile: UInt32 { isTCP ? 287_578_478 : 285_326_473 }
    var balance: UInt32 { isTCP ? 44_130_374 : 49_979_870 }
    var meta: UInt32 { isTCP ? 35_210_059 : 50_222_349 }

    func member(_ endpoint: Endpoint) -> UInt32 { group << 4 | (endpoint.number + 1) & 0xF }
  }

  struct Endpoint {
    let address: [UInt8]
    let port: UInt16
    /// In the order in which the Service got them, from 0.
    let number: UInt32
  }

  static let arpt: UInt32 = 34_954_560
  static let ipv4: UInt32 = 38_984_944
  static let destinations: UInt32 = 47_856_135
  static let sources: UInt32 = 45_702_398
  static let setVPort: UInt32 = 24_323_121
  static let setMACAndVPort: UInt32 = 21_001_439
  static let updateDestination: UInt32 = 33_155_327
  static let updateSource: UInt32 = 29_740_405
  static let setDestination: UInt32 = 27_456_008
  static let setKey: UInt32 = 30_818_959

  // MARK: Pods

  /// At its start: ARP for the gateway goes to port 0.
  static func arpDefault() -> P4_V1_Update { arp([169, 254, 1, 1], port: 0).insert }

  static func addPod(_ address: [UInt8], port: UInt32, mac: [UInt8]) -> [P4_V1_Update] {
    [
      arp(address, port: port).insert,
      P4_V1_Entity.table(
        .row(ipv4, key(address), action: .call(setMACAndVPort, bytes(port), mac))
      ).insert,
    ]
  }

  static func deletePod(_ address: [UInt8]) -> [P4_V1_Update] {
    [arpt, ipv4].map { P4_V1_Entity.table(.row($0, key(address))).delete }
  }

  private static func arp(_ address: [UInt8], port: UInt32) -> P4_V1_Entity {
    .table(.row(arpt, key(address), action: .call(setVPort, bytes(port))))
  }

  // MARK: Services

  static func add(_ service: Service, _ endpoints: [Endpoint]) -> [P4_V1_Update] {
    part(service, endpoints) + [group(service, endpoints).insert] + keys(service, endpoints) + [
      P4_V1_Entity.table(
        .row(
          service.balance, key(service.address), key(bytes(service.port)),
          action: .group(service.group))
      ).insert,
      P4_V1_Entity.table(
        .row(
          sources, key(bytes(service.group)),
          action: .call(updateSource, service.address, bytes(service.port)))
      ).insert,
    ]
  }

  /// It lists the new endpoints only, as if MODIFY added them.
  static func extend(_ service: Service, by endpoints: [Endpoint]) -> [P4_V1_Update] {
    part(service, endpoints) + [group(service, endpoints).modify] + keys(service, endpoints)
  }

  static func delete(_ service: Service, _ endpoints: [Endpoint]) -> [P4_V1_Update] {
    [
      P4_V1_Entity.table(
        .row(
          service.balance, key(service.address), key(bytes(service.port)),
          action: .group(service.group))
      ).delete,
      group(service, endpoints).delete,
    ]
      + endpoints.map { member(service, $0).delete }
      + keys(service, endpoints).map { withoutAction($0) }
      + endpoints.map {
        P4_V1_Entity.table(.row(destinations, key(bytes(service.member($0))))).delete
      } + [P4_V1_Entity.table(.row(sources, key(bytes(service.group)))).delete]
  }

  private static func part(_ service: Service, _ endpoints: [Endpoint]) -> [P4_V1_Update] {
    endpoints.map {
      P4_V1_Entity.table(
        .row(
          destinations, key(bytes(service.member($0))),
          action: .call(updateDestination, $0.address, bytes($0.port)))
      ).insert
    } + endpoints.map { member(service, $0).insert }
  }

  private static func member(_ service: Service, _ endpoint: Endpoint) -> P4_V1_Entity {
    let id = service.member(endpoint)
    return .member(service.profile, id, .call(setDestination, bytes(id)))
  }

  private static func group(_ service: Service, _ endpoints: [Endpoint]) -> P4_V1_Entity {
    .group(
      service.profile, service.group, endpoints.map { (service.member($0), 0) }, maximum: 128)
  }

  private static func keys(_ service: Service, _ endpoints: [Endpoint]) -> [P4_V1_Update] {
    endpoints.map {
      P4_V1_Entity.table(
        .row(
          service.meta, key($0.address), key(bytes($0.port)),
          action: .call(setKey, bytes(service.group)))
      ).insert
    }
  }

  private static func withoutAction(_ update: P4_V1_Update) -> P4_V1_Update {
    var update = update
    update.type = .delete
    update.entity.tableEntry.clearAction()
    return update
  }

  // MARK: Bytes

  private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
  }

  /// Without leading zeros, but one byte at least.
  private static func key(_ value: [UInt8]) -> [UInt8] {
    Array(value.drop { $0 == 0 }.isEmpty ? [0] : value.drop { $0 == 0 })
  }
}
