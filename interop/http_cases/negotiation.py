"""Types and content codings (RFC 9110, sections 8 and 12)."""

import gzip
import re
import zlib

from http_cases.model import Answer, case, ends, file, get, kept
from http_cases.tree import FILES

TEXT = FILES["compressible.txt"]
VARY = re.compile(rb"(?i)(^|,)\s*(accept-encoding|\*)\s*(,|$)")
PLAIN = Answer(200, body=TEXT, content_encoding=None)


def decodes(response, _):
    try:
        return None if gzip.decompress(response.body) == TEXT else "it decodes to something else"
    except (OSError, EOFError, zlib.error) as error:
        return f"it does not decode: {error}"


ZIPPED = Answer(200, content_encoding=b"gzip", vary=VARY, judge=decodes)


def ask(value, *lines, target=b"/compressible.txt", **options):
    return get(target, *([b"Accept-Encoding: " + value] if value is not None else []), *lines, **options)


# Content-Encoding
case("encoding-gzip", "9110 12.5.3, 8.4, issue", "a text comes as gzip to who accepts that, and Vary says so", ask(b"gzip"), kept(ZIPPED))
case("encoding-browser", "9110 12.5.3", "what browsers accept", ask(b"gzip, deflate, br, zstd"),
     kept(ZIPPED), kept(Answer(200, content_encoding=re.compile(rb"^(br|zstd|deflate)$"), vary=VARY)))
case("encoding-none-asked", "9110 12.5.3", "without Accept-Encoding the text comes as it is", ask(None), kept(PLAIN))
case("encoding-vary-plain", "9110 12.5.5", "Vary stands beside the text as it is, too", ask(None),
     kept(Answer(200, body=TEXT, vary=VARY)))
case("encoding-empty", "9110 12.5.3", "an empty Accept-Encoding takes the text as it is", ask(b""), kept(PLAIN))
case("encoding-identity", "9110 12.5.3", "identity", ask(b"identity"), kept(PLAIN))
case("encoding-q-zero", "9110 12.4.2", "gzip;q=0 is not acceptable", ask(b"gzip;q=0"), kept(PLAIN))
case("encoding-q-zero-digits", "9110 12.4.2", "gzip;q=0.000 is not acceptable", ask(b"gzip;q=0.000, deflate;q=0"), kept(PLAIN))
case("encoding-q-zero-space", "9110 12.4.2, 5.6.6", "white space around the semicolon", ask(b"gzip ; q=0"), kept(PLAIN), ends(Answer(400)))
case("encoding-q-upper", "9110 12.4.2", "Q is q", ask(b"gzip;Q=0"), kept(PLAIN))
case("encoding-q-one", "9110 12.4.2", "gzip;q=1.000", ask(b"gzip;q=1.000"), kept(ZIPPED))
case("encoding-q-small", "9110 12.4.2", "gzip;q=0.001 is acceptable", ask(b"gzip;q=0.001"), kept(ZIPPED), kept(PLAIN))
case("encoding-q-prefers-identity", "9110 12.5.3", "identity preferred", ask(b"gzip;q=0.5, identity;q=1"), kept(PLAIN), kept(ZIPPED))
case("encoding-q-bad", "9110 12.4.2", "nonsense for a q-value", ask(b"gzip;q=abc"), kept(PLAIN), kept(ZIPPED), ends(Answer(400)))
case("encoding-star", "9110 12.5.3", "* takes whatever there is", ask(b"*"), kept(ZIPPED), kept(PLAIN),
     kept(Answer(200, content_encoding=re.compile(rb"^(br|zstd|deflate)$"))))
case("encoding-star-zero", "9110 12.5.3", "*;q=0 beside identity", ask(b"identity, *;q=0"), kept(PLAIN))
case("encoding-star-zero-gzip", "9110 12.5.3", "gzip and nothing else", ask(b"gzip, *;q=0"), kept(ZIPPED))
case("encoding-identity-zero", "9110 12.5.3", "gzip, and not as it is", ask(b"gzip, identity;q=0"), kept(ZIPPED))
case("encoding-nothing-left", "9110 12.5.3", "nothing is acceptable: as it is, 406 or 415", ask(b"*;q=0"), kept(PLAIN), kept(Answer(406)))
case("encoding-name-case", "9110 8.4.1", "coding names are case-insensitive", ask(b"GZip"), kept(ZIPPED))
case("encoding-x-gzip", "9110 8.4.1.3", "x-gzip is gzip", ask(b"x-gzip"), kept(ZIPPED), kept(PLAIN),
     kept(Answer(200, content_encoding=b"x-gzip")))
case("encoding-not-a-name", "9110 12.5.3", "gzippy is not gzip", ask(b"gzippy, xgzip"), kept(PLAIN))
case("encoding-lines", "9110 5.3", "Accept-Encoding in two lines", ask(b"foo", b"Accept-Encoding: gzip"), kept(ZIPPED))
case("encoding-1.0", "9112 6.1", "HTTP/1.0 gets no chunks", ask(b"gzip", version=b"HTTP/1.0"),
     ends(Answer(200, transfer_encoding=None, content_encoding=None, body=TEXT)),
     ends(Answer(200, transfer_encoding=None, content_encoding=b"gzip", judge=decodes)))
case("encoding-etag", "9110 8.8.3.3", "the coded text has another strong entity tag", ask(b"gzip"),
     kept(Answer(200, content_encoding=b"gzip", judge=lambda response, server: "the same strong entity tag" if response.get("etag")
                 and response.get("etag") == server.etag(b"/compressible.txt") else None)))
case("encoding-304", "9110 13.1.2", "the coded text's tag is 304 to who accepts gzip",
     lambda server: ask(b"gzip", b"If-None-Match: " + server.etag(b"/compressible.txt", b"Accept-Encoding: gzip")), kept(Answer(304)))
case("encoding-304-other", "9110 13.1.2", "the coded text's strong tag is not the plain text's",
     lambda server: get(b"/compressible.txt", b"If-Match: " + server.etag(b"/compressible.txt", b"Accept-Encoding: gzip")),
     ends(Answer(412)))
case("encoding-range", "9110 14.2", "a range is of what is sent: gzip's bytes or the text's",
     ask(b"gzip", b"Range: bytes=0-9"),
     kept(Answer(206, content_encoding=None, body=TEXT[:10])),
     kept(Answer(206, content_encoding=b"gzip", judge=lambda response, _: None if response.body[:2] == b"\x1f\x8b" else "no gzip")),
     kept(Answer(200, content_encoding=b"gzip", judge=decodes)))
case("encoding-tiny", "9110 8.4", "a tiny file decodes, coded or not", ask(b"gzip", target=b"/hello.txt"), kept(file("hello.txt")),
     kept(Answer(200, content_encoding=b"gzip", judge=lambda response, _: None if gzip.decompress(response.body) == FILES["hello.txt"]
                 else "it decodes to something else")))
case("encoding-image", "9110 8.4", "an image is sent as it is", ask(b"gzip", target=b"/image.png"), kept(file("image.png", content_encoding=None)))
case("encoding-sibling", "issue, 9110 8.4", "a .gz beside the file is sent in its place",
     ask(b"gzip", target=b"/siblings.txt"),
     kept(Answer(200, body=FILES["siblings.txt.gz"], content_encoding=b"gzip", vary=VARY, content_type=re.compile(rb"^text/plain"))))
case("encoding-sibling-plain", "9110 12.5.3", "the file itself to who does not accept gzip", ask(None, target=b"/siblings.txt"),
     kept(file("siblings.txt", content_encoding=None, vary=VARY)))
case("encoding-sibling-itself", "9110 8.4", "the .gz by its own name is no coding of something else",
     ask(None, target=b"/siblings.txt.gz"), kept(file("siblings.txt.gz", content_encoding=None)))
case("encoding-sibling-range", "9110 14.2", "a range of the .gz beside the file", ask(b"gzip", b"Range: bytes=0-9", target=b"/siblings.txt"),
     kept(Answer(206, body=FILES["siblings.txt.gz"][:10], content_encoding=b"gzip")),
     kept(Answer(206, body=FILES["siblings.txt"][:10], content_encoding=None)),
     kept(Answer(200, body=FILES["siblings.txt.gz"], content_encoding=b"gzip")))

# Content-Type
for name, target, pattern in [
        ("html", b"/", rb"(?i)^text/html; *charset=utf-8$"), ("css", b"/style.css", rb"(?i)^text/css(; *charset=utf-8)?$"),
        ("js", b"/script.js", rb"(?i)^(text|application)/javascript(; *charset=utf-8)?$"),
        ("text", b"/hello.txt", rb"(?i)^text/plain; *charset=utf-8$"), ("json", b"/data.json", rb"(?i)^application/json"),
        ("svg", b"/image.svg", rb"(?i)^image/svg\+xml"), ("png", b"/image.png", rb"(?i)^image/png$"),
        ("wasm", b"/module.wasm", rb"(?i)^application/wasm$")]:
    case(f"type-{name}", "9110 8.3, issue", f"the type of {target.decode()}", get(target), kept(Answer(200, content_type=re.compile(pattern))))
for name, target in [("unknown", b"/unknown.xyzzy"), ("no-extension", b"/no-extension")]:
    case(f"type-{name}", "9110 8.3", "a type nobody knows is left out or a stream of octets", get(target),
         kept(Answer(200, content_type=None)), kept(Answer(200, content_type=re.compile(rb"^application/octet-stream$"))),
         kept(Answer(200, content_type=re.compile(rb"^text/plain"))))
case("type-accept", "9110 12.5.1", "Accept that does not fit: the file, or 406", get(b"/hello.txt", b"Accept: image/png"),
     kept(file("hello.txt")), kept(Answer(406)))
case("type-404", "9110 15.5.5", "an error page has a type", get(b"/nothing"),
     kept(Answer(404, content_type=True)), kept(Answer(404, body=b"")))
