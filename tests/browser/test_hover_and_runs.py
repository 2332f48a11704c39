"""Row to line and line to row; one run in detail; what differs between several; parallel coordinates and scatter."""

import re

import pytest
from browsing import log_curves, visited
from playwright.sync_api import expect

from mini_mlflow.compat import mlflow

# Whether anything is painted on the canvas above a chart.
IS_VEILED = """key => {
  const canvas = document.querySelector(`.card[data-metric="${key}"] canvas.veil`);
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return data.some(value => value !== 0);
}"""


def veiled(page, metric):
    return page.evaluate(IS_VEILED, metric)


def draws(page):
    """Count how often a chart itself is drawn from now on; the canvas above it is not its own."""
    page.evaluate("""() => {
      window.drawn = 0;
      const stroke = CanvasRenderingContext2D.prototype.stroke;
      CanvasRenderingContext2D.prototype.stroke = function (...given) {
        if (!this.canvas.classList.contains('veil')) window.drawn += 1;
        return stroke.apply(this, given);
      };
    }""")


def test_a_hovered_row_stands_out_in_every_chart_and_nothing_is_drawn_anew(visitor):
    page = visitor.open()
    expect(page.locator(".card.drawn")).to_have_count(3)
    page.wait_for_timeout(300)
    draws(page)
    page.locator("tr[data-id]").nth(2).hover()
    assert all(veiled(page, key) for key in ("val/loss", "val/acc", "train/loss"))
    page.mouse.move(2, 2)
    assert not veiled(page, "val/loss")
    assert page.evaluate("window.drawn") == 0


def test_the_nearest_line_lights_up_its_row(visitor):
    page = visitor.open()
    expect(page.locator(".card.drawn")).to_have_count(3)
    box = page.locator(".card[data-metric='val/loss'] .u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] - 14)
    expect(page.locator("tr.hot")).to_have_count(1)
    name = page.locator("tr.hot .c-name bdi").inner_text()
    expect(page.locator("#tip .hot")).to_contain_text(name)
    page.mouse.move(2, 2)
    expect(page.locator("tr.hot")).to_have_count(0)
    expect(page.locator("#tip")).to_be_hidden()


def test_the_tooltip_is_sorted_best_first_and_never_covers_its_chart(visitor):
    page = visitor.open()
    expect(page.locator(".card.drawn")).to_have_count(3)
    for metric, sign in (("val/loss", 1), ("val/acc", -1)):
        box = page.locator(".card[data-metric='%s'] .u-over" % metric).bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 4)
        expect(page.locator("#tip .th")).to_contain_text(metric)
        values = [sign * float(text) for text in page.locator("#tip .tr .r").all_inner_texts()]
        assert len(values) > 5
        assert values == sorted(values)
        card = page.locator(".card[data-metric='%s']" % metric).bounding_box()
        tip = page.locator("#tip").bounding_box()
        assert tip["x"] + tip["width"] <= card["x"] + 1 or tip["x"] >= card["x"] + card["width"] - 1


def test_in_full_screen_the_tooltip_stands_beside_the_cursor(visitor):
    page = visitor.open("#f=val/loss")
    expect(page.locator(".full .card.drawn")).to_have_count(1)
    box = page.locator(".full .u-over").bounding_box()
    for part, is_right in ((0.3, True), (0.8, False)):
        x = box["x"] + box["width"] * part
        page.mouse.move(x, box["y"] + box["height"] / 2)
        expect(page.locator("#tip")).to_be_visible()
        page.wait_for_timeout(250)
        tip = page.locator("#tip").bounding_box()
        assert 5 < (tip["x"] - x if is_right else x - tip["x"] - tip["width"]) < 60
        assert tip["y"] >= box["y"] - 1  # not over what stands above the chart


def test_a_chart_without_the_hovered_run_is_veiled_and_tells_no_value_of_another(chromium, folder):
    for name, metrics in (("both", ("loss", "grad")), ("loss-alone", ("loss",))):
        with mlflow.start_run(run_name=name):
            for step in range(20):
                mlflow.log_metrics(dict.fromkeys(metrics, 1 / (1 + step)), step=step)
    with visited(chromium, folder) as visitor:
        page = visitor.open()
        expect(page.locator(".card.drawn")).to_have_count(2)
        veiled = """key => {
          const veil = document.querySelector(`.card[data-metric='${key}'] canvas.veil`);
          const { data } = veil.getContext('2d').getImageData(veil.width / 2, veil.height / 2, 1, 1);
          return data[3] > 0;
        }"""
        out = page.locator(".card[data-metric='grad'] .out")
        expect(out).to_contain_text("0.05000")
        for name, is_there in (("both", True), ("loss-alone", False)):
            visitor.row(name).hover()
            expect(page.locator("tr.hot")).to_contain_text(name)
            assert page.evaluate(veiled, "loss")
            assert page.evaluate(veiled, "grad")
            expect(out).to_have_text(re.compile("0.05000" if is_there else r"^\s*$"))
        page.mouse.move(1000, 5)
        expect(out).to_contain_text("0.05000")
        assert not page.evaluate(veiled, "grad")


def test_a_run_that_failed_says_why_below_its_name(chromium, folder, monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_PROVENANCE", "on")
    mlflow.set_experiment("failing")
    with pytest.raises(ValueError, match="shapes"), mlflow.start_run(run_name="bad"):
        mlflow.log_metric("loss", 0.5)
        raise ValueError("<b>shapes</b> differ")
    with visited(chromium, folder) as visitor:
        page = visitor.open()
        visitor.row("bad").click()
        expect(page.locator("article.run .fell.FAILED")).to_have_text(
            re.compile(r"^ValueError: <b>shapes</b> differ \(test_hover_and_runs\.py:\d+\)$")
        )


def test_a_click_opens_a_run_with_params_metrics_provenance_and_files(chromium, folder, tmp_path):
    with mlflow.start_run(run_name="with-files"):
        mlflow.log_params({"lr": 0.1})
        log_curves(0.003, 8, 0)
        mlflow.log_text("hello <b>there</b>", "notes.txt")
        mlflow.log_text("a,b\n1,2\n", "table.csv")
    with visited(chromium, folder) as visitor:
        page = visitor.open()
        visitor.row("with-files").click()
        run = page.locator("article.run")
        expect(run.locator("h1")).to_have_text("with-files")
        expect(run).to_contain_text("Finished")
        expect(run.locator(".kv")).to_have_count(2)
        expect(run.locator(".mini tbody tr")).to_have_count(3)
        assert run.locator("svg.spark path").count() == 3
        expect(run).to_contain_text("Provenance")
        run.locator(".files button", has_text="notes.txt").click()
        expect(run.locator(".preview pre")).to_have_text("hello <b>there</b>")
        run.locator(".files button", has_text="table.csv").click()
        expect(run.locator(".preview td").first).to_have_text("1")
        expect(visitor.row("with-files")).to_be_visible()  # the table stays
        page.keyboard.press("Escape")
        expect(run).to_have_count(0)


def test_j_and_k_go_to_the_next_run_without_closing(visitor):
    page = visitor.open()
    names = visitor.names()
    page.locator("tr[data-id]").first.click()
    expect(page.locator("article.run h1")).to_have_text(names[0])
    page.keyboard.press("j")
    expect(page.locator("article.run h1")).to_have_text(names[1])
    page.keyboard.press("k")
    expect(page.locator("article.run h1")).to_have_text(names[0])


def test_two_runs_compared_show_what_differs_and_only_that(visitor):
    page = visitor.open()
    visitor.row("quiet-run").locator("input").click()
    visitor.row("amber-run").locator("input").click()
    page.click(".selbar >> text=Compare")
    sheet = page.locator(".cmpt")
    expect(sheet).to_contain_text("Only what differs")
    expect(sheet.locator("tbody")).to_contain_text("lr")
    expect(sheet.locator("tbody")).to_contain_text("val/loss")
    expect(sheet.locator("tbody")).not_to_contain_text("optimizer")
    expect(sheet.locator(".bw").first).to_have_text("worse")
    expect(page.locator(".cmp .card")).to_have_count(2)
    sheet.locator("tfoot .link").click()
    expect(sheet.locator("tbody")).to_contain_text("optimizer")


def test_three_runs_have_a_column_each_and_no_difference(visitor):
    page = visitor.open()
    for name in ("quiet-run", "amber-run", "calm-run"):
        visitor.row(name).locator("input").click()
    page.keyboard.press("c")
    expect(page.locator(".cmpt thead th")).to_have_count(4)


def test_a_brush_on_an_axis_keeps_runs_and_becomes_a_filter(visitor):
    page = visitor.open("#v=explore")
    lines = page.locator("path.pl")
    expect(lines).to_have_count(24)
    visitor.brush()
    expect(page.locator(".bcount")).to_contain_text("of 24 inside")
    inside = int(page.locator(".bcount").inner_text().split()[0])
    assert 0 < inside < 24
    expect(page.locator("path.pl.out-side")).to_have_count(24 - inside)
    expect(page.locator("tr[data-id].beyond")).to_have_count(24 - inside)
    expect(page.locator(".pt.out-side")).to_have_count(2 * (24 - inside))
    page.click("text=Keep as filter")
    expect(page.locator(".total")).to_have_text("%d runs" % inside if inside > 1 else "1 run")


@pytest.mark.parametrize("key", ["depth", "val/loss"])
def test_a_scatter_takes_any_two_values(visitor, key):
    page = visitor.open("#v=explore")
    expect(page.locator("circle.pt")).to_have_count(48)
    page.locator(".pick[aria-label^=Across]").first.click()
    page.locator(".menu .opt", has_text=key).click()
    expect(page.locator(".pick[aria-label^=Across]").first).to_have_text(key)
    page.locator("circle.pt").last.hover()
    expect(page.locator("tr.hot")).to_have_count(1)
