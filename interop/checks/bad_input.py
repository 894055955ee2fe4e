"""Frames that no host should send. Each is dropped under its name, and the host goes on as before."""

import sys

from bench import MARTLET_MAC, PEERS, wait_until
from harness import check, expect

sys.path.insert(0, str(PEERS))
from bad_frames import CASES  # noqa: E402


def expect_alive(bench, ip):
    """The host answers a ping and an upper-case request."""
    result = bench.kernel("ping", "-n", "-c1", "-W", bench.patience / 5, ip.martlet)
    expect("1 received" in result.out, f"the host does not answer a ping any more: {result}")
    result = bench.peer("tcp_client.py", ip.martlet, 12000, input="still there?\n")
    expect("STILL THERE?" in result.out, f"the host does not answer over TCP any more: {result}")


def send(bench, ip, fault):
    result = bench.peer("bad_frames.py", bench.interface, MARTLET_MAC, ip.kernel, ip.martlet, fault)
    expect(result.status == 0, f"the frames could not be sent: {result}")


def serve(bench):
    # Not in the ordinary captures: here the frames that came in are bad on purpose. A gateway, so that answers to
    # sources outside the link go out and are not stopped for want of a route.
    bench.serve("--gateway", "192.0.2.1", "--gateway", "2001:db8:1::1", record="bad-input")


@check("{fault} is dropped by name",
       fault=lambda ip: [name for name, case in CASES.items() if ip.version in case.versions])
def bad_frame(bench, ip, fault):
    serve(bench)
    expect_alive(bench, ip)
    before = bench.drops()
    send(bench, ip, fault)

    def counted():
        now = bench.drops()
        return [f"{now[key] - before.get(key, 0)} {key}" for key in now if now[key] > before.get(key, 0)]

    due = CASES[fault].reasons
    try:
        wait_until(lambda: any(entry.split()[1] in due for entry in counted()), bench.patience / 5, "not counted")
    except Exception:
        expect(False, f"{' or '.join(due)} was due, counted were {counted() or 'none'}")
    expect_alive(bench, ip)
    return ", ".join(counted())


FLOOD = 100_000
MOST_GROWTH = 64 << 20  # bytes


def resident(process):
    """The process's resident memory, in bytes."""
    with open(f"/proc/{process.pid}/statm") as file:
        return int(file.read().split()[1]) * 4096


@check(f"a SYN flood of {FLOOD:,} costs bounded memory and the host goes on")
def syn_flood(bench, ip):
    bench.serve("--gateway", "192.0.2.1", "--gateway", "2001:db8:1::1", record=False)
    expect_alive(bench, ip)
    before = resident(bench.host)
    flood = bench.start_peer("bad_frames.py", bench.interface, MARTLET_MAC, ip.kernel, ip.martlet,
                             "flood", FLOOD)
    during = bench.peer("tcp_client.py", ip.martlet, 12000, input="during the flood\n", within=3 * bench.patience)
    result = bench.finish(flood, within=60)
    expect(result.status == 0, f"the flood could not be sent: {result}")
    expect("DURING THE FLOOD" in during.out, f"not answered during the flood: {during}")
    expect_alive(bench, ip)
    growth = resident(bench.host) - before
    expect(growth < MOST_GROWTH, f"memory grew by {growth / 1e6:.0f} MB")
    return f"{result.out.strip()}, memory grew by {growth / 1e6:.1f} MB"
