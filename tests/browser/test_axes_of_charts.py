"""Ticks of log axes, of clock times, and of ranges as wide or narrow as numbers go."""

import re

import pytest
from browsing import visited
from playwright.sync_api import expect

from mini_mlflow.compat import mlflow

SWEEP = """async () => {
  const { logSplits } = await import('/static/ticks.js');
  const wrong = [];
  for (const power of [-300, -30, -5, -2, -1, 0, 1, 2, 5, 30, 300]) {
    for (let mantissa = 1; mantissa < 10; mantissa += 0.01) {
      for (const reach of [1.5, 3, 30, 59, 61, 1e4]) {
        const low = mantissa * 10 ** power;
        const high = low * reach;
        const ticks = logSplits(low, high);
        const isInside = ticks.every(at => at >= low * (1 - 1e-12) && at <= high * (1 + 1e-12));
        const isRising = isInside && ticks.every((at, i) => !i || at > ticks[i - 1]);
        const isRound = reach < 3 || ticks.every(at => /^[125]e/.test(at.toExponential()) || ticks.length < 8);
        if (!(ticks.length >= 2 || reach === 3) || !ticks.length || ticks.length > 12 || !isRising || !isRound) {
          wrong.push([low, reach, ticks]);
        }
      }
    }
  }
  return wrong.slice(0, 3);
}"""

# What the canvas of a chart is labelled with: kept while it is drawn.
LABELS = """() => {
  window.labels = [];
  const plain = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...at) {
    window.labels.push(text);
    return plain.call(this, text, ...at);
  };
}"""


# Labels of the canvases that begin left of where they are seen.
CUT = """() => {
  window.labels = [];
  window.cut = [];
  const plain = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, ...more) {
    const part = { right: 1, end: 1, center: 0.5 }[this.textAlign] || 0;
    window.labels.push(text);
    if (this.getTransform().e + x - part * this.measureText(text).width < 0) window.cut.push(text);
    return plain.call(this, text, x, ...more);
  };
}"""


def test_a_log_axis_has_a_few_rising_ticks_wherever_it_begins(visitor):
    page = visitor.open()
    assert page.evaluate(SWEEP) == []
    assert page.evaluate("import('/static/ticks.js').then(made => made.logSplits(0.0958, 2.1))") == [
        0.1, 0.2, 0.5, 1, 2,
    ]  # fmt: skip
    count = page.evaluate("import('/static/ticks.js').then(made => made.logSplits(5e-324, 1.7e308).length)")
    assert 4 <= count <= 12


def test_every_range_has_a_bounded_count_of_ticks(visitor):
    page = visitor.open()
    counts = page.evaluate("""async () => {
      const { evenSplits, timeSplits } = await import('/static/ticks.js');
      const even = [
        [0, 1, 0.1], [2 ** 53 - 1, 2 ** 53, 1], [1e300, 2e300, 1e284], [-1, 1, 0], [0, Infinity, 1],
        [1, 1 + 1e-15, 1e-16],
      ];
      const times = [[0, 1.8e12, 1], [0, 8.6e15, 3600000], [-1e16, 1e16, 86400000], [NaN, 1, 1]];
      return [...even.map(given => evenSplits(...given).length), ...times.map(given => timeSplits(...given).length)];
    }""")
    assert counts[0] == 11
    assert all(count <= 400 for count in counts)


@pytest.mark.parametrize("size", [1e-300, 1e-18, 1.0, 1e18, 1e300])
def test_a_chart_of_any_size_of_numbers_has_labels(chromium, folder, size):
    with mlflow.start_run(run_name="run"):
        for step in range(10):
            mlflow.log_metric("even", (1 + step / 10) * size, step=step)
            mlflow.log_metric("wide", 4.0**step * size, step=step)
    with visited(chromium, folder) as visitor:
        visitor.page.add_init_script("(%s)()" % LABELS)
        page = visitor.open("#m=0")
        expect(page.locator(".card.drawn")).to_have_count(2)
        labels = set(page.evaluate("window.labels"))
        steps = set(map(str, range(10)))
        assert len(labels - steps) >= (4 if size != 1 else 2), labels


def test_no_label_of_numbers_that_are_close_to_each_other_is_cut(chromium, folder):
    with mlflow.start_run(run_name="run"):
        for step in range(10):
            mlflow.log_metric("acc", 0.9998 + step / 50000, step=step)
            mlflow.log_metric("far", -123456.5 - step / 20, step=step)
    with visited(chromium, folder) as visitor:
        visitor.page.add_init_script("(%s)()" % CUT)
        page = visitor.open("#m=0")
        expect(page.locator(".card.drawn")).to_have_count(2)
        assert "0.99985" in page.evaluate("window.labels")
        assert page.evaluate("window.cut") == []


@pytest.mark.parametrize("last", [0.105, 0.0105, 105.0])
def test_a_curve_that_falls_to_just_above_a_power_of_ten_is_drawn(chromium, folder, last):
    with mlflow.start_run(run_name="falling"):
        for step in range(100):
            mlflow.log_metric("loss", 20 * last - 19 * last * step / 99, step=step)
    with visited(chromium, folder) as visitor:
        page = visitor.open("#m=0")
        expect(page.locator(".card.drawn")).to_have_count(1)
        expect(page.locator(".card .flag")).to_be_visible()
        visitor.row("falling").click()
        expect(page.locator("article.run h1")).to_have_text("falling")


def test_clock_times_stand_below_a_chart_in_one_line_of_24_hours(chromium, folder):
    start = 1_795_975_200_000
    with mlflow.start_run(run_name="evening"):
        for step in range(72):
            mlflow.log_metric("loss", 1 / (1 + step), step=step, timestamp=start + step * 600_000)
    with visited(chromium, folder, timezone_id="Europe/Berlin") as visitor:
        visitor.page.add_init_script("(%s)()" % LABELS)
        page = visitor.open("#x=time")
        expect(page.locator(".card.drawn")).to_have_count(1)
        labels = [text for text in page.evaluate("window.labels") if re.search(r"[:-]\d\d", text)]
        assert labels
        assert all(re.fullmatch(r"\d\d:\d\d|\d{4}-\d\d-\d\d", text) for text in labels), labels


def test_the_frame_of_a_group_holds_its_band(chromium, folder):
    mlflow.set_experiment("spread")
    for seed in range(4):
        with mlflow.start_run():
            mlflow.log_params({"lr": 1, "seed": seed})
            for step in range(30):
                mlflow.log_metric("norm", 100 + 20 * seed, step=step)
    with visited(chromium, folder) as visitor:
        visitor.page.add_init_script("(%s)()" % LABELS)
        page = visitor.open("#g=lr")
        expect(page.locator(".card.drawn")).to_have_count(1)
        assert {"100", "160"} <= set(page.evaluate("window.labels"))


def test_explore_draws_values_that_are_great_and_close_to_each_other(chromium, folder):
    for number in range(8):
        with mlflow.start_run(run_name="run-%d" % number):
            mlflow.log_params({"offset": 10**16 + 2 * number, "wide": 10.0 ** (40 * number - 140)})
            mlflow.log_metric("loss", 1e16 + 2 * (number % 2))
    with visited(chromium, folder) as visitor:
        page = visitor.open("#v=explore")
        expect(page.locator("path.pl")).to_have_count(8)
        visitor.row("run-3").click()
        expect(page.locator("article.run h1")).to_have_text("run-3")
