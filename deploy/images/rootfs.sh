#!/usr/bin/env bash
# Makes the root filesystem of one image: Debian packages, programs of this repository, an SBOM.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

usage() {
  cat <<'TEXT'
rootfs.sh --image infrap4d|inframanager|infraagent --programs DIR --out DIR

  --programs DIR   the programs, built and linked (swift build); they are stripped. DIR/swift-version names
                   the Swift that has built them, where there is none that can be asked
  --out DIR        the root filesystem; must not be there yet. OUT.spdx.json is written beside it,
                   and into it as /usr/share/sbom/IMAGE.spdx.json

Packages are those of deploy/images/IMAGE.packages and what they depend on, from the Debian
sources of this machine. Programs that are linked to Swift's runtime bring the libraries of the
toolchain with them (a debug build in CI); those of `make images` are linked statically to it.
Needs root, mmdebstrap, binutils, python3.
TEXT
}
say() { echo "rootfs.sh: $*"; }
fail() { echo "rootfs.sh: $1" >&2; exit "${2:-1}"; }

image='' programs='' out=''
while [ $# -gt 0 ]; do
  case $1 in
    --image | --programs | --out)
      [ $# -ge 2 ] || fail "$1 needs a value; see --help" 2
      declare "${1#--}=$2"
      shift 2
      ;;
    -h | --help) usage; exit 0 ;;
    *) fail "$1 is no option; see --help" 2 ;;
  esac
done
case $image in
  # alone: PACKAGE PROGRAM…, programs of a package, which need none of those that the package
  # depends on. cat is for `kubectl exec … cat LOG`; the others have busybox's.
  infrap4d) wanted=(infrap4d k8sdp) alone=(coreutils bin/cat) ;;
  inframanager) wanted=(inframanager) alone=() ;;
  infraagent) wanted=(infraagent infra-cni felix-api-proxy) alone=(containernetworking-plugins usr/lib/cni/{host-local,loopback}) ;;
  *) fail "--image is infrap4d, inframanager or infraagent" 2 ;;
esac
if [ -z "$programs" ] || [ -z "$out" ]; then fail "give --programs and --out; see --help" 2; fi
[ ! -e "$out" ] || fail "$out is there; remove it, or give another --out"
[ "$(id -u)" -eq 0 ] || fail "packages are unpacked as root; run as root"
for tool in mmdebstrap strip readelf python3; do
  command -v $tool >/dev/null || fail "there is no $tool; apt-get install mmdebstrap binutils python3"
done
for program in "${wanted[@]}"; do
  [ -x "$programs/$program" ] || fail "$programs/$program is not there; swift build --product $program"
done

swift_version=$(cat "$programs/swift-version" 2>/dev/null || swift --version 2>/dev/null |
  sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -1)
[ -n "$swift_version" ] || fail "which Swift has built the programs? write its version to $programs/swift-version"

mkdir -p "$(dirname "$out")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mapfile -t packages < <(sed 's/#.*//; /^ *$/d' "$here/$image.packages")
sources=()
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources}; do
  [ ! -s "$file" ] || sources+=("$file")
done
say "$image: packages ${packages[*]}"
# Only unpacked: nothing in an image runs a maintainer's script, nor has a package manager.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-} mmdebstrap --quiet --mode=root --variant=extract \
  --include="$(IFS=,; echo "${packages[*]}")" \
  --extract-hook="$here/packages.sh \"\$1\" '$work'" \
  "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" "$out" "${sources[@]}" >"$work/log" 2>&1 ||
  fail "mmdebstrap: $(tail -3 "$work/log")"
say "$image: $(wc -l <"$work/packages") packages unpacked"

# Nothing reads these: documents, conversions between encodings, vector maths and profilers of the
# C library, plugins of other programs.
lib="$out/usr/lib/$(uname -m)-linux-gnu"
rm -rf "$out"/usr/share/{doc,man,lintian,bug,bash-completion,locale,perl5} "$lib"/gconv \
  "$lib"/{audit,coreutils} "$out"/usr/share/gcc "$out"/etc/{default,init.d,cron.d}
if [ ${#alone[@]} -gt 0 ]; then
  mkdir -p "$work/alone/var/cache/apt/archives"
  (cd "$work/alone/var/cache/apt/archives" && apt-get download -qq "${alone[0]}") 2>/dev/null ||
    fail "apt-get download ${alone[0]} failed; apt-get update"
  "$here/packages.sh" "$work/alone" "$work/alone"
  cat "$work/alone/packages" >>"$work/packages"
  dpkg-deb -x "$work"/alone/var/cache/apt/archives/*.deb "$work/alone/unpacked"
  for program in "${alone[@]:1}"; do
    install -D -m 0755 "$work/alone/unpacked/$program" "$out/usr/${program#usr/}"
  done
fi

install -d "$out/usr/bin"
if [ -x "$out/bin/busybox" ]; then
  mv "$out/bin/busybox" "$out/usr/bin/"
  ln -s busybox "$out/usr/bin/cat"
fi
for program in "${wanted[@]}"; do
  install -m 0755 "$programs/$program" "$out/usr/bin/$program"
  strip --strip-all "$out/usr/bin/$program"
done
# Of one that is linked statically, ldd says that this is an error.
runtime=$(for program in "${wanted[@]}"; do ldd "$programs/$program" 2>/dev/null || :; done |
  awk '$3 ~ /\/swift\/linux\// {print $3}' | sort -u)
if [ -n "$runtime" ]; then
  say "$image: the programs need Swift's runtime; its libraries come from the toolchain"
  install -d "$out/usr/lib/swift/linux"
  xargs -I{} install -m 0644 {} "$out/usr/lib/swift/linux/" <<<"$runtime"
  install -d "$out/etc/ld.so.conf.d"
  echo /usr/lib/swift/linux >"$out/etc/ld.so.conf.d/swift.conf"
  echo 'include /etc/ld.so.conf.d/*.conf' >"$out/etc/ld.so.conf"
  ldconfig -r "$out"
fi

# Where things are mounted; the root filesystem is read-only.
install -d "$out"/{proc,sys,dev/net,run/netns,run/infrap4d,run/calico,etc/infra,host/sysctls} \
  "$out"/{usr/share/stratum/certs,var/lib/cni/infraagent,var/log/infraagent} 2>/dev/null || true
# Runtimes say /var/run/netns/NAME of what is mounted at /run/netns.
[ -L "$out/var/run" ] || ln -s ../run "$out/var/run"
install -d -m 1777 "$out/tmp"
install -d -o 65532 -g 65532 -m 0700 "$out"/var/lib/{infrap4d,cni/inframanager}
cat >"$out/etc/passwd" <<'TEXT'
root:x:0:0:root:/:/usr/sbin/nologin
infra-offload:x:65532:65532:K8s Infra Offload:/:/usr/sbin/nologin
TEXT
printf '%s\n' 'root:x:0:' 'infra-offload:x:65532:' >"$out/etc/group"
# A kubelet puts the node's in place of this.
printf '%s\n' '127.0.0.1 localhost' '::1 localhost' >"$out/etc/hosts"
echo 'hosts: files dns' >"$out/etc/nsswitch.conf"
rm -rf "$out"/var/cache/* "$out"/var/lib/{apt,dpkg} "$out"/etc/apt "$out"/etc/{shadow,gshadow}*

# Complete: the loader finds every library. Minimal: a program asks for a library of each package
# that is named, or the package is one of programs.
for loader in "$out"/lib64/ld-linux-*.so.2 "$out"/lib/ld-linux-*.so.1; do [ ! -e "$loader" ] || break; done
for program in "${wanted[@]}"; do
  readelf -d "$out/usr/bin/$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
  [[ $(readelf -l "$out/usr/bin/$program") == *INTERP* ]] || continue # linked statically
  if ! found=$(chroot "$out" "${loader#"$out"}" --list "/usr/bin/$program" 2>&1) || [[ $found == *'not found'* ]]; then
    fail "$program: $(grep -m 1 'not found\|cannot open' <<<"$found"); name its package in deploy/images/$image.packages"
  fi
done | sort -u >"$work/needed"
for package in "${packages[@]}"; do
  [ "$package" != busybox-static ] || continue
  grep -qFxf "$work/needed" "$work/$package.files" ||
    fail "no program needs $package; take it out of deploy/images/$image.packages"
done
say "$image: every library is there, and none that no program asks for is named"

"$here/sbom.py" --image "$image" --packages "$work/packages" --programs "$out/usr/bin" \
  --unstripped "$programs" --swift "$swift_version" --resolved "$here/../../Package.resolved" --out "$work/sbom"
install -D -m 0644 "$work/sbom" "$out/usr/share/sbom/$image.spdx.json"
install -m 0644 "$work/sbom" "${out%/}.spdx.json"
say "$image: $(du -sm --apparent-size "$out" | cut -f1) MB in $out, bill of materials in ${out%/}.spdx.json"
