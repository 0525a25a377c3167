"""Frames as bytes, built field by field, so that every field can be wrong."""
import struct
from ipaddress import IPv4Address

TCP, UDP, ICMP = 6, 17, 1
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << n for n in range(8))
IPV4, ARP, VLAN, IPV6, QINQ = 0x0800, 0x0806, 0x8100, 0x86DD, 0x88A8
MORE, DONT = 0x2000, 0x4000
GATEWAY_MAC = "02:00:00:00:00:01"
BROADCAST = "ff:ff:ff:ff:ff:ff"


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def address(text):
    return IPv4Address(text).packed


def folded(data):
    """The sum of 16-bit words in ones' complement."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def checksum(data):
    return 0xFFFF - folded(data)


def ethernet(src, payload, dst=GATEWAY_MAC, kind=IPV4, tags=()):
    """`tags` are (Ethertype, tag control) pairs, the outer one first."""
    frame = mac(dst) + mac(src)
    for tag, control in tags:
        frame += struct.pack("!HH", tag, control)
    return frame + struct.pack("!H", kind) + payload


def ipv4(src, dst, proto, payload, ttl=64, ident=1, flags=0, offset=0, options=b"", first=None,
         total=None, tos=0, sum=None):
    """`offset` in bytes; `first`, `total` and `sum` override what would be right."""
    size = 20 + len(options)
    header = struct.pack(
        "!BBHHHBBH4s4s", 0x40 | size // 4 if first is None else first, tos,
        size + len(payload) if total is None else total, ident, flags | offset // 8, ttl, proto, 0,
        address(src), address(dst)) + options
    value = checksum(header) if sum is None else sum
    return header[:10] + struct.pack("!H", value) + header[12:] + payload


def pseudo(src, dst, proto, size):
    return address(src) + address(dst) + struct.pack("!HH", proto, size)


def tcp(src, sport, dst, dport, flags=SYN, payload=b"", seq=1000, ack=0, options=b"", offset=None,
        sum=None, urgent=0):
    size = 20 + len(options)
    header = struct.pack(
        "!HHIIBBHHH", sport, dport, seq, ack if flags & ACK else 0,
        (size // 4 if offset is None else offset) << 4, flags, 64240, 0, urgent) + options
    segment = header + payload
    value = checksum(pseudo(src, dst, TCP, len(segment)) + segment) if sum is None else sum
    return segment[:16] + struct.pack("!H", value) + segment[18:]


def udp(src, sport, dst, dport, payload=b"", length=None, sum=None):
    size = 8 + len(payload)
    header = struct.pack("!HHH", sport, dport, size if length is None else length)
    value = sum
    if value is None:
        # RFC 768: a sum of 0 is sent as its other form.
        value = checksum(pseudo(src, dst, UDP, size) + header + b"\0\0" + payload) or 0xFFFF
    return header + struct.pack("!H", value) + payload


def icmp(kind=8, code=0, payload=b"ping", rest=0x00010001):
    message = struct.pack("!BBHI", kind, code, 0, rest) + payload
    return message[:2] + struct.pack("!H", checksum(message)) + message[4:]


def arp(oper, sha, spa, tha, tpa, htype=1, ptype=IPV4, hlen=6, plen=4):
    return (struct.pack("!HHBBH", htype, ptype, hlen, plen, oper) + mac(sha) + address(spa)
            + mac(tha) + address(tpa))


def fragments(packet, *sizes):
    """Cuts an IPv4 packet without options into fragments of these payload sizes and the rest."""
    header, payload, pieces, at = packet[:20], packet[20:], [], 0
    for size in [*sizes, len(payload) - sum(sizes)]:
        piece = payload[at:at + size]
        more = MORE if at + size < len(payload) else 0
        new = (header[:2] + struct.pack("!H", 20 + len(piece)) + header[4:6]
               + struct.pack("!H", more | at // 8) + header[8:10] + b"\0\0" + header[12:])
        pieces.append(new[:10] + struct.pack("!H", checksum(new)) + new[12:] + piece)
        at += size
    return pieces
