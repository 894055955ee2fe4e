"""The connection: kept or closed, pipelined, slow, half closed; HEAD; Expect."""

import re
import time

from http_cases.model import HELLO, Answer, case, closed, ends, file, get, kept, refused

CLOSE, ALIVE = re.compile(rb"(?i)\bclose\b"), re.compile(rb"(?i)\bkeep-alive\b")
EMPTY, BIG = file("empty.txt"), file("big.bin")

# Kept and closed
case("close", "9112 9.6", "Connection: close closes, and the answer says so",
     get(b"/hello.txt", b"Connection: close"), closed(file("hello.txt", connection=CLOSE)))
case("close-case", "9110 7.6.1", "connection options are case-insensitive",
     get(b"/hello.txt", b"Connection: CLOSE"), closed(HELLO))
case("close-list", "9110 7.6.1", "close in a list", get(b"/hello.txt", b"Connection: foo, close"), closed(HELLO))
case("close-lines", "9110 5.3", "close in the second of two lines",
     get(b"/hello.txt", b"Connection: foo", b"Connection: close"), closed(HELLO))
case("close-beats-keep-alive", "9112 9.3", "close beats keep-alive",
     get(b"/hello.txt", b"Connection: keep-alive, close"), closed(HELLO))
case("close-not-a-word", "9110 7.6.1", "closed is not close", get(b"/hello.txt", b"Connection: closed"), kept(HELLO))
case("close-then-more", "9112 9.6", "nothing is answered after a request with close",
     get(b"/hello.txt", b"Connection: close") + get(b"/smuggled.txt"), closed(HELLO))
case("keep-alive-1.0", "9112 9.3", "HTTP/1.0 with keep-alive is kept and told, or closed",
     get(b"/hello.txt", b"Connection: keep-alive", version=b"HTTP/1.0"), kept(file("hello.txt", connection=ALIVE)),
     closed(HELLO))
case("close-1.0", "9112 9.3", "HTTP/1.0 without keep-alive is closed",
     get(b"/hello.txt", version=b"HTTP/1.0") + get(b"/smuggled.txt", version=b"HTTP/1.0"), closed(HELLO))
case("close-404", "9112 9.3", "404 keeps the connection", get(b"/nothing"), kept(Answer(404)))
case("close-304", "9112 9.3", "304 keeps the connection", get(b"/hello.txt", b"If-None-Match: *"), kept(Answer(304, body=b"")))
case("close-405", "9112 9.3", "405 without content keeps the connection or says close",
     get(method=b"DELETE"), kept(Answer(405)), closed(Answer(405, connection=CLOSE)))
case("close-400", "9112 9.6", "400 says that it closes", get(b"/hello.txt", b"X A: b"), closed(Answer(400, connection=CLOSE)))
case("upgrade", "9110 7.8", "an upgrade that is not offered is ignored",
     get(b"/hello.txt", b"Connection: Upgrade", b"Upgrade: foo/2"), kept(HELLO))
case("upgrade-h2c", "9113 3.1", "Upgrade: h2c is obsolete and ignored",
     get(b"/hello.txt", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"),
     kept(HELLO))

# Pipelines
case("pipeline-3", "9112 9.3.2", "three requests are answered in order",
     get(b"/hello.txt") + get(b"/empty.txt") + get(b"/style.css"), kept(HELLO, EMPTY, file("style.css")))
case("pipeline-sizes", "9112 9.3.2", "a megabyte and small files in order",
     get(b"/hello.txt") + get(b"/big.bin") + get(b"/empty.txt") + get(b"/big.bin") + get(b"/hello.txt"),
     kept(HELLO, BIG, EMPTY, BIG, HELLO))
case("pipeline-100", "9112 9.3.2", "a hundred requests in one piece", get(b"/hello.txt") * 100, kept(*[HELLO] * 100))
case("pipeline-head", "9112 9.3.2", "HEAD between GETs", get() + get(method=b"HEAD") + get(b"/style.css"),
     kept(HELLO, Answer(200, body=b"", content_length=b"14"), file("style.css")), methods=["GET", "HEAD", "GET"])
case("pipeline-404", "9112 9.3.2", "requests after 404", get(b"/nothing") + get() + get(b"/nothing") + get(),
     kept(Answer(404), HELLO, Answer(404), HELLO))
case("pipeline-304", "9112 9.3.2", "requests after 304 and 206",
     get(b"/hello.txt", b"If-None-Match: *") + get(b"/hello.txt", b"Range: bytes=0-1") + get(),
     kept(Answer(304), Answer(206, body=b"He"), HELLO))
case("pipeline-redirect", "9112 9.3.2", "a request after a redirect", get(b"/dir") + get(), kept(Answer(301, 308), HELLO))
case("pipeline-after-400", "9112 2.2", "nothing is answered after 400",
     get() + b"GET /hello.txt HTTP/1.1\r\nBad Name: x\r\n\r\n" + get(b"/smuggled.txt"), closed(HELLO, Answer(400)))
case("pipeline-after-version", "9112 2.2", "nothing is answered after 505",
     get() + get(version=b"HTTP/7.0") + get(b"/smuggled.txt"), closed(HELLO, Answer(505, 400)))
case("pipeline-crlf", "9112 2.2", "an empty line between requests is ignored", get() + b"\r\n" + get(), kept(HELLO, HELLO))
case("pipeline-content", "9112 9.3.2", "content between requests",
     get(b"/hello.txt", b"Content-Length: 5", body=b"hello") + get(b"/empty.txt"),
     kept(HELLO, EMPTY), closed(HELLO), refused(400, 413, 411))
case("pipeline-1.0-close", "9112 9.3", "HTTP/1.0 ends a pipeline",
     get() + get(version=b"HTTP/1.0") + get(b"/smuggled.txt"), closed(HELLO, HELLO))

# Slow and cut
case("slow-bytes", "9112 2.2", "a request byte by byte",
     get(b"/hello.txt", b"X-A: some value", b"Range: bytes=0-4"), kept(Answer(206, body=b"Hello")), split="bytes")
case("slow-bytes-pipeline", "9112 2.2", "three requests byte by byte", get() + get(method=b"HEAD") + get(b"/empty.txt"),
     kept(HELLO, Answer(200), EMPTY), split="bytes", methods=["GET", "HEAD", "GET"])
case("slow-bytes-chunked", "9112 7.1", "chunked content byte by byte",
     get(b"/hello.txt", b"Transfer-Encoding: chunked", body=b"5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n"), kept(HELLO), closed(HELLO),
     refused(400, 411, 413), split="bytes")
case("slow-bytes-bad", "9112 2.2", "a bad request byte by byte", get(b"/hello.txt", b"X : a"), refused(), split="bytes")
case("split-get", "9112 2.2", "a request cut in two at each place", get(b"/hello.txt", b"A: b"), kept(HELLO), split="everywhere")
case("split-pipeline", "9112 2.2", "two requests cut in two at each place",
     get() + get(b"/empty.txt"), kept(HELLO, EMPTY), split="everywhere")
case("split-chunked", "9112 7.1", "chunked content cut in two at each place",
     get(b"/hello.txt", b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n\r\n"),
     kept(HELLO), closed(HELLO), refused(400, 411, 413), split="everywhere")
case("half-close", "9112 9.6", "the answer still comes when our side is closed", get(), closed(HELLO), half_close=True)
case("half-close-big", "9112 9.6", "a megabyte still comes when our side is closed", get(b"/big.bin"), closed(BIG), half_close=True)
case("half-close-pipeline", "9112 9.6", "three answers still come when our side is closed",
     get() + get(b"/big.bin") + get(), closed(HELLO, BIG, HELLO), half_close=True)
case("half-close-early", "9112 8", "half a request and then the end is not answered as a whole one",
     get()[:-2], closed(), refused(400, 408), half_close=True)
case("half-close-line", "9112 8", "half a request line and then the end", b"GET /hel", closed(), refused(400, 408), half_close=True)
case("half-close-nothing", "9112 9.5", "a connection without a request ends in silence", b"", closed(), half_close=True)
case("half-close-after", "9112 9.6", "a bad request and then the end", b"nonsense\r\n\r\n", refused(), half_close=True)

# Expect
BODY = b"Content-Length: 5"
EXPECT = b"Expect: 100-continue"
case("expect-post", "9110 10.1.1", "the answer does not wait for the content, or is 100 first",
     get(b"/hello.txt", BODY, EXPECT, method=b"POST"), ends(Answer(405, 417)), body=b"hello", probe=False)
case("expect-post-sent", "9110 10.1.1", "content sent without waiting is no next request",
     get(b"/hello.txt", BODY, EXPECT, method=b"POST", body=b"hello"), kept(Answer(405)), closed(Answer(405, 417)))
case("expect-get", "9110 10.1.1", "a GET without content that expects 100",
     get(b"/hello.txt", EXPECT), ends(HELLO), ends(Answer(417)))
case("expect-case", "9110 10.1.1", "the expectation is case-insensitive",
     get(b"/hello.txt", BODY, b"Expect: 100-Continue", method=b"POST"), ends(Answer(405)), body=b"hello", probe=False)
case("expect-other", "9110 10.1.1", "an expectation nobody knows is refused or ignored",
     get(b"/hello.txt", b"Expect: tea"), ends(Answer(417)), ends(HELLO))


def no_interim(response, server):
    connection = server.connect()
    connection.send(get(b"/hello.txt", BODY, EXPECT, method=b"POST", version=b"HTTP/1.0", body=b"hello"))
    try:
        while connection.more(time.monotonic() + server.patience):
            pass
    finally:
        connection.stream.close()
    return "100 (Continue) was sent to HTTP/1.0" if connection.all.startswith(b"HTTP/1.1 100") else None


case("expect-1.0", "9110 10.1.1", "HTTP/1.0 gets no 100",
     get(b"/hello.txt", BODY, EXPECT, method=b"POST", version=b"HTTP/1.0", body=b"hello"),
     closed(Answer(405, 417, judge=no_interim)))


# HEAD
def same_as_get(target, *lines):
    """A judge: HEAD says what GET says, but for the date."""
    def judge(response, server):
        other = server.ask(get(target, *lines))
        def kept_fields(fields):
            return sorted(field for field in fields if field[0] not in ("date", "connection", "keep-alive", "x-request-id"))
        one, two = kept_fields(response.fields), kept_fields(other.fields)
        if response.status != other.status:
            return f"GET says {other.status}"
        # Fields that come with making the content may be left out (section 9.3.2).
        soft = ("content-length", "transfer-encoding", "vary", "trailer")
        missing = [field for field in two if field not in one and field[0] not in soft]
        added = [field for field in one if field not in two]
        return f"HEAD lacks {missing} and has {added} more than GET" if missing or added else None
    return judge


for name, target, statuses in [("file", b"/hello.txt", [200]), ("big", b"/big.bin", [200]), ("empty", b"/empty.txt", [200]),
                               ("index", b"/", [200]), ("listing", b"/dir/", [200]), ("404", b"/nothing", [404]),
                               ("redirect", b"/dir", [301, 308]), ("compressible", b"/compressible.txt", [200])]:
    case(f"head-{name}", "9110 9.3.2", f"HEAD of {target.decode()} has GET's fields and no content",
         get(target, method=b"HEAD"), kept(Answer(*statuses, judge=same_as_get(target))), methods=["HEAD"])
case("head-gzip", "9110 9.3.2", "HEAD with gzip accepted has GET's fields",
     get(b"/compressible.txt", b"Accept-Encoding: gzip", method=b"HEAD"),
     kept(Answer(200, judge=same_as_get(b"/compressible.txt", b"Accept-Encoding: gzip"))), methods=["HEAD"])
case("head-304", "9110 13.1.2", "HEAD can be 304", get(b"/hello.txt", b"If-None-Match: *", method=b"HEAD"),
     kept(Answer(304)), methods=["HEAD"])
case("head-1.0", "9110 9.3.2", "HEAD in HTTP/1.0", get(method=b"HEAD", version=b"HTTP/1.0"),
     closed(Answer(200, content_length=b"14")), methods=["HEAD"])
