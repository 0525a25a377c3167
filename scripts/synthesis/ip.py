"""IPv4: options, TTL, fragments, checksums, protocols, destinations."""
import struct

from .outcomes import TO_HOST, dnat, drop, routed, snat
from .packets import (ACK, DONT, ICMP, MORE, PSH, SYN, TCP, UDP, VLAN, ethernet,
                      fragments, icmp, ipv4, tcp, udp)
from .scenario import (BOTH, CLIENT, GATEWAY, HOST, OUTSIDE, VIP, VIP2, WEB1, WEB2, port,
                       scenario, service)

TTL_EXPIRED, FRAGMENT, NO_SERVICE = drop("ttl_expired"), drop("fragment"), drop("no_service")
BIG = bytes(n * 7 & 0xFF for n in range(4000))

OPTIONS = {
    "NOP": bytes([1, 1, 1, 1]),
    "end of list": bytes([0, 0, 0, 0]),
    "record route": bytes([7, 15, 4]) + bytes(12) + b"\0",
    "loose source route": bytes([131, 7, 4, 10, 244, 0, 99]) + b"\0",
    "timestamp": bytes([68, 12, 5, 0]) + bytes(8),
    "router alert": bytes([148, 4, 0, 0]),
    "unknown, length 0": bytes([222, 0, 0, 0]),
    "what look like ports": struct.pack("!HHHH", 40000, 80, 53, 8080),
    "most": bytes([1] * 36),
    "all 40 bytes": bytes([7, 39, 4]) + bytes(36) + b"\0",
}


@scenario("ip-options-service", "R10 R4 R7", "Every kind and length of IPv4 options, both ways.",
          "ports are read behind them, and they are carried through as they came.",
          services=[BOTH])
def ip_options_service(run):
    for n, options in enumerate(OPTIONS.values()):
        run.udp(CLIENT, 40000 + n, VIP, 53, dnat(WEB1, 5353), options=options)
        run.udp(WEB1, 5353, CLIENT["ip"], 40000 + n, snat(VIP, 53, CLIENT), options=options)
        run.ip(CLIENT, VIP, TCP, tcp(CLIENT["ip"], 41000 + n, VIP, 80), dnat(WEB1, 8080),
               options=options)
        run.ip(WEB1, CLIENT["ip"], TCP,
               tcp(WEB1["ip"], 8080, CLIENT["ip"], 41000 + n, SYN | ACK, ack=1001),
               snat(VIP, 80, CLIENT), options=options)
        run.ip(CLIENT, VIP, TCP, tcp(CLIENT["ip"], 41000 + n, VIP, 80, ACK, seq=1001, ack=1001),
               dnat(WEB1, 8080), options=options)


@scenario("ip-options-direct", "R10 R1 R2", "IPv4 options between pods, to the host and unknown.",
          "routed with the options as they came; source routes are not followed.",
          services=[BOTH])
def ip_options_direct(run):
    for options in OPTIONS.values():
        run.ip(CLIENT, WEB1["ip"], ICMP, icmp(), routed(WEB1), options=options)
        run.udp(CLIENT, 40000, HOST["ip"], 53, routed(HOST), options=options)
        run.udp(CLIENT, 40000, OUTSIDE, 53, TO_HOST, options=options)
        run.ip(CLIENT, VIP, ICMP, icmp(), NO_SERVICE, options=options)
        run.udp(CLIENT, 40000, WEB1["ip"], 53, routed(WEB1), options=options,
                tags=[(VLAN, 5)])


@scenario("ttl", "R1 R2", "TTL 0, 1, 2 and 255 to a pod, host, gateway, Service, unknown address.",
          "0 and 1 are dropped, but to an unknown address unmodified; else one less.",
          services=[BOTH])
def ttl(run):
    for value in (0, 1, 2, 255):
        low = value < 2
        for to in (WEB1, HOST, GATEWAY):
            outcome = TTL_EXPIRED if low else routed(to)
            run.udp(CLIENT, 40000, to["ip"], 9, outcome, ttl=value)
            run.ip(CLIENT, to["ip"], ICMP, icmp(), outcome, ttl=value)
        run.udp(CLIENT, 40000, VIP, 53, TTL_EXPIRED if low else dnat(WEB1, 5353), ttl=value)
        run.tcp(CLIENT, 40000, VIP, 80, TTL_EXPIRED if low else dnat(WEB1, 8080), ttl=value)
        run.udp(CLIENT, 40000, OUTSIDE, 9, TO_HOST, ttl=value)
    run.udp(WEB1, 5353, CLIENT["ip"], 40000, TTL_EXPIRED, ttl=1)
    run.udp(WEB1, 5353, CLIENT["ip"], 40000, snat(VIP, 53, CLIENT), ttl=2)


@scenario("ttl-no-flow", "R1 R4", "A SYN and a datagram to a Service with TTL 1, then more.",
          "what is dropped for its TTL begins no flow.", services=[BOTH])
def ttl_no_flow(run):
    run.tcp(CLIENT, 40000, VIP, 80, TTL_EXPIRED, ttl=1)
    run.tcp(CLIENT, 40000, VIP, 80, drop("no_flow"), flags=ACK)
    run.udp(CLIENT, 40000, VIP, 53, TTL_EXPIRED, ttl=1)
    run.udp(WEB1, 5353, CLIENT["ip"], 40000, routed(CLIENT))


def datagram(source, sport, dst, dport, payload=BIG, ident=77, sizes=(1480, 1480), proto=UDP):
    """The frames of a datagram in fragments."""
    build = udp if proto == UDP else tcp
    fields = {} if proto == UDP else {"flags": PSH | ACK}
    whole = ipv4(source["ip"], dst, proto,
                 build(source["ip"], sport, dst, dport, payload=payload, **fields), ident=ident)
    return [ethernet(source["mac"], piece) for piece in fragments(whole, *sizes)]


@scenario("fragments-in-order", "R11 R12", "Datagrams in up to 101 fragments, both ways.",
          "all are translated alike, and the whole has a right checksum.", services=[BOTH])
def fragments_in_order(run):
    for ident, size in enumerate((1480, 800, 40), 1):
        sizes = [size] * (len(BIG) // size)
        for frame in datagram(CLIENT, 40000, VIP, 53, ident=ident, sizes=sizes):
            run.send(CLIENT, frame, dnat(WEB1, 5353))
        for frame in datagram(WEB1, 5353, CLIENT["ip"], 40000, ident=ident, sizes=sizes):
            run.send(WEB1, frame, snat(VIP, 53, CLIENT))


@scenario("fragments-out-of-order", "R11", "The last fragment first, to a Service, a pod and back.",
          "what comes to a Service before the first fragment is dropped, the rest translated.",
          services=[BOTH])
def fragments_out_of_order(run):
    for order in ((2, 0, 1), (2, 1, 0), (1, 0, 2)):
        frames = datagram(CLIENT, 40000, VIP, 53, ident=order[0] * 10 + order[1])
        for n in order:
            before = order.index(n) < order.index(0)
            run.send(CLIENT, frames[n], FRAGMENT if before else dnat(WEB1, 5353))
    frames = datagram(CLIENT, 40000, WEB1["ip"], 9)
    for n in (2, 1, 0):
        run.send(CLIENT, frames[n], routed(WEB1))


@scenario("fragments-overlapping", "R11 R13", "Fragments that overlap, repeat and contradict.",
          "the pipeline does not put them together: each is translated by itself.",
          services=[BOTH])
def fragments_overlapping(run):
    first, second, third = datagram(CLIENT, 40000, VIP, 53)
    again = datagram(CLIENT, 40000, VIP, 53, sizes=(1400, 1400))
    for frame in (first, first, second, second, again[1], again[2], third, first, third):
        run.send(CLIENT, frame, dnat(WEB1, 5353))
    # Teardrop: a fragment within the first one.
    run.ip(CLIENT, VIP, UDP, bytes(4), dnat(WEB1, 5353), ident=77, offset=24)
    # Beyond 64 kB, as the ping of death.
    run.ip(CLIENT, VIP, UDP, bytes(100), dnat(WEB1, 5353), ident=77, offset=65528)
    run.ip(CLIENT, WEB1["ip"], ICMP, bytes(100), routed(WEB1), offset=65528)


@scenario("fragments-tiny", "R11 R13", "First fragments without the whole TCP or UDP header.",
          "dropped as truncated; what follows at offset 8 finds no first fragment.",
          services=[BOTH])
def fragments_tiny(run):
    segment = tcp(CLIENT["ip"], 40000, VIP, 80)
    for size in (0, 8, 16):
        run.ip(CLIENT, VIP, TCP, segment[:size], drop("truncated"), flags=MORE, ident=5)
        run.ip(CLIENT, VIP, TCP, segment[size:], FRAGMENT if size else dnat(WEB1, 8080),
               offset=size, ident=5)
    run.ip(CLIENT, VIP, UDP, b"", drop("truncated"), flags=MORE, ident=6)
    query = udp(CLIENT["ip"], 40000, VIP, 53, b"query")
    run.ip(CLIENT, VIP, UDP, query[:8], dnat(WEB1, 5353), flags=MORE, ident=7)
    run.ip(CLIENT, VIP, UDP, query[8:], dnat(WEB1, 5353), offset=8, ident=7)
    run.ip(CLIENT, WEB1["ip"], TCP, segment[:8], drop("truncated"), flags=MORE, ident=8)
    run.ip(CLIENT, WEB1["ip"], TCP, segment[8:], routed(WEB1), offset=8, ident=8)


TWO = service("two", port("UDP", 53, (WEB1, 5353)), port("UDP", 54, (WEB2, 5353)),
              port("UDP", 55, (WEB1, 5555)))


@scenario("fragments-same-id", "R11", "Two datagrams with one identification, to two endpoints.",
          "the second is dropped while the first is remembered, never given its fragments.",
          pods=(CLIENT, WEB1, WEB2), services=[TWO])
def fragments_same_id(run):
    one, two = datagram(CLIENT, 40000, VIP, 53), datagram(CLIENT, 40000, VIP, 54)
    same_endpoint = datagram(CLIENT, 40000, VIP, 55)
    run.send(CLIENT, one[0], dnat(WEB1, 5353))
    run.send(CLIENT, two[0], FRAGMENT)
    run.send(CLIENT, one[1], dnat(WEB1, 5353))
    run.send(CLIENT, same_endpoint[0], dnat(WEB1, 5555))
    run.send(CLIENT, one[2], dnat(WEB1, 5353))
    # A packet that is no fragment may have the identification, too.
    run.udp(CLIENT, 40000, VIP, 54, dnat(WEB2, 5353), ident=77)
    # Another protocol or another client has identifications of its own.
    run.ip(CLIENT, VIP, ICMP, bytes(64), FRAGMENT, ident=77, offset=64)
    run.ip(WEB2, VIP, UDP, bytes(64), FRAGMENT, ident=77, offset=64)
    run.wait(15)
    run.send(CLIENT, one[2], FRAGMENT)
    run.send(CLIENT, two[0], dnat(WEB2, 5353))
    run.send(CLIENT, two[1], dnat(WEB2, 5353))
    run.send(CLIENT, two[2], dnat(WEB2, 5353))


@scenario("fragments-tcp", "R11 R4 R7", "TCP segments in fragments, within a connection.",
          "translated both ways; a fragment of no known datagram is dropped.", services=[BOTH])
def fragments_tcp(run):
    run.connection().open()
    for ident in (77, 78):
        for frame in datagram(CLIENT, 40000, VIP, 80, ident=ident, proto=TCP):
            run.send(CLIENT, frame, dnat(WEB1, 8080))
        for frame in datagram(WEB1, 8080, CLIENT["ip"], 40000, ident=ident, proto=TCP):
            run.send(WEB1, frame, snat(VIP, 80, CLIENT))
    stray = datagram(CLIENT, 50000, VIP, 80, ident=79, proto=TCP)
    run.send(CLIENT, stray[0], drop("no_flow"))
    run.send(CLIENT, stray[1], FRAGMENT)
    run.send(CLIENT, stray[2], FRAGMENT)


@scenario("fragments-other", "R11 R1", "Fragments of ICMP, GRE and SCTP, and DF with fragments.",
          "routed to pods unchanged; to a Service there is nothing to follow.", services=[BOTH])
def fragments_other(run):
    for proto in (ICMP, 47, 132):
        for offset, flags in ((0, MORE), (64, MORE), (128, 0), (64, MORE | DONT)):
            run.ip(CLIENT, WEB1["ip"], proto, bytes(64), routed(WEB1), offset=offset, flags=flags)
            run.ip(CLIENT, VIP, proto, bytes(64), FRAGMENT if offset else NO_SERVICE,
                   offset=offset, flags=flags)
            run.ip(CLIENT, OUTSIDE, proto, bytes(64), TO_HOST, offset=offset, flags=flags)


@scenario("udp-checksum-zero", "R12", "UDP without checksum, whole and in fragments, both ways.",
          "0 stays 0 when addresses and ports change.", services=[BOTH])
def udp_checksum_zero(run):
    for size in (0, 1, 5, 100):
        run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353), bytes(size), sum=0)
        run.udp(WEB1, 5353, CLIENT["ip"], 40000, snat(VIP, 53, CLIENT), bytes(size), sum=0)
    query = udp(CLIENT["ip"], 40000, VIP, 53, BIG, sum=0)
    run.ip(CLIENT, VIP, UDP, query[:1480], dnat(WEB1, 5353), flags=MORE, ident=9)
    run.ip(CLIENT, VIP, UDP, query[1480:], dnat(WEB1, 5353), offset=1480, ident=9)


def with_sum(build, wanted):
    """A payload that makes a checksum come out as wanted."""
    for word in range(0x10000):
        payload = struct.pack("!H", word)
        if build(payload) == wanted:
            return payload
    raise ValueError(f"no payload gives {wanted:#06x}")


@scenario("checksum-edges", "R12", "Payloads that make the new checksum 0, 0xffff, 1 or 0xfffe.",
          "UDP's 0 is sent as 0xffff; every sum has the form a sender would give it.",
          services=[BOTH])
def checksum_edges(run):
    # The sums after translation, which the client's own follow from.
    for wanted in (0x0000, 0x0001, 0xFFFE, 0x8000, 0x7FFF, 0xFF00, 0x00FF):
        def of_udp(src, sport, dst, dport):
            # Without the last step of RFC 768: 0 stays 0 here.
            def value(payload):
                found = int.from_bytes(udp(src, sport, dst, dport, payload)[6:8], "big")
                return 0 if found == 0xFFFF else found
            return value

        def of_tcp(src, sport, dst, dport, flags):
            return lambda payload: int.from_bytes(
                tcp(src, sport, dst, dport, flags, payload)[16:18], "big")

        client, web = CLIENT["ip"], WEB1["ip"]
        run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353),
                with_sum(of_udp(client, 40000, web, 5353), wanted))
        run.udp(WEB1, 5353, client, 40000, snat(VIP, 53, CLIENT),
                with_sum(of_udp(VIP, 53, client, 40000), wanted))
        run.tcp(CLIENT, 40000, VIP, 80, dnat(WEB1, 8080), SYN,
                with_sum(of_tcp(client, 40000, web, 8080, SYN), wanted))
        run.tcp(WEB1, 8080, client, 40000, snat(VIP, 80, CLIENT), SYN | ACK,
                with_sum(of_tcp(VIP, 80, client, 40000, SYN | ACK), wanted))
        # The client's own sum at an edge.
        run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353),
                with_sum(of_udp(client, 40000, VIP, 53), wanted))
        run.tcp(CLIENT, 40000, VIP, 80, dnat(WEB1, 8080), SYN,
                with_sum(of_tcp(client, 40000, VIP, 80, SYN), wanted))


@scenario("ip-checksum-edges", "R12 R1", "IP header checksums around every carry of the TTL byte.",
          "the new one is what a fresh computation gives: never 0xffff.", services=[BOTH])
def ip_checksum_edges(run):
    def ident_for(src, dst, proto, size, ttl, wanted):
        for ident in range(0x10000):
            header = ipv4(src, dst, proto, bytes(size), ttl=ttl, ident=ident)
            if int.from_bytes(header[10:12], "big") == wanted:
                return ident
        return None

    for wanted in (0x0000, 0x0001, 0x00FF, 0x0100, 0xFDFF, 0xFEFE, 0xFEFF, 0xFF00, 0xFFFE):
        for ttl in (2, 64, 255):
            for dst, outcome in ((WEB1["ip"], routed(WEB1)), (VIP, dnat(WEB1, 5353))):
                ident = ident_for(CLIENT["ip"], dst, UDP, 13, ttl, wanted)
                run.udp(CLIENT, 40000, dst, 53, outcome, ttl=ttl, ident=ident)
    # After translation, before the TTL.
    for wanted in (0x0000, 0xFEFE, 0xFEFF, 0xFFFE):
        ident = ident_for(CLIENT["ip"], WEB1["ip"], UDP, 13, 64, wanted)
        run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353), ident=ident)


@scenario("checksum-wrong", "R12", "Frames whose IP, TCP or UDP checksum is wrong already.",
          "changed by the difference only, so that the receiver still finds them wrong.",
          services=[BOTH])
def checksum_wrong(run):
    for wrong in (0x0001, 0x1234, 0xBEEF, 0xFFFE):
        run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353), sum=wrong)
        run.udp(WEB1, 5353, CLIENT["ip"], 40000, snat(VIP, 53, CLIENT), sum=wrong)
        run.tcp(CLIENT, 40000, VIP, 80, dnat(WEB1, 8080), sum=wrong)
        run.tcp(CLIENT, 40000, WEB1["ip"], 80, routed(WEB1), sum=wrong)
        packet = udp(CLIENT["ip"], 40000, VIP, 53, b"hello")
        run.ip(CLIENT, VIP, UDP, packet, dnat(WEB1, 5353), sum=wrong)
        run.ip(CLIENT, WEB1["ip"], ICMP, icmp(), routed(WEB1), sum=wrong)
        run.ip(CLIENT, OUTSIDE, ICMP, icmp(), TO_HOST, sum=wrong)


@scenario("protocols", "R1 R2 R4", "GRE, ESP, AH, IPIP, IGMP, OSPF, SCTP, 0 and 255.",
          "routed to a pod, unmodified to the host if unknown, no_service to a Service.",
          services=[BOTH])
def protocols(run):
    for proto in (0, 1, 2, 4, 41, 47, 50, 51, 89, 132, 253, 255):
        # What would be ports of the Service.
        payload = struct.pack("!HHHH", 40000, 53, 80, 0) + bytes(16)
        run.ip(CLIENT, WEB1["ip"], proto, payload, routed(WEB1))
        run.ip(CLIENT, VIP, proto, payload, NO_SERVICE)
        run.ip(CLIENT, OUTSIDE, proto, payload, TO_HOST)
        run.ip(CLIENT, WEB1["ip"], proto, b"", routed(WEB1))


@scenario("land-attack", "R1 R4 R13", "Packets from an address to itself: a pod's, a Service's.",
          "routed to the address as any other; no loop, no flow but the one begun.",
          services=[BOTH])
def land_attack(run):
    own = CLIENT["ip"]
    run.tcp(CLIENT, 80, own, 80, routed(CLIENT))
    run.udp(CLIENT, 53, own, 53, routed(CLIENT))
    run.ip(CLIENT, own, ICMP, icmp(), routed(CLIENT))
    run.tcp(CLIENT, 80, VIP, 80, dnat(WEB1, 8080), src=VIP)
    run.udp(CLIENT, 5000, VIP, 53, dnat(WEB1, 5353), src=VIP)
    # The answers go to the Service's address, where nobody asked.
    run.tcp(WEB1, 8080, VIP, 80, NO_SERVICE, flags=SYN | ACK)
    run.udp(WEB1, 5353, VIP, 5000, NO_SERVICE)
    run.ip(CLIENT, VIP, ICMP, icmp(), NO_SERVICE, src=VIP)


@scenario("unknown-destination", "R2", "Every kind of packet to an address nobody has.",
          "to the host, not a byte changed: TTL, options, wrong checksums.", services=[BOTH])
def unknown_destination(run):
    for dst in (OUTSIDE, "10.244.0.99", "127.0.0.1", "0.0.0.0", "255.255.255.254", VIP2):
        run.tcp(CLIENT, 40000, dst, 80, TO_HOST)
        run.tcp(CLIENT, 40000, dst, 80, TO_HOST, flags=ACK, sum=0xDEAD)
        run.udp(CLIENT, 40000, dst, 53, TO_HOST, sum=0)
        run.udp(CLIENT, 40000, dst, 53, TO_HOST, ttl=0, options=bytes([1] * 40))
        run.ip(CLIENT, dst, ICMP, icmp(), TO_HOST, ttl=1, sum=0x1234)
        for frame in datagram(CLIENT, 40000, dst, 53, BIG[:100], sizes=(40, 40)):
            run.send(CLIENT, frame, TO_HOST)
        run.udp(CLIENT, 40000, dst, 53, TO_HOST, dst_mac=WEB1["mac"], tags=[(VLAN, 9)])


@scenario("host-traffic", "R1 R4 R7", "The host and what lies behind it reach pods and a Service.",
          "routed to pods; translated through the Service, replies, too.", services=[BOTH])
def host_traffic(run):
    run.ip(HOST, CLIENT["ip"], ICMP, icmp(), routed(CLIENT))
    run.ip(CLIENT, HOST["ip"], ICMP, icmp(0), routed(HOST))
    run.connection(client=HOST).open().exchange().close()
    run.udp(HOST, 40000, VIP, 53, dnat(WEB1, 5353))
    run.udp(WEB1, 5353, HOST["ip"], 40000, snat(VIP, 53, HOST))
    # A client on another node: its replies leave by the host, which routes them.
    run.udp(HOST, 40000, VIP, 53, dnat(WEB1, 5353), src="10.244.9.6")
    run.udp(WEB1, 5353, "10.244.9.6", 40000, snat(VIP, 53, None))
    run.udp(HOST, 40000, OUTSIDE, 53, TO_HOST)


@scenario("gateway-traffic", "R1", "Packets to and from the gateway's own address.",
          "routed to the gateway's port and from it, MACs rewritten.", services=[BOTH])
def gateway_traffic(run):
    run.ip(CLIENT, GATEWAY["ip"], ICMP, icmp(), routed(GATEWAY))
    run.ip(GATEWAY, CLIENT["ip"], ICMP, icmp(0), routed(CLIENT))
    run.udp(CLIENT, 40000, GATEWAY["ip"], 53, routed(GATEWAY))
    run.udp(GATEWAY, 40000, VIP, 53, dnat(WEB1, 5353))
    run.udp(WEB1, 5353, GATEWAY["ip"], 40000, snat(VIP, 53, GATEWAY))
