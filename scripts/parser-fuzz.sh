#!/usr/bin/env bash
# Fuzzes each parser of outside bytes with libFuzzer and AddressSanitizer.
#
#   scripts/parser-fuzz.sh SECONDS [PARSER...]
#
# SECONDS are for each parser. What it learns stays in out/parser-fuzz/PARSER, a finding in
# out/parser-fuzz/PARSER-crash-*; `parser-fuzz parse PARSER FILE` repeats it.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:?say how many seconds for each parser}
shift
out=${OUT:-out}/parser-fuzz
# A Swift trap must end the process at once.
export SWIFT_BACKTRACE=enable=no
# LeakSanitizer counts what Swift's runtime keeps for ever.
export ASAN_OPTIONS=detect_leaks=0

swift build --product parser-fuzz
swift build -c release --product parser-fuzz --scratch-path .build-fuzz \
  --sanitize address --sanitize fuzzer -Xswiftc -DPARSER_FUZZ
seed=.build/debug/parser-fuzz
fuzz=.build-fuzz/release/parser-fuzz

mkdir -p "$out"
for parser in ${*:-$("$seed" list)}; do
  "$seed" seed "$parser" "$out/seeds-$parser"
  mkdir -p "$out/$parser"
  echo "== $parser"
  # Longer than the longest good input; an input may take five seconds, and 2 GB.
  PARSER=$parser "$fuzz" "$out/$parser" "$out/seeds-$parser" \
    -max_total_time="$seconds" -max_len=131072 -timeout=5 -rss_limit_mb=2048 \
    -artifact_prefix="$out/$parser-" -print_final_stats=1 > "$out/$parser.log" 2>&1 || {
    tail -60 "$out/$parser.log"
    exit 1
  }
  grep -E '^stat::number_of_executed_units' "$out/$parser.log"
done
