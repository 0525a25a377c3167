#!/usr/bin/env bash
# clean_debian.sh [--within SECONDS] [COMMAND…]: a stranger's way, timed. Makes a Debian 12 of nothing but its essential packages,
# make, git and what Swift needs, gives it this machine's Swift and a clone of this checkout, and runs COMMAND
# there, in namespaces of its own: make node undeploy-node QUICK=1, unless given. Lines begin with the seconds so far. What
# is not committed is not in it. Needs root, mmdebstrap, slirp4netns, 10 GB where TMPDIR is. Exit codes: 0 COMMAND
# ended well within SECONDS (900), 1 not.
set -euo pipefail
within=900
case ${1:-} in
  -h | --help) sed -n '2,7s/^# //p' "$0"; exit 0 ;;
  --within) within=${2:?--within needs seconds}; shift 2 ;;
esac
top=$(cd "$(dirname "$0")/../.." && pwd)
fail() { echo "clean_debian.sh: $1" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "needs root"
for tool in mmdebstrap slirp4netns ip; do
  command -v $tool >/dev/null || fail "there is no $tool; apt-get install mmdebstrap slirp4netns iproute2"
done
command -v swift >/dev/null || fail "there is no swift; https://www.swift.org/install/linux"
swift=$(swift -print-target-info | sed -n 's,.*"runtimeResourcePath": "\(.*\)/usr/lib/swift".*,\1,p')
[ -n "$swift" ] || fail "Swift is not in a folder of its own, to be lent; unpack it in one, such as /opt/swift"
[ $# -gt 0 ] || set -- make node undeploy-node QUICK=1
# https://www.swift.org/install/linux, Debian 12, without what make node installs.
packages=make,git,ca-certificates,binutils-gold,gcc,libc6-dev,libcurl4-openssl-dev,libedit2,libgcc-12-dev
packages+=,libncurses-dev,libpython3-dev,libsqlite3-0,libstdc++-12-dev,libxml2-dev,libz3-dev,pkg-config,tzdata
packages+=,zlib1g-dev

root=$(mktemp -d)
namespace=clean-debian-$$
router=
finish() {
  if [ -n "$router" ]; then kill "$router" 2>/dev/null; wait "$router" 2>/dev/null || true; fi
  ip netns del $namespace 2>/dev/null || true
  rm -rf --one-file-system "$root"
}
trap finish EXIT

mmdebstrap --quiet --mode=root --variant=minbase --include=$packages bookworm "$root"
cp -r /etc/apt/sources.list* /etc/apt/apt.conf.d "$root/etc/apt/"
echo nameserver 10.0.2.3 >"$root/etc/resolv.conf"
git clone --quiet --no-local "$top" "$root/root/checkout"
# Where git gets what it is asked for, when that is on this machine.
binds=("$swift")
while read -r key value; do
  git config --file "$root/etc/gitconfig" --add "$key" "$value"
  folder=${key#url.}
  folder=${folder%.insteadof}
  [ ! -d "$folder" ] || [[ " ${binds[*]} " = *" $folder "* ]] || binds+=("$folder")
done < <(git config --get-regexp '^url\..*\.insteadof$')
mkdir -p "${binds[@]/#/$root}"

ip netns add $namespace
ip -n $namespace link set lo up
slirp4netns --configure --disable-host-loopback --netns-type=path \
  /run/netns/$namespace uplink 2>"$root/slirp4netns.log" >/dev/null &
router=$!
until ip -n $namespace route show default 2>/dev/null | grep -q uplink; do
  kill -0 $router 2>/dev/null || fail "slirp4netns: $(cat "$root/slirp4netns.log")"
  sleep 0.1
done

enter() { # in namespaces of its own: mounts, then the command
  local path
  # A root that is no mount keeps ip from making one of its own for a command in a namespace.
  mount --bind "$root" "$root"
  mount -t proc proc "$root/proc"
  mount -t sysfs sysfs "$root/sys"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs tmpfs "$root/run"
  for path in "${binds[@]}"; do mount --bind -o ro "$path" "$root$path"; done
  exec env -i HOME=/root TERM=dumb PATH="$swift/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    chroot "$root" sh -c 'cd /root/checkout && exec "$@"' sh "$@"
}
export -f enter
export root swift
begun=$SECONDS
status=0
# shellcheck disable=SC2016 # bash's own words
ip netns exec $namespace unshare --mount --pid --fork --kill-child --propagation private \
  bash -euc "$(declare -p binds); enter \"\$@\"" bash "$@" 2>&1 |
  while IFS= read -r line; do printf '%4d s  %s\n' $((SECONDS - begun)) "$line"; done || status=$?
took=$((SECONDS - begun))
echo "clean_debian.sh: $*: ended with $status after $took s, may take $within s"
[ "$status" = 0 ] && [ $took -le "$within" ]
