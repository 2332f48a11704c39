"""The page below a path of another server: a proxy that takes the path away, as jupyter-server-proxy does."""

import http.client
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from browsing import Visitor
from page_server import served
from playwright.sync_api import expect

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
def proxy():
    """Lend a proxy; its ``behind`` is the port of the server behind it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
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
