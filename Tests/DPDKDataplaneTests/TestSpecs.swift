/// Pipelines of these tests' own, in the form that `p4c-dpdk` writes.
enum TestSpecs {
  static let common = """
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
    """

  /// Routes by destination address; refuses TTL 1 with reason 1 in the code,
  /// and addresses that are told to with reason 3 inside an action.
  static let router = """
    \(common)
    struct route_arg_t {
      bit<32> port
      bit<48> mac
    }
    struct metadata_t {
      bit<32> in_port
      bit<8> local_metadata_reason
      bit<32> out_port
    }
    metadata instanceof metadata_t
    regarray drops_0 size 0x20 initval 0x0

    action route args instanceof route_arg_t {
      mov h.ethernet.src h.ethernet.dst
      mov h.ethernet.dst t.mac
      mov m.out_port t.port
      return
    }
    action refuse args none {
      jmpneq REFUSE_END h.ipv4.tos 0x0
      mov m.local_metadata_reason 0x3
      drop
      REFUSE_END : return
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
        NoAction
      }
      default_action NoAction args none const
      size 0x400
    }
    apply {
      rx m.in_port
      extract h.ethernet
      mov m.local_metadata_reason 0x0
      mov m.out_port 0x1
      jmpneq OUT h.ethernet.type 0x800
      extract h.ipv4
      jmpgt ROUTE h.ipv4.ttl 0x1
      mov m.local_metadata_reason 0x1
      regadd drops_0 m.local_metadata_reason 1
      jmp DROP
      ROUTE : table routes
      jmp OUT
      DROP : drop
      OUT : emit h.ethernet
      emit h.ipv4
      tx m.out_port
    }
    """

  /// Learns source address → in port for the profile in the tos field; a hit
  /// sends the frame where it was learned and rearms if tos is 7, a miss
  /// sends it to port 9.
  static let learner = """
    \(common)
    struct known_arg_t {
      bit<32> port
    }
    struct metadata_t {
      bit<32> in_port
      bit<32> address
      bit<32> saved
      bit<8> timer
      bit<32> out_port
    }
    metadata instanceof metadata_t

    action known args instanceof known_arg_t {
      mov m.out_port t.port
      jmpneq KNOWN_END h.ipv4.tos 0x7
      rearm
      KNOWN_END : return
    }
    action unknown args none {
      mov m.out_port 0x9
      mov m.saved m.in_port
      mov m.timer h.ipv4.tos
      learn known m.saved m.timer
      return
    }
    learner known_hosts {
      key {
        m.address
      }
      actions {
        known @tableonly
        unknown @defaultonly
      }
      default_action unknown args none
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
      extract h.ipv4
      mov m.address h.ipv4.src
      table known_hosts
      emit h.ethernet
      emit h.ipv4
      tx m.out_port
    }
    """

  /// An Ethernet frame with an IPv4 header.
  static func frame(
    src: UInt32 = 0x0A00_0001, dst: UInt32 = 0x0A00_0002, ttl: UInt8 = 64, tos: UInt8 = 0,
    length: Int = 60
  ) -> [UInt8] {
    var bytes: [UInt8] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, tos, 0, 46, 0, 0, 0, 0]
    bytes += [ttl, 17, 0, 0]
    for address in [src, dst] {
      bytes += (0..<4).map { UInt8(truncatingIfNeeded: address >> UInt32(24 - 8 * $0)) }
    }
    return bytes + [UInt8](repeating: 0xEE, count: max(0, length - bytes.count))
  }
}
