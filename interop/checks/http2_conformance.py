"""HTTP/2 frame by frame, by RFC 9113 and 7541; one check for each case of `http2_cases`."""

import socket

import http_site
from harness import Failure, check
from http2_cases import CASES, Server, Wrong


@check("http/2 {case}", links=("tap",), case=list(CASES.values()))
def http2(bench, case):
    http_site.serve(bench)
    patience = min(5, bench.patience)
    opened = []

    def connect():
        stream = bench.socket()
        opened.append(stream)
        stream.settimeout(patience)
        stream.connect(("192.0.2.2", http_site.PORT))
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return stream

    try:
        case.run(Server(connect, patience))
    except Wrong as wrong:
        raise Failure(str(wrong))
    finally:
        for stream in opened:
            stream.close()
