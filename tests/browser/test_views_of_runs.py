"""Menus over the border, runs one after the other and beside each other, deleted runs, heads of runs, keys."""

import pytest
from browsing import visited
from playwright.sync_api import expect

from mini_mlflow.compat import mlflow


def test_a_menu_of_a_row_lies_over_the_border_between_the_panes_and_takes_the_click(chromium, sweep):
    with visited(chromium, sweep, viewport=(1100, 800)) as visitor:
        page = visitor.open("#w=36")
        row = page.locator("tr[data-id]").nth(3)
        row.hover()
        row.locator("[aria-label^='More for']").click()
        grip = page.locator(".grip").bounding_box()
        menu = page.locator(".menu").bounding_box()
        assert menu["x"] < grip["x"] - 6 < grip["x"] + 6 < menu["x"] + menu["width"]
        for down in (0.3, 0.5, 0.7, 0.9):
            place = [grip["x"], menu["y"] + menu["height"] * down]
            assert page.evaluate("([x, y]) => Boolean(document.elementFromPoint(x, y).closest('.menu'))", place)


def test_from_an_open_run_that_is_pinned_j_goes_to_the_row_below_it_and_through_each_run_once(visitor):
    page = visitor.open()
    names = visitor.names()
    for name in (names[4], names[9]):
        visitor.row(name).first.focus()
        page.keyboard.press("p")
    expect(page.locator("tr.pinned")).to_have_count(2)
    page.locator("tr.pinned").first.click()
    title = page.locator("article.run h1")
    seen = [names[4], names[9], names[0], names[1], names[2], names[3], names[5]]
    for name in seen:
        expect(title).to_have_text(name)
        page.keyboard.press("j")
    for name in [names[6], *reversed(seen)]:
        expect(title).to_have_text(name)
        page.keyboard.press("k")
    expect(title).to_have_text(names[4])


def test_times_that_read_the_same_are_no_difference(chromium, folder):
    mlflow.set_experiment("twins")
    for name in ("one", "two"):
        with mlflow.start_run(run_name=name):
            mlflow.log_param("lr", name)
            mlflow.log_metric("val/loss", 1.0)
    (root,) = [path for path in folder.iterdir() if path.name not in ("0", ".trash") and path.is_dir()]
    for number, run in enumerate(sorted(path for path in root.iterdir() if (path / "meta.yaml").exists())):
        lines = (run / "meta.yaml").read_text(encoding="utf-8").splitlines()
        given = {"start_time": "2026-03-01T10:00:00.%d00000Z", "end_time": "2026-03-01T10:00:01.%d00000Z"}
        for place, line in enumerate(lines):
            key = line.partition(":")[0]
            if key in given:
                lines[place] = '%s: "%s"' % (key, given[key] % (number + 1))
        (run / "meta.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with visited(chromium, folder) as visitor:
        page = visitor.open()
        for name in ("one", "two"):
            visitor.row(name).locator("input").click()
        page.keyboard.press("c")
        sheet = page.locator(".cmpt")
        expect(sheet).to_contain_text("Only what differs")
        expect(sheet).to_contain_text("lr")
        expect(sheet).not_to_contain_text("start time")
        expect(sheet).not_to_contain_text("end time")
        expect(sheet).not_to_contain_text("run time")
        sheet.locator("tfoot .link").click()
        expect(sheet).to_contain_text("start time")


def test_three_runs_with_long_names_beside_each_other_are_all_in_view(chromium, folder):
    mlflow.set_experiment("long")
    for number in range(3):
        with mlflow.start_run(run_name="warm-restart-from-checkpoint-%d" % number):
            mlflow.log_param("model", "resnet-50-pretrained-on-imagenet-%d" % number)
            mlflow.log_metric("val/loss", number)
    with visited(chromium, folder) as visitor:
        page = visitor.open()
        for number in range(3):
            visitor.row("checkpoint-%d" % number).locator("input").click()
        page.keyboard.press("c")
        expect(page.locator(".cmpt thead th")).to_have_count(4)
        assert page.locator(".sheet").evaluate("e => e.scrollWidth <= e.clientWidth")
        last = page.locator(".cmpt tbody tr", has_text="model").locator("td").last
        assert last.locator(".say").get_attribute("title").startswith("resnet-50-pretrained-on-imagenet-")


def test_from_deleted_runs_a_link_leads_back(visitor):
    page = visitor.open()
    visitor.row("zesty-run").locator("input").click()
    page.click(".selbar >> text=Delete")
    expect(page.locator(".total")).to_have_text("23 runs")
    page.click("button.exp")
    page.click(".menu >> text=Show deleted runs")
    expect(page.locator(".total")).to_have_text("1 deleted run")
    expect(page.locator(".card.drawn")).to_have_count(3)
    expect(page.locator(".foot")).to_contain_text("1 of 1 in charts")
    expect(page.locator(".card[data-metric='val/loss'] .out")).to_contain_text("min 0.")
    visitor.row("zesty-run").locator("input").click()
    page.click(".selbar >> text=Restore")
    expect(page.locator(".total")).to_have_text("0 deleted runs")
    page.click(".bar >> text=Show runs")
    expect(page.locator(".total")).to_have_text("24 runs")
    expect(page.locator(".bar >> text=Show runs")).to_have_count(0)


def test_the_deleted_runs_are_in_the_address_and_are_asked_for_once(visitor):
    page = visitor.open()
    visitor.row("zesty-run").locator("input").click()
    page.click(".selbar >> text=Delete")
    expect(page.locator(".total")).to_have_text("23 runs")
    visitor.row("amber-run").locator(".c-name").click()
    page.click("button.exp")
    page.click(".menu >> text=Show deleted runs")
    expect(page.locator(".total")).to_have_text("1 deleted run")
    assert visitor.hash() == "#y=deleted"
    page.go_back()
    expect(page.locator(".total")).to_have_text("23 runs")
    expect(page.locator(".runhead")).to_contain_text("amber-run")
    page.go_forward()
    expect(page.locator(".total")).to_have_text("1 deleted run")
    expect(page.locator(".runhead")).to_have_count(0)
    visitor.row("zesty-run").locator(".c-name").click()
    expect(page.locator(".runhead")).to_contain_text("zesty-run")
    view = visitor.hash()
    page.goto("about:blank")
    page = visitor.open(view)
    expect(page.locator(".total")).to_have_text("1 deleted run")
    expect(page.locator(".runhead")).to_contain_text("zesty-run")
    with page.expect_response(lambda answer: answer.url.endswith("api/live") and answer.status == 204):
        pass  # nothing is new
    page.fill(".filter input", "depth = ")
    expect(page.locator(".comp li")).to_have_text(["81 run"])
    page.click("article.run button:text-is('Restore')")
    expect(page.locator(".total")).to_have_text("0 deleted runs")


@pytest.mark.parametrize("size", [(360, 740), (720, 700), (3840, 2160)])
def test_a_name_of_eight_letters_stands_in_the_head_of_a_run_in_full(chromium, folder, size):
    mlflow.set_experiment("names")
    with mlflow.start_run(run_name="trial-02"):
        mlflow.log_metric("val/loss", 1.0, step=299)
    with visited(chromium, folder, viewport=size) as visitor:
        page = visitor.open()
        page.locator("tr[data-id], .cardlist .main").first.click()
        expect(page.locator(".runhead .meta")).to_contain_text("step 299")
        assert page.locator(".runhead h1").evaluate("e => e.scrollWidth <= e.clientWidth")
        assert page.locator(".runhead .meta").evaluate("e => e.scrollWidth <= e.clientWidth")
        boxes = [page.locator(".runhead " + each).bounding_box() for each in ("h1", ".meta")]
        assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"] + 1


def test_the_list_of_keys_has_no_line_that_runs_into_the_next(visitor):
    page = visitor.open()
    page.keyboard.press("?")
    lines = page.locator(".help div")
    assert lines.count() > 15
    boxes = [line.locator("dd").bounding_box() for line in lines.all()]
    for above, below in zip(boxes, boxes[1:]):
        assert above["y"] + above["height"] <= below["y"] + 0.5


def test_lines_of_very_many_runs_do_not_hide_each_other(chromium, folder):
    mlflow.set_experiment("many")
    for count, opacity in ((10, 0.95), (150, 0.5)):
        for number in range(count):
            with mlflow.start_run():
                mlflow.log_param("lr", number)
                mlflow.log_metric("loss", number % 7)
        with visited(chromium, folder) as visitor:
            lines = visitor.open("#v=explore").locator("path.pl")
            expect(lines).to_have_count(count if count == 10 else 160)
            assert lines.first.evaluate("e => Number(getComputedStyle(e).opacity)") == opacity


def test_a_run_that_diverged_stands_behind_the_others_with_its_nan_in_red(chromium, folder):
    mlflow.set_experiment("diverging")
    for name, values in (("sound", [0.5, 0.4]), ("lost", [0.5, 0.01, float("nan")]), ("poor", [0.9, 0.8])):
        with mlflow.start_run(run_name=name):
            for step, value in enumerate(values):
                mlflow.log_metric("loss", value, step=step)
    with visited(chromium, folder) as visitor:
        page = visitor.open()
        expect(page.locator(".card.drawn")).to_have_count(1)
        assert visitor.names() == ["sound", "poor", "lost"]
        expect(visitor.row("lost").locator("td.odd")).to_have_text("NaN")
        expect(visitor.row("lost").locator("td.odd")).to_have_attribute("title", "NaN from step 2")
        expect(page.locator("td.odd")).to_have_count(1)
        expect(page.locator(".card .out")).to_contain_text("min 0.4")
        visitor.row("lost").hover()
        expect(page.locator(".card .out")).to_contain_text("last NaN")
