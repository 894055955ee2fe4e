"""Ports where nobody listens and addresses that nobody has."""

from harness import check, expect


@check("a closed {protocol} port of Martlet is refused as the kernel refuses its own", protocol=["udp", "tcp"])
def martlet_refuses(bench, ip, protocol):
    bench.serve()
    bench.kernel("ping", "-c1", "-W", bench.patience / 5, ip.martlet)  # so that the answer need not wait for ARP
    kernel = bench.peer("closed_port.py", protocol, ip.kernel, 4)
    martlet = bench.peer("closed_port.py", protocol, ip.martlet, 4)
    expect("ECONNREFUSED" in kernel.out, f"the kernel does not refuse: {kernel}")
    expect(martlet.out == kernel.out, f"the kernel says {kernel.out!r}, Martlet {martlet.out!r} {martlet.err}")
    expect(martlet.status == 0, "the answer took half a second or more")
    return martlet.out.strip()


@check("martlet nc to a closed TCP port of the kernel says refused")
def kernel_refuses_tcp(bench, ip):
    result = bench.martlet("nc", ip.kernel, 4, input="hello\n")
    expect(result.status == 1 and "refused" in result.err.lower(), f"exit code 1 and `refused` were due: {result}")


@check("martlet nc -u to a closed UDP port of the kernel says refused")
def kernel_refuses_udp(bench, ip):
    client = bench.start_martlet("nc", "-u", ip.kernel, 4)
    client.stdin.write(b"hello\n")
    client.stdin.flush()  # and left open: the refusal has to end it
    try:
        status = client.wait(bench.patience)
    except Exception:
        status = None
    said = client.stderr.read().decode().lower() if status is not None else "nothing"
    expect(status == 1 and "refused" in said, f"exit code 1 and `refused` were due, not {status} and {said!r}")


@check("martlet nc to an address that nobody has says unreachable or timed out")
def nobody(bench, ip):
    result = bench.martlet("nc", ip.nobody, 4, input="hello\n", within=2 * bench.patience)
    said = result.err.lower()
    expect(result.status == 1 and any(words in said for words in ("unreachable", "no route", "timed out")),
           f"exit code 1 and a reason were due: {result}")


@check("martlet nc to an address without a route says unreachable or no route")
def no_route(bench, ip):
    result = bench.martlet("nc", ip.elsewhere, 4, input="hello\n", record=False)  # there is no packet to record
    said = result.err.lower()
    expect(result.status == 1 and any(words in said for words in ("unreachable", "no route")),
           f"exit code 1 and a reason were due: {result}")
