#!/usr/bin/env python3
"""Drives infrap4d's P4Runtime with finsy and p4runtime-shell, clients of others.

    scripts/interop/p4runtime.py PROGRAM [--dataplane model|dpdk]

Starts PROGRAM in a folder of its own, with mutual TLS, pushes k8s_dp, writes, reads,
changes and deletes entries, and makes the mistakes that a server has to name. On dpdk also
the test pipeline border, to which they send packets that have to be counted by entry, and
of whose idle entries they have to be told. Each client gets an environment of its own in
.build, because they want different protobufs.
"""

import argparse
import os
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
# With what of their dependencies they leave open and a release can break.
CLIENTS = {
    "finsy": ["finsy==0.30.0", "grpcio==1.85.1", "protobuf==6.33.6"],
    "shell": ["p4runtime-shell==0.0.6", "grpcio==1.85.1", "googleapis-common-protos==1.73.0"],
}
P4INFO, BUNDLE = ROOT / "k8s_dp/p4Info.txt", ROOT / "k8s_dp/k8s_dp.pb.bin"
BORDER = ROOT / "Tests/TestPrograms"
CPU_PORT = 255
# Clients send packets only where P4Info has a header for them; this one is empty.
PACKET_OUT = 'controller_packet_metadata { preamble { id: 67121543 name: "packet_out" } }\n'


def environment(name):
    """The Python with a client installed."""
    folder = ROOT / ".build" / f"interop-{name}"
    stamp = folder / " ".join(CLIENTS[name])
    if not stamp.exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([folder / "bin/python", "-m", "pip", "install", "-q", *CLIENTS[name]],
                       check=True)
        stamp.touch()
    return folder / "bin/python"


def write_border(folder):
    """The files of border that a client pushes: its P4Info, and its bundle."""
    sys.path.insert(0, str(ROOT / "k8s_dp"))
    sys.dont_write_bytecode = True
    from pack import pack
    info, bundle = folder / "border.p4info.txt", folder / "border.pb.bin"
    info.write_text((BORDER / "border.p4info.txt").read_text() + PACKET_OUT)
    bundle.write_bytes(pack("border", (BORDER / "border.spec").read_bytes()))
    return info, bundle


def packet(destination):
    """An IPv4 packet of 100 bytes, as a frame."""
    header = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 100, 0, 0, 64, 253, 0, bytes([10, 0, 0, 1]),
        bytes(int(n) for n in destination.split(".")))
    return bytes.fromhex("020000000001020000000002") + b"\x08\x00" + header + bytes(80)


# MARK: finsy

def finsy_options(certs, info, bundle):
    import finsy as fy

    return fy.SwitchOptions(
        p4info=info, p4blob=bundle, fail_fast=True,
        channel_credentials=fy.GRPCCredentialsTLS(
            cacert=certs / "ca.crt", cert=certs / "client.crt", private_key=certs / "client.key"))


async def finsy_border(port, certs):
    import asyncio
    import finsy as fy

    options = finsy_options(certs, *write_border(certs.parent))
    async with fy.Switch("node", f"localhost:{port}", options) as switch:
        field = next(iter(switch.p4info.tables["hosts"].match_fields)).alias

        def host(address, **more):
            return fy.P4TableEntry(
                "hosts", match=fy.Match(**{field: address}),
                action=fy.Action("to_host", port=4, mac=7), **more)

        async def counts():
            return sorted([[e.packet_count, e.byte_count] async for e in
                           switch.read(fy.P4DirectCounterEntry("host_traffic"))])

        await switch.write([+host("10.0.0.8"), +host(
            "10.0.0.9", counter_data=fy.P4CounterData(packet_count=1000, byte_count=5))])
        await switch.write([fy.P4PacketOut(packet("10.0.0.9")) for _ in range(3)])
        while await counts() != [[0, 0], [1003, 305]]:
            await asyncio.sleep(0.05)
        await switch.write([~host("10.0.0.8", idle_timeout_ns=100_000_000)])
        told = 0
        async for notification in switch.read_idle_timeouts():
            addresses = [e.match[field] for e in notification.table_entry]
            assert [int(a) for a in addresses] == [0x0A000008], addresses
            told += 1
            if told == 2:
                break
        await switch.delete_all()
    print("finsy: read direct counters of packets that it sent, was told twice of an idle entry")


async def finsy_client(port, certs):
    import finsy as fy

    options = finsy_options(certs, P4INFO, BUNDLE)

    def route(address, port):
        return fy.P4TableEntry(
            "routes", match=fy.Match(**{field: address}),
            action=fy.Action("route_hop", **dict(zip(
                parameters, (port, 0x020000000206, 0x020000000001)))))

    async with fy.Switch("node", f"localhost:{port}", options) as switch:
        table = switch.p4info.tables["routes"]
        field = next(iter(table.match_fields)).alias
        parameters = [p.name for p in switch.p4info.actions["route_hop"].params]
        addresses = [f"10.244.1.{n}" for n in range(1, 101)]
        await switch.write([+route(a, 2) for a in addresses])
        rows = [e async for e in switch.read(fy.P4TableEntry("routes"))]
        assert len(rows) == 100, len(rows)
        await switch.write([~route(addresses[0], 3), -route(addresses[1], 2)])
        rows = {e[field]: e.action.args[parameters[0]] async for e in
                switch.read(fy.P4TableEntry("routes"))}
        assert len(rows) == 99 and sorted(rows.values())[-1] == 3, sorted(rows.values())[-3:]
        try:
            await switch.write([+route(addresses[0], 2), +route("10.244.2.1", 2)])
            raise AssertionError("a second INSERT of one entry was taken")
        except fy.P4ClientError as error:
            assert fy.GRPCStatusCode.ALREADY_EXISTS in [
                detail.canonical_code for detail in error.details.values()], error
        await switch.delete_all()
        rows = [e async for e in switch.read(fy.P4TableEntry("routes"))]
        assert not rows, rows
    print("finsy: pushed, wrote, read, changed and deleted 100 entries; a duplicate is named")


# MARK: p4runtime-shell

def shell_setup(port, certs, info, bundle):
    import p4runtime_sh.shell as sh
    from p4runtime_sh.p4runtime import SSLOptions

    sh.setup(
        device_id=1, grpc_addr=f"localhost:{port}", election_id=(0, 100),
        config=sh.FwdPipeConfig(str(info), str(bundle)),
        ssl_options=SSLOptions(False, str(certs / "ca.crt"), str(certs / "client.crt"),
                               str(certs / "client.key")), verbose=False)
    return sh


def shell_border(port, certs):
    import time

    sh = shell_setup(port, certs, *write_border(certs.parent))
    try:
        names = {t.preamble.alias: t for t in sh.context.p4info.tables}
        key = names["hosts"].match_fields[0].name
        action = next(a for a in sh.context.p4info.actions if a.preamble.alias == "to_host")

        def host(address):
            entry = sh.TableEntry(names["hosts"].preamble.name)(action=action.preamble.name)
            entry.match[key] = address
            entry.action["port"], entry.action["mac"] = "4", "02:00:00:00:00:07"
            return entry

        host("10.0.0.9").insert()
        for _ in range(3):
            sh.PacketOut(payload=packet("10.0.0.9")).send()
        direct = next(c for c in sh.context.p4info.direct_counters
                      if c.preamble.alias == "host_traffic")
        counter = sh.DirectCounterEntry(direct.preamble.name)
        while [(c.packet_count, c.byte_count) for c in counter.read()] != [(3, 300)]:
            time.sleep(0.05)
        idle = host("10.0.0.8")
        idle.idle_timeout_ns = 100_000_000
        idle.insert()
        message = sh.client.get_stream_packet("idle_timeout_notification", timeout=60)
        told = message.idle_timeout_notification.table_entry
        assert [e.match[0].exact.value for e in told] == [bytes([10, 0, 0, 8])], told

        network = sh.TableEntry(names["networks"].preamble.name)(action=next(
            a.preamble.name for a in sh.context.p4info.actions
            if a.preamble.alias == "to_network"))
        network.match[names["networks"].match_fields[0].name] = "10.1.0.0/16"
        network.action["port"] = "5"
        network.insert()
        rule = sh.TableEntry(names["acl"].preamble.name)(action=next(
            a.preamble.name for a in sh.context.p4info.actions if a.preamble.alias == "deny"))
        rule.match[names["acl"].match_fields[1].name] = "10.1.0.0&&&255.255.0.0"
        rule.priority = 10
        rule.insert()
        rows = [len(list(sh.TableEntry(names[n].preamble.name).read())) for n in ("networks", "acl")]
        assert rows == [1, 1], rows
    finally:
        sh.teardown()
    print("p4runtime-shell: read a direct counter of packets that it sent, was told of an idle "
          "entry, wrote a prefix and a mask")


def shell_client(port, certs):
    from p4runtime_sh.p4runtime import P4RuntimeWriteException

    sh = shell_setup(port, certs, P4INFO, BUNDLE)
    try:
        info = sh.context.p4info
        key = next(t for t in info.tables if t.preamble.alias == "routes").match_fields[0].name
        hop = next(a for a in info.actions if a.preamble.alias == "route_hop")

        def route(address, port):
            entry = sh.TableEntry("k8s_dp_control.routes")(action=hop.preamble.name)
            entry.match[key] = address
            for param, value in zip(hop.params, (
                    str(port), "02:00:00:00:02:06", "02:00:00:00:00:01")):
                entry.action[param.name] = value
            return entry

        for n in range(1, 21):
            route(f"10.244.1.{n}", 2).insert()
        assert len(list(sh.TableEntry("k8s_dp_control.routes").read())) == 20
        route("10.244.1.1", 3).modify()
        route("10.244.1.2", 2).delete()
        try:
            route("10.244.1.1", 2).insert()
            raise AssertionError("a second INSERT of one entry was taken")
        except P4RuntimeWriteException as error:
            assert "ALREADY_EXISTS" in str(error), error
        assert len(list(sh.TableEntry("k8s_dp_control.routes").read())) == 19
        counters = list(sh.CounterEntry("k8s_dp_control.drops").read()) if any(
            c.preamble.alias == "drops" for c in info.counters) else []
        sh.TableEntry("k8s_dp_control.routes").read(lambda entry: entry.delete())
        assert not list(sh.TableEntry("k8s_dp_control.routes").read())
    finally:
        sh.teardown()
    print("p4runtime-shell: pushed, wrote, read, changed and deleted entries, read "
          f"{len(counters)} counters; a duplicate is named")


# MARK: The server

def serve(program, dataplane, folder):
    process = subprocess.Popen(
        [program, "--dataplane", dataplane, "--listen", "127.0.0.1:0", "--cpu-port", str(CPU_PORT),
         "--metrics-address", "", "--state",
         f"{folder}/state", "--certs", f"{folder}/certs"], stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "listening" in line:
            # What comes later must not fill the pipe.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return process, int(line.split("127.0.0.1:")[1].split()[0])
    raise SystemExit("the server has ended")


def main():
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("program")
    options.add_argument("--dataplane", default="model")
    options.add_argument("--client", help=argparse.SUPPRESS)
    options.add_argument("--port", help=argparse.SUPPRESS)
    options.add_argument("--certs", type=pathlib.Path, help=argparse.SUPPRESS)
    options = options.parse_args()
    if options.client:
        import asyncio
        run = globals()[options.client](options.port, options.certs)
        return asyncio.run(run) if asyncio.iscoroutine(run) else run

    pipelines = ["client", "border"] if options.dataplane == "dpdk" else ["client"]
    pythons = {name: environment(name) for name in CLIENTS}
    for name, pipeline in [(name, pipeline) for name in CLIENTS for pipeline in pipelines]:
        python = pythons[name]
        # A fresh server each: the second client has no greater election id.
        with tempfile.TemporaryDirectory() as folder:
            process, port = serve(options.program, options.dataplane, folder)
            try:
                # p4runtime-shell's generated code is older than its protobuf.
                environ = dict(os.environ, PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION="python")
                subprocess.run([python, __file__, options.program, "--client",
                                f"{name}_{pipeline}", "--port", str(port), "--certs",
                                f"{folder}/certs"], check=True,
                               timeout=300, env=environ if name == "shell" else None)
            finally:
                process.send_signal(signal.SIGTERM)
                code = process.wait(timeout=60)
            if code != 0:
                raise SystemExit(f"the server ended with {code}")
    return None


if __name__ == "__main__":
    sys.exit(main())
