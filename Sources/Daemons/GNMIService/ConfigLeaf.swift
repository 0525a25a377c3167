import Core
import Hosting

/// A leaf that clients set.
enum ConfigLeaf: String, CaseIterable, Sendable {
  case portType = "port-type"
  case mtu
  case hostName = "host-name"
  case pipelineName = "pipeline-name"
  case mempoolName = "mempool-name"
  case packetDirection = "packet-dir"
  case netns
  case ifname
  case macAddress = "mac-address"

  /// - Throws: `invalidArgument` for a wrong type or value, `unimplemented` for a port
  ///   type that this node does not have.
  func set(_ value: Scalar, in config: inout InterfaceConfig) throws(GNMIError) {
    switch self {
    case .portType: config.kind = try Self.kind(value.string(for: rawValue))
    case .mtu: config.mtu = try value.integer(for: rawValue, in: 68...65_535)
    case .hostName: config.hostName = try value.string(for: rawValue)
    case .pipelineName:
      let name = try value.string(for: rawValue)
      guard name == Self.pipeline else {
        throw GNMIError(
          .invalidArgument, "\(rawValue) \(name.quoted): the one pipeline is \(Self.pipeline)")
      }
      config.pipelineName = name
    case .mempoolName: config.mempoolName = try value.string(for: rawValue)
    case .packetDirection:
      let direction = try value.string(for: rawValue).lowercased()
      guard ["host", "network"].contains(direction) else {
        throw GNMIError(.invalidArgument, "\(rawValue) is host or network")
      }
      config.packetDirection = direction
    case .netns: config.netns = try value.string(for: rawValue)
    case .ifname: config.ifname = try value.string(for: rawValue)
    case .macAddress:
      let text = try value.string(for: rawValue)
      guard let address = MACAddress(text), !address.isGroup else {
        throw GNMIError(
          .invalidArgument,
          "\(rawValue) \(text.quoted): give six pairs of hexadecimal digits "
            + "between colons, of one interface")
      }
      config.macAddress = address
    }
  }

  /// Back to the default.
  func clear(in config: inout InterfaceConfig) {
    switch self {
    case .portType: config.kind = nil
    case .mtu: config.mtu = nil
    case .hostName: config.hostName = nil
    case .pipelineName: config.pipelineName = nil
    case .mempoolName: config.mempoolName = nil
    case .packetDirection: config.packetDirection = nil
    case .netns: config.netns = nil
    case .ifname: config.ifname = nil
    case .macAddress: config.macAddress = nil
    }
  }

  /// The value in force, or nil when there is none.
  func value(in config: InterfaceConfig) -> LeafValue? {
    switch self {
    case .portType: config.kind.map { .text($0.typeName) }
    case .mtu: .number(UInt32(config.mtu ?? InterfaceConfig.defaultMTU))
    case .hostName: config.hostName.map { .text($0) }
    case .pipelineName: .text(config.pipelineName ?? Self.pipeline)
    case .mempoolName: .text(config.mempoolName ?? "MEMPOOL0")
    case .packetDirection: .text(config.packetDirection ?? "host")
    case .netns: config.netns.map { .text($0) }
    case .ifname: config.ifname.map { .text($0) }
    case .macAddress: config.macAddress.map { .text("\($0)") }
    }
  }

  private static let pipeline = "pipe"

  private static func kind(_ name: String) throws(GNMIError) -> PortKind {
    switch name.lowercased() {
    case "tap": return .tap
    case "link": return .packet
    case "vhost", "source", "sink":
      throw GNMIError(
        .unimplemented, "port-type \(name): this node has TAP, and LINK for a network interface")
    default:
      throw GNMIError(.invalidArgument, "port-type \(name.quoted) is not TAP or LINK")
    }
  }
}

extension PortKind {
  /// The value of `port-type`.
  var typeName: String {
    switch self {
    case .tap: "TAP"
    case .packet: "LINK"
    }
  }
}
