#!/usr/bin/env python3
"""check_sbom.py IMAGE.spdx.json: what no schema says of a bill of materials: that it tells what is in the image."""

import json
import sys

# program → what is linked into it, and what is not; C library and its like are Debian's.
LINKED = {
    "infrap4d": (
        {"swift-protobuf", "swift-nio-ssl", "async-http-client", "swift", "swift-foundation-icu"}, set()),
    "k8sdp": ({"grpc-swift-2", "swift-argument-parser", "swift"}, set()),
    "inframanager": ({"grpc-swift-2", "swift-nio-ssl", "swift"}, {"async-http-client"}),
    "infraagent": ({"async-http-client", "grpc-swift-2", "swift-nio-ssl", "swift"}, set()),
    "infra-cni": ({"grpc-swift-2", "swift"}, {"async-http-client"}),
    "felix-api-proxy": ({"swift-log", "swift", "swift-corelibs-foundation"}, {"grpc-swift-2", "swift-nio"}),
}
PROGRAMS = {
    "infrap4d": {"infrap4d", "k8sdp"}, "inframanager": {"inframanager"},
    "infraagent": {"infraagent", "infra-cni", "felix-api-proxy"}}
DEBIAN = {
    "infrap4d": {"librte-pipeline23", "coreutils"}, "inframanager": set(),
    "infraagent": {"containernetworking-plugins"}}


def problems(document):
    name = document["name"]
    packages = {p["SPDXID"]: p for p in document["packages"]}
    links = {}
    for relation in document["relationships"]:
        if relation["relationshipType"] == "DEPENDS_ON":
            links.setdefault(packages[relation["spdxElementId"]]["name"], set()).add(
                packages[relation["relatedSpdxElement"]]["name"])
    if set(links) != PROGRAMS[name]:
        yield f"{name} has the programs {', '.join(links)}"
    for program in links:
        there, absent = LINKED[program]
        if there - links[program] or absent & links[program]:
            yield f"{program} is said to be linked with {', '.join(sorted(links[program]))}"
    names = {p["name"] for p in packages.values()}
    missing = ({"libc6", "libstdc++6"} | DEBIAN[name]) - names
    if missing:
        yield f"{name} is said to be without {', '.join(missing)}"
    if {p for key, p in ((k, v["name"]) for k, v in packages.items()) if key.startswith("SPDXRef-swift-")} - {
            p for found in links.values() for p in found}:
        yield f"{name}: Swift packages that no program is linked with"


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    found = list(problems(json.load(open(sys.argv[1]))))
    print(*found, sep="\n")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
