extension K8sDP {
  /// The contract of `k8s_dp.p4`, as a constant. A test holds it against what
  /// the compiled `.spec` and P4Info say.
  public static let contract: Contract = {
    func field(_ name: String, _ bits: Int) -> Contract.Field {
      Contract.Field(name: name, bits: bits)
    }
    let hop = [
      field("ip", 32), field("port", 16), field("egress", 32), field("dmac", 48),
      field("smac", 48),
    ]
    let actions = [
      Contract.Action(name: "NoAction", arguments: []),
      Contract.Action(
        name: "flow_hit",
        arguments: [
          field("id", 32), field("ip", 32), field("port", 16), field("kind", 8), field("nat", 8),
        ]),
      Contract.Action(name: "flow_miss", arguments: []),
      Contract.Action(
        name: "fragment_hit", arguments: [field("id", 32), field("ip", 32), field("nat", 8)]),
      Contract.Action(name: "fragment_miss", arguments: []),
      Contract.Action(name: "service_select", arguments: [field("id", 32), field("mask", 32)]),
      Contract.Action(
        name: "slot_endpoints",
        arguments: (0..<slotsPerRow).flatMap { [field("id\($0)", 32), field("kind\($0)", 8)] }),
      Contract.Action(name: "endpoint_hop", arguments: hop),
      Contract.Action(name: "endpoint_drain", arguments: hop),
      Contract.Action(name: "endpoint_host", arguments: [field("ip", 32), field("port", 16)]),
      Contract.Action(name: "endpoint_gone", arguments: []),
      Contract.Action(name: "route_hop", arguments: Array(hop[2...])),
      Contract.Action(name: "route_vip", arguments: []),
      Contract.Action(name: "route_host", arguments: []),
      Contract.Action(name: "arp_forward", arguments: [field("egress", 32)]),
      Contract.Action(name: "arp_host", arguments: []),
    ]
    func table(
      _ name: String, _ key: [Contract.Field], _ actions: [String], _ miss: String, _ size: Int
    ) -> Contract.Table {
      Contract.Table(
        name: name, key: key, match: .exact, actions: actions, defaultAction: miss, size: size)
    }
    let timers: [UInt32] = [10, 30, 60, 1, 300, 43200, 120, 120]
    return Contract(
      actions: Dictionary(uniqueKeysWithValues: actions.map { ($0.name, $0) }),
      tables: [
        table(
          "services", [field("dst_ip", 32), field("dst_port", 16), field("kind", 8)],
          ["service_select"], "NoAction", 32_768),
        table(
          "slots", [field("service_id", 32), field("slot_row", 32)], ["slot_endpoints"], "NoAction",
          524_288),
        table(
          "endpoints", [field("endpoint_id", 32)],
          ["endpoint_hop", "endpoint_drain", "endpoint_host"], "endpoint_gone", 262_144),
        table(
          "routes", [field("dst_addr", 32)], ["route_hop", "route_vip"], "route_host", 131_072),
        table("arp_targets", [field("tpa", 32)], ["arp_forward"], "arp_host", 131_072),
      ],
      learners: [
        Contract.Learner(
          name: "flows",
          key: [
            field("src_ip", 32), field("src_port", 16), field("dst_ip", 32),
            field("dst_port", 16), field("kind", 8), field("mix", 24),
          ],
          actions: ["flow_hit"], buckets: 2_097_152, timers: timers),
        Contract.Learner(
          name: "fragments",
          key: [
            field("src_addr", 32), field("dst_addr", 32), field("identification", 16),
            field("protocol", 8),
          ],
          actions: ["fragment_hit"], buckets: 16_384, timers: timers),
      ],
      selectors: [])
  }()
}
