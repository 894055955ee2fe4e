#!/usr/bin/env python3
"""The laboratory's pages in Chromium, used by keyboard and pointer.

    interop/report_pages.py PAGE.html... --screenshots FOLDER

leaves pictures of every view, light and dark.
"""

import argparse
import pathlib
import shutil
import sys
import tempfile
import time
import types

from chromium import Chromium
from harness import Failure, expect

TABS = ["ladder", "sequence", "windows", "queues", "packet", "tables", "counters"]
KEYS = {" ": ("Space", 32), "ArrowRight": ("ArrowRight", 39), "ArrowLeft": ("ArrowLeft", 37), "Home": ("Home", 36), "End": ("End", 35),
        "ArrowDown": ("ArrowDown", 40), "Escape": ("Escape", 27)}
MOST_ROWS = 120  # of the list of events, whatever the run's length
MOST_ELEMENTS = 4_000  # of the whole page
STEP = 0.3  # seconds from a key to its picture, in the mean
LOAD = 15  # seconds until a page of 10,000 events can be used


class Page:
    """A report in a browser."""

    def __init__(self, browser, path):
        self.browser = browser
        browser.do("Emulation.setDeviceMetricsOverride", width=1440, height=960, deviceScaleFactor=1, mobile=False)
        began = time.monotonic()
        browser.visit(pathlib.Path(path).resolve().as_uri())
        expect(self.value("typeof lab"  # a constant of the page's own, not a property of the window
                          ) == "object", "the page's scripts do not run")
        self.settle()
        self.loading = time.monotonic() - began

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

    def point(self, selector, part=0.5):
        """Moves the pointer over an element."""
        x, y = self.value(f"(() => {{ const element = document.querySelector({selector!r}); element.scrollIntoView({{block: 'nearest'}});"
                          " const one = element.getBoundingClientRect();"
                          f" return [one.left + one.width * {part}, one.top + one.height / 2]; }})()")
        self.browser.do("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.settle()

    def write(self, identifier, text):
        self.value(f"(() => {{ const box = document.getElementById({identifier!r}); box.value = {text!r};"
                   " box.dispatchEvent(new Event('input', {bubbles: true})); })()")
        self.settle()

    def text(self, identifier):
        return self.value(f"document.getElementById({identifier!r}).textContent")

    def count(self, selector):
        return self.value(f"document.querySelectorAll({selector!r}).length")

    @property
    def has_losses(self):
        return self.value("events.time.some((_, index) => isTrouble(index, ['dropped']))")


def steps(page):
    """Steps forward and back, and jumps to a loss."""
    expect(page.count("#rows .row") < MOST_ROWS, f"the list has {page.count('#rows .row')} rows at once")
    page.press("Home")
    expect(page.text("position").startswith("before "), f"Home leads to {page.text('position')}")
    page.press("ArrowRight")
    page.press("ArrowRight")
    expect(page.text("position").startswith("event 2 of "), f"two steps lead to {page.text('position')}")
    page.press("ArrowLeft")
    expect(page.text("position").startswith("event 1 of "), f"a step back leads to {page.text('position')}")
    if page.has_losses:
        page.press("]")
        expect(page.value("isTrouble(lab.at)"), "the key to the next loss leads elsewhere")
        expect(page.count("#causes .eventlink") > 0, "a loss has no causes")
        expect(page.value("!document.querySelector('#topology .cross') || lab.frame >= 0"), "no frame goes with a loss")
    page.press("End")
    last = page.text("position").split()
    expect(last[1] == last[3], f"the end is {page.text('position')}")
    page.press("Home")


def plays(page):
    page.press(" ")
    page.value("new Promise(done => setTimeout(done, 700))")
    page.press(" ")
    moved = page.value("lab.time + lab.at")
    expect(moved > 0, "nothing moved while it played")
    page.settle()
    expect(page.value("lab.time + lab.at") == moved, "a pause does not hold")
    page.value("(() => { const slider = document.getElementById('slider'); slider.value = 50000;"
               " slider.dispatchEvent(new Event('input', {bubbles: true})); })()")
    page.settle()
    expect(page.value("Math.abs(lab.time / duration - 0.5) < 0.01"), "the slider does not lead where it stands")


def filters(page):
    total = page.value("eventCount")
    expect(page.text("count") == f"{total} events", f"without a filter: {page.text('count')}")
    page.write("filter-text", "forwarded" if page.value("kinds.includes('forwarded')") else "received")
    some = page.value("eventList.shown.length")
    expect(0 < some < total, f"a word leaves {some} of {total} events")
    page.write("filter-text", "no such words")
    expect(page.value("!document.getElementById('nothing').hidden"), "nothing says that there is nothing")
    page.value("document.getElementById('filter-clear').click()")
    page.value("document.querySelector('#kinds .chip').click()")
    expect(page.value("eventList.shown.length") < total, "a kind that is switched off is still there")
    page.value("document.getElementById('filter-clear').click()")
    page.value("(() => { const box = document.getElementById('filter-node'); box.value = 0; box.dispatchEvent(new Event('change')); })()")
    expect(page.value("eventList.shown.length < eventCount && eventList.shown.every(index => events.node[index] === 0)"),
           "the filter for a node shows others")
    page.value("document.getElementById('filter-clear').click()")
    expect(page.value("eventList.shown.length") == total, "not all events came back")
    page.value("document.getElementById('events').focus()")
    page.press("ArrowDown")
    page.press("ArrowDown")
    expect(page.value("document.getElementById('events').getAttribute('aria-activedescendant')") is not None, "the list has no active row")
    page.value("document.activeElement.blur()")


def views(page):
    """Each view has something to show at a packet of the flow, fits its place, and draws nothing nowhere."""
    page.value("lab.goTo(Math.floor(eventCount / 2))")
    for number, tab in enumerate(TABS):
        page.press(str(number + 1))
        expect(page.value(f"!document.getElementById('panel-{tab}').hidden"), f"the key {number + 1} does not show {tab}")
        expect(page.value(f"document.getElementById('panel-{tab}').textContent.trim().length") > 20, f"{tab} is empty")
        wide = page.value("[document.documentElement.scrollWidth, innerWidth]")
        expect(wide[0] <= wide[1], f"{tab} makes the page {wide[0]} pixels wide, of {wide[1]}")
        broken = page.value("[...document.querySelectorAll('svg *')].filter(one => [...one.attributes].some(a => /NaN|undefined|Infinity/.test(a.value))).length")
        expect(broken == 0, f"{tab} has {broken} shapes that are nowhere")
    expect(page.count("#topology .node") == page.value("nodes.length"), "the topology has not every node")


def packets(page):
    """Headers nested on every link, linked to their bytes."""
    page.value("showTab('packet'); lab.selectFrame(frames.layer.findIndex((layer, frame) => /^(TCP|UDP|ICMP)$/.test(layer) && hopsOf(frame).length > 0))")
    page.settle()
    hops = page.value("hopsOf(lab.frame).length")
    expect(page.count("#packet .hop") == hops, f"the packet has {hops} links, and {page.count('#packet .hop')} are shown")
    expect(page.count("#packet .header.HN") == hops, "the packet has no network header")
    page.point("#packet .cell")
    expect(page.count("#packet .byte.lit") > 0, "no byte is lit with its field")


def explanations(page):
    """The tables say why a row is taken."""
    page.value("showTab('tables')")
    page.value("(() => { const index = events.kind.findIndex((kind, at) => kinds[kind] === 'forwarded' && events.frame[at] >= 0"
               " && /^(TCP|UDP|ICMP)$/.test(frames.layer[events.frame[at]])); lab.goTo(index < 0 ? eventCount - 1 : index) })()")
    page.settle()
    if page.value("kinds[events.kind[lab.at]] === 'forwarded'"):
        expect(page.count("#tables tr.winner") > 0, "no row of a table is taken by a packet that was forwarded")
        expect(page.count("#tables td.why") > 0, "no table says why")


def readings(page):
    """Each line of a chart says its value, where the pointer is."""
    page.value("showTab('windows'); lab.goTo(eventCount - 1)")
    page.settle()
    if not page.value("graphs.samples().time.length"):
        return
    words = "[...document.querySelectorAll('#windows-charts .entry .reading')].map(one => one.textContent).join(' ')"
    late = page.value(words)
    expect(any(character.isdigit() for character in late), f"the lines have no values: {late!r}")
    page.point("#windows-charts svg.chart", 0.3)
    expect(page.value("getComputedStyle(document.querySelector('#windows-charts .hair')).display") != "none", "the pointer has no line")
    page.point("h1")


def zooms(page):
    page.press("1")
    page.press("0")
    whole = page.value("lab.view.to - lab.view.from")
    page.press("+")
    expect(page.value("lab.view.to - lab.view.from") < whole, "plus does not come closer")
    page.press("0")
    expect(page.value("lab.view.to - lab.view.from === duration"), "zero does not show the whole run")


def themes(page):
    """Light and dark, as the system wants it and as the key says."""
    colour = "getComputedStyle(document.body).backgroundColor"
    found = []
    for scheme in ("light", "dark"):
        page.browser.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        found.append(sum(int(part) for part in page.value(colour).strip("rgb()").split(",")))
    expect(found[0] > 600 and found[1] < 150, f"the brightness is {found[0]} in light and {found[1]} in dark")
    before = page.value(colour)
    page.press("t")
    expect(page.value(colour) != before, "t does not change the colours")
    page.press("t")


def labels(page):
    """Whatever can be used has a name for those who do not see it."""
    nameless = page.value("""[...document.querySelectorAll('button, select, input, [role=listbox], [role=button]')].filter(one =>
        !one.textContent.trim() && !one.getAttribute('aria-label') && !one.labels?.length).map(one => one.outerHTML.slice(0, 80))""")
    expect(not nameless, f"without a name: {nameless}")


def size(page):
    """However long the run, there are few elements, and a step is soon there."""
    rows, elements = page.count("#rows .row"), page.count("*")
    expect(0 < rows < MOST_ROWS, f"{rows} rows exist of {page.value('eventCount')} events")
    expect(elements < MOST_ELEMENTS, f"the page has {elements} elements")
    took = page.value("""(async () => { const start = performance.now(); player.step(-lab.at);
        for (let step = 0; step < 50; step++) { player.step(1); await new Promise(requestAnimationFrame); }
        return (performance.now() - start) / 50; })()""") / 1000
    expect(took < STEP, f"a step with its picture takes {1000 * took:.0f} ms")
    expect(page.loading < LOAD, f"the page can be used after {page.loading:.1f} s")
    return f"{page.value('eventCount')} events, {elements} elements, there after {page.loading:.1f} s, {1000 * took:.0f} ms a step"


def silence(page):
    """Nothing in the console, nothing loaded."""
    complaints = page.browser.complaints()
    expect(not complaints, f"the console says {complaints}")
    asked = [event["params"]["request"]["url"] for event in page.browser.events if event["method"] == "Network.requestWillBeSent"]
    others = [url for url in asked if not url.startswith(("file:", "data:"))]
    expect(not others, f"the page asks for {others}")


def use(page):
    """All of it; what the page has to tell of its size."""
    for part in (steps, plays, filters, views, packets, explanations, readings, zooms, themes, labels):
        try:
            part(page)
        except Failure as failure:
            raise Failure(f"{part.__name__}: {failure}")
    told = size(page)
    silence(page)
    return told


def planted(text):
    """Names, and pages with one fault each that using them has to find."""
    def broken(name, old, new):
        expect(text.count(old) == 1, f"the page has not once {old!r}, so that nothing was planted")
        return name, text.replace(old, new)

    yield broken("a page whose scripts do not begin", "\nstart();\n", "\n")
    yield broken("an error in the console", "\nstart();\n", '\nstart();\nconsole.error("planted");\n')
    yield broken("a picture from elsewhere", "<main>", '<main><img alt="" width="1" src="http://192.0.2.99/planted.png">')
    yield broken("steps that lead nowhere", "  goTo(index) {\n", "  goTo(index) {\n    return;\n")
    yield broken("slow steps", "  goTo(index) {\n", "  goTo(index) {\n    for (const late = performance.now() + 300; performance.now() < late;);\n")
    yield broken("a list of all rows at once", "const count = Math.ceil(this.box.clientHeight / this.rowHeight) + 8;", "const count = 1e9;")
    yield broken("a filter that finds everything", "      if (this.text && ", "      if (false && ")
    yield broken("no counters", "const counterView = {\n  start() {\n", "const counterView = {\n  start() {\n    return;\n")
    yield broken("shapes that are nowhere", "  y(value) { return ", "  y(value) { return NaN + ")
    yield broken("no reasons", "  why(kind, table, subject, nextHop) {\n", "  why(kind, table, subject, nextHop) {\n    return null;\n")
    yield broken("no dark", "@media (prefers-color-scheme: dark)", "@media (prefers-color-scheme: none)")
    yield broken("no keys", '  document.addEventListener("keydown", onKey);\n', "")
    yield broken("a button without a name", "</main>", "<button></button></main>")
    yield broken("lines without values", "element.textContent = at(time);", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="+", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.screenshots.mkdir(parents=True, exist_ok=True)
    home = tempfile.mkdtemp()
    with Chromium(types.SimpleNamespace(folder=pathlib.Path(home), kernel_namespace=None)) as browser:
        for path in options.pages:
            page = Page(browser, path)
            page.value("player.jump(1)")
            for scheme in ("light", "dark"):
                for tab in TABS:
                    page.value(f"showTab({tab!r})")
                    page.settle()
                    browser.screenshot(options.screenshots / f"{path.stem}-{tab}-{scheme}.png", scheme)
    shutil.rmtree(home, ignore_errors=True)  # a browser that was ended may still write


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
