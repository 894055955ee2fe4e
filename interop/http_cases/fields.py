"""The header: how fields are written, Host, and how much of it is too much."""

from http_cases.model import HELLO, Answer, case, ends, file, get, kept, refused
from http_cases.tree import FILES

PART = Answer(206, body=FILES["hello.txt"][:2])

case("field-space-before-colon", "9112 5.1", "a space before the colon", get(b"/hello.txt", b"X-A : b"), refused())
case("field-tab-before-colon", "9112 5.1", "a tab before the colon", get(b"/hello.txt", b"X-A\t: b"), refused())
case("host-space-before-colon", "9112 5.1", "a space before Host's colon", get(host=b"Host : localhost"), refused())
case("field-space-after-line", "9112 2.2", "a line of white space after the request line is refused or left out",
     b"GET /hello.txt HTTP/1.1\r\n Range: bytes=0-1\r\nHost: localhost\r\n\r\n", refused(), kept(HELLO))
case("field-obs-fold", "9112 5.2", "a folded line is refused or part of the value",
     get(b"/hello.txt", b"X-A: b\r\n Range: bytes=0-1"), refused(), kept(HELLO))
case("field-obs-fold-tab", "9112 5.2", "a line folded with a tab",
     get(b"/hello.txt", b"X-A: b\r\n\tConnection: close"), refused(), kept(HELLO))
case("field-obs-fold-value", "9112 5.2", "a folded value is refused or joined",
     get(b"/hello.txt", b"Range:\r\n bytes=0-1"), refused(), kept(PART))
case("field-obs-fold-host", "9112 5.2", "Host folded", get(host=b"Host:\r\n localhost"), refused(), kept(HELLO))
case("field-no-colon", "9112 5", "a field line without a colon", get(b"/hello.txt", b"Nonsense"), refused())
case("field-no-name", "9112 5", "a field line without a name", get(b"/hello.txt", b": value"), refused())
case("field-empty-value", "9110 5.5", "an empty value is one", get(b"/hello.txt", b"X-A:"), kept(HELLO))
case("field-no-space", "9112 5.1", "no white space after the colon", get(b"/hello.txt", b"Range:bytes=0-1"), kept(PART))
case("field-white-space", "9112 5.1", "white space around a value is no part of it",
     get(b"/hello.txt", b"Range: \t bytes=0-1 \t "), kept(PART))
case("field-case", "9110 5.1", "names are case-insensitive", get(b"/hello.txt", b"rANGE: bytes=0-1"), kept(PART))
case("field-colon-in-value", "9112 5", "colons in a value", get(b"/hello.txt", b"X-A: :a:b:"), kept(HELLO))
case("field-high-bytes", "9110 5.5", "bytes above 127 in a value are opaque",
     get(b"/hello.txt", b"X-A: \xc3\xbc\xff"), kept(HELLO))
case("field-quoted", "9110 5.6.4", "a quoted string that looks like a line",
     get(b"/hello.txt", b'X-A: "Range: bytes=0-1"'), kept(HELLO))
for byte, word in [(0, "nul"), (1, "soh"), (7, "bel"), (27, "esc"), (32, "space"), (34, "quote"), (40, "parenthesis"),
                   (44, "comma"), (47, "slash"), (59, "semicolon"), (64, "at"), (91, "bracket"), (127, "del"),
                   (0xe9, "high")]:
    case(f"field-name-{word}", "9110 5.1, 5.6.2", f"byte {byte} in a field name",
         get(b"/hello.txt", b"X" + bytes([byte]) + b"A: b"), refused())
case("field-value-nul", "9110 5.5", "NUL in a value is refused or made a space",
     get(b"/hello.txt", b"X-A: b\0c"), refused(), kept(HELLO))
case("field-value-cr", "9110 5.5, 9112 2.2", "CR in a value does not begin a line",
     get(b"/hello.txt", b"X-A: b\rRange: bytes=0-1"), refused(), kept(HELLO))
case("field-value-cr-end", "9112 2.2", "CR CR does not end the header",
     b"GET /hello.txt HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\rGET /smuggled.txt HTTP/1.1\r\n\r\n", refused(), kept(HELLO))
case("field-value-lf", "9112 2.2", "a bare LF ends a line, or is refused",
     get(b"/hello.txt", b"X-A: b\nRange: bytes=0-1"), refused(), kept(PART))
case("field-value-control", "9110 5.5", "other control bytes are refused or kept",
     get(b"/hello.txt", b"X-A: b\1\x1b\x7fc"), refused(), kept(HELLO))
case("field-range-nul", "9110 5.5", "NUL in Range is refused or no range",
     get(b"/hello.txt", b"Range: bytes=0-\x001"), refused(), kept(HELLO), kept(Answer(416)))
case("field-nul-host", "9112 3.2", "NUL in Host", get(host=b"Host: local\0host"), refused())

# Host
case("host-missing", "9112 3.2", "HTTP/1.1 without Host", get(host=None), refused())
case("host-twice", "9112 3.2", "two Host lines", get(b"/hello.txt", b"Host: other"), refused())
case("host-twice-same", "9112 3.2", "the same Host twice", get(b"/hello.txt", b"Host: localhost"), refused())
case("host-twice-case", "9112 3.2", "Host and hOST", get(b"/hello.txt", b"hOST: localhost"), refused())
for name, host in [("space", b"local host"), ("slash", b"localhost/x"), ("at", b"user@localhost"), ("query", b"a?b"),
                   ("bracket", b"[::1"), ("two-colons", b"localhost:1:2"), ("letters-in-port", b"localhost:8o"),
                   ("backslash", b"local\\host"), ("scheme", b"http://localhost"), ("percent", b"local%zzhost"),
                   ("quote", b'"localhost"'), ("less", b"<localhost>"), ("fragment", b"localhost#a")]:
    case(f"host-bad-{name}", "9112 3.2", f"Host: {host.decode()}", get(host=b"Host: " + host), refused())
case("host-empty", "9112 3.2", "an empty Host, which is for targets without an authority",
     get(host=b"Host:"), kept(HELLO), refused())
for name, host in [("port", b"localhost:8080"), ("ipv4", b"192.0.2.2"), ("ipv6", b"[2001:db8:1::2]:80"),
                   ("upper", b"LOCALHOST"), ("empty-port", b"localhost:")]:
    case(f"host-good-{name}", "9112 3.2, 3986 3.2", f"Host: {host.decode()}", get(host=b"Host: " + host), kept(HELLO),
         ends(Answer(421)))
case("host-last", "9112 5.3", "Host need not stand first",
     b"GET /hello.txt HTTP/1.1\r\nX-A: b\r\nAccept: */*\r\nHost: localhost\r\n\r\n", kept(HELLO))

# How much
case("fields-90", "9110 5.4", "90 fields are served",
     get(b"/hello.txt", *[b"X-%d: value" % number for number in range(90)]), kept(HELLO))
case("fields-6k", "9110 5.4", "a value of 6,000 bytes is served", get(b"/hello.txt", b"X-A: " + b"a" * 6_000), kept(HELLO))
case("fields-10000", "6585 5", "10,000 fields are too many",
     get(b"/hello.txt", *[b"X-%d: v" % number for number in range(10_000)]), refused(431, 400))
case("fields-100k", "6585 5", "a value of 100,000 bytes is too long",
     get(b"/hello.txt", b"X-A: " + b"a" * 100_000), refused(431, 400))
case("fields-name-100k", "6585 5", "a name of 100,000 bytes is too long",
     get(b"/hello.txt", b"X" * 100_000 + b": a"), refused(431, 400))
case("fields-1m", "6585 5, 9112 9.6", "the answer to a header of a megabyte still arrives",
     get(b"/hello.txt", *[b"X-%d: %s" % (number, b"a" * 1_000) for number in range(1_000)]), refused(431, 400))
case("fields-no-end", "6585 5", "a header without end is refused before its end",
     b"GET /hello.txt HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: bbbbbbbbbbbbbbbbbbbbbbb\r\n" * 10_000, refused(431, 400))
case("fields-cookie", "9110 5.4", "a Cookie of 4,096 bytes, as browsers send", get(b"/", b"Cookie: a=" + b"c" * 4_094),
     kept(file("index.html")))
