"""The request line: its form, its targets, methods and versions."""

import re

from http_cases.model import HELLO, Answer, case, closed, ends, file, get, kept, refused

R = b"Host: localhost\r\n\r\n"
LENIENT = (refused(), kept(HELLO))  # "MAY" be read, or refused

case("line-plain", "9112 3", "a plain GET", get(), kept(HELLO))
case("line-double-space", "9112 3", "two spaces before the target", b"GET  /hello.txt HTTP/1.1\r\n" + R, *LENIENT)
case("line-double-space-version", "9112 3", "two spaces before the version",
     b"GET /hello.txt  HTTP/1.1\r\n" + R, *LENIENT)
case("line-trailing-space", "9112 3", "a space after the version", b"GET /hello.txt HTTP/1.1 \r\n" + R, *LENIENT)
case("line-leading-space", "9112 3", "a space before the method", b" GET /hello.txt HTTP/1.1\r\n" + R, *LENIENT)
case("line-tabs", "9112 3", "tabs in place of spaces", b"GET\t/hello.txt\tHTTP/1.1\r\n" + R, *LENIENT)
case("line-vertical-tab", "9112 3", "a vertical tab in place of a space", b"GET\x0b/hello.txt HTTP/1.1\r\n" + R, *LENIENT)
case("line-bare-cr", "9112 2.2", "a bare CR within the line is no end of it",
     b"GET /hello.txt\rHTTP/1.1\r\n" + R, *LENIENT)
case("line-bare-lf", "9112 2.2", "bare LF may end lines, or is refused",
     b"GET /hello.txt HTTP/1.1\nHost: localhost\n\n", *LENIENT)
case("line-bare-lf-first", "9112 2.2", "a bare LF after the request line, CRLF elsewhere",
     b"GET /hello.txt HTTP/1.1\n" + R, *LENIENT)
case("line-cr-cr-lf", "9112 2.2", "CR CR LF is no end of a line that was meant",
     b"GET /hello.txt HTTP/1.1\r\r\n" + R, *LENIENT)
case("line-crlf-before", "9112 2.2", "an empty line before the request line is ignored", b"\r\n" + get(), kept(HELLO))
case("line-no-target", "9112 3", "no target", b"GET HTTP/1.1\r\n" + R, refused())
case("line-only-method", "9112 3", "only a method", b"GET\r\n" + R, refused())
case("line-four-words", "9112 3", "a fourth word", b"GET /hello.txt HTTP/1.1 more\r\n" + R, refused())
case("line-space-in-target", "9112 3.2", "a space within the target is not mended",
     b"GET /with space.txt HTTP/1.1\r\n" + R, refused(), ends(Answer(301)))
case("line-fragment", "9112 3.2", "a fragment is no part of a target",
     get(b"/hello.txt#part"), refused(), ends(Answer(301)))
case("line-no-slash", "9112 3.2.1", "a path that does not begin with a slash", get(b"hello.txt"), refused())
case("line-query-only", "9112 3.2.1", "a query without a path", get(b"?a=b"), refused())
case("line-garbage", "9112 2.2", "no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", refused())
case("line-words", "9112 2.2", "a line of words", b"hello there server\r\n\r\n", refused())

for byte, word in [(0, "nul"), (1, "soh"), (9, "tab"), (27, "esc"), (127, "del")]:
    # An HTAB may be taken for the delimiter before a version that is none; both ways it is an invalid line.
    case(f"target-control-{word}", "3986 2, 9112 3", f"the control byte {byte} in a target",
         b"GET /hello" + bytes([byte]) + b".txt HTTP/1.1\r\n" + R, refused())
case("target-raw-utf8", "3986 2, 9112 3", "bytes above 127 in a target are not mended in silence",
     "GET /\u00fcmlaut.txt HTTP/1.1\r\n".encode() + R, refused(), ends(Answer(301)))
for character in b'"<>\\^`{|}':
    case(f"target-raw-{character:02x}", "3986 2, 9112 3", f"the character {chr(character)} in a target",
         b"GET /hel" + bytes([character]) + b"lo.txt HTTP/1.1\r\n" + R, ends(Answer(400, 404)), ends(Answer(301)))

# Absolute form
case("absolute", "9112 3.2.2", "the absolute form is accepted", get(b"http://localhost/hello.txt"), kept(HELLO))
case("absolute-query", "9112 3.2.2", "the absolute form with a query", get(b"http://localhost/hello.txt?a=b"), kept(HELLO))
case("absolute-port", "9112 3.2.2", "the absolute form with a port",
     get(b"http://localhost:80/hello.txt"), kept(HELLO), ends(Answer(421)))
case("absolute-upper-case", "3986 3.1", "a scheme and a host in capitals",
     get(b"HTTP://LOCALHOST/hello.txt"), kept(HELLO))
case("absolute-no-path", "9112 3.2.1, 9110 4.2.3", "the absolute form without a path is the root",
     get(b"http://localhost"), kept(file("index.html")))
case("absolute-other-host", "9112 3.2.2", "Host is ignored beside the absolute form",
     get(b"http://localhost/hello.txt", host=b"Host: elsewhere.example"), kept(HELLO))
case("absolute-without-host", "9112 3.2", "the absolute form does not replace Host",
     get(b"http://localhost/hello.txt", host=None), refused())
case("absolute-empty-host", "9110 4.2.1", "http with an empty host is invalid", get(b"http:///hello.txt"), refused())
case("absolute-other-scheme", "9110 7.4", "a scheme that is not served",
     get(b"ftp://localhost/hello.txt"), ends(Answer(400, 404, 421, 403)))
case("absolute-userinfo", "9110 4.2.4", "a user name in the target is an error, or is left out",
     get(b"http://user@localhost/hello.txt"), ends(Answer(400, 421)), ends(HELLO))
case("absolute-traversal", "9112 3.2.2, 3986 5.2.4", "no way out by the absolute form",
     get(b"http://localhost/../outside.txt"), ends(Answer(400, 403, 404)))

# Authority and asterisk form
case("authority-get", "9112 3.2.3", "the authority form is for CONNECT only", get(b"localhost:80"), refused())
case("connect", "9110 9.3.6", "no tunnel through a file server",
     get(b"localhost:80", method=b"CONNECT"), ends(Answer(400, 403, 404, 405, 501)))
case("connect-bad-port", "9110 9.3.6", "CONNECT to no port",
     get(b"localhost:", method=b"CONNECT"), ends(Answer(400, 403, 405, 501)))
case("connect-path", "9112 3.2.3", "CONNECT with a path",
     get(b"/hello.txt", method=b"CONNECT"), ends(Answer(400, 405, 501)))
case("asterisk-get", "9112 3.2.4", "the asterisk form is for OPTIONS only", get(b"*"), refused())
case("asterisk-options", "9112 3.2.4, 9110 9.3.7", "OPTIONS *",
     get(b"*", method=b"OPTIONS"), kept(Answer(200, 204)), kept(Answer(405, 501)))

# Methods
for method in [b"POST", b"PUT", b"DELETE", b"PATCH"]:
    lines = () if method == b"DELETE" else (b"Content-Length: 0",)
    case(f"method-{method.decode().lower()}", "9110 15.5.6", f"{method.decode()} is not allowed; Allow says what is",
         get(b"/hello.txt", *lines, method=method), kept(Answer(405)), closed(Answer(405)))
case("method-post-directory", "9110 15.5.6", "POST to a folder",
     get(b"/dir/", b"Content-Length: 0", method=b"POST"), ends(Answer(405)))
case("method-options", "9110 9.3.7", "OPTIONS of a file says what is allowed",
     get(method=b"OPTIONS"), kept(Answer(200, 204, allow=re.compile(b"GET"))), kept(Answer(405)))
case("method-trace", "9110 9.3.8", "TRACE does not echo what it may not",
     get(b"/hello.txt", b"Cookie: a=b", method=b"TRACE"), kept(Answer(405, 501)), closed(Answer(400, 405, 501)))
case("method-unknown", "9110 9.1", "a method that nobody knows", get(method=b"BREW"), ends(Answer(501, 405)), refused())
case("method-case", "9110 9.1", "methods are case-sensitive", get(method=b"get"), ends(Answer(501, 405)), refused())
case("method-head-case", "9110 9.1", "Head is not HEAD", get(method=b"Head"), ends(Answer(501, 405)), refused())
for name, method in [("at", b"G@T"), ("parenthesis", b"GE(T"), ("quotes", b'"GET"'), ("slash", b"G/T"),
                     ("high", b"G\xc9T"), ("nul", b"G\0T")]:
    case(f"method-token-{name}", "9110 9.1, 5.6.2", f"{method!r} is no token", get(method=method), refused(400, 501))
case("method-empty", "9112 3", "an empty method", b" /hello.txt HTTP/1.1\r\n" + R, refused())
case("method-long", "9112 3", "a method longer than any",
     get(method=b"G" * 9_000), ends(Answer(400, 501, 414, 405, 431)))

# Versions
case("version-1.0", "9112 2.3", "HTTP/1.0 is served and closed", get(version=b"HTTP/1.0"), closed(HELLO))
case("version-1.0-no-host", "9112 3.2", "HTTP/1.0 needs no Host", get(version=b"HTTP/1.0", host=None), closed(HELLO))
case("version-1.2", "9110 2.5", "a higher minor version is served as 1.1", get(version=b"HTTP/1.2"), kept(HELLO))
case("version-1.9", "9110 2.5", "HTTP/1.9 is served as 1.1", get(version=b"HTTP/1.9"), kept(HELLO))
for version in [b"HTTP/2.0", b"HTTP/3.0", b"HTTP/9.9"]:
    case(f"version-{version[5:].decode()}", "9110 15.6.6", f"{version.decode()} in an HTTP/1.1 line",
         get(version=version), refused(505, 400))
case("version-0.9-named", "9110 15.6.6", "HTTP/0.9 with a version", get(version=b"HTTP/0.9"), refused(505, 400))
case("version-0.9", "9112 3", "a line of HTTP/0.9 is invalid", b"GET /hello.txt\r\n\r\n", refused(400, 505))
for name, version in [("lower", b"http/1.1"), ("no-minor", b"HTTP/1"), ("two-digits", b"HTTP/1.10"),
                      ("leading-zero", b"HTTP/01.1"), ("letter", b"HTTP/1.1x"), ("comma", b"HTTP/1,1"),
                      ("misspelt", b"HTP/1.1"), ("space", b"HTTP/1. 1"), ("space-before-slash", b"HTTP /1.1"),
                      ("only-name", b"HTTP"), ("negative", b"HTTP/-1.1"), ("https", b"HTTPS/1.1"), ("dot", b"HTTP/1.")]:
    case(f"version-bad-{name}", "9112 2.3", f"{version!r} is no version", get(version=version), refused(400, 505))

# Lengths
case("target-8000", "9112 3", "a request line of 8,000 bytes is served",
     get(b"/hello.txt?" + b"q" * (8_000 - len(b"GET /hello.txt? HTTP/1.1\r\n"))), kept(HELLO))
case("target-100k", "9112 3", "a target of 100,000 bytes is too long", get(b"/" + b"a" * 100_000), refused(414, 400))
case("target-100k-query", "9112 3", "a query of 100,000 bytes is too long",
     get(b"/hello.txt?" + b"a" * 100_000), refused(414, 400))
case("target-no-end", "9112 3, 6585 5", "200,000 bytes without the end of a line",
     b"GET /" + b"a" * 200_000, refused(414, 400, 431))
