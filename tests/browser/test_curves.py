"""Sections, x axes, log, smoothing, clipping, zoom, the shared cursor, full screen, PNG and CSV, gaps and NaN."""

import csv

import pytest
from browsing import visited
from playwright.sync_api import expect

from mini_mlflow.compat import mlflow

# What in the bars cannot be seen whole, by its text.
REACH = """() => [...document.querySelectorAll('.bar button, .bar input, .bar label')].filter(element => {
  const { left, right, width } = element.getBoundingClientRect();
  const bar = element.closest('.bar').getBoundingClientRect();
  return width && (left < bar.left - 7 || right > Math.min(bar.right, innerWidth) + 1);
}).map(element => element.textContent || element.ariaLabel)"""


def over(page, metric):
    return page.locator(".card[data-metric='%s'] .u-over" % metric)


def drag(page, metric, start=0.25, end=0.5):
    box = over(page, metric).bounding_box()
    page.mouse.move(box["x"] + box["width"] * start, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, box["y"] + 44, steps=5)
    page.mouse.up()


def test_charts_stand_in_sections_by_their_prefix(visitor):
    page = visitor.open()
    expect(page.locator(".sec h2").first).to_contain_text("val")
    assert [title.split()[0] for title in page.locator(".sec h2").all_inner_texts()] == ["val", "train"]


def test_a_drag_zooms_all_charts_and_a_double_click_zooms_out(visitor):
    page = visitor.open()
    expect(page.locator(".card.drawn")).to_have_count(3)
    drag(page, "val/loss")
    expect(page.locator(".zoomed")).to_contain_text("step 10–")
    assert "z=" in visitor.hash()
    over(page, "train/loss").dblclick()
    expect(page.locator(".zoomed")).to_have_count(0)


@pytest.mark.parametrize(("start", "end", "zoom"), [(0.6, 1.2, "23–39"), (0.4, -0.1, "0–16")])
def test_a_drag_that_ends_beyond_the_edge_zooms_up_to_it(visitor, start, end, zoom):
    page = visitor.open()
    expect(page.locator(".card.drawn")).to_have_count(3)
    drag(page, "val/loss", start, end)
    expect(page.locator(".zoomed")).to_contain_text("step " + zoom)


def test_a_drag_that_leaves_below_the_chart_zooms_to_where_it_was(visitor):
    page = visitor.open()
    expect(page.locator(".card.drawn")).to_have_count(3)
    box = over(page, "val/loss").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] + 30, steps=5)
    page.mouse.up()
    expect(page.locator(".zoomed")).to_contain_text("step 10–")


def test_the_tooltip_tells_of_the_step_under_the_pointer_where_any_run_has_it(chromium, folder):
    mlflow.set_experiment("uneven")
    for name, every in (("often", 1), ("seldom", 20)):
        with mlflow.start_run(run_name=name):
            for step in range(0, 41, every):
                mlflow.log_metric("val/loss", every / (step + 1), step=step)
    with visited(chromium, folder) as visitor:
        page = visitor.open()
        expect(page.locator(".card.drawn")).to_have_count(1)
        box = over(page, "val/loss").bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.35, box["y"] + 4)
        expect(page.locator("#tip")).to_contain_text("step 14")


def test_keys_mean_the_chart_under_the_pointer(visitor):
    page = visitor.open()
    expect(page.locator(".card.drawn")).to_have_count(3)
    over(page, "val/loss").click()
    over(page, "train/loss").hover()
    page.keyboard.press("l")
    page.wait_for_function("location.hash.includes('l=')")
    assert "l=train" in visitor.hash()
    page.keyboard.press("ArrowRight")  # the cursor of the chart that has the focus
    page.keyboard.press("f")
    expect(page.locator(".full")).to_have_attribute("aria-label", "Chart of val/loss")


@pytest.mark.parametrize("width", [760, 800, 1024, 1240, 1366, 1440])
def test_what_steers_the_charts_and_the_selection_is_within_reach_at_every_width(chromium, made, width):
    with visited(chromium, made, viewport=(width, 800), is_read_only=False) as visitor:
        page = visitor.open("#x=time&z=1700000000000,1700000090000&w=50")
        page.locator("tr[data-id] input").first.click()
        expect(page.locator(".selbar")).to_contain_text("1 selected")
        beyond = page.evaluate(REACH)
        assert beyond == []


def test_the_cursor_stands_at_the_same_place_in_all_charts(visitor):
    page = visitor.open()
    expect(page.locator(".card.drawn")).to_have_count(3)
    box = over(page, "val/loss").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
    expect(page.locator("#tip")).to_be_visible()
    page.wait_for_timeout(200)
    lefts = page.evaluate("""[...document.querySelectorAll('.u-cursor-x')].map(
      line => new DOMMatrix(getComputedStyle(line).transform).m41 / line.parentElement.clientWidth)""")
    assert len(lefts) == 3
    assert max(lefts) - min(lefts) < 0.01
    assert abs(lefts[0] - 0.5) < 0.02


def test_x_is_the_step_a_time_or_any_metric(visitor):
    page = visitor.open()
    for kind, text in (("relative time", "x=relative"), ("val/acc", "x=metrics.val/acc"), ("step", "")):
        page.click("#x-axis")
        page.locator(".menu .opt").filter(has=page.locator(".say", has_text=kind)).first.click()
        expect(page.locator("#x-axis b")).to_have_text(kind)
        assert text in visitor.hash()
        expect(page.locator(".card.drawn").first).to_be_visible()


def test_l_turns_the_y_axis_of_the_chart_under_the_pointer_into_a_log_axis(visitor):
    page = visitor.open()
    expect(page.locator(".card.drawn")).to_have_count(3)
    card = page.locator(".card[data-metric='val/acc']")
    expect(card.locator(".flag")).to_be_hidden()
    card.hover()
    page.keyboard.press("l")
    expect(card.locator(".flag")).to_be_visible()
    assert "l=val/acc" in visitor.hash()


def test_smoothing_changes_the_curve_and_never_the_values(visitor):
    page = visitor.open("#n=1")
    expect(page.locator(".card.drawn")).to_have_count(3)
    box = over(page, "train/loss").bounding_box()

    def value():
        page.mouse.move(2, 2)
        page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 30)
        expect(page.locator("#tip")).to_be_visible()
        return page.locator("#tip .tr .r").inner_text()

    picture = "document.querySelector(\".card[data-metric='train/loss'] canvas\").toDataURL()"
    before, drawn = value(), page.evaluate(picture)
    page.locator(".slide input").fill("15")
    expect(page.locator(".slide output")).to_have_text("15 %")
    page.wait_for_timeout(300)
    assert page.evaluate(picture) != drawn
    assert value() == before


def test_clipping_leaves_outliers_out_and_can_be_switched_off(chromium, folder):
    with mlflow.start_run(run_name="spiky"):
        for step in range(200):
            mlflow.log_metric("loss", 1000.0 if step == 150 else 1 + step / 200, step=step)
    with visited(chromium, folder) as visitor:
        page = visitor.open()
        expect(page.locator(".card.drawn")).to_have_count(1)
        picture = "document.querySelector('.card canvas').toDataURL()"
        clipped = page.evaluate(picture)
        page.click("text=Clip outliers")
        page.wait_for_timeout(300)
        assert page.evaluate(picture) != clipped
        assert "u=1" in visitor.hash()


def test_nan_and_gaps_are_told_and_not_bridged(chromium, folder):
    with mlflow.start_run(run_name="diverged"):
        for step in range(100):
            mlflow.log_metric("loss", float("nan") if step > 60 else 2 - step / 100, step=step)
    with mlflow.start_run(run_name="with-gap"):
        for step in (*range(30), *range(70, 100)):
            mlflow.log_metric("loss", 1.0, step=step)
    with visited(chromium, folder) as visitor:
        page = visitor.open()
        expect(visitor.row("diverged").get_by_title("NaN from step 61")).to_have_text("NaN")
        expect(page.locator(".card.drawn")).to_have_count(1)
        box = over(page, "loss").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 10)
        expect(page.locator("#tip .tf")).to_contain_text("1 without a value")


def test_the_lines_of_twenty_runs_have_twenty_colours_that_stay(visitor):
    page = visitor.open()
    colors = """[...document.querySelectorAll('tr[data-id]:not(.dim) .swatch')].map(
      e => [e.getAttribute('aria-label'), e.style.getPropertyValue('--c')])"""
    before = dict(page.evaluate(colors))
    assert len(set(before.values())) == len(before) == 20
    page.click("thead .key:has-text('val/loss')")
    page.click("thead .key:has-text('val/loss')")
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("val/loss")
    after = dict(page.evaluate(colors))
    assert all(after[name] == before[name] for name in before.keys() & after.keys())


def test_a_chart_fills_the_screen_and_comes_back(visitor):
    page = visitor.open()
    expect(page.locator(".card.drawn")).to_have_count(3)
    page.locator(".card[data-metric='val/loss']").hover()
    page.keyboard.press("f")
    expect(page.locator(".full .card.drawn")).to_have_count(1)
    assert page.locator(".full .card").bounding_box()["width"] > 1300
    page.keyboard.press("Escape")
    expect(page.locator(".full")).to_have_count(0)


def test_a_chart_is_saved_as_a_picture_and_as_values(visitor):
    page = visitor.open()
    expect(page.locator(".card.drawn")).to_have_count(3)
    card = page.locator(".card[data-metric='val/loss']")
    saved = []
    for what in ("Picture (PNG)", "Values (CSV)"):
        card.hover()
        card.locator("[aria-label='Save as PNG or CSV']").click()
        with page.expect_download() as download:
            page.locator(".menu .opt", has_text=what).click()
        saved.append(download.value.path())
    with open(saved[0], "rb") as file:
        assert file.read(8) == b"\x89PNG\r\n\x1a\n"
    with open(saved[1], encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.reader(file))) == 1 + 20 * 40


def test_a_chart_is_found_by_a_part_of_its_name(visitor):
    page = visitor.open()
    page.locator(".find input").fill("acc")
    expect(page.locator(".card")).to_have_count(1)


def test_arrow_keys_move_the_cursor_of_a_chart(visitor):
    page = visitor.open()
    expect(page.locator(".card.drawn")).to_have_count(3)
    page.locator(".card[data-metric='val/loss'] .plot").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tip .th")).to_contain_text("step 0")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#tip .th")).to_contain_text("step 10")
    page.keyboard.press("Escape")
    expect(page.locator("#tip")).to_be_hidden()


# Where a line of a colour is in a column of pixels of a canvas: the middle of the pixels of nearly that colour.
LINE_AT = """([selector, color, part]) => {
  const canvas = document.querySelector(selector);
  const x = Math.round(canvas.width * part);
  const data = canvas.getContext('2d').getImageData(x, 0, 1, canvas.height).data;
  const [r, g, b] = color.match(/\\d+/g).map(Number);
  const found = [];
  for (let y = 0; y < canvas.height; y += 1) {
    const [p, q, s, a] = data.slice(4 * y, 4 * y + 4);
    if (a > 240 && Math.abs(p - r) + Math.abs(q - g) + Math.abs(s - b) < 30) found.push(y);
  }
  return found.length ? found.reduce((sum, y) => sum + y, 0) / found.length : null;
}"""


def test_the_line_of_a_hovered_group_lies_on_its_line_in_a_chart_with_a_log_axis(visitor):
    page = visitor.open("#g=auto")
    expect(page.locator(".card.drawn")).to_have_count(3)
    card = ".card[data-metric='train/loss']"
    expect(page.locator(card + " .flag")).to_be_visible()
    group = page.locator("tr[data-id]").first  # its line lies on top
    color = group.locator(".swatch").evaluate("element => getComputedStyle(element).getPropertyValue('--c')")
    color = page.evaluate(
        "color => { const i = document.createElement('i'); i.style.color = color; document.body.append(i);"
        " const found = getComputedStyle(i).color; i.remove(); return found; }",
        color,
    )
    parts = (0.3, 0.6, 0.9)
    drawn = [page.evaluate(LINE_AT, [card + " canvas:not(.veil)", color, part]) for part in parts]
    group.hover()
    shown = [page.evaluate(LINE_AT, [card + " canvas.veil", color, part]) for part in parts]
    assert all(abs(one - other) <= 2 for one, other in zip(drawn, shown)), (drawn, shown)
    assert drawn[-1] - drawn[0] > 40  # it falls


def test_means_in_a_range_too_narrow_for_32_bits_are_read_as_they_were_sent(chromium, folder):
    mlflow.set_experiment("narrow")
    for number in range(4):
        with mlflow.start_run():
            mlflow.log_params({"lr": number // 2, "seed": number % 2})
            for step in range(50):
                mlflow.log_metric("m", 1 + step * 1e-8 + number * 1e-9, step=step)
    with visited(chromium, folder) as visitor:
        page = visitor.open("#g=auto")
        expect(page.locator(".card.drawn")).to_have_count(1)
        box = page.locator(".card .u-over").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.locator("#tip .tr")).to_have_count(2)
        assert [float(text) for text in page.locator("#tip .tr .r").all_inner_texts()] == [1.0, 1.0]
