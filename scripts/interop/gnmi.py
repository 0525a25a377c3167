#!/usr/bin/env python3
"""Drives infrap4d's gNMI with pygnmi, a client of others.

    scripts/interop/gnmi.py PROGRAM

Starts PROGRAM in a folder of its own, with mutual TLS, and creates, reads, watches and
deletes ports. Needs root, for TAP interfaces. Installs pygnmi in .build/interop.
"""

import os
import pathlib
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import venv

PYGNMI = "pygnmi==0.8.15"
FOLDER = pathlib.Path(__file__).resolve().parents[2] / ".build" / "interop"


def enter_environment():
    """Runs this script again with pygnmi installed."""
    python = FOLDER / "bin" / "python"
    stamp = FOLDER / PYGNMI
    if not stamp.exists():
        venv.create(FOLDER, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", PYGNMI], check=True)
        stamp.touch()
    if pathlib.Path(sys.prefix) != FOLDER:
        os.execv(python, [str(python), *sys.argv])


class Server:
    """An infrap4d on a free port."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [self.program, "--dataplane", "model", "--listen", "127.0.0.1:0", "--metrics-address", "",
             "--state", f"{self.folder}/state", "--certs", f"{self.folder}/certs"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "listening" in line:
                self.port = int(line.split("127.0.0.1:")[1].split()[0])
                # What comes later must not fill the pipe.
                threading.Thread(target=self.process.stderr.read, daemon=True).start()
                return
        raise SystemExit("the server has ended")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        # A TAP outlives its server; there is one left only when something failed.
        subprocess.run(["ip", "link", "del", interface()], stderr=subprocess.DEVNULL)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def connect(self):
        from pygnmi.client import gNMIclient

        certs = f"{self.folder}/certs"
        return gNMIclient(
            target=("localhost", self.port), path_root=f"{certs}/ca.crt",
            path_cert=f"{certs}/client.crt", path_key=f"{certs}/client.key")


def interface():
    """The name of the port that is made."""
    return f"gn{os.getpid() % 100000}"


def exists(name):
    return pathlib.Path("/sys/class/net", name).exists()


def same(found, wanted):
    if found != wanted:
        raise SystemExit(f"found {found!r}\nwanted {wanted!r}")


def value(answer):
    """The one value of an answer to Get."""
    [notification] = answer["notification"]
    [update] = notification["update"]
    return update["val"]


def refusal(code, body):
    """Runs what must be refused with a code."""
    from pygnmi.client import gNMIException

    try:
        body()
    except gNMIException as error:
        same(error.orig_exc.code().name, code)
    else:
        raise SystemExit(f"accepted what is {code}")


def relay(stream, messages):
    """Puts what a subscription tells into a queue, until it is closed."""
    import grpc

    try:
        for message in stream:
            messages.put(message)
    except grpc.RpcError as error:
        same(error.code().name, "CANCELLED")


def main(program):
    name = interface()
    path = f"/interfaces/virtual-interface[name={name}]"
    with tempfile.TemporaryDirectory() as folder, Server(program, folder) as server:
        with server.connect() as client:
            capabilities = client.capabilities()
            same(capabilities["gnmi_version"], "0.8.0")
            same(capabilities["supported_encodings"], ["json", "json_ietf", "proto"])

            for encoding, number in ("json", 1400), ("json_ietf", 1401):
                config = {"port-type": "TAP", "mtu": number, "host-name": encoding}
                client.set(update=[(f"{path}/config", config)], encoding=encoding)
                assert exists(name)
                same(value(client.get(path=[f"{path}/config/mtu"], encoding=encoding)), number)
                same(value(client.get(path=[f"{path}/config/tdi-portin-id"], encoding="proto")), 0)
                found = value(client.get(path=[path], datatype="config", encoding="json"))
                same(found["config"]["host-name"], encoding)
                client.set(delete=[path])
                assert not exists(name)

            refusal("NOT_FOUND", lambda: client.get(path=[path], encoding="proto"))
            refusal("INVALID_ARGUMENT", lambda: client.get(path=["/system"], encoding="proto"))
            refusal("INVALID_ARGUMENT", lambda: client.set(
                update=[(f"{path}/config", {"mtu": "high"})], encoding="json"))

            # A refused Set has no effect, not even of its good half.
            refusal("ALREADY_EXISTS", lambda: client.set(update=[
                (f"{path}/config", {"port-type": "TAP"}),
                ("/interfaces/virtual-interface[name=lo]/config", {"port-type": "TAP"}),
            ], encoding="json"))
            assert not exists(name)

            once = client.subscribe2({
                "mode": "once", "encoding": "proto", "subscription": [{"path": "/interfaces"}]})
            same([message for message in once if "sync_response" in message],
                 [{"sync_response": True}])

            stream = client.subscribe2({
                "mode": "stream", "encoding": "proto",
                "subscription": [{"path": f"{path}/config/mtu", "mode": "on_change"}]})
            messages = queue.Queue()
            threading.Thread(target=relay, args=(stream, messages), daemon=True).start()
            # pygnmi puts all that comes until then into one.
            same(messages.get(timeout=30), {"update": {}, "sync_response": True})
            client.set(update=[(f"{path}/config", {"port-type": "TAP"})], encoding="json")
            same(messages.get(timeout=30)["update"]["update"][0]["val"], 1500)

            counters = client.subscribe2({
                "mode": "stream", "encoding": "proto",
                "subscription": [{
                    "path": f"{path}/state/counters/in-octets", "mode": "sample",
                    "sample_interval": 200_000_000}]})
            found = [message for message, _ in zip(counters, range(4))]
            same(["in-octets" in str(message["update"]) for message in found], [True] * 4)
            counters.close()

            client.set(delete=[path])
            same(messages.get(timeout=30)["update"]["delete"][0]["path"],
                 f"interfaces/virtual-interface[name={name}]/config/mtu")
            stream.close()
            client.set(update=[(f"{path}/config", {"port-type": "TAP"})], encoding="json")

        server.kill()
        server.start()
        with server.connect() as client:
            same(value(client.get(path=[f"{path}/config/tdi-portin-id"], encoding="proto")), 0)
            client.set(delete=[path])
        same(server.stop(), 0)
    print("gNMI with pygnmi: capabilities, create, get, subscribe, refuse, delete, restart: ok")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    if os.geteuid() != 0:
        raise SystemExit("gnmi.py: TAP interfaces need root")
    enter_environment()
    main(os.path.abspath(sys.argv[1]))
