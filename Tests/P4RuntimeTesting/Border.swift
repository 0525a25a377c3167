import Core
import Foundation
import P4RuntimeProtos
import TestPrograms

/// ``TestPrograms/Border`` by the names in its P4Info.
public struct Border: Sendable {
  public let config: P4_V1_ForwardingPipelineConfig

  public let hosts: UInt32
  public let networks: UInt32
  public let acl: UInt32
  public let sources: UInt32
  public let policed: UInt32

  public let toHost: UInt32
  public let quietHost: UInt32
  public let unknownHost: UInt32
  public let toNetwork: UInt32
  public let permit: UInt32
  public let deny: UInt32
  public let countSource: UInt32
  public let police: UInt32
  public let noAction: UInt32

  public let marks: UInt32
  public let lastSource: UInt32
  public let shares: UInt32

  /// The most entries of `sources`.
  public static let sourcesSize = 4

  public init() throws {
    config = try Pipelines.make(
      spec: TestPrograms.Border.spec, info: TestPrograms.Border.p4Info)
    let info = config.p4Info
    var ids: [String: UInt32] = [:]
    for preamble in info.tables.map(\.preamble) + info.actions.map(\.preamble)
      + info.registers.map(\.preamble) + info.meters.map(\.preamble)
    {
      ids[preamble.alias] = preamble.id
    }
    func id(_ name: String) throws -> UInt32 {
      guard let id = ids[name] else {
        throw DataplaneError(.notFound, name, "the P4Info of border has none of this name")
      }
      return id
    }
    hosts = try id("hosts")
    networks = try id("networks")
    acl = try id("acl")
    sources = try id("sources")
    policed = try id("policed")
    toHost = try id("to_host")
    quietHost = try id("quiet_host")
    unknownHost = try id("unknown_host")
    toNetwork = try id("to_network")
    permit = try id("permit")
    deny = try id("deny")
    countSource = try id("count_source")
    police = try id("police")
    noAction = try id("NoAction")
    marks = try id("marks")
    lastSource = try id("last_source")
    shares = try id("shares")
  }

  public func host(_ address: UInt8, port: UInt8 = 4) -> P4_V1_TableEntry {
    .row(hosts, [address], action: .call(toHost, [port], [7]))
  }

  public func source(_ address: UInt8) -> P4_V1_TableEntry {
    .row(sources, [address], action: .call(countSource))
  }

  /// - Parameter bits: 1...32; 0 matches everything.
  public func network(_ address: UInt32, _ bits: Int32, port: UInt8) -> P4_V1_TableEntry {
    .with {
      $0.tableID = networks
      if bits > 0 {
        $0.match = [
          .with {
            $0.fieldID = 1
            $0.lpm.value = Self.bytes(address)
            $0.lpm.prefixLen = bits
          }
        ]
      }
      $0.action = .call(toNetwork, [port])
    }
  }

  /// What is nil matches everything.
  public func rule(
    _ priority: Int32, transport: UInt8? = nil, from source: (value: UInt32, mask: UInt32)? = nil,
    to destination: (value: UInt32, mask: UInt32)? = nil, action: UInt32
  ) -> P4_V1_TableEntry {
    .with {
      $0.tableID = acl
      $0.priority = priority
      if let transport {
        $0.match.append(
          .with {
            $0.fieldID = 1
            $0.optional.value = Data([transport])
          })
      }
      for (id, field) in [(UInt32(2), source), (3, destination)] {
        guard let field else { continue }
        $0.match.append(
          .with {
            $0.fieldID = id
            $0.ternary.value = Self.bytes(field.value)
            $0.ternary.mask = Self.bytes(field.mask)
          })
      }
      $0.action = .call(action)
    }
  }

  /// In canonical form.
  private static func bytes(_ value: UInt32) -> Data {
    let all = (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * $0)) }
    return Data(all.drop { $0 == 0 }.isEmpty ? [0] : Array(all.drop { $0 == 0 }))
  }

  /// What becomes of an IPv4 packet that came in at port 3.
  ///
  /// - Parameter length: of the packet, in bytes: 20 or more.
  @discardableResult
  public static func send(
    _ server: TestServer, from source: UInt32 = 1, to destination: UInt32,
    transport: UInt8 = 253, length: Int = 100
  ) async throws -> (verdict: Verdict, frame: [UInt8]) {
    let frame = PacketBuilder(from: MACAddress(1), to: MACAddress(2)).ipv4(
      .init(from: IPv4Address(source), to: IPv4Address(destination)), transport: transport,
      payload: [UInt8](repeating: 0, count: length - 20))
    return try await server.host.process(frame, port: 3)
  }
}

extension P4_V1_Entity {
  public static func directCounter(
    _ entry: P4_V1_TableEntry, packets: Int64 = 0, bytes: Int64 = 0, data: Bool = true
  ) -> Self {
    .with {
      $0.directCounterEntry.tableEntry = entry
      if data {
        $0.directCounterEntry.data = .with {
          $0.packetCount = packets
          $0.byteCount = bytes
        }
      }
    }
  }
}

extension P4_V1_TableEntry {
  /// What identifies it.
  public var key: Self {
    .with {
      $0.tableID = tableID
      $0.match = match
      $0.priority = priority
      $0.isDefaultAction = isDefaultAction
    }
  }

  public func with(_ change: (inout Self) -> Void) -> Self {
    var copy = self
    change(&copy)
    return copy
  }
}
