#!/usr/bin/env bash
# check_kubernetes.sh TOOLS: kubernetes.sh with a stand-in for kubectl and the cluster (fake_kubectl.py), run by
# check.sh in namespaces of its own. TOOLS is the folder of tools.sh.
set -euo pipefail
case ${1:-} in '' | -h | --help) sed -n '2,3s/^# //p' "$0"; exit 0 ;; esac
here=$(cd "$(dirname "$0")" && pwd)
tools=$(realpath "$1")
export FAKE_CLUSTER=$CHANGES/cluster REAL_KUBECTL=$tools/bin/kubectl
mkdir -p "$FAKE_CLUSTER/bin"
printf '#!/bin/sh\nexec %s %s "$@"\n' "$tools/bin/python" "$here/fake_kubectl.py" >"$FAKE_CLUSTER/bin/kubectl"
chmod +x "$FAKE_CLUSTER/bin/kubectl"
PATH=$FAKE_CLUSTER/bin:$PATH

fail() { echo "$*"; exit 1; }
kubernetes() { "$here/kubernetes.sh" "$@" >"$FAKE_CLUSTER/said" 2>&1 || { cat "$FAKE_CLUSTER/said"; return 1; }; }
refuses() { # TEXT WORD…
  local text=$1
  shift
  if kubernetes "$@" >/dev/null; then fail "$*: is taken"; fi
  grep -q "$text" "$FAKE_CLUSTER/said" || fail "$*: $(cat "$FAKE_CLUSTER/said")"
}
# objects: kind and name of each.
objects() { kubectl get "$1" -o name | sort; }
all() { for kind in daemonset pod configmap secret serviceaccount clusterrole clusterrolebinding; do objects $kind; done; }
images() { grep -o '"image": "[^"]*"' "$FAKE_CLUSTER/objects.json" | cut -d'"' -f4 | sort -u | paste -sd' '; }

# What is not ours, and stays.
cat >"$FAKE_CLUSTER/others.yaml" <<'TEXT'
{kind: ConfigMap, metadata: {name: coredns}}
---
{kind: DaemonSet, metadata: {name: kube-proxy}, spec: {template: {metadata: {labels: {k8s-app: kube-proxy}}}}}
---
{kind: Secret, metadata: {name: infrap4d-tls-of-mine, labels: {app.kubernetes.io/part-of: k8s-infra-offload}}}
TEXT
kubectl apply -f "$FAKE_CLUSTER/others.yaml"
before=$(all)

echo "node-1 " >"$FAKE_CLUSTER/nodes"
refuses "no IPv4 prefix for pods of node-1" deploy
[ "$before" = "$(all)" ] || fail "what is refused has changed the cluster"
echo "node-1 fd00::/64 10.244.0.0/24" >"$FAKE_CLUSTER/nodes"
kubernetes deploy --registry registry.example/x --version v1
[ "$(images)" = "registry.example/x/infraagent:v1 registry.example/x/inframanager:v1 registry.example/x/infrap4d:v1" ] ||
  fail "the images are $(images)"
keys=$(grep -A1 'BEGIN PRIVATE' "$FAKE_CLUSTER/objects.json" | sha256sum)
echo "node-2 10.244.1.0/24" >>"$FAKE_CLUSTER/nodes"
kubernetes deploy --registry registry.example/x --version v2
[ "$(images)" = "registry.example/x/infraagent:v2 registry.example/x/inframanager:v2 registry.example/x/infrap4d:v2" ] ||
  fail "another version is not rolled out: $(images)"
[ "$keys" = "$(grep -A1 'BEGIN PRIVATE' "$FAKE_CLUSTER/objects.json" | sha256sum)" ] || fail "the keys are others"
grep -q '"pod-cidrs": "node-1 10.244.0.0/24\\nnode-2 10.244.1.0/24\\n"' "$FAKE_CLUSTER/objects.json" ||
  fail "nodes do not have prefixes of their own"
kubernetes deploy calico --component metrics
grep -q felix-plugins "$FAKE_CLUSTER/objects.json" || fail "another overlay is not followed"
[ "$(objects configmap | grep -c infraagent-config)" -eq 2 ] || fail "the stand-in keeps no ConfigMap of before"
# One Secret of the two is made anew with the other.
kubectl delete secret infra-client-tls
kubernetes deploy calico
[ "$keys" != "$(grep -A1 'BEGIN PRIVATE' "$FAKE_CLUSTER/objects.json" | sha256sum)" ] || fail "certificates of two authorities"

plugin=/var/lib/calico/felix-plugins/felix-api-proxy
install -D /bin/true $plugin
touch "$FAKE_CLUSTER/stuck"
refuses "pods do not end" undeploy
[ -e $plugin ] || fail "the node is cleaned while its pods run"
rm "$FAKE_CLUSTER/stuck"
kubernetes undeploy
[ "$before" = "$(all)" ] || fail "left, or gone too much: $(diff <(echo "$before") <(all))"
[ ! -e $plugin ] || fail "$plugin is left"
kubernetes undeploy

# Secrets of the user's own: used, left, never replaced.
kubectl create secret generic infrap4d-tls
refuses "is not of this script" deploy
kubectl create secret generic infra-client-tls
kubernetes deploy model
kubernetes undeploy
[ "$(all | sort)" = "$(printf '%s\n' "$before" secret/infrap4d-tls secret/infra-client-tls | sort)" ] ||
  fail "Secrets of the user's own: $(all)"
echo "kubernetes.sh: deploy, another version, another node, another overlay, undeploy"
