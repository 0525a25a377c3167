// SPDX-License-Identifier: Apache-2.0
//
// k8s_dp: pod networking of one Kubernetes node (rules R1-R15).
//
//   parse -> [ARP | IPv4] -> flow / service / slot / endpoint -> route -> out
//
// Segments of TCP connections under way are most of the traffic and go a short
// way of their own. All else goes the long way; both end in the same forwarding.
//
// Four facts about the engine shape this source:
//  * nothing is cleared between packets, so every metadata field that is read
//    is written first on every path;
//  * `&&`, `<` and `>` miscompile together, so conditions are nested;
//  * a hash result must lie in the first 32 bytes of metadata, so the keys
//    come first in metadata_t;
//  * every statement costs: about a nanosecond each, so the short way sets
//    nothing that it does not read.
//
// Frame lengths are not visible in P4: the host drops frames whose headers
// are cut short or lie about their length before they enter.

#include <core.p4>
#include <pna.p4>

const bit<16> ETHERTYPE_IPV4 = 0x0800;
const bit<16> ETHERTYPE_ARP  = 0x0806;
const bit<16> ETHERTYPE_VLAN = 0x8100;
const bit<8>  PROTOCOL_TCP   = 6;
const bit<8>  PROTOCOL_UDP   = 17;

// Port 1 is the host: what the pipeline does not know goes there unmodified.
const PortId_t HOST_PORT = (PortId_t) 1;

// Kinds of flow entry. A UDP flow towards a Service has 0x80 | the epoch of its
// slot instead, so that raising the epoch moves the flow.
const bit<8> KIND_TCP      = 6;
const bit<8> KIND_TCP_HALF = 7;
const bit<8> KIND_UDP      = 17;

// Drop reasons, the index into `drops`.
const bit<8> DROP_NONE            = 0;
const bit<8> DROP_TTL_EXPIRED     = 1;
const bit<8> DROP_MULTICAST       = 2;
const bit<8> DROP_NO_ENDPOINT     = 3;
const bit<8> DROP_NO_FLOW         = 4;
const bit<8> DROP_ENDPOINT_GONE   = 5;
const bit<8> DROP_FLOW_TABLE_FULL = 6;
const bit<8> DROP_NAT_COLLISION   = 7;
const bit<8> DROP_FRAGMENT        = 8;
const bit<8> DROP_NO_SERVICE      = 9;
const bit<8> DROP_BAD_IP_HEADER   = 10;

// Expire-time profiles, ids into the engine's table of eight:
// {10, 30, 60, 120, 300, 43200, 120, 120} s unless the host sets others.
const ExpireTimeProfileId_t TIMER_TCP_RESET       = (ExpireTimeProfileId_t) 8w0;
const ExpireTimeProfileId_t TIMER_FRAGMENT        = (ExpireTimeProfileId_t) 8w0;
const ExpireTimeProfileId_t TIMER_UDP_UNREPLIED   = (ExpireTimeProfileId_t) 8w1;
const ExpireTimeProfileId_t TIMER_TCP_HALF_OPEN   = (ExpireTimeProfileId_t) 8w2;
const ExpireTimeProfileId_t TIMER_TCP_STALE       = (ExpireTimeProfileId_t) 8w3;
const ExpireTimeProfileId_t TIMER_TCP_ESTABLISHED = (ExpireTimeProfileId_t) 8w5;
const ExpireTimeProfileId_t TIMER_TCP_CLOSING     = (ExpireTimeProfileId_t) 8w6;
const ExpireTimeProfileId_t TIMER_UDP_STREAM      = (ExpireTimeProfileId_t) 8w7;

header ethernet_t {
    bit<48> dst_mac;
    bit<48> src_mac;
    bit<16> ether_type;
}

header vlan_t {
    bit<16> tci;
    bit<16> ether_type;
}

header arp_t {
    bit<16> htype;
    bit<16> ptype;
    bit<8>  hlen;
    bit<8>  plen;
    bit<16> oper;
    bit<48> sha;
    bit<32> spa;
    bit<48> tha;
    bit<32> tpa;
}

header ipv4_t {
    bit<8>  version_ihl;
    bit<8>  dscp_ecn;
    bit<16> total_len;
    bit<16> identification;
    bit<16> flags_frag_offset;
    bit<8>  ttl;
    bit<8>  protocol;
    bit<16> header_checksum;
    bit<32> src_addr;
    bit<32> dst_addr;
}

header ipv4_options_t {
    varbit<320> options;
}

header tcp_t {
    bit<16> src_port;
    bit<16> dst_port;
    bit<32> seq_no;
    bit<32> ack_no;
    bit<8>  data_offset_res;
    bit<8>  flags;
    bit<16> window;
    bit<16> checksum;
    bit<16> urgent_ptr;
}

header udp_t {
    bit<16> src_port;
    bit<16> dst_port;
    bit<16> length;
    bit<16> checksum;
}

struct headers_t {
    ethernet_t     ethernet;
    vlan_t         vlan;
    arp_t          arp;
    ipv4_t         ipv4;
    ipv4_options_t ipv4_options;
    tcp_t          tcp;
    udp_t          udp;
}

struct metadata_t {
    bit<32> service_id;
    bit<32> slot_row;
    // The flow key, 16 bytes. `mix` is 24 bits of jhash over the addresses and
    // ports: it spreads structured tuples over the buckets, which the engine's
    // own linear CRC does not, and it picks the slot.
    bit<32> src_ip;
    bit<16> src_port;
    bit<32> dst_ip;
    bit<16> dst_port;
    bit<8>  kind;
    bit<24> mix;
    bit<24> lane;         // which slot of its row
    // What a flow entry says, or what is to be learned.
    bit<32> endpoint_id;
    bit<32> new_ip;       // DNAT: the endpoint's; SNAT: the Service's
    bit<16> new_port;
    bit<8>  peer_kind;    // SNAT: kind of the entry for requests
    bit<8>  nat;          // NAT_*
    bit<8>  mode;         // MODE_*: what a look-up in `flows` does
    bit<8>  shape;        // SHAPE_*
    bit<8>  next;         // NEXT_*
    bit<8>  reason;       // DROP_*, with NEXT_DROP
    // The long way only.
    bit<8>  fragment;     // FRAGMENT_*
    bit<8>  forward_kind; // kind of the entry for requests
    bit<8>  found;        // FOUND_*: which entry this direction has
    bit<8>  pair;         // 1: the other direction needs an entry, too
    bit<8>  touch;        // 1: the other direction's entry gets the timer, too
    bit<8>  drain;        // 1: the endpoint takes no new flow
    // What is to be done, while the entry of the other direction is looked up.
    bit<24> own_mix;
    bit<32> own_endpoint_id;
    bit<32> own_ip;
    bit<16> own_port;
    bit<8>  own_nat;
}

const bit<8> NAT_NONE = 0;
const bit<8> NAT_DNAT = 1;
const bit<8> NAT_SNAT = 2;

const bit<8> MODE_KEEP       = 0;   // a hit starts the stored profile again
const bit<8> MODE_SET        = 1;   // a hit stores the profile in `timer` and starts it
const bit<8> MODE_LOOK       = 2;   // a hit changes nothing
const bit<8> MODE_LEARN_KEEP = 3;   // as KEEP, and a miss learns
const bit<8> MODE_LEARN_LOOK = 4;   // as LOOK, and a miss learns

const bit<8> FOUND_NONE = 0;
const bit<8> FOUND_LIVE = 1;   // TCP past its handshake, or UDP
const bit<8> FOUND_HALF = 2;   // TCP in its handshake

const bit<8> SHAPE_TCP       = 0;  // not fragmented; not the shapes below
const bit<8> SHAPE_TCP_FIRST = 1;  // the same, of a fragmented packet
const bit<8> SHAPE_SYN       = 2;  // opens a connection
const bit<8> SHAPE_FIN       = 3;
const bit<8> SHAPE_RST       = 4;
const bit<8> SHAPE_UDP       = 5;
const bit<8> SHAPE_LATER     = 6;  // a later fragment: no ports
const bit<8> SHAPE_OTHER     = 7;  // other protocols on IPv4
const bit<8> SHAPE_BAD       = 8;  // bad IP version or header length

const bit<8> NEXT_HOST = 0;    // not known here: to the host, unmodified
const bit<8> NEXT_HOP  = 1;    // MACs are rewritten, TTL is to be decremented
const bit<8> NEXT_VIP  = 2;    // the address of a Service
const bit<8> NEXT_DROP = 3;
const bit<8> NEXT_LONG = 4;    // to be found on the long way
const bit<8> NEXT_GONE = 5;    // the same, and the endpoint was removed
const bit<8> NEXT_HALF = 6;    // the same: TCP to a Service that has no entry

const bit<8> FRAGMENT_NONE  = 0;
const bit<8> FRAGMENT_FIRST = 1;

struct flow_data_t {
    bit<32> id;
    bit<32> ip;
    bit<16> port;
    bit<8>  kind;
    bit<8>  nat;
}

struct fragment_data_t {
    bit<32> id;
    bit<32> ip;
    bit<8>  nat;
}

control pre_control(in headers_t hdr, inout metadata_t meta,
                    in pna_pre_input_metadata_t istd,
                    inout pna_pre_output_metadata_t ostd) {
    apply { }
}

parser packet_parser(packet_in pkt, out headers_t hdr, inout metadata_t meta,
                     in pna_main_parser_input_metadata_t istd) {
    state start {
        pkt.extract(hdr.ethernet);
        transition select(hdr.ethernet.ether_type) {
            ETHERTYPE_IPV4: parse_ipv4;
            ETHERTYPE_VLAN: parse_vlan;
            ETHERTYPE_ARP:  parse_arp;
            default:        accept;
        }
    }

    state parse_vlan {
        pkt.extract(hdr.vlan);
        transition select(hdr.vlan.ether_type) {
            ETHERTYPE_IPV4: parse_ipv4;
            ETHERTYPE_ARP:  parse_arp;
            default:        accept;
        }
    }

    state parse_arp {
        pkt.extract(hdr.arp);
        transition accept;
    }

    state parse_ipv4 {
        pkt.extract(hdr.ipv4);
        transition select(hdr.ipv4.version_ihl) {
            0x45:           parse_l4;
            0x46 &&& 0xfe:  parse_options;
            0x48 &&& 0xf8:  parse_options;
            default:        bad_ip_header;
        }
    }

    state bad_ip_header {
        meta.shape = SHAPE_BAD;
        transition accept;
    }

    state parse_options {
        pkt.extract(hdr.ipv4_options,
                    (bit<32>) ((hdr.ipv4.version_ihl & 0xf) - 5) << 5);
        transition parse_l4;
    }

    // 0x3fff: more-fragments or an offset. Only the first fragment has ports. The
    // common values come first: a plain comparison is cheaper than a masked one.
    state parse_l4 {
        transition select(hdr.ipv4.flags_frag_offset) {
            0x4000:            parse_ports;
            0x0000:            parse_ports;
            0x0000 &&& 0x3fff: parse_ports;
            0x2000 &&& 0x3fff: first_fragment;
            default:           later_fragment;
        }
    }

    state parse_ports {
        transition select(hdr.ipv4.protocol) {
            PROTOCOL_TCP: parse_tcp;
            default:      parse_rest;
        }
    }

    state parse_tcp {
        pkt.extract(hdr.tcp);
        meta.shape = SHAPE_TCP;
        transition select(hdr.tcp.flags) {
            0x10:          accept;     // ACK
            0x18:          accept;     // PSH, ACK
            0x00 &&& 0x07: accept;
            default:       tcp_control;
        }
    }

    state tcp_control {
        meta.fragment = FRAGMENT_NONE;
        transition tcp_flags;
    }

    // SYN without ACK, whatever the ECN bits, and without FIN or RST; RST; FIN.
    state tcp_flags {
        transition select(hdr.tcp.flags) {
            0x02 &&& 0x17: tcp_syn;
            0x04 &&& 0x04: tcp_rst;
            0x01 &&& 0x01: tcp_fin;
            default:       accept;
        }
    }

    state tcp_syn {
        meta.shape = SHAPE_SYN;
        transition accept;
    }

    state tcp_rst {
        meta.shape = SHAPE_RST;
        transition accept;
    }

    state tcp_fin {
        meta.shape = SHAPE_FIN;
        transition accept;
    }

    state parse_rest {
        meta.fragment = FRAGMENT_NONE;
        meta.shape = SHAPE_OTHER;
        transition select(hdr.ipv4.protocol) {
            PROTOCOL_UDP: parse_udp;
            default:      accept;
        }
    }

    state parse_udp {
        pkt.extract(hdr.udp);
        meta.shape = SHAPE_UDP;
        transition accept;
    }

    state first_fragment {
        meta.fragment = FRAGMENT_FIRST;
        meta.shape = SHAPE_OTHER;
        transition select(hdr.ipv4.protocol) {
            PROTOCOL_TCP: parse_tcp_first;
            PROTOCOL_UDP: parse_udp;
            default:      accept;
        }
    }

    state parse_tcp_first {
        pkt.extract(hdr.tcp);
        meta.shape = SHAPE_TCP_FIRST;
        transition tcp_flags;
    }

    state later_fragment {
        meta.fragment = FRAGMENT_NONE;
        meta.shape = SHAPE_LATER;
        transition accept;
    }
}

control k8s_dp_control(inout headers_t hdr, inout metadata_t meta,
                       in pna_main_input_metadata_t istd,
                       inout pna_main_output_metadata_t ostd) {
    Hash<bit<24>>(PNA_HashAlgorithm_t.IDENTITY) tuple_hash;
    Hash<bit<24>>(PNA_HashAlgorithm_t.IDENTITY) peer_hash;
    InternetChecksum() ip_sum;
    InternetChecksum() l4_sum;
    Counter<bit<64>, bit<8>>(32, PNA_CounterType_t.PACKETS) drops;
    ExpireTimeProfileId_t timer;
    bool ok;

    // ------------------------------------------------------------------ flows
    action flow_hit(bit<32> id, bit<32> ip, bit<16> port, bit<8> kind, bit<8> nat) {
        meta.endpoint_id = id;
        meta.new_ip = ip;
        meta.new_port = port;
        meta.peer_kind = kind;
        meta.nat = nat;
        if (meta.mode == MODE_KEEP) {
            restart_expire_timer();
        } else {
            if (meta.mode == MODE_SET) {
                set_entry_expire_time(timer);
            } else {
                if (meta.mode == MODE_LEARN_KEEP) {
                    restart_expire_timer();
                }
            }
        }
    }

    action flow_miss() {
        if (meta.mode >= MODE_LEARN_KEEP) {
            ok = add_entry(action_name = "flow_hit",
                action_params = (flow_data_t) {
                    id = meta.endpoint_id,
                    ip = meta.new_ip,
                    port = meta.new_port,
                    kind = meta.peer_kind,
                    nat = meta.nat
                },
                expire_time_profile_id = timer);
        }
    }

    // Buckets of four entries; a translated flow is two entries.
    table flows {
        key = {
            meta.src_ip:   exact;
            meta.src_port: exact;
            meta.dst_ip:   exact;
            meta.dst_port: exact;
            meta.kind:     exact;
            meta.mix:      exact;
        }
        actions = {
            @tableonly flow_hit;
            @defaultonly flow_miss;
        }
        const default_action = flow_miss;
        add_on_miss = true;
        idle_timeout_with_auto_delete = true;
        size = 2097152;
    }

    // -------------------------------------------------------------- fragments
    // Not armed again: an identification is soon used for another datagram.
    action fragment_hit(bit<32> id, bit<32> ip, bit<8> nat) {
        meta.endpoint_id = id;
        meta.new_ip = ip;
        meta.nat = nat;
    }

    action fragment_miss() {
        if (meta.fragment == FRAGMENT_FIRST) {
            ok = add_entry(action_name = "fragment_hit",
                action_params = (fragment_data_t) {
                    id = meta.endpoint_id,
                    ip = meta.new_ip,
                    nat = meta.nat
                },
                expire_time_profile_id = timer);
        }
    }

    // Datagrams whose first fragment was translated.
    table fragments {
        key = {
            hdr.ipv4.src_addr:       exact;
            hdr.ipv4.dst_addr:       exact;
            hdr.ipv4.identification: exact;
            hdr.ipv4.protocol:       exact;
        }
        actions = {
            @tableonly fragment_hit;
            @defaultonly fragment_miss;
        }
        const default_action = fragment_miss;
        add_on_miss = true;
        idle_timeout_with_auto_delete = true;
        size = 16384;
    }

    // --------------------------------------------------------------- services
    action service_select(bit<32> id, bit<32> mask) {
        meta.service_id = id;
        meta.lane = meta.mix & 3;
        meta.slot_row = ((bit<32>) meta.mix & mask) >> 2;
    }

    table services {
        key = {
            meta.dst_ip:   exact;
            meta.dst_port: exact;
            meta.kind:     exact;   // KIND_TCP or KIND_UDP: the protocol number
        }
        actions = {
            service_select;
            @defaultonly NoAction;
        }
        const default_action = NoAction;
        size = 32768;
    }

    action slot_endpoints(bit<32> id0, bit<8> kind0, bit<32> id1, bit<8> kind1,
                          bit<32> id2, bit<8> kind2, bit<32> id3, bit<8> kind3) {
        if (meta.lane == 0) {
            meta.endpoint_id = id0;
            meta.forward_kind = kind0;
        } else { if (meta.lane == 1) {
            meta.endpoint_id = id1;
            meta.forward_kind = kind1;
        } else { if (meta.lane == 2) {
            meta.endpoint_id = id2;
            meta.forward_kind = kind2;
        } else {
            meta.endpoint_id = id3;
            meta.forward_kind = kind3;
        } } }
    }

    // Weighted consistent-hash slots, a power of two per Service port and four a row:
    // a controller has a quarter of the rows to write.
    table slots {
        key = {
            meta.service_id: exact;
            meta.slot_row:   exact;
        }
        actions = {
            slot_endpoints;
            @defaultonly NoAction;
        }
        const default_action = NoAction;
        size = 524288;
    }

    action endpoint_hop(bit<32> ip, bit<16> port, PortId_t egress,
                        bit<48> dmac, bit<48> smac) {
        meta.new_ip = ip;
        meta.new_port = port;
        hdr.ethernet.dst_mac = dmac;
        hdr.ethernet.src_mac = smac;
        meta.next = NEXT_HOP;
        send_to_port(egress);
    }

    // Takes no new flow, keeps the ones it has.
    action endpoint_drain(bit<32> ip, bit<16> port, PortId_t egress,
                          bit<48> dmac, bit<48> smac) {
        meta.new_ip = ip;
        meta.new_port = port;
        hdr.ethernet.dst_mac = dmac;
        hdr.ethernet.src_mac = smac;
        meta.next = NEXT_HOP;
        meta.drain = 1;
        send_to_port(egress);
    }

    // An endpoint that is not on this node: by way of the host.
    action endpoint_host(bit<32> ip, bit<16> port) {
        meta.new_ip = ip;
        meta.new_port = port;
        meta.next = NEXT_HOST;
        send_to_port(HOST_PORT);
    }

    action endpoint_gone() {
        meta.next = NEXT_GONE;
    }

    table endpoints {
        key = {
            meta.endpoint_id: exact;
        }
        actions = {
            endpoint_hop;
            endpoint_drain;
            endpoint_host;
            @defaultonly endpoint_gone;
        }
        const default_action = endpoint_gone;
        size = 262144;
    }

    // ----------------------------------------------------------------- routes
    action route_hop(PortId_t egress, bit<48> dmac, bit<48> smac) {
        hdr.ethernet.dst_mac = dmac;
        hdr.ethernet.src_mac = smac;
        meta.next = NEXT_HOP;
        send_to_port(egress);
    }

    // The address of a Service.
    action route_vip() {
        meta.next = NEXT_VIP;
    }

    action route_host() {
        meta.next = NEXT_HOST;
        send_to_port(HOST_PORT);
    }

    table routes {
        key = {
            hdr.ipv4.dst_addr: exact;
        }
        actions = {
            route_hop;
            route_vip;
            @defaultonly route_host;
        }
        const default_action = route_host;
        size = 131072;
    }

    action arp_forward(PortId_t egress) {
        send_to_port(egress);
    }

    action arp_host() {
        send_to_port(HOST_PORT);
    }

    table arp_targets {
        key = {
            hdr.arp.tpa: exact;
        }
        actions = {
            arp_forward;
            @defaultonly arp_host;
        }
        const default_action = arp_host;
        size = 131072;
    }

    // ------------------------------------------------------------- translation
    // get() returns 0xffff for 0, which is right for UDP only (RFC 768); 0 in UDP
    // means that there is no checksum, and stays.
    @hidden action dnat_tcp() {
        ip_sum.clear();
        ip_sum.subtract(hdr.ipv4.header_checksum);
        ip_sum.subtract(hdr.ipv4.dst_addr);
        l4_sum.clear();
        l4_sum.subtract(hdr.tcp.checksum);
        l4_sum.subtract(hdr.ipv4.dst_addr);
        l4_sum.subtract(hdr.tcp.dst_port);
        hdr.ipv4.dst_addr = meta.new_ip;
        hdr.tcp.dst_port = meta.new_port;
        l4_sum.add(hdr.ipv4.dst_addr);
        l4_sum.add(hdr.tcp.dst_port);
        hdr.tcp.checksum = l4_sum.get();
        if (hdr.tcp.checksum == 0xffff) {
            hdr.tcp.checksum = 0;
        }
        ip_sum.add(hdr.ipv4.dst_addr);
        hdr.ipv4.header_checksum = ip_sum.get();
        if (hdr.ipv4.header_checksum == 0xffff) {
            hdr.ipv4.header_checksum = 0;
        }
    }

    @hidden action snat_tcp() {
        ip_sum.clear();
        ip_sum.subtract(hdr.ipv4.header_checksum);
        ip_sum.subtract(hdr.ipv4.src_addr);
        l4_sum.clear();
        l4_sum.subtract(hdr.tcp.checksum);
        l4_sum.subtract(hdr.ipv4.src_addr);
        l4_sum.subtract(hdr.tcp.src_port);
        hdr.ipv4.src_addr = meta.new_ip;
        hdr.tcp.src_port = meta.new_port;
        l4_sum.add(hdr.ipv4.src_addr);
        l4_sum.add(hdr.tcp.src_port);
        hdr.tcp.checksum = l4_sum.get();
        if (hdr.tcp.checksum == 0xffff) {
            hdr.tcp.checksum = 0;
        }
        ip_sum.add(hdr.ipv4.src_addr);
        hdr.ipv4.header_checksum = ip_sum.get();
        if (hdr.ipv4.header_checksum == 0xffff) {
            hdr.ipv4.header_checksum = 0;
        }
    }

    @hidden action dnat_udp() {
        ip_sum.clear();
        ip_sum.subtract(hdr.ipv4.header_checksum);
        ip_sum.subtract(hdr.ipv4.dst_addr);
        l4_sum.clear();
        l4_sum.subtract(hdr.udp.checksum);
        l4_sum.subtract(hdr.ipv4.dst_addr);
        l4_sum.subtract(hdr.udp.dst_port);
        hdr.ipv4.dst_addr = meta.new_ip;
        hdr.udp.dst_port = meta.new_port;
        l4_sum.add(hdr.ipv4.dst_addr);
        l4_sum.add(hdr.udp.dst_port);
        if (hdr.udp.checksum != 0) {
            hdr.udp.checksum = l4_sum.get();
        }
        ip_sum.add(hdr.ipv4.dst_addr);
        hdr.ipv4.header_checksum = ip_sum.get();
        if (hdr.ipv4.header_checksum == 0xffff) {
            hdr.ipv4.header_checksum = 0;
        }
    }

    @hidden action snat_udp() {
        ip_sum.clear();
        ip_sum.subtract(hdr.ipv4.header_checksum);
        ip_sum.subtract(hdr.ipv4.src_addr);
        l4_sum.clear();
        l4_sum.subtract(hdr.udp.checksum);
        l4_sum.subtract(hdr.ipv4.src_addr);
        l4_sum.subtract(hdr.udp.src_port);
        hdr.ipv4.src_addr = meta.new_ip;
        hdr.udp.src_port = meta.new_port;
        l4_sum.add(hdr.ipv4.src_addr);
        l4_sum.add(hdr.udp.src_port);
        if (hdr.udp.checksum != 0) {
            hdr.udp.checksum = l4_sum.get();
        }
        ip_sum.add(hdr.ipv4.src_addr);
        hdr.ipv4.header_checksum = ip_sum.get();
        if (hdr.ipv4.header_checksum == 0xffff) {
            hdr.ipv4.header_checksum = 0;
        }
    }

    @hidden action dnat_ip() {
        ip_sum.clear();
        ip_sum.subtract(hdr.ipv4.header_checksum);
        ip_sum.subtract(hdr.ipv4.dst_addr);
        hdr.ipv4.dst_addr = meta.new_ip;
        ip_sum.add(hdr.ipv4.dst_addr);
        hdr.ipv4.header_checksum = ip_sum.get();
        if (hdr.ipv4.header_checksum == 0xffff) {
            hdr.ipv4.header_checksum = 0;
        }
    }

    @hidden action snat_ip() {
        ip_sum.clear();
        ip_sum.subtract(hdr.ipv4.header_checksum);
        ip_sum.subtract(hdr.ipv4.src_addr);
        hdr.ipv4.src_addr = meta.new_ip;
        ip_sum.add(hdr.ipv4.src_addr);
        hdr.ipv4.header_checksum = ip_sum.get();
        if (hdr.ipv4.header_checksum == 0xffff) {
            hdr.ipv4.header_checksum = 0;
        }
    }

    // ------------------------------------------------------------------- helpers
    @hidden action tcp_key() {
        meta.src_ip = hdr.ipv4.src_addr;
        meta.src_port = hdr.tcp.src_port;
        meta.dst_ip = hdr.ipv4.dst_addr;
        meta.dst_port = hdr.tcp.dst_port;
        meta.kind = KIND_TCP;
        meta.mix = tuple_hash.get_hash({meta.src_ip, meta.src_port,
                                        meta.dst_ip, meta.dst_port});
    }

    @hidden action udp_key() {
        meta.src_ip = hdr.ipv4.src_addr;
        meta.src_port = hdr.udp.src_port;
        meta.dst_ip = hdr.ipv4.dst_addr;
        meta.dst_port = hdr.udp.dst_port;
        meta.kind = KIND_UDP;
        meta.mix = tuple_hash.get_hash({meta.src_ip, meta.src_port,
                                        meta.dst_ip, meta.dst_port});
    }

    @hidden action refuse(bit<8> reason) {
        meta.next = NEXT_DROP;
        meta.reason = reason;
    }

    @hidden action drop() {
        drops.count(meta.reason);
        drop_packet();
    }

    apply {
        if (hdr.ipv4.isValid()) {
            if ((hdr.ethernet.dst_mac & 0x010000000000) != 0) {
                refuse(DROP_MULTICAST);
                if (meta.shape == SHAPE_BAD) {
                    meta.reason = DROP_BAD_IP_HEADER;
                }
            } else { if (hdr.ipv4.ttl <= 1) {
                if (meta.shape == SHAPE_BAD) {
                    refuse(DROP_BAD_IP_HEADER);
                } else {
                    // What we would have to route ends here; the rest is the host's.
                    routes.apply();
                    if (meta.next != NEXT_HOST) {
                        refuse(DROP_TTL_EXPIRED);
                    }
                }
            } else { if (meta.shape == SHAPE_TCP) {
                // The short way: TCP of a connection under way.
                tcp_key();
                meta.mode = MODE_KEEP;
                if (flows.apply().hit) {
                    if (meta.nat == NAT_DNAT) {
                        if (endpoints.apply().hit) {
                            dnat_tcp();
                        } else {
                            meta.found = FOUND_LIVE;
                            meta.pair = 0;
                            meta.fragment = FRAGMENT_NONE;
                        }
                    } else {
                        snat_tcp();
                        routes.apply();
                    }
                } else {
                    routes.apply();
                    if (meta.next == NEXT_VIP) {
                        meta.next = NEXT_HALF;
                        meta.fragment = FRAGMENT_NONE;
                        timer = TIMER_TCP_ESTABLISHED;
                        meta.pair = 0;
                        meta.touch = 0;
                    }
                }
            } else {
                // The long way. 1. Which flow, which endpoint?
                meta.next = NEXT_LONG;
                meta.nat = NAT_NONE;
                meta.mode = MODE_KEEP;
                meta.pair = 0;
                meta.touch = 0;
                meta.found = FOUND_NONE;
                if (meta.shape == SHAPE_BAD) {
                    refuse(DROP_BAD_IP_HEADER);
                } else { if (hdr.tcp.isValid()) {
                    tcp_key();
                    if (meta.shape == SHAPE_SYN) {
                        if (services.apply().hit) {
                            if (slots.apply().hit) {
                                meta.pair = 1;
                                meta.forward_kind = KIND_TCP_HALF;
                                meta.mode = MODE_LOOK;
                                timer = TIMER_TCP_HALF_OPEN;
                                if (flows.apply().hit) {
                                    // The ports of an earlier connection, used again.
                                    meta.found = FOUND_LIVE;
                                    timer = TIMER_TCP_ESTABLISHED;
                                    meta.mode = MODE_SET;
                                    flows.apply();
                                } else {
                                    // The timer of the entry for replies will be the same:
                                    // neither may outlive the other, or another flow could
                                    // take its place there.
                                    meta.kind = KIND_TCP_HALF;
                                    meta.mode = MODE_SET;
                                    if (flows.apply().hit) {
                                        meta.found = FOUND_HALF;
                                    }
                                }
                                meta.nat = NAT_DNAT;
                            } else {
                                refuse(DROP_NO_ENDPOINT);
                            }
                        }
                    } else {
                        timer = TIMER_TCP_ESTABLISHED;
                        if (meta.shape == SHAPE_RST) {
                            timer = TIMER_TCP_RESET;
                            meta.mode = MODE_SET;
                            meta.touch = 1;
                        } else { if (meta.shape == SHAPE_FIN) {
                            timer = TIMER_TCP_CLOSING;
                            meta.mode = MODE_SET;
                            meta.touch = 1;
                        } }
                        if (flows.apply().hit) {
                            meta.found = FOUND_LIVE;
                        } else {
                            routes.apply();
                            if (meta.next == NEXT_VIP) {
                                meta.next = NEXT_HALF;
                            }
                        }
                    }
                } else { if (hdr.udp.isValid()) {
                    udp_key();
                    if (services.apply().hit) {
                        if (slots.apply().hit) {
                            meta.pair = 1;
                            timer = TIMER_UDP_UNREPLIED;
                            meta.kind = meta.forward_kind;
                            if (flows.apply().hit) {
                                meta.found = FOUND_LIVE;
                            }
                            meta.nat = NAT_DNAT;
                        } else {
                            refuse(DROP_NO_ENDPOINT);
                        }
                    } else {
                        timer = TIMER_UDP_STREAM;
                        meta.mode = MODE_SET;
                        if (flows.apply().hit) {
                            meta.found = FOUND_LIVE;
                            meta.touch = 1;
                        }
                    }
                } else { if (meta.shape == SHAPE_LATER) {
                    fragments.apply();
                } } } }
            } } }

            if (meta.next == NEXT_HALF) {
                meta.kind = KIND_TCP_HALF;
                if (flows.apply().hit) {
                    // The first packet after the SYN: the flow now gets an entry of its
                    // own, and so a timer of its own.
                    meta.next = NEXT_LONG;
                    meta.found = FOUND_HALF;
                    meta.touch = 1;
                    meta.kind = KIND_TCP;
                    meta.mode = MODE_LEARN_LOOK;
                    flows.apply();
                    // The half-open one must not outlive it: a later connection of these
                    // ports is a new flow, and would look half-open. Where the bucket is
                    // full, it stands for the flow.
                    meta.mode = MODE_LOOK;
                    if (flows.apply().hit) {
                        timer = TIMER_TCP_STALE;
                    }
                    meta.kind = KIND_TCP_HALF;
                    meta.mode = MODE_SET;
                    flows.apply();
                    meta.kind = KIND_TCP;
                    if (meta.shape == SHAPE_FIN) {
                        timer = TIMER_TCP_CLOSING;
                    } else { if (meta.shape == SHAPE_RST) {
                        timer = TIMER_TCP_RESET;
                    } else {
                        timer = TIMER_TCP_ESTABLISHED;
                    } }
                } else {
                    refuse(DROP_NO_FLOW);
                }
            }
            if (meta.next >= NEXT_LONG) {
                // 2. Towards which address, by which port?
                if (meta.nat == NAT_DNAT) {
                    meta.drain = 0;
                    if (meta.next == NEXT_LONG) {
                        endpoints.apply();
                    }
                    if (meta.pair == 1) {
                        if (meta.drain == 1) {
                            // A new connection must not go there; one under way may.
                            if (hdr.tcp.isValid()) {
                                if (meta.found != FOUND_HALF) {
                                    meta.next = NEXT_GONE;
                                }
                            }
                        }
                    }
                    if (meta.next == NEXT_GONE) {
                        // Forget the flow soon, in both directions.
                        refuse(DROP_ENDPOINT_GONE);
                        meta.pair = 0;
                        meta.touch = 0;
                        if (meta.found != FOUND_NONE) {
                            timer = TIMER_TCP_STALE;
                            meta.mode = MODE_SET;
                            meta.touch = 1;
                            flows.apply();
                        }
                    }
                }

                // 3. The entry of the other direction.
                if (meta.pair != meta.touch) {
                    meta.own_mix = meta.mix;
                    meta.own_endpoint_id = meta.endpoint_id;
                    meta.own_ip = meta.new_ip;
                    meta.own_port = meta.new_port;
                    meta.own_nat = meta.nat;
                    if (meta.nat == NAT_DNAT) {
                        meta.dst_ip = meta.src_ip;
                        meta.dst_port = meta.src_port;
                        meta.src_ip = meta.new_ip;
                        meta.src_port = meta.new_port;
                        if (hdr.tcp.isValid()) {
                            meta.kind = KIND_TCP;
                        } else {
                            meta.kind = KIND_UDP;
                        }
                    } else {
                        meta.src_ip = meta.dst_ip;
                        meta.src_port = meta.dst_port;
                        meta.dst_ip = meta.new_ip;
                        meta.dst_port = meta.new_port;
                        meta.kind = meta.peer_kind;
                    }
                    meta.mix = peer_hash.get_hash({meta.src_ip, meta.src_port,
                                                   meta.dst_ip, meta.dst_port});
                    if (meta.touch == 1) {
                        if (meta.nat != NAT_NONE) {
                            meta.mode = MODE_SET;
                            if (flows.apply().miss) {
                                if (hdr.tcp.isValid()) {
                                    meta.kind = KIND_TCP_HALF;
                                    flows.apply();
                                }
                            }
                        }
                    } else {
                        // Replies must come back from the address the client asked for.
                        meta.new_ip = hdr.ipv4.dst_addr;
                        meta.nat = NAT_SNAT;
                        if (hdr.tcp.isValid()) {
                            meta.new_port = hdr.tcp.dst_port;
                            meta.peer_kind = KIND_TCP;
                            meta.mode = MODE_LEARN_LOOK;
                        } else {
                            meta.new_port = hdr.udp.dst_port;
                            meta.peer_kind = meta.forward_kind;
                            meta.mode = MODE_LEARN_KEEP;
                            if (meta.found == FOUND_NONE) {
                                // Refused, it must not keep the other flow alive.
                                meta.mode = MODE_LEARN_LOOK;
                            }
                        }
                        if (flows.apply().hit) {
                            if (meta.new_ip != hdr.ipv4.dst_addr) {
                                refuse(DROP_NAT_COLLISION);
                            }
                            if (hdr.tcp.isValid()) {
                                if (meta.new_port != hdr.tcp.dst_port) {
                                    refuse(DROP_NAT_COLLISION);
                                }
                                if (meta.next != NEXT_DROP) {
                                    meta.mode = MODE_SET;
                                    flows.apply();
                                }
                            } else {
                                if (meta.new_port != hdr.udp.dst_port) {
                                    refuse(DROP_NAT_COLLISION);
                                }
                                if (meta.next != NEXT_DROP) {
                                    if (meta.found == FOUND_NONE) {
                                        // Its slot was unpinned, and it is at the same
                                        // endpoint again. Both entries get one timer: the
                                        // table may be full when one of them ends first.
                                        timer = TIMER_UDP_STREAM;
                                        meta.mode = MODE_SET;
                                        flows.apply();
                                    }
                                }
                            }
                        } else {
                            // Learning says nothing of its success: look.
                            meta.mode = MODE_LOOK;
                            if (flows.apply().miss) {
                                refuse(DROP_FLOW_TABLE_FULL);
                            }
                        }
                        if (meta.next != NEXT_DROP) {
                            if (meta.found == FOUND_NONE) {
                                meta.src_ip = meta.dst_ip;
                                meta.src_port = meta.dst_port;
                                meta.dst_ip = meta.new_ip;
                                meta.dst_port = meta.new_port;
                                meta.kind = meta.forward_kind;
                                meta.mix = meta.own_mix;
                                meta.endpoint_id = meta.own_endpoint_id;
                                meta.new_ip = meta.own_ip;
                                meta.new_port = meta.own_port;
                                meta.nat = NAT_DNAT;
                                meta.mode = MODE_LEARN_LOOK;
                                flows.apply();
                                meta.mode = MODE_LOOK;
                                if (flows.apply().miss) {
                                    refuse(DROP_FLOW_TABLE_FULL);
                                }
                            }
                        }
                    }
                    meta.endpoint_id = meta.own_endpoint_id;
                    meta.new_ip = meta.own_ip;
                    meta.new_port = meta.own_port;
                    meta.nat = meta.own_nat;
                }

                // 4. Translate, and find the way of what has no endpoint.
                if (meta.next != NEXT_DROP) {
                    if (meta.nat != NAT_NONE) {
                        if (meta.fragment == FRAGMENT_FIRST) {
                            timer = TIMER_FRAGMENT;
                            meta.own_ip = meta.new_ip;
                            if (fragments.apply().hit) {
                                // Another datagram with this identification is under way.
                                if (meta.new_ip != meta.own_ip) {
                                    refuse(DROP_FRAGMENT);
                                }
                            } else {
                                // Not remembered, its later fragments would leave otherwise.
                                meta.fragment = FRAGMENT_NONE;
                                if (fragments.apply().miss) {
                                    refuse(DROP_FLOW_TABLE_FULL);
                                }
                            }
                        }
                    }
                }
                if (meta.next != NEXT_DROP) {
                    if (meta.nat == NAT_DNAT) {
                        if (hdr.tcp.isValid()) {
                            dnat_tcp();
                        } else { if (hdr.udp.isValid()) {
                            dnat_udp();
                        } else {
                            dnat_ip();
                        } }
                    } else {
                        if (meta.nat == NAT_SNAT) {
                            if (hdr.tcp.isValid()) {
                                snat_tcp();
                            } else { if (hdr.udp.isValid()) {
                                snat_udp();
                            } else {
                                snat_ip();
                            } }
                        }
                        routes.apply();
                    }
                }
            }

            // 5. Forward.
            if (meta.next == NEXT_HOP) {
                hdr.ipv4.ttl = hdr.ipv4.ttl - 1;
                // RFC 1624, for a TTL one less: the high byte of its word.
                if (hdr.ipv4.header_checksum >= 0xfeff) {
                    hdr.ipv4.header_checksum = hdr.ipv4.header_checksum + 0x0101;
                } else {
                    hdr.ipv4.header_checksum = hdr.ipv4.header_checksum + 0x0100;
                }
            } else {
                if (meta.next == NEXT_VIP) {
                    refuse(DROP_NO_SERVICE);
                    if (meta.shape == SHAPE_LATER) {
                        meta.reason = DROP_FRAGMENT;
                    }
                }
                if (meta.next == NEXT_DROP) {
                    drop();
                }
            }
        } else {
            if (hdr.arp.isValid()) {
                arp_targets.apply();
            } else {
                if ((hdr.ethernet.dst_mac & 0x010000000000) != 0) {
                    meta.reason = DROP_MULTICAST;
                    drop();
                } else {
                    send_to_port(HOST_PORT);
                }
            }
        }
    }
}

control deparser(packet_out pkt, in headers_t hdr, in metadata_t meta,
                 in pna_main_output_metadata_t ostd) {
    apply {
        pkt.emit(hdr);
    }
}

PNA_NIC(packet_parser(), pre_control(), k8s_dp_control(), deparser()) main;
