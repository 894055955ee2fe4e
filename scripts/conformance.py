#!/usr/bin/env python3
"""Writes docs/conformance/rfc9293.md from what the tests said of themselves; see conformance.sh."""

import argparse
import json
import re
import sys
from collections import defaultdict
from pathlib import Path

HEAD = """\
# RFC 9293, requirement by requirement

Written by `scripts/conformance.sh` from the tests' own tags and results; not by hand. "passes": each test named ran and
passed. "deviates": `deviations.md` says what is not done and why; beside "passes", for the part that the tests do not show.

| requirement | section | what | tests | result |
|---|---|---|---|---|
"""


def read_requirements(path):
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:] if line]
    return [(row[0], row[1], row[3]) for row in rows]


def read_deviations(path, known):
    """Lines of the form `- **MUST-51** (section): why not`."""
    found = set()
    for line in path.read_text().splitlines():
        for name in re.findall(r"\*\*([A-Z]+-\d+)\*\*", line.split(":")[0]) if line.startswith("- ") else []:
            if name not in known:
                sys.exit(f"{path}: RFC 9293 has no requirement {name}")
            found.add(name)
    return found


def without_place(identifier):
    """A test's identifier without the file and line it stands at, which the tags do not need to agree about."""
    return re.sub(r"/[^/]+\.swift:\d+:\d+$", "", identifier)


def read_events(path):
    """The names of all tests, and those that ran and passed."""
    names, ended, bad = {}, set(), set()
    for line in path.read_text().splitlines():
        record = json.loads(line)
        payload = record["payload"]
        if record["kind"] == "test":
            if payload.get("kind") == "function":
                identifier = without_place(payload["id"])
                names[identifier] = payload.get("displayName") or payload["name"]
        elif record["kind"] == "event":
            test = payload.get("testID")
            test = test and without_place(test)
            if payload["kind"] == "testEnded":
                ended.add(test)
            elif payload["kind"] in ("issueRecorded", "testSkipped", "testCancelled", "testCaseCancelled"):
                bad.add(test)
    return names, ended - bad


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tags", type=Path)
    parser.add_argument("events", type=Path)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path("docs/conformance"))
    options = parser.parse_args()
    table = options.folder / "rfc9293.md"
    requirements = read_requirements(options.folder / "rfc9293.tsv")
    known = {name for name, _, _ in requirements}
    deviations = read_deviations(options.folder / "deviations.md", known)
    names, passed = read_events(options.events)

    tests = defaultdict(set)
    unknown = set()
    for line in options.tags.read_text().splitlines():
        identifier, rfc, clause = line.split("\t")
        if rfc != "9293" or clause.startswith("section "):
            continue
        if clause not in known:
            unknown.add(f"{clause} ({identifier})")
        tests[clause].add(without_place(identifier))

    rows, missing = [], []
    counts = defaultdict(int)
    for name, section, what in requirements:
        good = sorted(names.get(test, test) for test in tests[name] & passed)
        bad = sorted(names.get(test, test) for test in tests[name] - passed)
        words = []
        if good and not bad:
            words.append("passes")
        if bad:
            words.append("**fails**")
        if name in deviations:
            words.append("deviates")
        if not words:
            words.append("**nothing**")
        if (not good or bad) and name not in deviations:
            missing.append(name)
        result = ", ".join(words)
        counts[result.replace("*", "")] += 1
        cell = "<br>".join(text.replace("|", "\\|") for text in good + [f"~~{text}~~" for text in bad])
        rows.append(f"| {name} | {section} | {what} | {cell} | {result} |")

    total = f"\n{len(requirements)} requirements: " + ", ".join(f"{counts[key]} {key}" for key in sorted(counts)) + ".\n"
    text = HEAD + "\n".join(rows) + "\n" + total
    before = table.read_text() if table.exists() else ""
    table.write_text(text)
    print(total.strip())
    if missing:
        print("neither a test that passed nor a line in deviations.md: " + ", ".join(missing), file=sys.stderr)

    failed = False
    for line in sorted(unknown):
        failed = True
        print(f"RFC 9293 has no requirement {line}", file=sys.stderr)
    if options.check:
        if any(name.startswith("MUST-") for name in missing):
            failed = True
        if text != before:
            failed = True
            print(f"{table} was out of date: commit what was just written", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
