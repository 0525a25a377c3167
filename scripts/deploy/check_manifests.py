#!/usr/bin/env python3
"""check_manifests.py [--metrics] RENDERED.yaml: what no schema says of the manifests.

- The agent may do what its source asks for, and nothing else.
- ConfigMaps hold no credentials; no container is privileged; capabilities are dropped but for a list.
- Every container has requests, a memory limit, a read-only root; long-running ones have probes.
- All containers of a program are of one image, also those that an overlay adds.
- Nothing binds to an address that others than the node reach; --metrics: but for the pages with metrics.
- Probes ask what says that the program does its work.
- Everything has the label by which it is found again.
"""

import pathlib
import re
import sys

import yaml

PART_OF = ("app.kubernetes.io/part-of", "k8s-infra-offload")
# container → probe → what it asks.
PROBES = {
    "infrap4d": {
        "startupProbe": "127.0.0.1:9560/healthz", "readinessProbe": "127.0.0.1:9560/readyz",
        "livenessProbe": "127.0.0.1:9560/healthz"},
    "manager": {
        "startupProbe": "127.0.0.1:50097/healthz", "readinessProbe": "/usr/bin/inframanager --check",
        "livenessProbe": "127.0.0.1:50097/healthz"},
    "agent": {
        "startupProbe": "127.0.0.1:50001", "readinessProbe": "127.0.0.1:50096/check",
        "livenessProbe": "127.0.0.1:50096/healthz"}}
# Settings that name an address to listen at: what is not said is the program's default, which may be all addresses.
LISTENING = {
    "inframanager.yaml": ["InfraManager.addr", "InfraManager.metrics-addr"],
    "infraagent.yaml": ["cniAddr", "healthAddr"]}
# With the component `metrics`: pages of metrics at the node's address.
METRICS = {"$(NODE_IP):9560", "$(NODE_IP):50097", "0.0.0.0:50096"}
SOURCES = pathlib.Path(__file__).parents[2] / "Sources/Daemons/Kubernetes"
CAPABILITIES = {
    "infrap4d": {"NET_ADMIN", "NET_RAW", "SYS_ADMIN"}, "manager": set(),
    "agent": {"NET_ADMIN", "SYS_ADMIN"}, "own-state": {"CHOWN", "DAC_READ_SEARCH"}}


def asked_for():
    """(group, resource) of every path in the client's source; it lists and watches each."""
    text = "".join(p.read_text() for p in SOURCES.glob("*.swift"))
    for path in re.findall(r'static let path = "([^"]+)"', text):
        _, root, *rest = path.split("/")
        yield ("", rest[1]) if root == "api" else (rest[0], rest[2])


def rights(documents):
    for role in documents:
        if role["kind"] in ("ClusterRole", "Role"):
            for rule in role["rules"]:
                for group in rule["apiGroups"]:
                    for resource in rule["resources"]:
                        for verb in rule["verbs"]:
                            yield group, resource, verb


def images(documents):
    for document in documents:
        if document["kind"] == "DaemonSet":
            pod = document["spec"]["template"]["spec"]
            for container in pod["containers"] + pod.get("initContainers", []):
                yield container["image"]


def question(probe):
    """What a probe asks, as text; a node's own address is that of its pod."""
    if "exec" in probe:
        return " ".join(probe["exec"]["command"])
    asked = probe.get("httpGet") or probe["tcpSocket"]
    return f"{asked.get('host', '$(NODE_IP)')}:{asked['port']}{asked.get('path', '')}"


def addresses(documents):
    """Where something listens, as "what it is, address": settings of ConfigMaps, arguments, environment."""
    for document in documents:
        for file, text in (document.get("data") or {}).items() if document["kind"] == "ConfigMap" else []:
            for setting in LISTENING.get(file, []):
                value = yaml.safe_load(text)
                for key in setting.split("."):
                    value = (value or {}).get(key)
                yield f"{document['metadata']['name']}: {setting}", value or "nowhere said"
        if document["kind"] != "DaemonSet":
            continue
        for container in document["spec"]["template"]["spec"]["containers"]:
            options = [a.split("=", 1) for a in container.get("args", []) if "=" in a]
            if container["name"] == "infrap4d" and not any(o[0] == "--listen" for o in options):
                yield "infrap4d: --listen", "nowhere said"
            for option, value in options + [[e["name"], e.get("value", "")] for e in container.get("env", [])]:
                if re.search(r":\d+$", value):
                    yield f"{container['name']}: {option}", value


def problems(documents, with_metrics):
    for what, address in addresses(documents):
        if not re.match(r"(127\.0\.0\.1|localhost|\[::1\]):\d+$", address) and not (
                with_metrics and address in METRICS):
            yield f"{what} is {address}, which is not this node alone"
    for document in documents:
        if document["metadata"].get("labels", {}).get(PART_OF[0]) != PART_OF[1]:
            yield f"{document['kind']} {document['metadata']['name']} has no label {'='.join(PART_OF)}"
    wanted = {(*resource, verb) for resource in asked_for() for verb in ("list", "watch")}
    if set(rights(documents)) != wanted:
        yield f"rights are not those asked for: {set(rights(documents)) ^ wanted}"
    accounts = {d["metadata"]["name"] for d in documents if d["kind"] == "ServiceAccount"}
    names = {}
    for image in images(documents):
        program = image.split("/")[-1].split(":")[0]
        if names.setdefault(program, image) != image:
            yield f"one image under two names: {image} and {names[program]}"
    for document in documents:
        name = document["metadata"]["name"]
        if document["kind"] == "Secret":
            yield f"{name}: Secrets are made on the node"
        if document["kind"] == "ConfigMap" and re.search(
                r"PRIVATE KEY|CERTIFICATE|token:|password|client-key", str(document["data"])):
            yield f"ConfigMap {name} holds credentials"
        if document["kind"] != "DaemonSet":
            continue
        if document["metadata"]["namespace"] != "kube-system":
            yield f"{name} is not in kube-system"
        pod = document["spec"]["template"]["spec"]
        if pod["serviceAccountName"] not in accounts:
            yield f"{name}: no such service account"
        if pod["automountServiceAccountToken"] != (name == "infraagent-ds"):
            yield f"{name}: the token"
        for container in pod["containers"] + pod.get("initContainers", []):
            what, security = f"{name}/{container['name']}", container["securityContext"]
            capabilities = security["capabilities"]
            if security.get("privileged") or capabilities["drop"] != ["ALL"]:
                yield f"{what} has more than it is given"
            if set(capabilities.get("add", [])) != CAPABILITIES.get(container["name"], set()):
                yield f"{what} adds {capabilities.get('add')}"
            if security.get("readOnlyRootFilesystem") is not True:
                yield f"{what} may write its root"
            if "memory" not in container["resources"]["limits"] or "cpu" not in container["resources"]["requests"]:
                yield f"{what} has no limits"
        for container in pod["containers"]:
            for probe, wanted in PROBES[container["name"]].items():
                if probe not in container:
                    yield f"{name}/{container['name']} has no {probe}"
                    continue
                asked = question(container[probe])
                if with_metrics:
                    asked = re.sub(r"^\$\(NODE_IP\):(?=9560|50097)", "127.0.0.1:", asked)
                if asked != wanted:
                    yield f"{name}/{container['name']}: its {probe} asks {asked}, not {wanted}"


def main():
    with_metrics = "--metrics" in sys.argv
    files = [a for a in sys.argv[1:] if a != "--metrics"]
    if len(files) != 1 or files[0].startswith("-"):
        sys.exit(__doc__)
    documents = [d for d in yaml.safe_load_all(open(files[0])) if d]
    found = list(problems(documents, with_metrics))
    print("\n".join(found))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
