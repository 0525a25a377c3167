#!/usr/bin/env bash
# The packet code and the shim under AddressSanitizer, what is concurrent under
# ThreadSanitizer. Each has a build folder of its own.
#
#   scripts/sanitize.sh address|thread
set -euo pipefail
cd "$(dirname "$0")/.."

# A Swift trap must end the process at once.
export SWIFT_BACKTRACE=enable=no

address() {
  # Not leaks: Swift's runtime and DPDK keep memory for ever.
  export ASAN_OPTIONS=detect_leaks=0
  swift build -c release --product k8sdp --traits DPDK --scratch-path .build-asan --sanitize address
  local seed=${SEED:-$(date +%s)0000}
  echo "seed $seed"
  .build-asan/release/k8sdp fuzz --seed "$seed" \
    --frames "${FRAMES:-1000000}" --out "${OUT:-out}/fuzz"
  for state in Fixtures/*/state.yaml; do
    folder=${state%/*}
    inputs=()
    for file in "$folder"/in-port-*.pcap*; do
      port=${file##*/in-port-}
      inputs+=(--in "${port%%.*}=$file")
    done
    .build-asan/release/k8sdp compare --state "$state" "${inputs[@]}" > /dev/null || {
      echo "$folder: k8sdp compare ended with $?"
      exit 1
    }
  done
}

thread() {
  local reports=.build-tsan/reports
  rm -rf "$reports"
  mkdir -p "$reports"
  export TSAN_OPTIONS="halt_on_error=0 exitcode=66 log_path=$PWD/$reports/tsan \
suppressions=$PWD/scripts/tsan-suppressions.txt"
  swift build --build-tests --scratch-path .build-tsan --sanitize thread
  # What is found is printed last, where it is seen.
  swift test --skip-build --scratch-path .build-tsan --sanitize thread \
    --filter '^(ForwardingTests|P4RuntimeServiceTests|GNMIServiceTests)\.' || {
    local status=$?
    cat "$reports"/* 2> /dev/null || true
    exit $status
  }
}

case ${1:-} in
  address | thread) "$1" ;;
  *) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
