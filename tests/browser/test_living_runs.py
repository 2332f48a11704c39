"""What a page does while trainings go on."""

import re

import pytest
from browsing import visited
from playwright.sync_api import expect

from mini_mlflow.compat import mlflow


@pytest.fixture
def living(folder):
    mlflow.set_experiment("living")
    for number in range(30):
        with mlflow.start_run(run_name="ended-%02d" % number):
            for step in range(10):
                mlflow.log_metric("loss", 10 + number - step / 10, step=step)
    mlflow.start_run(run_name="running")
    for step in range(10):
        mlflow.log_metric("loss", 5 - step / 10, step=step)
    return folder


def test_new_values_appear_by_themselves_and_only_they_are_sent(chromium, living):
    with visited(chromium, living) as visitor:
        page = visitor.open()
        expect(page.locator(".card.drawn")).to_have_count(1)
        expect(page.locator(".out")).to_contain_text("min 4.100")
        page.wait_for_timeout(2500)
        visitor.requests.clear()
        for step in range(10, 20):
            mlflow.log_metric("loss", 5 - step / 10, step=step)
        expect(page.locator(".out")).to_contain_text("min 3.100", timeout=4500)
        assert not any(url.endswith("api/series") for url in visitor.requests)


def test_news_move_neither_selection_nor_zoom_nor_scroll(chromium, living):
    with visited(chromium, living) as visitor:
        page = visitor.open()
        expect(page.locator(".card.drawn")).to_have_count(1)
        visitor.row("ended-03").locator("input").click()
        page.evaluate("location.hash += '&z=2,8'")
        expect(page.locator(".zoomed")).to_be_visible()
        page.locator(".tbl").evaluate("box => { box.scrollTop = 84; }")
        page.wait_for_timeout(2500)
        for step in range(10, 20):
            mlflow.log_metric("loss", 5 - step / 10, step=step)
        expect(visitor.row("running").locator("td.sorted")).to_contain_text("3.1", timeout=8000)
        assert page.locator(".tbl").evaluate("box => box.scrollTop") == 84
        expect(page.locator(".zoomed")).to_contain_text("step 2–8")
        expect(page.locator(".selbar")).to_contain_text("1 selected")


def test_a_chart_does_not_move_under_the_pointer_and_runs_on_when_it_has_left(chromium, living):
    with visited(chromium, living) as visitor:
        page = visitor.open()
        expect(page.locator(".card.drawn")).to_have_count(1)
        box = page.locator(".u-over").bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 10)
        expect(page.locator("#tip")).to_contain_text("step")
        labels = "() => [...document.querySelectorAll('.u-cursor-x')].map(line => getComputedStyle(line).transform)"
        before, tip = page.evaluate(labels), page.locator("#tip").inner_text()
        for step in range(10, 60):
            mlflow.log_metric("loss", 5 - step / 10, step=step)
        expect(visitor.row("running").locator("td.sorted")).to_contain_text("−0.9", timeout=8000)
        page.wait_for_timeout(500)
        assert page.evaluate(labels) == before
        assert page.locator("#tip").inner_text().splitlines()[0] == tip.splitlines()[0]
        page.mouse.move(box["x"] + box["width"] * 0.5, 5)
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 10)
        expect(page.locator("#tip")).to_contain_text(re.compile("step (29|30)"))


def test_rows_do_not_move_under_the_pointer(chromium, living):
    with visited(chromium, living) as visitor:
        page = visitor.open()
        expect(page.locator("tr[data-id]").nth(1)).to_be_visible()
        before = visitor.names()
        visitor.row(before[2]).hover()
        with mlflow.start_run(run_name="better", nested=True):
            mlflow.log_metric("loss", 0.1)
        page.wait_for_timeout(5000)
        assert visitor.names()[:5] == before[:5]
        page.mouse.move(1000, 5)
        expect(page.locator("tr[data-id]").first).to_contain_text("better", timeout=6000)


def test_statuses_are_told_apart_by_shape_and_by_word(chromium, folder):
    mlflow.set_experiment("statuses")
    for status in ("FINISHED", "FAILED", "KILLED"):
        mlflow.start_run(run_name=status.lower())
        mlflow.end_run(status)
    mlflow.start_run(run_name="running")
    with visited(chromium, folder) as visitor:
        page = visitor.open()
        expect(visitor.row("running")).to_be_visible()
        marks = page.evaluate("""[...document.querySelectorAll('tr[data-id] .mark svg')].map(
          svg => [svg.getAttribute('aria-label'), svg.innerHTML])""")
        assert sorted(word for word, _ in marks) == ["Failed", "Finished", "Killed", "Running"]
        assert len({shape for _, shape in marks}) == 4


def test_a_page_that_nothing_happens_on_asks_little_and_gets_nothing(chromium, sweep):
    with visited(chromium, sweep) as visitor:
        page = visitor.open()
        expect(page.locator(".card.drawn")).to_have_count(3)
        page.wait_for_timeout(4500)
        statuses = []
        page.on("response", lambda answer: statuses.append((answer.url.rpartition("/")[2], answer.status)))
        page.wait_for_timeout(6500)
        assert 2 <= len(statuses) <= 4
        assert set(statuses) == {("live", 204)}


def test_a_server_that_is_gone_is_told_and_all_stays_usable(chromium, sweep):
    with visited(chromium, sweep) as visitor:
        page = visitor.open()
        expect(page.locator(".card.drawn")).to_have_count(3)
        visitor.forgiven.append("net::ERR_")  # what nobody answers any more
        visitor.server.server.stop()
        expect(page.locator(".live.off")).to_contain_text("Not connected since", timeout=20000)
        page.locator("tr[data-id]").nth(3).hover()
        expect(page.locator("tr.hot")).to_have_count(1)
