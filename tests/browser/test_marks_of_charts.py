"""Dots, arrows, rings and crosses: where they are drawn, and where not."""

import math

from browsing import visited
from playwright.sync_api import expect

from mini_mlflow.compat import mlflow

# The middles of all circles that the first chart is drawn with, and the arrows' tips, in the chart's own pixels.
WATCH = """() => {
  window.drawn = [];
  const d = devicePixelRatio;
  const plain = CanvasRenderingContext2D.prototype;
  const [arc, moveTo, fill] = [plain.arc, plain.moveTo, plain.fill];
  let tip = null;
  plain.arc = function (x, y, radius, ...rest) {
    if (!this.canvas.classList.contains('veil')) window.drawn.push(['circle', x / d, y / d, radius / d]);
    tip = null;
    return arc.call(this, x, y, radius, ...rest);
  };
  plain.moveTo = function (x, y) {
    tip = [x / d, y / d];
    return moveTo.call(this, x, y);
  };
  plain.fill = function (...how) {
    if (tip) window.drawn.push(['arrow', ...tip]);
    tip = null;
    return fill.call(this, ...how);
  };
}"""
FRAME = """() => {
  const [canvas, over] = ['.card canvas', '.card .u-over'].map(
    name => document.querySelector(name).getBoundingClientRect());
  return [over.left - canvas.left, over.right - canvas.left, over.top - canvas.top, over.bottom - canvas.top];
}"""


def opened(visitor, view):
    """Open a view, and return what is drawn of signs, and the frame: left, right, top, bottom."""
    visitor.page.add_init_script("(%s)()" % WATCH)
    page = visitor.open(view)
    expect(page.locator(".card.drawn").first).to_be_visible()
    page.wait_for_timeout(300)
    return page.evaluate("window.drawn"), page.evaluate(FRAME)


def check_inside(signs, frame):
    for _, x, y, *_ in signs:
        assert frame[0] - 1 <= x <= frame[1] + 1, (x, frame)
        assert frame[2] - 1 <= y <= frame[3] + 1, (y, frame)


def test_no_dot_lies_outside_of_the_frame_of_a_zoom(chromium, folder):
    with mlflow.start_run(run_name="broken"):
        for step in range(300):
            mlflow.log_metric("loss", math.inf if step % 50 in (0, 2) else 1 + step / 300, step=step)
    with visited(chromium, folder) as visitor:
        signs, frame = opened(visitor, "#z=100,200&m=0&n=1")
        assert [sign for sign in signs if sign[0] == "circle"]  # those at 101 and 151
        check_inside(signs, frame)


def test_a_lone_point_beyond_the_frame_is_told_by_an_arrow_at_its_edge(chromium, folder):
    with mlflow.start_run(run_name="spiky"):
        for step in range(300):
            value = math.nan if step in (149, 151) else 1000.0 if step == 150 else 1 + step / 300
            mlflow.log_metric("loss", value, step=step)
    with visited(chromium, folder) as visitor:
        signs, frame = opened(visitor, "#m=0")
        check_inside(signs, frame)
        arrows = [sign for sign in signs if sign[0] == "arrow"]
        assert arrows
        assert all(abs(y - frame[2]) < 1.5 and abs(x - (frame[0] + frame[1]) / 2) < 5 for _, x, y in arrows)


def test_the_ring_of_a_run_that_goes_on_is_at_its_newest_value_on_the_axis_of_a_metric(chromium, folder):
    mlflow.start_run(run_name="going-on")
    for step in range(50):
        mlflow.log_metric("acc", 1 - step / 100, step=step)  # it falls: the newest is the leftmost
        mlflow.log_metric("loss", 1 + step, step=step)
    with visited(chromium, folder) as visitor:
        signs, frame = opened(visitor, "#x=metrics.acc&m=0&s=loss")
        rings = [sign for sign in signs if sign[0] == "circle" and sign[3] == 3]
        assert rings
        assert all(abs(x - frame[0]) < 2 for _, x, _, _ in rings)
