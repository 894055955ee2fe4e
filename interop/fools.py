"""Servers that are wrong in one way each: no HTTP case may find all of them good.

The three fools answer every request alike: with nothing, with 200 and no content, with 400 and the end. A case that
both a yes-man and a no-man pass would judge nothing but that there is an answer; those few are named.
"""

import socket
import threading

import http_cases  # noqa: F401
from http_cases.model import CASES, Server, Wrong

DATE = b"Date: Sat, 02 Jan 2021 03:04:05 GMT\r\n"
ANSWERS = {
    "says nothing": None,
    "says 200 to everything": b"HTTP/1.1 200 OK\r\n" + DATE + b"Content-Length: 0\r\n\r\n",
    "says 400 and closes": b"HTTP/1.1 400 Bad Request\r\n" + DATE + b"Connection: close\r\nContent-Length: 0\r\n\r\n",
    "says 404": b"HTTP/1.1 404 Not Found\r\n" + DATE + b"Content-Length: 0\r\n\r\n",
}


class Fool:
    """Answers each head it reads in the same way."""

    def __init__(self, answer):
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=[stream], daemon=True).start()

    def talk(self, stream):
        with stream:
            seen = b""
            try:
                while piece := stream.recv(65_536):
                    seen += piece
                    while b"\r\n\r\n" in seen and self.answer:
                        head, seen = seen.split(b"\r\n\r\n", 1)
                        stream.sendall(self.answer)
                        if b"Connection: close" in head + self.answer:
                            stream.shutdown(socket.SHUT_WR)
                            while stream.recv(65_536):
                                pass
                            return
            except OSError:
                pass


def passes(case, port, patience):
    try:
        case.run(Server("127.0.0.1", port, patience=patience))
        return True
    except (Wrong, OSError):
        return False


def verdicts(chosen):
    """Names, and why a case is not good enough to find a fool out, or None; all cases together for each fool."""
    if not any(check.function.__name__ == "http1" for check in chosen):
        return
    fools = {name: Fool(answer) for name, answer in ANSWERS.items()}
    fooled = {}
    for name, fool in fools.items():
        patience = 0.05 if fool.answer is None else 0.3
        fooled[name] = {case.name for case in CASES.values() if passes(case, fool.port, patience)}
        fool.listener.close()
    # Nothing is due where nothing was asked, or where half a request came.
    silent_by_right = {"half-close-early", "half-close-line", "half-close-nothing", "length-short", "chunk-short"}
    silent = fooled["says nothing"] - silent_by_right
    yield "a server that says nothing is found out by every HTTP case", f"not by {sorted(silent)}" if silent else None
    everybody = set.intersection(*[fooled[name] for name in list(fools)[1:3]]) - silent_by_right
    yield ("a server that says 200 to everything and one that says 400 are not both good for a case",
           f"both pass {sorted(everybody)}" if everybody else None)
    for name, cases in fooled.items():
        share = len(cases) / len(CASES)
        yield f"a server that {name} passes fewer than six in ten HTTP cases ({len(cases)} of {len(CASES)})", (
            None if share < 0.6 else f"{share:.0%}")
