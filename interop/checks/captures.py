"""What tshark says about every capture made with --record by the checks before."""

import concurrent.futures
import functools
import os
import subprocess

from bench import MARTLET_MAC
from harness import Failure, check, expect

BAD = "_ws.malformed || _ws.short"
for layer in ("ip", "icmp", "icmpv6"):
    BAD += f' || {layer}.checksum.status == "Bad"'
# The kernel quotes a datagram in an ICMP error as it came in; where Martlet left the sum to the device, nobody ever wrote
# it. From Martlet we do not take that either.
BAD += f' || (udp.checksum.status == "Bad" && !((icmp || icmpv6) && !(eth.src == {MARTLET_MAC})))'
# Linux writes a TCP checksum of 0 as 0xffff when no device does it, as is right for UDP only; tshark calls it bad. From
# Martlet we do not take it.
BAD += f' || (tcp.checksum.status == "Bad" && !(tcp.checksum == 0xffff && !(eth.src == {MARTLET_MAC})))'
# Only the protocols that Martlet speaks are looked into: ports are random, and behind some of them tshark would take our
# sentences for other protocols' messages.
PROTOCOLS = {"frame", "data", "eth", "ethertype", "vlan", "arp", "ip", "ipv6", "ipv6.hopopts", "ipv6.dstopts",
             "ipv6.routing", "ipv6.fraghdr", "icmp", "icmpv6", "udp", "tcp", "_ws.malformed", "_ws.short"}
OPTIONS = ["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]


@functools.cache
def other_protocols():
    """Options that switch off what is not in PROTOCOLS."""
    listing = subprocess.run(["tshark", "-G", "protocols"], capture_output=True, text=True, check=True).stdout
    # Name, short name, name in filters, whether it is on, off by default, ...
    rows = [line.split("\t") for line in listing.splitlines()]
    return [word for row in rows if row[2] not in PROTOCOLS for word in ("--disable-protocol", row[2])]


def tshark(path, *options):
    result = subprocess.run(["tshark", "-n", "-r", path, *OPTIONS, *other_protocols(), *options], capture_output=True, text=True)
    said = [line for line in result.stderr.splitlines() if "Running as user" not in line]
    expect(result.returncode == 0 and not said, f"tshark cannot read {path.name}: {said[:3]}")
    return result.stdout.splitlines()


def expect_clean(path, only=""):
    """Every packet of the capture (that the filter `only` chooses) is well formed and has good checksums.

    Returns how many packets the capture has.
    """
    expect(path.exists(), f"{path.name} was not written")
    packets = tshark(path, "-T", "fields", "-e", "frame.number")
    expect(packets, f"{path.name} is empty")
    bad = tshark(path, "-Y", f"({only}) && ({BAD})" if only else BAD)
    expect(not bad, f"{path.name} has {len(bad)} bad packets, first {bad[0].strip() if bad else ''}")
    return len(packets)


def expect_all_clean(paths, only=""):
    expect(paths, "there is no capture; run the checks that make them too")

    def verdict(path):
        try:
            return expect_clean(path, only), None
        except Failure as failure:
            return 0, str(failure)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = list(pool.map(verdict, paths))
    wrong = [why for _, why in verdicts if why]
    expect(not wrong, f"{len(wrong)} of {len(paths)} captures: {'; '.join(wrong[:5])}")
    return f"{len(paths)} captures, {sum(packets for packets, _ in verdicts):,} packets"


@check("tshark finds no malformed packet and no bad checksum in the captures")
def captures(bench):
    bench.stop_host()
    return expect_all_clean([path for path in bench.captures if "bad-input" not in path.name])


@check("tshark finds no malformed packet and no bad checksum in what Martlet sent upon bad input")
def captures_of_bad_input(bench):
    bench.stop_host()
    return expect_all_clean([path for path in bench.captures if "bad-input" in path.name], f"eth.src == {MARTLET_MAC}")
