#!/usr/bin/env bash
# Everything of others that talks to infrap4d, one after another, each for a limited time.
#
# usage: all.sh PROGRAM
set -euo pipefail
cd "$(dirname "$0")"
program=$(cd "$OLDPWD" && realpath "$1")
folder=$(realpath ../..)/.build

# A registry may be slow to answer, and fail for a moment.
export PIP_RETRIES=10 PIP_TIMEOUT=60 PIP_DISABLE_PIP_VERSION_CHECK=1

timeout 1800 ./cxx.sh "$folder/interop-cxx"
for dataplane in model dpdk; do
  echo "$dataplane:"
  timeout 900 ./p4runtime.py "$program" --dataplane "$dataplane"
done
if [ "$(id -u)" -eq 0 ] && [ -e /dev/net/tun ]; then
  timeout 900 ./gnmi.py "$program"
else
  echo "gnmi.py left out: TAP interfaces need root and /dev/net/tun"
fi
