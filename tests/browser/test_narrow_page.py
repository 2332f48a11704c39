"""A page of 360 pixels: selecting, sorting, the tools of charts, filters, Explore, and targets for a thumb."""

import json

import pytest
from browsing import visited
from playwright.sync_api import expect

SIZE = (360, 780)
# What can be pressed and is lower than a thumb needs: the lines of the list are, their labels count.
LOW = """() => [...document.querySelectorAll('button, select, input, a[href], [role=tab], [role=option]')].filter(e => {
  if (!e.offsetParent || e.closest('.vh, svg, .filter input')) return false;
  const box = (e.closest('label') || e).getBoundingClientRect();
  const field = e.closest('.filter');
  return box.width > 1 && box.height < 40 && !(field && e.matches('input'));
}).map(e => `${e.outerHTML.slice(0, 90)} ${e.getBoundingClientRect().height}`)"""


@pytest.fixture
def phone(chromium, sweep):
    with visited(chromium, sweep, viewport=SIZE, has_touch=True) as lent:
        yield lent


WATCH_COMPLETIONS = """() => requestAnimationFrame(function look() {
  const list = document.querySelector('.comp');
  if (!list?.querySelector('li')) return requestAnimationFrame(look);
  const { left, right, bottom } = list.getBoundingClientRect();
  const seen = [left, right, bottom, list.querySelector('footer .keys')?.getClientRects().length];
  document.documentElement.dataset.completions = JSON.stringify(seen);
})"""


def within(page, selector):
    box = page.locator(selector).bounding_box()
    return box["x"] >= 0 and box["x"] + box["width"] <= SIZE[0] and box["y"] + box["height"] <= SIZE[1]


def test_runs_are_selected_and_compared_on_a_narrow_page(phone):
    page = phone.open()
    boxes = page.locator(".cardlist .tick input")
    expect(boxes.first).to_be_visible()
    boxes.nth(0).tap()
    boxes.nth(2).tap()
    expect(page.locator(".selbar")).to_contain_text("2 selected")
    page.locator(".selbar >> text=Compare").tap()
    expect(page.locator(".cmpt")).to_contain_text("Only what differs")
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZE[0]


@pytest.mark.parametrize("width", [320, 360])
def test_what_can_be_done_to_selected_runs_fits_into_a_narrow_page(chromium, sweep, width):
    with visited(chromium, sweep, viewport=(width, 780), has_touch=True) as phone:
        page = phone.open()
        boxes = page.locator(".cardlist .tick input")
        for place in range(12):
            boxes.nth(place).tap()
        bar = page.locator(".selbar")
        expect(bar).to_contain_text("12 selected")
        assert bar.evaluate("e => e.scrollWidth <= e.clientWidth")
        name = page.locator(".cardlist .main b").first.inner_text()
        page.locator(".selbar [aria-label='Clear selection']").tap()
        boxes.first.tap()
        page.locator(".selbar [aria-label='Only these, hide, tag, delete']").tap()
        # No field, so that no keyboard comes up.
        expect(page.locator(".menu button", has_text="Only these in charts")).to_be_focused()
        assert page.evaluate(LOW) == []
        page.locator(".menu >> text=Delete").tap()
        expect(page.locator(".toast")).to_contain_text("Deleted" + name)
        expect(page.locator(".total")).to_have_text("23 runs")


def test_runs_are_sorted_on_a_narrow_page(phone):
    page = phone.open()
    first = page.locator(".cardlist .main b").first
    best = first.inner_text()
    sort = page.locator("select[aria-label='Sort by']")
    expect(sort).to_have_value("-max(val/acc)")
    sort.select_option("max(val/acc)")
    expect(first).not_to_have_text(best)
    assert "s=max(val/acc)" in phone.hash()
    sort.select_option("name")
    expect(first).to_have_text("amber-run")


def test_a_chart_on_a_narrow_page_has_its_tools_in_a_menu(phone):
    page = phone.open()
    card = page.locator(".card.drawn").first
    expect(card).to_be_visible()
    more = card.locator("[aria-label^='More for the chart']")
    more.tap()
    page.locator(".menu >> text=Logarithmic y axis").tap()
    expect(card.locator(".flag")).to_have_text("log")
    more.tap()
    with page.expect_download() as download:
        page.locator(".menu >> text=Save values (CSV)").tap()
    assert download.value.suggested_filename.endswith(".csv")
    more.tap()
    page.locator(".menu >> text=Full screen").tap()
    expect(page.locator(".full .card.drawn")).to_be_visible()
    assert page.locator(".full").evaluate("e => e.scrollHeight <= e.clientHeight")
    page.locator(".full [aria-label^='More for the chart']").tap()
    page.locator(".menu >> text=Leave full screen").tap()
    expect(page.locator(".full")).to_have_count(0)


def test_completions_and_errors_of_the_filter_stand_within_a_narrow_page(phone):
    page = phone.open()
    page.locator("#filter").tap()
    page.evaluate(WATCH_COMPLETIONS)  # the list may be gone again before somebody asks where it stands
    page.keyboard.type("params.lr < 1 and val")
    seen = page.locator("html[data-completions]").get_attribute("data-completions")
    left, right, bottom, keys = json.loads(seen)
    assert 0 <= left < right <= SIZE[0]
    assert bottom <= SIZE[1]
    assert keys == 0
    page.fill("#filter", "params.lr < 1 and val/los < 3")
    page.keyboard.press("Enter")
    expect(page.locator(".ferr")).to_contain_text("Near")
    assert within(page, ".ferr")


def test_axes_of_explore_keep_their_distance_and_scroll_on_a_narrow_page(phone):
    page = phone.open("#v=explore")
    expect(page.locator("path.pl")).to_have_count(24)
    places = sorted(box.bounding_box()["x"] for box in page.locator(".ax-hit").all())
    assert len(places) == 6
    assert min(right - left for left, right in zip(places, places[1:])) >= 60
    strip = page.locator(".sideways")
    assert strip.evaluate("e => e.scrollWidth > e.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZE[0]
    strip.evaluate("e => { e.scrollLeft = 1000; }")
    phone.brush()
    expect(page.locator(".bcount")).to_contain_text("of 24 inside")


def test_what_is_pressed_on_a_narrow_page_is_40_pixels_high(phone):
    page = phone.open()
    expect(page.locator(".card.drawn").first).to_be_visible()
    assert page.evaluate(LOW) == []
    page.locator("[aria-label^='Group, x axis']").tap()
    expect(page.locator(".menu .slide")).to_contain_text("Smooth")
    expect(page.locator(".menu .slide > span")).to_be_visible()
    assert page.evaluate(LOW) == []
    page.keyboard.press("Escape")
    page.locator(".cardlist .tick input").first.tap()
    assert page.evaluate(LOW) == []
    page.locator(".cardlist .main").first.tap()
    expect(page.locator("article.run .mini")).to_be_visible()
    assert page.evaluate(LOW) == []
    page.locator(".runhead [aria-label^='More for']").tap()
    assert page.evaluate(LOW) == []
    page.keyboard.press("Escape")
    page = phone.open("#v=explore")
    expect(page.locator("path.pl")).to_have_count(24)
    assert page.evaluate(LOW) == []
