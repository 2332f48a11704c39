"""What the page gets over real sockets: itself, its files, data, changes, downloads."""

import gzip
import json
import shutil
import socket
from pathlib import Path

import pytest
from page_server import make_store, read_all, served

from mini_mlflow.ui import connections, pages
from mini_mlflow.ui.api import packing

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A server that these tests look at and change nothing of."""
    with served(make_store(tmp_path_factory.mktemp("http") / "mlruns")) as page:
        yield page


def test_who_came_while_the_server_ended_is_let_go(tmp_path, monkeypatch):
    monkeypatch.setattr(connections.Protocol, "shutdown", lambda self: None)  # as of one who was not there to be told
    with served(make_store(tmp_path / "mlruns")) as page:
        idle = socket.create_connection(("127.0.0.1", page.port), timeout=10)
        page.get("/")  # the server knows of both
    with idle:
        assert read_all(idle) == b""


def test_the_page_comes_with_its_first_answer_inside(shared):
    reply = shared.get("/")
    assert reply.header("content-type") == "text/html; charset=utf-8"
    text = reply.body.decode()
    data = text.partition('<script type="application/json" id="bootstrap">')[2].partition("</script>")[0]
    told = json.loads(data)
    assert told["runs"]["rows"]["name"] == ["run-3", "run-2", "run-1", "run-0"]
    assert told["experiments"][0]["runs"] == 4


def test_every_file_that_the_page_names_is_there_and_is_kept_for_ever(shared):
    version = pages.read_static().version
    text = shared.get("/").body.decode()
    named = [part.partition('"')[0] for part in text.split('="static/')[1:]]
    assert len(named) >= 3
    for name in named:
        assert name.startswith(version + "/")
        reply = shared.get("/static/" + name)
        assert reply.status == 200
        assert "immutable" in reply.header("cache-control")
        plain = shared.get("/static/" + name.partition("/")[2])
        assert (plain.body, plain.header("cache-control")) == (reply.body, "no-cache")


@pytest.mark.parametrize(
    "path", ["x.js", "../desk.py", "%2e%2e/desk.py", "", ".", "0123456789abcdef/main.js", "..%2fdesk.py"]
)
def test_the_static_folder_has_its_own_files_alone(shared, path):
    assert shared.get("/static/" + path).status == 404


def test_answers_are_packed_for_who_takes_that(shared):
    reply = shared.get("/", Accept_Encoding="gzip, deflate, br")
    assert reply.header("content-encoding") == "gzip"
    assert b'id="bootstrap"' in gzip.decompress(reply.body)
    assert shared.get("/").header("content-encoding") == ""


def test_series_come_as_one_document(shared):
    refs = shared.post("/api/runs", {}).json["rows"]["ref"]
    reply = shared.post("/api/series", {"runs": refs, "metrics": ["val.loss", "val.acc"]})
    assert reply.header("content-type") == "application/octet-stream"
    header, data = packing.unpack(reply.body)
    assert [one["n"] for one in header["series"]] == [20] * 8
    assert len(data) == 20 * 8 + 8 * 20 * 4  # all logged at the same steps: these come once


def test_an_idle_page_gets_an_answer_without_a_body(shared):
    stamp = shared.post("/api/runs", {}).json["stamp"]
    reply = shared.post("/api/live", {"stamp": stamp})
    assert (reply.status, reply.body) == (204, b"")


def test_an_error_in_a_filter_is_told_with_its_place(shared):
    reply = shared.post("/api/runs", {"filter": "lr <"})
    assert reply.status == 400
    error = reply.json["error"]
    assert (error["code"], error["where"], error["position"]) == ("query", "filter", 4)


def test_every_run_of_a_view_is_downloaded(shared):
    reply = shared.post("/api/csv", {"filter": "lr < 0.05"})
    assert reply.header("content-type") == "text/csv; charset=utf-8"
    assert reply.header("content-disposition") == "attachment; filename*=UTF-8''runs.csv"
    assert len(reply.body.decode().strip().split("\r\n")) == 3


def test_a_change_is_there_for_the_next_look(store):
    with served(store) as page:
        ref = page.post("/api/runs", {}).json["rows"]["ref"][0]
        assert page.post("/api/edit", {"run": ref, "name": "new"}).json["name"] == "new"
        assert page.get("/api/run?run=" + ref).json["name"] == "new"
        assert page.post("/api/delete", {"runs": [ref]}).json["done"] == [ref]
        assert page.get("/api/run?run=" + ref).status == 404
        assert page.post("/api/restore", {"runs": [ref]}).json["done"] == [ref]
        assert page.get("/api/run?run=" + ref).status == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": 5},
        {"set_tags": {"a/b": "x"}},
        {"set_tags": {"mlflow.user": "x"}},
        {"set_tags": {"a": 1}},
        {"delete_tags": ["mlflow.runName"]},
        {"note": "x" * 600000},
        {"name": "x" * 10001},
    ],
)
def test_a_change_to_what_is_not_legal_changes_nothing(shared, fields):
    ref = shared.post("/api/runs", {}).json["rows"]["ref"][0]
    before = shared.get("/api/run?run=" + ref).json
    assert shared.post("/api/edit", {"run": ref, **fields}).status == 400
    after = shared.get("/api/run?run=" + ref).json
    assert (after["name"], after["tags"], after["note"]) == (before["name"], before["tags"], before["note"])


def test_d26_changes_are_refused_where_nothing_may_be_changed(store):
    with served(store, is_read_only=True) as page:
        refs = page.post("/api/runs", {}).json["rows"]["ref"]
        assert page.get("/api/bootstrap").json["server"]["is_read_only"]
        for path, fields in (
            ("edit", {"run": refs[0], "name": "x"}),
            ("tag", {"runs": refs, "set_tags": {"a": "b"}}),
            ("delete", {"runs": refs}),
            ("restore", {"runs": refs}),
        ):
            reply = page.post("/api/" + path, fields)
            assert (reply.status, reply.code) == (403, "read_only")
        assert page.post("/api/runs", {}).json["total"] == 4


@pytest.mark.parametrize("name", ["mlflow-1.0", "mlflow-1.30", "mlflow-2.22", "mlflow-3.18", "format-0", "format-1"])
def test_stores_of_all_kinds_open(tmp_path, name):
    source = GOLDEN / name
    shutil.copytree(source / "store" if (source / "store").is_dir() else source, tmp_path / "copy")
    folder = tmp_path / "copy" / "mlruns" if (tmp_path / "copy" / "mlruns").is_dir() else tmp_path / "copy"
    with served(folder) as page:
        told = page.get("/api/bootstrap").json
        refs = [each["ref"] for each in told["experiments"]]
        rows = page.post("/api/runs", {"experiments": refs}).json["rows"]
        assert rows["ref"]
        for ref in rows["ref"]:
            run = page.get("/api/run?run=%s" % ref.replace(" ", "%20")).json
            assert run["ref"] == ref
            keys = [metric["key"] for metric in run["metrics"]]
            if keys:
                header, _ = packing.unpack(page.post("/api/series", {"runs": [ref], "metrics": keys}).body)
                assert [one["rows"] for one in header["series"]] == [metric["count"] for metric in run["metrics"]]
