"""HTTP/1.1 byte by byte, by RFC 9110, 9112, 3986 and 6585; one check for each case of `http_cases`."""

import http_cases  # noqa: F401
import http_site
from harness import Failure, check
from http_cases.model import CASES, Server, Wrong

SERVERS = {}


@check("http/1.1 {case}", links=("tap",), case=list(CASES.values()))
def http1(bench, case):
    http_site.serve(bench)
    server = SERVERS.get(bench.folder)
    if not server:
        SERVERS.clear()
        server = SERVERS[bench.folder] = Server("192.0.2.2", http_site.PORT, bench.socket, min(5, bench.patience))
    try:
        case.run(server)
    except Wrong as wrong:
        raise Failure(str(wrong))
