#!/usr/bin/env python3
"""Drives infrap4d's P4Runtime with finsy and p4runtime-shell, clients of others.

    scripts/interop/p4runtime.py PROGRAM [--dataplane model|dpdk]

Starts PROGRAM in a folder of its own, with mutual TLS, pushes k8s_dp, writes, reads,
changes and deletes entries, and makes the mistakes that a server has to name. Each client
gets an environment of its own in .build, because they want different protobufs.
"""

import argparse
import os
import pathlib
import signal
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


# MARK: finsy

async def finsy_client(port, certs):
    import finsy as fy

    options = fy.SwitchOptions(
        p4info=P4INFO, p4blob=BUNDLE, fail_fast=True,
        channel_credentials=fy.GRPCCredentialsTLS(
            cacert=certs / "ca.crt", cert=certs / "client.crt", private_key=certs / "client.key"))

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

def shell_client(port, certs):
    import p4runtime_sh.shell as sh
    from p4runtime_sh.p4runtime import P4RuntimeWriteException, SSLOptions

    sh.setup(
        device_id=1, grpc_addr=f"localhost:{port}", election_id=(0, 100),
        config=sh.FwdPipeConfig(str(P4INFO), str(BUNDLE)),
        ssl_options=SSLOptions(False, str(certs / "ca.crt"), str(certs / "client.crt"),
                               str(certs / "client.key")), verbose=False)
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
        [program, "--dataplane", dataplane, "--listen", "127.0.0.1:0",
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
    if options.client == "finsy":
        import asyncio
        return asyncio.run(finsy_client(options.port, options.certs))
    if options.client == "shell":
        return shell_client(options.port, options.certs)

    pythons = {name: environment(name) for name in CLIENTS}
    for name, python in pythons.items():
        # A fresh server each: the second client has no greater election id.
        with tempfile.TemporaryDirectory() as folder:
            process, port = serve(options.program, options.dataplane, folder)
            try:
                # p4runtime-shell's generated code is older than its protobuf.
                environ = dict(os.environ, PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION="python")
                subprocess.run([python, __file__, options.program, "--client", name, "--port",
                                str(port), "--certs", f"{folder}/certs"], check=True,
                               timeout=300, env=environ if name == "shell" else None)
            finally:
                process.send_signal(signal.SIGTERM)
                code = process.wait(timeout=60)
            if code != 0:
                raise SystemExit(f"the server ended with {code}")
    return None


if __name__ == "__main__":
    sys.exit(main())
