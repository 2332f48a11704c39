"""What a cell of a notebook shows of runs, within another page: it draws, answers, and reaches nothing around it."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
from playwright.sync_api import expect

import mini_mlflow

HOST = "<!doctype html><meta charset='windows-1252'><title>a notebook</title><h1>above</h1>%s<p>below</p>"


@pytest.fixture
def cell(made, monkeypatch):
    """What ``show`` gives a kernel to show; tests/libraries/ has a real one."""
    given = []
    shell, display = SimpleNamespace(kernel=object()), ModuleType("IPython.display")
    display.display = lambda contents, raw: given.append((contents, raw))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell, display=display))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    mini_mlflow.show(experiment_id="sweep", runs_dir=made)
    ((contents, raw),) = given
    assert raw
    return contents["text/html"]


def test_the_page_in_a_cell_draws_sorts_and_opens_runs(chromium, cell, tmp_path):
    host = tmp_path / "notebook.html"
    host.write_text(HOST % cell, encoding="utf-8")
    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    try:
        page, complaints = context.new_page(), []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(host.as_uri())
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
        assert page.url == host.as_uri()
        assert page.title() == "a notebook"
        assert complaints == []
    finally:
        context.close()
