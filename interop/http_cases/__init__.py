"""Requests to an HTTP/1.1 file server, byte by byte, and what RFC 9110, 9112, 3986 and 6585 let it answer.

`tree` makes the files that are served, `wire` reads answers strictly, `model` says what a case is and judges it. The
cases are in `lines`, `fields`, `framing`, `connections`, `paths`, `ranges`, `conditions` and `negotiation`.
`python3 -m http_cases ADDRESS PORT` runs them against any server that serves `tree`.
"""

import importlib

for group in ["lines", "fields", "framing", "connections", "paths", "ranges", "conditions", "negotiation"]:
    importlib.import_module(f"http_cases.{group}")
