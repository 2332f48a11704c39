"""The view in the address bar, both themes, the keyboard, narrow and wide pages, what a screen reader is told."""

import re

import pytest
from browsing import visited
from playwright.sync_api import expect


def test_a_link_opens_the_same_view(visitor):
    page = visitor.open()
    page.click("thead .key:has-text('lr')")
    visitor.row("quiet-run").locator("input").click()
    page.keyboard.press("]")
    page.locator(".slide input").fill("5")
    page.evaluate("location.hash += '&g=&z=5,20'")
    link = page.evaluate("location.href")
    other = page.context.new_page()
    other.goto(link)
    expect(other.locator(".selbar")).to_contain_text("1 selected")
    expect(other.locator("th[aria-sort=ascending]")).to_contain_text("lr")
    expect(other.locator(".zoomed")).to_contain_text("step 5–20")
    expect(other.locator(".slide output")).to_have_text("5 %")
    assert other.locator("[role=separator]").get_attribute("aria-valuenow") == "49"
    assert len(link) < 160


def test_back_goes_one_step_back_and_typing_leaves_no_steps(visitor):
    page = visitor.open()
    page.locator("tr[data-id]").first.click()
    expect(page.locator("article.run")).to_have_count(1)
    page.locator("tr[data-id]").nth(1).focus()
    page.keyboard.press("2")
    expect(page.locator(".expl")).to_have_count(1)
    page.go_back()
    expect(page.locator("article.run")).to_have_count(1)
    page.go_back()
    expect(page.locator("article.run")).to_have_count(0)
    length = page.evaluate("history.length")
    page.locator(".slide input").fill("7")
    assert page.evaluate("history.length") == length


@pytest.mark.parametrize(
    "view",
    [
        "__proto__=1&constructor=2&v=__proto__&x=__proto__",
        "q=%00%ff&s=%3Cimg%20src=x%20onerror=alert(1)%3E",
        "r=%3Cscript%3E&d=,,,&p=%2E%2E/%2E%2E",
        "q=lr%20%3C%20%27%22%3B--&g=<b>,%00",
        "z=1e999,-5&n=99999&m=-1&w=1000&b=x&t=red;background:url(//e)",
        "k=aaaaaa:99,__proto__:5&a=x:1~,__proto__:1~2&c=%3Cimg%3E",
        "e=../../etc&i=99",
        "q=" + "a" * 1000000,
    ],
    ids=["prototype", "markup", "ids", "quotes", "ranges", "colours", "elsewhere", "long"],
)
def test_c10_an_address_that_means_nothing_opens_a_view_that_works(visitor, view):
    visitor.forgiven.append("Failed to load resource")
    page = visitor.open("#" + view)
    expect(page.locator("tr[data-id]").first).to_be_visible()
    assert page.locator("tr[data-id]").count() > 0
    page.keyboard.press("2")
    page.keyboard.press("1")
    expect(page.locator(".card").first).to_be_visible()
    assert page.evaluate("({}).polluted === undefined && Object.prototype.v === undefined")


def test_every_key_of_the_list_does_something(visitor):
    page = visitor.open()
    expect(page.locator(".card.drawn")).to_have_count(3)
    page.keyboard.press("?")
    expect(page.locator(".help dt")).to_have_count(19)
    page.keyboard.press("Escape")
    expect(page.locator(".help")).to_have_count(0)
    page.keyboard.press("j")
    page.keyboard.press("j")
    names = visitor.names()
    assert page.evaluate("document.activeElement.querySelector('.c-name bdi').textContent") == names[1]
    page.keyboard.press("x")
    expect(page.locator(".selbar")).to_contain_text("1 selected")
    page.keyboard.press("e")
    expect(page.locator(".foot")).to_contain_text("19 of 24")
    page.keyboard.press("p")
    assert "p=" in visitor.hash()
    page.keyboard.press("Enter")
    expect(page.locator("article.run h1")).to_have_text(names[1])
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    assert "s=" in visitor.hash()
    for key, tab in (("2", "Explore"), ("3", "Compare"), ("1", "Charts")):
        page.keyboard.press(key)
        expect(page.locator("[role=tab][aria-selected=true]")).to_contain_text(tab)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "filter"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_systems_theme(chromium, sweep, scheme):
    with visited(chromium, sweep, color_scheme=scheme) as visitor:
        page = visitor.open()
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 24, 28)"}[scheme]
        page.emulate_media(color_scheme="dark" if scheme == "light" else "light")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != background


@pytest.mark.parametrize("width", [360, 390])
def test_a_narrow_page_has_charts_and_runs_at_once_and_never_scrolls_sideways(chromium, sweep, width):
    with visited(chromium, sweep, viewport=(width, 780)) as visitor:
        page = visitor.open()
        expect(page.locator(".card.drawn").first).to_be_visible()
        expect(page.locator(".cardlist li[data-id]").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(".cardlist li[data-id]").first.bounding_box()["height"] == 52
        page.locator(".cardlist .main").first.click()
        expect(page.locator("article.run")).to_be_visible()
        page.locator("article.run [aria-label^=Close]").click()
        page.locator("[aria-label^='Group, x axis']").click()
        expect(page.locator(".menu")).to_contain_text("relative time")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_wide_screen_a_run_opens_beside_the_charts(chromium, sweep):
    with visited(chromium, sweep, viewport=(3840, 2160)) as visitor:
        page = visitor.open()
        expect(page.locator(".card.drawn")).to_have_count(3)
        page.locator("tr[data-id]").first.click()
        expect(page.locator(".third article.run")).to_be_visible()
        expect(page.locator(".grid .card").first).to_be_visible()


def test_everything_that_can_be_pressed_has_a_name(visitor):
    page = visitor.open()
    expect(page.locator(".card.drawn")).to_have_count(3)
    page.locator("tr[data-id]").first.click()
    expect(page.locator("article.run .mini")).to_be_visible()
    nameless = page.evaluate("""[
      ...document.querySelectorAll('button, input, a[href], [role=img], [role=grid], [role=separator]')
    ].filter(e => !(
      e.getAttribute('aria-label') || e.textContent.trim() || e.title || e.closest('label')?.textContent.trim()
    )).map(e => e.outerHTML.slice(0, 120))""")
    assert nameless == []
    assert page.locator("[role=grid]").get_attribute("aria-rowcount") == "25"
    chart = visitor.open().locator(".card[data-metric='val/loss'] .plot")
    expect(chart).to_have_attribute("aria-label", re.compile(r"val/loss by step: 20 runs, min 0\.2"))


def test_the_table_is_one_stop_of_the_tab_key(visitor):
    page = visitor.open()
    expect(page.locator("tr[data-id]")).to_have_count(24)
    assert page.locator("tbody [tabindex='0']").count() == 1
