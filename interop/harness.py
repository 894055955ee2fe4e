"""Names checks, runs them, counts them."""

import inspect
import itertools
import time
import traceback


class Failure(Exception):
    """What a check found wrong, in words."""


def expect(condition, why):
    """Fails the check that runs now unless `condition` holds."""
    if not condition:
        raise Failure(why)


class IP:
    """One version of IP and who has which address."""

    def __init__(self, version, kernel, martlet, prefix, nobody, elsewhere, ping_sizes):
        self.version = version
        self.kernel = kernel  # the Linux side of the link
        self.martlet = martlet  # the Martlet side
        self.prefix = prefix
        self.nobody = nobody  # on the link, but nobody has it
        self.elsewhere = elsewhere  # behind a router that does not exist
        self.ping_sizes = ping_sizes  # in bytes of ICMP payload; the last is the most an echo can carry

    def __str__(self):
        return f"IPv{self.version}"


SIZES = [0, 1, 56, 1472, 1473, 2000, 8000]
V4 = IP(4, "192.0.2.1", "192.0.2.2", 24, "192.0.2.99", "198.51.100.1", SIZES + [65_507])
V6 = IP(6, "2001:db8:1::1", "2001:db8:1::2", 64, "2001:db8:1::99", "2001:db8:ffff::1", SIZES + [65_487, 65_527])


class Check:
    """One function with one set of arguments. It passes unless it raises."""

    def __init__(self, name, function, arguments, links):
        self.name, self.function, self.arguments, self.links = name, function, arguments, links

    def run(self, bench):
        """Returns why the check failed, or None; and what it has to tell."""
        try:
            information = self.function(bench, **self.arguments)
            bench.end_of_check()
            return None, information
        except Failure as failure:
            why = str(failure)
        except Exception:  # a bug of ours or an answer we did not think of: the last line says which, and where
            lines = traceback.format_exc().strip().splitlines()
            why = f"{lines[-1]} ({lines[-3].strip() if len(lines) > 2 else ''})"
        try:
            bench.end_of_check()
        except Failure as failure:
            why = f"{why}; {failure}"
        return why, None


CHECKS = []


def check(name, /, *, links=("tap", "veth"), **choices):
    """Registers a function as a check, once for each combination of its choices.

    A function with a parameter `ip` is run for IPv4 and IPv6. A choice is a list, or a function from `ip` to a list.
    `name` may speak of the choices in braces. `links` are the kinds of link over which it is run.
    """

    def register(function):
        versions = [V4, V6] if "ip" in inspect.signature(function).parameters else [None]
        for ip in versions:
            lists = [values(ip) if callable(values) else values for values in choices.values()]
            for values in itertools.product(*lists):
                arguments = dict(zip(choices, values))
                full = name.format(**{key: f"{value:,}" if isinstance(value, int) else value
                                      for key, value in arguments.items()})
                if ip:
                    arguments["ip"] = ip
                    full = f"{ip}: {full}"
                CHECKS.append(Check(full, function, arguments, links))
        return function

    return register


class Tally:
    """Prints each verdict and keeps the count."""

    def __init__(self):
        self.passed = self.failed = 0
        self.began = time.monotonic()

    def report(self, name, why, information=None):
        if why is None:
            self.passed += 1
            print(f"pass {name}" + (f" ({information})" if information else ""), flush=True)
        else:
            self.failed += 1
            print(f"fail {name}: {' '.join(why.split())}", flush=True)

    def finish(self):
        """Prints the last lines; returns the exit code."""
        print(f"took {time.monotonic() - self.began:.0f} s")
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed else 0
