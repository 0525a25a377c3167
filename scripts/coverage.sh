#!/usr/bin/env bash
# What the tests reach: every action of every table of the pipeline, and every
# line and branch of the model.
#
#   scripts/coverage.sh [FOLDER]       default out/coverage
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-out/coverage}
build=.build-coverage
mkdir -p "$out"
out=$(cd "$out" && pwd)

swift build --build-tests --enable-code-coverage --scratch-path "$build" | tail -1
K8SDP_COVERAGE="$out/pipeline.txt" swift test --skip-build --enable-code-coverage \
  --scratch-path "$build" --filter 'SimDataplaneTests|PipelineCoverage|FixtureTests|FuzzTests' \
  > "$out/tests.log" 2>&1 || { tail -20 "$out/tests.log" >&2; exit 1; }

folder=$(swift build --show-bin-path --scratch-path "$build")
profile="$folder/codecov/default.profdata"
binary="$folder/k8s-infra-offloadPackageTests.xctest"
# Swift's own: the system's may not know the format.
cov="$(dirname "$(readlink -f "$(command -v swift)")")/llvm-cov"
"$cov" report "$binary" -instr-profile "$profile" Sources/SimDataplane > "$out/model.txt"
"$cov" show "$binary" -instr-profile "$profile" -format html -output-dir "$out/html" \
  -show-branches count Sources/SimDataplane
cat "$out/pipeline.txt"
echo
awk 'BEGIN { print "model", "lines", "missed", "covered" }
  /\.swift|^TOTAL/ { print $1, $8, $9, $10 }' "$out/model.txt" | column -t
echo
echo "The model line by line: $out/html/index.html"
