#!/usr/bin/env python3
"""Tests of conformance.py: that it can fail, and for what."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).with_name("conformance.py")


class ConformanceTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.requirements = ["MUST-1", "SHLD-1"]
        self.deviations = []
        self.tags = []
        self.events = []

    def ran(self, name, *clauses, issue=False, skipped=False, runs=True):
        """A test that is tagged with `clauses`, and how it went."""
        identifier = f"Tests.Suite/{name}()/File.swift:1:4"
        self.tags += [f"{identifier}\t9293\t{clause}" for clause in clauses]
        payload = {"kind": "function", "id": identifier, "name": name, "displayName": f"The test {name}"}
        self.events.append({"kind": "test", "payload": payload})
        kinds = ["testStarted"] * runs + ["issueRecorded"] * issue + ["testSkipped"] * skipped + ["testEnded"] * runs
        self.events += [{"kind": "event", "payload": {"kind": kind, "testID": identifier}} for kind in kinds]

    def run_script(self, *options):
        def write(name, lines):
            (self.folder / name).write_text("".join(line + "\n" for line in lines))

        write("rfc9293.tsv", ["id\tsection\tgroup\twhat"] + [f"{name}\t3\tgroup\twords" for name in self.requirements])
        write("deviations.md", [f"- **{name}** (words): because." for name in self.deviations])
        write("tags", self.tags)
        write("events", [json.dumps(event) for event in self.events])
        command = [sys.executable, SCRIPT, self.folder / "tags", self.folder / "events", "--folder", self.folder, *options]
        return subprocess.run(command, capture_output=True, text=True)

    def check(self):
        """The check, with a table that is up to date."""
        self.run_script()
        return self.run_script("--check")

    def test_passes_with_a_test_for_each(self):
        self.ran("a", "MUST-1", "SHLD-1")
        self.assertEqual(self.check().returncode, 0)
        self.assertIn("| MUST-1 | 3 | words | The test a | passes |", (self.folder / "rfc9293.md").read_text())

    def test_must_without_anything_fails(self):
        self.ran("a", "SHLD-1")
        result = self.check()
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("MUST-1", result.stderr)

    def test_should_without_anything_is_said_and_does_not_fail(self):
        self.ran("a", "MUST-1")
        result = self.check()
        self.assertEqual(result.returncode, 0)
        self.assertIn("SHLD-1", result.stderr)

    def test_deviation_is_enough(self):
        self.deviations = ["MUST-1"]
        self.assertEqual(self.check().returncode, 0)

    def test_test_with_an_issue_does_not_count(self):
        self.ran("a", "MUST-1", issue=True)
        self.assertNotEqual(self.check().returncode, 0)

    def test_one_that_passes_does_not_hide_one_that_fails(self):
        self.ran("a", "MUST-1")
        self.ran("b", "MUST-1", issue=True)
        self.assertNotEqual(self.check().returncode, 0)

    def test_skipped_test_does_not_count(self):
        self.ran("a", "MUST-1", skipped=True, runs=False)
        self.assertNotEqual(self.check().returncode, 0)

    def test_test_that_did_not_end_does_not_count(self):
        self.ran("a", "MUST-1", runs=False)
        self.assertNotEqual(self.check().returncode, 0)

    def test_table_out_of_date_fails_once(self):
        self.ran("a", "MUST-1")
        self.run_script()
        self.ran("b", "MUST-1")
        self.assertNotEqual(self.run_script("--check").returncode, 0)
        self.assertEqual(self.run_script("--check").returncode, 0)

    def test_order_of_events_changes_nothing(self):
        self.ran("b", "MUST-1")
        self.ran("a", "MUST-1")
        self.run_script()
        self.tags.reverse()
        self.assertEqual(self.run_script("--check").returncode, 0)

    def test_tag_that_names_nothing_fails(self):
        self.ran("a", "MUST-1", "MUST-99")
        self.assertNotEqual(self.check().returncode, 0)

    def test_deviation_that_names_nothing_fails(self):
        self.deviations = ["MUST-1", "MUST-99"]
        self.assertNotEqual(self.check().returncode, 0)


if __name__ == "__main__":
    unittest.main()
