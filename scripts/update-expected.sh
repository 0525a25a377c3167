#!/usr/bin/env bash
# Writes what the model forwards as the expected output of fixtures. Review the
# difference before you commit it: it is what the tests hold both dataplanes to.
#
#   scripts/update-expected.sh [FIXTURE ...]
set -euo pipefail
cd "$(dirname "$0")/.."
k8sdp=${K8SDP:-.build/debug/k8sdp}
[ -x "$k8sdp" ] || { echo "update-expected.sh: no $k8sdp; run make build" >&2; exit 2; }
[ $# -gt 0 ] || set -- Fixtures/*/
for fixture in "$@"; do
  [ -f "$fixture/state.yaml" ] || continue
  inputs=()
  for file in "$fixture"/in-port-*.pcap*; do
    port=${file##*in-port-}
    inputs+=(--in "${port%%.*}=$file")
  done
  out=$(mktemp -d)
  "$k8sdp" replay --dataplane model --state "$fixture/state.yaml" "${inputs[@]}" --out "$out/r" \
    > /dev/null
  rm -f "$fixture"/expect-port-*.pcapng
  for file in "$out"/r/port-*.pcapng; do
    [ -e "$file" ] && cp "$file" "$fixture/expect-$(basename "$file")"
  done
  rm -r "$out"
done
