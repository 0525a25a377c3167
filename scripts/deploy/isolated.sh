#!/usr/bin/env bash
# isolated.sh COMMAND…: runs a command that changes a machine where it changes nothing. To be started by
# `unshare -m -n --propagation private`; /etc, /opt, /var and /usr/local of the command are its own, and
# the folder of what it changed is in $CHANGES.
set -euo pipefail
case ${1:-} in '' | -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;; esac
[ "$(readlink /proc/self/ns/mnt)" != "$(readlink /proc/1/ns/mnt)" ] ||
  { echo "isolated.sh: start it by unshare -m -n --propagation private" >&2; exit 1; }
CHANGES=$(mktemp -d)
trap 'umount -l "$CHANGES"; rmdir "$CHANGES"' EXIT
mount -t tmpfs tmpfs "$CHANGES"
for folder in etc opt var usr/local usr/share; do
  mkdir -p "$CHANGES/$folder"/{upper,work}
  mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$CHANGES/$folder/upper,workdir=$CHANGES/$folder/work" "/$folder"
done
mount -t tmpfs tmpfs /run
mkdir /run/netns
mount -t tmpfs tmpfs /run/netns
mount --make-shared /run/netns
mount -t sysfs sysfs /sys 2>/dev/null || true
ip link set lo up
export CHANGES
"$@"
