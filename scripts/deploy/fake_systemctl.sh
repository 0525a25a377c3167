#!/usr/bin/env bash
# fake_systemctl.sh WORD…: a stand-in for systemctl where no systemd runs, for check_node.sh: starts and stops what
# units say, as their user with their capabilities, and writes each call to $FAKE_SYSTEMD/calls. No sandbox, no
# restarts, no targets.
set -euo pipefail
case ${1:-} in '' | -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;; esac
echo "$*" >>"$FAKE_SYSTEMD/calls"
words=()
for word in "$@"; do [[ $word = -* ]] || words+=("${word%.service}"); done

value() { sed -e ':a' -e '/\\$/N; s/\\\n//; ta' "/etc/systemd/system/$1.service" | sed -n "s/^$2=//p"; }
alive() { grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$(cat "$FAKE_SYSTEMD/$1.pid" 2>/dev/null)/status"; }
stop() {
  alive "$1" || return 0
  kill "$(<"$FAKE_SYSTEMD/$1.pid")"
  while alive "$1"; do sleep 0.1; done
}
start() {
  local user caps options folder
  user=$(value "$1" User)
  caps=-all$(value "$1" AmbientCapabilities | tr 'A-Z ' 'a-z\n' | sed 's/^cap_/,+/' | tr -d '\n')
  options=$(sed -n 's/^[A-Z0-9_]*_OPTIONS=//p' "/etc/infra/$1.env" 2>/dev/null || true)
  for folder in $(value "$1" RuntimeDirectory); do install -d -o "$user" -g "$user" "/run/$folder"; done
  # shellcheck disable=SC2046 # words of a command
  setsid setpriv --reuid "$user" --regid "$user" --clear-groups --inh-caps "$caps" --ambient-caps "$caps" \
    $(value "$1" ExecStart | sed "s,\$[A-Z0-9_]*_OPTIONS,$options,") </dev/null >/dev/null 2>&1 &
  echo $! >"$FAKE_SYSTEMD/$1.pid"
}

case ${words[0]} in
  is-active) alive "${words[1]}" ;;
  restart) stop "${words[1]}"; start "${words[1]}" ;;
  disable) for unit in "${words[@]:1}"; do stop "$unit"; done ;;
  daemon-reload | enable | start) ;;
  *) echo "fake_systemctl.sh: $* is not known here" >&2; exit 1 ;;
esac
