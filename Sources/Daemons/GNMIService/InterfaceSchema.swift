import Core
import Hosting

/// The data tree: `/interfaces/virtual-interface[name=…]`, as the P4 control plane of
/// the Infrastructure Programmer Development Kit names it, with `state` and its
/// counters as OpenConfig does.
enum InterfaceSchema {
  /// The model's name in Capabilities and JSON_IETF.
  static let model = "infrap4d-interfaces"
  /// The list of interfaces.
  static let list = "virtual-interface"
  static let organization = "K8s Infra Offload"
  static let version = "1.0.0"

  static let root = SchemaNode.container(
    "",
    [
      .container(
        "interfaces",
        [
          .list(
            list, key: "name",
            [interfaceLeaf("name", .key, .key) { .text($0.config.name) }, config, state]
          ) { instance in
            guard case .all(let interfaces) = instance else { return [] }
            return interfaces.map { ($0.config.name, .interface($0)) }
          }
        ])
    ])

  private static let config = SchemaNode.container(
    "config",
    [interfaceLeaf("name", .key, .key) { .text($0.config.name) }]
      + ConfigLeaf.allCases.map { leaf in
        interfaceLeaf(leaf.rawValue, .config, .config(leaf)) { leaf.value(in: $0.config) }
      }
      + portIDs
      + [
        .container(
          "counters",
          counters + [
            counter("in-unicast-pkts", \.framesIn), counter("out-unicast-pkts", \.framesOut),
          ])
      ]
      + unsupported)

  private static let state = SchemaNode.container(
    "state",
    [
      interfaceLeaf("name", .applied) { .text($0.config.name) },
      interfaceLeaf("port-type", .applied) { view in
        view.id.flatMap { _ in view.config.kind }.map { .text($0.typeName) }
      },
      interfaceLeaf("mtu", .applied) { view in
        view.id.map { _ in .number(UInt32(view.config.mtu ?? InterfaceConfig.defaultMTU)) }
      },
    ] + portIDs + [
      interfaceLeaf("ifindex", .operational) { view in
        view.status.flatMap { $0.interfaceIndex > 0 ? .number(UInt32($0.interfaceIndex)) : nil }
      },
      interfaceLeaf("oper-status", .operational) { view in
        view.status.map {
          .text($0.isUp ? "UP" : $0.interfaceIndex > 0 ? "DOWN" : "NOT_PRESENT")
        }
      },
      interfaceLeaf("mac-address", .operational) { view in
        view.status?.macAddress.map { .text("\($0)") }
      },
      .container("counters", counters + [drops]),
    ])

  private static let portIDs = ["tdi-portin-id", "tdi-portout-id"].map { name in
    interfaceLeaf(name, .applied) { $0.id.map { .number($0) } }
  }

  private static let counters = [
    counter("in-octets", \.bytesIn),
    counter("in-pkts", \.framesIn),
    counter("in-errors", \.errorsIn),
    counter("in-discards", \.discardsIn),
    counter("out-octets", \.bytesOut),
    counter("out-pkts", \.framesOut),
    counter("out-errors", \.errorsOut),
    counter("out-discards", \.refused),
  ]

  private static let drops = SchemaNode.list(
    "drop", key: "reason",
    [
      .leaf("reason", .operational) { instance in
        guard case .drop(let reason, _) = instance else { return nil }
        return .text(reason)
      },
      .leaf("pkts", .counter) { instance in
        guard case .drop(_, let frames) = instance else { return nil }
        return .counter(frames)
      },
    ]
  ) { instance in
    guard case .interface(let view) = instance, let status = view.status else { return [] }
    return status.counters.dropped.sorted { $0.key < $1.key }
      .map { ($0.key, .drop(reason: $0.key, frames: $0.value)) }
  }

  /// Leaves of port types and of a control plane that this node does not have.
  private static let unsupported = [
    "device-type", "queues", "socket-path", "pci-bdf", "control-port", "qemu-socket-ip",
    "qemu-socket-port", "qemu-hotplug-mode", "qemu-vm-mac-address", "qemu-vm-netdev-id",
    "qemu-vm-chardev-id", "qemu-vm-device-id", "native-socket-path",
  ].map { name in
    SchemaNode.leaf(
      name, .config, .unsupported("\(name): this node has no vhost, PCI or control ports")
    ) { _ in nil }
  }

  private static func interfaceLeaf(
    _ name: String, _ role: SchemaNode.Role, _ access: SchemaNode.Access = .readOnly,
    _ read: @escaping @Sendable (InterfaceView) -> LeafValue?
  ) -> SchemaNode {
    .leaf(name, role, access) { instance in
      guard case .interface(let view) = instance else { return nil }
      return read(view)
    }
  }

  private static func counter(
    _ name: String, _ path: KeyPath<PortCounters, UInt64> & Sendable
  ) -> SchemaNode {
    interfaceLeaf(name, .counter) { view in
      view.status.map { .counter($0.counters[keyPath: path]) }
    }
  }
}

extension PortCounters {
  /// Frames that came in and that the pipeline dropped.
  fileprivate var discardsIn: UInt64 { dropped.values.reduce(lost, &+) }
}
