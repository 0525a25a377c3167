#!/usr/bin/env bash
# A pod without Kubernetes: a network namespace that infra-cni connects.
set -euo pipefail

usage() {
  cat <<'TEXT'
pod.sh add NAME             makes the namespace NAME and connects it; prints its address
pod.sh del NAME             disconnects and removes it; fine when it is not there
pod.sh exec NAME COMMAND…   runs a command in it

The network is that of /etc/cni/net.d/05-infra.conflist ($INFRA_CNI_CONFIG), the plugins are in
/opt/cni/bin ($CNI_PATH).
TEXT
}
fail() { echo "pod.sh: $1" >&2; exit "${2:-1}"; }

config=${INFRA_CNI_CONFIG:-/etc/cni/net.d/05-infra.conflist}
export CNI_PATH=${CNI_PATH:-/opt/cni/bin}

# call COMMAND NAME: a runtime's part of the specification, for the first plugin.
call() {
  [ -r "$config" ] || fail "$config is not there; scripts/deploy/node.sh up writes it"
  python3 -c 'import json, sys
c = json.load(open(sys.argv[1]))
print(json.dumps(c["plugins"][0] | {"name": c["name"], "cniVersion": c["cniVersion"]}))' "$config" |
    CNI_COMMAND=$1 CNI_CONTAINERID=$2 CNI_NETNS=/run/netns/$2 CNI_IFNAME=eth0 \
      CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=$2" "$CNI_PATH/infra-cni"
}

case ${1:-} in
  -h | --help) usage; exit 0 ;;
  add | del | exec) [ $# -ge 2 ] || fail "give the pod's name; see --help" 2 ;;
  *) fail "give add, del or exec; see --help" 2 ;;
esac
[[ $2 =~ ^[a-z0-9][a-z0-9-]*$ ]] || fail "$2 is no name of a pod: a-z, 0-9 and -" 2
case $1 in
  add)
    [ -e "/run/netns/$2" ] || {
      # One of this name may have gone with its namespace, without a DEL: its address is taken.
      answer=$(call DEL "$2") || fail "$answer"
      ip netns add "$2"
    }
    ip -n "$2" link set lo up
    if address=$(ip -n "$2" -4 -o addr show dev eth0 2>/dev/null | awk '{print $4}') && [ -n "$address" ]; then
      echo "${address%/*}"
      exit 0
    fi
    answer=$(call ADD "$2") || { ip netns del "$2"; fail "$answer"; }
    python3 -c 'import json, sys; print(json.loads(sys.argv[1])["ips"][0]["address"].split("/")[0])' "$answer"
    ;;
  del)
    answer=$(call DEL "$2") || fail "$answer"
    [ ! -e "/run/netns/$2" ] || ip netns del "$2"
    ;;
  exec) ip netns exec "${@:2}" ;;
esac
