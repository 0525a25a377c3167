#!/usr/bin/env bash
# Installs into Kubernetes, and removes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

usage() {
  cat <<'TEXT'
kubernetes.sh deploy [OVERLAY] [--registry NAME] [--version TAG] [--component NAME]...
kubernetes.sh render [OVERLAY] … [--nodes FILE]
kubernetes.sh undeploy

  deploy      certificates as Secrets if there are none, then the manifests; waits until every pod is ready
  render      prints the manifests that deploy applies, without the Secrets
  undeploy    removes all that, whatever the overlay, and waits until the pods are gone; as root on a node
              also what is on the node. A Secret that deploy has not made stays

  OVERLAY            a folder of deploy/kubernetes/overlays: infra-cni (the default), calico, model
  --registry NAME    where the images are (localhost:5000)
  --version TAG      their tag (latest): another one rolls out
  --component NAME   a folder of deploy/kubernetes/components, such as metrics
  --nodes FILE       lines "NODE PREFIX…", the pods' prefixes of each node, instead of asking the cluster

The cluster is that of kubectl's current context. On other nodes of it, after undeploy:
scripts/deploy/node.sh down, as root.
TEXT
}
say() { echo "kubernetes.sh: $*"; }
fail() { echo "kubernetes.sh: $1" >&2; exit "${2:-1}"; }

part_of=app.kubernetes.io/part-of=k8s-infra-offload
# Of Secrets that this script has made.
ours=app.kubernetes.io/managed-by=k8s-infra-offload
secrets=(infrap4d-tls infra-client-tls)

command=${1:-} overlay=infra-cni registry=localhost:5000 version=latest components=() nodes=
[ $# -eq 0 ] || shift
while [ $# -gt 0 ]; do
  case $1 in
    --registry | --version | --component | --nodes)
      [ $# -ge 2 ] || fail "$1 needs a value; see --help" 2
      case $1 in
        --registry) registry=${2%/} ;;
        --version) version=$2 ;;
        --component) components+=("$2") ;;
        --nodes) nodes=$2 ;;
      esac
      shift 2
      ;;
    -h | --help) usage; exit 0 ;;
    -*) fail "$1 is no option; see --help" 2 ;;
    *) overlay=$1; shift ;;
  esac
done
case $command in
  -h | --help) usage; exit 0 ;;
  deploy | render | undeploy) ;;
  *) fail "give deploy, render or undeploy; see --help" 2 ;;
esac
[ -d "$top/deploy/kubernetes/overlays/$overlay" ] ||
  fail "there is no overlay $overlay; see deploy/kubernetes/overlays" 2
for component in "${components[@]}"; do
  [ -d "$top/deploy/kubernetes/components/$component" ] ||
    fail "there is no component $component; see deploy/kubernetes/components" 2
done
command -v kubectl >/dev/null || fail "there is no kubectl; install the one of your cluster"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

reach() {
  kubectl version >/dev/null 2>&1 ||
    fail "kubectl reaches no cluster; see KUBECONFIG and kubectl config current-context"
}

# prefixes: each node's name and its IPv4 prefix of pods, by which host-local gives addresses there.
prefixes() {
  if [ -n "$nodes" ]; then cat "$nodes"; else
    kubectl get nodes -o 'jsonpath={range .items[*]}{.metadata.name}{" "}{.spec.podCIDRs[*]}{"\n"}{end}'
  fi | awk '{ for (i = 2; i <= NF; i++) if ($i !~ /:/) { print $1, $i; next } print $1 }'
}

# render: an overlay of the overlay, with the images' names and the nodes' prefixes.
render() {
  local folder=$work/render base image without
  mkdir -p "$folder"
  base=$(realpath --relative-to="$folder" "$top/deploy/kubernetes")
  {
    printf 'resources: [%s]\n' "$base/overlays/$overlay"
    [ ${#components[@]} -eq 0 ] || { echo components:; printf -- "- $base/components/%s\n" "${components[@]}"; }
    echo images:
    for image in infrap4d inframanager infraagent; do
      printf -- '- {name: localhost:5000/%s, newName: %s/%s, newTag: "%s"}\n' $image "$registry" $image "$version"
    done
    if [ "$overlay" != calico ]; then
      prefixes >"$folder/pod-cidrs"
      without=$(awk 'NF < 2 {print $1}' "$folder/pod-cidrs" | paste -sd' ')
      [ -z "$without" ] || fail "no IPv4 prefix for pods of $without: give the cluster one (podSubnet of kubeadm), or wait"
      echo 'configMapGenerator: [{name: infra-cni-config, namespace: kube-system, behavior: merge, files: [pod-cidrs]}]'
    fi
  } >"$folder/kustomization.yaml"
  kubectl kustomize "$folder"
}

there() { [ -n "$(kubectl -n kube-system get secret "$1" --ignore-not-found -o name)" ]; }
made_here() { [ -n "$(kubectl -n kube-system get secret -l $ours --field-selector "metadata.name=$1" -o name)" ]; }

make_secret() { # NAME FILE…
  local name=$1 file files=()
  shift
  for file in "$@"; do files+=("--from-file=$work/certs/$file"); done
  kubectl -n kube-system create secret generic "$name" "${files[@]}" >/dev/null
  kubectl -n kube-system label secret "$name" $part_of $ours >/dev/null
  say "made the Secret $name"
}

# Both or neither: they are of one authority.
make_secrets() {
  local name present=()
  for name in "${secrets[@]}"; do ! there "$name" || present+=("$name"); done
  if [ ${#present[@]} -eq ${#secrets[@]} ]; then say "the Secrets ${present[*]} are there"; return; fi
  for name in "${present[@]}"; do
    made_here "$name" ||
      fail "the Secret $name is there and is not of this script, the other of ${secrets[*]} is missing: make it, too"
    kubectl -n kube-system delete secret "$name" >/dev/null
  done
  "$top/scripts/tls/gen_certs.sh" --out "$work/certs" >/dev/null
  make_secret infrap4d-tls ca.crt stratum.crt stratum.key
  make_secret infra-client-tls ca.crt client.crt client.key
}

deploy() {
  local daemon
  render >"$work/manifests.yaml"
  make_secrets
  kubectl apply -f "$work/manifests.yaml"
  for daemon in infrap4d inframanager infraagent; do
    kubectl -n kube-system rollout status --timeout=180s daemonset/$daemon-ds ||
      fail "$daemon is not ready: kubectl -n kube-system describe ds/$daemon-ds; kubectl -n kube-system logs ds/$daemon-ds"
  done
  say "ready: kubectl apply -f deploy/example/test_pod.yaml -f deploy/example/service.yaml"
}

undeploy() {
  local left name
  # In the foreground: a DaemonSet is gone when its pods are. Whoever removes TAPs before would have
  # the agent make them again.
  kubectl -n kube-system delete daemonset -l $part_of --cascade=foreground --timeout=180s ||
    fail "pods do not end: kubectl -n kube-system get pods -l $part_of -o wide; then undeploy again"
  left=$(kubectl -n kube-system get pods -l $part_of -o name)
  [ -z "$left" ] || fail "pods do not end: ${left//$'\n'/ }"
  kubectl -n kube-system delete configmap,serviceaccount -l $part_of
  kubectl -n kube-system delete secret -l $ours
  kubectl delete clusterrole,clusterrolebinding -l $part_of
  for name in "${secrets[@]}"; do
    ! there "$name" || say "the Secret $name stays: this script has not made it"
  done
  if [ "$(id -u)" -eq 0 ]; then
    "$here/node.sh" down
  else
    say "on each node, as root: scripts/deploy/node.sh down"
  fi
}

case $command in
  render) [ -n "$nodes" ] || [ "$overlay" = calico ] || reach ;;
  *) reach ;;
esac
$command
