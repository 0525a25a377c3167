#!/usr/bin/env bash
# Compiles k8s_dp.p4 into everything a host loads, and records what from what.
# Needs p4c-dpdk v1.2.4.0 on the PATH; only who changes k8s_dp.p4 needs it.
#
#   P4INCLUDE=/usr/share/p4c/p4include k8s_dp/compile.sh
set -euo pipefail
cd "$(dirname "$0")"
include=${P4INCLUDE:-/usr/share/p4c/p4include}
command -v p4c-dpdk >/dev/null || { echo "compile.sh: no p4c-dpdk on the PATH" >&2; exit 2; }
[ -f "$include/dpdk/pna.p4" ] || { echo "compile.sh: no $include/dpdk/pna.p4; set P4INCLUDE" >&2; exit 2; }

# The compiler records its command line: through a link it is the same everywhere.
ln -sfn "$include" p4include
trap 'rm -f p4include' EXIT

# The dpdk folder first: the generic pna.p4 knows no hash algorithms.
p4c-dpdk --arch pna -I p4include/dpdk -I p4include \
  --p4runtime-files p4Info.txt --bf-rt-schema tdi.json --context context.json \
  -o k8s_dp.spec k8s_dp.p4
# The same source gives the same bytes, whenever it is compiled.
sed -i 's/\("build_date" : \)"[^"]*"/\1"Thu Jan  1 00:00:00 1970"/' context.json
# Upstream's driver takes no pipeline with an extern that has no type, and asks nothing of a hash.
python3 - <<'END'
import json, pathlib
file = pathlib.Path("context.json")
context = json.loads(file.read_text())
context["externs"] = [extern for extern in context["externs"] if extern["attributes"]]
file.write_text(json.dumps(context, indent=2, separators=(",", " : ")) + "\n")
END
# The compiler gives all programs the same eight timers, and no way to choose: profile 3 is
# TIMER_TCP_STALE, 1 s.
awk '/^\ttimeout \{/ { n = NR } n && NR == n + 4 { sub(/[0-9]+/, "1") } { print }' k8s_dp.spec \
  > k8s_dp.spec.new
mv k8s_dp.spec.new k8s_dp.spec
python3 pack.py
sha256sum k8s_dp.p4 k8s_dp.spec p4Info.txt context.json tdi.json k8s_dp.conf k8s_dp.pb.bin \
  > artefacts.sha256
echo "compile.sh: wrote k8s_dp.spec p4Info.txt context.json tdi.json k8s_dp.pb.bin artefacts.sha256"
