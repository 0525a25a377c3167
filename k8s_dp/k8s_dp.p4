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
    // The flow key, 16 bytes. `mix` is 24 bits of jhash over the addresses and
    // ports: it spreads structured tuples over the buckets, which the engine's
    // own linear CRC does not, and it picks the slot.
    bit<32> src_ip;
    bit<16> src_port;
    bit<32> dst_ip;
    bit<16> dst_port;
    bit<8>  kind;
    bit<24> mix;
    // What a flow entry says, or what is to be learned.
    bit<32> flow_id;      // endpoint id
    bit<32> flow_ip;      // DNAT: the endpoint's; SNAT: the Service's
    bit<16> flow_port;
    bit<8>  flow_kind;    // SNAT: kind of the forward entry
    bit<8>  flow_nat;     // NAT_DNAT or NAT_SNAT
    bit<8>  learn;        // 1: a miss learns
    bit<8>  rearm;        // REARM_*: what a hit does to the timer
    bit<24> forward_mix;  // `mix` of the packet's own tuple
    bit<8>  forward_kind;
    bit<8>  found;        // FOUND_*: which forward entry exists
    bit<8>  pair;         // 1: the other direction needs an entry, too
    bit<8>  touch;        // 1: the other direction's entry gets the timer, too
    bit<8>  tcp;          // TCP_*
    // How to translate and where to.
    bit<32> endpoint_id;
    bit<32> new_ip;
    bit<16> new_port;
    bit<8>  translate;    // NAT_NONE, NAT_DNAT or NAT_SNAT
    bit<48> dst_mac;
    bit<48> src_mac;
    bit<8>  next;         // NEXT_*
    bit<8>  routed;       // 1: `next` and the port are set
    bit<8>  reason;       // DROP_*
    // Fragments.
    bit<8>  fragment;     // FRAGMENT_*
}

const bit<8> NAT_NONE = 0;
const bit<8> NAT_DNAT = 1;
const bit<8> NAT_SNAT = 2;

const bit<8> REARM_KEEP = 0;   // start the stored profile again
const bit<8> REARM_SET  = 1;   // store the profile in `timer` and start it
const bit<8> REARM_NONE = 2;   // look only

const bit<8> FOUND_NONE = 0;
const bit<8> FOUND_LIVE = 1;   // TCP past its handshake, or UDP
const bit<8> FOUND_HALF = 2;   // TCP in its handshake

const bit<8> TCP_OTHER = 0;
const bit<8> TCP_SYN   = 1;    // opens a connection
const bit<8> TCP_FIN   = 2;
const bit<8> TCP_RST   = 3;

const bit<8> NEXT_HOST  = 0;   // not known here: to the host, unmodified
const bit<8> NEXT_HOP   = 1;   // rewrite MACs, decrement TTL
const bit<8> NEXT_DRAIN = 2;   // the same; the endpoint takes no new flow
const bit<8> NEXT_VIP   = 3;   // the address of a Service

const bit<8> FRAGMENT_NONE  = 0;
const bit<8> FRAGMENT_FIRST = 1;
const bit<8> FRAGMENT_LATER = 2;

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
        meta.reason = DROP_NONE;
        meta.fragment = FRAGMENT_NONE;
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
        meta.fragment = FRAGMENT_FIRST;
        transition parse_ports;
    }

    state later_fragment {
        meta.fragment = FRAGMENT_LATER;
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
        meta.tcp = TCP_OTHER;
        transition select(hdr.tcp.flags) {
            0x00 &&& 0x07: accept;     // the common case: no SYN, FIN, RST
            0x02 &&& 0x17: tcp_syn;    // whatever the ECN bits
            0x04 &&& 0x04: tcp_rst;
            0x01 &&& 0x01: tcp_fin;
            default:       accept;
        }
    }

    state tcp_syn {
        meta.tcp = TCP_SYN;
        transition accept;
    }

    state tcp_rst {
        meta.tcp = TCP_RST;
        transition accept;
    }

    state tcp_fin {
        meta.tcp = TCP_FIN;
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
    action flow_hit(bit<32> id, bit<32> ip, bit<16> port, bit<8> kind, bit<8> nat) {
        meta.flow_id = id;
        meta.flow_ip = ip;
        meta.flow_port = port;
        meta.flow_kind = kind;
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
                    ip = meta.flow_ip,
                    port = meta.flow_port,
                    kind = meta.flow_kind,
                    nat = meta.flow_nat
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
        meta.flow_ip = ip;
        meta.flow_nat = nat;
    }

    action fragment_miss() {
        if (meta.fragment == FRAGMENT_FIRST) {
            ok = add_entry(action_name = "fragment_hit",
                action_params = (fragment_data_t) {
                    id = meta.endpoint_id,
                    ip = meta.new_ip,
                    nat = meta.translate
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
        meta.slot = (bit<32>) meta.mix & mask;
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

    action slot_endpoint(bit<32> id, bit<8> kind) {
        meta.endpoint_id = id;
        meta.forward_kind = kind;
    }

    // Weighted consistent-hash slots, a power of two per Service port.
    table slots {
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

    // Takes no new flow, keeps the ones it has.
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

    apply {
        meta.next = NEXT_HOST;
        meta.routed = 0;
        meta.translate = NAT_NONE;
        meta.learn = 0;
        meta.rearm = REARM_KEEP;
        meta.pair = 0;
        meta.touch = 0;
        meta.found = FOUND_NONE;
        timer = TIMER_TCP_ESTABLISHED;

        if (hdr.ipv4.isValid()) {
            if ((hdr.ethernet.dst_mac & 0x010000000000) != 0) {
                if (meta.reason == DROP_NONE) {
                    meta.reason = DROP_MULTICAST;
                }
            }

            // 1. Which flow, which endpoint?
            if (meta.reason == DROP_NONE) {
                if (hdr.ipv4.ttl <= 1) {
                    // What we would have to route ends here; the rest is the host's.
                    routes.apply();
                    meta.routed = 1;
                    if (meta.next != NEXT_HOST) {
                        meta.reason = DROP_TTL_EXPIRED;
                    }
                } else {
                    if (hdr.tcp.isValid()) {
                        meta.src_ip = hdr.ipv4.src_addr;
                        meta.src_port = hdr.tcp.src_port;
                        meta.dst_ip = hdr.ipv4.dst_addr;
                        meta.dst_port = hdr.tcp.dst_port;
                        meta.kind = KIND_TCP;
                        meta.mix = tuple_hash.get_hash({meta.src_ip, meta.src_port,
                                                        meta.dst_ip, meta.dst_port});
                        if (meta.tcp == TCP_SYN) {
                            if (services.apply().hit) {
                                if (slots.apply().hit) {
                                    meta.translate = NAT_DNAT;
                                    meta.pair = 1;
                                    meta.forward_kind = KIND_TCP_HALF;
                                    meta.rearm = REARM_NONE;
                                    timer = TIMER_TCP_HALF_OPEN;
                                    if (flows.apply().hit) {
                                        // The ports of an earlier connection, used again.
                                        meta.found = FOUND_LIVE;
                                        meta.endpoint_id = meta.flow_id;
                                        timer = TIMER_TCP_ESTABLISHED;
                                        meta.rearm = REARM_SET;
                                        flows.apply();
                                    } else {
                                        meta.kind = KIND_TCP_HALF;
                                        meta.rearm = REARM_KEEP;
                                        if (flows.apply().hit) {
                                            meta.found = FOUND_HALF;
                                            meta.endpoint_id = meta.flow_id;
                                        }
                                    }
                                } else {
                                    meta.reason = DROP_NO_ENDPOINT;
                                }
                            }
                        } else {
                            if (meta.tcp == TCP_RST) {
                                timer = TIMER_TCP_RESET;
                                meta.rearm = REARM_SET;
                                meta.touch = 1;
                            } else {
                                if (meta.tcp == TCP_FIN) {
                                    timer = TIMER_TCP_CLOSING;
                                    meta.rearm = REARM_SET;
                                    meta.touch = 1;
                                }
                            }
                            if (flows.apply().hit) {
                                meta.found = FOUND_LIVE;
                                meta.translate = meta.flow_nat;
                                meta.endpoint_id = meta.flow_id;
                            } else {
                                routes.apply();
                                meta.routed = 1;
                                if (meta.next == NEXT_VIP) {
                                    meta.kind = KIND_TCP_HALF;
                                    if (flows.apply().hit) {
                                        // The first packet after the SYN: the flow now has
                                        // an entry of its own, and so a timer of its own.
                                        meta.found = FOUND_HALF;
                                        meta.translate = NAT_DNAT;
                                        meta.endpoint_id = meta.flow_id;
                                        meta.touch = 1;
                                        meta.kind = KIND_TCP;
                                        meta.learn = 1;
                                        flows.apply();
                                        meta.learn = 0;
                                        // With an entry of its own, the half-open one must not
                                        // outlive it: a later connection of these ports is a
                                        // new flow, and would look half-open. Without, it
                                        // stands for the flow.
                                        if (flows.apply().hit) {
                                            timer = TIMER_TCP_RESET;
                                        }
                                        meta.kind = KIND_TCP_HALF;
                                        meta.rearm = REARM_SET;
                                        flows.apply();
                                        meta.kind = KIND_TCP;
                                        if (meta.tcp == TCP_OTHER) {
                                            timer = TIMER_TCP_ESTABLISHED;
                                        }
                                        if (meta.tcp == TCP_FIN) {
                                            timer = TIMER_TCP_CLOSING;
                                        }
                                    } else {
                                        meta.reason = DROP_NO_FLOW;
                                    }
                                }
                            }
                        }
                    } else {
                        if (hdr.udp.isValid()) {
                            meta.src_ip = hdr.ipv4.src_addr;
                            meta.src_port = hdr.udp.src_port;
                            meta.dst_ip = hdr.ipv4.dst_addr;
                            meta.dst_port = hdr.udp.dst_port;
                            meta.kind = KIND_UDP;
                            meta.mix = tuple_hash.get_hash({meta.src_ip, meta.src_port,
                                                            meta.dst_ip, meta.dst_port});
                            if (services.apply().hit) {
                                if (slots.apply().hit) {
                                    meta.translate = NAT_DNAT;
                                    meta.pair = 1;
                                    timer = TIMER_UDP_UNREPLIED;
                                    meta.kind = meta.forward_kind;
                                    if (flows.apply().hit) {
                                        meta.found = FOUND_LIVE;
                                        meta.endpoint_id = meta.flow_id;
                                    }
                                } else {
                                    meta.reason = DROP_NO_ENDPOINT;
                                }
                            } else {
                                timer = TIMER_UDP_STREAM;
                                meta.rearm = REARM_SET;
                                if (flows.apply().hit) {
                                    meta.found = FOUND_LIVE;
                                    meta.translate = meta.flow_nat;
                                    meta.endpoint_id = meta.flow_id;
                                    meta.touch = 1;
                                }
                            }
                        } else {
                            if (meta.fragment == FRAGMENT_LATER) {
                                if (fragments.apply().hit) {
                                    meta.translate = meta.flow_nat;
                                }
                            }
                        }
                    }
                }
            }

            // 2. Towards which address, by which port?
            if (meta.translate == NAT_DNAT) {
                endpoints.apply();
                meta.routed = 1;
                if (meta.pair == 1) {
                    if (meta.next == NEXT_DRAIN) {
                        // A new connection must not go there; one under way may.
                        if (hdr.tcp.isValid()) {
                            if (meta.found != FOUND_HALF) {
                                meta.reason = DROP_ENDPOINT_GONE;
                            }
                        }
                    }
                }
                if (meta.reason == DROP_ENDPOINT_GONE) {
                    // Forget the flow soon, in both directions.
                    meta.new_ip = meta.flow_ip;
                    meta.new_port = meta.flow_port;
                    meta.pair = 0;
                    meta.touch = 0;
                    if (meta.found != FOUND_NONE) {
                        timer = TIMER_TCP_RESET;
                        meta.rearm = REARM_SET;
                        meta.touch = 1;
                        flows.apply();
                    }
                }
            } else {
                if (meta.translate == NAT_SNAT) {
                    meta.new_ip = meta.flow_ip;
                    meta.new_port = meta.flow_port;
                }
            }

            // 3. The entry of the other direction.
            if (meta.pair != meta.touch) {
                meta.forward_mix = meta.mix;
                if (meta.translate == NAT_DNAT) {
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
                    meta.kind = meta.flow_kind;
                }
                meta.mix = peer_hash.get_hash({meta.src_ip, meta.src_port,
                                               meta.dst_ip, meta.dst_port});
                if (meta.touch == 1) {
                    if (meta.translate != NAT_NONE) {
                        meta.rearm = REARM_SET;
                        if (flows.apply().miss) {
                            if (hdr.tcp.isValid()) {
                                meta.kind = KIND_TCP_HALF;
                                flows.apply();
                            }
                        }
                    }
                } else {
                    // Replies must come back from the address the client asked for.
                    meta.flow_id = meta.endpoint_id;
                    meta.flow_ip = hdr.ipv4.dst_addr;
                    meta.flow_nat = NAT_SNAT;
                    meta.learn = 1;
                    if (hdr.tcp.isValid()) {
                        meta.flow_port = hdr.tcp.dst_port;
                        meta.flow_kind = KIND_TCP;
                        meta.rearm = REARM_NONE;
                    } else {
                        meta.flow_port = hdr.udp.dst_port;
                        meta.flow_kind = meta.forward_kind;
                        meta.rearm = REARM_KEEP;
                        if (meta.found == FOUND_NONE) {
                            // Refused, it must not keep the other flow alive.
                            meta.rearm = REARM_NONE;
                        }
                    }
                    if (flows.apply().hit) {
                        if (meta.flow_ip != hdr.ipv4.dst_addr) {
                            meta.reason = DROP_NAT_COLLISION;
                        }
                        if (hdr.tcp.isValid()) {
                            if (meta.flow_port != hdr.tcp.dst_port) {
                                meta.reason = DROP_NAT_COLLISION;
                            }
                            if (meta.reason == DROP_NONE) {
                                meta.rearm = REARM_SET;
                                flows.apply();
                            }
                        } else {
                            if (meta.flow_port != hdr.udp.dst_port) {
                                meta.reason = DROP_NAT_COLLISION;
                            }
                            if (meta.reason == DROP_NONE) {
                                if (meta.found == FOUND_NONE) {
                                    // Its slot was unpinned, and it is at the same
                                    // endpoint again.
                                    timer = TIMER_UDP_STREAM;
                                    meta.rearm = REARM_KEEP;
                                    flows.apply();
                                }
                            }
                        }
                    } else {
                        // Learning says nothing of its success: look.
                        meta.learn = 0;
                        if (flows.apply().miss) {
                            meta.reason = DROP_FLOW_TABLE_FULL;
                        }
                    }
                    if (meta.reason == DROP_NONE) {
                        if (meta.found == FOUND_NONE) {
                            meta.src_ip = meta.dst_ip;
                            meta.src_port = meta.dst_port;
                            meta.dst_ip = meta.flow_ip;
                            meta.dst_port = meta.flow_port;
                            meta.kind = meta.forward_kind;
                            meta.mix = meta.forward_mix;
                            meta.flow_id = meta.endpoint_id;
                            meta.flow_ip = meta.new_ip;
                            meta.flow_port = meta.new_port;
                            meta.flow_nat = NAT_DNAT;
                            meta.learn = 1;
                            flows.apply();
                            meta.learn = 0;
                            if (flows.apply().miss) {
                                meta.reason = DROP_FLOW_TABLE_FULL;
                            }
                        }
                    }
                }
            }

            // 4. Translate.
            if (meta.reason == DROP_NONE) {
                if (meta.translate != NAT_NONE) {
                    if (meta.fragment == FRAGMENT_FIRST) {
                        timer = TIMER_FRAGMENT;
                        if (fragments.apply().hit) {
                            // Another datagram with this identification is under way.
                            if (meta.flow_ip != meta.new_ip) {
                                meta.reason = DROP_FRAGMENT;
                            }
                        } else {
                            // Not remembered, its later fragments would leave otherwise.
                            meta.fragment = FRAGMENT_NONE;
                            if (fragments.apply().miss) {
                                meta.reason = DROP_FLOW_TABLE_FULL;
                            }
                        }
                    }
                }
            }
            if (meta.reason == DROP_NONE) {
                if (meta.translate != NAT_NONE) {
                    ip_sum.clear();
                    ip_sum.subtract(hdr.ipv4.header_checksum);
                    l4_sum.clear();
                    if (meta.translate == NAT_DNAT) {
                        ip_sum.subtract(hdr.ipv4.dst_addr);
                        if (hdr.tcp.isValid()) {
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
                        } else {
                            if (hdr.udp.isValid()) {
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
                            } else {
                                hdr.ipv4.dst_addr = meta.new_ip;
                            }
                        }
                        ip_sum.add(hdr.ipv4.dst_addr);
                    } else {
                        ip_sum.subtract(hdr.ipv4.src_addr);
                        if (hdr.tcp.isValid()) {
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
                        } else {
                            if (hdr.udp.isValid()) {
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
                            } else {
                                hdr.ipv4.src_addr = meta.new_ip;
                            }
                        }
                        ip_sum.add(hdr.ipv4.src_addr);
                    }
                    hdr.ipv4.header_checksum = ip_sum.get();
                    if (hdr.ipv4.header_checksum == 0xffff) {
                        hdr.ipv4.header_checksum = 0;
                    }
                }

                // 5. Forward.
                if (meta.routed == 0) {
                    routes.apply();
                }
                if (meta.next != NEXT_HOST) {
                    if (meta.next == NEXT_VIP) {
                        if (meta.fragment == FRAGMENT_LATER) {
                            meta.reason = DROP_FRAGMENT;
                        } else {
                            meta.reason = DROP_NO_SERVICE;
                        }
                    } else {
                        hdr.ethernet.dst_mac = meta.dst_mac;
                        hdr.ethernet.src_mac = meta.src_mac;
                        hdr.ipv4.ttl = hdr.ipv4.ttl - 1;
                        // RFC 1624, for a TTL one less: the high byte of its word.
                        if (hdr.ipv4.header_checksum >= 0xfeff) {
                            hdr.ipv4.header_checksum = hdr.ipv4.header_checksum + 0x0101;
                        } else {
                            hdr.ipv4.header_checksum = hdr.ipv4.header_checksum + 0x0100;
                        }
                    }
                }
            }
        } else {
            if (hdr.arp.isValid()) {
                arp_targets.apply();
            } else {
                if ((hdr.ethernet.dst_mac & 0x010000000000) != 0) {
                    meta.reason = DROP_MULTICAST;
                } else {
                    send_to_port(HOST_PORT);
                }
            }
        }

        if (meta.reason != DROP_NONE) {
            drops.count(meta.reason);
            drop_packet();
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
