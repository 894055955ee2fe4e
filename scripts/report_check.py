#!/usr/bin/env python3
"""Opens the laboratory's pages in Chromium, uses them by keyboard and pointer, and looks for complaints.

    MARTLET_REPORTS=FOLDER swift test --filter HTMLReportTests
    scripts/report_check.py FOLDER [--screenshots FOLDER]

FOLDER has small.html and large.html. With --screenshots pictures of every view are left, light and dark.
"""

import argparse
import pathlib
import sys
import tempfile
import types

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "interop"))

from chromium import Chromium  # noqa: E402
from harness import Failure, expect  # noqa: E402

TABS = ["ladder", "sequence", "windows", "queues", "packet", "tables", "counters"]
KEYS = {" ": ("Space", 32), "ArrowRight": ("ArrowRight", 39), "ArrowLeft": ("ArrowLeft", 37), "Home": ("Home", 36), "End": ("End", 35),
        "ArrowDown": ("ArrowDown", 40), "Escape": ("Escape", 27)}


class Page:
    """A report in a browser."""

    def __init__(self, browser, path):
        self.browser, self.name = browser, path.stem
        browser.visit(path.resolve().as_uri())
        self.settle()

    def settle(self):
        self.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30))))")

    def value(self, expression):
        return self.browser.evaluate(expression)

    def press(self, key):
        code, number = KEYS.get(key, (key, ord(key[0])))
        text = {"text": key} if len(key) == 1 else {}
        self.browser.do("Input.dispatchKeyEvent", type="keyDown", key=key, code=code, windowsVirtualKeyCode=number, **text)
        self.browser.do("Input.dispatchKeyEvent", type="keyUp", key=key, code=code, windowsVirtualKeyCode=number)
        self.settle()

    def write(self, identifier, text):
        self.value(f"(() => {{ const box = document.getElementById({identifier!r}); box.value = {text!r};"
                   " box.dispatchEvent(new Event('input', {bubbles: true})); })()")
        self.settle()

    def text(self, identifier):
        return self.value(f"document.getElementById({identifier!r}).textContent")

    def count(self, selector):
        return self.value(f"document.querySelectorAll({selector!r}).length")


def check_steps(page):
    """Steps forward and back, and jumps to a loss."""
    expect(page.text("position").startswith("before "), f"the page begins at {page.text('position')}")
    page.press("ArrowRight")
    page.press("ArrowRight")
    expect(page.text("position").startswith("event 2 of "), f"two steps lead to {page.text('position')}")
    page.press("ArrowLeft")
    expect(page.text("position").startswith("event 1 of "), f"a step back leads to {page.text('position')}")
    page.press("]")
    expect("✕" in page.value("document.querySelector('.row.current').textContent"), "the key to the next loss leads elsewhere")
    expect(page.count("#causes .eventlink") > 1, "a loss has no causes")
    expect(page.count("#topology .cross") > 0, "the topology shows no cross where a frame died")
    page.press("End")
    last = page.text("position").split()
    expect(last[1] == last[3], f"the end is {page.text('position')}")
    page.press("Home")


def check_play(page):
    page.press(" ")
    page.value("new Promise(done => setTimeout(done, 700))")
    page.press(" ")
    moved = page.value("lab.time")
    expect(moved > 0, "nothing moved while it played")
    page.settle()
    expect(page.value("lab.time") == moved, "a pause does not hold")


def check_filters(page):
    total = page.value("eventCount")
    expect(page.text("count") == f"{total} events", f"without a filter: {page.text('count')}")
    page.write("filter-text", "retransmission")
    some = page.value("eventList.shown.length")
    expect(0 < some < total, f"a word leaves {some} of {total} events")
    page.write("filter-text", "no such words")
    expect(page.value("!document.getElementById('nothing').hidden"), "nothing says that there is nothing")
    page.value("document.getElementById('filter-clear').click()")
    page.value("document.querySelector('#kinds .chip').click()")
    expect(page.value("eventList.shown.length") < total, "a kind that is switched off is still there")
    page.value("document.getElementById('filter-clear').click()")
    expect(page.value("eventList.shown.length") == total, "not all events came back")
    page.value("document.getElementById('events').focus()")
    page.press("ArrowDown")
    page.press("ArrowDown")
    expect(page.value("document.getElementById('events').getAttribute('aria-activedescendant')") is not None, "the list has no active row")
    page.value("document.activeElement.blur()")


def check_views(page):
    """Each view has something to show at the first loss, and fits its place."""
    page.press("Home")
    page.press("]")
    for number, tab in enumerate(TABS):
        page.press(str(number + 1))
        expect(page.value(f"!document.getElementById('panel-{tab}').hidden"), f"the key {number + 1} does not show {tab}")
        expect(page.value(f"document.getElementById('panel-{tab}').textContent.length") > 20, f"{tab} is empty")
        wide = page.value("[document.documentElement.scrollWidth, innerWidth]")
        expect(wide[0] <= wide[1], f"{tab} makes the page {wide[0]} pixels wide, of {wide[1]}")
        broken = page.value("[...document.querySelectorAll('svg *')].filter(one => [...one.attributes].some(a => /NaN|undefined|Infinity/.test(a.value))).length")
        expect(broken == 0, f"{tab} has {broken} shapes that are nowhere")
    expect(page.count("#packet .hop") == 0 or page.count("#packet .header.HT") > 0, "the packet has no transport header")


def check_zoom(page):
    page.press("1")
    whole = page.value("lab.view.to - lab.view.from")
    page.press("+")
    expect(page.value("lab.view.to - lab.view.from") < whole, "plus does not come closer")
    page.press("0")
    expect(page.value("lab.view.to - lab.view.from === duration"), "zero does not show the whole run")


def check_theme(page):
    before = page.value("getComputedStyle(document.body).backgroundColor")
    page.press("t")
    expect(page.value("getComputedStyle(document.body).backgroundColor") != before, "t does not change the colours")
    page.press("t")


def check_labels(page):
    """Whatever can be used has a name for those who do not see it."""
    nameless = page.value("""[...document.querySelectorAll('button, select, input, [role=listbox], [role=button]')].filter(one =>
        !one.textContent.trim() && !one.getAttribute('aria-label') && !one.labels?.length).map(one => one.outerHTML.slice(0, 80))""")
    expect(not nameless, f"without a name: {nameless}")


def check_size(page):
    """Ten thousand events: few elements, and a step that is soon there."""
    expect(page.value("eventCount") > 10_000, "the large page is not large")
    rows = page.count("#rows .row")
    expect(0 < rows < 120, f"{rows} rows exist")
    took = page.value("""(async () => { const start = performance.now();
        for (let step = 0; step < 50; step++) { player.step(1); await new Promise(requestAnimationFrame); }
        return (performance.now() - start) / 50; })()""")
    print(f"  {page.value('eventCount')} events, {page.count('*')} elements, {took:.1f} ms a step with its picture")


def screenshots(browser, page, folder):
    page.value("delete document.documentElement.dataset.theme")
    for scheme in ("light", "dark"):
        for tab in TABS:
            page.value(f"showTab({tab!r})")
            page.settle()
            browser.screenshot(folder / f"{page.name}-{tab}-{scheme}.png", scheme)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path)
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--height", type=int, default=960)
    options = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory() as home:
        bench = types.SimpleNamespace(folder=pathlib.Path(home), kernel_namespace=None)
        with Chromium(bench) as browser:
            browser.do("Emulation.setDeviceMetricsOverride", width=options.width, height=options.height, deviceScaleFactor=1, mobile=False)
            for name in ("small", "large"):
                page = Page(browser, options.folder / f"{name}.html")
                checks = [check_steps, check_play, check_filters, check_views, check_zoom, check_theme, check_labels]
                for check in checks + ([check_size] if name == "large" else []):
                    try:
                        check(page)
                        print(f"ok   {name}: {check.__name__[6:]}")
                    except Failure as failure:
                        failures += 1
                        print(f"FAIL {name}: {check.__name__[6:]}: {failure}")
                complaints = browser.complaints()
                if complaints:
                    failures += 1
                    print(f"FAIL {name}: the console says {complaints}")
                if options.screenshots:
                    options.screenshots.mkdir(parents=True, exist_ok=True)
                    page.value("player.stop(); lab.goTo(-1); player.jump(1)")
                    screenshots(browser, page, options.screenshots)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
