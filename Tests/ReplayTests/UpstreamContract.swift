import Core

/// The tables of upstream's pipeline as far as control planes write them, so that
/// what they write can be checked without its artefacts. Sizes are given.
enum UpstreamContract {
  static func make(destinations: Int = 1024, groups: Int = 128) -> Contract {
    let arguments: [String: [Int]] = [
      "NoAction": [], "set_dest_vport": [32], "set_dest_mac_vport": [32, 48],
      "update_dst_ip": [32, 16], "update_src_ip": [32, 16], "set_default_lb_dest": [24],
      "set_default_lb_dest_1": [24], "set_key_for_reverse_ct": [24],
      "set_key_for_reverse_ct_1": [24], "tx_balance_tcp_set_group_id": [32],
      "tx_balance_udp_set_group_id": [32],
    ]
    func table(_ name: String, _ key: [Int], _ action: String, _ size: Int = 65_536)
      -> Contract.Table
    {
      Contract.Table(
        name: name, key: fields(key), match: .exact, actions: [action], defaultAction: "NoAction",
        size: size)
    }
    return Contract(
      actions: Dictionary(
        uniqueKeysWithValues: arguments.map { name, bits in
          (name, Contract.Action(name: name, arguments: fields(bits)))
        }),
      tables: [
        table("arpt_to_port_table", [32], "set_dest_vport"),
        table("ipv4_to_port_table", [32], "set_dest_mac_vport"),
        table("write_dest_ip_table", [24], "update_dst_ip", destinations),
        table("write_source_ip_table", [24], "update_src_ip", 2048),
        table("tx_balance_tcp", [32, 16], "tx_balance_tcp_set_group_id"),
        table("tx_balance_udp", [32, 16], "tx_balance_udp_set_group_id"),
        table("as_sl3_tcp", [32], "set_default_lb_dest"),
        table("as_sl3_udp", [32], "set_default_lb_dest_1"),
        table("set_meta_tcp", [32, 16], "set_key_for_reverse_ct"),
        table("set_meta_udp", [32, 16], "set_key_for_reverse_ct_1"),
      ],
      learners: [],
      selectors: ["as_sl3_tcp_sel", "as_sl3_udp_sel"].map {
        Contract.Selector(name: $0, maximumGroups: groups, maximumMembers: 1024)
      })
  }

  private static func fields(_ bits: [Int]) -> [Contract.Field] {
    bits.enumerated().map { Contract.Field(name: "f\($0.offset)", bits: $0.element) }
  }
}
