#!/usr/bin/env bash
# check_node.sh PROGRAMS: node.sh from nothing to nothing, run by check.sh in namespaces of its own.
set -euo pipefail
case ${1:-} in '' | -h | --help) sed -n '2s/^# //p' "$0"; exit 0 ;; esac
here=$(cd "$(dirname "$0")" && pwd)
node() { "$here/node.sh" "$@" --no-systemd --dataplane model --programs "$programs"; }
programs=$1
trap 'node down' EXIT
node up
node demo
node up
node demo
# What is seen of it, by the socket of the node and with the agent's names.
k8sdp=/usr/local/bin/k8sdp
"$k8sdp" why demo-client demo:80 | tail -1
"$k8sdp" flows --service demo | grep -q demo-web || { echo "k8sdp flows shows no connection"; exit 1; }
"$k8sdp" top --once --interval 300ms | grep -q '^green' || { echo "k8sdp top is not green"; exit 1; }
# Each part may be gone for a while: killed, it is started again, and the Service answers.
for daemon in infrap4d inframanager infraagent; do
  pid=$(<"/run/infra-offload/$daemon.pid")
  kill -KILL "$pid"
  while grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$pid/status"; do sleep 0.1; done
  node up
  node demo
done
# The logs are where upstream has them, with each line once; one that is taken away is made again.
for log in /var/log/infrap4d.log /var/log/inframanager.log /var/log/infraagent/infraagent.log; do
  grep -q listening $log || { echo "$log does not say that it listens"; exit 1; }
  [ -z "$(sort $log | uniq -d)" ] || { echo "$log has lines twice"; exit 1; }
  [ "$(stat -L -c '%U %a' $log)" = "infra-offload 640" ] || { echo "$log is $(stat -L -c '%U %a' $log)"; exit 1; }
done
mv "$log" "$log.away"
kill -HUP "$(</run/infra-offload/infraagent.pid)"
for _ in $(seq 50); do ! grep -qs 'log level' "$log" || break; sleep 0.1; done
grep -q 'log level' "$log" || { echo "$log does not go on"; exit 1; }
node down
trap - EXIT
left=$(ip -o link show type tun; ls /run/netns; find /run /var/log /var/lib/cni /etc/infra /usr/share/stratum \
  -newer "$CHANGES/etc" -type f 2>/dev/null; find "$CHANGES" -path '*upper*' -type f -path '*infra*')
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
echo "node.sh: nothing was left behind"
