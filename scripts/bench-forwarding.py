#!/usr/bin/env python3
"""TCP, small packets and latency between two pods through a Service, live.

    sudo scripts/bench-forwarding.py [--rounds 3] [--seconds 4] [--subjects kernel,infrap4d-dpdk,…]

Two network namespaces talk through

    kernel           veth pairs, a router namespace, and the nftables rules with
                     which kube-proxy does DNAT
    infrap4d-model, infrap4d-dpdk
                     the whole server: ports by gNMI, entries by P4Runtime
    …-captured       the same while k8sdp capture -s 96 reads every frame
    model, dpdk      the forwarding thread with that dataplane, a TAP for each pod
    model-unbatched  the same with one frame a system call
    model-poll       the same without sleeping

in turns, so that all see the same machine. Prints the medians, and the ratio to
the kernel. Needs root and iproute2, nftables, iperf3, iputils-ping; `make bench-traffic`
builds what it measures.
"""
import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RELEASE = ROOT / ".build/release"
PROGRAM = RELEASE / "forwarding-bench"
PREFIX = f"fb{os.getpid() % 100000}"
GATEWAY_MAC = "02:00:00:00:00:01"
VIP, PORT, ENDPOINT_PORT = "10.96.0.80", 80, 8080
PODS = [("client", "10.244.0.6", "02:00:00:00:02:06", 2),
        ("server", "10.244.0.7", "02:00:00:00:02:07", 3)]
STATE = f"""apiVersion: k8sdp/v1
gateway: {{ip: 169.254.1.1, mac: "{GATEWAY_MAC}", port: 0}}
host: {{ip: 200.1.1.2, mac: "02:00:00:00:01:02", port: 1}}
pods:
""" + "".join(f'  - {{name: {n}, ip: {ip}, mac: "{mac}", port: {port}}}\n'
              for n, ip, mac, port in PODS) + f"""services:
  - name: web
    clusterIP: {VIP}
    ports:
      - {{protocol: TCP, port: {PORT}, endpoints: ["{PODS[1][1]}:{ENDPOINT_PORT}"]}}
      - {{protocol: UDP, port: {PORT}, endpoints: ["{PODS[1][1]}:{ENDPOINT_PORT}"]}}
"""
# As kube-proxy's nftables mode writes them for one Service with one endpoint.
RULES = f"""table ip kube-proxy {{
  chain tcp-endpoint {{
    meta l4proto tcp dnat to {PODS[1][1]}:{ENDPOINT_PORT}
  }}
  chain udp-endpoint {{
    meta l4proto udp dnat to {PODS[1][1]}:{ENDPOINT_PORT}
  }}
  chain tcp-web {{
    numgen random mod 1 vmap {{ 0 : goto tcp-endpoint }}
  }}
  chain udp-web {{
    numgen random mod 1 vmap {{ 0 : goto udp-endpoint }}
  }}
  map service-ips {{
    type ipv4_addr . inet_proto . inet_service : verdict
    elements = {{ {VIP} . tcp . {PORT} : goto tcp-web, {VIP} . udp . {PORT} : goto udp-web }}
  }}
  chain prerouting {{
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr . meta l4proto . th dport vmap @service-ips
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    meta mark & 0x4000 == 0x4000 masquerade
  }}
}}
"""


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60,
                          **options).stdout


class Node:
    """Two pods' namespaces, and what is between them; goes away with `close`."""

    def __init__(self, subject):
        self.namespaces, self.program, self.folder, self.capture = [], None, None, None
        try:
            if subject == "kernel":
                self.router()
            elif subject.startswith("infrap4d-"):
                self.server(*subject.removeprefix("infrap4d-").split("-"))
            else:
                self.forwarder(subject)
            for name, ip, mac, _ in PODS:
                ns = f"{PREFIX}-{name}"
                run("ip", "-n", ns, "addr", "add", f"{ip}/32", "dev", "eth0")
                run("ip", "-n", ns, "link", "set", "eth0", "address", mac, "up")
                run("ip", "-n", ns, "route", "add", "169.254.1.1/32", "dev", "eth0", "scope",
                    "link")
                run("ip", "-n", ns, "route", "add", "default", "via", "169.254.1.1")
                run("ip", "-n", ns, "neigh", "add", "169.254.1.1", "lladdr", GATEWAY_MAC, "dev",
                    "eth0", "nud", "permanent")
        except BaseException:
            self.close()
            raise

    def namespace(self, name):
        ns = f"{PREFIX}-{name}"
        run("ip", "netns", "add", ns)
        self.namespaces.append(ns)
        run("ip", "netns", "exec", ns, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
            "net.ipv6.conf.default.disable_ipv6=1")
        run("ip", "-n", ns, "link", "set", "lo", "up")
        return ns

    def router(self):
        router = self.namespace("router")
        run("ip", "netns", "exec", router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        for name, ip, mac, port in PODS:
            ns = self.namespace(name)
            run("ip", "-n", router, "link", "add", f"p{port}", "address", GATEWAY_MAC, "type",
                "veth", "peer", "name", "eth0", "netns", ns)
            run("ip", "-n", router, "link", "set", f"p{port}", "up")
            run("ip", "-n", router, "route", "add", f"{ip}/32", "dev", f"p{port}")
            run("ip", "-n", router, "neigh", "add", ip, "lladdr", mac, "dev", f"p{port}", "nud",
                "permanent")
        run("ip", "netns", "exec", router, "nft", "-f", "-", input=RULES)

    def forwarder(self, subject):
        dataplane, _, variant = subject.partition("-")
        state = tempfile.NamedTemporaryFile("w", suffix=".yaml")
        state.write(STATE)
        state.flush()
        command = [PROGRAM, "--dataplane", dataplane, "--state", state.name, "--prefix",
                   f"{PREFIX}-"] + ([f"--{variant}"] if variant else [])
        self.program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        line = self.program.stdout.readline()
        if not line.startswith("ready"):
            sys.exit(f"{subject}: the forwarder did not start")
        if variant == "" and "unbatched" in line:
            print(f"{subject}: io_uring is not permitted here", file=sys.stderr)
        self.pods()

    def server(self, dataplane, variant=None):
        self.folder = tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        (folder / "state.yaml").write_text(STATE)
        address = f"unix:{folder}/sock"
        with (folder / "log").open("w") as log:
            self.program = subprocess.Popen(
                [RELEASE / "infrap4d", "--dataplane", dataplane, "--listen", address, "--metrics-address",
                 "", "--state",
                 folder / "state", "--certs", folder / "certs"], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log, text=True)
        while "listening" not in (folder / "log").read_text():
            if self.program.poll() is not None:
                sys.exit((folder / "log").read_text())
            time.sleep(0.02)
        for port in range(max(port for *_, port in PODS) + 1):
            run(RELEASE / "gnmi-ctl", f"--grpc_addr={address}", "set",
                f"device:virtual-device,name:{PREFIX}-{port},mtu:1500,port-type:TAP")
        run(RELEASE / "k8sdp", "apply", folder / "state.yaml", "--to", f"infrap4d:{address}")
        self.pods()
        if variant == "captured":
            self.capture = subprocess.Popen(
                [RELEASE / "k8sdp", "capture", "-s", "96", "-w", "/dev/null", "--from",
                 f"infrap4d:{address}"], stderr=subprocess.PIPE, text=True)
            while "capturing on" not in self.capture.stderr.readline():
                if self.capture.poll() is not None:
                    sys.exit(f"{dataplane}: the capture did not start")

    def pods(self):
        for name, _, _, port in PODS:
            ns = self.namespace(name)
            run("ip", "link", "set", f"{PREFIX}-{port}", "netns", ns, "name", "eth0")

    def exec(self, pod, *command):
        return run("ip", "netns", "exec", f"{PREFIX}-{pod}", *command)

    def close(self):
        if self.capture:
            self.capture.send_signal(signal.SIGINT)
            print(self.capture.stderr.read().strip(), file=sys.stderr)
            self.capture.wait(timeout=20)
        if self.program:
            self.program.stdin.close()
            if self.folder:
                self.program.terminate()
            self.counters = self.program.stdout.read()
            self.program.wait(timeout=20)
        for ns in self.namespaces:
            subprocess.run(["ip", "netns", "del", ns], timeout=20)


def iperf(node, *arguments):
    server = subprocess.Popen(
        ["ip", "netns", "exec", f"{PREFIX}-server", "iperf3", "-s", "-1", "--forceflush", "-p",
         str(ENDPOINT_PORT)], stdout=subprocess.PIPE, text=True)
    try:
        while "listening" not in server.stdout.readline():
            pass
        return json.loads(node.exec("client", "iperf3", "-J", "-c", VIP, "-p", str(PORT),
                                    *arguments))["end"]
    finally:
        server.terminate()
        server.wait(timeout=10)


def measure(subject, seconds):
    node = Node(subject)
    try:
        tcp = iperf(node, "-t", str(seconds))
        udp = iperf(node, "-u", "-b", "0", "-l", "18", "-t", str(seconds))["sum"]
        received = udp["packets"] - udp["lost_packets"]
        idle = node.exec("client", "ping", "-q", "-i", "0.01", "-c", "200", PODS[1][1])
        flood = node.exec("client", "ping", "-q", "-f", "-c", "20000", PODS[1][1])
        rtt = [re.search(r"= [\d.]+/([\d.]+)/", text) for text in (idle, flood)]
        return {
            "TCP Gbit/s": tcp["sum_received"]["bits_per_second"] / 1e9,
            "small packets k/s": received / udp["seconds"] / 1e3,
            "RTT idle us": float(rtt[0][1]) * 1000,
            "RTT busy us": float(rtt[1][1]) * 1000,
        }
    finally:
        node.close()


def main():
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=int, default=4)
    options.add_argument("--subjects", default="kernel,infrap4d-model,infrap4d-dpdk,infrap4d-dpdk-captured")
    options.add_argument("--json", action="store_true")
    options = options.parse_args()
    subjects = options.subjects.split(",")
    if os.geteuid() != 0 or not PROGRAM.exists():
        sys.exit(f"needs root and {PROGRAM}; build it with "
                 "make bench-traffic")
    results = {subject: [] for subject in subjects}
    for _ in range(options.rounds):
        for subject in subjects:
            results[subject].append(measure(subject, options.seconds))
    medians = {subject: {key: statistics.median(one[key] for one in runs) for key in runs[0]}
               for subject, runs in results.items()}
    if options.json:
        print(json.dumps({"medians": medians, "runs": results}, indent=2))
        return
    keys = list(next(iter(medians.values())))
    print(f"{'':24}" + "".join(f"{key:>20}" for key in keys))
    for subject, values in medians.items():
        row = f"{subject:24}"
        for key in keys:
            ratio = f" ({values[key] / medians['kernel'][key]:.2f})" if "kernel" in medians else ""
            row += f"{values[key]:.1f}{ratio}".rjust(20)
        print(row)


main()
