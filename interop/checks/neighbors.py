"""Who has which Ethernet address: ARP and neighbor discovery."""

from bench import MARTLET_MAC
from harness import V4, check, expect


@check("arping is answered with Martlet's Ethernet address")
def arping(bench):
    bench.serve()
    result = bench.kernel("arping", "-c", 2, "-i", bench.interface, V4.martlet)
    expect(result.status == 0 and result.out.lower().count(MARTLET_MAC) == 2, f"two answers were due: {result}")


@check("the kernel's neighbor table learns Martlet's Ethernet address")
def neighbor_table(bench, ip):
    bench.serve()
    bench.kernel("ip", "neigh", "flush", "dev", bench.interface)
    bench.kernel("ping", "-n", "-c1", "-W", bench.patience / 5, ip.martlet)
    entry = bench.kernel("ip", "neigh", "show", ip.martlet, "dev", bench.interface).out
    expect(MARTLET_MAC in entry and "REACHABLE" in entry, f"the table says {entry!r}")
