"""Ethernet, VLAN tags, ARP and what is neither ARP nor IPv4."""
from .outcomes import TO_HOST, dnat, drop, routed, same, snat
from .packets import (ACK, ARP, BROADCAST, GATEWAY_MAC, ICMP, IPV6, QINQ, SYN, TCP, VLAN, arp,
                      ethernet, icmp, tcp)
from .scenario import (BOTH, CLIENT, GATEWAY, HOST, OUTSIDE, VIP, WEB, WEB1, WEB2, scenario)

ZERO_MAC = "00:00:00:00:00:00"
MULTICAST = drop("multicast")


def ask(run, source, target, outcome, oper=1, sender=None, dst=BROADCAST, tha=ZERO_MAC, tags=(),
        trailer=b"", **fields):
    packet = arp(oper, source["mac"], sender or source["ip"], tha, target, **fields)
    run.send(source, ethernet(source["mac"], packet + trailer, dst=dst, kind=ARP, tags=tags),
             outcome)


def conversation(run, **fields):
    """Everything that is translated or routed, both ways."""
    run.ip(CLIENT, WEB1["ip"], ICMP, icmp(), routed(WEB1), **fields)
    run.ip(WEB1, CLIENT["ip"], ICMP, icmp(0), routed(CLIENT), **fields)
    run.connection().open(**fields).exchange(**fields).close(**fields)
    run.udp(CLIENT, 40001, VIP, 53, dnat(WEB1, 5353), b"query", **fields)
    run.udp(WEB1, 5353, CLIENT["ip"], 40001, snat(VIP, 53, CLIENT), b"answer", **fields)


@scenario("vlan-tagged", "R14 R1 R4 R7", "One VLAN tag on everything: ping, TCP and UDP, ARP.",
          "handled as if there were no tag, and the tag is carried through.", services=[BOTH])
def vlan_tagged(run):
    tag = [(VLAN, 100)]
    conversation(run, tags=tag)
    ask(run, CLIENT, WEB1["ip"], same(WEB1["port"]), tags=tag)
    ask(run, CLIENT, GATEWAY["ip"], same(0), tags=tag)
    run.udp(CLIENT, 40001, OUTSIDE, 53, TO_HOST, tags=tag)
    run.udp(CLIENT, 40001, "224.0.0.251", 5353, MULTICAST, dst_mac="01:00:5e:00:00:fb", tags=tag)
    run.ip(CLIENT, VIP, TCP, tcp(CLIENT["ip"], 40002, VIP, 81), drop("no_service"), tags=tag)


@scenario("vlan-priority-tag", "R14 R1 R4", "Priority tags: VLAN 0 with each priority, VLAN 4095.",
          "routed and translated, with the tag as it came.", services=[BOTH])
def vlan_priority_tag(run):
    for priority in range(8):
        for control in (priority << 13, priority << 13 | 0x1FFF):
            run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353), tags=[(VLAN, control)])
            run.ip(CLIENT, WEB1["ip"], ICMP, icmp(), routed(WEB1), tags=[(VLAN, control)])


@scenario("vlan-double", "R14 R13 R2", "Two VLAN tags, 802.1ad and 802.1Q, around IPv4 and ARP.",
          "not looked into: to the host unmodified, a group address is dropped.", services=[BOTH])
def vlan_double(run):
    for outer in (VLAN, QINQ):
        tags = [(outer, 100), (VLAN, 200)]
        run.udp(CLIENT, 40000, VIP, 53, TO_HOST, tags=tags)
        run.udp(CLIENT, 40000, WEB1["ip"], 53, TO_HOST, tags=tags, ttl=1)
        run.tcp(CLIENT, 40000, VIP, 80, TO_HOST, tags=tags)
        ask(run, CLIENT, WEB1["ip"], MULTICAST, tags=tags)
        ask(run, CLIENT, WEB1["ip"], TO_HOST, tags=tags, dst=GATEWAY_MAC)
    run.udp(CLIENT, 40000, VIP, 53, TO_HOST, tags=[(QINQ, 100)])
    run.tcp(CLIENT, 40000, VIP, 80, drop("no_flow"), flags=ACK)


@scenario("vlan-mixed", "R14 R5 R7", "The packets of one connection with and without a tag.",
          "the tag is no part of the flow.", services=[BOTH])
def vlan_mixed(run):
    connection = run.connection()
    connection.request(SYN, tags=[(VLAN, 7)])
    connection.reply(SYN | ACK)
    connection.request()
    connection.exchange(tags=[(VLAN, 8)])
    connection.close()


@scenario("arp-requests", "R3", "ARP requests for a pod, gateway, host, Service, unknown address.",
          "each reaches its target unmodified, the gateway's the ARP proxy, unknown ones the host.",
          pods=(CLIENT, WEB1, WEB2), services=[WEB])
def arp_requests(run):
    targets = ((WEB1["ip"], WEB1), (WEB2["ip"], WEB2), (GATEWAY["ip"], GATEWAY), (HOST["ip"], HOST),
               (VIP, HOST), (OUTSIDE, HOST), ("0.0.0.0", HOST), ("255.255.255.255", HOST))
    for source in (CLIENT, HOST, GATEWAY):
        for target, to in targets:
            ask(run, source, target, same(to["port"]))
    # A cache entry is refreshed by asking its MAC address.
    ask(run, CLIENT, WEB1["ip"], same(WEB1["port"]), dst=WEB1["mac"])


@scenario("arp-replies", "R3", "ARP replies of the proxy, of pods and of the host.",
          "each reaches the one who asked.")
def arp_replies(run):
    for source, to in ((GATEWAY, CLIENT), (GATEWAY, WEB1), (GATEWAY, HOST), (WEB1, CLIENT),
                       (CLIENT, WEB1), (CLIENT, HOST), (HOST, CLIENT), (CLIENT, GATEWAY)):
        ask(run, source, to["ip"], same(to["port"]), oper=2, dst=to["mac"], tha=to["mac"])
    ask(run, WEB1, OUTSIDE, TO_HOST, oper=2, dst=HOST["mac"], tha=HOST["mac"])


@scenario("arp-gratuitous", "R3", "A pod announces itself, and probes for its address.",
          "by the target address, so to the pod's own port.")
def arp_gratuitous(run):
    ask(run, CLIENT, CLIENT["ip"], same(CLIENT["port"]))
    ask(run, CLIENT, CLIENT["ip"], same(CLIENT["port"]), oper=2, tha=BROADCAST)
    ask(run, CLIENT, CLIENT["ip"], same(CLIENT["port"]), sender="0.0.0.0")
    ask(run, CLIENT, WEB1["ip"], same(WEB1["port"]), sender="0.0.0.0")


@scenario("arp-unusual", "R3 R13", "Unknown ARP operations, odd hardware types, padding.",
          "the operation does not matter; every frame passes unmodified.")
def arp_unusual(run):
    for oper in (0, 3, 4, 8, 9, 25, 65535):
        ask(run, CLIENT, WEB1["ip"], same(WEB1["port"]), oper=oper)
    for htype in (0, 6, 15, 32):
        ask(run, CLIENT, WEB1["ip"], same(WEB1["port"]), htype=htype)
    ask(run, CLIENT, WEB1["ip"], same(WEB1["port"]), trailer=b"\xA5" * 18)
    ask(run, CLIENT, WEB1["ip"], same(WEB1["port"]), trailer=b"\xA5" * 1000)


@scenario("non-ip-unicast", "R2 R13", "IPv6, loopback, LLC, PPPoE, MPLS and MACsec, unicast.",
          "to the host, unmodified.")
def non_ip_unicast(run):
    for kind in (IPV6, 0x9000, 0x8864, 0x8847, 0x88E5, 0x0000, 0x05DC, 0x0600, 0x0801, 0xFFFF):
        for size in (0, 46, 100):
            run.send(CLIENT, ethernet(CLIENT["mac"], bytes(range(size)), kind=kind), TO_HOST)
    v6 = bytes([0x60, 0, 0, 0, 0, 8, 17, 64]) + bytes(32) + bytes([0, 53] * 4)
    run.send(CLIENT, ethernet(CLIENT["mac"], v6, kind=IPV6), TO_HOST)
    run.send(CLIENT, ethernet(CLIENT["mac"], v6, kind=IPV6, tags=[(VLAN, 5)]), TO_HOST)


@scenario("non-ip-multicast", "R14", "LLDP, STP, LACP, IPv6 neighbour discovery, wake-on-LAN.",
          "dropped.")
def non_ip_multicast(run):
    for dst, kind in (("01:80:c2:00:00:0e", 0x88CC), ("01:80:c2:00:00:02", 0x8809),
                      ("33:33:00:00:00:01", IPV6), ("33:33:ff:00:00:06", IPV6),
                      (BROADCAST, 0x0842), ("01:00:0c:cc:cc:cc", 0x2000)):
        run.send(CLIENT, ethernet(CLIENT["mac"], bytes(46), dst=dst, kind=kind), MULTICAST)
    stp = bytes([0x42, 0x42, 0x03]) + bytes(35)
    run.send(CLIENT, ethernet(CLIENT["mac"], stp, dst="01:80:c2:00:00:00", kind=38), MULTICAST)


@scenario("ip-multicast", "R14 R13", "IPv4 to group MACs: mDNS, SSDP, IGMP, DHCP, a pod's address.",
          "dropped, whatever the IP destination; a bad header is the first reason.",
          services=[BOTH])
def ip_multicast(run):
    run.udp(CLIENT, 5353, "224.0.0.251", 5353, MULTICAST, dst_mac="01:00:5e:00:00:fb", ttl=255)
    run.udp(CLIENT, 1900, "239.255.255.250", 1900, MULTICAST, dst_mac="01:00:5e:7f:ff:fa")
    run.ip(CLIENT, "224.0.0.22", 2, bytes(8), MULTICAST, dst_mac="01:00:5e:00:00:16", ttl=1,
           options=b"\x94\x04\0\0")
    run.udp(CLIENT, 68, "255.255.255.255", 67, MULTICAST, dst_mac=BROADCAST, src="0.0.0.0")
    for dst in (WEB1["ip"], OUTSIDE):
        run.udp(CLIENT, 40000, dst, 53, MULTICAST, dst_mac=BROADCAST)
    run.udp(CLIENT, 40000, VIP, 53, MULTICAST, dst_mac=BROADCAST)
    run.tcp(CLIENT, 40000, VIP, 80, MULTICAST, dst_mac="03:00:00:00:00:01")
    run.tcp(CLIENT, 40000, VIP, 80, drop("no_flow"), flags=ACK)
    run.udp(CLIENT, 40000, VIP, 53, drop("bad_ip_header"), dst_mac=BROADCAST, first=0x65)


@scenario("stale-headers", "R13", "After each TCP and UDP packet: ARP, ICMP, IPv6, a fragment.",
          "nothing of the packet before shows: they pass unmodified or routed only.",
          services=[BOTH])
def stale_headers(run):
    def others():
        ask(run, CLIENT, WEB1["ip"], same(WEB1["port"]), trailer=bytes(range(64)))
        run.ip(CLIENT, WEB1["ip"], ICMP, icmp(payload=bytes(range(64))), routed(WEB1))
        run.send(CLIENT, ethernet(CLIENT["mac"], bytes(range(64)), kind=IPV6), TO_HOST)
        run.ip(CLIENT, WEB1["ip"], TCP, bytes(range(64)), routed(WEB1), offset=64)
        run.ip(CLIENT, WEB1["ip"], 47, bytes(range(64)), routed(WEB1))
        run.ip(CLIENT, OUTSIDE, ICMP, icmp(), TO_HOST, ttl=1)
        run.ip(CLIENT, VIP, ICMP, icmp(), drop("no_service"))

    connection = run.connection()
    for flags, step in ((SYN, connection.request), (SYN | ACK, connection.reply),
                        (ACK, connection.request), (ACK, connection.reply)):
        step(flags)
        others()
    run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353), options=bytes([1] * 40))
    others()
    run.udp(WEB1, 5353, CLIENT["ip"], 40000, snat(VIP, 53, CLIENT), tags=[(VLAN, 5)])
    others()
    run.udp(CLIENT, 40000, WEB1["ip"], 53, drop("ttl_expired"), ttl=1)
    others()


@scenario("padding", "R12 R13", "Frames padded to 60 bytes and beyond, with trailing rubbish.",
          "the trailer is carried through and is no part of any checksum.", services=[BOTH])
def padding(run):
    for size in (1, 6, 18, 37):
        trailer = bytes(0xA0 + n for n in range(size))
        conversation(run, trailer=trailer)
    run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353), b"", trailer=b"\xFF" * 18)
    run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353), b"odd", trailer=b"\xFF" * 15)


@scenario("jumbo-limits", "R1 R12 R13", "Long frames: 9,000-byte MTU, and one of 65,535 bytes.",
          "translated whole.", services=[BOTH])
def jumbo_limits(run):
    for size in (1472, 1473, 8972):
        run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353), bytes([size & 255]) * size)
        run.udp(WEB1, 5353, CLIENT["ip"], 40000, snat(VIP, 53, CLIENT), bytes([size & 255]) * size)
    run.tcp(CLIENT, 40000, WEB1["ip"], 80, routed(WEB1), flags=ACK, payload=b"\xFF" * 8960)
    run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353), b"\xFE" * (65535 - 14 - 28))


@scenario("oversized", "R13", "The longest IP packet, in frames of 65,549, 65,553 and 65,554 bytes.",
          "dropped when its frame is longer than 65,553 bytes: Ethernet, one tag, the packet.",
          services=[BOTH])
def oversized(run):
    longest = b"\xFE" * (65535 - 28)
    run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353), longest)
    run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353), longest, trailer=b"\xFF" * 4)
    run.udp(CLIENT, 40000, VIP, 53, drop("oversized"), longest, trailer=b"\xFF" * 5)
    run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353), b"after")
