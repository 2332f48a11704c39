"""Attacks on the files of a run, over real sockets: paths, links, and what a browser would make of them."""

import os
import pickle
import struct
import threading
import zlib

import pytest
from page_server import make_store, served

import mini_mlflow

HTML = b"<!doctype html><script>fetch('/api/runs')</script>"
LARGEST = 1 << 40


def png(width, height):
    """Return a file that says it is an image of so many pixels; there are none."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + chunk(b"IDAT", zlib.compress(bytes(width + 1) if width < 10000 else b""))
        + chunk(b"IEND", b"")
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with files of all kinds, and a secret beside the store."""
    top = tmp_path_factory.mktemp("files")
    folder = make_store(top / "mlruns")
    (top / "secret.txt").write_text("TOP-7f3a")
    (top / "mlruns-evil").mkdir()
    (top / "mlruns-evil" / "x").write_text("TOP-7f3a")
    with mini_mlflow.start_run(runs_dir=folder, run_id="files") as run:
        run.log_text("hello\n", "plots/a.txt")
    artifacts = folder / "0" / "files" / "artifacts"
    for name in ("a.html", "a.xhtml", "a.xml", "a.js", "a.pdf", "html.png", "html", "html.txt"):
        (artifacts / name).write_bytes(HTML)
    (artifacts / "a.svg").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    (artifacts / "real.png").write_bytes(png(3, 2))
    (artifacts / "huge.png").write_bytes(png(50000, 50000))
    (artifacts / "ten").write_bytes(b"0123456789")
    (artifacts / "link").symlink_to(top / "secret.txt")
    (artifacts / "out").symlink_to(top)
    (artifacts / "MLmodel").write_text("a: !!js/function 'function(){}'\n")
    for name in ("model.pkl", "model.pt", "table.parquet"):
        (artifacts / name).write_bytes(pickle.dumps({"a": 1}, 4))
    (artifacts / "objects.npy").write_bytes(b"\x93NUMPY\x01\x00" + pickle.dumps({"a": 1}, 4))
    os.mkfifo(artifacts / "pipe")
    with open(artifacts / "sparse.log", "wb") as file:
        file.truncate(5 << 30)
    (folder / "0" / "linked").symlink_to(folder / "0" / "files")
    return folder


@pytest.fixture(scope="module")
def page(run):
    with served(run) as lent:
        yield lent


def artifact(page, path, **headers):
    return page.get("/artifacts/0/0/files/" + path, **headers)


@pytest.mark.parametrize(
    "path",
    [
        "../../../../secret.txt",
        "..",
        "plots/../../meta.yaml",
        "/etc/passwd",
        "//etc/passwd",
        "//proc/self/root/etc/passwd",
        "%2e%2e%2f%2e%2e%2fmeta.yaml",
        "%252e%252e%252fmeta.yaml",
        "%2e%2e/meta.yaml",
        "..%5cmeta.yaml",
        "..\\x",
        "C:\\x",
        "C:../x",
        "\\\\host\\share",
        "//host/share",
        "%5c%5chost%5cshare",
        "",
        ".",
        "%2e",
        "./.",
        ".//",
        "a//b",
        "plots/",
        "%00",
        "a.txt%00.png",
        "%ff%fe",
    ],
)
def test_a01_to_a04_a_path_that_leads_elsewhere_is_refused_at_every_door(page, path):
    doors = ("preview", "tail", "files") if path not in ("", ".", "%2e") else ("preview", "tail")
    sent = path.replace("\\", "%5c")
    targets = ["/api/%s?run=0/0/files&path=%s" % (door, sent) for door in doors]
    for reply in [artifact(page, path), *map(page.get, targets)]:
        assert 400 <= reply.status < 500 or reply.json.get("files") == [], (path, reply)
        assert b"TOP-7f3a" not in reply.body
        assert b"run_id" not in reply.body


def test_a03_what_is_checked_is_what_is_opened_and_it_is_decoded_once(page, run):
    (run / "0" / "files" / "artifacts" / "100%25").write_text("per cent")
    assert artifact(page, "100%2525").body == b"per cent"
    assert artifact(page, "100%25").status == 404


@pytest.mark.parametrize(
    "ref",
    [
        "0/0/..",
        "0/../0/x",
        "0/0/.trash",
        "0/.trash/x",
        "0/0/a%2Fb",
        "0/0/-rf",
        "0/0/" + "x" * 300,
        "0/0/%00",
        "0/0/a%5cb",
        "-1/0/files",
        "99/0/files",
        "00/0/files",
        "0/0",
        "0",
        "",
        "/0/0/files",
        "0/0/files/../../x",
        "1e0/0/files",
    ],
)
def test_a08_ids_that_are_no_names_are_refused(page, ref):
    for target in ("/api/run?run=" + ref, "/api/files?run=" + ref, "/artifacts/" + ref + "/a.txt"):
        assert 400 <= page.get(target).status < 500, target


def test_a09_a_store_beside_ours_with_a_longer_name_is_out_of_reach(page):
    assert artifact(page, "../../../../mlruns-evil/x").status == 400
    assert page.get("/api/run?run=0/..%2Fmlruns-evil/x").status == 400


@pytest.mark.parametrize("path", ["link", "out", "out/secret.txt", "pipe", "out/mlruns/0/meta.yaml"])
def test_a12_links_and_what_is_no_file_are_not_opened(page, path):
    for target in ("/artifacts/0/0/files/" + path, "/api/preview?run=0/0/files&path=" + path):
        reply = page.get(target)
        assert 400 <= reply.status < 500
        assert b"TOP-7f3a" not in reply.body
    names = [each["name"] for each in page.get("/api/files?run=0/0/files").json["files"]]
    assert {"link", "out", "pipe"} & set(names) == set()


def test_a12_a_run_that_is_a_link_is_no_run(page):
    assert page.get("/artifacts/0/0/linked/ten").status == 404
    assert page.get("/api/run?run=0/0/linked").status == 404


def test_a13_a_store_that_is_itself_a_link_works(run, tmp_path):
    (tmp_path / "mlruns").symlink_to(run)
    with served(tmp_path / "mlruns") as page:
        assert artifact(page, "ten").body == b"0123456789"


def test_a14_a_folder_that_turns_into_a_link_shows_nothing_outside(page, run):
    artifacts = run / "0" / "files" / "artifacts"
    for name, text in (("turning", "inside"), ("elsewhere", "SECRET")):
        (artifacts.parent / name).mkdir()
        (artifacts.parent / name / "f").write_text(text)
    (artifacts.parent / "link").symlink_to(artifacts.parent / "elsewhere")
    is_over = threading.Event()

    def turn():
        place = artifacts / "turning"
        while not is_over.is_set():
            os.rename(artifacts.parent / "turning", place)
            os.rename(place, artifacts.parent / "turning")
            os.rename(artifacts.parent / "link", place)
            os.rename(place, artifacts.parent / "link")

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        seen = {artifact(page, "turning/f").body for _ in range(300)}
    finally:
        is_over.set()
        thread.join()
    assert not any(b"SECRET" in body for body in seen)


@pytest.mark.parametrize(
    "name", ["a.html", "a.xhtml", "a.xml", "a.js", "a.pdf", "a.svg", "html.png", "html", "html.txt", "MLmodel"]
)
def test_c06_and_c14_nothing_that_runs_is_shown_outside_of_a_sandbox(page, name):
    reply = artifact(page, name)
    assert reply.status == 200
    policy = reply.header("content-security-policy")
    assert "sandbox" in policy
    assert "allow-same-origin" not in policy
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy
    assert reply.header("content-type") not in ("text/html", "text/xml", "application/xhtml+xml", "text/javascript")


@pytest.mark.parametrize("name", ["a.html", "a.xhtml", "a.xml", "a.js", "a.pdf", "html.png", "html", "html.txt"])
def test_c07_html_under_any_name_is_a_download_or_plain_text(page, name):
    reply = artifact(page, name)
    assert reply.header("x-content-type-options") == "nosniff"
    assert reply.header("content-type") in ("application/octet-stream", "text/plain; charset=utf-8")
    if reply.header("content-type") == "application/octet-stream":
        assert reply.header("content-disposition").startswith("attachment")
    assert reply.body == HTML


def test_c09_a_model_file_is_text(page):
    told = page.get("/api/preview?run=0/0/files&path=MLmodel").json
    assert told["kind"] == "text"
    assert "!!js/function" in told["text"]


def test_c12_a_log_of_5_gb_is_answered_by_its_end(page):
    told = page.get("/api/tail?run=0/0/files&path=sparse.log&bytes=%d" % LARGEST).json
    assert told["size_bytes"] == 5 << 30
    assert told["end"] == 5 << 30
    assert told["end"] - told["start"] <= 256 << 10
    assert len(page.get("/api/preview?run=0/0/files&path=sparse.log").body) < 1 << 20


def test_c12_hundreds_of_keys_and_a_name_of_a_million_letters_are_bounded(tmp_path):
    folder = tmp_path / "mlruns"
    with mini_mlflow.start_run(runs_dir=folder, run_id="wide"):
        mini_mlflow.log_params({"p%d" % number: number for number in range(400)})
    meta = folder / "0" / "wide" / "meta.yaml"
    meta.write_text(meta.read_text().replace("name: ", 'name: "%s" # ' % ("x" * 900000)))
    with served(folder) as page:
        reply = page.post("/api/runs", {})
        assert reply.status == 200
        assert len(reply.body) < 2 << 20
        assert len(page.get("/api/run?run=0/0/wide").body) < 2 << 20


def test_b22_an_image_of_too_many_pixels_is_not_shown(page):
    told = page.get("/api/preview?run=0/0/files&path=huge.png").json
    assert (told["kind"], told["width"]) == ("none", 50000)
    assert artifact(page, "huge.png").header("content-type") == "application/octet-stream"
    assert page.get("/api/preview?run=0/0/files&path=real.png").json["kind"] == "image"
    assert artifact(page, "real.png").header("content-type") == "image/png"


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ('a"b', "a%22b"),
        ("a;b", "a%3Bb"),
        ("a'b", "a%27b"),
        ("é ü", "%C3%A9%20%C3%BC"),
        ("a#b", "a%23b"),
        ("a?", "a%3F"),
    ],
)
def test_d13_a_download_has_a_header_that_no_name_breaks_out_of(page, run, name, sent):
    (run / "0" / "files" / "artifacts" / name).write_text("x")
    reply = artifact(page, "".join("%%%02X" % byte for byte in name.encode()) + "?download=1")
    assert reply.body == b"x"
    assert reply.header("content-disposition") == "attachment; filename*=UTF-8''" + sent


def test_d13_a_name_with_line_ends_is_refused(page):
    reply = artifact(page, "a%0d%0aSet-Cookie:%20x=1")
    assert reply.status == 404
    assert reply.header("content-security-policy")
    assert reply.header("set-cookie") == ""


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ("bytes=0-3", 206, b"0123"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-2", 206, b"89"),
        ("bytes=4-999999", 206, b"456789"),
        ("bytes=-99", 206, b"0123456789"),
        ("bytes=5-2", 416, None),
        ("bytes=10-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=0-1,3-4", 416, None),
        ("bytes=" + ",".join("0-%d" % n for n in range(400)), 416, None),
        ("bytes=" + "9" * 5000 + "-", 416, None),
        ("bytes=-", 416, None),
        ("items=0-1", 416, None),
        ("bytes=a-b", 416, None),
    ],
)
def test_d16_one_range_or_none(page, asked, status, body):
    reply = artifact(page, "ten", Range=asked)
    assert reply.status == status
    if body is not None:
        assert reply.body == body
        assert reply.header("content-length") == str(len(body))
        assert reply.header("content-range").endswith("/10")


def test_a_file_that_is_known_is_not_sent_again(page):
    etag = artifact(page, "ten").header("etag")
    reply = artifact(page, "ten", If_None_Match=etag)
    assert (reply.status, reply.body) == (304, b"")


def test_head_of_a_file_tells_its_size_and_sends_nothing(page):
    reply = page.ask("HEAD", "/artifacts/0/0/files/ten")
    assert (reply.status, reply.header("content-length"), reply.body) == (200, "10", b"")


@pytest.mark.parametrize("name", ["model.pkl", "objects.npy", "model.pt", "table.parquet"])
def test_b20_what_its_usual_reader_would_run_is_a_download_and_no_preview(page, name):
    assert page.get("/api/preview?run=0/0/files&path=" + name).json["kind"] == "none"
    reply = artifact(page, name)
    assert reply.header("content-type") == "application/octet-stream"
    assert reply.header("content-disposition").startswith("attachment")
