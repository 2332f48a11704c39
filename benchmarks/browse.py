"""When does a page show its first chart, and what does it ask for? In the browser's environment, by playwright.

python browse.py RESULT_FILE OPTIONS

The first chart is there at the first frame in which one of these stands in the window, the same for every page:
- a canvas of at least 100 x 80 pixels in which at least 200 pixels are in colour (axes, grids and texts are grey);
- in an SVG of at least that size, a path of ten points or more that is stroked in colour and not filled.
"""

import json
import sys
import time

from playwright.sync_api import sync_playwright

SWITCHES = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--no-first-run", "--disable-sync", "--disable-dev-shm-usage",
    # What a page asks of other machines is counted, and fails.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]  # fmt: skip
WINDOW = {"width": 1440, "height": 900}
QUIET_S = 1.0
SETTLE_S = 10.0  # the most that is waited for quiet after the first chart: there are pages that never rest
LONG_S = 5.0  # a request that is open longer than this is one that waits for news
WATCH = """
(() => {
  if (window !== top || !location.href.startsWith('http')) return;
  const say = (word, time) => console.debug(`benchmark ${word} ${time}`);
  say('began', performance.timeOrigin);
  const scratch = document.createElement('canvas');
  // Reading a canvas back costs much without a graphics processor: done after something was drawn, not each frame.
  const known = new WeakSet();
  const touched = new WeakSet();
  const context2d = CanvasRenderingContext2D.prototype;
  for (const name of ['stroke', 'fill', 'strokeRect', 'fillRect', 'fillText', 'drawImage', 'putImageData']) {
    const own = context2d[name];
    context2d[name] = function draw(...given) {
      touched.add(this.canvas);
      return own.apply(this, given);
    };
  }
  const make = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function getContext(kind, ...given) {
    const made = make.call(this, kind, ...given);
    if (made && kind === '2d') known.add(this);
    return made;
  };
  const isColour = (r, g, b) => Math.max(r, g, b) - Math.min(r, g, b) > 40;
  const stands = element => {
    const { width, height, top, bottom } = element.getBoundingClientRect();
    return width >= 100 && height >= 80 && bottom > 0 && top < innerHeight;
  };
  const isDrawn = canvas => {
    if (!canvas.width || !canvas.height || !stands(canvas) || (known.has(canvas) && !touched.has(canvas))) return false;
    touched.delete(canvas);
    scratch.width = canvas.width;
    scratch.height = canvas.height;
    const context = scratch.getContext('2d', { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length && count < 200; at += 4) {
      if (data[at + 3] > 100 && isColour(data[at], data[at + 1], data[at + 2])) count += 1;
    }
    return count >= 200;
  };
  const isLine = path => {
    if ((path.getAttribute('d') || '').split(/[LlCcHhVv,]/).length < 10) return false;
    const style = getComputedStyle(path);
    const colours = style.stroke.match(/[\\d.]+/g);
    return style.fill === 'none' && colours && colours.length >= 3 && isColour(...colours.slice(0, 3).map(Number))
      && stands(path.ownerSVGElement);
  };
  const look = () => {
    const all = name => [...document.querySelectorAll(name)];
    if (all('canvas').some(isDrawn) || all('svg path').some(isLine)) {
      say('chart', performance.timeOrigin + performance.now());
    } else {
      requestAnimationFrame(look);
    }
  };
  requestAnimationFrame(look);
})();
"""


def main(arguments):
    """Look at one page and write what was seen."""
    result_file, options = arguments
    with sync_playwright() as playwright:
        options = json.loads(options)
        browser = playwright.chromium.launch(executable_path=options["chromium"], args=SWITCHES)
        try:
            found = look(browser, **options)
        finally:
            browser.close()
    with open(result_file, "w", encoding="utf-8") as file:
        json.dump(found, file)


class Traffic:
    """What goes over the wire, told by the browser's own inspector."""

    def __init__(self, session):
        self.requests = self.bytes = self.outside = 0
        self.urls = []
        self.open = {}
        self.last = time.monotonic()
        session.on("Network.requestWillBeSent", self._sent)
        session.on("Network.requestServedFromCache", self._cached)
        session.on("Network.loadingFinished", self._finished)
        session.on("Network.loadingFailed", lambda event: self._end(event["requestId"]))
        session.on("Network.webSocketFrameReceived", self._frame)
        session.send("Network.enable")

    def _sent(self, event):
        url = event["request"]["url"]
        if not url.startswith(("http:", "https:")):
            return
        self.requests += 1
        self.outside += url.split("/")[2].split(":")[0] not in ("127.0.0.1", "localhost")
        self.urls.append(url)
        self.bytes += event.get("redirectResponse", {}).get("encodedDataLength", 0)
        self.open[event["requestId"]] = self.last = time.monotonic()

    def _cached(self, event):
        self.requests -= 1
        self._end(event["requestId"])

    def _finished(self, event):
        self.bytes += event["encodedDataLength"]
        self._end(event["requestId"])

    def _frame(self, event):
        self.bytes += len(event["response"]["payloadData"])

    def _end(self, request):
        if self.open.pop(request, None) is not None:
            self.last = time.monotonic()

    def is_quiet(self):
        """Tell whether nothing was on the way for a second, but for what waits for news."""
        now = time.monotonic()
        return now - self.last > QUIET_S and all(now - began > LONG_S for began in self.open.values())


def look(browser, url, most_s, idle_s, picture, chromium):
    """Open *url*, wait for the first chart, for quiet, and for *idle_s* seconds more.

    Raises:
        TimeoutError: There was no chart within *most_s* seconds.
    """
    page = browser.new_context(viewport=WINDOW).new_page()
    said = {}
    page.on("console", lambda message: _note(said, message.text))
    page.add_init_script(WATCH)
    traffic = Traffic(page.context.new_cdp_session(page))
    began = time.monotonic()
    page.goto(url, wait_until="commit", timeout=most_s * 1000)
    while "chart" not in said:
        page.wait_for_timeout(20)
        if time.monotonic() - began > most_s:
            _take(page, picture)
            raise TimeoutError("no chart within %d s" % most_s)
    found = {
        "chart_s": (said["chart"] - said["began"]) / 1000,
        "chart_requests": traffic.requests,
        "chart_bytes": traffic.bytes,
    }
    _take(page, picture and picture + "-first.png")
    drawn = time.monotonic()
    while not traffic.is_quiet() and time.monotonic() - drawn < SETTLE_S:
        page.wait_for_timeout(50)
    found.update(is_quiet=traffic.is_quiet())
    found.update(requests=traffic.requests, bytes=traffic.bytes, outside=traffic.outside)
    _take(page, picture and picture + "-quiet.png")
    if idle_s:
        requests, received = traffic.requests, traffic.bytes
        page.wait_for_timeout(idle_s * 1000)
        found.update(idle_requests=traffic.requests - requests, idle_bytes=traffic.bytes - received)
    return found


def _note(said, text):
    if text.startswith("benchmark "):
        _, word, moment = text.split()
        said.setdefault(word, float(moment))


def _take(page, picture):
    if picture:
        page.screenshot(path=picture if picture.endswith(".png") else picture + "-none.png")


if __name__ == "__main__":
    main(sys.argv[1:])
