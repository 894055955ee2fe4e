"""Runs the cases against one server that serves what `tree` makes.

python3 -m http_cases --make FOLDER                    makes the files
python3 -m http_cases ADDRESS PORT [PATTERN] [-v]      one line for each case that fails; -v prints the request too
"""

import re
import sys
import time

from http_cases import tree
from http_cases.model import CASES, Server, Wrong

if sys.argv[1] == "--make":
    print(tree.make(sys.argv[2]))
    sys.exit()
words = [word for word in sys.argv[1:] if word != "-v"]
server = Server(words[0], int(words[1]))
failed = passed = 0
for case in CASES.values():
    if not re.search(words[2] if len(words) > 2 else "", case.name):
        continue
    began = time.monotonic()
    try:
        case.run(server)
        passed += 1
    except Wrong as why:
        failed += 1
        print(f"fail {case.name} (RFC {case.section}): {case.title}: {why}")
        if "-v" in sys.argv:
            try:
                print("    ", case.bytes(server)[:600])
            except Wrong:
                pass
    except OSError as why:
        failed += 1
        print(f"fail {case.name}: {why}")
    if time.monotonic() - began > 1:
        print(f"slow {case.name}: {time.monotonic() - began:.1f} s")
print(f"{passed} passed, {failed} failed of {len(CASES)}")
sys.exit(failed > 0)
