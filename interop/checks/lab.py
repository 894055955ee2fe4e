"""A world of the laboratory in real time: the kernel is a station in it by TAP, and programs reach it by a published port."""

import json
import re
import signal
import time

from bench import end, ip as iproute, read_line
from harness import V4, V6, check, expect

# The kernel is at the switch; the server is behind a router and a slow line.
WORLD = """
name: bridged
hosts:
  client:
  server: {{services: [echo, uppercase]}}
routers: [r]
switches: [s]
links:
  - wire: [s, {{r: [{near4}/24, "{near6}/64"]}}]
  - wire: [s, {{client: [192.0.2.7/24, "2001:db8:1::7/64"]}}]
  - {{wire: [{{r: [198.51.100.1/24, "2001:db8:ffff::1/64"]}}, {{server: [198.51.100.2/24, "2001:db8:ffff::2/64"]}}], delay: 20 ms, name: line}}
"""
SERVER = {V4: "198.51.100.2", V6: "2001:db8:ffff::2"}
BEHIND = {V4: "198.51.100.0/24", V6: "2001:db8:ffff::/64"}


class World:
    """`martlet lab run` in real time with the kernel's TAP device at its switch."""

    def __init__(self, bench, *options):
        self.bench, self.options = bench, options
        self.file = bench.folder / "bridged.yaml"
        self.file.write_text(WORLD.format(near4=V4.martlet, near6=V6.martlet))
        self.log, self.pcap, self.report = (bench.folder / f"bridged.{kind}" for kind in ("jsonl", "pcapng", "html"))

    def __enter__(self):
        self.bench.stop_host()
        self.process = self.bench.start(self.bench.martlet_namespace, [
            self.bench.program, "lab", "run", self.file, "--json", "--pace", "1", "--tap", "mrt0:s", *self.options,
            "--log", self.log, "--pcap", self.pcap, "--report", self.report])
        line = read_line(self.process, self.bench.patience)
        expect("ready" in line, f"the world did not say that it is ready: {line!r}")
        self.ready = json.loads(line)
        for version in (V4, V6):
            iproute("-n", self.bench.kernel_namespace, "route", "replace", BEHIND[version], "via", version.martlet)
        return self

    def __exit__(self, *_):
        for version in (V4, V6):
            iproute("-n", self.bench.kernel_namespace, "route", "delete", BEHIND[version])
        end(self.process)

    def finish(self):
        """Interrupts the world, which has to end well; returns its summary."""
        self.process.send_signal(signal.SIGINT)
        result = self.bench.finish(self.process)
        expect(result.status == 0, f"the world was interrupted and ended badly: {result}")
        return json.loads(result.out.strip().splitlines()[-1])


@check("the kernel pings a host of a world, through a switch, a router and a slow line", links=("tap",))
def pings(bench, ip):
    with World(bench):
        result = bench.kernel("ping", "-n", "-c3", "-i0.2", "-W", bench.patience / 5, SERVER[ip])
        expect("3 received" in result.out, f"not all three were answered: {result}")
        times = [float(text) for text in re.findall(r"time=([0-9.]+)", result.out)]
        expect(len(times) == 3 and min(times) >= 40, f"20 ms there and 20 ms back were due: {times}")
        near = bench.kernel("ping", "-n", "-c1", "-W", bench.patience / 5, "-t", 1, SERVER[ip])
        expect(ip.martlet in near.out and re.search("exceeded|Hop limit", near.out),
               f"the router did not say that time was exceeded: {near}")


@check("a stream of the kernel crosses a world and comes back whole", links=("tap",))
def streams(bench, ip):
    with World(bench):
        sent = bytes(range(256)) * 1_500
        result = bench.kernel("nc", "-n", "-N", "-w", 5, SERVER[ip], 7, input=sent)
        expect(result.raw == sent, f"{len(result.raw)} of {len(sent)} bytes came back, or changed: {result.err}")


@check("programs of this machine reach a world by published ports, and the run is marked", links=("tap",))
def publishes(bench):
    with World(bench, "--publish", "0:server:12000", "--publish", "0:client:server:12000",
               "--publish", "0:client:server:12000/udp") as world:
        ports = [entry["address"].rsplit(":", 1)[1] for entry in world.ready["published"]]
        expect(len(ports) == 3 and world.ready["taps"] == ["mrt0"], f"three ports and a device were due: {world.ready}")
        for port, least, options in [(ports[0], 0, ["-N"]), (ports[1], 0.08, ["-N"]),
                                     (ports[2], 0.04, ["-u", "-W", 1])]:
            before = time.monotonic()
            result = bench.kernel("nc", "-n", "-w", 5, *options, "127.0.0.1", port, input="hello, world\n")
            expect(result.out == "HELLO, WORLD\n", f"the service did not answer in capitals: {result}")
            expect(time.monotonic() - before >= least, "the line's 20 ms each way were not waited for")
        summary = world.finish()
        expect(summary["replayable"] is False, f"the run counts as replayable: {summary}")
        events = [json.loads(line) for line in world.log.read_text().splitlines()]
        marks = [event["event"] for event in events if event["kind"] == "bridge"]
        expect(len(marks) == 4 and all("cannot be repeated" in mark for mark in marks), f"four marks were due: {marks}")
        comments = bench.kernel("tshark", "-r", world.pcap, "-Y", "tcp.port == 12000 && tcp.len > 0", "-T", "fields",
                                "-e", "data.data")
        expect(b"hello, world\n".hex() in comments.out and b"HELLO, WORLD\n".hex() in comments.out,
               f"the capture lacks the conversation: {comments}")
        expect("cannot be repeated" in world.report.read_text(), "the report does not say so")


@check("bridges are refused in virtual time", links=("tap",))
def refused(bench):
    world = World(bench)
    bench.stop_host()
    for options in (["--tap", "mrt0:s"], ["--publish", "0:server:7"], ["--publish", "0:server:7", "--pace", "10"]):
        process = bench.start(bench.martlet_namespace, [bench.program, "lab", "run", world.file, *options])
        result = bench.finish(process)
        expect(result.status == 64 and "only in real time" in result.err, f"an error was due for {options}: {result}")
