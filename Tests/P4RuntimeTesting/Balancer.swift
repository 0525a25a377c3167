import Foundation
import P4RuntimeProtos

/// A small pipeline with all that `k8s_dp` lacks: a selector, an action profile without
/// one, defaults that can be changed, counters of three kinds, a keyless table, and
/// headers for packets of the controller. Its tables are small, to be filled.
public enum Balancer {
  public static let routes: UInt32 = 1
  public static let vips: UInt32 = 2
  public static let via: UInt32 = 3
  public static let known: UInt32 = 4
  public static let keyless: UInt32 = 5
  public static let fixed: UInt32 = 6

  public static let route: UInt32 = 101
  public static let noAction: UInt32 = 102
  public static let pick: UInt32 = 103
  public static let refuse: UInt32 = 104
  public static let knownHit: UInt32 = 105
  public static let knownMiss: UInt32 = 106

  public static let backends: UInt32 = 201
  public static let hops: UInt32 = 202

  public static let hits: UInt32 = 301
  public static let volume: UInt32 = 302
  public static let octets: UInt32 = 303

  public static let routesSize = 16
  public static let groupLimit = 4
  /// Of one group, and of all members: the engine has one array of them.
  public static let memberLimit = 16

  public static func config(cookie: UInt64? = nil) throws -> P4_V1_ForwardingPipelineConfig {
    try Pipelines.make(spec: spec, info: info, cookie: cookie)
  }

  public static let spec = """
    struct ethernet_t {
      bit<48> dst
      bit<48> src
      bit<16> type
    }
    struct ipv4_t {
      bit<8> version_ihl
      bit<8> tos
      bit<16> length
      bit<16> id
      bit<16> fragment
      bit<8> ttl
      bit<8> protocol
      bit<16> checksum
      bit<32> src
      bit<32> dst
    }
    header ethernet instanceof ethernet_t
    header ipv4 instanceof ipv4_t
    struct route_arg_t {
      bit<32> port
      bit<48> mac
    }
    struct port_arg_t {
      bit<32> port
    }
    struct group_arg_t {
      bit<32> group_id
    }
    struct member_arg_t {
      bit<32> member_id
    }
    struct metadata_t {
      bit<32> in_port
      bit<8> local_metadata_reason
      bit<32> out_port
      bit<32> group
      bit<32> member
      bit<32> hop
      bit<32> source
      bit<32> learned
      bit<8> timer
    }
    metadata instanceof metadata_t
    regarray hits_0 size 0x40 initval 0x0
    regarray volume_0_packets size 0x10 initval 0x0
    regarray volume_0_bytes size 0x10 initval 0x0
    regarray octets_0 size 0x8 initval 0x0

    action route args instanceof route_arg_t {
      mov h.ethernet.src h.ethernet.dst
      mov h.ethernet.dst t.mac
      mov m.out_port t.port
      return
    }
    action pick args instanceof port_arg_t {
      mov m.out_port t.port
      return
    }
    action refuse args none {
      mov m.out_port 0x2
      return
    }
    action vips_set_group_id args instanceof group_arg_t {
      mov m.group t.group_id
      return
    }
    action vips_set_member_id args instanceof member_arg_t {
      mov m.member t.member_id
      return
    }
    action via_set_member_id args instanceof member_arg_t {
      mov m.hop t.member_id
      return
    }
    action known_hit args instanceof port_arg_t {
      mov m.learned t.port
      return
    }
    action known_miss args none {
      mov m.learned m.in_port
      mov m.timer 0x2
      learn known_hit m.learned m.timer
      return
    }
    action NoAction args none {
      return
    }
    table routes {
      key {
        h.ipv4.dst exact
      }
      actions {
        route
        refuse
        NoAction @defaultonly
      }
      default_action NoAction args none
      size 0x10
    }
    table vips {
      key {
        h.ipv4.dst exact
      }
      actions {
        vips_set_group_id
        vips_set_member_id
        NoAction @defaultonly
      }
      default_action NoAction args none const
      size 0x40
    }
    table backends {
      key {
        m.member exact
      }
      actions {
        pick
        route
        NoAction @defaultonly
      }
      default_action NoAction args none const
      size 0x40
    }
    selector backends_sel {
      group_id m.group
      selector {
        m.source
      }
      member_id m.member
      n_groups_max 4
      n_members_per_group_max 16
    }
    table via {
      key {
        h.ipv4.src exact
      }
      actions {
        via_set_member_id
        NoAction @defaultonly
      }
      default_action NoAction args none const
      size 0x40
    }
    table hops {
      key {
        m.hop exact
      }
      actions {
        pick
        NoAction @defaultonly
      }
      default_action NoAction args none const
      size 0x4
    }
    table fixed {
      key {
        h.ipv4.src exact
      }
      actions {
        refuse
        NoAction @defaultonly
      }
      default_action NoAction args none
      size 0x4
    }
    table keyless {
      key {
      }
      actions {
        refuse
        NoAction
      }
      default_action NoAction args none
      size 0x1
    }
    learner known {
      key {
        m.source
      }
      actions {
        known_hit @tableonly
        known_miss @defaultonly
      }
      default_action known_miss args none
      size 0x40
      timeout {
        10
        30
        60
        120
        300
        43200
        120
        120
      }
    }
    apply {
      rx m.in_port
      extract h.ethernet
      mov m.local_metadata_reason 0x0
      mov m.out_port 0x1
      jmpneq OUT h.ethernet.type 0x800
      extract h.ipv4
      mov m.source h.ipv4.src
      mov m.member 0x0
      mov m.hop 0x0
      mov m.group 0xFFFFFFFF
      table known
      table fixed
      table keyless
      regadd hits_0 m.in_port 1
      regadd volume_0_packets m.in_port 1
      regadd volume_0_bytes m.in_port h.ipv4.length
      regadd octets_0 m.in_port h.ipv4.length
      table routes
      table via
      table hops
      table vips
      jmpeq MEMBERS m.group 0xFFFFFFFF
      table backends_sel
      MEMBERS : table backends
      OUT : emit h.ethernet
      emit h.ipv4
      tx m.out_port
    }
    """

  private static func table(
    _ id: UInt32, _ name: String, _ fields: [(String, Int)], _ actions: String, _ more: String
  ) -> String {
    let keys = fields.enumerated().map { i, field in
      """
      match_fields { id: \(i + 1) name: "\(field.0)" bitwidth: \(field.1) match_type: EXACT }
      """
    }
    return """
      tables {
        preamble { id: \(id) name: "main.\(name)" alias: "\(name)" }
        \(keys.joined(separator: "\n"))
        \(actions)
        \(more)
      }
      """
  }

  public static let info = """
    pkg_info { arch: "pna" }
    \(table(routes, "routes", [("hdr.ipv4.dst", 32)],
      "action_refs { id: 101 } action_refs { id: 104 scope: TABLE_ONLY } "
        + "action_refs { id: 102 scope: DEFAULT_ONLY }", "size: 16"))
    \(table(vips, "vips", [("hdr.ipv4.dst", 32)],
      "action_refs { id: 103 } action_refs { id: 101 } "
        + "action_refs { id: 102 scope: DEFAULT_ONLY }",
      "const_default_action_id: 102 implementation_id: 201 size: 64"))
    \(table(via, "via", [("hdr.ipv4.src", 32)],
      "action_refs { id: 103 } action_refs { id: 102 scope: DEFAULT_ONLY }",
      "const_default_action_id: 102 implementation_id: 202 size: 64"))
    \(table(known, "known", [("meta.source", 32)],
      "action_refs { id: 105 scope: TABLE_ONLY } action_refs { id: 106 scope: DEFAULT_ONLY }",
      "const_default_action_id: 106 size: 256"))
    \(table(keyless, "keyless", [],
      "action_refs { id: 104 } action_refs { id: 102 }", "size: 1"))
    \(table(fixed, "fixed", [("hdr.ipv4.src", 32)],
      "action_refs { id: 104 } action_refs { id: 102 scope: DEFAULT_ONLY }",
      "size: 4"))
    actions {
      preamble { id: 101 name: "main.route" alias: "route" }
      params { id: 1 name: "port" bitwidth: 32 type_name { name: "PortId_t" } }
      params { id: 2 name: "mac" bitwidth: 48 }
    }
    actions { preamble { id: 102 name: "NoAction" alias: "NoAction" } }
    actions {
      preamble { id: 103 name: "main.pick" alias: "pick" }
      params { id: 1 name: "port" bitwidth: 32 type_name { name: "PortId_t" } }
    }
    actions { preamble { id: 104 name: "main.refuse" alias: "refuse" } }
    actions {
      preamble { id: 105 name: "main.known_hit" alias: "known_hit" }
      params { id: 1 name: "port" bitwidth: 32 }
    }
    actions { preamble { id: 106 name: "main.known_miss" alias: "known_miss" } }
    action_profiles {
      preamble { id: 201 name: "main.backends" alias: "backends" }
      table_ids: 2 with_selector: true size: 64 max_group_size: 8
      sum_of_members { max_member_weight: 4 }
    }
    action_profiles {
      preamble { id: 202 name: "main.hops" alias: "hops" }
      table_ids: 3 size: 4
    }
    counters {
      preamble { id: 301 name: "main.hits" alias: "hits" } spec { unit: PACKETS } size: 50
    }
    counters {
      preamble { id: 302 name: "main.volume" alias: "volume" } spec { unit: BOTH } size: 16
    }
    counters {
      preamble { id: 303 name: "main.octets" alias: "octets" } spec { unit: BYTES } size: 8
    }
    controller_packet_metadata {
      preamble { id: 401 name: "packet_in" alias: "packet_in" }
      metadata { id: 1 name: "ingress_port" bitwidth: 9 }
      metadata { id: 2 name: "pad" bitwidth: 7 }
    }
    controller_packet_metadata {
      preamble { id: 402 name: "packet_out" alias: "packet_out" }
      metadata { id: 1 name: "egress_port" bitwidth: 9 }
      metadata { id: 2 name: "pad" bitwidth: 7 }
    }
    """
}
