#!/usr/bin/env python3
"""Writes the bill of materials of an image, SPDX 2.3 as JSON: Debian packages, Swift packages,
programs.

    sbom.py --image NAME --packages FILE --programs DIR --resolved Package.resolved --out FILE
"""

import argparse
import datetime
import hashlib
import json
import os
import pathlib
import urllib.parse


def checksum(path):
    return {"algorithm": "SHA256", "checksumValue": hashlib.sha256(path.read_bytes()).hexdigest()}


def package(identity, name, version, purl, **more):
    return {
        "SPDXID": f"SPDXRef-{identity}",
        "name": name,
        "versionInfo": version,
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
            f"deb-{identifier(name)}", name, version, purl, supplier="Organization: Debian",
            sourceInfo=f"built from Debian source package {source}",
            checksums=[{"algorithm": "SHA256", "checksumValue": digest}])


def swift(resolved):
    for pin in json.loads(resolved.read_text())["pins"]:
        location, state = pin["location"], pin["state"]
        version = state.get("version", state["revision"])
        where = urllib.parse.urlparse(location)
        path = f"{where.netloc}{where.path}".removesuffix(".git")
        yield package(
            f"swift-{identifier(pin['identity'])}", pin["identity"], version,
            f"pkg:swift/{path}@{version}", downloadLocation=f"git+{location}@{state['revision']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ["image", "packages", "programs", "resolved", "out"]:
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    image = package(
        "image", options.image, "0", f"pkg:oci/{options.image}", primaryPackagePurpose="CONTAINER")
    parts = [*debian(open(options.packages)), *swift(pathlib.Path(options.resolved))]
    files = [
        {
            "SPDXID": f"SPDXRef-program-{identifier(path.name)}",
            "fileName": f"./usr/bin/{path.name}",
            "checksums": [checksum(path)],
        }
        for path in sorted(pathlib.Path(options.programs).iterdir())
        if path.is_file() and not path.is_symlink()
    ]
    # The same parts are the same document.
    content = hashlib.sha256(json.dumps([parts, files]).encode()).hexdigest()
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
        "files": files,
        "relationships": [
            {
                "spdxElementId": "SPDXRef-DOCUMENT",
                "relationshipType": "DESCRIBES",
                "relatedSpdxElement": "SPDXRef-image",
            },
            *(
                {
                    "spdxElementId": "SPDXRef-image",
                    "relationshipType": "CONTAINS",
                    "relatedSpdxElement": part["SPDXID"],
                }
                for part in parts + files
            ),
        ],
    }
    pathlib.Path(options.out).write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
