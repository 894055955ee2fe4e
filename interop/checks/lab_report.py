"""The laboratory's page about a run, opened from a disk in a browser without a network."""

import report_pages
from chromium import Chromium
from harness import check, expect

TAP = ("tap",)
SCENARIOS = ["letter", "encapsulation", "tcp-demultiplexing", "slow-reader", "lost-fragment", "fast-retransmit"]
LARGE = "sawtooth"  # more than 10,000 events


def made(bench, scenario):
    """The page of a scenario, which `martlet lab run` has made."""
    path = bench.folder / f"{scenario}.html"
    if not path.exists():
        result = bench.kernel(bench.program, "lab", "run", scenario, "--report", path, within=60)
        expect(result.status == 0, f"lab run ended with {result}")
        expect(path.exists(), "lab run left no page")
    return path


def used(bench, path):
    with Chromium(bench, 6 * bench.patience) as browser:
        return report_pages.use(report_pages.Page(browser, path))


@check("the page about {scenario} steps, plays, filters, shows every view, light and dark, by keyboard", links=TAP, scenario=SCENARIOS)
def page(bench, scenario):
    return used(bench, made(bench, scenario))


@check("a page of more than 10,000 events has few elements and is quick", links=TAP)
def large(bench):
    path = made(bench, LARGE)
    with Chromium(bench, 6 * bench.patience) as browser:
        page = report_pages.Page(browser, path)
        expect(page.value("eventCount") > 10_000, f"{LARGE} has {page.value('eventCount')} events")
        return report_pages.use(page)


@check("martlet demo leaves a page and a capture", links=TAP)
def demo(bench):
    path, capture = bench.folder / "demo.html", bench.folder / "demo.pcapng"
    result = bench.kernel(bench.program, "demo", "--report", path, "--record", capture, within=60)
    expect(result.status == 0 and path.exists() and capture.exists(), f"martlet demo ended with {result}")
    expect("HELLO, INTERNET!" in result.out and "✗ FAILED" not in result.out, f"it tells {result.out[-300:]!r}")
    frames = bench.kernel("tshark", "-r", capture, "-Y", "tcp.payload contains \"HELLO, INTERNET!\"", within=60).out.splitlines()
    expect(len(frames) == 10, f"tshark sees the answer {len(frames)} times, at five links' ends ten are due")
    return used(bench, path)
