#!/usr/bin/env bash
# Builds the P4Runtime client and server of Tests/InteropTests/Cxx on the system's libgrpc++
# and libprotobuf, with code generated from P4Runtime's descriptors.
#
# usage: cxx.sh FOLDER
# Exit code 3: something is not installed; it is named on the standard output.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$1
sources=Tests/InteropTests/Cxx

missing=()
for program in g++ make pkg-config protoc grpc_cpp_plugin python3; do
  command -v "$program" >/dev/null || missing+=("$program")
done
if command -v pkg-config >/dev/null; then
  for library in grpc++ protobuf; do
    pkg-config --exists "$library" || missing+=("$library")
  done
fi
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
  echo "not installed: ${missing[*]}"
  exit 3
fi

mkdir -p "$folder"
# One at a time: tests of several processes may want it.
exec 9>"$folder/lock"
flock 9
scripts/protos/descriptors.sh "$folder"
make -s -f "$sources/Makefile" SOURCES="$sources" FOLDER="$folder"
