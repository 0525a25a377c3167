#!/usr/bin/env python3
"""check_examples.py: the files of deploy/example for which there is no schema here are what they say that they are."""

import json
import pathlib
import re
import sys

import yaml

EXAMPLES = pathlib.Path(__file__).parents[2] / "deploy/example"
# file → apiVersion, kind
OBJECTS = {
    "kubeadm-init.yaml": ("kubeadm.k8s.io/v1beta4", "ClusterConfiguration"),
    "felix-configuration.yaml": ("crd.projectcalico.org/v1", "FelixConfiguration"),
}


def problems():
    for file, wanted in OBJECTS.items():
        for document in yaml.safe_load_all((EXAMPLES / file).read_text()):
            if (document.get("apiVersion"), document.get("kind")) != wanted:
                yield f"{file}: is no {wanted[1]} of {wanted[0]}"
    kubeadm = yaml.safe_load((EXAMPLES / "kubeadm-init.yaml").read_text())
    if set(kubeadm["networking"]) != {"podSubnet", "serviceSubnet"}:
        yield "kubeadm-init.yaml: networking"
    felix = yaml.safe_load((EXAMPLES / "felix-configuration.yaml").read_text())
    if felix["metadata"] != {"name": "default"}:
        yield "felix-configuration.yaml: Felix reads the one that is called default"
    # calico-node's installer puts these in.
    text = re.sub(r"__CNI_MTU__", "1280", (EXAMPLES / "calico-cni.conflist").read_text())
    plugins = {p["type"]: p for p in json.loads(text)["plugins"]}
    agent = yaml.safe_load((EXAMPLES.parent / "kubernetes/overlays/calico/infraagent.yaml").read_text())
    if plugins["calico"]["dataplane_options"] != {"type": "grpc", "socket": agent["cniAddr"]}:
        yield "calico-cni.conflist: the agent listens elsewhere"
    if plugins["calico"]["readiness_gates"] != [f"http://{agent['healthAddr']}/check"]:
        yield "calico-cni.conflist: the agent's /check is elsewhere"
    if agent["felixSocket"] == "none":
        yield "overlay calico: Felix has no socket"


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit(__doc__)
    found = list(problems())
    print(*found, sep="\n")
    sys.exit(bool(found))
