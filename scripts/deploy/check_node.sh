#!/usr/bin/env bash
# check_node.sh PROGRAMS: node.sh from nothing to nothing, run by check.sh in namespaces of its own.
set -euo pipefail
case ${1:-} in '' | -h | --help) sed -n '2s/^# //p' "$0"; exit 0 ;; esac
here=$(cd "$(dirname "$0")" && pwd)
original=$1
programs=$1 dataplane=model pods=10.244.0.0/24
systemd=--no-systemd
# shellcheck disable=SC2086 # an option or none
node() { "$here/node.sh" "$@" $systemd --dataplane $dataplane --pods $pods --programs "$programs"; }
pid_of() { cat "/run/infra-offload/$1.pid"; }
pids() { cat /run/infra-offload/{infrap4d,inframanager,infraagent,services-api}.pid; }
fail() { echo "$*"; exit 1; }
nothing_is_left() {
  local left
  left=$(ip -o link show type tun; ls /run/netns; find /run /var/log /var/lib/cni /etc/infra /usr/share/stratum \
    -newer "$CHANGES/etc" -type f 2>/dev/null; find "$CHANGES" -path '*upper*' -type f -path '*infra*')
  [ -z "$left" ] || fail "left behind: $left"
}
trap 'node down' EXIT
node up
node demo
node up
node demo
# What is seen of it, by the socket of the node and with the agent's names.
k8sdp=/usr/local/bin/k8sdp
"$k8sdp" why demo-client demo:80 | tail -1
"$k8sdp" flows --service demo | grep -q demo-web || fail "k8sdp flows shows no connection"
"$k8sdp" top --once --interval 300ms | grep -q '^green' || fail "k8sdp top is not green"
# Each part may be gone for a while: killed, it is started again, and the Service answers.
for daemon in infrap4d inframanager infraagent; do
  pid=$(pid_of $daemon)
  kill -KILL "$pid"
  while grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$pid/status"; do sleep 0.1; done
  node up
  node demo
done
# Nothing is new: nothing starts again. Other programs and other options are what runs afterwards.
before=$(pids)
node up
[ "$before" = "$(pids)" ] || fail "daemons start again although nothing has changed"
newer=$CHANGES/newer
mkdir "$newer"
ln -s "$(realpath "$programs")"/{infra-cni,gnmi-ctl,k8sdp,arp-proxy} "$newer"
for daemon in infrap4d inframanager infraagent; do
  cp "$(realpath "$programs")/$daemon" "$newer"
  echo newer >>"$newer/$daemon"
done
programs=$newer
node up
for daemon in infrap4d inframanager infraagent; do
  cmp "/proc/$(pid_of $daemon)/exe" "$newer/$daemon" || fail "the old $daemon runs on"
done
node demo
before=$(pid_of inframanager)
dataplane=dpdk
node up
tr '\0' ' ' <"/proc/$(pid_of infrap4d)/cmdline" | grep -q -- '--dataplane dpdk' || fail "--dataplane is not followed"
[ "$before" = "$(pid_of inframanager)" ] || fail "another --dataplane starts inframanager again"
node demo
dataplane=model pods=10.245.0.0/24
node up
address=$("$here/pod.sh" add another)
[[ $address = 10.245.0.* ]] || fail "--pods is not followed: a pod has $address"
ip route get "$address" | grep -q P4TAP_1 || fail "the host does not reach pods of another --pods"
"$here/pod.sh" del another
# The logs are where upstream has them, with each line once; one that is taken away is made again.
for log in /var/log/infrap4d.log /var/log/inframanager.log /var/log/infraagent/infraagent.log; do
  grep -q listening $log || fail "$log does not say that it listens"
  [ -z "$(sort $log | uniq -d)" ] || fail "$log has lines twice"
  [ "$(stat -L -c '%U %a' $log)" = "infra-offload 640" ] || fail "$log is $(stat -L -c '%U %a' $log)"
done
mv "$log" "$log.away"
kill -HUP "$(pid_of infraagent)"
for _ in $(seq 50); do ! grep -qs 'log level' "$log" || break; sleep 0.1; done
grep -q 'log level' "$log" || fail "$log does not go on"
node down
nothing_is_left

# The same where systemd has the daemons: a stand-in starts what the units say.
export FAKE_SYSTEMD=$CHANGES/systemd
mkdir -p "$FAKE_SYSTEMD/bin" /run/systemd/system
ln -s "$here/fake_systemctl.sh" "$FAKE_SYSTEMD/bin/systemctl"
PATH=$FAKE_SYSTEMD/bin:$PATH
restarts() { # what a command restarts, in one line
  : >"$FAKE_SYSTEMD/calls"
  "$@" >&2
  sed -n 's/^restart //p' "$FAKE_SYSTEMD/calls" | paste -sd' '
}
systemd='' programs=$original pods=10.244.0.0/24
[ "$(restarts node up)" = "services-api infrap4d inframanager infraagent" ] || fail "systemd does not start all"
node demo
[ -z "$(restarts node up)" ] || fail "systemd restarts what has not changed"
programs=$newer
[ "$(restarts node up)" = "infrap4d inframanager infraagent" ] || fail "systemd lets old programs run on"
pods=10.245.0.0/24
[ "$(restarts node up)" = "services-api infraagent" ] || fail "systemd does not follow --pods"
node demo
node down
nothing_is_left
trap - EXIT
echo "node.sh: nothing was left behind"
