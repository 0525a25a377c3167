/* A border router with what k8s_dp has not: direct counters, idle timeouts, lpm and ternary
 * matches, registers and meters. compile.sh makes border.spec and border.p4info.txt of it. */
#include <core.p4>
#include <psa.p4>

struct empty_t {}

header ethernet_t {
    bit<48> dst;
    bit<48> src;
    bit<16> type;
}

header ipv4_t {
    bit<8>  version_ihl;
    bit<8>  tos;
    bit<16> length;
    bit<16> id;
    bit<16> fragment;
    bit<8>  ttl;
    bit<8>  protocol;
    bit<16> checksum;
    bit<32> src;
    bit<32> dst;
}

struct headers_t {
    ethernet_t ethernet;
    ipv4_t     ipv4;
}

struct metadata_t {
    bit<32>          length;
    bit<32>          mark;
    bit<8>           denied;
    PSA_MeterColor_t share;
    PSA_MeterColor_t rate;
}

parser ingress_parser(
    packet_in packet, out headers_t hdr, inout metadata_t meta,
    in psa_ingress_parser_input_metadata_t istd, in empty_t resubmit_meta,
    in empty_t recirculate_meta)
{
    state start {
        packet.extract(hdr.ethernet);
        transition select(hdr.ethernet.type) {
            0x0800: ipv4;
            default: accept;
        }
    }
    state ipv4 {
        packet.extract(hdr.ipv4);
        transition accept;
    }
}

control ingress(
    inout headers_t hdr, inout metadata_t meta, in psa_ingress_input_metadata_t istd,
    inout psa_ingress_output_metadata_t ostd)
{
    DirectCounter<bit<64>>(PSA_CounterType_t.PACKETS_AND_BYTES) host_traffic;
    DirectCounter<bit<64>>(PSA_CounterType_t.PACKETS) host_frames;
    DirectMeter(PSA_MeterType_t.BYTES) host_rate;
    Register<bit<32>, bit<8>>(256) marks;
    Register<bit<32>, bit<8>>(256) last_source;
    Meter<bit<8>>(256, PSA_MeterType_t.BYTES) shares;

    action to_host(PortId_t port, bit<48> mac) {
        host_traffic.count(meta.length);
        hdr.ethernet.dst = mac;
        send_to_port(ostd, port);
    }
    action unknown_host() {
        host_traffic.count(meta.length);
    }
    action quiet_host(PortId_t port) {
        send_to_port(ostd, port);
    }
    table hosts {
        key = { hdr.ipv4.dst: exact; }
        actions = { to_host; unknown_host; quiet_host; }
        default_action = unknown_host();
        psa_direct_counter = host_traffic;
        psa_idle_timeout = PSA_IdleTimeout_t.NOTIFY_CONTROL;
        size = 64;
    }

    action to_network(PortId_t port) {
        send_to_port(ostd, port);
    }
    table networks {
        key = { hdr.ipv4.dst: lpm; }
        actions = { to_network; NoAction; }
        psa_idle_timeout = PSA_IdleTimeout_t.NOTIFY_CONTROL;
        size = 1024;
    }

    action permit() {
        meta.denied = 0;
    }
    action deny() {
        meta.denied = 1;
    }
    table acl {
        key = {
            hdr.ipv4.protocol: optional;
            hdr.ipv4.src: ternary;
            hdr.ipv4.dst: ternary;
        }
        actions = { permit; deny; }
        default_action = permit();
        size = 1024;
    }

    action count_source() {
        host_frames.count();
    }
    table sources {
        key = { hdr.ipv4.src: exact; }
        actions = { count_source; NoAction; }
        psa_direct_counter = host_frames;
        size = 4;
    }

    action police() {
        meta.rate = host_rate.dpdk_execute(PSA_MeterColor_t.GREEN, meta.length);
    }
    table policed {
        key = { hdr.ipv4.src: exact; }
        actions = { police; NoAction; }
        psa_direct_meter = host_rate;
        size = 64;
    }

    apply {
        meta.denied = 0;
        meta.rate = PSA_MeterColor_t.GREEN;
        if (hdr.ipv4.isValid()) {
            meta.length = (bit<32>)hdr.ipv4.length;
            sources.apply();
            acl.apply();
            policed.apply();
            meta.share = shares.dpdk_execute(
                hdr.ipv4.protocol, PSA_MeterColor_t.GREEN, meta.length);
            meta.mark = marks.read(hdr.ipv4.protocol);
            hdr.ipv4.tos = (bit<8>)meta.mark;
            last_source.write(hdr.ipv4.protocol, hdr.ipv4.src);
            networks.apply();
            hosts.apply();
            if (meta.rate == PSA_MeterColor_t.RED) {
                meta.denied = 1;
            }
            if (meta.share == PSA_MeterColor_t.RED) {
                meta.denied = 1;
            }
            if (meta.denied == 1) {
                ingress_drop(ostd);
            }
        }
    }
}

control ingress_deparser(
    packet_out packet, out empty_t clone_i2e_meta, out empty_t resubmit_meta,
    out empty_t normal_meta, inout headers_t hdr, in metadata_t meta,
    in psa_ingress_output_metadata_t istd)
{
    apply {
        packet.emit(hdr.ethernet);
        packet.emit(hdr.ipv4);
    }
}

parser egress_parser(
    packet_in packet, out empty_t hdr, inout empty_t meta,
    in psa_egress_parser_input_metadata_t istd, in empty_t normal_meta, in empty_t clone_i2e_meta,
    in empty_t clone_e2e_meta)
{
    state start { transition accept; }
}

control egress(
    inout empty_t hdr, inout empty_t meta, in psa_egress_input_metadata_t istd,
    inout psa_egress_output_metadata_t ostd)
{
    apply {}
}

control egress_deparser(
    packet_out packet, out empty_t clone_e2e_meta, out empty_t recirculate_meta,
    inout empty_t hdr, in empty_t meta, in psa_egress_output_metadata_t istd,
    in psa_egress_deparser_input_metadata_t edstd)
{
    apply {}
}

IngressPipeline(ingress_parser(), ingress(), ingress_deparser()) ip;
EgressPipeline(egress_parser(), egress(), egress_deparser()) ep;

PSA_Switch(ip, PacketReplicationEngine(), ep, BufferingQueueingEngine()) main;
