#!/usr/bin/env bash
# Installs the Debian packages that the build and the tests need; --build-only: the build, --node: the build and a
# node without Kubernetes. Says what is missing when it may not install.
set -euo pipefail

# Before apt has its minutes: all that comes after it needs Swift.
swift=${SWIFT:-swift}
command -v "$swift" >/dev/null || {
  echo "install-dependencies.sh: there is no $swift; install Swift 6.3 or later: https://www.swift.org/install/linux" >&2
  exit 1
}
version=$("$swift" --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -1)
[ "$(printf '%s\n' 6.3 "$version" | sort -V | head -1)" = 6.3 ] || {
  echo "install-dependencies.sh: $swift is ${version:-no Swift}; install 6.3 or later: https://www.swift.org/install/linux" >&2
  exit 1
}

build=(libpcap-dev libdpdk-dev)
node=(iproute2 iputils-ping util-linux curl openssl python3-yaml containernetworking-plugins)
interop=(g++ make pkg-config protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libgrpc++-dev
  python3-venv)
deploy=(mmdebstrap slirp4netns runc binutils openssl shellcheck systemd systemd-container
  python3-yaml python3-venv util-linux)
tests=(iproute2 nftables ethtool tcpdump curl dnsutils dnsmasq-base socat python3 iputils-ping iperf3
  containernetworking-plugins containerd runc busybox-static prometheus chromium tshark
  "${interop[@]}" "${deploy[@]}")
wanted=("${build[@]}")
case ${1:-} in
  --build-only) ;;
  --node) wanted+=("${node[@]}") ;;
  *) wanted+=("${node[@]}" "${tests[@]}") ;;
esac

missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "install-dependencies.sh: not root and no sudo; install: ${missing[*]}" >&2
    exit 1
  }
  sudo=(sudo)
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
