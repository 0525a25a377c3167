"""Frames that are cut short or lie about themselves (R13)."""
import struct

from .outcomes import TO_HOST, dnat, drop, routed
from .packets import (ACK, ARP, BROADCAST, ICMP, MORE, TCP, UDP, VLAN, arp, ethernet,
                      icmp, ipv4, tcp, udp)
from .scenario import BOTH, CLIENT, VIP, WEB1, scenario

TRUNCATED, BAD_LENGTH, BAD_HEADER = drop("truncated"), drop("bad_length"), drop("bad_ip_header")


def query(dst=VIP, port=53, **fields):
    """A datagram of the client; `fields` are those of the IP header."""
    packet = udp(CLIENT["ip"], 40000, dst, port, b"query")
    return ethernet(CLIENT["mac"], ipv4(CLIENT["ip"], dst, UDP, packet, **fields))


def cuts(run, frame, sizes, outcome):
    for size in sizes:
        run.send(CLIENT, frame[:size], outcome)


def shortened(frame, size):
    """A cut frame whose IP header knows of the cut."""
    return frame[:16] + struct.pack("!H", size - 14) + frame[18:size]


@scenario("truncated-ethernet", "R13", "Frames that end within the Ethernet header or its tag.",
          "all are dropped as truncated, but for the whole header at the end.")
def truncated_ethernet(run):
    frame = query()
    cuts(run, frame, range(1, 14), TRUNCATED)
    tagged = ethernet(CLIENT["mac"], frame[14:], tags=[(VLAN, 5)])
    cuts(run, tagged, range(14, 18), TRUNCATED)
    run.send(CLIENT, ethernet(CLIENT["mac"], b"", kind=0x88B5), TO_HOST)


@scenario("truncated-arp", "R13 R3", "An ARP request cut at every byte of its header.",
          "truncated, until it is whole and reaches its target.")
def truncated_arp(run):
    whole = ethernet(CLIENT["mac"], arp(1, CLIENT["mac"], CLIENT["ip"], "00:00:00:00:00:00",
                                        WEB1["ip"]), dst=BROADCAST, kind=ARP)
    cuts(run, whole, range(14, 42), TRUNCATED)
    run.send(CLIENT, whole, lambda frame: (WEB1["port"], frame))


@scenario("truncated-ipv4", "R13", "An IPv4 header, with and without options, cut at every byte.",
          "all are truncated, tagged ones, too.", services=[BOTH])
def truncated_ipv4(run):
    cuts(run, query(), range(14, 34), TRUNCATED)
    cuts(run, query(options=bytes([1] * 40)), range(34, 74), TRUNCATED)
    tagged = ethernet(CLIENT["mac"], query()[14:], tags=[(VLAN, 5)])
    cuts(run, tagged, range(18, 38), TRUNCATED)


@scenario("truncated-tcp", "R13", "A SYN cut at every byte of its header, to a Service and a pod.",
          "bad_length if the IP header says there is more, else truncated; no flow is begun.",
          services=[BOTH])
def truncated_tcp(run):
    for dst, port in ((VIP, 80), (WEB1["ip"], 8080)):
        syn = ethernet(CLIENT["mac"], ipv4(CLIENT["ip"], dst, TCP,
                                           tcp(CLIENT["ip"], 40000, dst, port)))
        cuts(run, syn, range(34, 54), BAD_LENGTH)
        for size in range(34, 54):
            run.send(CLIENT, shortened(syn, size), TRUNCATED)
    # What a flow would have let through.
    run.tcp(CLIENT, 40000, VIP, 80, drop("no_flow"), flags=ACK)


@scenario("truncated-udp", "R13", "A datagram cut at every byte of its header and payload.",
          "bad_length if a length field says there is more, else truncated.", services=[BOTH])
def truncated_udp(run):
    for dst, port in ((VIP, 53), (WEB1["ip"], 5353)):
        frame = query(dst, port)
        cuts(run, frame, range(34, len(frame)), BAD_LENGTH)
        for size in range(34, 42):
            run.send(CLIENT, shortened(frame, size), TRUNCATED)
        for size in range(42, len(frame)):
            run.send(CLIENT, shortened(frame, size), BAD_LENGTH)


@scenario("ip-bad-version", "R13", "Ethertype IPv4 with every other version in the header.",
          "all are dropped with bad_ip_header; the good one between them passes.", services=[BOTH])
def ip_bad_version(run):
    for version in range(16):
        frame = query(first=version << 4 | 5)
        run.send(CLIENT, frame, dnat(WEB1, 5353) if version == 4 else BAD_HEADER)
    run.send(CLIENT, query(first=0x65)[:14 + 20], BAD_HEADER)


@scenario("ip-bad-header-length", "R13", "IP header lengths below 20 bytes and beyond the packet.",
          "below 20 bad_ip_header; beyond the frame truncated; beyond the total length bad_length.",
          services=[BOTH])
def ip_bad_header_length(run):
    for words in range(5):
        run.send(CLIENT, query(first=0x40 | words), BAD_HEADER)
    # The frame holds 20 + 8 + 5 bytes behind Ethernet.
    for words in range(6, 16):
        outcome = TRUNCATED
        run.send(CLIENT, query(first=0x40 | words, total=20), BAD_LENGTH if words < 9 else outcome)
    run.send(CLIENT, query(first=0x4F, total=20) + bytes(60), BAD_LENGTH)


@scenario("ip-bad-total-length", "R13", "Total lengths below the header and beyond the frame.",
          "bad_length; a length that cuts the UDP header short is truncated.", services=[BOTH])
def ip_bad_total_length(run):
    frame = query()
    for total in (0, 1, 19, len(frame) - 13, 1500, 65535):
        run.send(CLIENT, query(total=total), BAD_LENGTH)
    for total in range(20, 28):
        run.send(CLIENT, query(total=total), TRUNCATED)
    run.send(CLIENT, query(), dnat(WEB1, 5353))


@scenario("udp-bad-length", "R13", "UDP lengths below 8 and beyond the packet.",
          "bad_length; a length within the packet passes, and one in a first fragment is believed.",
          services=[BOTH])
def udp_bad_length(run):
    for length in [*range(8), 14, 1000, 65535]:
        run.udp(CLIENT, 40000, VIP, 53, BAD_LENGTH, length=length)
        run.udp(CLIENT, 40000, WEB1["ip"], 53, BAD_LENGTH, length=length)
    for length in range(8, 14):
        run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353), length=length)
    first = udp(CLIENT["ip"], 40000, VIP, 53, bytes(1000))[:24]
    run.ip(CLIENT, VIP, UDP, first, dnat(WEB1, 5353), flags=MORE)


@scenario("tcp-bad-data-offset", "R13", "TCP data offsets below 20 bytes and beyond the segment.",
          "bad_length; no flow is begun by any of them.", services=[BOTH])
def tcp_bad_data_offset(run):
    for dst, port in ((VIP, 80), (WEB1["ip"], 8080)):
        for offset in [*range(5), *range(6, 16)]:
            run.tcp(CLIENT, 40000, dst, port, BAD_LENGTH, offset=offset)
    run.tcp(CLIENT, 40000, VIP, 80, drop("no_flow"), flags=ACK)
    run.tcp(CLIENT, 40000, VIP, 80, dnat(WEB1, 8080), options=bytes([1] * 40))


@scenario("ip-reserved-bits", "R1 R4 R11", "DF, the reserved flag and every TOS value.",
          "none makes a fragment of a packet; all are kept.", services=[BOTH])
def ip_reserved_bits(run):
    for flags in (0x8000, 0x4000, 0xC000):
        run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353), flags=flags)
        run.udp(CLIENT, 40000, WEB1["ip"], 53, routed(WEB1), flags=flags)
    for tos in range(256):
        run.ip(CLIENT, WEB1["ip"], ICMP, icmp(), routed(WEB1), tos=tos)
