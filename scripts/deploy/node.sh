#!/usr/bin/env bash
# A node without Kubernetes: infrap4d, inframanager and infraagent, and pods by infra-cni.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

usage() {
  cat <<'TEXT'
node.sh up [--programs DIR] [--dataplane dpdk|model] [--pods CIDR] [--no-systemd]
node.sh demo      two pods, a Service between them, and what comes through it
node.sh status    what runs, and what /check says
node.sh down      stops and removes all of it: programs, state, logs, certificates, TAPs, sockets

  --programs DIR   the programs, built (.build/release of this checkout)
  --dataplane      dpdk, or model, which needs no DPDK (dpdk)
  --pods CIDR      addresses of pods (10.244.0.0/24)
  --no-systemd     processes of this script's, for machines where systemd does not run

Every step may have been done before. up with other programs or options changes what is there, and starts
again the daemons that have changed, and only those. Needs root.
TEXT
}
say() { echo "node.sh: $*"; }
fail() { echo "node.sh: $1" >&2; exit "${2:-1}"; }

daemons=(infrap4d inframanager infraagent)
# With what stands for Kubernetes.
units=(services-api "${daemons[@]}")
programs=("${daemons[@]}" infra-cni gnmi-ctl k8sdp arp-proxy)
user=infra-offload
run=/run/infra-offload
# What daemons were started from: units come back after a reboot as they were.
stamps=/var/lib/infra-offload
kubeconfig=/run/services-api/kubeconfig
certs=/usr/share/stratum/certs
# Names of the standard plugins that were put beside infra-cni.
installed=/opt/cni/bin/.infra-cni

# capabilities DAEMON: those of its unit, as setpriv names them.
capabilities() {
  sed -n 's/^AmbientCapabilities=//p' "$top/deploy/systemd/$1.service" | tr 'A-Z ' 'a-z\n' |
    sed 's/^cap_//'
}

# A process that has ended and that nobody has waited for is not alive.
alive() { [ -s "$run/$1.pid" ] && grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$(<"$run/$1.pid")/status"; }

# log_of NAME: its file, where upstream has it.
log_of() { if [ "$1" = infraagent ]; then echo /var/log/infraagent/infraagent.log; else echo "/var/log/$1.log"; fi; }

# stamp NAME COMMAND…: all that it is made of, as one number: program, settings, certificates, unit, command.
stamp() {
  local files=()
  case $1 in
    infrap4d) files=(/etc/infra/infrap4d.env "$certs"/{ca,stratum}.crt) ;;
    inframanager | infraagent) files=("/etc/infra/$1.yaml" "$certs"/{ca,client}.crt) ;;
    services-api) files=(/etc/infra/services-api.env) ;;
  esac
  # The operator's own file, if there is one.
  [ "$1" != infrap4d ] || [ ! -e /etc/infra/infrap4d.yaml ] || files+=(/etc/infra/infrap4d.yaml)
  [ ! -e "$top/deploy/systemd/$1.service" ] || files+=("/usr/local/bin/$1" "$top/deploy/systemd/$1.service")
  { printf '%s\n' "$@"; [ ${#files[@]} -eq 0 ] || sha256sum "${files[@]}"; } | sha256sum
}

# unchanged NAME COMMAND…: it was started from what is there now.
unchanged() { [ "$(cat "$stamps/$1.stamp" 2>/dev/null)" = "$(stamp "$@")" ]; }

# start NAME OUTPUT COMMAND…: in the background, with a file for its number and one for what it says.
start() {
  local name=$1 output=$2
  shift 2
  if alive "$name"; then
    if unchanged "$name" "$@"; then say "$name runs"; return; fi
    say "$name has changed and starts again"
    stop "$name"
  fi
  stamp "$name" "$@" >"$stamps/$name.stamp"
  setsid "$@" </dev/null >>"$output" 2>&1 &
  echo $! >"$run/$name.pid"
  say "started $name; its log is $(log_of "$name")"
}

# start_unit UNIT: by systemd.
start_unit() {
  if systemctl is-active --quiet "$1"; then
    if unchanged "$1"; then say "$1 runs"; return; fi
    say "$1 has changed and starts again"
  fi
  stamp "$1" >"$stamps/$1.stamp"
  systemctl restart "$1"
}

# unprivileged DAEMON COMMAND…: starts it as its unit does. It opens its log itself: root writes
# nothing where this user may put a link.
unprivileged() {
  local set name=$1
  set=$(capabilities "$name" | sed 's/^/+/' | paste -sd,)
  set=-all${set:+,$set}
  # shellcheck disable=SC2016 # sh's own words
  start "$name" "$run/$name.out" setpriv --reuid $user --regid $user --clear-groups --no-new-privs \
    --inh-caps "$set" --ambient-caps "$set" --bounding-set "$set" \
    sh -c 'umask 027; exec >>"$0" 2>&1; exec "$@"' "$(log_of "$name")" "${@:2}"
}

# last_words DAEMON: the end of its log, or why it could not even begin.
last_words() { tail -q -n 1 "$run/$1.out" "$(log_of "$1")" 2>/dev/null | tail -n 1; }

# log_folder DAEMON: where its user may make files, and the log's name in /var/log.
log_folder() {
  install -d -o $user -g $user -m 0750 "/var/log/$1"
  [ "$1" != infraagent ] || return 0
  [ -L "/var/log/$1.log" ] || [ ! -f "/var/log/$1.log" ] || mv "/var/log/$1.log" "/var/log/$1/$1.log"
  ln -sfn "$1/$1.log" "/var/log/$1.log"
}

stop() {
  alive "$1" || { rm -f "$run/$1.pid"; return 0; }
  local pid
  pid=$(<"$run/$1.pid")
  kill "$pid"
  for _ in $(seq 100); do alive "$1" || break; sleep 0.1; done
  if alive "$1"; then
    kill -KILL "$pid"
    say "$1 did not stop within 10 s and was killed"
  else
    say "stopped $1"
  fi
  rm -f "$run/$1.pid" "$stamps/$1.stamp"
}

write() { # FILE: standard input, said when it is new
  local new
  new=$(cat)
  [ -f "$1" ] && [ "$(<"$1")" = "$new" ] && return 0
  install -d "$(dirname "$1")"
  printf '%s\n' "$new" >"$1"
  say "wrote $1"
}

systemd_runs() { [ -d /run/systemd/system ] && [ "$systemd" = true ]; }

stop_units() {
  if [ ! -d /run/systemd/system ] || [ ! -e /etc/systemd/system/infra-offload.target ]; then return; fi
  systemctl disable --quiet --now infra-offload.target "${units[@]}" arp-proxy.service 2>/dev/null || true
  say "systemd stopped ${units[*]}"
}

up() {
  for tool in ip setpriv curl python3 openssl; do
    command -v $tool >/dev/null ||
      fail "there is no $tool; apt-get install iproute2 util-linux curl python3 openssl"
  done
  python3 -c 'import yaml' 2>/dev/null || fail "there is no yaml for python3; apt-get install python3-yaml"
  [ -c /dev/net/tun ] || fail "there is no /dev/net/tun; modprobe tun"
  [ -x /usr/lib/cni/host-local ] ||
    fail "there is no host-local; apt-get install containernetworking-plugins"
  for program in "${programs[@]}"; do
    [ -x "$from/$program" ] || fail "$from/$program is not there; make programs, or give --programs"
    cmp -s "$from/$program" "/usr/local/bin/$program" && continue
    install -m 0755 "$from/$program" "/usr/local/bin/$program.new"
    mv -f "/usr/local/bin/$program.new" "/usr/local/bin/$program"
    say "installed /usr/local/bin/$program"
  done
  install -m 0755 "$here/services_api.py" /usr/local/bin/services-api
  local absent
  absent=$(ldd /usr/local/bin/infrap4d | sed -n 's/ => not found//p' | tr -d '\t' | paste -sd' ')
  [ -z "$absent" ] || fail "infrap4d finds no $absent; apt-get install libdpdk-dev libpcap-dev"
  getent passwd $user >/dev/null || {
    useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin $user
    say "made the user $user"
  }
  "$top/scripts/tls/gen_certs.sh" --out $certs --owner $user:$user
  local daemon
  for daemon in "${units[@]}"; do log_folder "$daemon"; done
  write /etc/infra/infrap4d.env <<<"INFRAP4D_OPTIONS=--dataplane $dataplane --log-file $(log_of infrap4d)"
  write /etc/infra/inframanager.yaml <<TEXT
LogLevel: Info
LogFile: $(log_of inframanager)
TEXT
  write /etc/infra/services-api.env <<<"SERVICES_API_OPTIONS=--node $(hostname) --pods $pods"
  write /etc/infra/infraagent.yaml <<TEXT
kubeconfig: $kubeconfig
nodeName: $(hostname)
podCIDRs: $pods
healthAddr: "127.0.0.1:50096"
felixSocket: none
LogLevel: Info
LogFile: $(log_of infraagent)
TEXT
  install -d /etc/infra/services /opt/cni/bin
  install -m 0755 /usr/local/bin/infra-cni /opt/cni/bin/
  # One that is there is the node's own.
  if [ ! -e /opt/cni/bin/host-local ]; then
    install -m 0755 /usr/lib/cni/host-local /opt/cni/bin/
    echo host-local >>$installed
  fi
  write /etc/cni/net.d/05-infra.conflist <<TEXT
{"cniVersion": "1.0.0", "name": "infra",
 "plugins": [{"type": "infra-cni",
   "ipam": {"type": "host-local", "subnet": "$pods", "dataDir": "/run/infra-cni/leases"}}]}
TEXT
  install -d /var/lib/cni
  [ "$(($(stat -c %a /var/lib/cni) % 2))" -eq 1 ] || {
    chmod o+x /var/lib/cni
    say "/var/lib/cni can be passed by other users than root now (chmod o+x)"
  }
  install -d -o $user -g $user -m 0700 /var/lib/infrap4d /var/lib/cni/inframanager /var/lib/cni/infraagent
  # scripts/create_interfaces.sh runs infrap4d as root.
  chown -R $user:$user /var/lib/infrap4d /var/log/infrap4d
  install -d -m 0755 $run $stamps
  if systemd_runs; then
    # Those of --no-systemd, if there are any.
    for daemon in "${units[@]}"; do stop "$daemon"; done
    install -m 0644 "$top"/deploy/systemd/{infra-offload.target,{services-api,infrap4d,inframanager,infraagent,arp-proxy}.service} \
      /etc/systemd/system/
    systemctl daemon-reload
    systemctl enable --quiet infra-offload.target "${units[@]}"
    for daemon in "${units[@]}"; do start_unit "$daemon"; done
    systemctl start infra-offload.target
    say "systemd runs ${units[*]}; their logs: journalctl -u infrap4d -u inframanager -u infraagent"
  else
    stop_units
    install -d -o $user -g $user -m 0750 /run/infrap4d /run/services-api
    unprivileged services-api /usr/local/bin/services-api --folder /etc/infra/services --kubeconfig $kubeconfig \
      --node "$(hostname)" --pods "$pods"
    for _ in $(seq 50); do [ -s $kubeconfig ] && break; sleep 0.1; done
    unprivileged infrap4d /usr/local/bin/infrap4d --listen 127.0.0.1:9559 \
      --listen 127.0.0.1:9339 --listen unix:/run/infrap4d/infrap4d.sock --agent-check 127.0.0.1:50096 --dataplane "$dataplane" \
      --log-file "$(log_of infrap4d)"
    unprivileged inframanager /usr/local/bin/inframanager
    unprivileged infraagent /usr/local/bin/infraagent
  fi
  for _ in $(seq 120); do
    # The agent does not see at once that what is below it has gone.
    curl -sf --fail-early --noproxy '*' http://127.0.0.1:9560/readyz http://127.0.0.1:50096/check >/dev/null &&
      /usr/local/bin/inframanager --check >/dev/null 2>&1 && { say "ready: pods can come"; return; }
    systemd_runs || for daemon in "${daemons[@]}"; do
      alive "$daemon" || fail "$daemon has ended: $(last_words "$daemon")"
    done
    sleep 0.5
  done
  curl -s --noproxy '*' http://127.0.0.1:50096/check >&2 || true
  fail "not ready within 60 s: see what of the above is false, and the logs of that daemon"
}

demo() {
  local client web
  client=$("$here/pod.sh" add demo-client)
  web=$("$here/pod.sh" add demo-web)
  say "pods demo-client $client and demo-web $web"
  write /etc/infra/services/demo.yaml <<TEXT
apiVersion: v1
kind: Service
metadata: {name: demo}
spec:
  clusterIP: 10.96.0.80
  clusterIPs: [10.96.0.80]
  type: ClusterIP
  ports: [{name: http, protocol: TCP, port: 80, targetPort: 8080}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: demo-1, labels: {kubernetes.io/service-name: demo}}
addressType: IPv4
ports: [{name: http, protocol: TCP, port: 8080}]
endpoints: [{addresses: ["$web"], conditions: {ready: true}, nodeName: "$(hostname)"}]
TEXT
  install -d $run/www
  echo "hello from demo-web" >$run/www/index.html
  # http.server by itself asks DNS for its own name first, for as long as DNS takes.
  start demo-web "$(log_of demo-web)" ip netns exec demo-web python3 -c '
import functools, http.server, socketserver, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[2])
socketserver.ThreadingTCPServer((sys.argv[1], 8080), handler).serve_forever()' "$web" $run/www
  "$here/pod.sh" exec demo-client ping -c 1 -W 2 "$web" >/dev/null || fail "demo-client does not reach $web"
  say "demo-client reaches demo-web by its address"
  for _ in $(seq 40); do
    if answer=$("$here/pod.sh" exec demo-client curl -sf --noproxy '*' --max-time 2 http://10.96.0.80/); then
      say "demo-client asks the Service http://10.96.0.80/: $answer"
      return
    fi
    sleep 0.5
  done
  fail "the Service 10.96.0.80 does not answer; see infraagent's log"
}

status() {
  if systemd_runs; then
    systemctl --no-pager --lines=0 status "${units[@]}" || true
  else
    for daemon in "${daemons[@]}"; do
      if alive "$daemon"; then say "$daemon runs ($(<"$run/$daemon.pid"))"; else say "$daemon does not run"; fi
    done
  fi
  curl -s --noproxy '*' http://127.0.0.1:50096/check || fail "infraagent does not answer; node.sh up"
}

down() {
  local netns plugin tap
  stop demo-web
  "$top/scripts/arp_proxy.sh" --stop
  for netns in demo-client demo-web; do
    [ -e "/run/netns/$netns" ] || continue
    "$here/pod.sh" del $netns 2>/dev/null || ip netns del $netns
    say "removed the pod $netns"
  done
  stop_units
  for daemon in infraagent inframanager; do stop $daemon; done
  stop infrap4d
  stop services-api
  # TAPs outlive infrap4d, for its next start.
  for tap in $(ip -o link show type tun | sed -n 's/^[0-9]*: \(P4TAP_[0-9]*\)[:@].*/\1/p'); do
    ip link del "$tap"
    say "removed the TAP $tap"
  done
  rm -f /etc/systemd/system/{infra-offload.target,services-api.service,infrap4d.service,inframanager.service,infraagent.service,arp-proxy.service}
  [ ! -d /run/systemd/system ] || systemctl daemon-reload
  for program in "${programs[@]}" services-api; do rm -f "/usr/local/bin/$program"; done
  [ ! -s $installed ] || while read -r plugin; do rm -f "/opt/cni/bin/$plugin"; done <$installed
  rm -f /opt/cni/bin/infra-cni $installed /etc/cni/net.d/05-infra.conflist /var/run/calico/felix-dataplane.sock \
    /var/lib/calico/felix-plugins/felix-api-proxy
  rm -f $certs/{ca,stratum,client}.crt $certs/{stratum,client}.key
  rm -f /var/log/{infrap4d,inframanager,services-api,demo-web,arp_proxy}.log{,.*}
  rm -rf /var/log/{services-api,infrap4d,inframanager,infraagent} $run $stamps \
    /run/{infrap4d,services-api,infra-cni} /etc/infra /var/lib/infrap4d /var/lib/cni/{inframanager,infraagent}
  rmdir -p --ignore-fail-on-non-empty $certs /etc/cni/net.d /opt/cni/bin /var/lib/cni \
    /var/lib/calico/felix-plugins /var/run/calico 2>/dev/null || true
  ! getent passwd $user >/dev/null || userdel $user
  say "nothing is left"
}

command=${1:-}
[ $# -eq 0 ] || shift
from=$top/.build/release dataplane=dpdk pods=10.244.0.0/24 systemd=true
while [ $# -gt 0 ]; do
  case $1 in
    --programs | --dataplane | --pods)
      [ $# -ge 2 ] || fail "$1 needs a value; see --help" 2
      case $1 in
        --programs) from=$2 ;;
        --dataplane) dataplane=$2 ;;
        --pods) pods=$2 ;;
      esac
      shift 2
      ;;
    --no-systemd) systemd=false; shift ;;
    -h | --help) usage; exit 0 ;;
    *) fail "$1 is no option; see --help" 2 ;;
  esac
done
case $dataplane in dpdk | model) ;; *) fail "--dataplane is dpdk or model" 2 ;; esac
case $command in
  -h | --help) usage; exit 0 ;;
  up | demo | status | down)
    [ "$(id -u)" -eq 0 ] || fail "needs root; run with sudo"
    $command
    ;;
  *) fail "give up, demo, status or down; see --help" 2 ;;
esac
