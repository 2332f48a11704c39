"""The command ``mini-mlflow ui`` as a process: what it prints, how it ends, and what other users could see of it."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest
from page_server import make_store, parse, read_all

from mini_mlflow.errors import InvalidValueError
from mini_mlflow.ui import serving, settings

LONGEST_S = 60


@contextmanager
def started(*words, ended_by=signal.SIGTERM, **environment):
    """Run the command, and lend the process and what it says of itself."""
    command = [sys.executable, "-m", "mini_mlflow", "ui", "--json", *map(str, words)]
    given = {**os.environ, **environment}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=given)
    watchdog = threading.Timer(LONGEST_S, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read().decode()
        yield process, json.loads(line)
    finally:
        watchdog.cancel()
        process.send_signal(ended_by)
        process.communicate()


def fetch(link, **headers):
    """Return the status and the body of what a link leads to; cookies are kept on the way."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    try:
        with opener.open(urllib.request.Request(link, headers=headers), timeout=LONGEST_S) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.fixture
def store(tmp_path):
    return make_store(tmp_path / "mlruns")


def test_the_link_that_is_printed_opens_the_page(store):
    with started(store, "--port", "0") as (_, told):
        status, body = fetch(told["link"])
        assert status == 200
        assert b'id="bootstrap">{"server"' in body
        assert fetch(told["address"])[0] == 401


def test_a_folder_that_holds_a_store_is_taken_for_it(store):
    with started(store.parent, "--port", "0") as (_, told):
        assert b"run-3" in fetch(told["link"])[1]


def test_e13_the_token_is_in_no_command_line_no_environment_and_no_file(store):
    with started(store, "--port", "0") as (process, told):
        token = told["link"].partition("token=")[2].encode()
        assert len(token) >= 32
        fetch(told["link"])
        for name in ("cmdline", "environ"):
            with open("/proc/%d/%s" % (process.pid, name), "rb") as file:
                assert token not in file.read()
        assert not any(token in path.read_bytes() for path in store.rglob("*") if path.is_file())


def test_e13_a_browser_gets_the_link_by_a_file_that_is_ours_alone():
    with serving.link_file("http://127.0.0.1:1/?token=abc&x=1") as path:
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        with open(path, encoding="utf-8") as file:
            assert "0;url=http://127.0.0.1:1/?token=abc&amp;x=1" in file.read()
    assert not os.path.exists(path)


def test_without_a_token_nobody_needs_one_and_other_sites_are_refused_all_the_same(store):
    with started(store, "--port", "0", "--no-token") as (_, told):
        assert told["link"] == told["address"]
        assert fetch(told["address"])[0] == 200
        assert fetch(told["address"] + "api/experiments", Origin="http://evil.example")[0] == 403


@pytest.mark.parametrize("words", [["--no-token", "--host", "0.0.0.0"], ["--port", "99999"], ["--port", "x"]])
def test_d09_what_would_be_open_to_others_is_refused(store, words):
    command = [sys.executable, "-m", "mini_mlflow", "ui", str(store), *words]
    found = subprocess.run(command, capture_output=True, timeout=LONGEST_S, check=False)
    assert found.returncode == 2
    assert b"Traceback" not in found.stderr


def test_d09_an_open_address_is_said_aloud(store):
    command = [sys.executable, "-m", "mini_mlflow", "ui", str(store), "--host", "0.0.0.0", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    lines = [process.stdout.readline() for _ in range(4)]
    process.terminate()
    process.communicate(timeout=LONGEST_S)
    assert b"Others on the network can reach it" in b"".join(lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_g02_a_socket_is_ours_alone_and_gone_afterwards(store, tmp_path, number):
    path = tmp_path / "private" / "ui.sock"
    with started(store, "--socket", path, ended_by=number) as (_, told):
        assert stat.S_IMODE(os.lstat(path).st_mode) == 0o600
        assert stat.S_IMODE(os.stat(path.parent).st_mode) == 0o700
        token = told["link"].partition("token=")[2]
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(LONGEST_S)
            connection.connect(str(path))
            lines = [
                "GET /api/experiments HTTP/1.1",
                "Host: localhost",
                "Connection: close",
                "Authorization: Bearer %s",
            ]
            connection.sendall(("\r\n".join([*lines, "", ""]) % token).encode())
            assert parse(read_all(connection)).json["experiments"][0]["runs"] == 4
    assert not path.exists()


def test_g02_a_stale_socket_of_ours_is_replaced_and_nothing_else_is(tmp_path):
    os.chmod(tmp_path, 0o700)
    path = tmp_path / "ui.sock"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
    listens = pytest.raises(InvalidValueError, match="Another server listens")
    with serving.opened_socket(str(path)), listens, serving.opened_socket(str(path)):
        pass
    assert not path.exists()
    path.write_text("precious")
    with pytest.raises(InvalidValueError, match="no socket of yours"), serving.opened_socket(str(path)):
        pass
    assert path.read_text() == "precious"
    (tmp_path / "link.sock").symlink_to(path)
    with pytest.raises(InvalidValueError), serving.opened_socket(str(tmp_path / "link.sock")):
        pass


def test_g02_a_folder_that_is_open_to_others_and_a_long_path_are_refused(tmp_path):
    (tmp_path / "open").mkdir(mode=0o755)
    with pytest.raises(InvalidValueError, match="yours alone"), serving.opened_socket(str(tmp_path / "open" / "s")):
        pass
    with pytest.raises(InvalidValueError, match="at most 107 bytes"), serving.opened_socket("/tmp/" + "x" * 200):
        pass


def test_a_port_that_is_taken_is_told_or_the_next_one_is_used(store):
    first = serving.open_port("127.0.0.1", 0, is_next_taken=False)
    port = serving.port_of(first)
    try:
        with pytest.raises(OSError, match="in use"):
            serving.open_port("127.0.0.1", port, is_next_taken=False)
        second = serving.open_port("127.0.0.1", port, is_next_taken=True)
        assert port < serving.port_of(second) <= port + 20
        second.close()
    finally:
        first.close()


def test_d20_uvicorn_believes_no_forwarding_header(store):
    from mini_mlflow.ui.api.stores import Stores

    server = serving.Server(Stores([str(store)]), settings.make_settings(), "0")
    assert server._server.config.proxy_headers is False
    assert server._server.config.server_header is False
    assert server._server.config.access_log is False
