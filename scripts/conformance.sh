#!/usr/bin/env bash
# Which test shows which numbered requirement of RFC 9293, into docs/conformance/rfc9293.md.
#
#   scripts/conformance.sh            runs all tests, writes the table
#   scripts/conformance.sh --check    the same, and fails when a MUST has neither a test that passed nor a line in
#                                     docs/conformance/deviations.md, or when the committed table is another one
#
# What a test is about comes from its .rfc(…) traits while it runs (MARTLET_RFC_TAGS, Tests/…/RFCTag.swift), whether it
# passed from the event stream of the same run. A test that failed, was skipped or has a known issue counts for nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
MARTLET_RFC_TAGS="$work/tags" swift test ${SWIFT_TEST_OPTIONS:-} --event-stream-output-path "$work/events" --event-stream-version 6.3 || status=$?
touch "$work/tags" "$work/events"
[ $status -eq 0 ] || echo "swift test failed ($status)" >&2
python3 scripts/conformance.py "$work/tags" "$work/events" "$@" || status=$?
exit $status
