"""Range and If-Range (RFC 9110, sections 13.1.5 and 14)."""

import re

from http_cases.model import Answer, case, ends, file, get, kept
from http_cases.tree import ASCTIME, EARLIER, FILES, IMF, LATER, RFC850

DATA = FILES["range.bin"]
WHOLE = file("range.bin")
NO = kept(Answer(416, content_range=re.compile(rb"^bytes \*/1000$")))


def part(first, last, **fields):
    return Answer(206, body=DATA[first:last + 1], content_range=b"bytes %d-%d/1000" % (first, last),
                  content_length=b"%d" % (last + 1 - first), **fields)


def ask(value, *lines, target=b"/range.bin", method=b"GET"):
    return get(target, b"Range: " + value, *lines, method=method)


def parts_of(response):
    """The parts of multipart/byteranges as (first, last, size, bytes), or words about what is wrong."""
    boundary = re.search(rb'boundary=("?)([^";]+)\1', response.get("content-type") or b"")
    if not boundary:
        return f"no boundary in {response.get('content-type')!r}"
    marker = b"--" + boundary[2]
    pieces = (b"\r\n" + response.body).split(b"\r\n" + marker)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        return f"the multipart content does not end in --: {response.body[-60:]!r}"
    found = []
    for piece in pieces[1:-1]:
        if not piece.lstrip(b" \t").startswith(b"\r\n"):
            return f"no line end after a boundary: {piece[:40]!r}"
        header, separator, content = piece.lstrip(b" \t")[2:].partition(b"\r\n\r\n")
        match = re.search(rb"(?im)^content-range: *bytes (\d+)-(\d+)/(\d+)\r?$", header)
        if not separator or not match:
            return f"a part without Content-Range: {header[:80]!r}"
        first, last, size = map(int, match.groups())
        if last - first + 1 != len(content) or content != DATA[first:last + 1]:
            return f"the part {first}-{last} is wrong"
        if size != len(DATA):
            return f"the size is {size}"
        found.append((first, last))
    return found


def several(*wanted, merged=()):
    """A judge of multipart answers: these parts in this order, or one of the merged lists (section 15.3.7.2)."""
    def judge(response, _):
        if response.get("content-range"):  # one part only
            match = re.match(rb"bytes (\d+)-(\d+)/1000$", response.get("content-range"))
            found = [(int(match[1]), int(match[2]))] if match else []
            if match and response.body != DATA[found[0][0]:found[0][1] + 1]:
                return "the part's bytes are wrong"
        else:
            found = parts_of(response)
            if isinstance(found, str):
                return found
        return None if found in [list(wanted), *merged] else f"the parts {wanted} were due, not {found}"
    return Answer(206, judge=judge)


case("range-offered", "9110 14.3", "Accept-Ranges says that bytes can be asked for", get(b"/range.bin"),
     kept(file("range.bin", accept_ranges=b"bytes")))
for name, value, first, last in [
        ("first", b"bytes=0-0", 0, 0), ("hundred", b"bytes=0-99", 0, 99), ("middle", b"bytes=500-599", 500, 599),
        ("last", b"bytes=999-999", 999, 999), ("open", b"bytes=990-", 990, 999), ("open-zero", b"bytes=0-", 0, 999),
        ("suffix", b"bytes=-10", 990, 999), ("suffix-one", b"bytes=-1", 999, 999), ("suffix-all", b"bytes=-1000", 0, 999),
        ("suffix-more", b"bytes=-5000", 0, 999), ("clamped", b"bytes=900-5000", 900, 999),
        ("clamped-huge", b"bytes=900-99999999999999999999999999", 900, 999),
        ("clamped-2-64", b"bytes=900-18446744073709551616", 900, 999), ("clamped-2-63", b"bytes=900-9223372036854775807", 900, 999),
        ("suffix-huge", b"bytes=-99999999999999999999999999", 0, 999), ("leading-zeros", b"bytes=000-0009", 0, 9),
        ("unit-case", b"Bytes=0-9", 0, 9), ("empty-elements", b"bytes=,0-9,", 0, 9), ("white-space", b"bytes=0-9 ,", 0, 9)]:
    # A whole file by range is as good as the file itself.
    outcomes = [kept(part(first, last))] + ([kept(WHOLE)] if (first, last) == (0, 999) else [])
    section = "9110 14.1" if name == "unit-case" else "9110 5.6.1.2, 14.2" if "elements" in name else "9110 14.1.2, 14.2"
    case(f"range-{name}", section, f"Range: {value.decode()}", ask(value), *outcomes)
for name, value in [("behind", b"bytes=1000-"), ("behind-both", b"bytes=1000-2000"), ("suffix-zero", b"bytes=-0"),
                    ("huge", b"bytes=99999999999999999999999999-"), ("huge-2-64", b"bytes=18446744073709551616-"),
                    ("huge-wrap", b"bytes=18446744073709551616-18446744073709551620"), ("several-behind", b"bytes=1000-1001,2000-")]:
    case(f"range-no-{name}", "9110 14.1.2, 15.5.17", f"Range: {value.decode()} cannot be satisfied", ask(value), NO)
for name, value in [("reversed", b"bytes=5-2"), ("empty", b"bytes="), ("dash", b"bytes=-"), ("letters", b"bytes=a-b"),
                    ("no-equals", b"bytes 0-1"), ("negative", b"bytes=--5"), ("three", b"bytes=0-1-2"), ("hex", b"bytes=0x0-0x5"),
                    ("only-number", b"bytes=5"), ("plus", b"bytes=+0-5"), ("one-bad", b"bytes=0-1,x"), ("comma", b"bytes=,"),
                    ("inner-space", b"bytes=0 - 5"), ("nothing", b""), ("quoted", b'bytes="0-5"')]:
    case(f"range-bad-{name}", "9110 14.1.1, 14.2", f"Range: {value.decode()} is ignored or refused", ask(value), kept(WHOLE),
         kept(Answer(416)), ends(Answer(400)))
case("range-other-unit", "9110 14.2", "an unknown unit is ignored", ask(b"lines=0-1"), kept(WHOLE))
case("range-head", "9110 14.2", "Range is for GET only", ask(b"bytes=0-9", method=b"HEAD"),
     kept(Answer(200, content_length=b"1000", content_range=None)), methods=["HEAD"])
case("range-404", "9110 14.2", "a range of nothing is 404", ask(b"bytes=0-9", target=b"/nothing"), kept(Answer(404)))
case("range-listing", "9110 14.2", "a listing has no ranges, or honours them", ask(b"bytes=0-0", target=b"/dir/"),
     kept(Answer(200)), kept(Answer(206)))
case("range-redirect", "9110 14.2", "a redirect has no ranges", ask(b"bytes=0-0", target=b"/dir"), kept(Answer(301, 308)))
case("range-empty-file", "9110 14.1.2", "a range of an empty file", ask(b"bytes=0-", target=b"/empty.txt"),
     kept(Answer(416, content_range=re.compile(rb"^bytes \*/0$"))), kept(Answer(200, body=b"")))
case("range-empty-file-suffix", "9110 14.1.2", "a suffix of an empty file", ask(b"bytes=-5", target=b"/empty.txt"),
     kept(Answer(416)), kept(Answer(200, body=b"")))
case("range-big", "9110 14.1.2", "a range in a megabyte", ask(b"bytes=524288-1048575", target=b"/big.bin"),
     kept(Answer(206, body=FILES["big.bin"][524_288:])))
case("range-fields", "9110 15.3.7", "206 has the fields that 200 would have", ask(b"bytes=0-9"),
     kept(part(0, 9, etag=True, date=True, judge=lambda response, server: None if response.get("etag") == server.etag(b"/range.bin")
               and (not response.get("last-modified") or response.get("last-modified") == IMF) else "another ETag or Last-Modified")))
case("range-1.0", "9110 14.2", "a range in HTTP/1.0", get(b"/range.bin", b"Range: bytes=0-9", b"Connection: keep-alive",
     version=b"HTTP/1.0"), ends(part(0, 9)), ends(WHOLE))

# Several
case("ranges-two", "9110 14.6, 15.3.7.2", "two ranges come as two parts", ask(b"bytes=0-9,20-29"),
     kept(several((0, 9), (20, 29))))
case("ranges-length", "9110 8.6", "two parts have a length", ask(b"bytes=0-9,20-29"),
     kept(Answer(206, content_length=True)), kept(Answer(206, transfer_encoding=True)))
case("ranges-part-type", "9110 15.3.7.2", "a part says what its type is", ask(b"bytes=0-1,4-5", target=b"/hello.txt"),
     kept(Answer(206, judge=lambda response, _: None if re.search(rb"(?i)\r\ncontent-type: *text/plain", response.body)
                 else "no Content-Type in a part")))
case("ranges-first-last", "9110 14.1.2", "the first and the last byte", ask(b"bytes=0-0,-1"), kept(several((0, 0), (999, 999))))
case("ranges-order", "9110 15.3.7.2", "parts come in the order asked for, or the file whole", ask(b"bytes=500-509,0-9"),
     kept(several((500, 509), (0, 9), merged=[[(0, 9), (500, 509)]])), kept(WHOLE))
case("ranges-white-space", "9110 5.6.1", "white space between ranges", ask(b"bytes=0-9 ,\t20-29"), kept(several((0, 9), (20, 29))))
case("ranges-overlap", "9110 14.2, 15.3.7.2", "ranges that overlap are merged, sent or not honoured", ask(b"bytes=0-99,50-149"),
     kept(several((0, 99), (50, 149), merged=[[(0, 149)]])), kept(WHOLE), kept(Answer(416)))
case("ranges-adjacent", "9110 15.3.7.2", "ranges that touch", ask(b"bytes=0-9,10-19"),
     kept(several((0, 9), (10, 19), merged=[[(0, 19)]])), kept(WHOLE))
case("ranges-same", "9110 14.2", "the same range three times", ask(b"bytes=0-9,0-9,0-9"),
     kept(several((0, 9), (0, 9), (0, 9), merged=[[(0, 9)]])), kept(WHOLE), kept(Answer(416)))
case("ranges-one-good", "9110 14.1.2, 15.3.7", "one that can be satisfied beside one that cannot", ask(b"bytes=0-9,5000-6000"),
     kept(several((0, 9))))
case("ranges-dead-suffix", "9110 14.1.2", "-0 beside one that can be satisfied", ask(b"bytes=-0,5-9"), kept(several((5, 9))))
case("ranges-three-kinds", "9110 14.1.2", "closed, open and suffix together", ask(b"bytes=0-1,100-101,-2"),
     kept(several((0, 1), (100, 101), (998, 999))))
case("ranges-boundary", "9110 14.6", "two answers are parsed alike", ask(b"bytes=0-499,600-999"), kept(several((0, 499), (600, 999))))


def modest(response, _):
    return f"{len(response.body)} bytes" if len(response.body) > 1 << 21 else None


case("ranges-1000", "9110 14.2, 17.15", "a thousand open ranges do not make a thousand copies",
     ask(b"bytes=" + b",".join(b"%d-" % n for n in range(1_000)), target=b"/big.bin"),
     ends(Answer(200, 206, judge=modest)), ends(Answer(416, 400, 431)))
case("ranges-200-small", "9110 14.2, 17.15", "200 ranges of a byte",
     ask(b"bytes=" + b",".join(b"%d-%d" % (4 * n, 4 * n) for n in range(200))), ends(Answer(200, 206, judge=modest)),
     ends(Answer(416, 400)))
case("ranges-zero-many", "9110 14.2, 17.15", "0- five hundred times", ask(b"bytes=" + b",".join([b"0-"] * 500), target=b"/big.bin"),
     ends(Answer(200, 206, judge=modest)), ends(Answer(416, 400)))

# If-Range
def if_range(value, *lines, range=b"bytes=0-9"):
    return lambda server: ask(range, b"If-Range: " + (value(server) if callable(value) else value),
                              *[line(server) if callable(line) else line for line in lines])


def tag(server):
    return server.etag(b"/range.bin")


case("if-range-etag", "9110 13.1.5", "the entity tag that is current", if_range(tag), kept(part(0, 9)))
case("if-range-other", "9110 13.1.5", "another entity tag: the whole file", if_range(b'"other"'), kept(WHOLE))
case("if-range-weak", "9110 13.1.5", "a weak entity tag never matches", if_range(lambda server: b"W/" + tag(server)), kept(WHOLE))
case("if-range-date", "9110 13.1.5", "the date that is current", if_range(IMF), kept(part(0, 9)))
case("if-range-date-earlier", "9110 13.1.5", "an earlier date", if_range(EARLIER), kept(WHOLE))
case("if-range-date-later", "9110 13.1.5", "a later date is not an exact match", if_range(LATER), kept(WHOLE))
case("if-range-date-850", "9110 13.1.5, 5.6.7", "the date in the form of RFC 850 is the same date, or not honoured", if_range(RFC850),
     kept(part(0, 9)), kept(WHOLE))
case("if-range-bad", "9110 13.1.5", "nonsense in If-Range", if_range(b"yesterday"), kept(WHOLE), ends(Answer(400)))
case("if-range-unquoted", "9110 13.1.5, 8.8.3", "an entity tag without quotes",
     if_range(lambda server: tag(server).strip(b'"')), kept(WHOLE), ends(Answer(400)))
case("if-range-list", "9110 13.1.5", "If-Range has one tag, not a list", if_range(lambda server: tag(server) + b', "b"'),
     kept(WHOLE), ends(Answer(400)))
case("if-range-416", "9110 13.1.5, 14.2", "another tag, and a range that cannot be satisfied: the whole file",
     if_range(b'"other"', range=b"bytes=5000-"), kept(WHOLE))
case("if-range-no-range", "9110 13.1.5", "If-Range without Range is ignored", get(b"/range.bin", b'If-Range: "other"'), kept(WHOLE))
case("if-range-several", "9110 13.1.5", "the current tag and two ranges", if_range(tag, range=b"bytes=0-9,20-29"),
     kept(several((0, 9), (20, 29))))
case("if-range-304", "9110 13.2.2", "If-None-Match comes before Range",
     lambda server: ask(b"bytes=0-9", b"If-None-Match: " + tag(server)), kept(Answer(304)))
case("if-range-412", "9110 13.2.2", "If-Match comes before Range", ask(b"bytes=0-9", b'If-Match: "other"'), ends(Answer(412)))
case("if-range-304-416", "9110 13.2.2", "304 comes before 416",
     lambda server: ask(b"bytes=5000-", b"If-None-Match: " + tag(server)), kept(Answer(304)))
case("if-range-unmodified", "9110 13.2.2", "If-Unmodified-Since with a range", ask(b"bytes=0-9", b"If-Unmodified-Since: " + IMF),
     kept(part(0, 9)))
