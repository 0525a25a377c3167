#!/usr/bin/env bash
# Answers ARP for the pods' gateway on port 0, in the namespace pod0: upstream's script, by its name.
set -euo pipefail

usage() {
  cat <<'TEXT'
arp_proxy.sh [--no-start]
arp_proxy.sh --stop

Moves P4TAP_0 into the network namespace pod0 with 169.254.1.1/16, and starts arp-proxy there. What is so
already stays. It is needed only where the host does not answer for the gateway itself, which is the
default: start inframanager with --set InfraManager.arp-mac=MAC, with the MAC that this script prints.

  --no-start   leaves the program to arp-proxy.service
  --stop       stops it, and removes the namespace; P4TAP_0 goes back

arp-proxy is taken from $INFRA_BIN, else .build/release of this checkout, else the PATH. Its log is
/var/log/arp_proxy.log. Needs root. Exit codes: 0 done, 1 not, 2 bad arguments.
TEXT
}
say() { echo "arp_proxy.sh: $*"; }
fail() { echo "arp_proxy.sh: $1" >&2; exit "${2:-1}"; }

top=$(cd "$(dirname "$0")/.." && pwd)
namespace=pod0 tap=P4TAP_0 gateway=169.254.1.1 file=/run/arp_proxy.pid start=true stop=false
while [ $# -gt 0 ]; do
  case $1 in
    --no-start) start=false ;;
    --stop) stop=true ;;
    -h | --help) usage; exit 0 ;;
    *) fail "$1 is no option; see --help" 2 ;;
  esac
  shift
done
[ "$(id -u)" -eq 0 ] || fail "namespaces need root; run with sudo"
alive() { [ -s $file ] && grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$(<$file)/status"; }

if [ $stop = true ]; then
  if alive; then
    kill "$(<$file)"
    say "stopped arp-proxy"
  fi
  rm -f $file
  if [ -e /run/netns/$namespace ]; then
    if ip -n $namespace link show $tap >/dev/null 2>&1; then ip -n $namespace link set $tap netns $$; fi
    ip netns del $namespace
    say "removed the namespace $namespace; $tap is back"
  fi
  exit 0
fi

[ -e /run/netns/$namespace ] || { ip netns add $namespace && say "made the namespace $namespace"; }
if ! ip -n $namespace link show $tap >/dev/null 2>&1; then
  ip link show $tap >/dev/null 2>&1 || fail "there is no $tap; run scripts/create_interfaces.sh first"
  ip link set $tap netns $namespace
  say "moved $tap into $namespace"
fi
ip -n $namespace link set lo up
ip -n $namespace addr replace $gateway/16 dev $tap
ip -n $namespace link set $tap up
ip -n $namespace route replace default dev $tap scope link
mac=$(ip -n $namespace -o link show $tap | sed -n 's/.*link\/ether \([0-9a-f:]*\).*/\1/p')
say "$tap has $gateway/16; for inframanager: --set InfraManager.arp-mac=$mac"
[ $start = true ] || exit 0
if alive; then
  say "arp-proxy runs"
  exit 0
fi
PATH=${INFRA_BIN:-$top/.build/release}:$PATH
command -v arp-proxy >/dev/null || fail "there is no arp-proxy; make programs, or name its folder in INFRA_BIN"
# shellcheck disable=SC2094 # it sees that both are one file
ARP_PROXY_IF=$tap LOG_FILE=/var/log/arp_proxy.log setsid ip netns exec $namespace arp-proxy </dev/null >>/var/log/arp_proxy.log 2>&1 &
echo $! >$file
for _ in $(seq 50); do
  alive || fail "arp-proxy ended: $(tail -n 1 /var/log/arp_proxy.log)"
  if grep -q answering /var/log/arp_proxy.log; then break; fi
  sleep 0.1
done
say "started arp-proxy; its log is /var/log/arp_proxy.log"
