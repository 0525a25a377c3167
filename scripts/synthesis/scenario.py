"""A scenario: its state, what is sent when, and what must come of it."""
import copy
import struct

from .outcomes import dnat, drop, routed, snat
from .packets import (ACK, FIN, GATEWAY_MAC, PSH, RST, SYN, TCP, UDP, ethernet, ipv4, tcp, udp)

# 2026-01-01 00:00:00 UTC: captures need some date, and always the same.
EPOCH = 1_767_225_600
SECOND = 1_000_000_000
VIP, VIP2 = "10.96.0.80", "10.96.0.81"
OUTSIDE = "192.0.2.9"
GATEWAY = {"name": "gateway", "ip": "169.254.1.1", "mac": GATEWAY_MAC, "port": 0}
HOST = {"name": "host", "ip": "200.1.1.2", "mac": "02:00:00:00:01:02", "port": 1}


def pod(name, n):
    return {"name": name, "ip": f"10.244.{n // 256}.{n % 256}",
            "mac": f"02:00:00:00:{2 + n // 256:02x}:{n % 256:02x}", "port": n - 4}


CLIENT, WEB1, WEB2, WEB3 = pod("client", 6), pod("web-1", 7), pod("web-2", 8), pod("web-3", 9)


def service(name, *ports, ip=VIP):
    return {"name": name, "clusterIP": ip, "ports": list(ports)}


def port(protocol, number, *endpoints):
    """An endpoint is (pod or address, port) or (pod or address, port, weight)."""
    return {"protocol": protocol, "port": number, "endpoints": [
        (e[0] if isinstance(e[0], str) else e[0]["ip"], *e[1:]) for e in endpoints]}


WEB = service("web", port("TCP", 80, (WEB1, 8080)))
ECHO = service("echo", port("UDP", 7000, (WEB1, 7000)))
BOTH = service("both", port("TCP", 80, (WEB1, 8080)), port("UDP", 53, (WEB1, 5353)))


class Run:
    """What happens in a scenario, in order of time."""

    def __init__(self, pods, services, timers):
        self.pods, self.services, self.timers = pods, services, timers
        self.now = 0
        self.events, self.frames = [], []
        self.ident = 0
        # Output port -> least and most frames, where selection is by chance.
        self.shares = {}

    def wait(self, seconds):
        self.now += round(seconds * SECOND)

    def change(self, pods=None, services=None):
        """A change of intent, in force for all frames that follow."""
        self.events.append((self.now, pods, services))
        self.now += SECOND // 1000

    def send(self, source, frame, outcome):
        """A frame of one of the interfaces, a millisecond after the last."""
        self.frames.append((self.now, source["port"], frame, outcome(frame)))
        self.now += SECOND // 1000

    def ip(self, source, dst, proto, payload, outcome, dst_mac=GATEWAY_MAC, tags=(), src=None,
           trailer=b"", **fields):
        """An IPv4 packet with the next identification."""
        self.ident += 1
        fields.setdefault("ident", self.ident & 0xFFFF)
        packet = ipv4(src or source["ip"], dst, proto, payload, **fields)
        self.send(source, ethernet(source["mac"], packet + trailer, dst=dst_mac, tags=tags),
                  outcome)

    def udp(self, source, sport, dst, dport, outcome, payload=b"hello", length=None, sum=None,
            **fields):
        src = fields.get("src") or source["ip"]
        self.ip(source, dst, UDP, udp(src, sport, dst, dport, payload, length, sum), outcome,
                **fields)

    def tcp(self, source, sport, dst, dport, outcome, flags=SYN, payload=b"", seq=1000, ack=0,
            options=b"", offset=None, sum=None, **fields):
        src = fields.get("src") or source["ip"]
        self.ip(source, dst, TCP, tcp(src, sport, dst, dport, flags, payload, seq, ack, options,
                                      offset, sum), outcome, **fields)

    def connection(self, server=WEB1, server_port=8080, **options):
        return Connection(self, server, server_port, **options)


class Connection:
    """A TCP connection through a Service, and what becomes of its packets."""

    def __init__(self, run, server, server_port, client=CLIENT, client_port=40000, vip=VIP,
                 vip_port=80):
        self.run, self.client, self.client_port = run, client, client_port
        self.server, self.server_port = server, server_port
        self.vip, self.vip_port = vip, vip_port
        self.client_seq, self.server_seq = 1000, 5000

    def advance(self, flags, payload):
        return len(payload) + (1 if flags & (SYN | FIN) else 0)

    def request(self, flags=ACK, payload=b"", outcome=None, **fields):
        """From the client."""
        self.run.tcp(self.client, self.client_port, self.vip, self.vip_port,
                     outcome or dnat(self.server, self.server_port), flags=flags, payload=payload,
                     seq=self.client_seq, ack=self.server_seq, **fields)
        self.client_seq += self.advance(flags, payload)

    def reply(self, flags=ACK, payload=b"", outcome=None, **fields):
        """From the endpoint."""
        self.run.tcp(self.server, self.server_port, self.client["ip"], self.client_port,
                     outcome or snat(self.vip, self.vip_port, self.client), flags=flags,
                     payload=payload, seq=self.server_seq, ack=self.client_seq, **fields)
        self.server_seq += self.advance(flags, payload)

    def untranslated_reply(self, flags=ACK, payload=b""):
        """What the endpoint sends once the pipeline knows nothing of the connection."""
        self.reply(flags, payload, routed(self.client))

    def open(self, **fields):
        self.request(SYN, **fields)
        self.reply(SYN | ACK, **fields)
        self.request(**fields)
        return self

    def exchange(self, text=b"x", **fields):
        self.request(PSH | ACK, b"request " + text, **fields)
        self.reply(PSH | ACK, b"answer " + text, **fields)
        return self

    def close(self, **fields):
        self.request(FIN | ACK, **fields)
        self.reply(FIN | ACK, **fields)
        self.request(**fields)

    def reset(self):
        self.request(RST | ACK)
        return self

    def refused(self, reason, flags=ACK, payload=b""):
        self.request(flags, payload, drop(reason))


def seconds(nanoseconds):
    whole, rest = divmod(nanoseconds, SECOND)
    return f"{whole}.{rest:09}".rstrip("0").rstrip(".")


def interface_text(p):
    return f'{{name: {p["name"]}, ip: {p["ip"]}, mac: "{p["mac"]}", port: {p["port"]}}}'


def pods_text(pods, indent=""):
    pods = [p for p in pods if p is not HOST and p is not GATEWAY]
    if not pods:
        return [f"{indent}pods: []"]
    return [f"{indent}pods:"] + [f"{indent}  - {interface_text(p)}" for p in pods]


def endpoint_text(endpoint):
    if len(endpoint) == 2:
        return f'"{endpoint[0]}:{endpoint[1]}"'
    return "{{address: {}, port: {}, weight: {}}}".format(*endpoint)


def services_text(services, indent=""):
    if not services:
        return [f"{indent}services: []"]
    lines = [f"{indent}services:"]
    for s in services:
        lines += [f"{indent}  - name: {s['name']}", f"{indent}    clusterIP: {s['clusterIP']}",
                  f"{indent}    ports:"]
        for p in s["ports"]:
            head = f"{indent}      - {{protocol: {p['protocol']}, port: {p['port']}, endpoints: ["
            text = [endpoint_text(e) for e in p["endpoints"]]
            if len(text) < 4:
                lines.append(head + ", ".join(text) + "]}")
                continue
            lines.append(head)
            lines += [f"{indent}          {e}," for e in text]
            lines.append(f"{indent}        ]}}")
    return lines


def state_text(run):
    lines = ["apiVersion: k8sdp/v1",
             f'gateway: {{ip: {GATEWAY["ip"]}, mac: "{GATEWAY["mac"]}", port: 0}}',
             f'host: {{ip: {HOST["ip"]}, mac: "{HOST["mac"]}", port: 1}}']
    lines += pods_text(run.pods) + services_text(run.services)
    if run.timers:
        lines.append("timers: {" + ", ".join(f"{k}: {v}" for k, v in run.timers.items()) + "}")
    if run.events:
        lines.append("events:")
        for at, pods, services in run.events:
            lines.append(f"  - at: {seconds(at)}")
            lines += pods_text(pods, "    ") if pods is not None else []
            lines += services_text(services, "    ") if services is not None else []
    return "\n".join(lines) + "\n"


def pcap(frames):
    """A nanosecond capture of (time, bytes)."""
    parts = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)]
    for time, data in frames:
        parts.append(struct.pack("<IIII", EPOCH + time // SECOND, time % SECOND, len(data),
                                 len(data)) + data)
    return b"".join(parts)


class Scenario:
    def __init__(self, rules, shows, must, pods, services, timers, play):
        self.rules, self.shows, self.must = rules, shows, must
        self.pods, self.services, self.timers = list(pods), list(services), timers or {}
        self.play = play

    def run(self):
        run = Run(self.pods, copy.deepcopy(self.services), self.timers)
        self.play(run)
        return run


SCENARIOS = {}


def scenario(name, rules, shows, must, pods=(CLIENT, WEB1), services=(), timers=None):
    """Registers a scenario: what it shows, and what must happen."""
    def register(function):
        assert name not in SCENARIOS
        SCENARIOS[name] = Scenario(rules, shows, must, pods, services, timers, function)
        return function
    return register
