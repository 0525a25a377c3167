#!/usr/bin/env bash
# Writes the descriptors of P4Runtime and gNMI, p4runtime.ds and gnmi.ds, from their
# published Python packages.
#
# usage: descriptors.sh FOLDER
set -euo pipefail
here=$(dirname "$0")
work=$1

mkdir -p "$work"
packages=(p4runtime==1.4.1 pygnmi==0.8.15 protobuf==3.20.3)
stamp="$work/${packages[*]}"
[ -f "$stamp" ] && exit
# Whole or not at all.
rm -rf "$work/venv"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "${packages[@]}"
"$work/venv/bin/python" "$here/descriptors.py" "$work/p4runtime.ds" p4.v1.p4runtime_pb2
"$work/venv/bin/python" "$here/descriptors.py" "$work/gnmi.ds" pygnmi.spec.v080.gnmi_pb2
touch "$stamp"
