#!/usr/bin/env python3
"""A stand-in for kubectl and its cluster, for check_kubernetes.sh: what kubernetes.sh asks of them, and no more.

Objects are in $FAKE_CLUSTER/objects.json, nodes in $FAKE_CLUSTER/nodes, one line a call in $FAKE_CLUSTER/calls.
A DaemonSet has a pod from its `apply` on. It ends with the DaemonSet when that is deleted in the foreground, else
goes on, as on a slow node; with $FAKE_CLUSTER/stuck it does not end at all. `kustomize` is $REAL_KUBECTL's.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

import yaml

HERE = pathlib.Path(os.environ.get("FAKE_CLUSTER", "."))


def load():
    file = HERE / "objects.json"
    return json.loads(file.read_text()) if file.exists() else []


def store(objects):
    (HERE / "objects.json").write_text(json.dumps(objects, indent=1))


def thing(kind, name, labels=None, **more):
    return {"kind": kind, "metadata": {"name": name, "labels": labels or {}}} | more


def key(item):
    return item["kind"], item["metadata"]["name"]


def put(objects, item):
    return [o for o in objects if key(o) != key(item)] + [item]


def selected(item, options):
    labels = item["metadata"].get("labels") or {}
    wanted = dict(part.split("=") for part in options.l.split(",")) if options.l else {}
    name = options.field_selector.split("=")[1] if options.field_selector else None
    return all(labels.get(k) == v for k, v in wanted.items()) and name in (None, item["metadata"]["name"])


def of_kinds(objects, kinds, names, options):
    kinds = [k.removesuffix("s") for k in kinds.lower().split(",")]
    return [
        o for o in objects if o["kind"].lower() in kinds and selected(o, options)
        and (not names or o["metadata"]["name"] in names)]


def apply(objects, options):
    for document in yaml.safe_load_all(open(options.f)):
        objects = put(objects, document)
        if document["kind"] == "DaemonSet":
            labels = document["spec"]["template"]["metadata"]["labels"]
            objects = put(objects, thing("Pod", document["metadata"]["name"] + "-1", labels))
    return objects


def delete(objects, kinds, names, options):
    gone = of_kinds(objects, kinds, names, options)
    pods = [("Pod", o["metadata"]["name"] + "-1") for o in gone if o["kind"] == "DaemonSet"]
    if pods and options.cascade == "foreground":
        if (HERE / "stuck").exists():
            sys.exit("error: timed out waiting for the condition")
        gone += [o for o in objects if key(o) in pods]
    return [o for o in objects if o not in gone]


def main():
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.exit(print(__doc__))
    with open(HERE / "calls", "a") as calls:
        print(*arguments, file=calls)
    if arguments[0] == "kustomize":
        sys.exit(subprocess.run([os.environ["REAL_KUBECTL"], *arguments]).returncode)
    parser = argparse.ArgumentParser()
    for option in ("-n", "-o", "-l", "-f", "--field-selector", "--cascade", "--timeout"):
        parser.add_argument(option)
    parser.add_argument("--ignore-not-found", action="store_true")
    parser.add_argument("--from-file", action="append", default=[])
    parser.add_argument("words", nargs="*")
    options = parser.parse_intermixed_args(arguments)
    verb, *words = options.words
    objects = load()
    if verb == "get" and words == ["nodes"]:
        print((HERE / "nodes").read_text(), end="")
    elif verb == "get":
        found = of_kinds(objects, words[0], words[1:], options)
        print(*(f"{o['kind'].lower()}/{o['metadata']['name']}" for o in found), sep="\n", end="\n" if found else "")
    elif verb == "apply":
        store(apply(objects, options))
    elif verb == "create" and words[:2] == ["secret", "generic"]:
        data = {os.path.basename(f): pathlib.Path(f).read_text() for f in options.from_file}
        store(put(objects, thing("Secret", words[2], data=data)))
    elif verb == "label":
        for item in of_kinds(objects, words[0], words[1:2], options):
            item["metadata"]["labels"] |= dict(w.split("=") for w in words[2:])
        store(objects)
    elif verb == "delete":
        store(delete(objects, words[0], words[1:], options))
    elif verb not in ("version", "rollout"):
        sys.exit(f"fake_kubectl.py: {' '.join(arguments)} is not known here")


if __name__ == "__main__":
    main()
