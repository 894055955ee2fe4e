"""HTTP/2 frame by frame: what RFC 9113 and 7541 have a server do with good, bad and greedy ones."""

import socket
import struct
import time

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
NO_ERROR, PROTOCOL, INTERNAL, FLOW_CONTROL, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE, REFUSED, CANCEL, COMPRESSION, \
    CONNECT, CALM, INADEQUATE = range(13)
NAMES = ["NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
         "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
         "INADEQUATE_SECURITY"]
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITIZED = 1, 1, 4, 8, 32
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
STATIC_STATUS = {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}
DIGITS = {"00000": "0", "00001": "1", "00010": "2", "011001": "3", "011010": "4", "011011": "5", "011100": "6",
          "011101": "7", "011110": "8", "011111": "9"}

CASES = {}


class Wrong(Exception):
    """What the RFC does not allow, in words."""


class Case:
    def __init__(self, name, section, title, function):
        self.name, self.section, self.title, self.run = name, section, title, function

    def __str__(self):
        return f"{self.name}, RFC {self.section}: {self.title}"


def case(section, title):
    def register(function):
        name = function.__name__.replace("_", "-")
        CASES[name] = Case(name, section, title, function)
        return function
    return register


# Writing

def frame(kind, flags, stream, payload=b"", length=None):
    length = len(payload) if length is None else length
    return struct.pack(">I", length)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(*pairs):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def literal(name, value):
    """A field as a literal without indexing and without Huffman coding (RFC 7541, section 6.2.2)."""
    def string(text):
        return (bytes([len(text)]) if len(text) < 127 else b"\x7f" + integer(len(text) - 127)) + text
    return b"\0" + string(name) + string(value)


def integer(value):
    result = b""
    while value >= 128:
        result, value = result + bytes([value & 127 | 128]), value >> 7
    return result + bytes([value])


def fields(path=b"/hello.txt", method=b"GET", scheme=b"http", authority=b"localhost", extra=(), drop=()):
    block = [(b":method", method), (b":scheme", scheme), (b":path", path), (b":authority", authority)]
    return b"".join(literal(*field) for field in block if field[0] not in drop) + b"".join(literal(*field) for field in extra)


def headers(stream, block=None, flags=END_STREAM | END_HEADERS, **options):
    return frame(HEADERS, flags, stream, fields(**options) if block is None else block)


# Reading

def status_of(block):
    """The status in a header block: `:status` comes first."""
    while block and block[0] & 0xe0 == 0x20:  # a size update of the dynamic table
        index = 1
        if block[0] & 0x1f == 0x1f:
            while block[index] & 128:
                index += 1
            index += 1
        block = block[index:]
    first = block[0]
    if first & 128:
        if first & 127 in STATIC_STATUS:
            return STATIC_STATUS[first & 127]
        raise Wrong(f"the first field of a response is no :status, it is index {first & 127}")
    mask = 0x3f if first & 0x40 else 0x0f
    if first & mask not in STATIC_STATUS:
        raise Wrong(f"the first field of a response is no :status: {block[:12]!r}")
    length, text = block[1] & 127, block[2:]
    if not block[1] & 128:
        return int(text[:length])
    bits, found, piece = "".join(f"{byte:08b}" for byte in text[:length]), "", ""
    for bit in bits:
        piece += bit
        if piece in DIGITS:
            found, piece = found + DIGITS[piece], ""
    return int(found)


class Connection:
    """One HTTP/2 connection: `streams` maps ids to what came on them."""

    def __init__(self, stream, patience, greet=True, *pairs):
        self.stream, self.patience, self.buffer = stream, patience, b""
        self.frames, self.streams, self.goaway, self.ended, self.settings_acks, self.pongs = [], {}, None, False, 0, []
        self.block, self.peer = None, {}
        if greet:
            self.send(PREFACE + settings(*pairs))

    def send(self, data):
        try:
            self.stream.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False
        except TimeoutError:
            raise Wrong("the server stopped reading") from None

    def state(self, stream):
        return self.streams.setdefault(stream, {"status": None, "body": b"", "end": False, "reset": None})

    def step(self, late):
        """Reads one frame; False at the end of the connection."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3]):
            if self.ended:
                return False
            wait = late - time.monotonic()
            if wait <= 0:
                raise TimeoutError
            self.stream.settimeout(wait)
            try:
                piece = self.stream.recv(1 << 18)
            except ConnectionResetError:
                piece = b""
            self.ended = not piece
            self.buffer += piece
        length, kind, flags = int.from_bytes(self.buffer[:3]), self.buffer[3], self.buffer[4]
        stream = int.from_bytes(self.buffer[5:9]) & 0x7fffffff
        payload, self.buffer = self.buffer[9:9 + length], self.buffer[9 + length:]
        if length > 16_384:
            raise Wrong(f"a frame of {length} bytes, more than we allow")
        self.frames.append((kind, flags, stream, payload))
        self.take(kind, flags, stream, payload)
        return True

    def take(self, kind, flags, stream, payload):
        if self.block is not None and kind != CONTINUATION:
            raise Wrong("a frame between HEADERS and CONTINUATION")
        if kind in (DATA, HEADERS) and flags & PADDED:
            payload = payload[1:len(payload) - payload[0]]
        if kind == HEADERS:
            payload = payload[5:] if flags & PRIORITIZED else payload
            self.block, self.block_end = payload, flags & END_STREAM
        elif kind == CONTINUATION:
            self.block += payload
        if kind in (HEADERS, CONTINUATION) and flags & END_HEADERS:
            state = self.state(stream)
            if state["status"] is None or state["status"] < 200:
                state["status"] = status_of(self.block)
            state["end"] |= bool(self.block_end)
            self.block = None
        elif kind == DATA:
            self.state(stream)["body"] += payload
            self.state(stream)["end"] |= bool(flags & END_STREAM)
        elif kind == RST_STREAM:
            self.state(stream)["reset"] = int.from_bytes(payload)
        elif kind == GOAWAY:
            self.goaway = int.from_bytes(payload[4:8])
        elif kind == SETTINGS and flags & ACK:
            self.settings_acks += 1
        elif kind == SETTINGS:
            for place in range(0, len(payload), 6):
                key, value = struct.unpack(">HI", payload[place:place + 6])
                self.peer[key] = value
            self.send(frame(SETTINGS, ACK, 0))
        elif kind == PING and flags & ACK:
            self.pongs.append(payload)

    def until(self, condition, what):
        late = time.monotonic() + self.patience
        try:
            while not condition():
                if not self.step(late):
                    if condition():
                        return
                    raise Wrong(f"the connection ended{self.why()} before {what}")
        except TimeoutError:
            raise Wrong(f"{what} did not come within {self.patience} s{self.why()}") from None

    def why(self):
        return "" if self.goaway is None else f" with GOAWAY {error(self.goaway)}"

    def answer(self, stream=1, status=200, body=None):
        """Waits for a whole response."""
        self.until(lambda: self.state(stream)["end"] or self.state(stream)["reset"] is not None, f"the answer on stream {stream}")
        state = self.state(stream)
        if not state["end"] and state["reset"] not in (None, NO_ERROR):
            raise Wrong(f"stream {stream} was reset with {error(state['reset'])}")
        wanted = status if isinstance(status, tuple) else (status,)
        if state["status"] not in wanted:
            raise Wrong(f"{' or '.join(map(str, wanted))} was due, not {state['status']}")
        if body is not None and state["body"] != body:
            raise Wrong(f"{len(body)} bytes were due, not {len(state['body'])}, or others")
        return state

    def alive(self):
        """The connection still serves: PING is answered."""
        token = struct.pack(">d", time.monotonic())
        self.send(frame(PING, 0, 0, token))
        self.until(lambda: token in self.pongs, "the answer to PING")
        if self.goaway is not None:
            raise Wrong(f"GOAWAY {error(self.goaway)} was not due")

    def dies(self, *codes):
        """A connection error: GOAWAY with one of these codes if it says any, and the end."""
        late = time.monotonic() + self.patience
        try:
            while self.step(late):
                if self.goaway is not None:  # the end has to follow at once (section 5.4.1)
                    late = min(late, time.monotonic() + self.patience / 5)
        except TimeoutError:
            raise Wrong(f"the connection was not closed within {self.patience} s{self.why()}") from None
        if codes and self.goaway is None:
            raise Wrong(f"it ended without GOAWAY; {' or '.join(map(error, codes))} was due")
        if codes and self.goaway not in codes:
            raise Wrong(f"{' or '.join(map(error, codes))} was due, not {error(self.goaway)}")

    def refused(self, stream, *codes, statuses=()):
        """A stream error: RST_STREAM with one of these codes, or a connection error with it, or one of these statuses."""
        state = self.state(stream)
        late = time.monotonic() + self.patience
        try:
            while state["reset"] is None and not (state["end"] and statuses) and self.step(late):
                pass
        except TimeoutError:
            raise Wrong(f"stream {stream} was not refused within {self.patience} s (status {state['status']})") from None
        if statuses and state["status"] in statuses:
            return
        found = state["reset"] if state["reset"] is not None else self.goaway
        if found not in codes:
            raise Wrong(f"{' or '.join(map(error, codes))} was due, not "
                        f"{'nothing' if found is None else error(found)} (status {state['status']})")


def error(code):
    return NAMES[code] if code < len(NAMES) else str(code)


class Server:
    def __init__(self, connect, patience=5):
        self.connect, self.patience = connect, patience

    def open(self, *pairs, greet=True):
        return Connection(self.connect(), self.patience, greet, *pairs)


HELLO = b"Hello, world!\n"


# The preface and good requests

@case("9113 3.4", "a request with prior knowledge")
def plain(server):
    connection = server.open()
    connection.send(headers(1))
    connection.answer(1, 200, HELLO)
    if connection.frames[0][0] != SETTINGS:
        raise Wrong("the first frame is not SETTINGS")


@case("9113 6.5.3", "SETTINGS are acknowledged")
def settings_acknowledged(server):
    connection = server.open((3, 100), (4, 65_535))
    connection.until(lambda: connection.settings_acks == 1, "SETTINGS with ACK")


@case("9113 3.4", "a preface that comes byte by byte")
def preface_bytes(server):
    connection = server.open(greet=False)
    for byte in PREFACE + settings() + headers(1):
        connection.send(bytes([byte]))
        time.sleep(0.001)
    connection.answer(1, 200, HELLO)


@case("9113 3.4", "a preface that is wrong in its last line ends the connection")
def preface_bad(server):
    connection = server.open(greet=False)
    connection.send(b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + settings())
    late = time.monotonic() + server.patience
    try:
        while connection.stream.recv(65_536) and time.monotonic() < late:
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        raise Wrong("the connection was not closed") from None


@case("9113 3.4", "a preface without SETTINGS is an error")
def preface_no_settings(server):
    connection = server.open(greet=False)
    connection.send(PREFACE + headers(1))
    connection.dies(PROTOCOL)


@case("9113 5.1.2", "a hundred requests at once are each answered")
def hundred(server):
    connection = server.open()
    connection.send(b"".join(headers(1 + 2 * number) for number in range(100)))
    for number in range(100):
        connection.answer(1 + 2 * number, 200, HELLO)


@case("9113 8.1", "HEAD has no content")
def head(server):
    connection = server.open()
    connection.send(headers(1, method=b"HEAD"))
    connection.answer(1, 200, b"")


@case("9113 8.1, 9110 15.5.6", "404 and 405")
def not_found(server):
    connection = server.open()
    connection.send(headers(1, path=b"/nothing") + headers(3, method=b"DELETE"))
    connection.answer(1, 404)
    connection.answer(3, 405)


@case("9110 14.2", "a range")
def ranges(server):
    connection = server.open()
    connection.send(headers(1, extra=[(b"range", b"bytes=0-4")]))
    connection.answer(1, 206, b"Hello")


@case("9113 6.2", "padding and priority")
def padded(server):
    connection = server.open()
    block = b"\x05" + b"\0\0\0\0\x10" + fields() + b"\0" * 5
    connection.send(frame(HEADERS, END_STREAM | END_HEADERS | PADDED | PRIORITIZED, 1, block))
    connection.answer(1, 200, HELLO)


@case("9113 6.10", "a header in small pieces")
def continuation(server):
    connection = server.open()
    block = fields()
    connection.send(frame(HEADERS, END_STREAM, 1, block[:1]) + b"".join(
        frame(CONTINUATION, 0, 1, block[place:place + 20]) for place in range(1, len(block), 20)) + frame(CONTINUATION, END_HEADERS, 1))
    connection.answer(1, 200, HELLO)


@case("9113 5.5", "frames of unknown kinds are ignored")
def unknown_frame(server):
    connection = server.open()
    connection.send(frame(0xbb, 0xff, 0, b"anything") + headers(1) + frame(0xee, 0, 1, b"more"))
    connection.answer(1, 200, HELLO)
    connection.alive()


@case("9113 6.5.2", "unknown settings are ignored")
def unknown_setting(server):
    connection = server.open((0x99, 7))
    connection.send(headers(1))
    connection.answer(1, 200, HELLO)


@case("9113 5.3", "PRIORITY is read and left out")
def priority(server):
    connection = server.open()
    connection.send(frame(PRIORITY, 0, 5, b"\0\0\0\0\x10") + headers(7))
    connection.answer(7, 200, HELLO)


# Flow control

@case("9113 5.2, 6.9", "a window of 10 bytes is filled and not passed")
def window_small(server):
    connection = server.open((4, 10))
    connection.send(headers(1))
    connection.until(lambda: len(connection.state(1)["body"]) >= 10, "10 bytes")
    connection.alive()
    if len(connection.state(1)["body"]) != 10:
        raise Wrong(f"{len(connection.state(1)['body'])} bytes came through a window of 10")
    connection.send(frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 100)))
    connection.answer(1, 200, HELLO)


@case("9113 6.9.2", "a window that SETTINGS make smaller and larger in between")
def window_negative(server):
    connection = server.open((4, 10))
    connection.send(headers(1))
    connection.until(lambda: len(connection.state(1)["body"]) == 10, "10 bytes")
    connection.send(settings((4, 2)) + frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 8)))
    connection.alive()
    if len(connection.state(1)["body"]) != 10:
        raise Wrong("bytes came through a window of no size")
    connection.send(settings((4, 100)))
    connection.answer(1, 200, HELLO)


@case("9113 6.9", "the connection's window of 65,535 bytes holds for all streams together")
def window_connection(server):
    connection = server.open((4, 1 << 20))
    connection.send(headers(1, path=b"/big.bin") + headers(3, path=b"/big.bin"))
    connection.until(lambda: sum(len(state["body"]) for state in connection.streams.values()) >= 65_535, "65,535 bytes")
    connection.alive()
    total = sum(len(connection.state(stream)["body"]) for stream in (1, 3))
    if total != 65_535:
        raise Wrong(f"{total} bytes came")
    connection.send(headers(5, path=b"/empty.txt"))
    for _ in range(64):
        connection.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 40_000)))
    connection.answer(1)
    connection.answer(3)
    connection.answer(5, 200, b"")


@case("9113 6.9.1", "a connection's window above 2^31-1 is an error")
def window_overflow(server):
    connection = server.open()
    connection.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0x7fffffff)) * 2)
    connection.dies(FLOW_CONTROL)


@case("9113 6.9.1", "a stream's window above 2^31-1 is an error of the stream")
def window_overflow_stream(server):
    connection = server.open((4, 10))
    connection.send(headers(1, path=b"/big.bin") + frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 0x7fffffff)) * 2)
    connection.refused(1, FLOW_CONTROL)


@case("9113 6.9.2", "SETTINGS that take a stream's window above 2^31-1 are an error")
def window_overflow_settings(server):
    connection = server.open((4, 10))
    connection.send(headers(1, path=b"/big.bin") + frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 0x7ffffff0)) + settings((4, 0x7fffffff)))
    connection.dies(FLOW_CONTROL)


@case("9113 6.9", "WINDOW_UPDATE of zero on the connection is an error")
def window_zero(server):
    connection = server.open()
    connection.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0)))
    connection.dies(PROTOCOL)


@case("9113 6.9", "WINDOW_UPDATE of zero on a stream is an error of the stream")
def window_zero_stream(server):
    connection = server.open((4, 10))
    connection.send(headers(1, path=b"/big.bin") + frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 0)))
    connection.refused(1, PROTOCOL)


@case("9113 6.9", "WINDOW_UPDATE after the end of its stream is left out")
def window_after(server):
    connection = server.open()
    connection.send(headers(1))
    connection.answer(1, 200, HELLO)
    connection.send(frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 5)) + headers(3))
    connection.answer(3, 200, HELLO)


# Errors of the connection: what is sent, the codes, and why

def fatal(name, section, title, build, *codes):
    def run(server):
        connection = server.open()
        connection.until(lambda: connection.peer or connection.frames, "SETTINGS")
        connection.send(build)
        connection.dies(*codes)
    CASES[name] = Case(name, section, title, run)


fatal("frame-too-large", "9113 4.2", "a HEADERS frame above SETTINGS_MAX_FRAME_SIZE",
      headers(1, fields() + literal(b"x", b"y" * 17_000)), FRAME_SIZE)
fatal("frame-too-large-data", "9113 4.2", "a DATA frame of 16 MB is refused at its header",
      frame(DATA, 0, 1, b"a" * 70_000, length=0xffffff), FRAME_SIZE, PROTOCOL, STREAM_CLOSED)
fatal("settings-length", "9113 6.5", "SETTINGS of 5 bytes", frame(SETTINGS, 0, 0, b"12345"), FRAME_SIZE)
fatal("settings-ack-payload", "9113 6.5", "SETTINGS with ACK and content", frame(SETTINGS, ACK, 0, b"\0\1\0\0\0\0"), FRAME_SIZE)
fatal("settings-stream", "9113 6.5", "SETTINGS on a stream", frame(SETTINGS, 0, 1, b""), PROTOCOL)
fatal("settings-push", "9113 6.5.2", "ENABLE_PUSH of 2", settings((2, 2)), PROTOCOL)
fatal("settings-window", "9113 6.5.2", "INITIAL_WINDOW_SIZE of 2^31", settings((4, 1 << 31)), FLOW_CONTROL)
fatal("settings-frame-size-small", "9113 6.5.2", "MAX_FRAME_SIZE of 16,383", settings((5, 16_383)), PROTOCOL)
fatal("settings-frame-size-large", "9113 6.5.2", "MAX_FRAME_SIZE of 2^24", settings((5, 1 << 24)), PROTOCOL)
fatal("ping-length", "9113 6.7", "PING of 7 bytes", frame(PING, 0, 0, b"1234567"), FRAME_SIZE)
fatal("ping-stream", "9113 6.7", "PING on a stream", frame(PING, 0, 1, b"12345678"), PROTOCOL)
fatal("goaway-stream", "9113 6.8", "GOAWAY on a stream", frame(GOAWAY, 0, 1, bytes(8)), PROTOCOL)
fatal("window-length", "9113 6.9", "WINDOW_UPDATE of 3 bytes", frame(WINDOW_UPDATE, 0, 0, b"123"), FRAME_SIZE)
fatal("reset-length", "9113 6.4", "RST_STREAM of 3 bytes", headers(1, path=b"/big.bin") + frame(RST_STREAM, 0, 1, b"123"), FRAME_SIZE)
fatal("reset-zero", "9113 6.4", "RST_STREAM on stream 0", frame(RST_STREAM, 0, 0, bytes(4)), PROTOCOL)
fatal("reset-idle", "9113 6.4", "RST_STREAM on an idle stream", frame(RST_STREAM, 0, 9, bytes(4)), PROTOCOL)
fatal("window-idle", "9113 5.1", "WINDOW_UPDATE on an idle stream", frame(WINDOW_UPDATE, 0, 9, struct.pack(">I", 1)), PROTOCOL)
fatal("data-zero", "9113 6.1", "DATA on stream 0", frame(DATA, 0, 0, b"a"), PROTOCOL)
fatal("data-idle", "9113 5.1", "DATA on an idle stream", frame(DATA, END_STREAM, 9, b"a"), PROTOCOL, STREAM_CLOSED)
fatal("headers-zero", "9113 6.2", "HEADERS on stream 0", headers(0), PROTOCOL)
fatal("stream-even", "9113 5.1.1", "a client's stream with an even number", headers(2), PROTOCOL)
fatal("stream-lower", "9113 5.1.1", "a stream below one that was opened", headers(5) + headers(3), PROTOCOL, STREAM_CLOSED)
fatal("push-promise", "9113 8.4", "PUSH_PROMISE from a client",
      headers(1, path=b"/big.bin") + frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + fields()), PROTOCOL)
fatal("continuation-alone", "9113 6.10", "CONTINUATION without HEADERS", frame(CONTINUATION, END_HEADERS, 1, fields()), PROTOCOL)
fatal("continuation-other-stream", "9113 6.10", "CONTINUATION on another stream",
      headers(1, fields()[:9], flags=END_STREAM) + frame(CONTINUATION, END_HEADERS, 3, fields()[9:]), PROTOCOL)
fatal("continuation-other-frame", "9113 6.2", "PING between HEADERS and CONTINUATION",
      headers(1, fields()[:9], flags=END_STREAM) + frame(PING, 0, 0, bytes(8)), PROTOCOL)
fatal("continuation-unknown-frame", "9113 5.5", "an unknown frame between HEADERS and CONTINUATION",
      headers(1, fields()[:9], flags=END_STREAM) + frame(0xbb, 0, 0, bytes(8)), PROTOCOL)
fatal("padding-too-long", "9113 6.1", "padding longer than its frame",
      headers(1, b"\xff" + fields(), flags=END_STREAM | END_HEADERS | PADDED), PROTOCOL)
fatal("hpack-index-zero", "7541 6.1", "index 0", headers(1, fields() + b"\x80"), COMPRESSION)
fatal("hpack-index-high", "7541 2.3.3", "an index that the table does not have", headers(1, fields() + b"\xff\x00"), COMPRESSION)
fatal("hpack-cut", "7541 5.2", "a string that ends before its length", headers(1, fields() + b"\0\x05ab"), COMPRESSION)
fatal("hpack-integer", "7541 5.1", "an integer without end", headers(1, fields() + b"\xff" + b"\xff" * 20), COMPRESSION)
fatal("hpack-huffman-eos", "7541 5.2", "Huffman coding with EOS", headers(1, fields() + b"\0\x01x\x84\xff\xff\xff\xff"), COMPRESSION)
fatal("hpack-size-update", "7541 6.3", "a dynamic table above its limit", headers(1, b"\x3f\xe1\xff\xff\x07" + fields()), COMPRESSION)
fatal("hpack-size-late", "7541 4.2", "a size update in the middle of a block", headers(1, fields() + b"\x20"), COMPRESSION)


# Errors of a stream: malformed requests (RFC 9113, section 8.1.1)

def malformed(name, section, title, build):
    def run(server):
        connection = server.open()
        connection.send(build)
        connection.refused(1, PROTOCOL, statuses=(400,))
    CASES[name] = Case(name, section, title, run)


for name, section, title, options in [
        ("upper-case", "8.2.1", "a field name in capitals", {"extra": [(b"X-A", b"b")]}),
        ("connection", "8.2.2", "Connection in HTTP/2", {"extra": [(b"connection", b"close")]}),
        ("keep-alive", "8.2.2", "Keep-Alive in HTTP/2", {"extra": [(b"keep-alive", b"1")]}),
        ("transfer-encoding", "8.2.2", "Transfer-Encoding in HTTP/2", {"extra": [(b"transfer-encoding", b"chunked")]}),
        ("te", "8.2.2", "TE other than trailers", {"extra": [(b"te", b"gzip")]}),
        ("no-method", "8.3.1", "no :method", {"drop": [b":method"]}),
        ("no-scheme", "8.3.1", "no :scheme", {"drop": [b":scheme"]}),
        ("no-path", "8.3.1", "no :path", {"drop": [b":path"]}),
        ("empty-path", "8.3.1", "an empty :path", {"path": b""}),
        ("unknown-pseudo", "8.3", "a pseudo-field nobody knows", {"extra": [(b":foo", b"bar")]}),
        ("response-pseudo", "8.3", ":status in a request", {"extra": [(b":status", b"200")]}),
        ("pseudo-twice", "8.3.1", ":path twice", {"extra": [(b":path", b"/")]}),
        ("space-in-name", "8.2.1", "a space in a field name", {"extra": [(b"x a", b"b")]}),
        ("colon-in-name", "8.2.1", "a colon in a field name", {"extra": [(b"x:a", b"b")]}),
        ("nul-in-value", "8.2.1", "NUL in a value", {"extra": [(b"x", b"a\0b")]}),
        ("cr-in-value", "8.2.1", "CR LF in a value", {"extra": [(b"x", b"a\r\nb: c")]}),
        ("lf-in-value", "8.2.1", "LF in a value", {"extra": [(b"x", b"a\nb: c")]}),
        ("lf-in-path", "8.2.1", "LF in :path", {"path": b"/hello.txt\n"}),
        ("space-around-value", "8.2.1", "white space around a value", {"extra": [(b"x", b" a ")]})]:
    malformed(f"malformed-{name}", f"9113 {section}", title, headers(1, **options))
malformed("malformed-pseudo-late", "9113 8.3", "a pseudo-field after a field",
          headers(1, literal(b":method", b"GET") + literal(b":scheme", b"http") + literal(b"x", b"y") + literal(b":path", b"/")
                  + literal(b":authority", b"localhost")))
malformed("malformed-length", "9113 8.1.1", "less content than content-length says",
          headers(1, method=b"POST", flags=END_HEADERS, extra=[(b"content-length", b"5")]) + frame(DATA, END_STREAM, 1, b"abc"))
malformed("malformed-length-more", "9113 8.1.1", "more content than content-length says",
          headers(1, method=b"POST", flags=END_HEADERS, extra=[(b"content-length", b"2")]) + frame(DATA, END_STREAM, 1, b"abc"))
# A server may answer before it has read the content: 405 is as good.
for name in ("malformed-length", "malformed-length-more"):
    def lenient(server, build=CASES[name].run.__closure__[0].cell_contents):
        connection = server.open()
        connection.send(build)
        connection.refused(1, PROTOCOL, statuses=(400, 405))
    CASES[name].run = lenient


@case("9113 5.1", "HEADERS on a closed stream")
def headers_on_closed(server):
    connection = server.open()
    connection.send(headers(1))
    connection.answer(1, 200, HELLO)
    connection.send(headers(1))
    connection.dies(STREAM_CLOSED, PROTOCOL)


@case("9113 5.1", "DATA on a stream that its sender has ended")
def data_on_half_closed(server):
    connection = server.open((4, 10))
    connection.send(headers(1, path=b"/big.bin"))
    connection.until(lambda: connection.state(1)["status"] is not None, "the answer's beginning")
    connection.send(frame(DATA, 0, 1, b"more"))
    connection.refused(1, STREAM_CLOSED)


@case("9113 5.1, 6.4", "a stream that was reset does not disturb the next")
def reset_midway(server):
    connection = server.open()
    connection.send(headers(1, path=b"/big.bin"))
    connection.until(lambda: connection.state(1)["body"], "some content")
    connection.send(frame(RST_STREAM, 0, 1, struct.pack(">I", CANCEL)) + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 20)) + headers(3))
    connection.answer(3, 200, HELLO)
    connection.alive()


@case("9113 5.1.2", "streams above SETTINGS_MAX_CONCURRENT_STREAMS are refused")
def too_many_streams(server):
    connection = server.open((4, 0))
    connection.until(lambda: connection.peer, "SETTINGS")
    limit = connection.peer.get(3)
    if limit is None or limit > 1_000:
        raise Wrong(f"MAX_CONCURRENT_STREAMS is {limit}: nothing bounds the streams")
    connection.send(b"".join(headers(1 + 2 * number) for number in range(limit + 1)))
    connection.refused(1 + 2 * limit, REFUSED, PROTOCOL)


@case("9113 6.8", "after our GOAWAY the answer under way still comes")
def goaway(server):
    connection = server.open()
    connection.send(headers(1) + frame(GOAWAY, 0, 0, bytes(8)))
    connection.answer(1, 200, HELLO)


@case("9113 6.7", "PING is answered while a large answer waits for its window")
def ping_while_busy(server):
    connection = server.open((4, 100))
    connection.send(headers(1, path=b"/big.bin"))
    connection.alive()


# Greedy clients: the server bounds what they cost, and serves the others

def greedy(connection, server):
    """Others are served while this connection is open."""
    other = server.open()
    other.send(headers(1))
    other.answer(1, 200, HELLO)


def flood(connection, pieces, late):
    """Sends until the server ends the connection; returns how many pieces went out."""
    connection.stream.settimeout(1)
    for number, piece in enumerate(pieces):
        try:
            connection.stream.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            return number, "ended"
        except TimeoutError:
            return number, "held"
        if time.monotonic() > late:
            break
    return number + 1, "sent"


@case("9113 10.5.1", "CONTINUATION without end is stopped")
def continuation_flood(server):
    connection = server.open()
    connection.send(frame(HEADERS, END_STREAM, 1, fields()))
    piece = b"".join(frame(CONTINUATION, 0, 1, literal(b"x-%d" % number, b"y" * 1_000)) for number in range(16))
    count, how = flood(connection, (piece for _ in range(2_000)), time.monotonic() + 10)
    if how == "sent":
        raise Wrong(f"{count * 16_000:,} bytes of header were taken")
    greedy(connection, server)


@case("9113 10.5.1", "CONTINUATION frames of no bytes are stopped")
def continuation_empty_flood(server):
    connection = server.open()
    connection.send(frame(HEADERS, END_STREAM, 1, fields()))
    count, how = flood(connection, (frame(CONTINUATION, 0, 1) * 1_000 for _ in range(1_000)), time.monotonic() + 10)
    if how == "sent":
        raise Wrong(f"{count * 1_000:,} empty frames were taken")
    greedy(connection, server)


@case("9113 10.5.1, 6.5.2", "a header of 200 KB is refused")
def header_large(server):
    connection = server.open()
    block = fields() + b"".join(literal(b"x-%d" % number, b"y" * 1_000) for number in range(200))
    connection.send(frame(HEADERS, END_STREAM, 1, block[:16_000]) + b"".join(
        frame(CONTINUATION, END_HEADERS if place + 16_000 >= len(block) else 0, 1, block[place:place + 16_000])
        for place in range(16_000, len(block), 16_000)))
    connection.refused(1, PROTOCOL, CALM, COMPRESSION, INTERNAL, REFUSED, FRAME_SIZE, statuses=(431, 400))


@case("7541 7.3, 9113 10.5.1", "a small block that grows large by the table is refused")
def header_bomb(server):
    connection = server.open()
    name = b"\x40\x01x\x7f" + integer(3_000 - 127) + b"y" * 3_000  # into the dynamic table, at index 62
    connection.send(headers(1, fields() + name + b"\xbe" * 10_000))
    connection.refused(1, PROTOCOL, CALM, COMPRESSION, INTERNAL, REFUSED, FRAME_SIZE, statuses=(431, 400))


@case("9113 10.5", "rapid reset: 20,000 streams opened and reset do not stop the service")
def rapid_reset(server):
    connection = server.open()
    cancel = struct.pack(">I", CANCEL)
    pieces = (b"".join(headers(stream, path=b"/big.bin") + frame(RST_STREAM, 0, stream, cancel)
                       for stream in range(1 + 200 * block, 201 + 200 * block, 2)) for block in range(200))
    began = time.monotonic()
    flood(connection, pieces, began + 15)
    greedy(connection, server)  # the greedy one's own connection may be ended or served


def control_flood(piece):
    def run(server):
        connection = server.open()
        connection.stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        # Nobody reads the answers: the server must not keep them without bound.
        count, how = flood(connection, (piece * 1_000 for _ in range(1_000)), time.monotonic() + 10)
        greedy(connection, server)
        if how == "sent":
            raise Wrong(f"{count * 1_000:,} frames were taken while nobody read the answers")
    return run


CASES["settings-flood"] = Case("settings-flood", "9113 10.5", "SETTINGS without end from a client that reads nothing",
                               control_flood(settings((3, 100))))
CASES["ping-flood"] = Case("ping-flood", "9113 10.5", "PING without end from a client that reads nothing",
                           control_flood(frame(PING, 0, 0, b"12345678")))


@case("9113 10.5", "DATA frames of no bytes without end are stopped or cheap")
def empty_data_flood(server):
    connection = server.open()
    connection.send(headers(1, method=b"POST", flags=END_HEADERS))
    flood(connection, (frame(DATA, 0, 1) * 1_000 for _ in range(200)), time.monotonic() + 5)
    greedy(connection, server)


@case("9113 10.5", "a window of one byte at a time does not stop the service")
def tiny_window(server):
    connection = server.open((4, 1))
    connection.send(b"".join(headers(1 + 2 * number) for number in range(50)))
    connection.alive()
    greedy(connection, server)
    for _ in range(len(HELLO)):
        connection.send(b"".join(frame(WINDOW_UPDATE, 0, 1 + 2 * number, struct.pack(">I", 1)) for number in range(50)))
    for number in range(50):
        connection.answer(1 + 2 * number, 200, HELLO)


if __name__ == "__main__":
    import sys

    def connect():
        stream = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return stream

    failed = 0
    for each in CASES.values():
        if len(sys.argv) > 3 and sys.argv[3] not in each.name:
            continue
        began = time.monotonic()
        try:
            each.run(Server(connect))
        except (Wrong, OSError) as why:
            failed += 1
            print(f"fail {each}: {why!r}")
        if time.monotonic() - began > 1:
            print(f"slow {each.name}: {time.monotonic() - began:.1f} s")
    print(f"{len(CASES) - failed} passed, {failed} failed")
