"""The page below a path of another server: a proxy that takes the path away, as jupyter-server-proxy does."""

import http.client
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from browsing import Visitor
from page_server import served
from playwright.sync_api import expect

import mini_mlflow
from mini_mlflow.ui.settings import link_of

PREFIX = "/lab/proxy/8000"
_KEPT = ("connection", "transfer-encoding", "content-length")


class Proxy(BaseHTTPRequestHandler):
    """Hands each request below the prefix on, without the prefix."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if not self.path.startswith(PREFIX + "/"):
            self.send_error(404)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        behind = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        behind.request(self.command, self.path[len(PREFIX) :], body or None, headers)
        answer = behind.getresponse()
        data = answer.read()
        behind.close()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _KEPT:
                self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_GET  # noqa: N815 - as http.server calls it

    def log_message(self, *_):
        pass


@contextmanager
def proxy(handler=Proxy):
    """Lend a proxy; its ``behind`` is the port of the server behind it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)


def test_the_page_below_a_path_opens_by_its_link_draws_and_takes_changes(chromium, sweep):
    with proxy() as front:
        outside = "http://127.0.0.1:%d%s" % (front.server_address[1], PREFIX)
        with served(sweep, proxy=outside) as lent:
            front.behind = lent.settings.port
            link = link_of(lent.settings)
            assert link.startswith(outside + "/?token=")
            context = chromium.new_context(viewport={"width": 1440, "height": 900})
            try:
                visitor = Visitor(context.new_page(), link)
                page = visitor.open()
                assert page.url.partition("#")[0] == outside + "/"
                expect(page.locator("tr[data-id]")).to_have_count(24)
                expect(page.locator(".card.drawn")).to_have_count(3)
                visitor.row("amber-run").focus()
                page.keyboard.press("F2")
                page.locator("input.rename").fill("renamed-run")
                page.keyboard.press("Enter")
                expect(page.locator(".toast")).to_contain_text("Renamed")
                page.reload()
                expect(visitor.row("renamed-run")).to_have_count(1)
                assert not visitor.complaints
                assert all(each.startswith((outside + "/", "data:", "blob:")) for each in visitor.requests)
            finally:
                context.close()


NOTEBOOK = "notebook_session"
# Whoever runs on the notebook's origin can do this: run code in a kernel, with the cookie that the browser adds.
ATTACK = """fetch('/api/kernels', { method: 'POST', credentials: 'include', body: 'evil' });
new Image().src = '/api/image'; document.cookie = 'taken=1';"""
HTML = """<!doctype html><title>evil</title><link rel="stylesheet" href="/api/style"><img src="/api/picture">
<iframe src="/api/frame"></iframe><meta http-equiv="refresh" content="0;url=/api/refreshed">
<form action="/api/form" method="post"></form><script>%s document.forms[0].submit()</script>""" % ATTACK
SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40" onload="fetch('/api/onload')">
<image href="/api/picture" width="9" height="9"/><style>@import '/api/style';</style>
<foreignObject width="30" height="30"><iframe xmlns="http://www.w3.org/1999/xhtml" src="/api/frame"/></foreignObject>
<circle r="9"/><script>%s</script></svg>""" % ATTACK.replace("&", "&amp;")
FILES = {"evil.html": HTML, "evil.svg": SVG, "evil.xhtml": SVG, "evil.xml": SVG, "evil.txt": HTML, "evil.png": HTML}


class Notebook(Proxy):
    """A notebook's server with an API of its own, and the page below one of its paths."""

    def do_GET(self):
        if self.path.startswith("/api/"):
            self.server.calls.append((self.command, self.path, NOTEBOOK in (self.headers.get("Cookie") or "")))
            self._answer("application/json", b"{}")
        elif self.path == "/unguarded.svg":
            self._answer("image/svg+xml", SVG.encode())
        else:
            super().do_GET()

    do_POST = do_GET  # noqa: N815 - as above

    def _answer(self, kind, data):
        self.send_response_only(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def beside_a_notebook(chromium, tmp_path):
    """Lend a tab of somebody who works in the notebook, its server, where the page lies, and a hostile run there."""
    with mini_mlflow.start_run(runs_dir=tmp_path, run_name="hostile") as run:
        for name, text in FILES.items():
            mini_mlflow.log_text(text, name)
    with proxy(Notebook) as front:
        front.calls = []
        origin = "http://127.0.0.1:%d" % front.server_address[1]
        with served(tmp_path, proxy=origin + PREFIX) as lent:
            front.behind = lent.settings.port
            context = chromium.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
            cookie = {"name": NOTEBOOK, "value": "secret", "url": origin, "sameSite": "Lax", "httpOnly": True}
            context.add_cookies([cookie])
            try:
                visitor = Visitor(context.new_page(), link_of(lent.settings))
                visitor.open()
                yield visitor, front, origin, run.info.run_id
            finally:
                context.close()


def test_the_attack_works_where_nothing_stands_in_its_way(beside_a_notebook):
    visitor, front, origin, _ = beside_a_notebook
    visitor.page.goto(origin + "/unguarded.svg")
    until = time.monotonic() + 60
    while ("POST", "/api/kernels", True) not in front.calls and time.monotonic() < until:
        visitor.page.evaluate("() => new Promise(requestAnimationFrame)")
    assert ("POST", "/api/kernels", True) in front.calls
    assert "taken=1" in visitor.page.evaluate("document.cookie")


@pytest.mark.parametrize("name", sorted(FILES))
def test_c14_a_hostile_file_opened_below_a_notebooks_path_cannot_call_the_notebooks_api(beside_a_notebook, name):
    visitor, front, origin, run_id = beside_a_notebook
    page = visitor.page
    address = "%s%s/artifacts/0/0/%s/%s" % (origin, PREFIX, run_id, name)
    if page.context.request.get(address).headers["content-disposition"].startswith("attachment"):
        with page.expect_download() as kept:
            page.evaluate("address => { location.href = address; }", address)
        assert kept.value.suggested_filename == name
    else:
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("origin") == "null"
        assert page.evaluate("() => { try { return document.cookie; } catch (error) { return 'none'; } }") == "none"
    page.goto(origin + PREFIX + "/")  # what was on its way has come by now
    expect(visitor.row("hostile")).to_have_count(1)
    assert front.calls == []
    assert "taken" not in page.evaluate("document.cookie")


def test_c14_hostile_files_shown_within_the_page_below_a_notebooks_path_run_nothing(beside_a_notebook):
    visitor, front, _, _ = beside_a_notebook
    page = visitor.page
    visitor.row("hostile").click()
    for name in sorted(FILES):
        page.locator(".run .files button", has_text=name).click()
        expect(page.locator(".preview .ph bdi")).to_have_text(name)
        expect(page.locator(".preview pre, .preview img, .preview .why")).to_have_count(1)
        page.wait_for_load_state("networkidle")
    assert front.calls == []
    assert not visitor.complaints
    assert "taken" not in page.evaluate("document.cookie")
