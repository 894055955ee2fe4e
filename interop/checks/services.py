"""The small services of `martlet up`, asked by netcat: echo, discard, daytime, chargen."""

import datetime
import random

from harness import check, expect


def nc(bench, protocol, ip, port, input=b"", datagrams=1):
    """Netcat: over TCP until the other side closes, over UDP until that many datagrams came back."""
    options = ["-N"] if protocol == "tcp" else ["-u", "-W", datagrams]
    return bench.kernel("nc", "-n", "-w", 2, *options, ip.martlet, port, input=input)


@check("echo over {protocol} returns every byte", protocol=["udp", "tcp"])
def echo(bench, ip, protocol):
    bench.serve()
    sent = random.Random(7).randbytes(1_400 if protocol == "udp" else 300_000)
    result = nc(bench, protocol, ip, 7, sent)
    expect(result.raw == sent, f"{len(result.raw)} of {len(sent)} bytes came back, or changed: {result.err}")


@check("echo returns a UDP datagram of 16,000 bytes, in fragments both ways")
def echo_fragments(bench, ip):
    bench.serve()
    sent = random.Random(8).randbytes(16_000)  # netcat reads and sends 16 KiB at a time
    result = nc(bench, "udp", ip, 7, sent)
    expect(result.raw == sent, f"{len(result.raw)} of {len(sent)} bytes came back, or changed: {result.err}")


@check("daytime over {protocol} tells the time of day", protocol=["udp", "tcp"])
def daytime(bench, ip, protocol):
    bench.serve()
    before = datetime.datetime.now(datetime.timezone.utc)
    # Over TCP the connection is the question; what is sent and not read would come back as a reset.
    result = nc(bench, protocol, ip, 13, b"\n" if protocol == "udp" else b"")
    after = datetime.datetime.now(datetime.timezone.utc)
    # RFC 867 leaves the form open; a year, hours and minutes are in every one. UTC or local time.
    due = {f"{moment:%H:%M}" for utc in (before, after) for moment in (utc, utc.astimezone())}
    expect(str(before.year) in result.out and any(time in result.out for time in due),
           f"{before:%Y} and one of {sorted(due)} were due: {result}")


def expect_characters(text):
    """RFC 864: lines of 72 printing characters, each line one character further along the ring of 95."""
    ring = [chr(code) for code in range(32, 127)]
    lines = text.split("\r\n")
    start = ring.index(lines[0][0])
    for number, line in enumerate(lines):
        due = "".join(ring[(start + number + column) % 95] for column in range(72))
        # The last line may be cut short.
        expect(line == due or number == len(lines) - 1 and due.startswith(line), f"line {number} is {line!r}")


@check("chargen over TCP sends lines until the reader has enough")
def chargen_tcp(bench, ip):
    bench.serve()
    result = bench.kernel("sh", "-c", f"nc -n -d {ip.martlet} 19 | head -c 50000")
    expect(len(result.raw) == 50_000, f"50,000 bytes were due, {len(result.raw)} came: {result.err}")
    expect_characters(result.out)


@check("chargen over UDP answers with one datagram of at most 512 bytes")
def chargen_udp(bench, ip):
    bench.serve()
    result = nc(bench, "udp", ip, 19, b"\n")
    expect(0 < len(result.raw) <= 512, f"{len(result.raw)} bytes came: {result}")
    # The RFC leaves the number of characters to chance.
    expect_characters(result.out)


@check("discard over TCP takes a megabyte, says nothing and closes after us")
def discard_tcp(bench, ip):
    bench.serve()
    result = nc(bench, "tcp", ip, 9, bytes(1_000_000))
    expect(result.status == 0 and result.raw == b"", f"silence was due: {result}")


@check("discard over UDP takes a datagram without an answer or an error")
def discard_udp(bench, ip):
    bench.serve()
    result = bench.kernel("nc", "-n", "-u", "-v", "-w", 1, ip.martlet, 9, input=b"nobody reads this\n")
    expect(result.raw == b"" and "refused" not in result.err, f"silence was due: {result}")
    # Silence alone would also be a dead host's answer.
    alive = nc(bench, "udp", ip, 7, b"echo")
    expect(alive.raw == b"echo", f"the host does not answer any more: {alive}")
