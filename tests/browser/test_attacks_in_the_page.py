"""What strangers write into runs stays text in every corner of the page."""

import pytest
from browsing import visited
from playwright.sync_api import expect

from mini_mlflow.compat import mlflow

EVIL = "<img src=x onerror=alert(1)>"
KEY = "a/<b onmouseover=alert(2)>x"


@pytest.fixture
def hostile(folder):
    """A store whose names, values, tags and notes are markup, written past the checks of names where it takes that."""
    import json

    mlflow.set_experiment(EVIL)
    for number in range(3):
        with mlflow.start_run(run_name=EVIL + str(number)) as run:
            mlflow.log_params({"p": EVIL + str(number), "__proto__": str(number), "toString": "1"})
            mlflow.log_param("constructor", "x%d" % number)
            mlflow.set_tag("t", EVIL)
            mlflow.set_tag("mlflow.note.content", "[x](javascript:alert(3)) ![](http://evil.example/p) " + EVIL)
            mlflow.set_tag("mlflow.user", EVIL)
            for step in range(5):
                mlflow.log_metric("__proto__", step + number, step=step)
                mlflow.log_metric("loss", 1 / (step + 1) + number, step=step)
            mlflow.log_text(EVIL, "page.html")
        place = next(folder.glob("*/" + run.info.run_id))
        for file in place.glob("metrics/loss*"):
            evil = file.with_name("evil.json")
            evil.write_text(file.read_text().replace(json.dumps("loss"), json.dumps("a/<b>x"), 1))
    return folder


def test_c01_markup_in_names_keys_values_and_tags_is_text_everywhere(chromium, hostile):
    with visited(chromium, hostile) as visitor:
        page = visitor.open()
        expect(visitor.row(EVIL + "0")).to_be_visible()
        expect(page.locator(".card.drawn").first).to_be_visible()
        assert EVIL in page.title()
        box = page.locator(".card.drawn .u-over").first.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.locator("#tip")).to_contain_text(EVIL)
        page.mouse.move(2, 2)
        page.fill("#filter", EVIL)
        page.keyboard.press("Enter")
        expect(page.locator(".ferr")).to_contain_text("<img")
        page.click(".filter .clr")
        visitor.row(EVIL + "0").click()
        expect(page.locator("article.run h1")).to_have_text(EVIL + "0")
        expect(page.locator(".note p")).to_contain_text("javascript:alert(3)")
        page.keyboard.press("Escape")
        for number in range(2):
            visitor.row(EVIL + str(number)).locator("input").click()
        page.keyboard.press("c")
        expect(page.locator(".cmpt")).to_contain_text(EVIL)
        page.keyboard.press("2")
        expect(page.locator("path.pl").first).to_be_attached()
        page.keyboard.press("1")
        page.click(".exp")
        expect(page.locator(".menu")).to_contain_text(EVIL)
        assert page.locator("img, b[onmouseover]").count() == 0
        assert all(url.startswith((visitor.address, "blob:")) for url in visitor.requests)


def test_c05_a_note_is_text_and_fetches_nothing(chromium, hostile):
    with visited(chromium, hostile) as visitor:
        page = visitor.open()
        visitor.row(EVIL + "1").click()
        expect(page.locator(".note p")).to_contain_text("![](http://evil.example/p)")
        assert page.locator(".note a, .note img").count() == 0
        assert not any("evil.example" in url for url in visitor.requests)


def test_b11_keys_that_objects_have_by_themselves_are_plain_names_and_draw(chromium, hostile):
    with visited(chromium, hostile) as visitor:
        page = visitor.open()
        expect(page.locator(".card.drawn[data-metric='__proto__']")).to_have_count(1)
        expect(page.locator("thead .key:has-text('constructor')")).to_have_count(1)


def test_c13_names_that_turn_the_writing_round_are_isolated_and_twins_are_told_apart_by_id(chromium, folder):
    names = ["plain", "\u202eevil", "a\u200bb", "z" + "\u0301" * 500, "twin", "twin"]
    for name in names:
        with mlflow.start_run(run_name=name):
            mlflow.log_metric("loss", 1.0)
    with visited(chromium, folder) as visitor:
        page = visitor.open()
        expect(page.locator("tr[data-id]")).to_have_count(6)
        names_shown = page.locator("tbody .c-name bdi")
        isolated = names_shown.evaluate_all("all => all.map(e => getComputedStyle(e).unicodeBidi)")
        assert set(isolated) == {"isolate"}
        rows = page.locator("tbody tr[data-id]")
        heights = rows.evaluate_all("all => all.map(e => e.getBoundingClientRect().height)")
        assert set(heights) == {28}
        ids = visitor.row("twin").locator("code").all_inner_texts()
        assert len(set(ids)) == 2


def test_c12_a_thousand_metrics_and_long_names_leave_the_page_alive(chromium, folder):
    with mlflow.start_run(run_name="n" * 5000):
        mlflow.log_metrics({"group/%04d" % number: number for number in range(1000)}, step=1)
    with visited(chromium, folder) as visitor:
        page = visitor.open()
        expect(page.locator(".card.drawn").first).to_be_visible()
        page.locator(".find input").fill("0999")
        expect(page.locator(".card.drawn[data-metric='group/0999']")).to_have_count(1)
