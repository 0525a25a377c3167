"""Where commands of the documentation are run: places that change nothing on this machine."""

import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

from pages import ROOT

ISOLATED = ["unshare", "-m", "-n", "--propagation", "private", str(ROOT / "scripts/deploy/isolated.sh")]


class Outcome:
    def __init__(self, status, output):
        self.status, self.output = status, output


class Place:
    """Namespaces with /etc, /opt, /var, /usr/local, /usr/share and /run of their own, the programs in
    the PATH, and a folder that has the files which the pages name."""

    def __init__(self, programs, release):
        self.programs, self.release = pathlib.Path(programs).resolve(), pathlib.Path(release).resolve()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="docs-"))
        self.background = []
        self.files()
        # `read` ends with us, however we end.
        self.holder = subprocess.Popen(
            ISOLATED + ["bash", "-c", "echo there; read -r _"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "there\n":
            raise RuntimeError("no namespaces can be made here")
        children = pathlib.Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text().split()
        self.inside = ["nsenter", "-t", children[0] if children else str(self.holder.pid), "-m", "-n"]
        self.prepare()

    def prepare(self):
        """What is there before the first command."""

    def files(self):
        fixture = ROOT / "Fixtures/curl-service"
        shutil.copy(fixture / "state.yaml", self.folder / "state.yaml")
        # Those of the example are of the same fixture.
        for file in filter(pathlib.Path.is_file, (ROOT / "deploy/example/ci").iterdir()):
            shutil.copy(file, self.folder / file.name)
        for name in ("Fixtures", "scripts", "docs", "deploy"):
            os.symlink(ROOT / name, self.folder / name)
        os.symlink(ROOT / "k8s_dp/k8s_dp.spec", self.folder / "other.spec")
        # All of them are for FixtureTableTests.
        (self.folder / "few").mkdir()
        for name in ("curl-service", "dns-udp", "ping-pod"):
            os.symlink(ROOT / "Fixtures" / name, self.folder / "few" / name)
        (self.folder / "bin").mkdir()
        os.symlink(self.release, self.folder / "bin/k8sdp-release")

    def environment(self):
        path = f"{self.folder}/bin:{self.programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return os.environ | {
            "PATH": path, "INFRA_BIN": str(self.programs), "HOME": str(self.folder / "home"), "no_proxy": "*",
            "SWIFT_BACKTRACE": "enable=no"}

    def run(self, command, timeout=120, folder=None):
        process = self.start(command, folder)
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            return Outcome("no end", output)
        return Outcome(process.returncode, output)

    def start(self, command, folder=None, output=subprocess.PIPE):
        return subprocess.Popen(
            # Whoever enters a mount namespace is in its root folder.
            self.inside + ["bash", "-c", f"cd {shlex.quote(str(folder or self.folder))}\n{command}"],
            env=self.environment(),
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, text=True,
            start_new_session=True)

    def serve(self, command, until="listening"):
        """Starts a program that goes on, and waits until it has said that it does its work."""
        log = self.folder / f"log-{len(self.background)}"
        with open(log, "w") as output:
            process = self.start(f"exec {command}", output=output)
        self.background.append(process)
        while until not in log.read_text():
            if process.poll() is not None:
                return process, Outcome(process.returncode, log.read_text())
            time.sleep(0.02)
        return process, Outcome(0, log.read_text())

    def stop(self, process):
        """As an operator does it."""
        process.send_signal(signal.SIGTERM)
        return process.wait()

    def close(self):
        for process in reversed(self.background):
            if process.poll() is None:
                self.stop(process)
        self.holder.communicate("\n")
        shutil.rmtree(self.folder, ignore_errors=True)


# kubectl of a cluster of this node alone: knows where pods are, and runs in the pod of infrap4d what is here.
KUBECTL = """#!/usr/bin/env bash
case " $* " in
  " k8sdp "*) KUBECTL=$0 exec {plugin} "${{@:2}}" ;;
  *" get pod "*) echo -n node-1 ;;
  *" get pods "*) echo infrap4d-ds-a node-1 ;;
  *" exec "*)
    while [ "$1" != -- ]; do shift; done
    exec k8sdp "${{@:3}}"
    ;;
  *) echo "what is $*?" >&2; exit 3 ;;
esac
"""


class Node(Place):
    """A node as scripts/deploy/node.sh makes it, with two pods and a Service."""

    def prepare(self):
        kubectl = self.folder / "bin/kubectl"
        kubectl.write_text(KUBECTL.format(plugin=ROOT / "deploy/kubectl/kubectl-k8sdp"))
        kubectl.chmod(0o755)
        self.must("scripts/deploy/node.sh up --no-systemd --dataplane model --programs " + str(self.programs))
        self.must("scripts/deploy/node.sh demo --no-systemd")

    def must(self, command):
        outcome = self.run(command, timeout=300, folder=ROOT)
        if outcome.status != 0:
            raise RuntimeError(f"{command}: {outcome.output}")

    def close(self):
        self.run("scripts/deploy/node.sh down --no-systemd", timeout=120, folder=ROOT)
        super().close()


class Server(Place):
    """An infrap4d at /run/infrap4d.sock, and a manager of it that listens where managers do."""

    def prepare(self):
        self.serve("infrap4d --dataplane model --listen unix:/run/infrap4d.sock --state none --certs "
                   f"{self.folder}/certs --metrics-address ''")


class Pipeline(Place):
    """An infrap4d at its defaults."""

    def prepare(self):
        self.run("mkdir -p /var/lib/cni")
        self.serve("infrap4d --dataplane model")


class Cluster(Place):
    """Daemons at their defaults, and the API of a Kubernetes that has nothing in it yet."""

    def prepare(self):
        self.run("mkdir -p /etc/infra/services /var/lib/cni home/.kube")
        self.serve("infrap4d --dataplane model")
        self.serve("inframanager")
        self.serve(
            "python3 scripts/deploy/services_api.py --folder /etc/infra/services --node $(hostname) "
            "--pods 10.244.0.0/24 --kubeconfig home/.kube/config", until="")
        self.run("until [ -s home/.kube/config ]; do sleep 0.05; done")
