"""The file server in front of curl, wget, ab, wrk, h2load, nghttp, slowhttptest and a crowd of sockets."""

import errno
import filecmp
import os
import re
import signal
import ssl
import threading
import time

import http_site
from bench import end
from harness import check, expect
from http_cases.tree import FILES

ADDRESS = {4: "192.0.2.2", 6: "[2001:db8:1::2]"}
TAP = ("tap",)


def curl(bench, *arguments, within=None):
    return bench.kernel("curl", "-sS", "--noproxy", "*", "--max-time", within or bench.patience, *arguments,
                        within=(within or bench.patience) + 5)


def url(path, version=4, tls=False):
    return f"{'https' if tls else 'http'}://{ADDRESS[version]}/{path}"


# curl

@check("curl gets 64 MB with equal SHA-256")
def curl_large(bench, ip):
    site = http_site.serve(bench)
    target = bench.folder / "got"
    result = curl(bench, "-o", target, "-w", "%{http_code} %{size_download} %{speed_download}", url("large.bin", ip.version), within=30)
    expect(result.status == 0 and result.out.split()[:2] == ["200", str(http_site.LARGE)], f"200 and {http_site.LARGE} bytes were due: {result}")
    expect(http_site.digest(target) == site.large, "another SHA-256")
    return f"{int(result.out.split()[2]) / 1e6:.0f} MB/s"


@check("curl gets a range, a suffix and two ranges", links=TAP)
def curl_ranges(bench):
    http_site.serve(bench)
    data = FILES["range.bin"]
    for asked, due in [("0-99", data[:100]), ("-5", data[-5:]), ("990-", data[990:])]:
        result = curl(bench, "-r", asked, url("range.bin"))
        expect(result.raw == due, f"-r {asked}: {len(due)} bytes were due, {len(result.raw)} came: {result.err}")
    result = curl(bench, "-i", "-r", "0-9,20-29", url("range.bin"))
    expect(b"multipart/byteranges" in result.raw and data[20:30] in result.raw, f"two parts were due: {result}")


@check("curl speaks {protocol}", links=TAP, protocol=["TLS 1.2", "TLS 1.3", "HTTP/2 over TLS", "HTTP/1.1 over TLS"])
def curl_tls(bench, protocol):
    site = http_site.serve(bench, *http_site.TLS)
    options = {"TLS 1.2": ["--tlsv1.2", "--tls-max", "1.2"], "TLS 1.3": ["--tlsv1.3"], "HTTP/2 over TLS": ["--http2"],
               "HTTP/1.1 over TLS": ["--http1.1"]}[protocol]
    result = curl(bench, *options, "-v", "--cacert", site.certificate, "-w", "|%{http_version}|%{http_code}|%{ssl_verify_result}",
                  url("hello.txt", tls=True))
    due = "1.1" if "1.1" in protocol else "2"
    expect(result.out == f"Hello, world!\n|{due}|200|0", f"HTTP/{due} and a good certificate were due: {result}")
    if protocol.startswith("TLS"):
        expect(f"SSL connection using {protocol.replace(' ', 'v')}" in result.err, f"{protocol} was due: {result.err[-600:]}")


@check("curl gets 64 MB by {protocol} with equal SHA-256", links=TAP, protocol=["HTTP/2", "HTTP/2 over TLS", "HTTP/1.1 over TLS"])
def curl_large_tls(bench, protocol):
    tls = "TLS" in protocol
    site = http_site.serve(bench, *(http_site.TLS if tls else ()))
    target = bench.folder / "got"
    option = "--http1.1" if "1.1" in protocol else "--http2" if tls else "--http2-prior-knowledge"
    result = curl(bench, option, "--cacert", site.certificate, "-o", target, "-w", "%{http_version} %{speed_download}",
                  url("large.bin", tls=tls), within=30)
    expect(result.status == 0 and result.out.split()[:1] == ["1.1" if "1.1" in protocol else "2"], f"{protocol} was due: {result}")
    expect(http_site.digest(target) == site.large, "another SHA-256")
    return f"{int(result.out.split()[1]) / 1e6:.0f} MB/s"


@check("curl sends 10,000 requests over one connection", links=TAP)
def curl_many(bench):
    http_site.serve(bench)
    result = curl(bench, "-o", "/dev/null", "-w", "%{num_connects} %{http_code} %{size_download}\n",
                  url("hello.txt?[1-10000]"), within=30)
    lines = result.out.split("\n")[:-1]
    expect(len(lines) == 10_000 and set(lines) <= {"1 200 14", "0 200 14"}, f"10,000 answers were due, {len(lines)} came: {set(lines)} {result.err[-200:]}")
    expect(lines.count("1 200 14") == 1, f"one connection was due, not {lines.count('1 200 14')}")


@check("curl resumes with -C - after kill -9, with equal SHA-256", links=TAP)
def client_killed(bench):
    site = http_site.serve(bench)
    target = bench.folder / "part"
    target.unlink(missing_ok=True)
    process = bench.start_kernel("curl", "-sS", "--limit-rate", "20M", "-o", target, url("large.bin"))
    time.sleep(0.8)
    end(process, signal.SIGKILL)
    had = os.path.getsize(target) if target.exists() else 0
    expect(0 < had < http_site.LARGE, f"curl was not killed in mid-transfer: {had} bytes")
    result = curl(bench, "-C", "-", "-o", target, "-w", "%{http_code} %{size_download}", url("large.bin"), within=30)
    expect(result.out == f"206 {http_site.LARGE - had}", f"206 and the rest were due: {result}")
    expect(http_site.digest(target) == site.large, "another SHA-256")
    return f"{had:,} bytes, then the rest"


@check("curl resumes after kill -9 of the server, with equal SHA-256", links=TAP)
def server_killed(bench):
    site = http_site.serve(bench)
    target = bench.folder / "part"
    target.unlink(missing_ok=True)
    process = bench.start_kernel("curl", "-sS", "--limit-rate", "20M", "--speed-time", 2, "--speed-limit", 1, "-o", target, url("large.bin"))
    time.sleep(0.8)
    end(bench.host, signal.SIGKILL)
    bench.host = None
    status = process.wait(bench.patience)
    expect(status != 0, "curl took a part for the whole")
    had = os.path.getsize(target)
    expect(0 < had < http_site.LARGE, f"the server was not killed in mid-transfer: {had} bytes")
    site = http_site.serve(bench)
    result = curl(bench, "-C", "-", "-o", target, "-w", "%{http_code}", url("large.bin"), within=30)
    expect(result.out == "206" and http_site.digest(target) == site.large, f"206 and equal SHA-256 were due: {result}")


@check("a server stops upon SIGINT in mid-transfer within its time, and curl sees the end", links=TAP)
def server_interrupted(bench):
    http_site.serve(bench)
    process = bench.start_kernel("curl", "-sS", "--limit-rate", "1M", "-o", "/dev/null", url("large.bin"))
    time.sleep(0.5)
    began = time.monotonic()
    host, bench.host = bench.host, None
    status = end(host, signal.SIGINT, 20)
    expect(status == 0, f"it ended with {status}: {bench.host_errors.read_text()[-200:]}")
    took = time.monotonic() - began
    try:
        # The reset is there at once, but curl sleeps for as long as it is ahead of its rate before it looks.
        status = process.wait(60)
    except Exception:
        status = None
    expect(status is not None, "curl was not told of the end: neither FIN nor RST came")
    expect(status != 0, "curl took a part for the whole")
    return f"{took:.1f} s"


@check("a file that shrinks in mid-transfer ends the connection without a wrong byte", links=TAP)
def shrinks(bench):
    site = http_site.serve(bench)
    victim, target = site.root / "victim.bin", bench.folder / "got"
    content = os.urandom(1 << 20) * 32
    victim.write_bytes(content)
    process = bench.start_kernel("curl", "-sS", "--limit-rate", "20M", "-o", target, url("victim.bin"))
    time.sleep(0.5)
    os.truncate(victim, 1 << 20)
    status = process.wait(bench.patience)
    got = target.read_bytes()
    expect(status != 0 and len(got) < len(content), f"curl ended with {status} and {len(got)} of {len(content)} bytes")
    expect(content.startswith(got), "the bytes before the end are not the file's")
    victim.unlink()


@check("a file that is replaced in mid-transfer is never mixed", links=TAP)
def replaced(bench):
    site = http_site.serve(bench)
    victim, other, target = site.root / "victim.bin", site.root / "other.bin", bench.folder / "got"
    first, second = os.urandom(1 << 20) * 32, os.urandom(1 << 20) * 32
    victim.write_bytes(first)
    other.write_bytes(second)
    process = bench.start_kernel("curl", "-sS", "--limit-rate", "20M", "-o", target, url("victim.bin"))
    time.sleep(0.5)
    other.rename(victim)
    status = process.wait(bench.patience)
    got = target.read_bytes()
    expect(got == first or status != 0 and first.startswith(got), f"curl ended with {status}: {len(got)} bytes, not the first file's")
    again = curl(bench, "-o", target, "-w", "%{http_code}", url("victim.bin"))
    expect(again.out == "200" and target.read_bytes() == second, f"then the second file was due: {again}")
    victim.unlink()


@check("a file that is overwritten in place in mid-transfer is never mixed", links=TAP)
def overwritten(bench):
    site = http_site.serve(bench)
    victim, target = site.root / "victim.bin", bench.folder / "got"
    first = os.urandom(1 << 20) * 32
    victim.write_bytes(first)
    process = bench.start_kernel("curl", "-sS", "--limit-rate", "20M", "-o", target, url("victim.bin"))
    time.sleep(0.5)
    with open(victim, "r+b") as file:
        file.write(bytes(len(first)))
    status = process.wait(bench.patience)
    got = target.read_bytes()
    # What was sent before is the first file's; if bytes of the second follow, the transfer must not look whole.
    expect(status != 0 or got == first, f"curl took {len(got)} mixed bytes for the whole")
    victim.unlink()


# wget

@check("wget -m mirrors 31 pages in three folders", links=TAP)
def wget(bench):
    site = http_site.serve(bench)
    target = bench.folder / "mirrored"
    result = bench.kernel("wget", "-m", "-nv", "-np", "-P", target, "-T", bench.patience, "-t", 1, url("mirror/"), within=30)
    expect(result.status == 0, f"wget failed: {result}")
    due = sorted(str(path.relative_to(site.root)) for path in (site.root / "mirror").rglob("*") if path.is_file())
    same, other, missing = filecmp.cmpfiles(site.root, target / ADDRESS[4], due, shallow=False)
    expect(len(same) == len(due), f"missing {missing}, different {other}")
    again = bench.kernel("wget", "-m", "-nv", "-np", "-P", target, "-T", bench.patience, "-t", 1, url("mirror/"), within=30)
    time.sleep(1.5)  # the log is written once a second
    statuses = [status for _, target, status, _ in http_site.requests(site) if target.startswith("/mirror/")]
    expect(again.status == 0 and 304 in statuses, f"a second time, 304 was due, not {statuses}: {again}")


# ab, wrk, h2load, nghttp

@check("ab: 10,000 requests, 50 at a time, {mode}", links=TAP, mode=["kept", "closed"])
def ab(bench, mode):
    http_site.serve(bench)
    count = 10_000 if mode == "kept" else 3_000
    result = bench.kernel("ab", "-q", "-s", bench.patience, "-n", count, "-c", 50, *(["-k"] if mode == "kept" else []), url("hello.txt"), within=30)
    expect(re.search(rf"Complete requests: +{count}\n", result.out) and re.search(r"Failed requests: +0\n", result.out)
           and "Non-2xx" not in result.out, f"{count} good answers were due: {result}")
    if mode == "kept":
        expect(re.search(rf"Keep-Alive requests: +{count}\n", result.out), f"{count} kept connections were due: {result}")
    return re.search(r"Requests per second: +([\d.]+)", result.out)[1] + " requests/s"


@check("wrk: 100 connections for 3 seconds without an error", links=TAP)
def wrk(bench):
    http_site.serve(bench)
    result = bench.kernel("wrk", "-t1", "-c100", "-d3s", "--timeout", "2s", url("hello.txt"), within=30)
    rate = re.search(r"Requests/sec: +([\d.]+)", result.out)
    expect(result.status == 0 and rate and float(rate[1]) > 0, f"answers were due: {result}")
    expect("Socket errors" not in result.out and "Non-2xx" not in result.out, f"errors: {result.out[-300:]}")
    return f"{rate[1]} requests/s"


@check("h2load: 20,000 requests over 10 connections, 20 streams each, {mode}", links=TAP, mode=["clear", "TLS"])
def h2load(bench, mode):
    tls = mode == "TLS"
    http_site.serve(bench, *(http_site.TLS if tls else ()))
    result = bench.kernel("h2load", "-n", 20_000, "-c", 10, "-m", 20, "-N", bench.patience, url("hello.txt", tls=tls), within=30)
    expect("20000 succeeded, 0 failed, 0 errored, 0 timeout" in result.out, f"20,000 good answers were due: {result}")
    return re.search(r"([\d.]+) req/s", result.out)[1] + " requests/s"


@check("h2load with windows of 1 KiB gets 100 files of a megabyte", links=TAP)
def h2load_windows(bench):
    http_site.serve(bench)
    result = bench.kernel("h2load", "-n", 100, "-c", 4, "-m", 5, "-w", 10, "-W", 14, url("big.bin"), within=30)
    expect("100 succeeded, 0 failed" in result.out, f"100 good answers were due: {result}")


@check("nghttp gets 13 files at once, {mode}", links=TAP, mode=["clear", "TLS", "with padding"])
def nghttp(bench, mode):
    tls = mode == "TLS"
    http_site.serve(bench, *(http_site.TLS if tls else ()))
    names = [name for name in FILES if re.fullmatch(r"[a-z]+\.(txt|css|js|json|png|svg|bin)", name)]
    options = ["-b", "50", "--no-dep"] if "padding" in mode else []
    result = bench.kernel("nghttp", "-n", "-s", "-t", bench.patience, *options, *[url(name, tls=tls) for name in names], within=20)
    good = re.findall(r" 200 +\S+ /(\S+)\n", result.out)
    expect(result.status == 0 and sorted(good) == sorted(names), f"{sorted(names)} were due, not {sorted(good)}: {result}")


# Slow and many

class Watch(threading.Thread):
    """Another client that asks all the while; the slowest answer counts."""

    def __init__(self, bench):
        super().__init__(daemon=True)
        self.bench, self.slowest, self.count, self.wrong, self.over = bench, 0, 0, None, False
        self.start()

    def run(self):
        while not self.over:
            began = time.monotonic()
            try:
                with self.bench.socket() as stream:
                    stream.settimeout(3)
                    stream.connect((ADDRESS[4], http_site.PORT))
                    stream.sendall(b"GET /hello.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    data = b""
                    while piece := stream.recv(65_536):
                        data += piece
                if not data.startswith(b"HTTP/1.1 200") or not data.endswith(FILES["hello.txt"]):
                    self.wrong = self.wrong or f"it got {data[:60]!r}"
            except OSError as error:
                self.wrong = self.wrong or f"{error!r} after {time.monotonic() - began:.1f} s"
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.count += 1
            time.sleep(0.05)

    def finish(self):
        self.over = True
        self.join(5)
        expect(not self.wrong, f"another client was not served: {self.wrong}")
        expect(self.count > 20, f"another client was served only {self.count} times")
        expect(self.slowest < 1, f"another client waited {self.slowest:.2f} s")
        return f"{self.count} others, the slowest {1_000 * self.slowest:.0f} ms"


@check("slowhttptest, {mode}: others are served", links=TAP, mode=["slow headers", "slow bodies", "slow reading"])
def slow(bench, mode):
    http_site.serve(bench)
    options = {"slow headers": ["-H"], "slow bodies": ["-B", "-t", "POST"],
               "slow reading": ["-X", "-w", "10", "-y", "20", "-n", "1", "-z", "32", "-k", "3"]}[mode]
    target = url("big.bin" if mode == "slow reading" else "hello.txt")
    watch = Watch(bench)
    result = bench.kernel("slowhttptest", "-c", 500, "-r", 200, "-i", 2, "-l", 10, "-p", 2, *options, "-u", target, within=40)
    said = watch.finish()
    plain = re.sub(r"\x1b\[[0-9;]*m", "", result.out)
    found = re.search(r"service available: +YES", plain)
    expect(found, f"slowhttptest itself found the service gone: {plain[-400:]}")
    return said


@check("a request that never ends is answered with 408 or ended in 30 seconds", links=TAP)
def header_time(bench):
    http_site.serve(bench)
    began = time.monotonic()
    with bench.socket() as stream:
        stream.settimeout(3 * bench.patience)
        stream.connect((ADDRESS[4], http_site.PORT))
        stream.sendall(b"GET /hello.txt HTTP/1.1\r\nHost: localhost\r\nX-")
        data = stream.recv(65_536)
    expect(data == b"" or data.startswith(b"HTTP/1.1 408"), f"408 was due, not {data[:60]!r}")
    took = time.monotonic() - began
    expect(took > 1, "it was ended at once")
    return f"{took:.0f} s, {'408' if data else 'the end'}"


COUNT = 2_000


@check(f"{COUNT:,} connections at once are each answered", links=TAP)
def crowd(bench):
    http_site.serve(bench, *http_site.CROWD)
    result = bench.peer("many_requests.py", ADDRESS[4], http_site.PORT, COUNT, within=6 * bench.patience)
    expect(result.out.strip() == str(COUNT), f"{COUNT} good answers were due: {result}")


@check("the access log has a line of the Combined form for each request", links=TAP)
def log(bench):
    site = http_site.serve(bench)
    since = http_site.log_size(site)
    curl(bench, "-A", 'agent "x"\\', "-e", "http://from.example/", url("hello.txt?marker"), url("nothing?marker"))
    curl(bench, "-r", "0-4", url("hello.txt?marker"))
    late, lines = time.monotonic() + bench.patience, []
    while len(lines) < 3 and time.monotonic() < late:
        time.sleep(0.1)
        with open(site.log) as file:
            file.seek(since)
            lines = [line for line in file if "marker" in line]
    form = re.compile(r'\S+ - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /(hello.txt|nothing)\?marker HTTP/1.1" '
                      r'(200|404|206) (\d+) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"')
    found = [form.match(line) for line in lines]
    expect(len(lines) == 3 and all(found), f"three lines of that form were due: {lines}")
    expect([match[2] for match in found] == ["200", "404", "206"] and found[0][3] == "14" and found[2][3] == "5"
           and found[0][1 + 3] == "http://from.example/", f"other contents were due: {lines}")
    expect(all(line.startswith("192.0.2.1 ") for line in lines), f"192.0.2.1 asked: {lines}")


@check("sockets of TLS that speak clear text, cut their hand-shake or close early do no harm", links=TAP)
def tls_nonsense(bench):
    site = http_site.serve(bench, *http_site.TLS)
    for piece in [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"", os.urandom(4_000)]:
        with bench.socket() as stream:
            stream.settimeout(bench.patience)
            stream.connect((ADDRESS[4], http_site.TLS_PORT))
            try:
                stream.sendall(piece)
                stream.shutdown(1)
                while stream.recv(65_536):
                    pass
            except OSError as error:
                # The server may end the connection before we do.
                if error.errno not in (errno.ECONNRESET, errno.ENOTCONN, errno.EPIPE):
                    raise
    context = ssl.create_default_context(cafile=site.certificate)
    with bench.socket() as stream:
        stream.settimeout(bench.patience)
        stream.connect((ADDRESS[4], http_site.TLS_PORT))
        with context.wrap_socket(stream, server_hostname="martlet.test") as secure:
            secure.sendall(b"GET /hello.txt HTTP/1.1\r\nHost: martlet.test\r\nConnection: close\r\n\r\n")
            data = b""
            while piece := secure.recv(65_536):
                data += piece
    expect(data.endswith(FILES["hello.txt"]), f"afterwards an answer was due, not {data[:60]!r}")
