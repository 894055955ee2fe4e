"""What a case is, how it is played and judged."""

import itertools
import re
import socket
import time

from http_cases import tree, wire

CASES = {}
PROBE = b"GET /probe.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Wrong(Exception):
    """What the RFC does not allow, in words."""


class Answer:
    """What one response may be: its status, fields and content.

    A field is True (present), None (absent), bytes (equal) or a compiled pattern (a match somewhere). `body` is bytes or
    None for any; `judge` is a function of the response that returns what is wrong with it.
    """

    def __init__(self, *statuses, body=None, judge=None, **fields):
        self.statuses, self.body, self.check = statuses, body, judge
        self.wanted = {name.replace("_", "-"): value for name, value in fields.items()}

    def judge(self, response, server):
        if response.status not in self.statuses:
            raise Wrong(f"{' or '.join(map(str, self.statuses))} was due, not {response}")
        if self.body is not None and response.body != self.body:
            raise Wrong(f"{response.status} with {len(self.body)} bytes {self.body[:40]!r} was due, not {response}")
        for name, wanted in self.wanted.items():
            have = response.get(name)
            good = (have is not None if wanted is True else have is None if wanted is None else
                    have is not None and bool(wanted.search(have)) if isinstance(wanted, re.Pattern) else have == wanted)
            if not good:
                due = {True: "present", None: "absent"}.get(wanted) if wanted in (True, None) else wanted
                raise Wrong(f"in {response.status}, {name} has to be {due}, it is {have!r}")
        if self.check and (why := self.check(response, server)):
            raise Wrong(f"{why}, in {response}")


class Outcome:
    """One way in which a case may end: the answers, and what becomes of the connection."""

    def __init__(self, end, answers):
        self.end, self.answers = end, answers


def kept(*answers):
    """These answers, and the connection serves on."""
    return Outcome("kept", answers)


def closed(*answers):
    """These answers, and the server closes."""
    return Outcome("closed", answers)


def ends(*answers):
    """These answers; then the connection may be kept or closed."""
    return Outcome("any", answers)


def refused(*statuses):
    """One error, 400 unless said otherwise, and the server closes (RFC 9112, section 2.2)."""
    return closed(Answer(*(statuses or (400,))))


def file(name, *statuses, **fields):
    """The whole file."""
    return Answer(*(statuses or (200,)), body=tree.FILES[name], **fields)


HELLO = file("hello.txt")


class Case:
    def __init__(self, name, section, title, request, outcomes, methods, split, half_close, probe, body):
        self.name, self.section, self.title, self.request = name, section, title, request
        self.outcomes, self.methods, self.split, self.half_close = outcomes, methods, split, half_close
        self.probe, self.body = probe, body

    def __str__(self):
        return f"{self.name}, RFC {self.section}: {self.title}"

    def bytes(self, server):
        return self.request(server) if callable(self.request) else self.request

    def run(self, server):
        """Raises `Wrong` unless the conversation ends in one of the outcomes."""
        request = self.bytes(server)
        if self.split != "everywhere":
            return self.converse(server, request)
        for place in range(1, len(request)):
            try:
                self.converse(server, request, place)
            except Wrong as wrong:
                raise Wrong(f"split after byte {place}: {wrong}") from None

    def converse(self, server, request, place=None):
        connection = server.connect()
        try:
            responses, end = self.play(connection, request, place)
        except wire.Malformed as malformed:
            raise Wrong(f"{malformed}") from None
        except TimeoutError:
            raise Wrong(f"no answer, or not all of it, within {connection.patience} s; "
                        f"{len(connection.all)} bytes came: {connection.all[:60]!r}") from None
        finally:
            connection.stream.close()
        if tree.SECRET in connection.all:
            raise Wrong("a file was served that nobody may have")
        if tree.SMUGGLED in connection.all:
            raise Wrong("the smuggled request was answered")
        self.judge(responses, end, server, connection)

    def play(self, connection, request, place):
        """Returns the final responses and how the connection ended."""
        if self.split == "bytes":
            for index in range(len(request)):
                connection.send(request[index:index + 1])
                time.sleep(0.001)
        elif place:
            connection.send(request[:place])
            time.sleep(0.002)
            connection.send(request[place:])
        else:
            connection.send(request)
        if self.half_close:
            connection.stream.shutdown(socket.SHUT_WR)
        responses, due = [], min(len(outcome.answers) for outcome in self.outcomes)
        methods = itertools.chain(self.methods, itertools.repeat("GET"))
        method = next(methods)

        def read():
            nonlocal method
            response = connection.response(method)
            if response and response.status < 200:
                if response.status == 100 and self.body:
                    connection.send(self.body)
                return "interim"
            if response:
                responses.append(response)
                method = next(methods)
            return response

        while len(responses) < due and read():
            pass
        if connection.ended and not connection.buffer:
            return responses, "reset" if connection.reset and not responses else "closed"
        if not self.probe and not self.half_close:
            return responses, "any"
        if not self.half_close:
            connection.send(PROBE)
        while read():
            pass
        if responses and responses[-1].body == tree.PROBE and not self.half_close:
            return responses[:-1], "kept"
        return responses, "closed"

    def judge(self, responses, end, server, connection):
        wrong = []
        for outcome in self.outcomes:
            try:
                if len(responses) != len(outcome.answers):
                    raise Wrong(f"{len(outcome.answers)} answers were due, not {len(responses)} "
                                f"({', '.join(map(str, responses)) or 'nothing'})")
                for response, answer in zip(responses, outcome.answers):
                    answer.judge(response, server)
                if outcome.end != "any" and end != "any" and outcome.end != end:
                    raise Wrong(f"then the connection has to be {outcome.end}, it is {end} "
                                f"({', '.join(str(response.status) for response in responses)})")
                return
            except Wrong as why:
                wrong.append(str(why))
        raise Wrong("; or ".join(dict.fromkeys(wrong)))


def case(name, section, title, request, *outcomes, methods=("GET",), split=None, half_close=False, probe=True, body=b""):
    """Registers a case.

    `request` is the exact bytes, or a function of the server that makes them. `methods` are those of the requests in
    it, as the answer to HEAD has no content. `split`: "bytes" sends byte by byte, "everywhere" tries each place to cut
    in two. `half_close` ends our side after the request. Without `probe` nobody asks whether the connection still
    serves. `body` is sent after 100 (Continue).
    """
    assert name not in CASES, name
    CASES[name] = Case(name, section, title, request, outcomes, methods, split, half_close, probe, body)


def get(target=b"/hello.txt", *lines, method=b"GET", version=b"HTTP/1.1", host=b"Host: localhost", body=b""):
    """A well-formed request with these field lines."""
    start = b" ".join(part for part in (method, target, version) if part is not None)
    return b"".join(line + b"\r\n" for line in (start, host, *lines) if line is not None) + b"\r\n" + body


class Server:
    """Where the server under test listens."""

    def __init__(self, address, port, make_socket=socket.socket, patience=5):
        self.address, self.port, self.make_socket, self.patience = address, port, make_socket, patience
        self.known = {}

    def connect(self):
        return wire.connect(self.address, self.port, self.make_socket, self.patience)

    def ask(self, request, method="GET"):
        connection = self.connect()
        try:
            connection.send(request)
            return connection.response(method)
        except wire.Malformed as malformed:
            raise Wrong(str(malformed)) from None
        finally:
            connection.stream.close()

    def field(self, target, name, *lines):
        """A field of the answer to a plain GET, asked once."""
        key = (target, name, lines)
        if key not in self.known:
            response = self.ask(get(target, *lines, b"Connection: close"))
            value = response and response.get(name)
            if value is None:
                raise Wrong(f"{target.decode()} has no {name}")
            self.known[key] = value
        return self.known[key]

    def etag(self, target=b"/hello.txt", *lines):
        return self.field(target, "etag", *lines)
