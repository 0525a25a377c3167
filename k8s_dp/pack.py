#!/usr/bin/env python3
"""Packs the compiler's output into k8s_dp.pb.bin, the P4 device config.

The message is stratum.hal.tdi.BfPipelineConfig: 1 p4_name, 2 bfruntime_info,
3 Profile {1 profile_name, 2 context, 3 binary, 4 pipe_scope}.
"""
from pathlib import Path


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def pack(name, spec, context=b"", tdi=b""):
    profile = field(1, b"pipe") + field(2, context) + field(3, spec) + field(4, bytes([0, 1, 2, 3]))
    return field(1, name.encode()) + field(2, tdi) + field(3, profile)


if __name__ == "__main__":
    here = Path(__file__).parent
    (here / "k8s_dp.pb.bin").write_bytes(pack("k8s_dp", *(
        (here / name).read_bytes() for name in ("k8s_dp.spec", "context.json", "tdi.json"))))
