"""The file server in front of Chromium: a page of fifty files, a video that seeks, the listing in the light and in the dark."""

import subprocess
import time

import http_site
from chromium import Chromium
from harness import check, expect

TAP = ("tap",)
COUNT = 50  # files of the page beside itself


def place(protocol):
    return "https://192.0.2.2" if protocol == "HTTP/2" else "http://192.0.2.2"


def options(protocol):
    return http_site.TLS if protocol == "HTTP/2" else ()


def make_page(root):
    """Ten styles, ten scripts, ten modules of JSON and twenty images, each of which shows that it was loaded."""
    folder = root / "page"
    if folder.exists():
        return
    folder.mkdir()
    head, body = [], []
    for number in range(10):
        (folder / f"style{number}.css").write_text(f"#s{number} {{ width: {100 + number}px }}\n" + "/* filling */\n" * 500)
        (folder / f"script{number}.js").write_text(f"window.ran = (window.ran || 0) + 1\n" + "// filling\n" * 500)
        (folder / f"data{number}.json").write_text(f'{{"number": {number}, "filling": "{"x" * 5_000}"}}')
        head += [f'<link rel="stylesheet" href="style{number}.css">', f'<script src="script{number}.js" defer></script>']
        body += [f'<div id="s{number}">s</div>']
    for number in range(20):
        (folder / f"image{number}.svg").write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{20 + number}" height="20"><rect width="9" height="9"/></svg>')
        body += [f'<img src="image{number}.svg" alt="">']
    (folder / "index.html").write_text(f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Fifty</title>
<link rel="icon" href="data:,">{''.join(head)}</head><body>{''.join(body)}
<script>
window.loaded = Promise.all([...Array(10).keys()].map(n => fetch(`data${{n}}.json`).then(answer => answer.json())))
  .then(all => all.filter((one, n) => one.number === n).length)
</script></body></html>""")


def make_video(root):
    """Thirty seconds of noise: large enough that no browser loads all of it before it seeks."""
    path = root / "video.mp4"
    if not path.exists():
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10,noise=alls=80:allf=t",
                        "-t", "30", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-crf", "8", "-g", "10",
                        "-movflags", "+faststart", path], check=True)
    return path.stat().st_size


@check("Chromium loads a page of 50 files by {protocol}", links=TAP, protocol=["HTTP/1.1", "HTTP/2"])
def page(bench, protocol):
    site = http_site.serve(bench, *options(protocol))
    make_page(site.root)
    since = http_site.log_size(site)
    with Chromium(bench, 2 * bench.patience) as browser:
        browser.visit(f"{place(protocol)}/page/")
        loaded = browser.evaluate("window.loaded")
        found = browser.evaluate("""({
          scripts: window.ran,
          styles: [...Array(10).keys()].filter(n => document.getElementById('s' + n).offsetWidth == 100 + n).length,
          images: [...document.images].filter((image, n) => image.complete && image.naturalWidth == 20 + n).length})""")
        complaints = browser.complaints()
        spoken = {name for _, _, name in browser.responses() if name != "data"}
        statuses = {status for _, status, _ in browser.responses()}
    expect(found == {"scripts": 10, "styles": 10, "images": 20} and loaded == 10, f"not all of it was there: {found}, JSON {loaded}")
    expect(not complaints, f"in the console: {complaints}")
    expect(statuses <= {200, 304}, f"statuses {statuses}")
    expect(spoken == {"h2" if protocol == "HTTP/2" else "http/1.1"}, f"it was spoken {spoken}")
    time.sleep(1.5)  # the log is written once a second
    files = {target for method, target, status, _ in http_site.requests(site, since) if target.startswith("/page/") and status == 200}
    expect(len(files) == COUNT + 1, f"the access log has {len(files)} of {COUNT + 1} files")
    return f"{len(files)} files"


@check("a video in Chromium seeks by ranges, {protocol}", links=TAP, protocol=["HTTP/1.1", "HTTP/2"])
def video(bench, protocol):
    site = http_site.serve(bench, *options(protocol))
    size = make_video(site.root)
    (site.root / "video.html").write_text('<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>Video</title>'
                                          '<video src="video.mp4" muted preload="metadata" width="320"></video>')
    since = http_site.log_size(site)
    with Chromium(bench, 2 * bench.patience) as browser:
        browser.visit(f"{place(protocol)}/video.html")
        seeks = browser.evaluate("""(async () => {
          const video = document.querySelector('video'), seen = []
          if (video.readyState < 1) await new Promise((good, bad) => { video.onloadedmetadata = good; video.onerror = () => bad(Error(video.error.message)) })
          for (const time of [27, 3, 20, 12]) {
            await new Promise((good, bad) => { video.onseeked = good; video.onerror = () => bad(Error(video.error.message)); video.currentTime = time })
            seen.push([video.currentTime, video.readyState >= 2, video.videoWidth])
          }
          return [video.duration, seen]
        })()""")
        complaints = browser.complaints()
    expect(abs(seeks[0] - 30) < 1 and [round(time) for time, _, _ in seeks[1]] == [27, 3, 20, 12]
           and all(ready and width == 320 for _, ready, width in seeks[1]), f"it did not seek: {seeks}")
    expect(not complaints, f"in the console: {complaints}")
    time.sleep(1.5)
    asked = [(status, count) for _, target, status, count in http_site.requests(site, since) if target == "/video.mp4"]
    parts = [count for status, count in asked if status == 206]
    expect(len(parts) >= 2 and any(count < size for count in parts), f"answers 206 with parts were due: {asked}")
    return f"{len(parts)} ranges of {size / 1e6:.1f} MB"


def brightness(path):
    """The mean of a picture's grey values, 0 to 255."""
    grey = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "gray", "-"], check=True,
                          stdout=subprocess.PIPE).stdout
    return sum(grey) / len(grey)


@check("the listing in Chromium is light or dark as asked for, sorts, and complains of nothing", links=TAP)
def listing(bench):
    site = http_site.serve(bench)
    (site.root / "shelf").mkdir(exist_ok=True)
    for name, size in [("small.txt", 10), ("middle.txt", 5_000), ("large.txt", 3 << 20)]:
        (site.root / "shelf" / name).write_bytes(b"a" * size)
    (site.root / "shelf" / "a folder").mkdir(exist_ok=True)
    with Chromium(bench, 2 * bench.patience) as browser:
        browser.visit("http://192.0.2.2/shelf/")
        light = brightness(browser.screenshot(bench.folder / "listing-light.png", "light"))
        dark = brightness(browser.screenshot(bench.folder / "listing-dark.png", "dark"))
        text = browser.evaluate("document.body.innerText")
        names = "[...document.querySelectorAll('a')].map(a => decodeURIComponent(a.getAttribute('href'))).filter(n => /txt$/.test(n)).map(n => n.replace(/.*\\//, ''))"
        before = browser.evaluate(names)
        headings = browser.evaluate("[...document.querySelectorAll('th')].map(h => h.innerText.trim().toLowerCase())")
        wide = browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
        orders = set()
        for _ in range(2):  # by size, and the other way round
            browser.evaluate("""setTimeout(() => {
              const heading = [...document.querySelectorAll('th')].find(heading => /size/i.test(heading.innerText))
              ;(heading.querySelector('a, button') || heading).click() }, 10), 0""")
            time.sleep(1)  # a heading may sort in place or be a link
            orders.add(tuple(browser.evaluate(names)))
        complaints = [one for one in browser.complaints() if "favicon" not in one]
    expect(light > 180 and dark < 90, f"the brightness is {light:.0f} in light and {dark:.0f} in dark")
    expect(sorted(before) == ["large.txt", "middle.txt", "small.txt"] and "a folder" in text, f"not all names stand in it: {text[:200]!r}")
    expect(any(word in text for word in ("3 M", "3.0 M", "3.1 M")), f"no human size: {text[:200]!r}")
    expect(any("size" in heading for heading in headings) and wide, f"headings {headings}, fits the window: {wide}")
    by_size = ("small.txt", "middle.txt", "large.txt")
    expect(orders == {by_size, by_size[::-1]}, f"it does not sort by size: {orders}")
    expect(not complaints, f"in the console: {complaints}")
    return f"brightness {light:.0f} and {dark:.0f}"
