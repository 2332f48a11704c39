"""Attacks on the gate, over real sockets: who is let in, and what everybody is told."""

import json
import socket
import sys
from contextlib import suppress

import pytest
from page_server import make_store, parse, served

import mini_mlflow
from mini_mlflow.errors import InvalidValueError
from mini_mlflow.ui import settings
from mini_mlflow.ui.desk import is_open

DATA = {"Content-Type": "application/json", "X-Mini-MLflow": "1"}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("gate") / "mlruns")


@pytest.fixture(scope="module")
def page(store):
    with served(store) as lent:  # one for all: none of these may change anything
        yield lent


def paths_of(page):
    """Return (method, an address) of each entry of the table of routes."""
    table = page.server.app.routes[:-1]
    return [
        ("POST" if "POST" in route.methods else "GET", route.path.replace("{rest:path}", "0/0/run/file.txt"))
        for route in table
    ]


def ask_each(page, headers=None, **more):
    for method, path in paths_of(page):
        given = dict(DATA if method == "POST" else {}, **(headers or {}))
        yield method, path, page.ask(method, path, given, b"{}" if method == "POST" else b"", **more)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "127.0.0.1:port", "[::1", "a b"]
)
def test_d01_a_host_that_is_not_ours_is_refused_before_routing(page, host):
    for target in ("/", "/api/runs", "/static/main.js", "/nowhere"):
        reply = page.ask("GET", target, {"Host": host})
        assert (reply.status, reply.code) == (400, "host")


def test_d01_no_host_and_two_hosts_are_refused(page):
    assert parse(page.raw(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")).status == 400
    twice = "GET / HTTP/1.1\r\nHost: %s\r\nHost: evil.example\r\nConnection: close\r\n\r\n" % page.host
    assert parse(page.raw(twice.encode())).status == 400


def test_d01_an_absolute_target_does_not_choose_the_host(page):
    assert page.ask("GET", "http://evil.example/api/experiments", {"Host": page.host}).status in (400, 404)


@pytest.mark.parametrize("host", ["localhost:{}", "127.0.0.1:{}", "[::1]:{}", "LOCALHOST:{}", "localhost:9000"])
def test_d01_names_of_this_machine_pass_whatever_port_a_tunnel_has(page, host):
    assert page.ask("GET", "/api/experiments", {"Host": host.format(page.port)}).status == 200


@pytest.mark.parametrize("host", ["127.0.0.1/api?x", "localhost/static/", "localhost?x", "localhost#x", "u@localhost"])
def test_d02_a_path_in_the_host_is_refused_and_never_routed(page, host):
    for target in ("/", "/api/experiments"):
        assert page.ask("GET", target, {"Host": host}, is_known=False).status == 400


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        None,
        "application/json; charset=utf-7",
    ],
)
def test_d03_a_body_that_is_not_declared_as_json_is_refused(page, refs, kind):
    for target in ("/api/runs", "/api/delete", "/api/edit"):
        reply = page.ask("POST", target, dict(DATA, **{"Content-Type": kind}), b'{"runs": ["%s"]}' % refs[0].encode())
        assert (reply.status, reply.code) == (415, "media_type")
    assert page.post("/api/runs", {}).json["total"] == 4


@pytest.mark.parametrize("origin", ["null", "http://127.0.0.1:1", "http://127.0.0.1.evil", "https://evil.example", ""])
def test_d04_another_origin_with_our_cookie_is_refused_on_every_route(page, origin):
    for method, path, reply in ask_each(page, {"Origin": origin}):
        assert reply.status == 403, (method, path)


def test_d04_our_own_origin_passes(page):
    assert page.get("/api/experiments", Origin="http://" + page.host).status == 200


def test_d04_a_websocket_is_refused_on_every_prefix(page):
    upgrade = {
        "Connection": "Upgrade, close",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    for target in ("/", "/api/live", "/static/", "/artifacts/"):
        head = ["GET %s HTTP/1.1" % target, "Host: " + page.host, "Cookie: " + page.cookie]
        head += ["%s: %s" % pair for pair in upgrade.items()]
        data = page.raw("\r\n".join(head).encode() + b"\r\n\r\nX")
        assert data.startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "PUT", "OPTIONS", "TRACE", "CONNECT"])
def test_d05_methods_that_there_are_not_are_refused(page, method):
    for target in ("/", "/api/delete", "/api/runs"):
        assert page.ask(method, target, DATA).status in (400, 405)


def test_d05_a_method_that_overrides_another_changes_nothing(page, refs):
    override = {"X-HTTP-Method-Override": "POST", "X-Method-Override": "DELETE"}
    assert page.ask("GET", "/api/delete?_method=POST&runs=%s" % refs[0], override).status == 405
    assert page.post("/api/runs", {}).json["total"] == 4


def test_d05_get_and_head_change_nothing(page, store):
    before = sorted((path, path.stat().st_mtime_ns) for path in store.rglob("*"))
    for method in ("GET", "HEAD"):
        for _, path in paths_of(page):
            page.ask(method, path)
    assert sorted((path, path.stat().st_mtime_ns) for path in store.rglob("*")) == before


def test_d05_a_change_without_the_extra_header_is_refused(page, refs):
    body = json.dumps({"runs": refs}).encode()
    for path in ("/api/delete", "/api/edit", "/api/tag", "/api/restore"):
        reply = page.ask("POST", path, {"Content-Type": "application/json"}, body)
        assert (reply.status, reply.code) == (403, "forbidden")
    assert page.post("/api/runs", {}).json["total"] == 4


def test_d06_every_entry_of_the_route_table_asks_for_the_token(page):
    found = list(ask_each(page, is_known=False))
    assert len(found) == len(page.server.app.routes) - 1 >= 20
    assert {(method, path): reply.status for method, path, reply in found if reply.status != 401} == {}


def test_d06_every_route_of_the_desk_is_in_the_table_and_no_other(page):
    desk = page.server.app._desk.routes
    paths = [route.path + "{rest:path}" if is_open(route) else route.path for route in desk]
    assert [route.path for route in page.server.app.routes] == [*paths, "/{rest:path}"]


@pytest.mark.parametrize(
    "prefix", ["/api", "/ajax-api", "/api/2.0/mlflow/runs/search", "/api/3.0", "/preview", "/events"]
)
def test_d06_prefixes_of_other_servers_ask_for_the_token_too(page, prefix):
    assert page.ask("GET", prefix, is_known=False).status == 401


@pytest.mark.parametrize(
    "target",
    [
        "//api/experiments",
        "/API/experiments",
        "/static/../api/experiments",
        "/%2Fapi/experiments",
        "/api/experiments/",
        "/api/experiments;x",
        "/api//experiments",
        "/./api/experiments",
        "/api/%65xperiments",
    ],
)
def test_d07_other_spellings_of_a_path_get_the_decision_of_the_plain_one(page, target):
    assert page.ask("GET", target, is_known=False).status == 401
    assert page.ask("GET", target, {"Origin": "http://evil.example"}).status == 403
    assert page.get(target).status in (200, 404)


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example/..",
        "/\\evil.example",
        "/api/runs/",
        "/static",
        "//evil.example",
        "/%5cevil.example",
        "/?token=//evil.example",
    ],
)
def test_d08_nothing_redirects_away_from_here(page, target):
    for host in (page.host, "evil.example"):
        reply = page.ask("GET", target, {"Host": host})
        assert reply.header("location") == ""
        assert b"evil.example" not in reply.body


def test_d09_without_a_token_it_serves_this_machine_alone():
    for host in ("0.0.0.0", "", "::", "192.0.2.1"):
        with pytest.raises(InvalidValueError, match="Without a token"):
            settings.make_settings(host, has_token=False)
    tokens = {settings.make_settings().token for _ in range(50)}
    assert len(tokens) == 50
    assert min(map(len, tokens)) >= 32


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "\u00e9\u00fc", "%00", "null", "undefined", "Bearer"])
def test_d10_a_wrong_token_of_any_length_is_a_401(page, token):
    shown = token.encode("utf-8").decode("latin-1")
    assert page.ask("GET", "/api/experiments", {"Authorization": "Bearer " + shown}, is_known=False).status == 401
    cookie = "%s=%s" % (page.settings.cookie, shown)
    assert page.ask("GET", "/api/experiments", {"Cookie": cookie}, is_known=False).status == 401
    assert page.ask("GET", "/?token=" + (shown if shown.isascii() else "%C3%A9"), is_known=False).status == 401


def test_d10_a_program_sends_the_token_in_a_header(page):
    headers = {"Authorization": "Bearer " + page.settings.token, "Content-Type": "application/json"}
    assert page.ask("POST", "/api/runs", headers, b"{}", is_known=False).json["total"] == 4


def test_d11_the_token_is_swapped_for_a_cookie_and_is_gone_from_the_address(page):
    reply = page.ask("GET", "/?token=" + page.settings.token, is_known=False)
    assert (reply.status, reply.header("location")) == (303, "./")
    cookie = reply.header("set-cookie")
    assert cookie.startswith(page.cookie + ";")
    assert "; HttpOnly" in cookie
    assert "; SameSite=Strict" in cookie
    told = json.dumps(reply.headers) + reply.body.decode()
    assert page.settings.token not in told
    assert reply.header("referrer-policy") == "no-referrer"


def test_d11_a_link_on_another_site_lets_in_without_a_redirect_that_would_lose_the_cookie(page):
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    reply = page.ask("GET", "/?token=" + page.settings.token, headers, is_known=False)
    assert reply.status == 200
    assert page.cookie in reply.header("set-cookie")
    assert b'href="./"' in reply.body
    assert page.settings.token.encode() not in reply.body


def test_d11_the_token_lets_in_at_the_page_alone(page):
    assert page.ask("GET", "/api/experiments?token=" + page.settings.token, is_known=False).status == 401


def test_d11_nothing_is_logged(page, capfd):
    page.ask("GET", "/?token=" + page.settings.token, is_known=False)
    page.ask("GET", "/?token=wrong", is_known=False)
    page.raw(b"NONSENSE ?token=" + page.settings.token.encode() + b"\r\n\r\n")
    assert capfd.readouterr() == ("", "")


def test_d12_the_cookie_is_not_the_token_and_names_its_port(page):
    assert page.settings.session != page.settings.token
    assert str(page.port) in page.settings.cookie
    assert (
        page.ask("GET", "/api/experiments", {"Authorization": "Bearer " + page.settings.session}, is_known=False).status
        == 401
    )
    assert page.ask("GET", "/?token=" + page.settings.session, is_known=False).status == 401


def test_d12_cookies_of_other_programs_on_this_host_do_no_harm(page):
    cookie = "other=1; %s=forged; %s; =; ;;" % (page.settings.cookie, page.cookie)
    assert page.ask("GET", "/api/experiments", {"Cookie": cookie}).status == 200


@pytest.mark.parametrize(
    "name", ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "Forwarded", "X-Real-IP"]
)
def test_d20_forwarding_headers_are_not_believed(page, name):
    for value in ("127.0.0.1", "evil.example", '//evil"><script>', "https"):
        assert page.ask("GET", "/api/experiments", {name: value}, is_known=False).status == 401
        reply = page.ask("GET", "/", {name: value})
        assert reply.status == 200
        assert b"evil" not in reply.body
        assert "evil" not in json.dumps(reply.headers)


@pytest.mark.parametrize("is_stripped", [True, False])
def test_d21_below_a_sub_path_links_and_cookies_stay_below_it(store, is_stripped):
    prefix = "/user/x/proxy/5000"
    with served(store, proxy=prefix) as page:
        above = "" if is_stripped else prefix
        reply = page.ask("GET", "%s/?token=%s" % (above, page.settings.token), is_known=False)
        assert (reply.status, reply.header("location")) == (303, "./")
        assert "; Path=%s/;" % prefix in reply.header("set-cookie")
        index = page.get(above + "/")
        assert index.status == 200
        assert b'="/' not in index.body
        assert page.get(above + "/api/experiments").status == 200
        assert page.ask("GET", above + "/api/experiments", is_known=False).status == 401


def test_d21_a_proxy_whose_address_is_told_is_the_only_other_origin(store):
    with served(store, proxy="https://hub.example/user/x") as page:
        headers = {"Host": "hub.example", "Origin": "https://hub.example"}
        assert page.ask("GET", "/user/x/api/experiments", headers).status == 200
        assert page.ask("GET", "/user/x/api/experiments", dict(headers, Origin="https://evil.example")).status == 403
        policy = page.ask("GET", "/user/x/", headers).header("content-security-policy")
        assert "script-src hub.example/user/x/static/;" in policy
        assert "; Secure" in page.ask("GET", "/?token=" + page.settings.token, headers, is_known=False).header(
            "set-cookie"
        )


@pytest.mark.parametrize(
    "proxy", ["user", "//evil", "/a b", '/"><script>', "/a?b", "ftp://x/", "https://u@h/", "/a/../b%2f"]
)
def test_d21_a_prefix_that_is_no_path_is_refused(proxy):
    with pytest.raises(InvalidValueError):
        settings.make_settings(proxy=proxy)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"experiments": 5}',
        b"[" * 100000,
        b'{"limit": ' + b"9" * 100000 + b"}",
        b'{"limit": NaN}',
    ],
)
def test_d24_a_body_that_is_none_gets_an_error_in_json(page, body):
    for path in ("/api/runs", "/api/series", "/api/edit"):
        reply = page.ask("POST", path, DATA, body)
        assert reply.status == 400
        assert reply.header("content-type") == "application/json"
        assert "Traceback" not in reply.body.decode()


@pytest.mark.parametrize("kind", ["<script>alert(1)</script>", "application/json<script>"])
def test_d24_what_is_wrong_is_not_echoed_as_html(page, kind):
    reply = page.ask("POST", "/api/runs", dict(DATA, **{"Content-Type": kind}), b"{}")
    assert reply.status == 415
    assert b"<" not in reply.body


def test_d24_an_inner_error_tells_nothing_of_the_inside(page, monkeypatch, capfd):
    from mini_mlflow.ui.api import overview

    def fail(*_, **__):
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(overview, "read_experiments", fail)
    reply = page.get("/api/experiments")
    assert (reply.status, reply.code) == (500, "broken")
    assert b"secret" not in reply.body
    assert "secret of the inside" in capfd.readouterr().err


def test_d24_errors_name_no_path_of_the_store(page, store):
    for target in ("/api/run?run=0/0/none", "/api/files?run=0/9/none", "/artifacts/0/0/none/x", "/api/run?run=7/0/x"):
        reply = page.get(target)
        assert 400 <= reply.status < 500
        assert str(store).encode() not in reply.body


NEEDED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}


def check_headers(reply, what):
    for name, value in NEEDED.items():
        assert reply.header(name) == value, (what, name)
    policy = reply.header("content-security-policy")
    assert "default-src 'none'" in policy, what
    assert "frame-ancestors 'none'" in policy, what
    assert "unsafe" not in policy, what
    assert reply.header("server") == "", what


def test_d25_every_answer_has_the_headers(page, refs):
    replies = {(method, path): reply for method, path, reply in ask_each(page)}
    replies["401"] = page.ask("GET", "/", is_known=False)
    replies["303"] = page.ask("GET", "/?token=" + page.settings.token, is_known=False)
    replies["404"] = page.get("/nowhere")
    replies["405"] = page.ask("PUT", "/")
    replies["400"] = page.ask("GET", "/", {"Host": "evil"})
    replies["400 of a line"] = parse(page.raw(b"NONSENSE\r\n\r\n"))
    replies["204"] = page.post("/api/live", {"stamp": page.post("/api/live", {}).json["stamp"]})
    replies["HEAD"] = page.ask("HEAD", "/")
    assert replies["204"].status == 204
    for what, reply in replies.items():
        check_headers(reply, what)


def test_d25_data_is_not_kept_by_browsers(page, refs):
    for target in ("/", "/api/experiments", "/api/run?run=" + refs[0]):
        assert page.get(target).header("cache-control") == "no-store"


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
        "Content-Length: 2\r\nContent-Length: 40",
        "Content-Length: 2, 40",
        "Content-Length: +2",
        "Content-Length: 0x2",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
        "Transfer-Encoding : chunked",
        "Content-Length: 2\r\n Content-Length: 3",
    ],
)
def test_d27_a_body_with_two_lengths_is_refused_and_nothing_is_a_second_request(page, head):
    lines = ["POST /api/runs HTTP/1.1", "Host: %s", "Cookie: %s", "Content-Type: application/json", "X-Mini-MLflow: 1"]
    text = "\r\n".join([*lines, "%s", "", ""])
    smuggled = "{}GET /api/experiments HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nConnection: close\r\n\r\n"
    data = page.raw((text % (page.host, page.cookie, head) + smuggled % (page.host, page.cookie)).encode())
    assert data.startswith(b"HTTP/1.1 400 ")
    assert data.count(b"HTTP/1.1 ") == 1


def test_d27_a_bare_line_feed_is_refused(page):
    head = "GET /api/experiments HTTP/1.1\nHost: %s\nCookie: %s\n\n" % (page.host, page.cookie)
    for text in (
        head,
        head.replace("\n", "\r\n", 1),
        head.replace("\n", "\r\r\n"),
        head.replace("\n", "\r\n").replace(" H", "\0 H"),
    ):
        data = page.raw(text.encode())
        assert data.startswith(b"HTTP/1.1 400 ")
        assert data.count(b"HTTP/1.1 ") == 1


def test_g01_another_user_of_this_machine_is_told_nothing(page):
    for method, path, reply in ask_each(page, is_known=False):
        assert reply.status == 401, (method, path)
        assert b"run-0" not in reply.body


def test_g03_a_cookie_of_a_server_that_ended_opens_nothing(store):
    with served(store) as first:
        old = first.settings
    with served(store) as second:
        cookie = "%s=%s" % (second.settings.cookie, old.session)
        assert second.ask("GET", "/api/experiments", {"Cookie": cookie}, is_known=False).status == 401
        reply = second.ask("GET", "/", {"Cookie": cookie}, is_known=False)
        assert b"Sessions end with the server" in reply.body


def test_g03_every_answer_says_which_server_it_is_from(page):
    instance = page.get("/api/bootstrap").json["server"]["instance"]
    assert {reply.header("x-mini-mlflow-instance") for _, _, reply in ask_each(page)} == {instance}


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_c11_other_sites_get_no_data(page, site):
    for mode, kind in (
        ("no-cors", "script"),
        ("no-cors", "image"),
        ("cors", "empty"),
        ("navigate", "iframe"),
        ("navigate", "object"),
    ):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": kind}
        for method, path, reply in ask_each(page, headers):
            assert reply.status == 403, (mode, kind, method, path)


@pytest.mark.parametrize(
    "kind", ["script", "worker", "sharedworker", "serviceworker", "iframe", "object", "embed", "style", "frame"]
)
def test_c08_an_artifact_is_no_script_and_no_worker(page, kind):
    headers = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": kind}
    for target in ("/artifacts/0/0/run/x.js", "/api/experiments"):
        assert page.ask("GET", target, headers).status == 403
    assert page.ask("GET", "/artifacts/0/0/run/sw.js", {"Service-Worker": "script"}).status == 403


def test_c08_scripts_come_from_the_static_folder_alone(page):
    policy = page.get("/").header("content-security-policy")
    assert "script-src %s/static/;" % page.host in policy
    assert "'self'" not in policy.split("script-src")[1].split(";")[0]


METADATA = "http://169.254.169.254/latest/meta-data/"
THEIRS = """artifact_uri: %s
end_time: 1795425600000
entry_point_name: %s
experiment_id: '0'
lifecycle_stage: active
run_id: theirs
run_name: %s
run_uuid: theirs
source_name: %s
source_version: %s
start_time: 1795425500000
status: 3
user_id: %s
"""


@pytest.fixture
def asked_for():
    """What this process asks of the network beyond this machine."""
    found = []
    _LISTENERS.append(found)
    yield found
    _LISTENERS.remove(found)


_LISTENERS = []


def _listen(event, arguments):
    if _LISTENERS and event.startswith(("socket.connect", "socket.get", "socket.sendto", "urllib")):
        text = repr(arguments)
        if "127.0.0.1" not in text:
            _LISTENERS[-1].append((event, text))


sys.addaudithook(_listen)


def test_d22_whoever_asks_the_network_is_heard(asked_for):
    with suppress(OSError), socket.socket() as mine:
        mine.settimeout(0.001)
        mine.connect(("192.0.2.1", 80))  # a network for documentation
    assert [event for event, _ in asked_for] == ["socket.connect"]


def test_d22_an_address_in_any_field_is_never_asked(tmp_path, asked_for):
    folder = tmp_path / "mlruns"
    tags = dict.fromkeys(("mlflow.source.name", "mlflow.source.git.repoURL", "mlflow.note.content", "x"), METADATA)
    with mini_mlflow.start_run(METADATA, runs_dir=folder, run_id="ours", version=METADATA, tags=tags) as run:
        run.log_param("data", METADATA)
        run.log_metric("loss", 0.5)
        run.log_text("![](%s)" % METADATA, "report.md")
    meta = folder / "0" / "ours" / "meta.yaml"
    meta.write_text(meta.read_text() + 'artifact_uri: "%s"\ngit_remote: "%s"\n' % (METADATA, METADATA))
    for name in ("params", "metrics", "tags", "artifacts"):
        (folder / "0" / "theirs" / name).mkdir(parents=True)
    (folder / "0" / "theirs" / "meta.yaml").write_text(THEIRS % ((METADATA,) * 6))
    (folder / "0" / "theirs" / "metrics" / "loss").write_text("1795425500000 0.5 0\n")
    (folder / "0" / "theirs" / "artifacts" / "report.md").write_text(METADATA)
    runs = ["0/0/ours", "0/0/theirs"]
    body = json.dumps({"runs": runs, "metrics": ["loss"], "keys": ["data"], "text": METADATA, "caret": 3, "refs": runs})
    with served(folder) as page:
        told = page.post("/api/runs", {}).json
        assert told["matched"] == 2, told
        for method, path in paths_of(page):
            for ref in [*runs, METADATA]:
                query = "?run=%s&path=%s&a=%s&b=%s" % (ref, "report.md", runs[0], runs[1])
                given = dict(DATA) if method == "POST" else {}
                reply = page.ask(method, path + query, given, body.encode() if method == "POST" else b"")
                assert reply.status < 500, (method, path, ref)
        for run in ("ours", "theirs"):
            assert METADATA in page.get("/artifacts/0/0/%s/report.md" % run).body.decode()
            assert [file["name"] for file in page.get("/api/files?run=0/0/%s" % run).json["files"]] == ["report.md"]
            assert page.get("/api/preview?run=0/0/%s&path=report.md" % run).json["kind"] == "text"
            assert page.get("/api/run?run=0/0/%s" % run).json["name"] == METADATA
    assert asked_for == []
