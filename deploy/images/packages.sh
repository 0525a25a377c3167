#!/usr/bin/env bash
# packages.sh ROOT DIR: mmdebstrap's hook, run by rootfs.sh. Writes of the packages that were fetched for
# ROOT: name, version, architecture, source and SHA-256 to DIR/packages, the names of files to
# DIR/PACKAGE.files.
set -euo pipefail
case ${1:-} in '' | -h | --help) sed -n 's/^# //p' "$0"; exit 0 ;; esac
for file in "$1"/var/cache/apt/archives/*.deb; do
  # shellcheck disable=SC2016 # dpkg-deb's own fields
  dpkg-deb --show --showformat='${Package}\t${Version}\t${Architecture}\t${source:Package}\t' "$file"
  sha256sum "$file" | cut -d' ' -f1
  dpkg-deb --fsys-tarfile "$file" | tar t | sed 's,.*/,,' | sort -u >"$2/$(dpkg-deb -f "$file" Package).files"
done >"$2/packages"
