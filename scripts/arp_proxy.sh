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

  --no-start   leaves the program to arp-proxy.service, which node.sh up installs: systemctl enable --now arp-proxy
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
    for _ in $(seq 50); do alive || break; sleep 0.1; done
    if alive; then
      kill -KILL "$(<$file)"
      say "arp-proxy did not stop within 5 s and was killed"
    else
      say "stopped arp-proxy"
    fi
  fi
  rm -f $file
  if [ -d /run/systemd/system ] && systemctl is-active --quiet arp-proxy; then
    systemctl stop arp-proxy
    say "systemd stopped arp-proxy"
  fi
  if [ -e /run/netns/$namespace ]; then
    if ip -n $namespace link show $tap >/dev/null 2>&1; then ip -n $namespace link set $tap netns $$; fi
    ip netns del $namespace
    say "removed the namespace $namespace; $tap is back"
  fi
  exit 0
fi

if ! ip -n $namespace link show $tap >/dev/null 2>&1; then
  ip link show $tap >/dev/null 2>&1 || fail "there is no $tap; run scripts/create_interfaces.sh first"
  [ -e /run/netns/$namespace ] || { ip netns add $namespace && say "made the namespace $namespace"; }
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
log=/var/log/arp_proxy.log
# What an earlier one has said is no answer of this one.
before=$(stat -c %s $log 2>/dev/null || echo 0)
# shellcheck disable=SC2094 # it sees that both are one file
ARP_PROXY_IF=$tap LOG_FILE=$log setsid ip netns exec $namespace arp-proxy </dev/null >>$log 2>&1 &
echo $! >$file
for _ in $(seq 50); do
  if tail -c "+$((before + 1))" $log | grep -q answering; then
    say "started arp-proxy; its log is $log"
    exit 0
  fi
  alive || fail "arp-proxy ended: $(tail -n 1 $log)"
  sleep 0.1
done
kill "$(<$file)"
rm -f $file
fail "arp-proxy does not answer after 5 s; see $log"
