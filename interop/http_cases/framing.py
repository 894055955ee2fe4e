"""Where a request ends: Content-Length, Transfer-Encoding, chunks; and requests hidden in another's content."""

from http_cases.model import HELLO, Answer, case, closed, ends, get, kept, refused

NEXT = b"GET /smuggled.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"  # what must not be taken for a request
# Content in a GET has no meaning: it is read and left out, or the request is refused (RFC 9110, section 9.3.1).
READ = (kept(HELLO), closed(HELLO), refused(400, 413, 411))
# The framing is faulty: nothing after the header can be trusted, whatever is answered.
FAULTY = (refused(400, 501),)
# An answer may have been begun before the fault came; then the connection ends.
BROKEN = (closed(Answer(400, 413)), closed(HELLO), closed())


def length(*values, body=b"hello", method=b"GET"):
    return get(b"/hello.txt", *[b"Content-Length: " + value for value in values], method=method, body=body)


def coded(value, body, *more, name=b"Transfer-Encoding", version=b"HTTP/1.1", method=b"GET"):
    return get(b"/hello.txt", name + b": " + value, *more, method=method, body=body, version=version)


# Content-Length
case("length-get", "9110 9.3.1", "content of a GET is no next request", length(b"%d" % len(NEXT), body=NEXT), *READ)
case("length-zero", "9112 6.3", "Content-Length: 0", length(b"0", body=b""), kept(HELLO))
case("length-post", "9112 6.3", "content of a POST is no next request",
     length(b"%d" % len(NEXT), body=NEXT, method=b"POST"), kept(Answer(405)), closed(Answer(405, 413)))
case("length-head", "9112 6.3", "content of a HEAD is no next request",
     length(b"%d" % len(NEXT), body=NEXT, method=b"HEAD"), kept(Answer(200)), closed(Answer(200, 400, 413)), methods=["HEAD"])
case("length-leading-zeros", "9110 8.6", "leading zeros are digits", length(b"0005"), *READ)
case("length-same-twice", "9110 8.6, 9112 6.3", "the same length twice is refused or one", length(b"5", b"5"), *READ)
case("length-same-list", "9110 8.6, 9112 6.3", "a list of the same length is refused or one", length(b"5, 5"), *READ)
case("length-two", "9112 6.3", "two lengths that differ", length(b"%d" % len(NEXT), b"0", body=NEXT), *FAULTY)
case("length-two-list", "9112 6.3", "a list of lengths that differ", length(b"0, %d" % len(NEXT), body=NEXT), *FAULTY)
case("length-two-zero-first", "9112 6.3", "zero, then another length", length(b"0", b"%d" % len(NEXT), body=NEXT), *FAULTY)
for name, value in [("plus", b"+5"), ("minus", b"-5"), ("letters", b"5x"), ("hex", b"0x5"), ("space", b"5 5"),
                    ("exponent", b"5e0"), ("point", b"5.0"), ("empty", b""), ("quoted", b'"5"'), ("word", b"five"),
                    ("overflow-64", b"18446744073709551621"), ("overflow-63", b"9223372036854775813"),
                    ("overflow-40-digits", b"1" + b"0" * 39), ("comma", b","), ("semicolon", b"5;5"),
                    ("vertical-tab", b"\x0b5"), ("trailing-comma", b"5,x")]:
    case(f"length-bad-{name}", "9110 8.6, 9112 6.3", f"Content-Length: {value.decode()!r}", length(value),
         refused(400, 413), probe=name not in ("overflow-63",))
case("length-too-much", "9112 6.3", "what follows the content is the next request",
     length(b"5", body=b"hello" + get(b"/empty.txt")), kept(HELLO, Answer(200, body=b"")), *[refused(400, 413, 411)],
     closed(HELLO))
case("length-short", "9112 8", "a request cut short is not kept for the next",
     length(b"50", method=b"POST"), closed(Answer(400, 405, 408)), closed(), half_close=True)

# Both
for name, method in [("get", b"GET"), ("post", b"POST")]:
    statuses = (400, 405) if method == b"POST" else (400,)
    both = [closed(Answer(*statuses))] + ([closed(HELLO)] if method == b"GET" else [])
    case(f"both-length-first-{name}", "9112 6.1", "Content-Length, then Transfer-Encoding, which counts; then closed",
         get(b"/hello.txt", b"Content-Length: 5", b"Transfer-Encoding: chunked", method=method, body=b"0\r\n\r\n" + NEXT),
         *both)
    case(f"both-coding-first-{name}", "9112 6.1", "Transfer-Encoding, then Content-Length; then closed",
         get(b"/hello.txt", b"Transfer-Encoding: chunked", b"Content-Length: %d" % (5 + len(NEXT)), method=method,
             body=b"0\r\n\r\n" + NEXT), *both)
case("both-identity", "9112 6.1, 6.3", "Content-Length beside a coding that is not known",
     get(b"/hello.txt", b"Content-Length: %d" % len(NEXT), b"Transfer-Encoding: identity", body=NEXT), *FAULTY)
case("both-xchunked", "9112 6.1, 6.3", "Content-Length beside xchunked",
     get(b"/hello.txt", b"Content-Length: %d" % len(NEXT), b"Transfer-Encoding: xchunked", body=NEXT), *FAULTY)

# Transfer-Encoding
END = b"0\r\n\r\n"
case("coding-chunked", "9112 7.1", "chunked content of a GET is no next request",
     coded(b"chunked", b"%x\r\n%s\r\n" % (len(NEXT), NEXT) + END), *READ)
case("coding-post", "9112 7.1", "chunked content of a POST",
     coded(b"chunked", b"5\r\nhello\r\n" + END, method=b"POST"), kept(Answer(405)), closed(Answer(405, 411, 413)))
case("coding-case", "9112 7", "coding names are case-insensitive", coded(b"ChUnKeD", b"5\r\nhello\r\n" + END), *READ)
case("coding-white-space", "9112 5.1", "white space around chunked", coded(b" \t chunked \t ", b"5\r\nhello\r\n" + END), *READ)
case("coding-empty-element", "9110 5.6.1", "an empty list element beside chunked",
     coded(b", chunked", b"5\r\nhello\r\n" + END), *READ, *FAULTY)
for name, value in [("identity", b"identity"), ("xchunked", b"xchunked"), ("gzip", b"gzip"), ("empty", b""),
                    ("chunked-identity", b"chunked, identity"), ("chunked-gzip", b"chunked, gzip"),
                    ("quoted", b'"chunked"'), ("space-inside", b"chun ked"), ("vertical-tab", b"\x0bchunked"),
                    ("form-feed", b"chunked\x0c"), ("semicolon", b"chunked;"), ("parameter", b"chunked;q=1"), ("underscore", b"chunked_"), ("nul", b"chunked\0"),
                    ("high", b"chunked\xa0"), ("twice", b"chunked, chunked"), ("identity-chunked", b"identity, chunked"),
                    ("gzip-chunked", b"gzip, chunked"), ("cow-chunked", b"cow, chunked"), ("colon", b":chunked"),
                    ("cr", b"chunked\r"), ("bracket", b"[chunked]")]:
    # A bare CR may be read as SP (section 2.2), which makes it chunked.
    case(f"coding-bad-{name}", "9112 6.1, 6.3, 7", f"Transfer-Encoding: {value!r}", coded(value, END + NEXT.replace(
        b"smuggled", b"hello") if name == "cr" else END + NEXT), *FAULTY, *([kept(HELLO, HELLO)] if name == "cr" else []))
case("coding-two-lines", "9112 6.1, 7.1", "chunked twice in two lines",
     coded(b"chunked", END + NEXT, b"Transfer-Encoding: chunked"), *FAULTY)
case("coding-two-lines-identity", "9112 6.1, 6.3", "chunked, then identity in a second line",
     coded(b"chunked", END + NEXT, b"Transfer-Encoding: identity"), *FAULTY)
case("coding-two-lines-other", "9112 6.1, 6.3", "a coding nobody knows, then chunked in a second line",
     coded(b"x", END + NEXT, b"Transfer-Encoding: chunked"), *FAULTY)
case("coding-space-before-colon", "9112 5.1", "a space before the colon of Transfer-Encoding",
     coded(b"chunked", END + NEXT, name=b"Transfer-Encoding "), *FAULTY)
case("coding-underscore", "9112 6.3", "Transfer_Encoding is another field: no content follows",
     coded(b"chunked", END + b"GET / HTTP/1.1\r\n\r\n", name=b"Transfer_Encoding"),
     closed(HELLO, Answer(400)), *FAULTY)
case("coding-folded", "9112 5.2", "Transfer-Encoding folded",
     coded(b"\r\n chunked", END), *FAULTY, kept(HELLO))
case("coding-1.0", "9112 6.1", "Transfer-Encoding in HTTP/1.0 is faulty framing: closed after it",
     coded(b"chunked", END + NEXT, b"Connection: keep-alive", version=b"HTTP/1.0"), closed(HELLO), *FAULTY)
case("coding-1.0-length", "9112 6.1", "both in HTTP/1.0: closed after it",
     coded(b"chunked", END + NEXT, b"Content-Length: 5", b"Connection: keep-alive", version=b"HTTP/1.0"),
     closed(HELLO), *FAULTY)
case("coding-te-field", "9110 10.1.4", "TE is not Transfer-Encoding", get(b"/hello.txt", b"TE: trailers, chunked", b"Connection: TE"), kept(HELLO))

# Chunks
for name, body in [("hex-upper", b"A\r\n0123456789\r\n"), ("hex-lower", b"a\r\n0123456789\r\n"),
                   ("leading-zeros", b"0005\r\nhello\r\n"), ("extension", b"5;name=value\r\nhello\r\n"),
                   ("extension-quoted", b'5;name="a;b\\"c"\r\nhello\r\n'), ("extension-bare", b"5;name\r\nhello\r\n"),
                   ("many", b"1\r\nh\r\n" * 200), ("crlf-inside", b"4\r\n\r\n\r\n\r\n")]:
    case(f"chunk-{name}", "9112 7.1", f"chunks that are well written: {name}", coded(b"chunked", body + END), *READ)
case("chunk-extension-last", "9112 7.1.1", "an extension of the last chunk", coded(b"chunked", b"0;a=b\r\n\r\n"), *READ)
case("chunk-last-zeros", "9112 7.1", "a last chunk of many zeros", coded(b"chunked", b"000000\r\n\r\n"), *READ)
case("chunk-trailer", "9112 7.1.2", "a trailer field is not a header field",
     coded(b"chunked", b"5\r\nhello\r\n0\r\nRange: bytes=0-1\r\n\r\n"), *READ)
case("chunk-trailer-host", "9110 6.5.1", "Host in a trailer is left out or refused",
     coded(b"chunked", b"0\r\nHost: other\r\n\r\n"), *READ)
case("chunk-next", "9112 7.1", "what follows the last chunk is the next request",
     coded(b"chunked", b"5\r\nhello\r\n" + END + get(b"/empty.txt")), kept(HELLO, Answer(200, body=b"")),
     refused(400, 413, 411), closed(HELLO))
for name, body in [("overflow", b"10000000000000005\r\nhello\r\n"), ("overflow-32", b"FFFFFFFFFFFFFFFFFFFF\r\nhello\r\n"),
                   ("negative", b"-5\r\nhello\r\n"), ("plus", b"+5\r\nhello\r\n"), ("prefix", b"0x5\r\nhello\r\n"),
                   ("letters", b"g\r\nhello\r\n"), ("empty-size", b"\r\nhello\r\n"), ("space-before", b" 5\r\nhello\r\n"),
                   ("no-crlf", b"5\r\nhello"), ("too-long", b"5\r\nhello!!\r\n"), ("too-short", b"5\r\nhe\r\n"),
                   ("comma", b"5,5\r\nhello\r\n"), ("underscore", b"1_0\r\nhello\r\n"), ("nul", b"5\0\r\nhello\r\n"),
                   ("only-extension", b";a=b\r\nhello\r\n"), ("words", b"hello there\r\n")]:
    case(f"chunk-bad-{name}", "9112 7.1", f"chunks that are badly written: {name}", coded(b"chunked", body + END + NEXT), *BROKEN)
# A bare LF ends no chunk line: the grammar has CRLF, and section 2.2's robustness is for start line and fields only.
case("chunk-bad-lf-size", "9112 7.1", "a bare LF after a chunk's size", coded(b"chunked", b"5\nhello\r\n" + END + NEXT), *BROKEN)
case("chunk-bad-lf-data", "9112 7.1", "a bare LF after a chunk's content", coded(b"chunked", b"5\r\nhello\n" + END + NEXT), *BROKEN)
case("chunk-bad-lf-extension", "9112 7.1.1", "a bare LF in an extension hides a chunk",
     coded(b"chunked", b"2;\nxx\r\n%x\r\n0\r\n\r\n%s\r\n0\r\n\r\n" % (len(NEXT) + 5, NEXT)), *BROKEN)
case("chunk-bad-cr-size", "9112 7.1", "a bare CR after a chunk's size", coded(b"chunked", b"5\rhello\r\n" + END + NEXT), *BROKEN)
case("chunk-bad-trailer", "9112 7.1.2", "a trailer that is no field",
     coded(b"chunked", b"0\r\nno field\r\n\r\n" + NEXT), *BROKEN)
case("chunk-extension-64k", "9112 7.1.1", "an extension of 64 KiB is refused",
     coded(b"chunked", b"5;" + b"a" * 65_536 + b"\r\nhello\r\n" + END + NEXT.replace(b"smuggled", b"hello")), *BROKEN)
case("chunk-trailer-100k", "9112 7.1.2, 6585 5", "a trailer section of 100,000 bytes is refused",
     coded(b"chunked", b"0\r\n" + b"X-A: bbbbbbbbbbbbbbbbbbbb\r\n" * 4_000 + b"\r\n"),
     closed(Answer(400, 413, 431)), closed(HELLO), closed())
case("chunk-short", "9112 8", "chunks that end with the connection", coded(b"chunked", b"5\r\nhel", method=b"POST"),
     closed(Answer(400, 405, 408)), closed(), half_close=True)
