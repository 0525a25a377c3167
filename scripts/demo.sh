#!/usr/bin/env bash
# Replays one fixture through both dataplanes, compares them and explains it.
#
#   scripts/demo.sh K8SDP FIXTURE OUT
set -euo pipefail
k8sdp=${1:?the program}
fixture=${2:?a folder of Fixtures}
out=${3:?a folder to write to}

inputs=()
for file in "$fixture"/in-port-*.pcap*; do
  port=${file##*in-port-}
  inputs+=(--in "${port%%.*}=$file")
done
mkdir -p "$out"

echo "== What happens to the first frames (the model, table by table)"
# The reader of a long trace may leave early.
"$k8sdp" trace --state "$fixture/state.yaml" "${inputs[@]}" > "$out/trace.txt"
sed -n '1,60p' "$out/trace.txt"
echo
echo "== The same capture through the Swift model and through DPDK"
"$k8sdp" compare --state "$fixture/state.yaml" "${inputs[@]}" --report "$out/report.html"
"$k8sdp" replay --dataplane dpdk --state "$fixture/state.yaml" "${inputs[@]}" \
  --out "$out/replay" --annotate
echo
echo "The whole trace: $out/trace.txt; the report: $out/report.html; for Wireshark: $out/replay/port-*.pcapng"
