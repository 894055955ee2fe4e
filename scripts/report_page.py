#!/usr/bin/env python3
"""Puts the page of Sources/MartletLab/Report/Page into ReportPage.swift beside it; --check says whether it is there already.

The package manager's own way, a resource embedded as an array of bytes, costs a compiler seven seconds for a hundred kilobytes;
a text costs nothing.
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
REPORT = ROOT / "Sources/MartletLab/Report"
# One view a file, in the order in which the browser reads them.
SCRIPTS = ["core", "dissect", "chart", "timeline", "topology", "events", "ladder", "graphs", "packet", "tables", "main"]


def literal(path):
    """The file as a Swift literal that says the same, between as many number signs as it takes."""
    text = (REPORT / "Page" / path).read_text()
    signs = "#"
    while '"""' + signs in text or "\\" + signs in text:
        signs += "#"
    body = "".join(f"    {line}".rstrip() + "\n" for line in text.splitlines())
    return f'{signs}"""\n{body}\n    """{signs}'


def page():
    scripts = ",\n".join("    " + literal(f"{name}.js") for name in SCRIPTS)
    return f"""// swift-format-ignore-file
// Made by scripts/report_page.py of the files in Page; edit those.

/// The page of a report, without its recording.
enum ReportPage {{
  static let style =
    {literal("style.css")}

  static let body =
    {literal("body.html")}

  /// One view a text, in the order in which the browser reads them.
  static let scripts = [
{scripts},
  ]
}}
"""


def main():
    target = REPORT / "ReportPage.swift"
    text = page()
    if "--check" in sys.argv:
        if not target.exists() or target.read_text() != text:
            sys.exit("ReportPage.swift is not what Page/ says: run scripts/report_page.py")
    else:
        target.write_text(text)


if __name__ == "__main__":
    main()
