"""What a page shows while nobody answers, and once somebody does again."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from browsing import visited
from page_server import served
from playwright.sync_api import expect


@contextmanager
def offline(visitor):
    """Cut the connection for a while."""
    visitor.forgiven.append("net::ERR_INTERNET_DISCONNECTED")
    visitor.page.context.set_offline(True)
    yield
    expect(visitor.page.locator(".live.off")).to_contain_text("Not connected since")
    visitor.page.context.set_offline(False)


def test_a_filter_typed_without_a_connection_holds_once_it_is_back(visitor):
    page = visitor.open("#q=depth+%3D+8")
    expect(page.locator("tr[data-id]")).to_have_count(12)
    with offline(visitor):
        page.fill("#filter", "depth = 4")
        page.keyboard.press("Enter")
        expect(page.locator(".foot")).to_contain_text("The server does not answer. Trying again.")
        page.locator("tr[data-id]").first.click()
        expect(page.locator("article.run")).to_contain_text("This run is not loaded yet")
        assert "Failed to fetch" not in page.locator("body").inner_text()
    expect(page.locator(".live:not(.off)")).to_have_text("Live")
    expect(visitor.row("amber-run")).to_be_visible()
    expect(visitor.row("dusky-run")).to_have_count(0)  # of depth 8
    expect(page.locator("article.run")).to_contain_text("optimizer")
    expect(page.locator(".foot .brk")).to_have_count(0)


def test_compare_and_explore_come_once_the_connection_is_back(visitor):
    page = visitor.open()
    for name in ("amber-run", "brisk-run"):
        visitor.row(name).locator("input").click()
    with offline(visitor):
        page.keyboard.press("c")
        expect(page.locator(".cmp .brk")).to_contain_text("The server does not answer. Trying again.")
    expect(page.locator(".cmpt")).to_contain_text("seed")
    expect(page.locator(".cmp .brk")).to_have_count(0)
    page.keyboard.press("Escape")
    with offline(visitor):
        page.keyboard.press("2")
        expect(page.locator(".expl .brk")).to_contain_text("The server does not answer. Trying again.")
    expect(page.locator("path.pl")).to_have_count(24)
    expect(page.locator(".expl .brk")).to_have_count(0)


def test_a_change_that_nobody_took_is_told_in_our_words(visitor):
    page = visitor.open()
    with offline(visitor):
        visitor.row("amber-run").locator(".c-name").dblclick()
        page.keyboard.type("other")
        page.keyboard.press("Enter")
        expect(page.locator(".toast")).to_contain_text("The server does not answer. Try again when it does.")
    expect(page.locator(".live:not(.off)")).to_have_text("Live")


def stop(visitor):
    """End the server, and wait until its page knows."""
    visitor.forgiven.append("net::ERR_")
    visitor.server.server.stop()
    expect(visitor.page.locator(".live.off")).to_contain_text("Not connected since", timeout=20000)


def test_a_server_that_was_started_anew_is_told_with_a_way_to_load_it(chromium, sweep):
    with visited(chromium, sweep) as visitor:
        page = visitor.open("#q=depth+%3D+8")
        expect(page.locator("tr[data-id]")).to_have_count(12)
        stop(visitor)
        with served(sweep, port=visitor.server.port, has_token=False):
            expect(page.locator(".live.off")).to_contain_text("The server was started anew.")
            page.click(".live.off >> text=Reload")
            expect(page.locator(".live:not(.off)")).to_have_text("Live")
            expect(page.locator("tr[data-id]")).to_have_count(12)


class Stranger(BaseHTTPRequestHandler):
    """Answers everything, and is none of ours."""

    def do_POST(self):  # the library's name
        self.server.asked.append(self.path)
        self.send_response(401 if len(self.server.asked) == 1 else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_):
        pass


def test_a_stranger_at_the_address_is_told_and_gets_nothing_more(chromium, sweep):
    with visited(chromium, sweep) as visitor:
        page = visitor.open()
        visitor.forgiven.append("Failed to load resource")  # the stranger's 401
        stop(visitor)
        with ThreadingHTTPServer(("127.0.0.1", visitor.server.port), Stranger) as stranger:
            stranger.asked = []
            threading.Thread(target=stranger.serve_forever, daemon=True).start()
            expect(page.locator(".live.off")).to_contain_text("Another program answers at this address.")
            expect(page.locator(".live.off button")).to_have_count(0)
            page.locator("tr[data-id]").first.click()
            page.wait_for_timeout(3000)  # more than a round
            stranger.shutdown()
            assert len(stranger.asked) == 1
