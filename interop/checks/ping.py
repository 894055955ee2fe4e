"""Echo requests in both directions, up to the longest that IP can carry."""

from harness import check, expect


@check("the kernel's ping of {size} bytes is answered", size=lambda ip: ip.ping_sizes)
def kernel_pings(bench, ip, size):
    bench.serve()
    result = bench.kernel("ping", "-n", "-c3", "-i0.02", "-W", bench.patience / 5, "-s", size, ip.martlet)
    expect("3 received" in result.out, f"not all three were answered: {result}")
    expect("wrong data" not in result.out, f"the answer differs from the question: {result}")


@check("martlet ping of {size} bytes is answered by the kernel", size=lambda ip: [0, 56, 1472, 1473, 8000, 65_507])
def martlet_pings(bench, ip, size):
    # One echo each, since the exit code is 0 if any of them is answered.
    result = bench.martlet("ping", "-c", 1, "-W", 2, "-s", size, ip.kernel)
    expect(result.status == 0 and ip.kernel in result.out, f"no answer: {result}")


@check("martlet ping to an address that nobody has fails")
def nobody_answers(bench, ip):
    result = bench.martlet("ping", "-c", 1, "-W", 1, ip.nobody)
    expect(result.status == 1, f"exit code 1 was due: {result}")


@check("martlet ping to an address without a route fails")
def no_route(bench, ip):
    result = bench.martlet("ping", "-c", 1, "-W", 1, ip.elsewhere, record=False)  # there is no packet to record
    expect(result.status == 1, f"exit code 1 was due: {result}")
