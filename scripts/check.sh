#!/usr/bin/env bash
# What CI runs without root: build with warnings as errors, format, tests, examples.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "== format"
swift format lint --strict --recursive Sources Tests Examples Benchmarks/Sources Fuzz/Sources Package.swift

echo "== build"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
swift build --build-tests 2>&1 | tee "$log" | tail -n 3
# Our own targets only: a dependency's warnings are not ours to mend.
if grep -E "^$PWD/(Sources|Tests|Examples)/.*warning:" "$log" | sort -u | grep .; then
  echo "warnings are errors here" >&2
  exit 1
fi

echo "== test, and what the tests show of RFC 9293"
python3 scripts/conformance_test.py
scripts/conformance.sh --check

echo "== examples"
swift build --package-path Examples --build-tests 2>&1 | tail -n 1
for example in FirstProgram UppercaseUDP UppercaseTCP Demultiplexing HTTP1Server HTTP2Server TLSEcho WebSocketChat \
  HummingbirdServer GracefulServer GRPCGreeter; do
  echo "-- $example"
  "Examples/.build/debug/$example"
done
swift test --package-path Examples 2>&1 | tail -n 1

echo "== demonstration"
demo=$(mktemp -d)
(cd "$demo" && "$OLDPWD/.build/debug/martlet" demo | tail -n 1)
rm -rf "$demo"
