#!/usr/bin/env python3
"""Writes the bill of materials of an image, SPDX 2.3 as JSON: Debian packages, the programs of this repository, and
what is linked into each of these: Swift packages, Swift's runtime, Foundation, ICU.

    sbom.py --image NAME --packages FILE --programs DIR --unstripped DIR --resolved Package.resolved
            --swift VERSION --out FILE

--programs has them as they are in the image, --unstripped with the symbols that tell what is linked in:
swift-modules, beside this script. Exit codes: 0 it is written, 1 something is missing, 2 bad options.
"""

import argparse
import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse

MODULES = pathlib.Path(__file__).with_name("swift-modules")


def package(identity, name, purl, **more):
    return {
        "SPDXID": f"SPDXRef-{identity}",
        "name": name,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": purl,
            }
        ],
    } | more


def identifier(text):
    return "".join(c if c.isalnum() or c in ".-" else "-" for c in text)


def debian(lines):
    for line in sorted(lines):
        name, version, architecture, source, digest = line.rstrip("\n").split("\t")
        purl = f"pkg:deb/debian/{urllib.parse.quote(name)}@{urllib.parse.quote(version)}?arch={architecture}"
        yield package(
            f"deb-{identifier(name)}", name, purl, versionInfo=version, supplier="Organization: Debian",
            sourceInfo=f"built from Debian source package {source}",
            checksums=[{"algorithm": "SHA256", "checksumValue": digest}])


def program(path):
    data = path.read_bytes()
    return package(
        f"program-{identifier(path.name)}", path.name, f"pkg:generic/{path.name}",
        primaryPackagePurpose="APPLICATION", packageFileName=f"./usr/bin/{path.name}",
        checksums=[
            {"algorithm": name.upper(), "checksumValue": hashlib.new(name, data).hexdigest()}
            for name in ("sha1", "sha256")])


def modules():
    """Package → the modules that tell of it."""
    lines = (line.split("#")[0].split() for line in MODULES.read_text().splitlines())
    return {words[0]: set(words[1:]) for words in lines if words}


def modules_in(path):
    """The modules that a program has symbols of: $s, the length of the module's name, the name."""
    found = {"Swift"}
    for symbol in subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout.split():
        mangled = re.match(r"\$s(\d+)", symbol)
        if mangled:
            found.add(symbol[mangled.end():mangled.end() + int(mangled[1])])
    return found


def swift(resolved, version):
    """Each Swift package that may be linked in, by the name that it has in `modules`."""
    for pin in json.loads(resolved.read_text())["pins"]:
        location, state = pin["location"], pin["state"]
        release = state.get("version", state["revision"])
        where = urllib.parse.urlparse(location)
        path = f"{where.netloc}{where.path}".removesuffix(".git")
        yield pin["identity"], package(
            f"swift-{identifier(pin['identity'])}", pin["identity"], f"pkg:swift/{path}@{release}",
            versionInfo=release, downloadLocation=f"git+{location}@{state['revision']}")
    for name in (n for n in modules() if n.startswith("@")):
        name, tag = name[1:], f"swift-{version}-RELEASE"
        yield f"@{name}", package(
            f"toolchain-{name}", name, f"pkg:github/swiftlang/{name}@{tag}", versionInfo=version,
            downloadLocation=f"git+https://github.com/swiftlang/{name}@{tag}")


def related(one, kind, other):
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ["image", "packages", "programs", "unstripped", "resolved", "swift", "out"]:
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()

    known = dict(swift(pathlib.Path(options.resolved), options.swift))
    telling = modules()
    if not set(known) <= set(telling):
        sys.exit(f"sbom.py: {', '.join(set(known) - set(telling))}: name modules of it in {MODULES}")
    debs = list(debian(open(options.packages)))
    if not debs:
        sys.exit(f"sbom.py: {options.packages} has no package")
    programs, links, linked = [], [], {}
    for path in sorted(pathlib.Path(options.programs).iterdir()):
        original = pathlib.Path(options.unstripped, path.name)
        if path.is_symlink() or not original.is_file():
            continue
        programs.append(program(path))
        found = modules_in(original)
        if len(found) == 1:
            sys.exit(f"sbom.py: {original} has no symbols; give what strip has not seen yet")
        for name in (n for n in known if telling[n] & found):
            linked[name] = known[name]
            links.append(related(programs[-1]["SPDXID"], "DEPENDS_ON", known[name]["SPDXID"]))
    if not programs:
        sys.exit(f"sbom.py: {options.programs} has no program of this repository")

    image = package("image", options.image, f"pkg:oci/{options.image}", primaryPackagePurpose="CONTAINER")
    parts = debs + programs + [linked[name] for name in known if name in linked]
    # The same parts are the same document.
    content = hashlib.sha256(json.dumps([parts, links]).encode()).hexdigest()
    created = int(os.environ.get("SOURCE_DATE_EPOCH") or datetime.datetime.now().timestamp())
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": options.image,
        "documentNamespace": f"https://spdx.org/spdxdocs/{options.image}-{content}",
        "creationInfo": {
            "created": datetime.datetime.fromtimestamp(created, datetime.timezone.utc).strftime(
                "%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Tool: k8s-infra-offload-sbom.py"],
        },
        "packages": [image, *parts],
        "relationships": [
            related("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-image"),
            *(related("SPDXRef-image", "CONTAINS", part["SPDXID"]) for part in parts),
            *links,
        ],
    }
    pathlib.Path(options.out).write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
