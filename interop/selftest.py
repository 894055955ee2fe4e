"""Shows that the checks can fail: a check that passes whatever happens is a bug."""

import pathlib
import shutil
import struct
import subprocess
import tempfile
import types

import fools
import report_pages
from bench import PEERS
from checks.captures import expect_clean
from chromium import Chromium
from harness import Failure

IMPATIENCE = 2  # seconds; nothing will answer


def run(chosen, tally, run_checks, keep, martlet):
    """Every check has to fail with a Martlet that never sends a packet; tshark has to find what is planted."""

    def report(name, why, _):
        short = why and " ".join(why.split())[:100]
        tally.report(f"not passed by a mute host: {name}", None if why else "it passed", short)

    # Once for each function, with its first arguments: the others differ in numbers only; over one link.
    first = {check.function: check for kind in ("tap", "veth") for check in reversed(chosen[kind])}
    for kind in ("veth", "tap"):
        checks = [check for check in first.values() if kind == ("veth" if "veth" in check.links else "tap")]
        run_checks(checks, str(PEERS / "mute"), [kind], IMPATIENCE, report, keep)
    for name, why in fools.verdicts(chosen["tap"]):
        tally.report(name, why)
    for name, packet, good in planted():
        tally.report(f"tshark's verdict upon {name}", verdict(packet, good))
    if any(check.function.__module__ == "checks.lab_report" for check in chosen["tap"]):
        for name, why, found in pages(martlet()):
            tally.report(f"the page check's verdict upon {name}", why, found)


def pages(program):
    """Names of faults that were planted into the page of a run, and why each was not found, or None."""
    bench = types.SimpleNamespace(folder=pathlib.Path(tempfile.mkdtemp()), kernel_namespace=None)
    good = bench.folder / "good.html"
    subprocess.run([program, "lab", "run", "sawtooth", "--report", good], check=True, stdout=subprocess.DEVNULL)
    text = good.read_text()
    for number, (name, page) in enumerate([("a good page", text), *report_pages.planted(text)]):
        path = bench.folder / f"page{number}.html"
        path.write_text(page)
        with Chromium(bench, 60) as browser:
            try:
                report_pages.use(report_pages.Page(browser, path))
                yield name, None if number == 0 else "the fault was not found", None
            except Failure as failure:
                yield name, str(failure) if number == 0 else None, " ".join(str(failure).split())[:100]
    shutil.rmtree(bench.folder, ignore_errors=True)  # a browser that was ended may still write


def planted():
    """Names, frames with one fault each, and whether they are to be found good."""
    from bad_frames import ICMP, ICMPV6, TCP, UDP, Link

    four = Link(b"\2" * 6, b"\4" * 6, "192.0.2.1", "192.0.2.2")
    six = Link(b"\2" * 6, b"\4" * 6, "2001:db8::1", "2001:db8::2")
    yield "a good TCP segment", four.ip(TCP, four.tcp()), True
    yield "a good UDP datagram to port 12000", six.ip(UDP, six.udp()), True
    yield "a bad IP checksum", four.ip(ICMP, four.echo(), wrong_checksum=True), False
    yield "a bad ICMP checksum", four.ip(ICMP, four.echo(wrong_checksum=True)), False
    yield "a bad ICMPv6 checksum", six.ip(ICMPV6, six.echo(wrong_checksum=True)), False
    for version, link in (("4", four), ("6", six)):
        yield f"a bad TCP checksum over IPv{version}", link.ip(TCP, link.tcp(wrong_checksum=True)), False
        yield f"a bad UDP checksum over IPv{version}", link.ip(UDP, link.udp(wrong_checksum=True)), False
    yield "a TCP header cut short", four.ip(TCP, four.tcp()[:15]), False
    yield "no packets at all", None, False


def verdict(packet, good):
    """Why tshark's verdict upon a capture with one packet is not the right one, or None."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "planted.pcap"
        path.write_bytes(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1) + (
            struct.pack("=IIII", 0, 0, len(packet), len(packet)) + packet if packet else b""))
        try:
            expect_clean(path)
            return None if good else "the fault was not found"
        except Failure as failure:
            return str(failure) if good else None
