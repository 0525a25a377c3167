#!/usr/bin/env python3
"""Captures fixtures: real programs in network namespaces.

    sudo scripts/capture-fixtures.py [--only NAME] [--list] [--into Fixtures]

Every scenario builds a node of its own: a router namespace with one veth a pod,
the kernel's conntrack and nftables doing the DNAT of the Services, and pods
that really ARP for 169.254.1.1. On the router's end of each veth is captured

    in-port-N.pcap      what the pod sent: the input of the pipeline
    kernel-port-N.pcap  what the kernel sent to the pod: an oracle for the output

Offloads are off, so that checksums are whole and segments are what the wire
would carry. Needs root and iproute2, nftables, ethtool, tcpdump, curl, dnsutils,
dnsmasq-base, iperf3, traceroute, iputils-ping, socat, python3.
"""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GATEWAY_MAC = "02:00:00:00:00:01"
HOST = {"name": "host", "ip": "200.1.1.2", "mac": "02:00:00:00:01:02", "port": 1}
VIP = "10.96.0.80"
PREFIX = f"k8sdp{os.getpid()}"


def pod(name, n):
    return {"name": name, "ip": f"10.244.0.{n}", "mac": f"02:00:00:00:02:{n:02x}", "port": n - 4}


CLIENT, WEB1, WEB2 = pod("client", 6), pod("web-1", 7), pod("web-2", 8)


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


class Node:
    """A router namespace and its pods; everything goes away with it."""

    def __init__(self, pods, services, mtu=1500):
        self.pods, self.services, self.started = pods, services, []
        self.router = f"{PREFIX}-r"
        self.folder = Path(tempfile.mkdtemp())
        self.namespaces = []
        try:
            self.build(mtu)
        except BaseException:
            self.close()
            raise

    def namespace(self, pod):
        return f"{PREFIX}-{pod['name']}"

    def add_namespace(self, name):
        run("ip", "netns", "add", name)
        self.namespaces.append(name)
        for key in ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1",
                    "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0",
                    "net.ipv4.conf.all.send_redirects=0",
                    "net.ipv4.conf.default.send_redirects=0"):
            run("ip", "netns", "exec", name, "sysctl", "-qw", key)
        run("ip", "-n", name, "link", "set", "lo", "up")

    def build(self, mtu):
        self.add_namespace(self.router)
        run("ip", "netns", "exec", self.router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        for p in self.pods:
            ns, veth = self.namespace(p), f"p{p['port']}"
            self.add_namespace(ns)
            run("ip", "-n", self.router, "link", "add", veth, "address", GATEWAY_MAC, "mtu",
                str(mtu), "type", "veth", "peer", "name", "eth0", "address", p["mac"], "mtu",
                str(mtu), "netns", ns)
            for where, dev in ((self.router, veth), (ns, "eth0")):
                run("ip", "netns", "exec", where, "ethtool", "-K", dev, "tx", "off", "rx", "off",
                    "tso", "off", "gso", "off", "gro", "off")
            run("ip", "-n", self.router, "addr", "add", "169.254.1.1/32", "dev", veth)
            run("ip", "-n", self.router, "link", "set", veth, "up")
            run("ip", "-n", self.router, "route", "add", f"{p['ip']}/32", "dev", veth)
            run("ip", "-n", ns, "addr", "add", f"{p['ip']}/32", "dev", "eth0")
            run("ip", "-n", ns, "link", "set", "eth0", "up")
            run("ip", "-n", ns, "route", "add", "169.254.1.1/32", "dev", "eth0", "scope", "link")
            run("ip", "-n", ns, "route", "add", "default", "via", "169.254.1.1")
        rules = []
        for s in self.services:
            for port in s["ports"]:
                proto, endpoints = port["protocol"].lower(), port["endpoints"]
                match = f"ip daddr {s['clusterIP']} {proto} dport {port['port']}"
                if len(endpoints) == 1:
                    rules.append(f"{match} dnat to {endpoints[0]}")
        if rules:
            text = ("table ip nat {\nchain prerouting {\ntype nat hook prerouting priority dstnat;\n"
                    + "\n".join(rules) + "\n}\n}\n")
            run("ip", "netns", "exec", self.router, "nft", "-f", "-", input=text)

    def capture(self):
        for p in self.pods:
            for direction, name in (("in", "in"), ("out", "kernel")):
                path = self.folder / f"{name}-port-{p['port']}.pcap"
                process = subprocess.Popen(
                    ["ip", "netns", "exec", self.router, "tcpdump", "-i", f"p{p['port']}", "-Q",
                     direction, "-s", "0", "--nano", "--immediate-mode", "-U", "-Z", "root", "-w",
                     str(path)], stderr=subprocess.PIPE, text=True)
                self.started.append(process)
                for line in process.stderr:
                    if "listening on" in line:
                        break

    def exec(self, p, *command, check=True, **options):
        if "input" not in options:
            options["stdin"] = subprocess.DEVNULL
        options.setdefault("timeout", 60)
        return subprocess.run(["ip", "netns", "exec", self.namespace(p), *command], check=check,
                              capture_output=True, **options)

    def serve(self, p, *command, ready=None):
        process = subprocess.Popen(["ip", "netns", "exec", self.namespace(p), *command],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.started.insert(0, process)
        if ready:
            flag, port = ready
            for _ in range(200):
                if f":{port} " in self.exec(p, "ss", "-Hln", flag).stdout.decode():
                    return process
                time.sleep(0.02)
            raise RuntimeError(f"{command[0]} does not listen on {port}")
        return process

    def stop(self):
        """Ends the captures once the kernel has handed over what it has."""
        last, quiet = -1, 0
        while quiet < 3:
            size = sum(f.stat().st_size for f in self.folder.glob("*.pcap"))
            quiet = quiet + 1 if size == last else 0
            last = size
            time.sleep(0.1)
        for process in self.started:
            process.terminate()
        for process in self.started:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.started = []

    def close(self):
        for process in self.started:
            process.kill()
            process.wait()
        for name in self.namespaces:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


def service(name, ports, ip=VIP):
    return {"name": name, "clusterIP": ip, "ports": ports}


def port(protocol, number, *endpoints):
    return {"protocol": protocol, "port": number, "endpoints": list(endpoints)}


def state(pods, services):
    lines = ["apiVersion: k8sdp/v1",
             f'gateway: {{ip: 169.254.1.1, mac: "{GATEWAY_MAC}", port: 0}}',
             f'host: {{ip: {HOST["ip"]}, mac: "{HOST["mac"]}", port: 1}}', "pods:"]
    pods = [p for p in pods if p is not HOST]
    if not pods:
        lines[-1] += " []"
    for p in pods:
        lines.append(f'  - {{name: {p["name"]}, ip: {p["ip"]}, mac: "{p["mac"]}", '
                     f'port: {p["port"]}}}')
    lines.append("services:" if services else "services: []")
    for s in services:
        lines += [f"  - name: {s['name']}", f"    clusterIP: {s['clusterIP']}", "    ports:"]
        for p in s["ports"]:
            endpoints = ", ".join(f'"{e}"' for e in p["endpoints"])
            lines.append(f"      - {{protocol: {p['protocol']}, port: {p['port']}, "
                         f"endpoints: [{endpoints}]}}")
    return "\n".join(lines) + "\n"


SCENARIOS = {}


def scenario(name, rule, text, pods=(CLIENT, WEB1), services=(), kernel=True, mtu=1500):
    """Registers a scenario; `kernel` keeps the kernel's output as an oracle."""
    def register(function):
        SCENARIOS[name] = (rule, text, list(pods), list(services), kernel, mtu, function)
        return function
    return register


WEB = service("web", [port("TCP", 80, "10.244.0.7:8080")])
BIG = "x" * 6000


def web_server(node, p, number=8080):
    folder = node.folder / "www"
    folder.mkdir(exist_ok=True)
    (folder / "index.html").write_text("hello from a pod\n")
    (folder / "big").write_text(BIG * 4)
    node.serve(p, "python3", "-m", "http.server", str(number), "--directory", str(folder),
               ready=("-t", number))


@scenario("curl-service", "R4 R5 R7", "curl fetches a page from a web server through a Service.",
          services=[WEB])
def curl_service(node):
    web_server(node, WEB1)
    node.capture()
    assert b"hello" in node.exec(CLIENT, "curl", "-sS", f"http://{VIP}/").stdout


@scenario("curl-large", "R4 R5", "curl fetches 24 kB through a Service: full segments, many ACKs.",
          services=[WEB])
def curl_large(node):
    web_server(node, WEB1)
    node.capture()
    assert len(node.exec(CLIENT, "curl", "-sS", f"http://{VIP}/big").stdout) == len(BIG) * 4


@scenario("curl-direct", "R1", "curl fetches a page from a pod by its own address.")
def curl_direct(node):
    web_server(node, WEB1)
    node.capture()
    node.exec(CLIENT, "curl", "-sS", "http://10.244.0.7:8080/")


@scenario("curl-keepalive", "R5", "Three requests over one connection through a Service.",
          services=[WEB])
def curl_keepalive(node):
    web_server(node, WEB1)
    node.capture()
    node.exec(CLIENT, "curl", "-sS", f"http://{VIP}/", f"http://{VIP}/big", f"http://{VIP}/")


@scenario("shared-endpoint", "R7", "Two Services share one endpoint; replies bear the right one.",
          services=[WEB, service("web-alias", [port("TCP", 8000, "10.244.0.7:8080")],
                                 "10.96.0.81")])
def shared_endpoint(node):
    web_server(node, WEB1)
    node.capture()
    node.exec(CLIENT, "curl", "-sS", f"http://{VIP}/")
    node.exec(CLIENT, "curl", "-sS", "http://10.96.0.81:8000/")


@scenario("two-ports", "R4", "One Service with two ports on two pods.", pods=(CLIENT, WEB1, WEB2),
          services=[service("web", [port("TCP", 80, "10.244.0.7:8080"),
                                    port("TCP", 81, "10.244.0.8:8081")])])
def two_ports(node):
    web_server(node, WEB1)
    web_server(node, WEB2, 8081)
    node.capture()
    node.exec(CLIENT, "curl", "-sS", f"http://{VIP}/", f"http://{VIP}:81/")


@scenario("two-clients", "R4 R7", "Two clients use one Service at the same time.",
          pods=(CLIENT, WEB1, WEB2), services=[WEB])
def two_clients(node):
    web_server(node, WEB1)
    node.capture()
    node.exec(CLIENT, "curl", "-sS", f"http://{VIP}/")
    node.exec(WEB2, "curl", "-sS", f"http://{VIP}/")


@scenario("tcp-ecn", "R4", "TCP with ECN: the SYN carries ECE and CWR.", services=[WEB])
def tcp_ecn(node):
    for p in (CLIENT, WEB1):
        node.exec(p, "sysctl", "-qw", "net.ipv4.tcp_ecn=1")
    web_server(node, WEB1)
    node.capture()
    node.exec(CLIENT, "curl", "-sS", f"http://{VIP}/big")


@scenario("tcp-refused", "R6", "The endpoint refuses the connection: SYN, RST.", services=[WEB])
def tcp_refused(node):
    node.capture()
    assert node.exec(CLIENT, "curl", "-sS", f"http://{VIP}/", check=False).returncode == 7


CONNECT = """
import socket, struct, time
s = socket.create_connection(("10.96.0.80", 80))
"""


@scenario("tcp-abort", "R6", "The client aborts with RST (SO_LINGER 0) after a request.",
          services=[WEB])
def tcp_abort(node):
    web_server(node, WEB1)
    node.capture()
    node.exec(CLIENT, "python3", "-c", CONNECT + """
s.send(b"GET / HTTP/1.0\\r\\n")
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()
""")


@scenario("tcp-half-close", "R6", "The client closes its half first, the server answers after it.",
          services=[WEB])
def tcp_half_close(node):
    node.serve(WEB1, "socat", "TCP-LISTEN:8080,fork,reuseaddr", "SYSTEM:cat; echo done",
               ready=("-t", 8080))
    node.capture()
    node.exec(CLIENT, "python3", "-c", CONNECT + """
s.send(b"ping")
s.shutdown(socket.SHUT_WR)
while s.recv(100): pass
""")


@scenario("tcp-port-reuse", "R5 R6", "A second connection from the ports of an aborted one.",
          services=[WEB])
def tcp_port_reuse(node):
    web_server(node, WEB1)
    node.capture()
    node.exec(CLIENT, "python3", "-c", """
import socket, struct
for _ in range(2):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("10.244.0.6", 45678))
    s.connect(("10.96.0.80", 80))
    s.send(b"GET / HTTP/1.0\\r\\n\\r\\n")
    while s.recv(1000): pass
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
""")


@scenario("tcp-keepalive", "R5", "Keep-alive probes on an idle connection.", services=[WEB])
def tcp_keepalive(node):
    web_server(node, WEB1)
    node.capture()
    node.exec(CLIENT, "python3", "-c", CONNECT + """
s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
time.sleep(3.5)
s.send(b"GET / HTTP/1.0\\r\\n\\r\\n")
while s.recv(1000): pass
""")


@scenario("tcp-silence", "R5 R6", "A connection is silent for 75 seconds, longer than a handshake may take.",
          services=[WEB])
def tcp_silence(node):
    web_server(node, WEB1)
    node.capture()
    node.exec(CLIENT, "python3", "-c", CONNECT + """
s.send(b"GET / HTTP/1.0\\r\\n")
time.sleep(75)
s.send(b"\\r\\n")
while s.recv(1000): pass
""", timeout=120)


@scenario("tcp-loss", "R4 R5", "Every fifth packet of the client is lost and sent again.",
          services=[WEB])
def tcp_loss(node):
    run("ip", "netns", "exec", node.namespace(CLIENT), "nft", "-f", "-", input="""
table ip loss { chain output {
type filter hook output priority 0
ip protocol tcp numgen inc mod 5 offset 1 == 1 drop
}
}
""")
    web_server(node, WEB1)
    node.capture()
    node.exec(CLIENT, "curl", "-sS", f"http://{VIP}/big")


@scenario("ip-options", "R10", "TCP through a Service with the record-route option in every packet.",
          services=[WEB])
def ip_options(node):
    web_server(node, WEB1)
    node.capture()
    node.exec(CLIENT, "python3", "-c", """
import socket
s = socket.socket()
s.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes([1, 1, 1, 1]))
s.connect(("10.96.0.80", 80))
s.send(b"GET / HTTP/1.0\\r\\n\\r\\n")
while s.recv(1000): pass
""")


DNS = service("dns", [port("UDP", 53, "10.244.0.7:53"), port("TCP", 53, "10.244.0.7:53")],
              "10.96.0.10")


def dns_server(node, p):
    records = [f"--txt-record=big.test,{'y' * 250}"] * 8
    node.serve(p, "dnsmasq", "--no-daemon", "--no-resolv", "--no-hosts", "--port=53",
               "--address=/web.test/10.96.0.80", "--bind-interfaces", "--listen-address=10.244.0.7",
               "--user=root", "--pid-file=", "--edns-packet-max=4096", *records, ready=("-u", 53))


@scenario("dns-udp", "R4 R7", "dig asks a DNS server through a UDP Service.", services=[DNS])
def dns_udp(node):
    dns_server(node, WEB1)
    node.capture()
    assert b"10.96.0.80" in node.exec(CLIENT, "dig", "+short", "+tries=1", "@10.96.0.10",
                                      "web.test").stdout


@scenario("dns-tcp", "R4", "dig over TCP to a port that the Service has for UDP as well.",
          services=[DNS])
def dns_tcp(node):
    dns_server(node, WEB1)
    node.capture()
    node.exec(CLIENT, "dig", "+tcp", "+short", "@10.96.0.10", "web.test")


@scenario("dns-fragments", "R11", "A DNS answer larger than the MTU: its fragments are translated.",
          services=[DNS])
def dns_fragments(node):
    dns_server(node, WEB1)
    node.capture()
    node.exec(CLIENT, "dig", "+bufsize=4096", "+ignore", "+tries=1", "@10.96.0.10", "TXT",
              "big.test")


@scenario("dns-many", "R4", "Twenty queries from twenty ports.", services=[DNS])
def dns_many(node):
    dns_server(node, WEB1)
    node.capture()
    for i in range(20):
        node.exec(CLIENT, "dig", "+short", "+tries=1", "@10.96.0.10", f"a{i}.web.test")


UDP = service("echo", [port("UDP", 7000, "10.244.0.7:7000")])


def udp_client(script):
    return ["python3", "-c", """
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
a = ("10.96.0.80", 7000)
""" + script]


def udp_echo(node, p, options=""):
    node.serve(p, "python3", "-c", f"""
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
{options}
s.bind(("", 7000))
while True:
    d, a = s.recvfrom(65535)
    s.sendto(d, a)
""", ready=("-u", 7000))


@scenario("udp-echo", "R4 R6 R7", "UDP to and fro: unreplied, then a stream.", services=[UDP])
def udp_echo_scenario(node):
    udp_echo(node, WEB1)
    node.capture()
    node.exec(CLIENT, *udp_client("for i in range(5): s.sendto(b'%d' % i, a); s.recv(100)"))


@scenario("udp-no-checksum", "R12", "UDP without a checksum (SO_NO_CHECK) in both directions.",
          services=[UDP])
def udp_no_checksum(node):
    udp_echo(node, WEB1, "s.setsockopt(socket.SOL_SOCKET, 11, 1)")
    node.capture()
    node.exec(CLIENT, *udp_client(
        "s.setsockopt(socket.SOL_SOCKET, 11, 1)\n"
        "for i in range(3): s.sendto(b'no sum', a); s.recv(100)"))


@scenario("udp-fragments", "R11", "4,000-byte datagrams to a Service and back, in fragments.",
          services=[UDP])
def udp_fragments(node):
    udp_echo(node, WEB1)
    node.capture()
    node.exec(CLIENT, *udp_client(
        "for i in range(3): s.sendto(bytes([i]) * 4000, a); s.recv(9000)"))


@scenario("udp-fragments-direct", "R11", "4,000-byte datagrams between two pods, no Service.")
def udp_fragments_direct(node):
    udp_echo(node, WEB1)
    node.capture()
    node.exec(CLIENT, *udp_client(
        "a = ('10.244.0.7', 7000)\ns.sendto(b'z' * 4000, a); s.recv(9000)"))


@scenario("udp-empty", "R4", "Datagrams without payload.", services=[UDP])
def udp_empty(node):
    udp_echo(node, WEB1)
    node.capture()
    node.exec(CLIENT, *udp_client("s.sendto(b'', a); s.recv(100)"))


@scenario("udp-closed-port", "R4", "Nobody listens: the endpoint answers with an ICMP error.",
          services=[UDP], kernel=False)
def udp_closed_port(node):
    node.capture()
    node.exec(CLIENT, *udp_client("s.sendto(b'anyone?', a); time.sleep(0.3)"))


IPERF = service("iperf", [port("TCP", 5201, "10.244.0.7:5201"),
                          port("UDP", 5201, "10.244.0.7:5201")])


@scenario("iperf3-tcp", "R4 R5", "iperf3 sends 30 kB of TCP through a Service.", services=[IPERF])
def iperf3_tcp(node):
    node.serve(WEB1, "iperf3", "-s", ready=("-t", 5201))
    node.capture()
    node.exec(CLIENT, "iperf3", "-c", VIP, "-l", "4K", "-n", "30K")


@scenario("iperf3-udp", "R4 R5", "iperf3 sends 30 kB of UDP through a Service.", services=[IPERF])
def iperf3_udp(node):
    node.serve(WEB1, "iperf3", "-s", ready=("-t", 5201))
    node.capture()
    node.exec(CLIENT, "iperf3", "-c", VIP, "-u", "-n", "30K", "-b", "5M", "-l", "1400")


@scenario("iperf3-reverse", "R5 R7", "iperf3 receives 30 kB of TCP through a Service.",
          services=[IPERF])
def iperf3_reverse(node):
    node.serve(WEB1, "iperf3", "-s", ready=("-t", 5201))
    node.capture()
    node.exec(CLIENT, "iperf3", "-c", VIP, "-R", "-l", "4K", "-n", "30K")


@scenario("ping-pod", "R1", "ping from pod to pod.")
def ping_pod(node):
    node.capture()
    node.exec(CLIENT, "ping", "-c", "3", "-i", "0.2", "10.244.0.7")


@scenario("ping-large", "R11", "ping with 3,000 bytes: ICMP in fragments.")
def ping_large(node):
    node.capture()
    node.exec(CLIENT, "ping", "-c", "2", "-i", "0.2", "-s", "3000", "10.244.0.7")


@scenario("ping-vip", "R4", "ping to the address of a Service: dropped, it has no such port.",
          services=[WEB], kernel=False)
def ping_vip(node):
    node.capture()
    node.exec(CLIENT, "ping", "-c", "2", "-i", "0.2", "-W", "1", VIP, check=False)


@scenario("ping-options", "R10", "ping with the record-route option: a 60-byte IP header.",
          kernel=False)
def ping_options(node):
    node.capture()
    node.exec(CLIENT, "ping", "-c", "2", "-i", "0.2", "-R", "10.244.0.7")


@scenario("ping-host", "R1 R2", "ping between a pod and the host.", pods=(CLIENT, HOST))
def ping_host(node):
    node.capture()
    node.exec(CLIENT, "ping", "-c", "2", "-i", "0.2", "200.1.1.2")
    node.exec(HOST, "ping", "-c", "2", "-i", "0.2", "10.244.0.6")


@scenario("ping-unknown", "R2", "ping to an address nobody has: to the host, unmodified.",
          pods=(CLIENT, HOST), kernel=False)
def ping_unknown(node):
    node.capture()
    node.exec(CLIENT, "ping", "-c", "2", "-i", "0.2", "-W", "1", "192.0.2.9", check=False)


@scenario("ping-broadcast", "R14", "ping to the broadcast address: dropped.", kernel=False)
def ping_broadcast(node):
    node.capture()
    node.exec(CLIENT, "ip", "route", "add", "broadcast", "10.244.0.255", "dev", "eth0")
    node.exec(CLIENT, "ping", "-b", "-c", "2", "-i", "0.2", "-W", "1", "10.244.0.255",
              check=False)


@scenario("multicast", "R14", "A multicast datagram: dropped.", kernel=False)
def multicast(node):
    node.exec(CLIENT, "ip", "route", "add", "224.0.0.0/4", "dev", "eth0")
    node.capture()
    node.exec(CLIENT, *udp_client("s.sendto(b'mdns', ('224.0.0.251', 5353)); time.sleep(0.1)"))


@scenario("traceroute-udp", "R1", "traceroute with UDP: probes of TTL 1 are dropped.", kernel=False)
def traceroute_udp(node):
    node.capture()
    node.exec(CLIENT, "traceroute", "-n", "-q", "1", "-w", "1", "-m", "3", "10.244.0.7")


@scenario("traceroute-icmp", "R1", "traceroute with ICMP echo.", kernel=False)
def traceroute_icmp(node):
    node.capture()
    node.exec(CLIENT, "traceroute", "-n", "-I", "-q", "1", "-w", "1", "-m", "3", "10.244.0.7")


@scenario("traceroute-tcp", "R1 R4", "traceroute with TCP SYN to a Service.", services=[WEB],
          kernel=False)
def traceroute_tcp(node):
    web_server(node, WEB1)
    node.capture()
    node.exec(CLIENT, "traceroute", "-n", "-T", "-p", "80", "-q", "1", "-w", "1", "-m", "3", VIP)


@scenario("arp", "R3", "arping asks for the gateway; the pod answers the node's request.",
          kernel=False)
def arp(node):
    node.capture()
    node.exec(CLIENT, "ip", "neigh", "flush", "dev", "eth0")
    node.exec(CLIENT, "ping", "-c", "1", "10.244.0.7")
    node.exec(CLIENT, "ip", "neigh", "flush", "dev", "eth0")
    node.exec(CLIENT, "ping", "-c", "1", "-W", "1", "169.254.1.1", check=False)


@scenario("jumbo", "R1", "1,700-byte segments on an MTU of 1,700.", services=[WEB], mtu=1700)
def jumbo(node):
    web_server(node, WEB1)
    node.capture()
    node.exec(CLIENT, "curl", "-sS", f"http://{VIP}/big")


@scenario("sctp", "R1", "A raw SCTP packet between pods: routed, not translated.", kernel=False)
def sctp(node):
    node.capture()
    node.exec(CLIENT, "python3", "-c", """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 132)
s.sendto(bytes([0x30, 0x39, 0, 80]) + bytes(8), ("10.244.0.7", 0))
""")


def take(name, into):
    rule, text, pods, services, kernel, mtu, function = SCENARIOS[name]
    node = Node(pods, services, mtu)
    try:
        function(node)
        node.stop()
        folder = into / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "state.yaml").write_text(state(pods, services))
        (folder / "README.md").write_text(f"{text}\nRules {rule}; captured from real programs.\n")
        for file in sorted(node.folder.glob("*.pcap")):
            if file.stat().st_size > 24 and (kernel or file.name.startswith("in-")):
                shutil.copy(file, folder / file.name)
        print(f"{name}: {sum(f.stat().st_size for f in folder.glob('*.pcap'))} bytes", flush=True)
    finally:
        node.close()
        shutil.rmtree(node.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="NAME", action="append", choices=sorted(SCENARIOS))
    parser.add_argument("--list", action="store_true", help="list the scenarios")
    parser.add_argument("--into", type=Path, default=Path(__file__).parent.parent / "Fixtures")
    options = parser.parse_args()
    if options.list:
        for name, (rule, text, *_) in SCENARIOS.items():
            print(f"{name:24}{rule:12}{text}")
        return
    if os.geteuid() != 0:
        sys.exit("capture-fixtures.py: needs root for network namespaces; run it with sudo")
    # A thread of a test runner may have started this with signals blocked, and
    # tcpdump would inherit that.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for name in options.only or SCENARIOS:
        take(name, options.into)


if __name__ == "__main__":
    main()
