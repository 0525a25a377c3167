#!/usr/bin/env python3
"""Services without Kubernetes: serves infraagent what it asks of a Kubernetes API, from files.

    services_api.py --folder /etc/infra/services --node NAME --pods CIDR [--listen 127.0.0.1:6444]
                    [--kubeconfig FILE]

The folder has Services and EndpointSlices as kubectl would take them (*.yaml, several documents a
file). A file that is added, changed or removed is noticed within a second. --kubeconfig writes the
file that infraagent's setting `kubeconfig` is to name. A file that cannot be read is named on standard
error, and what was known stays.
"""

import argparse
import http.server
import json
import pathlib
import socketserver
import sys
import threading
import time
import urllib.parse

import yaml

KINDS = {
    "/api/v1/services": ("v1", "Service"),
    "/api/v1/nodes": ("v1", "Node"),
    "/apis/discovery.k8s.io/v1/endpointslices": ("discovery.k8s.io/v1", "EndpointSlice"),
}


class World:
    """What the files say, and a number that goes up when that changes."""

    def __init__(self, folder, node):
        self.folder, self.node = pathlib.Path(folder), node
        self.changed = threading.Condition()
        self.version, self.stamp, self.objects = 0, None, []
        self.read()

    def read(self):
        files = sorted(self.folder.glob("*.y*ml"))
        stamp = [(f.name, f.stat().st_mtime_ns, f.stat().st_size) for f in files]
        if stamp == self.stamp:
            return
        self.stamp = stamp
        try:
            objects = [self.node]
            for file in files:
                for document in yaml.safe_load_all(file.read_text()):
                    if document:
                        objects.append(self.completed(document, file))
        except (yaml.YAMLError, ValueError, OSError) as error:
            print(f"services_api.py: {error}", file=sys.stderr, flush=True)
            return
        with self.changed:
            self.version += 1
            self.objects = objects
            self.changed.notify_all()

    def completed(self, document, file):
        metadata = document.get("metadata") or {}
        if (document.get("apiVersion"), document.get("kind")) not in KINDS.values():
            raise ValueError(f"{file}: {document.get('kind')} is neither Service nor EndpointSlice")
        if not metadata.get("name"):
            raise ValueError(f"{file}: a {document['kind']} has no metadata.name")
        metadata.setdefault("namespace", "default")
        metadata.setdefault("uid", f"{document['kind']}-{metadata['namespace']}-{metadata['name']}")
        metadata["resourceVersion"] = str(self.version + 1)
        return document | {"metadata": metadata}

    def follow(self):
        while True:
            time.sleep(1)
            self.read()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world = None

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        data = json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        url = urllib.parse.urlparse(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path not in KINDS:
            return self.answer(404, status(404, "NotFound", f"{url.path} is not served"))
        version, kind = KINDS[url.path]
        world = self.world
        if "watch" not in query:
            with world.changed:
                items = [o for o in world.objects if o["kind"] == kind]
                return self.answer(200, {
                    "apiVersion": version, "kind": f"{kind}List", "items": items,
                    "metadata": {"resourceVersion": str(world.version)}})
        # What came after a list is another list: 410 asks for it.
        with world.changed:
            world.changed.wait_for(
                lambda: str(world.version) != query.get("resourceVersion"),
                timeout=min(float(query.get("timeoutSeconds", 60)), 600))
            changed = str(world.version) != query.get("resourceVersion")
        if changed:
            return self.answer(410, status(410, "Expired", "the files have changed"))
        return self.answer(200, {
            "type": "BOOKMARK",
            "object": {
                "apiVersion": version, "kind": kind,
                "metadata": {"name": "", "resourceVersion": query["resourceVersion"]}}})


def status(code, reason, message):
    return {
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": reason,
        "message": message}


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # http.server's asks DNS for the name of its address, for as long as DNS takes.
    server_bind = socketserver.TCPServer.server_bind


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--node", required=True)
    parser.add_argument("--pods", required=True)
    parser.add_argument("--listen", default="127.0.0.1:6444")
    parser.add_argument("--kubeconfig")
    options = parser.parse_args()
    host, _, port = options.listen.rpartition(":")
    Handler.world = World(options.folder, {
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": options.node, "uid": "node", "resourceVersion": "1"},
        "spec": {"podCIDR": options.pods, "podCIDRs": [options.pods]}})
    try:
        server = Server((host, int(port)), Handler)
    except (OSError, ValueError) as error:
        sys.exit(f"services_api.py: {options.listen}: {error}; give another --listen")
    if options.kubeconfig:
        pathlib.Path(options.kubeconfig).write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "files",
            "clusters": [{"name": "files", "cluster": {"server": f"http://{options.listen}"}}],
            "contexts": [{"name": "files", "context": {"cluster": "files", "user": "nobody"}}],
            "users": [{"name": "nobody", "user": {}}]}))
    threading.Thread(target=Handler.world.follow, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
