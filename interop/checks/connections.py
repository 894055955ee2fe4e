"""Many TCP connections at once."""

from harness import check, expect

COUNT = 1_000


@check(f"{COUNT:,} TCP connections open at once are each answered")
def many(bench, ip):
    bench.serve()
    result = bench.peer("many_connections.py", ip.martlet, 12000, COUNT, within=3 * bench.patience)
    expect(result.out.strip() == str(COUNT), f"{COUNT} good answers were due: {result}")
