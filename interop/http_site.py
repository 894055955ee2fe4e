"""What `martlet serve` publishes for the checks, and where."""

import hashlib
import os
import random
import subprocess

from http_cases import tree

PORT, TLS_PORT = 80, 443
LARGE = 64 << 20  # bytes of large.bin
TLS = ("--tls",)  # stands for the options with the certificate's and the key's files
CROWD = ("--connections-per-address", "4000")
SITES = {}


class Site:
    """The files, made once for each bench: `tree`, one large file, a page of fifty, a folder to mirror."""

    def __init__(self, bench):
        self.root = tree.make(bench.folder)
        self.bench = bench
        block = random.Random(4).randbytes(1 << 20)
        digest = hashlib.sha256()
        with open(self.root / "large.bin", "wb") as file:
            for number in range(LARGE >> 20):
                piece = number.to_bytes(8) + block[8:]
                file.write(piece)
                digest.update(piece)
        self.large = digest.hexdigest()
        self.key, self.certificate = bench.folder / "key.pem", bench.folder / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", self.key, "-out", self.certificate, "-days", "2", "-subj", "/CN=martlet.test",
                        "-addext", "subjectAltName=DNS:martlet.test,DNS:localhost,IP:192.0.2.2,IP:2001:db8:1::2"],
                       check=True, stderr=subprocess.DEVNULL)
        self.mirror()

    def mirror(self):
        """A small site of pages that link to one another."""
        names = [f"{folder}{number}.html" for folder in ("", "a/", "a/b/") for number in range(10)]
        for name in names:
            path = self.root / "mirror" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            links = "".join(f'<a href="/mirror/{other}">{other}</a>\n' for other in names)
            path.write_text(f"<!doctype html><title>{name}</title>\n{links}" + "text " * random.Random(name).randrange(2_000))
        (self.root / "mirror" / "index.html").write_text('<!doctype html><title>m</title><a href="0.html">0</a>')


def serve(bench, *options):
    """Sees that the files are served, over TLS if the options are `TLS`; returns the site."""
    if bench.folder not in SITES:
        SITES.clear()
        SITES[bench.folder] = Site(bench)
    site = SITES[bench.folder]
    if options == TLS:
        options = ("--port", TLS_PORT, "--tls-cert", site.certificate, "--tls-key", site.key)
    else:
        options = ("--port", PORT, *options)
    site.log = bench.serve_files(site.root, *options)
    return site


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def requests(site, since=0):
    """The access log's lines from a place on, as (method, target, status, bytes)."""
    found = []
    with open(site.log, errors="replace") as file:
        file.seek(since)
        for line in file:
            pieces = line.split('"')
            if len(pieces) > 2 and len(pieces[1].split()) == 3 and len(pieces[2].split()) == 2:
                method, target, _ = pieces[1].split()
                status, count = pieces[2].split()
                found.append((method, target, int(status), int(count) if count != "-" else 0))
    return found


def log_size(site):
    return os.path.getsize(site.log) if os.path.exists(site.log) else 0
