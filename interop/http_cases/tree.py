"""The files that the server under test serves, and those beside them that it must not."""

import gzip
import os
import pathlib
import random

MODIFIED = 1_609_556_645  # of every file
IMF, RFC850, ASCTIME = (b"Sat, 02 Jan 2021 03:04:05 GMT", b"Saturday, 02-Jan-21 03:04:05 GMT",
                        b"Sat Jan  2 03:04:05 2021")
EARLIER, LATER = b"Fri, 01 Jan 2021 03:04:05 GMT", b"Sun, 03 Jan 2021 03:04:05 GMT"
SECRET = b"this-must-not-be-served"  # in every file that nobody may have
SMUGGLED = b"only-a-smuggled-request-asks-for-this\n"
PROBE = b"the connection is still good\n"
WORDS = " ".join(random.Random(1).choices(["swift", "martlet", "nest", "eaves", "air", "summer", "wing"], k=4_000))

FILES = {
    "hello.txt": b"Hello, world!\n",
    "probe.txt": PROBE,
    "smuggled.txt": SMUGGLED,
    "index.html": b"<!doctype html><title>Front</title><p>front page\n",
    "empty.txt": b"",
    "range.bin": bytes(random.Random(2).choices(range(256), k=1_000)),
    "big.bin": random.Random(3).randbytes(1 << 20),
    "compressible.txt": WORDS.encode(),
    "siblings.txt": b"plain plain plain plain plain plain\n" * 40,
    "siblings.txt.gz": gzip.compress(b"plain plain plain plain plain plain\n" * 40, 9, mtime=0),
    "style.css": b"body { color: #123 }\n",
    "script.js": b"'use strict'\n",
    "data.json": b'{"a":1}\n',
    "image.svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>\n',
    "image.png": bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154"
                               "08d763606060000000040001f6173855" "0000000049454e44ae426082"),
    "module.wasm": b"\0asm\1\0\0\0",
    "unknown.xyzzy": b"nobody knows\n",
    "no-extension": b"no extension\n",
    "with space.txt": b"a space\n",
    "\u00fcmlaut.txt": b"u with two dots\n",
    "percent%41.txt": b"a percent sign\n",
    "plus+sign.txt": b"a plus sign\n",
    "a&b;c=d.txt": b"reserved characters\n",
    "~tilde.txt": b"unreserved\n",
    "...txt": b"three dots\n",
    "dir/inner.txt": b"inside\n",
    "dir/deeper/leaf.txt": b"leaf\n",
    "dir/.secret": SECRET,
    "odd/<b>&\"'.txt": b"odd\n",
    "odd/100%.txt": b"odd\n",
    "odd/a?b#c.txt": b"odd\n",
    ".hidden": SECRET,
    ".git/config": SECRET,
}
OUTSIDE = {"outside.txt": SECRET + b"\n", "root-sibling/outside.txt": SECRET + b"\n"}


def make(folder):
    """Writes `folder/root` and the forbidden files beside it; returns the root."""
    folder = pathlib.Path(folder)
    root = folder / "root"
    for base, files in ((root, FILES), (folder, OUTSIDE)):
        for name, content in files.items():
            path = base / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    for name, target in {"link-in.txt": "hello.txt", "link-out.txt": "../outside.txt", "link-folder": "..",
                         "link-absolute.txt": str(folder / "outside.txt"), "link-loop": "link-loop",
                         "link-hidden.txt": ".hidden"}.items():
        os.symlink(target, root / name)
    os.mkfifo(root / "pipe")
    for path in [root, *root.rglob("*")]:
        os.utime(path, (MODIFIED, MODIFIED), follow_symlinks=False)
    return root
