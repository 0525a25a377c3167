#!/usr/bin/env bash
# Makes the certificates for mutual TLS between infrap4d and those that control it.
set -euo pipefail

usage() {
  cat <<'TEXT'
gen_certs.sh [--out DIR] [--host NAME]... [--days N] [--owner USER[:GROUP]] [--renew]

Makes an authority, a certificate for the server and one for its clients:

  ca.crt                       everybody            0644
  stratum.crt, stratum.key     infrap4d             0644, 0600
  client.crt, client.key       inframanager,        0644, 0600
                               infraagent, gnmi-ctl
  ca.key is not kept: another certificate means a new set (--renew).

  --out DIR      the folder (/usr/share/stratum/certs, where the daemons look)
  --host NAME    a name or address by which infrap4d is reached, beside localhost, 127.0.0.1
                 and ::1; may be repeated
  --days N       how long they are good (825)
  --owner USER   whose the files shall be: infrap4d reads a key that is its user's own
  --renew        replaces a set that is there; the daemons have to be restarted

A set that is there, complete, belongs together and is good for a week is left alone. Exit codes:
0 it is there, 1 it could not be made, 2 bad options.
TEXT
}

say() { echo "gen_certs.sh: $*"; }
fail() { echo "gen_certs.sh: $1" >&2; exit "${2:-1}"; }

out=/usr/share/stratum/certs
hosts=(localhost 127.0.0.1 ::1)
days=825
owner=
renew=false
while [ $# -gt 0 ]; do
  case $1 in
    --out | --host | --days | --owner)
      [ $# -ge 2 ] || fail "$1 needs a value; see --help" 2
      case $1 in
        --out) out=$2 ;;
        --host) hosts+=("$2") ;;
        --days) days=$2 ;;
        --owner) owner=$2 ;;
      esac
      shift 2
      ;;
    --renew) renew=true; shift ;;
    -h | --help) usage; exit 0 ;;
    *) fail "$1 is no option; see --help" 2 ;;
  esac
done
[[ $days =~ ^[1-9][0-9]{0,4}$ ]] || fail "--days $days is no number of days" 2
command -v openssl >/dev/null || fail "there is no openssl; install it: apt-get install openssl"

files=(ca.crt stratum.crt stratum.key client.crt client.key)

# Why the set in $out cannot stay; nothing when it can.
trouble() {
  local file name
  for file in "${files[@]}"; do
    [ -f "$out/$file" ] || { echo "$file is not there"; return; }
  done
  for name in stratum client; do
    openssl x509 -in "$out/$name.crt" -noout -checkend $((7 * 86400)) >/dev/null 2>&1 ||
      { echo "$name.crt runs out within a week"; return; }
    openssl verify -CAfile "$out/ca.crt" "$out/$name.crt" >/dev/null 2>&1 ||
      { echo "$name.crt is not of ca.crt"; return; }
    [ "$(openssl x509 -in "$out/$name.crt" -noout -pubkey 2>/dev/null)" = \
      "$(openssl pkey -in "$out/$name.key" -pubout 2>/dev/null)" ] ||
      { echo "$name.key is not the key of $name.crt"; return; }
  done
}

present=0
for file in "${files[@]}"; do [ ! -e "$out/$file" ] || present=$((present + 1)); done
if [ "$present" -gt 0 ] && [ "$renew" = false ]; then
  why=$(trouble)
  if [ -z "$why" ]; then
    chmod 0600 "$out/stratum.key" "$out/client.key"
    [ -z "$owner" ] || chown "$owner" "$out" "${files[@]/#/$out/}"
    say "the certificates in $out are good until $(openssl x509 -in "$out/stratum.crt" -noout -enddate | cut -d= -f2)"
    exit 0
  fi
  fail "$out: $why; make a new set with --renew"
fi

# Only the folder itself is its user's alone.
mkdir -p "$(dirname "$out")" 2>/dev/null || true
umask 077
mkdir -p "$out" 2>/dev/null || fail "$out cannot be made; run as root, or give --out"
work=$(mktemp -d "$out/.new.XXXXXX") || fail "$out cannot be written; run as root, or give --out"
trap 'rm -rf "$work"' EXIT

names=
for host in "${hosts[@]}"; do
  if [[ $host == *:* || $host =~ ^[0-9]+(\.[0-9]+){3}$ ]]; then names+=",IP:$host"; else names+=",DNS:$host"; fi
done

key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1"; }

# issue NAME SUBJECT USAGE ALTERNATIVES
issue() {
  key "$work/$1.key"
  openssl req -new -key "$work/$1.key" -subj "/CN=$2" -out "$work/$1.csr"
  openssl x509 -req -in "$work/$1.csr" -CA "$work/ca.crt" -CAkey "$work/ca.key" -days "$days" \
    -set_serial "0x$(openssl rand -hex 16)" -sha256 -out "$work/$1.crt" -extfile <(
      printf '%s\n' 'basicConstraints=critical,CA:false' 'keyUsage=critical,digitalSignature' \
        "extendedKeyUsage=$3" "subjectAltName=$4"
    ) 2>"$work/log" || fail "openssl: $(tail -1 "$work/log"); see that each --host is a name or an address"
}

key "$work/ca.key"
openssl req -x509 -new -key "$work/ca.key" -subj "/CN=infrap4d authority" -days "$days" -sha256 \
  -addext 'basicConstraints=critical,CA:true,pathlen:0' \
  -addext 'keyUsage=critical,keyCertSign,cRLSign' -out "$work/ca.crt"
issue stratum infrap4d serverAuth "${names#,}"
issue client "infrap4d client" clientAuth DNS:client
chmod 0644 "$work"/*.crt
chmod 0600 "$work"/*.key
[ -z "$owner" ] || chown "$owner" "$out" "${files[@]/#/$work/}"
for file in "${files[@]}"; do mv -f "$work/$file" "$out/$file"; done
say "made ${files[*]} in $out, good for $days days and for ${hosts[*]}"
