"""From target to file: escapes, folders, and no way out of the root."""

import re
from html import escape

from http_cases.model import HELLO, Answer, case, ends, file, get, kept, refused
from http_cases.tree import FILES

NONE = (ends(Answer(400, 403, 404)),)
GONE = (kept(Answer(404)),)

case("path-404", "9110 15.5.5", "a file that is not there", get(b"/nothing.txt"), *GONE)
case("path-case", "3986 6.2.2.1", "paths are case-sensitive", get(b"/HELLO.TXT"), *GONE)
case("path-root", "9110 4.2.3", "the root's index", get(b"/"), kept(file("index.html")))
case("path-query", "3986 3.4", "a query does not choose the file", get(b"/hello.txt?a=b&c=/../x"), kept(HELLO))
case("path-query-empty", "3986 3.4", "an empty query", get(b"/hello.txt?"), kept(HELLO))
case("path-query-marks", "3986 3.4", "question marks in a query", get(b"/hello.txt?a?b?/"), kept(HELLO))
for name, target, which in [
        ("letter", b"/%68ello.txt", "hello.txt"), ("all", b"/%68%65%6c%6c%6f%2e%74%78%74", "hello.txt"),
        ("space", b"/with%20space.txt", "with space.txt"), ("utf8", b"/%C3%BCmlaut.txt", "\u00fcmlaut.txt"),
        ("lower-case", b"/%c3%bcmlaut.txt", "\u00fcmlaut.txt"), ("percent", b"/percent%2541.txt", "percent%41.txt"),
        ("plus", b"/plus+sign.txt", "plus+sign.txt"), ("plus-escaped", b"/plus%2Bsign.txt", "plus+sign.txt"),
        ("reserved", b"/a&b;c=d.txt", "a&b;c=d.txt"), ("reserved-escaped", b"/a%26b%3Bc%3Dd.txt", "a&b;c=d.txt"),
        ("tilde", b"/~tilde.txt", "~tilde.txt"), ("tilde-escaped", b"/%7Etilde.txt", "~tilde.txt"),
        ("question-mark", b"/odd/a%3Fb%23c.txt", "odd/a?b#c.txt"), ("folder", b"/dir/inner.txt", "dir/inner.txt"),
        ("folder-escaped", b"/%64ir/inner.txt", "dir/inner.txt"), ("dots", b"/...txt", "...txt")]:
    # A name that begins with a dot may be refused as a hidden one.
    outcomes = [kept(file(which))] + ([ends(Answer(403, 404))] if which.startswith(".") else [])
    case(f"path-escape-{name}", "3986 2.1, 6.2.2.2", f"{target.decode()} is {which}", get(target), *outcomes)
case("path-plus-no-space", "3986 2.2", "a plus is no space", get(b"/with+space.txt"), *GONE)
case("path-escape-once", "3986 2.4", "escapes are decoded once", get(b"/%2568ello.txt"), *GONE)
for name, target in [("letters", b"/%zzhello.txt"), ("short", b"/hello.txt%4"), ("lone", b"/hello.txt%"),
                     ("half", b"/%6ghello.txt"), ("unicode", b"/%u0068ello.txt")]:
    case(f"path-bad-escape-{name}", "3986 2.1", f"{target.decode()} is no URI", get(target), ends(Answer(400, 404)))
case("path-slash-escaped", "3986 2.2", "%2F is no slash", get(b"/dir%2Finner.txt"), *NONE)
case("path-file-slash", "9110 15.5.5", "a file with a slash behind it is another resource", get(b"/hello.txt/"),
     kept(Answer(404)), ends(Answer(400, 403)), kept(Answer(301, 308)))
case("path-below-file", "9110 15.5.5", "nothing is below a file", get(b"/hello.txt/more"), *NONE)
case("path-nul", "3986 7.3", "%00 does not cut a name", get(b"/hello.txt%00.html"), *NONE)
case("path-nul-end", "3986 7.3", "%00 at the end", get(b"/hello.txt%00"), *NONE)
case("path-crlf", "9110 17.13, 3986 7.3", "%0D%0A does not reach the answer's header",
     get(b"/dir%0D%0ASet-Cookie:%20a=b"), ends(Answer(400, 403, 404, set_cookie=None)))
case("path-long-name", "9110 15.5.5", "a name of 300 bytes", get(b"/" + b"n" * 300), ends(Answer(404, 414, 400, 403)))
case("path-deep", "9110 15.5.5", "a path of 1,500 folders", get(b"/d" * 1_500), ends(Answer(404, 414, 400, 403)))
case("path-latin1", "3986 2.5", "an escape that is no UTF-8", get(b"/%fcmlaut.txt"), *NONE)
case("path-pipe", "9110 15.5", "a named pipe is not waited for", get(b"/pipe"), ends(Answer(403, 404)))
case("path-empty-segment", "3986 3.3", "an empty segment is another path, or the same file", get(b"//hello.txt"),
     ends(HELLO), ends(Answer(301, 308, location=re.compile(rb"^(http://localhost)?/[^/]"))), *NONE)

# Folders
for name, target, location in [("plain", b"/dir", b"/dir/"), ("query", b"/dir?x=1&y=%20", b"/dir/?x=1&y=%20"),
                               ("deeper", b"/dir/deeper", b"/dir/deeper/")]:
    case(f"folder-redirect-{name}", "9110 15.4.2", f"{target.decode()} leads to {location.decode()}", get(target),
         kept(Answer(301, 308, location=re.compile(rb"^(http://localhost(:\d+)?)?" + re.escape(location) + rb"$"))))
case("folder-redirect-host", "9110 10.2.2, 17.1", "a redirect does not lead to another host", get(b"//dir"),
     ends(Answer(301, 308, location=re.compile(rb"^(http://localhost(:\d+)?)?/(?!/)"))), ends(Answer(200)), *NONE)
case("folder-redirect-backslash", "9110 17.1", "a redirect by /%5Cexample.org/.. leads nowhere", get(b"/%5Cexample.org/%2e%2e/dir"),
     ends(Answer(301, 308, location=re.compile(rb"^(http://localhost(:\d+)?)?/[^/\\]"))), *NONE)
case("folder-listing", "9110 6.4", "a folder without an index is listed, or refused", get(b"/dir/"),
     kept(Answer(200, content_type=re.compile(rb"^text/html"), judge=lambda response, _:
                 None if b"inner.txt" in response.body and b"deeper/" in response.body else "not all names stand in it")))
case("folder-listing-hidden", "issue", "hidden files are not listed", get(b"/dir/"),
     kept(Answer(200, judge=lambda response, _: "a hidden file is listed" if b".secret" in response.body else None)))
case("folder-listing-escapes", "9110 17.13", "names are escaped in a listing", get(b"/odd/"),
     kept(Answer(200, judge=lambda response, _:
                 "<b> stands in it" if b"<b>" in response.body.lower().replace(b"<b></b>", b"") else
                 "the link is not escaped" if not re.search(rb'href="[^"]*%3Cb%3E', response.body, re.I) else
                 "the percent sign in a link is not escaped" if b'100%25.txt' not in response.body else
                 "the question mark in a link is not escaped" if b'a%3Fb%23c.txt' not in response.body.replace(b'%3f', b'%3F') else None)))
case("folder-listing-post", "9110 15.5.6", "a listing cannot be deleted", get(b"/dir/", method=b"DELETE"), ends(Answer(405)))
case("folder-listing-json", "issue, 9110 12.5.1", "a listing as JSON for who accepts only that",
     get(b"/dir/", b"Accept: application/json"),
     kept(Answer(200, content_type=re.compile(rb"^application/json"), judge=lambda response, _:
                 None if {"inner.txt"} <= names_in(response.body) else "inner.txt is not in it")))


def names_in(text):
    """Every string in a JSON document."""
    import json
    found = set()

    def walk(value):
        if isinstance(value, dict):
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)
        elif isinstance(value, str):
            found.add(value.rstrip("/"))
    try:
        walk(json.loads(text))
    except ValueError:
        return set()
    return found


# Ways out
for name, target in [
        ("dots", b"/../outside.txt"), ("dots-inside", b"/dir/../../outside.txt"), ("dots-twice", b"/../../etc/passwd"),
        ("escaped-dots", b"/%2e%2e/outside.txt"), ("escaped-dot", b"/.%2e/outside.txt"),
        ("escaped-upper", b"/%2E%2E/outside.txt"), ("escaped-slash", b"/..%2foutside.txt"),
        ("all-escaped", b"/%2e%2e%2foutside.txt"), ("backslash", b"/..\\outside.txt"),
        ("escaped-backslash", b"/..%5coutside.txt"), ("double", b"/%252e%252e/outside.txt"),
        ("double-slash", b"/..%252foutside.txt"), ("overlong-dot", b"/%c0%ae%c0%ae/outside.txt"),
        ("overlong-slash", b"/..%c0%afoutside.txt"), ("overlong-three", b"/%e0%80%ae%e0%80%ae/outside.txt"),
        ("fullwidth", b"/%ef%bc%8e%ef%bc%8e/outside.txt"), ("four-dots", b"/....//outside.txt"),
        ("semicolon", b"/..;/outside.txt"), ("nul-between", b"/.%00./outside.txt"), ("dots-slashes", b"/..//outside.txt"),
        ("dir-slashes", b"/dir//..//../outside.txt"), ("absolute", b"//etc/passwd"), ("query-dots", b"/?/../../outside.txt"),
        ("utf16", b"/%u002e%u002e/outside.txt"), ("root-sibling", b"/../root-sibling/outside.txt"),
        ("tab", b"/..%09/outside.txt"), ("missing-folder", b"/missing/../../outside.txt")]:
    if name == "query-dots":
        case(f"escape-{name}", "3986 3.4", "dots in a query are none of the path", get(target), kept(file("index.html")))
    else:
        case(f"escape-{name}", "3986 5.2.4, 7.3, 9110 17.3", f"{target.decode()} does not lead out", get(target), *NONE)
for name, target in [("file", b"/link-out.txt"), ("folder", b"/link-folder/outside.txt"), ("absolute", b"/link-absolute.txt"),
                     ("loop", b"/link-loop"), ("hidden", b"/link-hidden.txt")]:
    case(f"link-{name}", "9110 17.3, issue", f"the symbolic link {target.decode()} is not followed", get(target), *NONE)
case("link-inside", "9110 17.3", "a symbolic link within the root may be followed", get(b"/link-in.txt"), kept(HELLO), *NONE)
for name, target in [("file", b"/.hidden"), ("folder", b"/.git/config"), ("in-folder", b"/dir/.secret"),
                     ("escaped", b"/%2egit/config"), ("folder-itself", b"/.git"), ("folder-slash", b"/.git/")]:
    case(f"hidden-{name}", "issue", f"{target.decode()} is hidden", get(target), *NONE)
# Dot segments within the root are the same URI without them, or are refused.
for name, target in [("dot", b"/./hello.txt"), ("dot-dot", b"/dir/../hello.txt"), ("end", b"/dir/.."),
                     ("escaped", b"/dir/%2e%2e/hello.txt")]:
    case(f"dots-{name}", "3986 6.2.2.3", f"{target.decode()} stays within the root", get(target), ends(HELLO),
         ends(file("index.html")), ends(Answer(301, 308)), *NONE)
