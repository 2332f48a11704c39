"""A report opened from a file: it is the page, it needs nobody, and nothing in it runs but its own script."""

import re
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from browsing import Visitor
from playwright.sync_api import expect

import mini_mlflow
from mini_mlflow.compat import mlflow
from mini_mlflow.ui import report as reports
from mini_mlflow.ui.api import histories, requests, runs
from mini_mlflow.ui.api.stores import Stores

EVIL = "</script><!--<script>\u2028<img src=x onerror=\"document.title='evil'\"><script>document.title='evil'</script>"


def write(folder, path, *, provenance=False):
    found = mini_mlflow.search_runs(output_format="list", search_all_experiments=True, runs_dir=str(folder))
    places = [(each.info.experiment_id, each.info.run_id) for each in found]
    reports.write_report(
        str(folder), places, str(path), now_ms=int(time.time() * 1000), has_provenance=provenance, is_replaced=True
    )
    return Path(str(path)).as_uri()


@contextmanager
def opened(chromium, address, viewport=(1440, 900), **about):
    """Lend a visitor of a report; a complaint of the browser or a request beside that for the file fails the test."""
    context = chromium.new_context(viewport={"width": viewport[0], "height": viewport[1]}, **about)
    visitor = Visitor(context.new_page(), address)
    try:
        yield visitor
        assert not visitor.complaints
        assert {each.partition("#")[0] for each in visitor.requests if not each.startswith("data:")} == {address}
    finally:
        context.close()


@pytest.fixture(scope="module")
def address(made, tmp_path_factory):
    """The report of the sweep."""
    return write(made, tmp_path_factory.mktemp("report") / "sweep.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_draws_the_charts_of_its_runs_in_light_and_dark(chromium, address, scheme):
    with opened(chromium, address, color_scheme=scheme) as visitor:
        page = visitor.open()
        expect(page.locator("tr[data-id]")).to_have_count(24)
        expect(page.locator(".card.drawn")).to_have_count(3)
        expect(page.locator("header.top")).to_contain_text(re.compile(r"Report of \d{4}-\d\d-\d\d"))
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        levels = [int(each) for each in re.findall(r"\d+", color)[:3]]
        assert (sum(levels) > 600) == (scheme == "light")
        inked = """() => [...document.querySelectorAll('.card canvas:not(.veil)')].map(canvas => {
          const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
          let count = 0;
          for (let i = 3; i < data.length; i += 4) count += data[i] > 0;
          return count;
        })"""
        assert min(page.evaluate(inked)) > 500


def test_what_needs_a_server_is_absent_and_not_grey(chromium, address):
    with opened(chromium, address) as visitor:
        page = visitor.open()
        expect(page.locator(".card.drawn")).to_have_count(3)
        for selector in ("#filter", "#group", "#x-axis", ".live i", "[aria-label='Export CSV']", "button:disabled"):
            expect(page.locator(selector)).to_have_count(0)
        page.keyboard.press("?")
        keys = page.locator(".help dt").all_inner_texts()
        assert "F2" not in keys
        assert "/" not in keys
        assert "j\nk" in keys or "jk" in keys or "j k" in keys
        page.keyboard.press("Escape")
        page.locator("tr[data-id]").first.focus()
        page.keyboard.press("F2")
        expect(page.locator("input.rename")).to_have_count(0)
        page.keyboard.press("x")
        bar = page.locator(".selbar")
        expect(bar).to_contain_text("1 selected")
        for word in ("Tag", "Delete"):
            expect(bar.get_by_role("button", name=word)).to_have_count(0)


def test_a_hovered_row_stands_out_in_every_chart(chromium, address):
    veiled = """() => [...document.querySelectorAll('canvas.veil')].map(canvas =>
      canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(value => value !== 0))"""
    with opened(chromium, address) as visitor:
        page = visitor.open()
        expect(page.locator(".card.drawn")).to_have_count(3)
        page.locator("tr[data-id]").nth(2).hover()
        assert page.evaluate(veiled) == [True, True, True]
        page.mouse.move(2, 2)
        assert page.evaluate(veiled) == [False, False, False]


def test_a_click_on_a_column_sorts_and_the_address_holds_it(chromium, address):
    with opened(chromium, address) as visitor:
        page = visitor.open()
        expect(page.locator("tr[data-id]")).to_have_count(24)
        page.locator("th button.key", has_text="name").click()
        expect(page.locator("th.c-name")).to_have_attribute("aria-sort", "ascending")
        expect(page.locator("tbody .c-name bdi").first).to_have_text("amber-run")
        page.locator("th button.key", has_text="name").click()
        expect(page.locator("tbody .c-name bdi").first).to_have_text("zesty-run")
        assert visitor.hash() == "#s=-name"
        page.reload()
        expect(page.locator("tbody .c-name bdi").first).to_have_text("zesty-run")


def test_every_column_sorts_as_the_server_sorts_it(chromium, folder, tmp_path):
    values = [0.5, "high", float("nan"), 2, None, True, "Low", float("-inf"), "10", 1e300, "NaN", "Infinity", 2**60]
    mlflow.set_experiment("mixed")
    for number, value in enumerate(values):
        with mlflow.start_run(run_name="run-%d" % (number * 7 % 13)):
            mlflow.log_param("only", number % 3)
            if value is not None:
                mlflow.log_param("mixed", value)
            if number % 4:
                mlflow.log_metric("m", [1.0, float("nan"), -3.0, float("inf")][number % 4], step=1)
                mlflow.log_metric("m", number % 3, step=2)
            if number % 2:
                mlflow.set_tag("stage", "\U0001f600" if number % 3 else "\uffee")
    page_address = write(folder, tmp_path / "mixed.html")
    stores, kept = Stores([str(folder)]), histories.Histories()
    ref = "0/%s" % mini_mlflow.get_experiment_by_name("mixed").experiment_id
    names = [
        "params.mixed",
        "params.only",
        "metrics.m",
        "min(m)",
        "max(m)",
        "mean(m)",
        "tags.stage",
        "name",
        "duration",
    ]
    with opened(chromium, page_address) as visitor:
        page = visitor.open()
        for name in names:
            for sign, way in (("", "ASC"), ("-", "DESC")):
                body = requests.Body({"experiments": [ref], "order": ["%s %s" % (name, way)], "limit": 100})
                expected = runs.read_runs(stores, kept, body, int(time.time() * 1000))["rows"]["id"]
                page.evaluate("hash => { location.hash = hash; }", "s=%s%s" % (sign, name))
                page.wait_for_function(
                    "ids => [...document.querySelectorAll('tr[data-id]')].map(row => row.dataset.id.split('/')[2])"
                    ".join() === ids.join()",
                    arg=expected,
                )


def test_a_run_opens_with_its_params_and_metrics_and_no_word_of_where_it_comes_from(chromium, address):
    with opened(chromium, address) as visitor:
        page = visitor.open()
        page.locator("tr[data-id]", has_text="amber-run").locator(".c-name").click()
        sheet = page.locator("article.run")
        expect(sheet).to_contain_text("optimizer")
        expect(sheet.locator("svg.spark path").first).to_have_attribute("d", re.compile("^M.*L"))
        expect(sheet.get_by_text("Files", exact=True)).to_have_count(0)
        expect(sheet).not_to_contain_text("Nothing printed yet")
        page.keyboard.press("j")
        expect(sheet.locator("h1")).not_to_have_text("amber-run")
        page.keyboard.press("Escape")
        expect(sheet).to_have_count(0)


def test_two_runs_are_compared_by_what_differs_between_these_two(chromium, address):
    with opened(chromium, address) as visitor:
        page = visitor.open()
        for name in ("amber-run", "brisk-run"):
            visitor.row(name).locator("input").check()
        page.locator(".selbar button", has_text="Compare").click()
        sheet = page.locator(".cmpt")
        expect(sheet).to_contain_text("1 of 4 differ")
        params = sheet.locator("tbody tr", has=page.locator("th[scope=row]", has_text=re.compile("^seed$")))
        expect(params).to_have_count(1)
        expect(sheet.locator("th[scope=row]", has_text=re.compile("^lr$"))).to_have_count(0)
        expect(sheet.locator("tbody tr", has_text="loss").first).to_contain_text("%")
        expect(page.locator(".two-up .card.drawn")).to_have_count(2)


def test_explore_draws_and_brushes_and_a_zoom_shows_a_part(chromium, address):
    with opened(chromium, address) as visitor:
        page = visitor.open("#v=explore")
        expect(page.locator("path.pl")).to_have_count(24)
        expect(page.get_by_text("Keep as filter")).to_have_count(0)
        page.goto(address + "#z=10,20")
        expect(page.locator(".zoomed")).to_contain_text("10")
        expect(page.locator(".card.drawn")).to_have_count(3)
        page.goto(address + "#g=auto&x=time&q=lr+<+1")
        expect(page.locator("tr[data-id]")).to_have_count(24)
        expect(page.locator(".card.drawn")).to_have_count(3)


def test_a_browser_that_is_too_old_for_the_curves_shows_the_rows_and_says_so(chromium, address):
    with opened(chromium, address) as visitor:
        visitor.page.add_init_script("delete globalThis.DecompressionStream")
        page = visitor.open()
        expect(page.locator("tr[data-id]")).to_have_count(24)
        expect(page.locator(".foot")).to_contain_text("too old")


def test_a_report_fits_a_phone_of_360_pixels(chromium, address):
    with opened(chromium, address, viewport=(360, 740)) as visitor:
        page = visitor.open()
        expect(page.locator(".card.drawn").first).to_be_visible()
        expect(page.locator("header.top")).to_contain_text("Report of")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.locator(".left li[data-id], .left li").first.click()
        expect(page.locator("article.run")).to_be_visible()


@pytest.fixture
def hostile(folder):
    mlflow.set_experiment("odd")
    for number in range(3):
        with mlflow.start_run(run_name=EVIL + str(number)):
            mlflow.log_params({"p": EVIL + str(number), "__proto__": str(number), "constructor": "1", "toString": "2"})
            mlflow.set_tag("t", EVIL)
            mlflow.set_tag("mlflow.note.content", EVIL + "![](http://evil.example/p)")
            for step in range(5):
                mlflow.log_metric("__proto__", step + number, step=step)
                mlflow.log_metric("loss", 1 / (step + 1) + number, step=step)
    return folder


def test_c02_a_report_with_markup_in_every_name_and_value_works_and_runs_none_of_it(chromium, hostile, tmp_path):
    with opened(chromium, write(hostile, tmp_path / "odd.html", provenance=True)) as visitor:
        page = visitor.open()
        expect(page.locator("tr[data-id]")).to_have_count(3)
        expect(page.locator(".card.drawn")).to_have_count(2)
        expect(visitor.row("</script><!--<script>").first).to_be_visible()
        page.locator("tr[data-id] .c-name").first.click()
        expect(page.locator("article.run")).to_contain_text("onerror")
        for view in ("#v=explore", "#s=-params.__proto__", "#s=constructor"):
            page.goto(visitor.address + view)
            expect(page.locator("tr[data-id]")).to_have_count(3)
        assert page.locator("img").count() == 0
        assert page.title() != "evil"


def test_c03_no_request_leaves_a_report_and_a_script_that_gets_in_does_not_run(chromium, hostile, tmp_path):
    path = tmp_path / "odd.html"
    write(hostile, path)
    text = path.read_text(encoding="utf-8")
    tampered = text.replace("<body>", "<body><script>document.title='evil'</script><img src='http://evil.example/x'>")
    assert tampered != text
    path.write_text(tampered, encoding="utf-8")
    context = chromium.new_context()
    try:
        visitor = Visitor(context.new_page(), path.as_uri())
        page = visitor.open()
        expect(page.locator("tr[data-id]")).to_have_count(3)
        assert page.title() != "evil"
        sent = "fetch('http://evil.example/').then(() => 'sent', () => 'refused')"
        assert page.evaluate("() => " + sent) == "refused"
        assert len(visitor.complaints) >= 3
        assert all("Content Security Policy" in each for each in visitor.complaints)
    finally:
        context.close()


def test_c04_a_report_names_no_folder_host_or_user(chromium, made, address):
    with opened(chromium, address) as visitor:
        page = visitor.open()
        expect(page.locator(".card.drawn")).to_have_count(3)
        page.locator("tr[data-id] .c-name").first.click()
        expect(page.locator("article.run")).to_be_visible()
        assert str(made) not in page.content()
        assert "git" not in page.locator("article.run").inner_text()
