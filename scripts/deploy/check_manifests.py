#!/usr/bin/env python3
"""check_manifests.py RENDERED.yaml: what no schema says of the manifests.

- The agent may do what its source asks for, and nothing else.
- ConfigMaps hold no credentials; no container is privileged; capabilities are dropped but for a list.
- Every container has requests, a memory limit, a read-only root; long-running ones have probes.
- All containers of a program are of one image, also those that an overlay adds.
- Nothing binds to an address that others than the node reach.
"""

import pathlib
import re
import sys

import yaml

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


def problems(documents):
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
            if "0.0.0.0" in str(container.get("args", "")):
                yield f"{what} listens to the world"
        for container in pod["containers"]:
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                if probe not in container:
                    yield f"{name}/{container['name']} has no {probe}"


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    documents = [d for d in yaml.safe_load_all(open(sys.argv[1])) if d]
    found = list(problems(documents))
    print("\n".join(found))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
