#!/usr/bin/env python3
"""Runs one container of a rendered DaemonSet with runc, as a kubelet would have it run.

    container.py --manifest RENDERED.yaml --daemonset NAME --container NAME --rootfs DIR
                 --netns PATH --volumes DIR --bundle DIR [--user UID] [--env NAME=VALUE]...
                 [--args ARG...]

User, capabilities, no_new_privs, read-only root, command, environment, mounts and ConfigMaps come from
the manifest. hostPath, Secret and emptyDir volumes are folders DIR/NAME, so that nothing of this machine
is touched; /dev/net/tun, /proc/sys/net and /run/netns are the machine's. Written is BUNDLE/config.json;
the caller runs `runc run --bundle BUNDLE`. Seccomp profiles are the runtime's and left out.
--user UID: another user, with the capabilities as ambient ones (what systemd units do).
"""

import argparse
import json
import os
import pathlib
import re

import yaml

# What the downward API says of the node.
FIELDS = {"spec.nodeName": "node-1", "status.hostIP": "192.0.2.1"}
OF_THE_MACHINE = {"/dev/net/tun", "/proc/sys/net", "/run/netns"}


def documents(path):
    return [d for d in yaml.safe_load_all(open(path)) if d]


def named(items, name):
    return next(i for i in items if i["name"] == name)


class Manifest:
    def __init__(self, path, daemonset):
        self.documents = documents(path)
        self.pod = next(
            d for d in self.documents
            if d["kind"] == "DaemonSet" and d["metadata"]["name"] == daemonset
        )["spec"]["template"]["spec"]

    def data(self, config_map):
        return next(
            d for d in self.documents
            if d["kind"] == "ConfigMap" and d["metadata"]["name"] == config_map
        )["data"]

    def container(self, name):
        return named(self.pod["containers"] + self.pod.get("initContainers", []), name)


def environment(manifest, container):
    values = {"PATH": "/usr/bin"}
    for source in container.get("envFrom", []):
        values |= manifest.data(source["configMapRef"]["name"])
    for entry in container.get("env", []):
        values[entry["name"]] = expanded(entry["value"], values) if "value" in entry else FIELDS[
            entry["valueFrom"]["fieldRef"]["fieldPath"]]
    return values


def expanded(text, values):
    """As a kubelet does it in arguments and in the environment."""
    return re.sub(r"\$\((\w+)\)", lambda match: values[match[1]], text)


def mounts(manifest, container, folder):
    result = [
        {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
        {"destination": "/sys", "type": "none", "source": "/sys", "options": ["rbind", "ro"]},
    ]
    for mount in container.get("volumeMounts", []):
        volume = named(manifest.pod["volumes"], mount["name"])
        source = pathlib.Path(folder, mount["name"])
        host = volume.get("hostPath", {}).get("path")
        if host in OF_THE_MACHINE:
            source = pathlib.Path(host)
        elif "configMap" in volume:
            source.mkdir(parents=True, exist_ok=True)
            for name, text in manifest.data(volume["configMap"]["name"]).items():
                source.joinpath(name).write_text(text)
        else:
            source.mkdir(parents=True, exist_ok=True)
            if "emptyDir" in volume:
                source.chmod(0o777)  # as a kubelet makes it
        options = ["rbind", "ro" if mount.get("readOnly") else "rw"]
        if mount.get("mountPropagation") == "HostToContainer":
            options.append("rslave")
        result.append({
            "destination": mount["mountPath"], "type": "bind", "source": str(source),
            "options": options})
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ["manifest", "daemonset", "container", "rootfs", "netns", "volumes", "bundle"]:
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--user", type=int)
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("--args", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    manifest = Manifest(options.manifest, options.daemonset)
    container = manifest.container(options.container)
    security = manifest.pod.get("securityContext", {}) | container["securityContext"]
    values = environment(manifest, container) | dict(e.split("=", 1) for e in options.env)
    command = container.get("command") or ["/usr/bin/" + container["image"].split("/")[-1].split(":")[0]]
    arguments = [expanded(a, values) for a in container.get("args", [])]
    if options.args:
        command, arguments = options.args, []
    uid = security["runAsUser"] if options.user is None else options.user
    added = [f"CAP_{c}" for c in security["capabilities"].get("add", [])]
    assert security["capabilities"]["drop"] == ["ALL"] and not security.get("privileged")
    # Kubernetes gives capabilities to user 0 only; systemd gives ambient ones.
    sets = {"bounding": added, "permitted": added, "effective": added}
    if options.user:
        sets |= {"inheritable": added, "ambient": added}
    config = {
        "ociVersion": "1.0.2",
        "hostname": "node-1",
        "root": {"path": os.path.abspath(options.rootfs), "readonly": security["readOnlyRootFilesystem"]},
        "process": {
            "user": {
                "uid": uid, "gid": security.get("runAsGroup", uid),
                "additionalGids": [security["fsGroup"]] if "fsGroup" in security else []},
            "args": command + arguments,
            "env": [f"{k}={v}" for k, v in values.items()],
            "cwd": "/",
            "capabilities": sets,
            # SYS_ADMIN excludes it in Kubernetes.
            "noNewPrivileges": security.get("allowPrivilegeEscalation") is False,
        },
        "mounts": mounts(manifest, container, options.volumes),
        "linux": {
            "namespaces": [
                {"type": "mount"}, {"type": "pid"}, {"type": "uts"}, {"type": "ipc"},
                {"type": "network", "path": options.netns}],
            "rootfsPropagation": "rslave",
            "readonlyPaths": ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"],
            "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list"],
            # As runc's own list has it; the deny-all-else is runc's, too.
            "resources": {"devices": [
                {"allow": False, "access": "rwm"},
                {"allow": True, "type": "c", "major": 10, "minor": 200, "access": "rwm"}]},
        },
    }
    pathlib.Path(options.bundle).mkdir(parents=True, exist_ok=True)
    pathlib.Path(options.bundle, "config.json").write_text(json.dumps(config, indent=1))


if __name__ == "__main__":
    main()
