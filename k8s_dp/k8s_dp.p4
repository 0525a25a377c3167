// SPDX-License-Identifier: Apache-2.0
//
// k8s_dp: pod networking of one Kubernetes node (rules R1-R15).
//
//   parse -> [ARP | IPv4] -> flow / service / slot / endpoint -> route -> out
//
// Three facts about the engine shape this source:
//  * nothing is cleared between packets, so every metadata field that is read
//    is written first on every path;
//  * `&&`, `<` and `>` miscompile together, so conditions are nested;
//  * a hash result must lie in the first 32 bytes of metadata, so the keys
//    come first in metadata_t.
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

// Flow kinds: the last byte but three of a flow key. A UDP flow towards a
// Service carries 0x80 | epoch of its slot, so that raising the epoch moves it.
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
const ExpireTimeProfileId_t TIMER_UDP_UNREPLIED   = (ExpireTimeProfileId_t) 8w1;
const ExpireTimeProfileId_t TIMER_TCP_HALF_OPEN   = (ExpireTimeProfileId_t) 8w2;
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
    bit<32> slot;
    // flow key: 16 bytes. `mix` is 24 bits of jhash over the four fields
    // before `kind`: it spreads structured tuples over the buckets, which the
    // engine's own linear CRC does not.
    bit<32> src_ip;
    bit<32> dst_ip;
    bit<16> src_port;
    bit<16> dst_port;
    bit<8>  kind;
    bit<24> mix;
    // what a flow entry says, or what is to be learned
    bit<32> flow_id;     // DNAT: endpoint id. SNAT: Service address
    bit<16> flow_port;   // SNAT: Service port
    bit<8>  flow_epoch;  // kind of the forward entry
    bit<8>  flow_nat;    // NAT_DNAT or NAT_SNAT
    bit<8>  learn;
    bit<8>  rearm;
    // where it goes
    bit<32> endpoint_id;
    bit<32> new_ip;
    bit<16> new_port;
    bit<48> dst_mac;
    bit<48> src_mac;
    bit<8>  next;
    bit<8>  reason;
    bit<8>  tcp_flags;
    bit<8>  translate;
    bit<8>  found;
    bit<8>  fragment;
    bit<16> frag_id;
}

const bit<8> NAT_DNAT = 1;
const bit<8> NAT_SNAT = 2;

// meta.rearm: what a hit does to the entry's timer
const bit<8> REARM_KEEP = 0;   // start the stored profile again
const bit<8> REARM_SET  = 1;   // store meta profile and start it
const bit<8> REARM_NONE = 2;   // look only

// meta.next: what the route or endpoint knows
const bit<8> NEXT_HOST  = 0;   // unknown: to the host unmodified
const bit<8> NEXT_HOP   = 1;   // rewrite MACs, decrement TTL
const bit<8> NEXT_VIP   = 2;   // a Service address
const bit<8> NEXT_DRAIN = 3;   // an endpoint that takes no new flow

struct flow_data_t {
    bit<32> id;
    bit<16> port;
    bit<8>  epoch;
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
        meta.reason = DROP_NONE;
        meta.fragment = 0;
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
        meta.reason = DROP_BAD_IP_HEADER;
        transition accept;
    }

    state parse_options {
        pkt.extract(hdr.ipv4_options,
                    (bit<32>) ((hdr.ipv4.version_ihl & 0xf) - 5) << 5);
        transition parse_l4;
    }

    // 0x3fff: more-fragments or an offset. Only the first fragment has ports.
    state parse_l4 {
        transition select(hdr.ipv4.flags_frag_offset) {
            0x0000 &&& 0x3fff: parse_ports;
            0x2000 &&& 0x3fff: first_fragment;
            default:           later_fragment;
        }
    }

    state first_fragment {
        meta.fragment = 1;
        transition parse_ports;
    }

    state later_fragment {
        meta.fragment = 2;
        transition accept;
    }

    state parse_ports {
        transition select(hdr.ipv4.protocol) {
            PROTOCOL_TCP: parse_tcp;
            PROTOCOL_UDP: parse_udp;
            default:      accept;
        }
    }

    state parse_tcp {
        pkt.extract(hdr.tcp);
        transition accept;
    }

    state parse_udp {
        pkt.extract(hdr.udp);
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
    action flow_hit(bit<32> id, bit<16> port, bit<8> epoch, bit<8> nat) {
        meta.flow_id = id;
        meta.flow_port = port;
        meta.flow_epoch = epoch;
        meta.flow_nat = nat;
        if (meta.rearm == REARM_KEEP) {
            restart_expire_timer();
        } else {
            if (meta.rearm == REARM_SET) {
                set_entry_expire_time(timer);
            }
        }
    }

    action flow_miss() {
        if (meta.learn == 1) {
            ok = add_entry(action_name = "flow_hit",
                action_params = (flow_data_t) {
                    id = meta.flow_id,
                    port = meta.flow_port,
                    epoch = meta.flow_epoch,
                    nat = meta.flow_nat
                },
                expire_time_profile_id = timer);
        }
    }

    // 2,097,152 buckets of four entries; a flow is two entries.
    table flow {
        key = {
            meta.src_ip:   exact;
            meta.dst_ip:   exact;
            meta.src_port: exact;
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

    // --------------------------------------------------------------- services
    action service_select(bit<32> id, bit<32> mask) {
        meta.service_id = id;
        meta.slot = (bit<32>) meta.mix;
        meta.slot = meta.slot & mask;
    }

    table service {
        key = {
            hdr.ipv4.dst_addr: exact;
            meta.dst_port:     exact;
            hdr.ipv4.protocol: exact;
        }
        actions = {
            service_select;
            @defaultonly NoAction;
        }
        const default_action = NoAction;
        size = 32768;
    }

    action slot_endpoint(bit<32> id, bit<8> epoch) {
        meta.endpoint_id = id;
        meta.flow_epoch = epoch;
    }

    // Weighted consistent-hash slots, a power of two per Service port.
    table slot_table {
        key = {
            meta.service_id: exact;
            meta.slot:       exact;
        }
        actions = {
            slot_endpoint;
            @defaultonly NoAction;
        }
        const default_action = NoAction;
        size = 2097152;
    }

    action endpoint_hop(bit<32> ip, bit<16> port, PortId_t egress,
                        bit<48> dmac, bit<48> smac) {
        meta.new_ip = ip;
        meta.new_port = port;
        meta.dst_mac = dmac;
        meta.src_mac = smac;
        meta.next = NEXT_HOP;
        send_to_port(egress);
    }

    // Not accepting: established flows only.
    action endpoint_drain(bit<32> ip, bit<16> port, PortId_t egress,
                          bit<48> dmac, bit<48> smac) {
        meta.new_ip = ip;
        meta.new_port = port;
        meta.dst_mac = dmac;
        meta.src_mac = smac;
        meta.next = NEXT_DRAIN;
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
        meta.reason = DROP_ENDPOINT_GONE;
    }

    table endpoint {
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
        meta.dst_mac = dmac;
        meta.src_mac = smac;
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

    table route {
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

    table arp_table {
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

    apply {
        meta.next = NEXT_HOST;
        meta.translate = 0;
        meta.learn = 0;
        meta.rearm = REARM_KEEP;
        meta.found = 0;
        meta.tcp_flags = 0;

        if (hdr.ipv4.isValid()) {
            if ((hdr.ethernet.dst_mac & 0x010000000000) != 0) {
                meta.reason = DROP_MULTICAST;
            }
            if (meta.reason == DROP_NONE) {
                if (hdr.ipv4.ttl <= 1) {
                    route.apply();
                    if (meta.next != NEXT_HOST) {
                        meta.reason = DROP_TTL_EXPIRED;
                    }
                } else {
                    if (hdr.tcp.isValid()) {
                        meta.src_ip = hdr.ipv4.src_addr;
                        meta.dst_ip = hdr.ipv4.dst_addr;
                        meta.src_port = hdr.tcp.src_port;
                        meta.dst_port = hdr.tcp.dst_port;
                        meta.kind = KIND_TCP;
                        meta.tcp_flags = hdr.tcp.flags & 0x17;
                    } else {
                        if (hdr.udp.isValid()) {
                            meta.src_ip = hdr.ipv4.src_addr;
                            meta.dst_ip = hdr.ipv4.dst_addr;
                            meta.src_port = hdr.udp.src_port;
                            meta.dst_port = hdr.udp.dst_port;
                            meta.kind = KIND_UDP;
                        }
                    }
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
