#!/usr/bin/env bash
# Installs into Kubernetes, and removes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

usage() {
  cat <<'TEXT'
kubernetes.sh deploy [OVERLAY]      certificates as Secrets if there are none, then the manifests; waits
                                    until every pod is ready
kubernetes.sh undeploy [OVERLAY]    removes all that; as root on a node also what is on the node

OVERLAY is a folder of deploy/kubernetes/overlays: infra-cni (the default), calico, model. The cluster is
that of kubectl's current context. On other nodes of the cluster: scripts/deploy/node.sh down, as root.
TEXT
}
say() { echo "kubernetes.sh: $*"; }
fail() { echo "kubernetes.sh: $1" >&2; exit "${2:-1}"; }

command=${1:-} overlay=${2:-infra-cni}
case $command in
  -h | --help) usage; exit 0 ;;
  deploy | undeploy) ;;
  *) fail "give deploy or undeploy; see --help" 2 ;;
esac
folder=$top/deploy/kubernetes/overlays/$overlay
[ -d "$folder" ] || fail "there is no overlay $overlay; see deploy/kubernetes/overlays" 2
command -v kubectl >/dev/null || fail "there is no kubectl; install the one of your cluster"
kubectl version >/dev/null 2>&1 || fail "kubectl reaches no cluster; see KUBECONFIG and kubectl config current-context"

secret() { # NAME FILE…
  local name=$1 file files=()
  shift
  if kubectl -n kube-system get secret "$name" >/dev/null 2>&1; then
    say "the Secret $name is there"
    return
  fi
  for file in "$@"; do files+=("--from-file=$certs/$file"); done
  kubectl -n kube-system create secret generic "$name" "${files[@]}" >/dev/null
  say "made the Secret $name"
}

case $command in
  deploy)
    certs=$(mktemp -d)
    trap 'rm -rf "$certs"' EXIT
    # Both or neither: they are of one authority.
    for name in infrap4d-tls infra-client-tls; do
      kubectl -n kube-system get secret $name >/dev/null 2>&1 && continue
      kubectl -n kube-system delete --ignore-not-found secret infrap4d-tls infra-client-tls >/dev/null
      "$top/scripts/tls/gen_certs.sh" --out "$certs" >/dev/null
      break
    done
    secret infrap4d-tls ca.crt stratum.crt stratum.key
    secret infra-client-tls ca.crt client.crt client.key
    kubectl apply -k "$folder"
    for daemon in infrap4d inframanager infraagent; do
      kubectl -n kube-system rollout status --timeout=180s daemonset/$daemon-ds ||
        fail "$daemon is not ready: kubectl -n kube-system describe ds/$daemon-ds; kubectl -n kube-system logs ds/$daemon-ds"
    done
    say "ready: kubectl apply -f deploy/example/test_pod.yaml -f deploy/example/service.yaml"
    ;;
  undeploy)
    kubectl delete --ignore-not-found -k "$folder"
    kubectl -n kube-system delete --ignore-not-found secret infrap4d-tls infra-client-tls
    if [ "$(id -u)" -eq 0 ]; then
      "$here/node.sh" down
    else
      say "on each node, as root: scripts/deploy/node.sh down"
    fi
    ;;
esac
