#!/usr/bin/env bash
# check_interfaces.sh PROGRAMS: create_interfaces.sh and arp_proxy.sh, run by check.sh in namespaces of its own.
set -euo pipefail
case ${1:-} in '' | -h | --help) sed -n '2s/^# //p' "$0"; exit 0 ;; esac
here=$(cd "$(dirname "$0")" && pwd)
scripts=$(dirname "$here")
INFRA_BIN=$(realpath "$1")
export INFRA_BIN
PATH=$INFRA_BIN:$PATH
fail() { echo "$*"; exit 1; }
refuses() { # TEXT COMMAND…
  local text=$1 said
  shift
  if said=$("$@" 2>&1); then fail "$*: is taken"; fi
  grep -q -- "$text" <<<"$said" || fail "$*: $said"
}
create() { "$scripts/create_interfaces.sh" "$@" --dataplane model; }
proxy() { "$scripts/arp_proxy.sh" "$@"; }
# links: name, MTU and whether it is up, of each TAP of the pipeline.
links() { ip -o link show type tun | sed -n 's/^[0-9]*: \(P4TAP_[0-9]*\): <\([^>]*\)> mtu \([0-9]*\).*/\1 \3 \2/p' | sort; }
trap '"$here/node.sh" down --no-systemd' EXIT

for count in 1 1025 many; do refuses "give how many interfaces" create $count; done
refuses "there is no P4TAP_0" proxy
[ ! -e /run/netns/pod0 ] || fail "what is refused makes pod0"

create 4 --mtu 1400
[ "$(links | grep -c '^P4TAP_[0-3] 1400 .*,UP')" -eq 4 ] || fail "after create_interfaces.sh 4 --mtu 1400: $(links)"
for i in 0 1 2 3; do
  gnmi-ctl get "device:virtual-device,name:P4TAP_$i,tdi-portin-id" | grep -q "[^0-9]$i\$" || fail "P4TAP_$i is not port $i"
done
before=$(links; cat /run/infra-offload/infrap4d.pid)
create 4 --mtu 1400 | grep "4 interfaces are there, P4TAP_0 to P4TAP_3; 0 of them are new"
[ "$before" = "$(links; cat /run/infra-offload/infrap4d.pid)" ] || fail "create_interfaces.sh again changes what is there"
create 6 --mtu 1300 | grep "; 2 of them are new"
[ "$(links | grep -c '^P4TAP_[0-5] 1300 .*,UP')" -eq 6 ] || fail "another --mtu is not followed: $(links)"

proxy
ip -n pod0 -4 addr show P4TAP_0 | grep -q 'inet 169.254.1.1/16' || fail "P4TAP_0 has no address in pod0"
pid=$(</run/arp_proxy.pid)
cmp "/proc/$pid/exe" "$INFRA_BIN/arp-proxy" || fail "arp-proxy does not run"
[ "$(ip netns identify "$pid")" = pod0 ] || fail "arp-proxy is not in pod0"
proxy | grep "arp-proxy runs"
[ "$pid" = "$(</run/arp_proxy.pid)" ] || fail "arp_proxy.sh again starts another"
create 6 --mtu 1300 | grep "; 0 of them are new"
proxy --stop | grep "stopped arp-proxy"
! grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$pid/status" || fail "arp-proxy goes on"
[ ! -e /run/netns/pod0 ] || fail "pod0 is left"
links | grep -q P4TAP_0 || fail "P4TAP_0 is not back"
proxy --stop
# One that says nothing has not started, whatever an earlier one has said; nor has one that ends.
mkdir "$CHANGES/mute"
printf '#!/bin/sh\nexec sleep 60\n' >"$CHANGES/mute/arp-proxy"
chmod +x "$CHANGES/mute/arp-proxy"
INFRA_BIN=$CHANGES/mute refuses "does not answer after 5 s" proxy
[ ! -e /run/arp_proxy.pid ] || fail "one that does not answer is left"
printf '#!/bin/sh\nexit 3\n' >"$CHANGES/mute/arp-proxy"
INFRA_BIN=$CHANGES/mute refuses "arp-proxy ended" proxy
proxy --stop
proxy --no-start
[ -e /run/netns/pod0 ] || fail "--no-start makes no pod0"
[ ! -e /run/arp_proxy.pid ] || fail "--no-start starts"
proxy --stop

# A node takes over what root's infrap4d has left.
"$here/node.sh" up --no-systemd --dataplane model --programs "$INFRA_BIN"
trap - EXIT
"$here/node.sh" down --no-systemd
left=$(links; ls /run/netns; find /var/log -name '*infra*' -o -name 'arp_proxy*')
[ -z "$left" ] || fail "left behind: $left"
