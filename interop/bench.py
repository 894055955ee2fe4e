"""A bench: one link with the Linux kernel at one end and Martlet at the other, in namespaces of its own."""

import ctypes
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

from harness import V4, V6, Failure, expect

PEERS = pathlib.Path(__file__).resolve().parent / "peers"
MARTLET_MAC = "02:4d:52:54:00:02"


class Result:
    """How a finished command ended: its exit code and what it wrote."""

    def __init__(self, status, out, err):
        self.status, self.raw, self.err = status, out, (err or b"").decode(errors="replace")
        self.out = out.decode(errors="replace")

    def __str__(self):
        return f"exit code {self.status}, wrote {self.out[-300:]!r} and {self.err[-300:]!r}"


class Bench:
    """What a check works with.

    `kernel` runs a command on the Linux side, `serve` sees that a Martlet host with its services is up, `martlet`
    runs `martlet ping` or `martlet nc` in place of that host. Everything started is ended, by its pid.
    """

    def __init__(self, kind, martlet, folder, patience):
        self.kind = kind  # "tap" or "veth"
        self.program = martlet
        self.folder = pathlib.Path(folder)
        self.patience = patience  # the seconds after which an answer is not coming any more
        self.kernel_namespace = f"mrt{os.getpid()}-{kind}-k"
        self.martlet_namespace = self.kernel_namespace if kind == "tap" else f"mrt{os.getpid()}-{kind}-m"
        self.interface = "mrt0" if kind == "tap" else "veth-k"  # the kernel's end of the link
        self.captures = []
        self.host = None
        self.host_options = None
        self.running = []
        self.starts = 0

    # Setting up and taking down

    def open(self):
        """Makes the namespaces and the link, with addresses on the kernel's end only."""
        for namespace in dict.fromkeys([self.kernel_namespace, self.martlet_namespace]):
            ip("netns", "add", namespace)
            ip("-n", namespace, "link", "set", "lo", "up")
        if self.kind == "tap":
            ip("-n", self.kernel_namespace, "tuntap", "add", "dev", "mrt0", "mode", "tap")
        else:
            ip("-n", self.kernel_namespace, "link", "add", "veth-k", "type", "veth",
               "peer", "name", "veth-m", "netns", self.martlet_namespace)
            # The kernel must not answer at Martlet's end.
            self.sysctl(self.martlet_namespace, "net.ipv6.conf.veth-m.disable_ipv6=1")
            ip("-n", self.martlet_namespace, "link", "set", "veth-m", "arp", "off", "up")
        # No duplicate address detection: the address can be used at once.
        self.sysctl(self.kernel_namespace, f"net.ipv6.conf.{self.interface}.disable_ipv6=0",
                    f"net.ipv6.conf.{self.interface}.accept_dad=0")
        ip("-n", self.kernel_namespace, "link", "set", self.interface, "up")
        for version in (V4, V6):
            nodad = ["nodad"] if version is V6 else []
            ip("-n", self.kernel_namespace, "address", "add", f"{version.kernel}/{version.prefix}",
               "dev", self.interface, *nodad)

    def close(self):
        """Ends every process and removes the namespaces, and with them the link."""
        self.end_processes()
        for namespace in dict.fromkeys([self.kernel_namespace, self.martlet_namespace]):
            subprocess.run(["ip", "netns", "delete", namespace], stderr=subprocess.DEVNULL)

    def end_processes(self):
        for process in [*self.running, self.host]:
            if process:
                end(process)

    def sysctl(self, namespace, *settings):
        subprocess.run(["ip", "netns", "exec", namespace, "sysctl", "-q", "-w", *settings], check=True)

    # The kernel's side

    def kernel(self, *command, input=b"", within=None):
        """Runs a command on the kernel's side to its end."""
        return self.finish(self.start_kernel(*command), input, within)

    def peer(self, name, *arguments, input=b"", within=None):
        """Runs a program of `peers/` on the kernel's side to its end."""
        return self.finish(self.start_peer(name, *arguments), input, within)

    def start_kernel(self, *command):
        """Starts a command on the kernel's side; it is ended with the check."""
        return self.start(self.kernel_namespace, command)

    def start_peer(self, name, *arguments, ready=None):
        """Starts a program of `peers/`; with `ready`, waits until it has printed a line that contains that word."""
        process = self.start_kernel(sys.executable, "-u", PEERS / name, *arguments)
        if ready:
            line = read_line(process, self.patience)
            expect(ready in line, f"{name} did not start: {line!r}")
        return process

    # Martlet's side

    def network(self, capture):
        """The options that attach a Martlet host to the link."""
        options = ["--tap", "mrt0"] if self.kind == "tap" else ["--interface", "veth-m"]
        options += ["--mac", MARTLET_MAC]
        for version in (V4, V6):
            options += ["--address", f"{version.martlet}/{version.prefix}"]
        return options + (["--record", str(capture)] if capture else [])

    def start_martlet(self, subcommand, *arguments, record=True, stdin=subprocess.PIPE):
        """Starts `martlet SUBCOMMAND`, in place of the host that `serve` has up."""
        self.stop_host()
        return self.start(self.martlet_namespace, self.martlet_command(subcommand, arguments, record), stdin)

    def martlet(self, subcommand, *arguments, input=b"", within=None, record=True):
        """Runs `martlet SUBCOMMAND` to its end."""
        return self.finish(self.start_martlet(subcommand, *arguments, record=record), input, within)

    def martlet_command(self, subcommand, arguments, record):
        self.starts += 1
        kind = record if isinstance(record, str) else subcommand
        capture = self.folder / f"{self.kind}-{self.starts:03}-{kind}.pcapng" if record else None
        if capture:
            self.captures.append(capture)
        return [self.program, subcommand, *self.network(capture), *arguments]

    def serve(self, *options, record=True):
        """Sees that `martlet up` runs with these options; `record` may name the capture."""
        if self.host and self.host_options == (options, record):
            return
        self.stop_host()
        log = self.folder / f"{self.kind}-{self.starts + 1:03}-up"
        self.host_output, self.host_errors = log.with_suffix(".out"), log.with_suffix(".err")
        self.host_options = (options, record)
        command = self.martlet_command("up", ["--json", *options], record)
        with open(self.host_output, "wb") as out, open(self.host_errors, "wb") as err:
            self.host = self.spawn(self.martlet_namespace, command, subprocess.DEVNULL, out, err)
        wait_until(lambda: "ready" in self.host_output.read_text() or self.host.poll() is not None, self.patience,
                   "martlet up did not say that it is ready")
        self.verify_host()

    def serve_files(self, folder, *options):
        """Sees that `martlet serve` publishes a folder; returns its access log."""
        if not (self.host and self.host_options == (folder, options)):
            self.stop_host()
            log = self.folder / f"{self.kind}-{self.starts + 1:03}-serve"
            self.host_output, self.host_errors = log.with_suffix(".out"), log.with_suffix(".err")
            self.access_log = log.with_suffix(".log")
            self.host_options = (folder, options)
            command = self.martlet_command("serve", [folder, "--access-log", self.access_log, *options], record=False)
            with open(self.host_output, "wb") as out, open(self.host_errors, "wb") as err:
                self.host = self.spawn(self.martlet_namespace, command, subprocess.DEVNULL, out, err)
            wait_until(lambda: "ready" in self.host_output.read_text() or self.host.poll() is not None, self.patience,
                       "martlet serve did not say that it is ready")
            self.verify_host()
        return self.access_log

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM):
        """A socket on the kernel's side: it belongs to the namespace in which its thread is when it is made."""
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.kernel_namespace}") as there:
            enter(there)
            try:
                return socket.socket(family, kind)
            finally:
                enter(home)

    def stop_host(self):
        """Interrupts the host, which has to end well."""
        if not self.host:
            return
        host, self.host = self.host, None
        early = host.poll()
        status = end(host, signal.SIGINT, 2 * self.patience)  # a server lets answers under way end first
        expect(early is None and status == 0,
               f"the host {'ended by itself' if early is not None else 'was interrupted'} with exit code {status}: "
               f"{self.host_errors.read_text()[-300:]}")

    def verify_host(self):
        if self.host and self.host.poll() is not None:
            self.stop_host()

    def drops(self):
        """What the host counts as dropped by now, by name."""
        seen = self.host_output.stat().st_size
        self.host.send_signal(signal.SIGUSR1)
        found = {}

        def printed():
            for line in self.host_output.read_bytes()[seen:].decode(errors="replace").splitlines():
                if line.startswith("{") and line.endswith("}") and "drops" in (counters := json.loads(line)):
                    found.update(counters["drops"])
                    return True
            return self.host.poll() is not None

        wait_until(printed, self.patience, "SIGUSR1 printed no JSON object with drops")
        self.verify_host()
        return found

    # Processes

    def start(self, namespace, command, stdin=subprocess.PIPE):
        process = self.spawn(namespace, command, stdin, subprocess.PIPE, subprocess.PIPE)
        self.running.append(process)
        return process

    def spawn(self, namespace, command, stdin, stdout, stderr):
        # `ip netns exec` becomes the command, so that the pid is the command's.
        return subprocess.Popen(["ip", "netns", "exec", namespace, *map(str, command)],
                                stdin=stdin, stdout=stdout, stderr=stderr)

    def finish(self, process, input=b"", within=None):
        """Waits for the end of a started process, which is given `input`; text or bytes."""
        within = within or self.patience
        if isinstance(input, str):
            input = input.encode()
        try:
            out, err = process.communicate(input if process.stdin else None, timeout=within)
        except subprocess.TimeoutExpired:
            end(process, signal.SIGKILL)
            raise Failure(f"{' '.join(process.args[4:7])} … did not end within {within} s")
        return Result(process.returncode, out, err)

    def expect_well(self, process):
        """Waits for the end of a process that has to succeed."""
        try:
            status = process.wait(self.patience)
        except subprocess.TimeoutExpired:
            raise Failure(f"{' '.join(process.args[4:7])} … did not end within {self.patience} s")
        expect(status == 0, f"{' '.join(process.args[4:7])} … ended with {status}: {process.stderr.read()[-300:]}")

    def end_of_check(self):
        """Ends what the check left behind; a host that died is the check's failure."""
        while self.running:
            end(self.running.pop())
        self.verify_host()


def enter(namespace):
    """Moves this thread into a network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace.fileno(), 0x40000000):  # CLONE_NEWNET
        raise OSError(ctypes.get_errno(), "setns")


def ip(*arguments):
    """Runs iproute2's `ip`."""
    subprocess.run(["ip", *arguments], check=True)


def end(process, how=signal.SIGTERM, within=5):
    """Ends a process by its pid; returns its exit code."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(within)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            try:
                pipe.close()
            except BrokenPipeError:
                pass
    return process.returncode


def read_line(process, within):
    """Reads what a process prints up to the end of a line, or what came within that many seconds."""
    os.set_blocking(process.stdout.fileno(), False)
    line, late = b"", time.monotonic() + within
    while not line.endswith(b"\n") and time.monotonic() < late:
        piece = process.stdout.read(1)
        if piece:
            line += piece
        elif piece == b"":
            break
        else:
            time.sleep(0.005)
    os.set_blocking(process.stdout.fileno(), True)
    return line.decode(errors="replace")


def wait_until(condition, within, why):
    """Asks again and again; fails the check when the answer is not yes within that many seconds."""
    late = time.monotonic() + within
    while not condition():
        expect(time.monotonic() < late, f"{why} within {within} s")
        time.sleep(0.01)
