"""Long streams through TCP in both directions, over a good link and over a bad one; equal by SHA-256."""

import functools
import hashlib
import random
import subprocess
import time

from bench import read_line
from harness import check, expect

IMPAIRED = ["--drop", "2", "--reorder", "5", "--seed", "1"]
LINKS = {"": [], " with 2 % dropped and 5 % reordered": IMPAIRED}
PORT = 12_100


@functools.cache
def file_of(folder, megabytes):
    """A file of noise and its SHA-256."""
    path, noise, digest = folder / f"noise-{megabytes}", random.Random(megabytes), hashlib.sha256()
    with open(path, "wb") as file:
        for _ in range(megabytes):
            piece = noise.randbytes(1_000_000)
            file.write(piece)
            digest.update(piece)
    return path, digest.hexdigest()


def rate(megabytes, seconds):
    return f"{megabytes / seconds:.0f} MB/s"


@check("100 MB go into Martlet{condition}", condition=LINKS)
def into_martlet(bench, ip, condition):
    path, due = file_of(bench.folder, 100)
    listener = bench.start_martlet("nc", "-l", PORT, *LINKS[condition], record=False, stdin=subprocess.DEVNULL)
    digest = subprocess.Popen(["sha256sum"], stdin=listener.stdout, stdout=subprocess.PIPE)
    bench.running.append(digest)
    listener.stdout.close()
    sender = bench.start_peer("stream.py", "send", ip.martlet, PORT, path)
    connected = read_line(sender, 12)
    expect(connected, "no connection")
    got = bench.finish(digest, within=60).out.split()[0]
    seconds = time.time() - float(connected)
    expect(got == due, f"SHA-256 of what came out is {got}, of the file {due}")
    bench.expect_well(listener)
    return rate(100, seconds)


@check("100 MB come out of Martlet{condition}", condition=LINKS)
def out_of_martlet(bench, ip, condition):
    path, due = file_of(bench.folder, 100)
    receiver = bench.start_peer("stream.py", "receive", ip.kernel, PORT, ready="ready")
    with open(path, "rb") as file:
        sender = bench.start_martlet("nc", *LINKS[condition], ip.kernel, PORT, record=False, stdin=file)
    got = bench.finish(receiver, within=60).out.split()
    expect(got and got[0] == due, f"SHA-256, bytes and seconds received are {got}, SHA-256 of the file is {due}")
    bench.expect_well(sender)
    return rate(100, float(got[2]))


@check("2 MB go from netcat into martlet nc, recorded{condition}", condition=LINKS)
def netcat_into_martlet(bench, ip, condition):
    path, due = file_of(bench.folder, 2)
    listener = bench.start_martlet("nc", "-l", PORT, *LINKS[condition], stdin=subprocess.DEVNULL)
    sender = bench.start_kernel("sh", "-c", "for try in 1 2 3 4 5 6 7 8 9; do "
                                f"nc -n -N {ip.martlet} {PORT} < {path} && break; sleep 0.2; done")
    result = bench.finish(listener, within=2 * bench.patience)
    expect(hashlib.sha256(result.raw).hexdigest() == due, f"{len(result.raw)} bytes came, or changed: {result.err}")
    expect(result.status == 0, f"martlet nc ended with {result.status}: {result.err}")
    bench.expect_well(sender)


@check("2 MB go from martlet nc to netcat, recorded{condition}", condition=LINKS)
def martlet_to_netcat(bench, ip, condition):
    path, due = file_of(bench.folder, 2)
    receiver = bench.start_kernel("nc", "-n", "-N", "-l", ip.kernel, PORT)
    with open(path, "rb") as file:
        sender = bench.start_martlet("nc", *LINKS[condition], ip.kernel, PORT, stdin=file)
    result = bench.finish(receiver, within=2 * bench.patience)
    expect(hashlib.sha256(result.raw).hexdigest() == due, f"{len(result.raw)} bytes came, or changed: {result.err}")
    bench.expect_well(sender)
