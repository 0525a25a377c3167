"""Writes the file descriptors of generated Python modules, with all they import.

usage: descriptors.py OUT MODULE…
"""

import importlib
import sys

from google.protobuf import descriptor_pb2


def add(files, seen, descriptor):
    if descriptor.name in seen:
        return
    seen.add(descriptor.name)
    for imported in descriptor.dependencies:
        add(files, seen, imported)
    files.file.add().ParseFromString(descriptor.serialized_pb)


def main(out, *modules):
    files, seen = descriptor_pb2.FileDescriptorSet(), set()
    for module in modules:
        add(files, seen, importlib.import_module(module).DESCRIPTOR)
    with open(out, "wb") as target:
        target.write(files.SerializeToString())


main(*sys.argv[1:])
