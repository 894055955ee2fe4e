"""Reads what an HTTP/1.1 server sends, strictly: whatever the grammar forbids is an error."""

import re
import socket
import time

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-9][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)\Z")
FIELD = re.compile(rb"(" + TOKEN + rb"):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)"
                   rb"[ \t]*\Z")
CHUNK = re.compile(rb"([0-9A-Fa-f]+)(?:;.*)?\Z")
DATE = re.compile(rb"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
                  rb"\d\d:\d\d:\d\d GMT\Z")


class Malformed(Exception):
    """The server sent what RFC 9112 does not allow."""


class Response:
    def __init__(self, status, fields):
        self.status, self.fields, self.body, self.chunked = status, fields, b"", False

    def get(self, name):
        """The value of a field, its lines joined as RFC 9110, section 5.3, has it; None if there is none."""
        values = [value for key, value in self.fields if key == name]
        return b", ".join(values) if values else None

    def __str__(self):
        return f"{self.status} with {len(self.body)} bytes {self.body[:60]!r}"


class Connection:
    """One TCP connection: what came over it and whether it ended."""

    def __init__(self, stream, patience):
        self.stream, self.patience = stream, patience
        self.buffer, self.all, self.ended, self.reset = b"", b"", False, False

    def send(self, data):
        """Sends, as far as the other side takes it."""
        try:
            self.stream.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False
        except TimeoutError:
            raise Malformed("the server stopped reading") from None

    def more(self, late):
        """Waits for more bytes; False when there are none any more."""
        if self.ended:
            return False
        wait = late - time.monotonic()
        if wait <= 0:
            raise TimeoutError
        self.stream.settimeout(wait)
        try:
            piece = self.stream.recv(1 << 18)
        except (ConnectionResetError, BrokenPipeError):
            piece, self.reset = b"", True
        self.ended = not piece
        self.buffer += piece
        self.all = (self.all + piece)[-(4 << 20):]
        return bool(piece)

    def line(self, late):
        while b"\n" not in self.buffer:
            if not self.more(late):
                if self.buffer:
                    raise Malformed(f"the connection ended within a line: {self.buffer[:60]!r}")
                return None
        line, self.buffer = self.buffer.split(b"\n", 1)
        if not line.endswith(b"\r"):
            raise Malformed(f"a line without CR: {line[:60]!r}")
        return line[:-1]

    def exactly(self, count, late):
        while len(self.buffer) < count:
            if not self.more(late):
                raise Malformed(f"the connection ended {count - len(self.buffer)} bytes before the end of the content")
        piece, self.buffer = self.buffer[:count], self.buffer[count:]
        return piece

    def response(self, method="GET"):
        """The next response, interim ones too; None at the end of the connection."""
        late = time.monotonic() + self.patience
        start = self.line(late)
        if start is None:
            return None
        match = STATUS_LINE.match(start)
        if not match:
            raise Malformed(f"no status line: {start[:60]!r}")
        fields = self.fields(late)
        response = Response(int(match[1]), fields)
        self.content(response, method, late)
        check_fields(response)
        return response

    def fields(self, late):
        fields = []
        while True:
            line = self.line(late)
            if line is None:
                raise Malformed("the connection ended within the header")
            if not line:
                return fields
            match = FIELD.match(line)
            if not match:
                raise Malformed(f"no field line: {line[:60]!r}")
            fields.append((match[1].lower().decode(), match[2]))

    def content(self, response, method, late):
        """RFC 9112, section 6.3."""
        length, coding = response.get("content-length"), response.get("transfer-encoding")
        if length is not None and not re.fullmatch(rb"[0-9]+", length):
            raise Malformed(f"Content-Length: {length!r}")
        if length is not None and coding is not None:
            raise Malformed("both Content-Length and Transfer-Encoding")
        if (response.status < 200 or response.status == 204) and (length or coding) is not None:
            raise Malformed(f"{response.status} with Content-Length or Transfer-Encoding")
        if method == "HEAD" or response.status < 200 or response.status in (204, 304):
            return
        if coding is not None:
            if coding.lower() != b"chunked":
                raise Malformed(f"Transfer-Encoding: {coding!r}")
            response.chunked = True
            while True:
                match = CHUNK.match(self.line(late) or b"")
                if not match:
                    raise Malformed("no chunk size")
                size = int(match[1], 16)
                if size == 0:
                    self.fields(late)
                    return
                response.body += self.exactly(size, late)
                if self.exactly(2, late) != b"\r\n":
                    raise Malformed("no CRLF after a chunk")
        elif length is not None:
            response.body = self.exactly(int(length), late)
        else:
            while self.more(late):
                pass
            response.body, self.buffer = self.buffer, b""


def check_fields(response):
    """What every response has to hold, whatever was asked."""
    def demand(condition, why):
        if not condition:
            raise Malformed(f"{response.status}: {why}")

    get = response.get
    if 200 <= response.status < 500:
        demand(get("date") is not None and DATE.match(get("date")), f"no good Date: {get('date')!r} (9110 6.6.1)")
    if get("last-modified") is not None:
        demand(DATE.match(get("last-modified")), f"Last-Modified: {get('last-modified')!r} (9110 8.8.2)")
    if get("etag") is not None:
        demand(re.fullmatch(rb'(W/)?"[\x21\x23-\x7e\x80-\xff]*"', get("etag")), f"ETag: {get('etag')!r} (9110 8.8.3)")
    if response.status == 405:
        allow = {method.strip() for method in (get("allow") or b"").split(b",")}
        demand({b"GET", b"HEAD"} <= allow, f"Allow: {get('allow')!r} (9110 15.5.6)")
    if response.status in (301, 302, 303, 307, 308):
        demand(get("location"), "no Location (9110 15.4)")
    if response.status == 206:
        multipart = (get("content-type") or b"").lower().startswith(b"multipart/byteranges")
        demand(multipart != (get("content-range") is not None),
               "Content-Range stands in a single part and not beside multipart (9110 15.3.7)")
    if response.status == 416:
        demand(re.fullmatch(rb"bytes \*/[0-9]+", get("content-range") or b"bytes */0"), "bad Content-Range (9110 15.5.17)")
    if response.status == 304:
        demand(get("content-range") is None, "Content-Range in 304")


def connect(address, port, make_socket=socket.socket, patience=5):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    stream = make_socket(family, socket.SOCK_STREAM)
    stream.settimeout(patience)
    stream.connect((address, port))
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Connection(stream, patience)
