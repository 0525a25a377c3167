"""How each command of the documentation is tested. A rule is a pattern of whole commands and what to do
with them; the first that matches counts. A command without a rule fails, and so does a rule without a
command."""

import re

from pages import ROOT
from held import (
    RUN, against_help, against_kubectl, against_make, against_swift, excepted, held, part_of_deploy_check, step_of_ci,
    steps)
from places import Cluster, Node, Pipeline, Place, Server

# Of the pods and the Service that node.sh demo makes.
OF_THE_NODE = [("client", "demo-client"), ("default/web", "default/demo")]
NAMES = {"NAME": "docs-pod", "COMMAND": "true", "NODE": "node"}


# What a capture sees.
ASK = "scripts/deploy/pod.sh exec demo-client curl -s --noproxy '*' http://10.96.0.80/"


def run(place, status=0, sub=(), timeout=120, folder=None):
    """In a place, to its end."""

    def check(command, context):
        text = command.text
        for old, new in sub:
            text = text.replace(old, new)
        for old, new in NAMES.items():
            text = re.sub(rf"\b{old}\b", new, text)
        outcome = context.place(place).run(text, timeout, folder)
        if outcome.status != status:
            return f"ended with {outcome.status}: {outcome.output[-1500:]}"

    return place, check, RUN


def serve(place, sub=()):
    """In a place, until it says that it listens; it then ends as it is told to, with 0."""

    def check(command, context):
        text = command.text.rstrip("& ")
        for old, new in sub:
            text = text.replace(old, new)
        here = context.place(place)
        process, outcome = here.serve(text)
        if outcome.status != 0:
            return f"ended with {outcome.status}: {outcome.output[-1500:]}"
        status = here.stop(process)
        if status != 0:
            return f"ended with {status} after SIGTERM"

    return place, check, RUN


def watch(place, text):
    """In a place, until it has said something; such a command goes on for ever."""

    def check(command, context):
        here = context.place(place)
        process, outcome = here.serve(command.text, until=text)
        if outcome.status != 0:
            return f"ended with {outcome.status}: {outcome.output[-1500:]}"
        here.stop(process)

    return place, check, RUN


RULES = [
    # Only named, in a sentence.
    (r"(k8sdp|gnmi-ctl|infraagent) [a-z][a-zA-Z-]*", held(against_help)),
    (r"kill -9", excepted("only named, in a sentence")),
    (r"kill -(USR1|USR2|HUP) \$\(pidof \w+\)", run(Node, sub=[
        ("pidof infraagent", "cat /run/infra-offload/infraagent.pid"),
        ("pidof inframanager", "cat /run/infra-offload/inframanager.pid")])),
    # What looks at a running node.
    (r"k8sdp why --capture lost.pcapng --frame 17", run(Node, sub=[
        ("k8sdp", f"(sleep 0.5; {ASK}) & k8sdp capture -i demo-client --duration 2 -w lost.pcapng tcp; wait; k8sdp"),
        ("17", "1")])),
    (r"k8sdp capture .*--duration 30", run(Node, sub=[("30", "1")])),
    (r"k8sdp capture .*", watch(Node, "capturing on")),
    (r"k8sdp snapshot .*--duration 10", run(Node, sub=[
        ("--duration 10", "--duration 2"),
        ("k8sdp", f"(sleep 0.5; {ASK}) & k8sdp")])),
    (r"k8sdp (top|why|flows)\b.*", run(Node)),
    (r"k8sdp (replay|trace) --snapshot node-1.*", run(Node)),
    # A kubectl that runs in "the pod" what is there: places.py.
    (r"kubectl k8sdp .* why .*", run(Node, sub=OF_THE_NODE)),
    (r"kubectl k8sdp .* capture .*", watch(Node, "capturing on")),
    (r"kubectl k8sdp .* snapshot .*", run(Node, sub=[
        ("--duration 30", "--duration 2"), ("--out node-1", "--out node-1-by-kubectl")])),
    # Our programs that end, run.
    (r"k8sdp (check|trace|replay) .*", run(Place)),
    (r"k8sdp compare (?!.*k8s_dp\.pb\.bin).*", run(Place)),
    (r"k8sdp fuzz +--seed 1 --frames 1000000 .*", run(Place, sub=[("k8sdp", "k8sdp-release")])),
    (r"k8sdp fuzz --seed N --frames N", run(Place, sub=[("k8sdp", "k8sdp-release"), (" N", " 10000")])),
    (r"k8sdp fuzz --seed 1 --frames 100000000 --jobs 2", run(Place, sub=[
        ("k8sdp", "k8sdp-release"), ("100000000", "20000")])),
    (r"k8sdp table .*", run(Server, sub=[("Fixtures", "few")])),
    (r"ip netns exec wire k8sdp table .*", run(Server, sub=[
        ("ip netns exec wire ", ""), ("wire.sock", "infrap4d.sock"), ("Fixtures", "few")])),
    (r"ip netns add wire", run(Place)),
    (r"k8sdp apply .*", run(Server)),
    (r"k8sdp (bench|mutate|differences|compare|fuzz)\b.*", held(against_help)),
    (r"inframanager --check", run(Node)),
    (r"infraagent checkManager .*", run(Node, sub=[("[", ""), ("]", "")])),
    (r"infraagent checkCalicoConfig .*", run(Node, sub=[
        ("[--timeout 30s]", "--file /etc/cni/net.d/05-infra.conflist --timeout 30s")])),
    (r"(infrap4d|infraagent run|inframanager|infra-cni|gnmi-ctl) --help", run(Place)),
    (r"gnmi-ctl (sub-onchange|--interval=\d+ sub-sample) .*", watch(Node, "RESPONSE")),
    (r'gnmi-ctl set "device:physical-device,name:eth1.*', run(Node, sub=[
        ("gnmi-ctl", "ip link add eth1 type veth peer name far && gnmi-ctl")])),
    (r"gnmi-ctl (set|get|del) .*P4TAP_0.*", run(Node, sub=[("P4TAP_0", "P4TAP_77")])),
    (r"parser-fuzz parse .*", held(against_help)),
    # Our programs that go on, started and ended.
    (r"infrap4d( --dataplane model| --listen unix:\S+)?", serve(Place)),
    (r"ip netns exec wire infrap4d .*", serve(Place, sub=[("ip netns exec wire ", "")])),
    (r"infrap4d & +inframanager &", excepted("each by itself, in other lines")),
    (r"inframanager --set GrpcServer.addr=unix:.*", serve(Server)),
    (r"inframanager", serve(Pipeline)),
    (r"infraagent( --set kubeconfig=\S+)?", serve(Cluster, sub=[("/root/", "$HOME/")])),
    # Scripts.
    (r"scripts/deploy/node.sh (status|up)", run(Node, sub=[
        ("up", "up --no-systemd --dataplane model --programs $INFRA_BIN")])),
    (r"scripts/deploy/node.sh down", run(Node, timeout=300, sub=[
        ("down", "down --no-systemd && scripts/deploy/node.sh up --no-systemd --dataplane model "
         "--programs $INFRA_BIN && scripts/deploy/node.sh demo --no-systemd")])),
    (r"scripts/deploy/kubernetes.sh render", run(Place, sub=[
        ("render", "render --nodes <(echo node-1 10.244.0.0/24)")])),
    (r"scripts/deploy/pod.sh .*", run(Node)),
    (r"scripts/create_interfaces.sh 8", run(Place, sub=[
        ("sh 8", "sh 8; status=$?; kill $(cat /run/infra-offload/infrap4d.pid); exit $status")])),
    (r"scripts/deploy/check.sh .*", part_of_deploy_check()),
    (r"scripts/tls/gen_certs.sh.*", run(Place)),
    (r"diff expected.json out/summary.json", run(Place)),
    (r"scripts/docs/workflow.py deploy/example/ci", run(Place, timeout=300, sub=[
        ("deploy/example/ci", "deploy/example/ci --k8sdp bin/k8sdp-release")])),
    (r"scripts/make-fixtures.py --(check|table)", run(Place, timeout=600, sub=[("--table", "--help")])),
    # A node's own programs.
    (r"curl .*", run(Node)),
    (r"chmod o\+x /var/lib/cni", run(Place, sub=[("chmod", "mkdir -p /var/lib/cni && chmod")])),
    # What builds and tests, against the Makefile, Package.swift and the tests.
    (r"make deploy-calico", excepted("upstream's, named in the comparison")),
    (r"make demo", run(Place, folder=ROOT, sub=[("make demo", f"make -o offline demo OUT=$(mktemp -d)")])),
    (r"make help", run(Place, folder=ROOT)),
    (rf"make ({'|'.join(sorted(steps()))})( [A-Z]+=\S+)*", step_of_ci()),
    (r"make .*", held(against_make)),
    (r"swift .*", held(against_swift)),
    # Kubernetes' programs, against their help and our manifests.
    (r"kubectl .*", held(against_kubectl)),
    (r"kubeadm init( --config deploy/example/kubeadm-init.yaml)?", excepted("makes a cluster of the machine")),
    (r"docker run -d -p 5000:5000 .* docker.io/library/registry:2", excepted("fetches an image")),
    # What only an operator can do.
    (r"modprobe tun", excepted("changes the machine's kernel")),
    (r"git pull", excepted("there is no other repository")),
    (r"ssh -L .*", excepted("needs another machine")),
    (r"journalctl -u (infrap4d|inframanager|infraagent)( -p warning)?", excepted(
        "no systemd runs here; make deploy-check verifies the units")),
    (r"apt-get install podman", excepted("installs a package")),
]
