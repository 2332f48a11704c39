"""What a cell of a notebook shows of runs, within another page: it draws, answers, and reaches nothing around it."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
from playwright.sync_api import expect

import mini_mlflow

HOST = "<!doctype html><meta charset='windows-1252'>%s<title>a notebook</title><h1>above</h1>%s<p>below</p>"
# What the pages forbid that show cells: their policies hold for a frame within, too.
POLICIES = {
    "Jupyter": "",  # which only says by whom itself may be framed
    "VS Code": "default-src 'none'; script-src https://x.vscode-cdn.net 'unsafe-inline' 'unsafe-eval'; "
    "style-src https://x.vscode-cdn.net 'unsafe-inline'; img-src https://x.vscode-cdn.net https: http: data:; "
    "font-src https://x.vscode-cdn.net https:; connect-src https:; child-src https: data:;",
}
# A browser that has not laid a frame out yet tells no width, and says nothing when it has.
WITHOUT_WIDTH = """if (window !== top) {
  const width = () => (document.querySelector('.app') ? document.documentElement.clientWidth : 0);
  Object.defineProperty(window, 'innerWidth', { get: width });
}"""


@pytest.fixture
def show_cell(made, monkeypatch):
    """Give what ``show`` gives a kernel to show; tests/libraries/ has a real one."""
    given = []
    shell, display = SimpleNamespace(kernel=object()), ModuleType("IPython.display")
    display.display = lambda contents, raw: given.append((contents, raw))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell, display=display))
    monkeypatch.setitem(sys.modules, "IPython.display", display)

    def show(**how):
        mini_mlflow.show(experiment_id="sweep", runs_dir=made, **how)
        contents, raw = given.pop()
        assert raw
        return contents["text/html"]

    return show


@pytest.fixture
def notebook(chromium, show_cell, tmp_path):
    """Lend a page with a cell in it; what the browser complains of fails the test."""
    context, complaints = chromium.new_context(viewport={"width": 1200, "height": 900}), []

    def open_cell(policy="", script="", **how):
        host = tmp_path / "notebook.html"
        tag = '<meta http-equiv="Content-Security-Policy" content="%s">' % policy if policy else ""
        host.write_text(HOST % (tag, show_cell(**how)), encoding="utf-8")
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        if script:
            page.add_init_script(script)
        page.goto(host.as_uri())
        return page

    yield open_cell
    context.close()
    assert not complaints, complaints


@pytest.mark.parametrize("policy", POLICIES)
def test_the_page_in_a_cell_draws_sorts_and_opens_runs_whatever_the_page_around_it_forbids(notebook, policy):
    page = notebook(POLICIES[policy])
    address = page.url
    frame = page.frame_locator("iframe")
    expect(frame.locator("tr[data-id]")).to_have_count(24)
    expect(frame.locator(".card.drawn").first).to_be_visible()
    # The view changes, which elsewhere is written into the address.
    frame.locator("tr[data-id]", has_text="amber-run").locator(".c-name").click()
    expect(frame.locator("article.run")).to_contain_text("amber-run")
    frame.locator("body").press("Escape")
    frame.locator("body").press("2")
    expect(frame.get_by_role("tabpanel", name="explore")).to_be_visible()
    (inner,) = page.main_frame.child_frames
    reach = "() => { try { return String(parent.document); } catch (error) { return error.name; } }"
    assert inner.evaluate(reach) == "SecurityError"
    assert inner.evaluate("origin") == "null"
    assert page.url == address
    assert page.title() == "a notebook"


def test_a_frame_that_had_no_width_when_the_page_in_it_began_is_not_taken_for_a_narrow_one(notebook):
    frame = notebook(script=WITHOUT_WIDTH).frame_locator("iframe")
    expect(frame.locator("tr[data-id]")).to_have_count(24)
    expect(frame.locator(".app.narrow")).to_have_count(0)


def test_the_page_in_a_cell_is_dark_where_that_is_asked_for(notebook):
    (inner,) = notebook(theme="dark").main_frame.child_frames
    inner.wait_for_selector(".card.drawn")
    assert inner.evaluate("document.documentElement.dataset.theme") == "dark"
    shade = inner.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)")
    assert max(shade[:3]) < 60
