#!/usr/bin/env bash
# Compiles border.p4 into what tests push. Needs p4c-dpdk v1.2.4.0 on the PATH; only who
# changes the program needs it.
#
#   P4INCLUDE=/usr/share/p4c/p4include Tests/TestPrograms/compile.sh
set -euo pipefail
cd "$(dirname "$0")"
include=${P4INCLUDE:-/usr/share/p4c/p4include}
command -v p4c-dpdk >/dev/null || { echo "compile.sh: no p4c-dpdk on the PATH" >&2; exit 2; }
p4c-dpdk --arch psa -I "$include/dpdk" -I "$include" \
  --p4runtime-files border.p4info.txt -o border.spec border.p4
sha256sum border.p4 border.spec border.p4info.txt > artefacts.sha256
echo "compile.sh: wrote border.spec border.p4info.txt artefacts.sha256"
