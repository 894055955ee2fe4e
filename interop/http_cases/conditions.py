"""Conditional requests (RFC 9110, section 13)."""

import re

from http_cases.model import HELLO, Answer, case, closed, ends, file, get, kept
from http_cases.tree import ASCTIME, EARLIER, IMF, LATER, RFC850

NOT_MODIFIED, FAILED = kept(Answer(304, body=b"")), ends(Answer(412))
FULL = kept(HELLO)


def ask(*lines, target=b"/hello.txt", method=b"GET"):
    """A request whose lines may hold {tag}, the file's entity tag."""
    return lambda server: get(target, *[line.replace(b"{tag}", server.etag(target)) if b"{tag}" in line else line
                                        for line in lines], method=method)


case("etag-strong", "issue, 9110 8.8.3", "a file has a strong entity tag", get(),
     kept(file("hello.txt", etag=re.compile(rb'^"'))))
case("etag-differs", "9110 8.8.3", "two files have two entity tags", get(b"/hello.txt"),
     kept(Answer(200, judge=lambda _, server: "the same entity tag" if server.etag(b"/hello.txt") == server.etag(b"/style.css") else None)))
case("etag-stays", "9110 8.8.3", "the entity tag stays while the file does", get(),
     kept(Answer(200, judge=lambda response, server: None if response.get("etag") == server.etag() else "another entity tag")))
case("last-modified", "9110 8.8.2", "Last-Modified is the file's time", get(), kept(file("hello.txt", last_modified=IMF)))

# If-None-Match
case("none-match", "9110 13.1.2", "the current tag: 304", ask(b"If-None-Match: {tag}"), NOT_MODIFIED)
case("none-match-other", "9110 13.1.2", "another tag: 200", ask(b'If-None-Match: "other"'), FULL)
case("none-match-star", "9110 13.1.2", "any: 304", ask(b"If-None-Match: *"), NOT_MODIFIED)
case("none-match-list", "9110 13.1.2", "a list with the tag", ask(b'If-None-Match: "a", {tag}, "b"'), NOT_MODIFIED)
case("none-match-list-tight", "9110 5.6.1", "a list without spaces", ask(b'If-None-Match: "a",{tag},"b"'), NOT_MODIFIED)
case("none-match-list-empty", "9110 5.6.1.2", "a list with empty elements", ask(b"If-None-Match: , {tag},,"), NOT_MODIFIED)
case("none-match-list-without", "9110 13.1.2", "a list without the tag", ask(b'If-None-Match: "a", "b"'), FULL)
case("none-match-lines", "9110 5.3", "the tag in the second of two lines", ask(b'If-None-Match: "a"', b"If-None-Match: {tag}"), NOT_MODIFIED)
case("none-match-weak", "9110 13.1.2, 8.8.3.2", "the comparison is the weak one", ask(b"If-None-Match: W/{tag}"), NOT_MODIFIED)
case("none-match-weak-list", "9110 13.1.2", "weak tags in a list", ask(b'If-None-Match: W/"a", W/{tag}'), NOT_MODIFIED)
case("none-match-comma", "9110 8.8.3", "a comma within a tag separates nothing", ask(b'If-None-Match: "a,b", {tag}'), NOT_MODIFIED)
case("none-match-comma-only", "9110 8.8.3", "quotes and commas are not taken apart", ask(b'If-None-Match: "x, y", "z"'), FULL)
case("none-match-unquoted", "9110 8.8.3", "a tag without quotes is none",
     lambda server: get(b"/hello.txt", b"If-None-Match: " + server.etag().strip(b'"')), FULL, ends(Answer(400)))
case("none-match-empty", "9110 13.1.2", "an empty If-None-Match", ask(b"If-None-Match:"), FULL, ends(Answer(400)))
case("none-match-404", "9110 13.2.1", "a condition upon nothing is 404", ask(b"If-None-Match: *", target=b"/nothing"), kept(Answer(404)))
case("none-match-head", "9110 13.1.2", "HEAD with the current tag", ask(b"If-None-Match: {tag}", method=b"HEAD"),
     kept(Answer(304)), methods=["HEAD"])
case("none-match-post", "9110 13.2.1", "a method that is not allowed stays so", ask(b"If-None-Match: *", b"Content-Length: 0", method=b"POST"),
     ends(Answer(405, 412)))
case("none-match-1.0", "9110 13.1.2", "304 for HTTP/1.0",
     lambda server: get(b"/hello.txt", b"If-None-Match: " + server.etag(), version=b"HTTP/1.0"), closed(Answer(304)))
case("none-match-long", "9110 13.1.2", "a list of 200 tags",
     ask(b"If-None-Match: " + b", ".join(b'"tag-%d"' % n for n in range(200)) + b", {tag}"), NOT_MODIFIED)
case("304-fields", "9110 15.4.5", "304 has ETag and Date, and a Content-Length only if it is 200's", ask(b"If-None-Match: {tag}"),
     kept(Answer(304, etag=True, date=True, judge=lambda response, server:
                 f"Content-Length: {response.get('content-length')!r}" if response.get("content-length") not in (None, b"14")
                 else None if response.get("etag") == server.etag() else "another ETag")))
case("304-vary", "9110 15.4.5", "304 has Vary if 200 has", lambda server: get(
    b"/compressible.txt", b"If-None-Match: " + server.etag(b"/compressible.txt")),
    kept(Answer(304, judge=lambda response, server: None if response.get("vary") == server.ask(get(b"/compressible.txt")).get("vary")
                else "another Vary")))

# If-Modified-Since
for name, date, outcomes in [
        ("equal", IMF, [NOT_MODIFIED]), ("later", LATER, [NOT_MODIFIED]), ("earlier", EARLIER, [FULL]),
        ("rfc850", RFC850, [NOT_MODIFIED]), ("asctime", ASCTIME, [NOT_MODIFIED]),
        ("rfc850-earlier", b"Friday, 01-Jan-21 03:04:05 GMT", [FULL]), ("asctime-earlier", b"Fri Jan  1 03:04:05 2021", [FULL]),
        # Section 13.1.3 has no exception for a date in the future (RFC 2616 had).
        ("future", b"Thu, 01 Jan 2099 00:00:00 GMT", [NOT_MODIFIED]),
        # Two digits more than 50 years ahead are of the past century.
        ("rfc850-1994", b"Sunday, 06-Nov-94 08:49:37 GMT", [FULL]),
        ("epoch", b"Thu, 01 Jan 1970 00:00:00 GMT", [FULL]), ("leap-day", b"Sat, 29 Feb 2020 00:00:00 GMT", [FULL]),
        ("bad", b"yesterday", [FULL]), ("number", b"1609556645", [FULL]), ("empty", b"", [FULL]), ("zone", b"Sat, 02 Jan 2021 03:04:05 +0000", [FULL, NOT_MODIFIED]),
        ("bad-month", b"Sat, 02 Foo 2021 03:04:05 GMT", [FULL]), ("bad-day", b"Sat, 32 Jan 2022 03:04:05 GMT", [FULL]),
        ("bad-hour", b"Sat, 02 Jan 2022 25:04:05 GMT", [FULL]), ("bad-second", b"Sat, 02 Jan 2022 03:04:99 GMT", [FULL])]:
    section = "9110 13.1.3" + (", 5.6.7" if name not in ("equal", "later", "earlier") else "")
    case(f"modified-since-{name}", section, f"If-Modified-Since: {date.decode()}", ask(b"If-Modified-Since: " + date), *outcomes)
case("modified-since-second", "9110 13.1.3", "one second earlier", ask(b"If-Modified-Since: Sat, 02 Jan 2021 03:04:04 GMT"), FULL)
case("modified-since-ignored", "9110 13.1.3", "If-None-Match beats If-Modified-Since",
     ask(b'If-None-Match: "other"', b"If-Modified-Since: " + IMF), FULL)
case("modified-since-ignored-304", "9110 13.1.3", "If-None-Match beats If-Modified-Since the other way too",
     ask(b"If-None-Match: {tag}", b"If-Modified-Since: " + EARLIER), NOT_MODIFIED)
case("modified-since-post", "9110 13.1.3", "If-Modified-Since is for GET and HEAD",
     ask(b"If-Modified-Since: " + IMF, b"Content-Length: 0", method=b"POST"), ends(Answer(405)))
case("modified-since-head", "9110 13.1.3", "HEAD with the date", ask(b"If-Modified-Since: " + IMF, method=b"HEAD"),
     kept(Answer(304)), methods=["HEAD"])
case("modified-since-index", "9110 13.1.3", "the root's index by date", ask(b"If-Modified-Since: " + IMF, target=b"/"), NOT_MODIFIED)

# If-Match
case("match", "9110 13.1.1", "the current tag: 200", ask(b"If-Match: {tag}"), FULL)
case("match-other", "9110 13.1.1", "another tag: 412", ask(b'If-Match: "other"'), FAILED)
case("match-star", "9110 13.1.1", "any: 200", ask(b"If-Match: *"), FULL)
case("match-weak", "9110 13.1.1", "the comparison is the strong one", ask(b"If-Match: W/{tag}"), FAILED)
case("match-list", "9110 13.1.1", "a list with the tag", ask(b'If-Match: "a", {tag}'), FULL)
case("match-list-without", "9110 13.1.1", "a list without the tag", ask(b'If-Match: "a", "b"'), FAILED)
case("match-404", "9110 13.2.1", "If-Match upon nothing", ask(b"If-Match: *", target=b"/nothing"), kept(Answer(404, 412)))
case("match-then-none-match", "9110 13.2.2", "If-Match holds, If-None-Match does not: 304",
     ask(b"If-Match: {tag}", b"If-None-Match: {tag}"), NOT_MODIFIED)
case("match-first", "9110 13.2.2", "If-Match fails first: 412", ask(b'If-Match: "other"', b"If-None-Match: {tag}"), FAILED)

# If-Unmodified-Since
case("unmodified-since", "9110 13.1.4", "the current date: 200", ask(b"If-Unmodified-Since: " + IMF), FULL)
case("unmodified-since-later", "9110 13.1.4", "a later date: 200", ask(b"If-Unmodified-Since: " + LATER), FULL)
case("unmodified-since-earlier", "9110 13.1.4", "an earlier date: 412", ask(b"If-Unmodified-Since: " + EARLIER), FAILED)
case("unmodified-since-bad", "9110 13.1.4", "nonsense is ignored", ask(b"If-Unmodified-Since: yesterday"), FULL)
case("unmodified-since-rfc850", "9110 13.1.4, 5.6.7", "the form of RFC 850, earlier",
     ask(b"If-Unmodified-Since: Friday, 01-Jan-21 03:04:05 GMT"), FAILED)
case("unmodified-since-ignored", "9110 13.1.4", "If-Match beats If-Unmodified-Since",
     ask(b"If-Match: {tag}", b"If-Unmodified-Since: " + EARLIER), FULL)
case("unmodified-then-none-match", "9110 13.2.2", "If-Unmodified-Since fails before If-None-Match is asked",
     ask(b"If-Unmodified-Since: " + EARLIER, b"If-None-Match: {tag}"), FAILED)
case("unmodified-and-modified", "9110 13.2.2", "unmodified since and modified since the same date",
     ask(b"If-Unmodified-Since: " + IMF, b"If-Modified-Since: " + IMF), NOT_MODIFIED)
