"""What does who opens the page see, without a click?"""

from itertools import takewhile

from browsing import visited
from playwright.sync_api import expect

from mini_mlflow.compat import mlflow


def drawn(page):
    return page.locator(".card.drawn")


def test_charts_and_table_stand_side_by_side_at_once(visitor):
    page = visitor.open()
    expect(drawn(page)).to_have_count(3)
    expect(page.locator("tr[data-id]")).to_have_count(24)
    table, charts = page.locator(".left").bounding_box(), page.locator(".right").bounding_box()
    assert table["x"] + table["width"] <= charts["x"] + 2
    assert abs(table["y"] - charts["y"]) < 2


def test_the_best_runs_and_those_that_run_are_in_charts_at_first(chromium, folder):
    mlflow.set_experiment("many")
    for number in range(25):
        with mlflow.start_run(run_name="ended-%02d" % number):
            mlflow.log_metric("loss", 1 + number)
    mlflow.start_run(run_name="worst-but-running")
    mlflow.log_metric("loss", 1000)
    with visited(chromium, folder) as visitor:
        page = visitor.open()
        expect(page.locator(".foot")).to_contain_text("20 of 26 in charts")
        shown = page.locator("tr[data-id]:not(.dim) .c-name bdi").all_inner_texts()
        assert set(shown) == {"worst-but-running", *("ended-%02d" % number for number in range(19))}


def test_the_page_asks_for_one_answer_per_section_of_charts(visitor):
    page = visitor.open()
    expect(drawn(page)).to_have_count(3)
    visitor.requests.clear()
    page.reload()
    expect(drawn(page)).to_have_count(3)
    assert sum(url.endswith("api/series") for url in visitor.requests) == 2  # val, train
    # The first rows came with the page; what is asked after the first look for news is news.
    before = takewhile(lambda url: not url.endswith("api/live"), visitor.requests)
    assert not any(url.endswith("api/runs") for url in before)


def test_nothing_is_fetched_from_elsewhere(visitor):
    page = visitor.open()
    expect(drawn(page)).to_have_count(3)
    assert all(url.startswith(visitor.address) for url in visitor.requests)


def test_an_empty_store_says_how_to_begin_and_shows_the_first_run_by_itself(chromium, folder):
    folder.mkdir()
    with visited(chromium, folder) as visitor:
        page = visitor.open()
        expect(page.locator("main")).to_contain_text("No runs yet in")
        expect(page.locator("#filter")).to_have_count(0)
        with mlflow.start_run(run_name="the-first"):
            mlflow.log_metric("loss", 0.5)
        expect(visitor.row("the-first")).to_be_visible()


def test_a_run_that_cannot_be_read_is_told_in_the_foot_and_the_others_show(chromium, sweep):
    import pathlib

    run = next(path for path in sorted(pathlib.Path(sweep).glob("*/*/meta.yaml")))
    run.write_bytes(run.read_bytes()[:40])
    with visited(chromium, sweep) as visitor:
        page = visitor.open()
        expect(page.locator("tr[data-id]")).to_have_count(23)
        expect(page.locator(".brk")).to_contain_text("1 run could not be read")
        page.click(".brk .link")
        expect(page.locator(".notice")).to_contain_text(run.parent.name[:8])


def test_only_rows_in_view_are_in_the_document_of_a_thousand_runs(chromium, folder):
    mlflow.set_experiment("thousand")
    for number in range(1000):
        with mlflow.start_run(run_name="run-%04d" % number):
            mlflow.log_metric("loss", number)
    with visited(chromium, folder) as visitor:
        page = visitor.open()
        expect(page.locator(".total")).to_have_text("1,000 runs")
        expect(visitor.row("run-0000")).to_be_visible()
        assert page.locator("tr[data-id]").count() < 80
        page.locator(".tbl").evaluate("box => { box.scrollTop = 700 * 28; }")
        expect(visitor.row("run-0701")).to_be_visible()
        assert page.locator("tr[data-id]").count() < 80
        with mlflow.start_run(run_name="news"):  # while there are rows that nobody has looked at
            mlflow.log_metric("loss", -1)
        expect(page.locator(".total")).to_have_text("1,001 runs")
        expect(page.locator(".foot")).to_contain_text("20 of 1,001 in charts")
        expect(page.locator(".foot [role=alert]")).to_have_count(0)


def test_up_to_the_first_chart_a_page_loads_one_script_one_file_of_styles_and_no_tables_of_languages(visitor):
    visitor.page.add_init_script("""window.made = [];
      for (const name of ['NumberFormat', 'DateTimeFormat']) {
        const construct = (target, given) => { made.push(name); return new target(...given); };
        Intl[name] = new Proxy(Intl[name], { construct });
      }""")
    page = visitor.open()
    expect(page.locator(".card.drawn")).to_have_count(3)
    files = [url.rpartition("/")[2] for url in visitor.requests if "/static/" in url]
    assert sorted(set(files) - {"icon.svg"}) == ["page.js", "styles.css"]
    assert page.evaluate("made") == []


def test_numbers_have_four_digits_and_from_ten_thousand_on_all_before_the_point(visitor):
    page = visitor.open()
    values = [1234.5678, 9999.6, -98765.4321, 999999.4, 1234567.5, 12345678, 0.00012346, 0.000012346]
    module = "import('/static/format.js')"
    texts = page.evaluate("values => %s.then(({ num }) => values.map(each => num(each)))" % module, values)
    assert texts == ["1,235", "10,000", "−98,765", "999,999", "1.235e6", "12,345,678", "0.0001235", "1.235e−5"]
