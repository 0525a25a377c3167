"""What upstream's pipeline gets wrong and no other fixture shows: see docs/differences.md."""
import struct

from .collisions import UPSTREAM_BUCKET
from .outcomes import TO_HOST, dnat, routed, snat
from .packets import ACK, ICMP, PSH, UDP, VLAN, ethernet, icmp, ipv4, udp
from .scenario import BOTH, CLIENT, VIP, WEB1, WEB2, pod, port, scenario, service


@scenario("tcp-busy", "R5 R6", "A connection with data every ten seconds, for two minutes.",
          "it lives: traffic keeps the flow, in both directions.", services=[BOTH])
def tcp_busy(run):
    connection = run.connection().open()
    for _ in range(12):
        run.wait(10)
        connection.exchange()
    connection.close()


def dns(*servers):
    return service("dns", port("UDP", 53, *[(s, 5353, weight) for s, weight in servers]))


@scenario("udp-busy", "R5 R6", "A UDP stream of two minutes; a heavier endpoint comes in between.",
          "the stream stays with the endpoint it has.", pods=(CLIENT, WEB1, WEB2),
          services=[dns((WEB1, 1))])
def udp_busy(run):
    for n in range(13):
        if n == 1:
            run.change(services=[dns((WEB1, 1), (WEB2, 100))])
        run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353), b"query")
        run.udp(WEB1, 5353, CLIENT["ip"], 40000, snat(VIP, 53, CLIENT), b"answer")
        run.wait(10)


@scenario("udp-server-stream", "R6 R7", "Two requests, then the server streams for two minutes.",
          "every datagram bears the address that the client asked.", services=[BOTH])
def udp_server_stream(run):
    for _ in range(2):
        run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353), b"subscribe")
        run.udp(WEB1, 5353, CLIENT["ip"], 40000, snat(VIP, 53, CLIENT), b"event")
    for _ in range(12):
        run.wait(10)
        run.udp(WEB1, 5353, CLIENT["ip"], 40000, snat(VIP, 53, CLIENT), b"event")


CROWD = {number: pod(f"client-{number}", number) for number, _ in UPSTREAM_BUCKET}


@scenario("colliding-tuples", "R9 R4 R5", "Six pods whose flows lie in one bucket of upstream's.",
          "every connection is made and translated, both ways.", pods=(*CROWD.values(), WEB1),
          services=[BOTH])
def colliding_tuples(run):
    for number, sport in UPSTREAM_BUCKET:
        run.connection(client=CROWD[number], client_port=sport).open().exchange()


@scenario("ip-options-ports", "R10 R4", "IPv4 options with the bytes of ports of a Service.",
          "options are not ports: they stay, and what is behind them is translated.",
          services=[BOTH])
def ip_options_ports(run):
    # At the place of a UDP header: 40000 to 53, length, checksum.
    for options in (struct.pack("!HHHH", 40000, 53, 13, 0x1234),
                    bytes([0x44, 12, 0, 53]) + bytes(8)):
        run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353), b"query", options=options)
        run.udp(WEB1, 5353, CLIENT["ip"], 40000, snat(VIP, 53, CLIENT), b"answer", options=options)


@scenario("fragments-lookalike", "R11 R12", "A later fragment whose data look like a UDP header.",
          "data are not ports: they arrive as they were sent.", services=[BOTH])
def fragments_lookalike(run):
    data = struct.pack("!HHHH", 40000, 53, 1000, 0xBEEF) * 4
    whole = udp(CLIENT["ip"], 40000, VIP, 53, data)
    for at, flags in ((0, 0x2000), (16, 0x2000), (32, 0)):
        piece = whole[at:at + 16] if flags else whole[at:]
        run.ip(CLIENT, VIP, UDP, piece, dnat(WEB1, 5353), offset=at, flags=flags, ident=7)


@scenario("ethertype-lookalike", "R13 R2", "Other Ethertypes with the bytes of an IPv4 packet.",
          "not looked into: to the host unmodified, whatever came before.", services=[BOTH])
def ethertype_lookalike(run):
    packet = ipv4(CLIENT["ip"], VIP, UDP, udp(CLIENT["ip"], 40000, VIP, 53, b"query"))
    for n in range(20):
        run.udp(CLIENT, 41000 + n, VIP, 53, dnat(WEB1, 5353), b"query")
    for kind in (0x88B5, 0x4305):
        run.send(CLIENT, ethernet(CLIENT["mac"], packet, kind=kind), TO_HOST)
        run.send(CLIENT, ethernet(CLIENT["mac"], packet, kind=kind, tags=[(VLAN, 5)]), TO_HOST)


@scenario("destination-mac", "R1", "Packets to a pod, sent to other MAC addresses than the gateway's.",
          "routed all the same, with the gateway's MAC as source.", pods=(CLIENT, WEB1, WEB2),
          services=[BOTH])
def destination_mac(run):
    for mac in (WEB1["mac"], WEB2["mac"], CLIENT["mac"], "02:00:00:00:99:99"):
        run.ip(CLIENT, WEB1["ip"], ICMP, icmp(), routed(WEB1), dst_mac=mac)
        run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 5353), dst_mac=mac)
    connection = run.connection()
    connection.open(dst_mac=WEB2["mac"])
    connection.request(PSH | ACK, b"data", dst_mac=WEB2["mac"])
