#!/usr/bin/env bash
# Starts infrap4d and makes TAPs for the proxy, the host and pods: upstream's script, by its name and
# argument.
set -euo pipefail

usage() {
  cat <<'TEXT'
create_interfaces.sh <max_ifs> [--dataplane dpdk|model] [--mtu BYTES]

Makes the TAPs P4TAP_0 (arp-proxy) to P4TAP_<max_ifs - 1>, each at the port of its number, with a
pipeline that runs. What is there stays: the certificates, an infrap4d that serves, TAPs. max_ifs is 2 to
1024 and need not be a power of two. infraagent makes the TAPs it needs by itself: this script is for
those who want them before.

  --dataplane   of an infrap4d that has to be started (dpdk)
  --mtu         bytes of an IP packet (1280, as upstream's)

infrap4d and gnmi-ctl are taken from $INFRA_BIN, else .build/release of this checkout, else the PATH.
Its log is /var/log/infrap4d.log. Needs root. Exit codes: 0 all is there, 1 not, 2 bad arguments.
TEXT
}
say() { echo "create_interfaces.sh: $*"; }
fail() { echo "create_interfaces.sh: $1" >&2; exit "${2:-1}"; }

top=$(cd "$(dirname "$0")/.." && pwd)
count='' dataplane=dpdk mtu=1280
while [ $# -gt 0 ]; do
  case $1 in
    --dataplane | --mtu)
      [ $# -ge 2 ] || fail "$1 needs a value; see --help" 2
      declare "${1#--}=$2"
      shift 2
      ;;
    -h | --help) usage; exit 0 ;;
    *)
      [ -z "$count" ] || fail "$1 is one argument too many; see --help" 2
      count=$1
      shift
      ;;
  esac
done
if ! [[ $count =~ ^[0-9]{1,4}$ ]] || [ "$count" -lt 2 ] || [ "$count" -gt 1024 ]; then
  fail "give how many interfaces, 2 to 1024; see --help" 2
fi
[ "$(id -u)" -eq 0 ] || fail "TAPs need root; run with sudo"
[ -c /dev/net/tun ] || fail "there is no /dev/net/tun; modprobe tun"
PATH=${INFRA_BIN:-$top/.build/release}:$PATH
for program in infrap4d gnmi-ctl; do
  command -v $program >/dev/null || fail "there is no $program; make programs, or name its folder in INFRA_BIN"
done

"$top/scripts/tls/gen_certs.sh"

serves() { (exec 3<>/dev/tcp/127.0.0.1/9339) 2>/dev/null; }
if serves; then
  say "infrap4d serves already"
else
  # shellcheck disable=SC2094 # it sees that both are one file
  setsid infrap4d --dataplane "$dataplane" --listen 127.0.0.1:9559 --listen 127.0.0.1:9339 \
    --log-file /var/log/infrap4d.log </dev/null >>/var/log/infrap4d.log 2>&1 &
  pid=$!
  # Where scripts/deploy/node.sh down looks.
  install -d /run/infra-offload
  echo $pid >/run/infra-offload/infrap4d.pid
  for _ in $(seq 100); do
    serves && break
    kill -0 $pid 2>/dev/null || fail "infrap4d ended: $(tail -n 1 /var/log/infrap4d.log)"
    sleep 0.1
  done
  serves || fail "infrap4d does not serve after 10 s; see /var/log/infrap4d.log"
  say "started infrap4d ($pid) with --dataplane $dataplane"
fi

made=0
for ((i = 0; i < count; i++)); do
  tap=P4TAP_$i
  id=$(gnmi-ctl get "device:virtual-device,name:$tap,tdi-portin-id" 2>/dev/null | grep -o '[0-9]*$' || true)
  if [ -z "$id" ]; then
    gnmi-ctl set "device:virtual-device,name:$tap,pipeline-name:pipe,mempool-name:MEMPOOL0,mtu:$mtu,port-type:TAP" \
      >/dev/null || fail "$tap cannot be made; see /var/log/infrap4d.log"
    made=$((made + 1))
  fi
  # One that is in a pod is up there.
  if ip link show "$tap" >/dev/null 2>&1; then ip link set "$tap" mtu "$mtu" up; fi
done
say "$count interfaces are there, P4TAP_0 to P4TAP_$((count - 1)); $made of them are new"
