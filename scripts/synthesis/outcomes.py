"""What the rules say becomes of a frame, worked out without the dataplanes.

An outcome takes a frame and gives (port, bytes), or (None, reason) for a drop.
"""
import struct

from .packets import GATEWAY_MAC, TCP, UDP, VLAN, address, folded, mac

HOST_PORT = 1


def mended(value, old, new):
    """A checksum after `old` bytes became `new` ones (RFC 1624)."""
    inverted = bytes(0xFF - b for b in struct.pack("!H", value) + old)
    return 0xFFFF - folded(inverted + new)


class Frame:
    """A well-formed IPv4 frame to change."""

    def __init__(self, data):
        self.data = bytearray(data)
        self.ip = 18 if data[12:14] == VLAN.to_bytes(2, "big") else 14
        size = (data[self.ip] & 15) * 4
        first = not (data[self.ip + 6] & 0x1F or data[self.ip + 7])
        self.proto = data[self.ip + 9] if first else None
        self.l4 = self.ip + size

    def put(self, at, new):
        old = bytes(self.data[at:at + len(new)])
        self.data[at:at + len(new)] = new
        return old

    def mend(self, at, old, new):
        value = mended(int.from_bytes(self.data[at:at + 2], "big"), old, new)
        self.data[at:at + 2] = struct.pack("!H", value)

    def translate(self, ip, port, source):
        at = self.ip + (12 if source else 16)
        new = address(ip)
        old = self.put(at, new)
        self.mend(self.ip + 10, old, new)
        if self.proto not in (TCP, UDP):
            return
        old += self.put(self.l4 + (0 if source else 2), struct.pack("!H", port))
        new += struct.pack("!H", port)
        at = self.l4 + (16 if self.proto == TCP else 6)
        if self.proto == TCP:
            self.mend(at, old, new)
        elif self.data[at:at + 2] != b"\0\0":
            self.mend(at, old, new)
            if self.data[at:at + 2] == b"\0\0":
                self.data[at:at + 2] = b"\xff\xff"

    def route(self, to):
        self.data[0:6], self.data[6:12] = mac(to["mac"]), mac(GATEWAY_MAC)
        at = self.ip + 8
        old = bytes(self.data[at:at + 2])
        self.data[at] -= 1
        self.mend(self.ip + 10, old, bytes(self.data[at:at + 2]))
        return to["port"], bytes(self.data)


def drop(reason):
    return lambda frame: (None, reason)


def same(port):
    """Unmodified."""
    return lambda frame: (port, frame)


TO_HOST = same(HOST_PORT)


def routed(to):
    return lambda frame: Frame(frame).route(to)


def dnat(to, port, ip=None):
    """To an endpoint; without `to`, one that is not on this node."""
    def outcome(frame):
        changed = Frame(frame)
        changed.translate(ip or to["ip"], port, source=False)
        return changed.route(to) if to else (HOST_PORT, bytes(changed.data))
    return outcome


def snat(vip, port, to):
    """A reply; without `to`, to an address that is not on this node."""
    def outcome(frame):
        changed = Frame(frame)
        changed.translate(vip, port, source=True)
        return changed.route(to) if to else (HOST_PORT, bytes(changed.data))
    return outcome


def one_of(flow, *outcomes):
    """Any of these, but the same one for all frames of a flow."""
    return lambda frame: (flow, [outcome(frame) for outcome in outcomes])
