#!/usr/bin/env bash
# check_systemd.sh PROGRAMS: node.sh on a Debian 12 that systemd has booted, in a container of systemd-nspawn: the
# units as they are, kill -9 of each daemon, a reboot, nothing left. Needs root, mmdebstrap, systemd-container. Exit
# codes: 0 all well, 1 not, 3 systemd does not boot in a container on this machine.
set -euo pipefail
case ${1:-} in '' | -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;; esac
top=$(cd "$(dirname "$0")/../.." && pwd)
programs=$(realpath "$1")
fail() { echo "check_systemd.sh: $*" >&2; exit 1; }
work=$(mktemp -d)
root=$work/root
container=
finish() {
  local status=$?
  if [ $status -ne 0 ] && [ -n "$container" ]; then
    tail -5 "$work/console"
    inside journalctl --no-pager -n 30 -u infrap4d -u inframanager -u infraagent -u services-api || true
  fi
  [ -z "$container" ] || { kill "$container" 2>/dev/null; wait "$container" 2>/dev/null || true; }
  rm -rf --one-file-system "$work"
}
trap finish EXIT

mapfile -t packages < <(sed 's/#.*//; /^ *$/d' "$top"/deploy/images/*.packages)
# Swift's runtime, unless the programs have it in them.
runtime=$(ldd "$programs"/{infrap4d,infraagent} | awk '$3 ~ /swift/ { print $3 }' | xargs -r -n1 dirname | sort -u)
mmdebstrap --quiet --mode=root --variant=minbase \
  --include="systemd,systemd-sysv,dbus,iproute2,iputils-ping,curl,openssl,python3-yaml,containernetworking-plugins,$(IFS=,; echo "${packages[*]}")" \
  "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" "$root" >"$work/log" 2>&1 || fail "mmdebstrap: $(tail -3 "$work/log")"
mkdir -p "$root/checkout" "$root/programs"
cp -r "$top"/{deploy,scripts} "$root/checkout/"
for program in infrap4d inframanager infraagent infra-cni gnmi-ctl k8sdp arp-proxy; do
  cp "$programs/$program" "$root/programs/"
done
binds=()
for folder in $runtime; do binds+=("--bind-ro=$folder"); done

boot() {
  # No machine is registered: there may be no systemd outside.
  systemd-nspawn --quiet --boot --register=no --keep-unit --private-network --capability=all \
    --system-call-filter=bpf --directory="$root" --machine=infra-systemd --bind=/dev/net/tun \
    "${binds[@]}" </dev/null >"$work/console" 2>&1 &
  container=$!
}
leader() { pgrep -P "$container" 2>/dev/null | head -1; }
inside() { nsenter --target "$(leader)" --all env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"; }
until_so() { # WHAT SECONDS COMMAND…
  local what=$1 end=$((SECONDS + $2))
  shift 2
  until "$@" >/dev/null 2>&1; do
    kill -0 "$container" 2>/dev/null || fail "the container has ended: $(tail -3 "$work/console")"
    [ $SECONDS -lt $end ] || fail "$what: not so in time"
    sleep 0.2
  done
  echo "$what"
}
booted() { inside systemctl is-system-running | grep -qE 'running|degraded'; }
ready() {
  inside curl -sf --fail-early http://127.0.0.1:9560/readyz http://127.0.0.1:50096/check && inside /usr/local/bin/inframanager --check
}
asks() { inside /checkout/scripts/deploy/pod.sh exec demo-client curl -sf --max-time 2 http://10.96.0.80/; }
node() { inside /checkout/scripts/deploy/node.sh "$@" --programs /programs --dataplane model; }

boot
(until_so "systemd has booted" 60 booted) || exit 3
node up
node demo
units=(services-api infrap4d inframanager infraagent)
for unit in "${units[@]}"; do
  inside systemctl is-active --quiet "$unit" || fail "$unit is not active"
  pid=$(inside systemctl show --value --property MainPID "$unit")
  user=$(inside stat -c %U "/proc/$pid")
  echo "$unit: user $user, capabilities $(inside sed -n 's/^CapEff:\t//p' "/proc/$pid/status")"
  [ "$user" = infra-offload ] || fail "$unit runs as another user"
done
node up | tee "$work/again"
! grep -q 'starts again' "$work/again" || fail "units start again although nothing has changed"
for unit in "${units[@]}"; do
  inside systemctl kill --signal=KILL "$unit"
  until_so "$unit was killed, and systemd started it again" 20 \
    inside bash -c "[ \"\$(systemctl show --value --property NRestarts $unit)\" -ge 1 ] && systemctl is-active --quiet $unit"
  until_so "the node is ready" 30 ready
  until_so "the Service answers" 20 asks
done
inside systemctl reboot || true
wait "$container" || true
boot
until_so "systemd has booted again" 60 booted
until_so "the node is ready without a hand" 60 ready
node up | tee "$work/again"
! grep -q 'starts again' "$work/again" || fail "units start again after a reboot although nothing has changed"
node demo
inside /checkout/scripts/deploy/node.sh down
left=$(inside bash -c 'ls /etc/systemd/system/*.wants/ /etc/systemd/system | grep -E "infra|services-api"; ip -o link show type tun; ls /run/netns
  find /etc/infra /run/infra-offload /run/infrap4d /run/services-api /run/infra-cni /var/log/infra* /var/lib/cni /usr/share/stratum -type f' 2>/dev/null || true)
[ -z "$left" ] || fail "left behind: $left"
echo "nothing was left behind"
