"""A store with runs, and the page's server over it, on a real port of this machine."""

import json
import os
import socket
import threading
from contextlib import contextmanager
from typing import Dict, List, NamedTuple, Tuple

import pytest

import mini_mlflow
from mini_mlflow.ui import serving, settings
from mini_mlflow.ui.api.stores import Stores
from mini_mlflow.ui.connections import Crowd

LONGEST_S = 20.0


class Reply(NamedTuple):
    """What came back."""

    status: int
    headers: List[Tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """Return the one header of a name; empty where there is none."""
        found = [value for key, value in self.headers if key == name]
        assert len(found) <= 1, (name, found)
        return found[0] if found else ""

    @property
    def json(self):
        return json.loads(self.body.decode("utf-8"))

    @property
    def code(self) -> str:
        return self.json["error"]["code"]


class Page:
    """A server that runs, and who asks it."""

    def __init__(self, server, port: int, chosen) -> None:
        self.server = server
        self.port = port
        self.settings = chosen

    @property
    def host(self) -> str:
        return "127.0.0.1:%d" % self.port

    @property
    def cookie(self) -> str:
        return "%s=%s" % (self.settings.cookie, self.settings.session)

    def raw(self, data: bytes) -> bytes:
        """Send bytes, and return all that comes until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=LONGEST_S) as connection:
            connection.sendall(data)
            return read_all(connection)

    def ask(self, method: str, target: str, headers=None, body: bytes = b"", *, is_known: bool = True) -> Reply:
        """Send one request with exactly these headers; as somebody with our cookie unless said."""
        given: Dict[str, str] = {"Host": self.host, "Connection": "close"}
        if is_known:
            given["Cookie"] = self.cookie
        if body or method == "POST":
            given["Content-Length"] = str(len(body))
        for name, value in (headers or {}).items():
            if value is None:
                given.pop(name, None)
            else:
                given[name] = value
        lines = ["%s %s HTTP/1.1" % (method, target), *("%s: %s" % pair for pair in given.items())]
        return parse(self.raw("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body))

    def get(self, target: str, **headers: str) -> Reply:
        return self.ask("GET", target, {name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, target: str, fields, **headers: str) -> Reply:
        given = {"Content-Type": "application/json", "X-Mini-MLflow": "1"}
        given.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.ask("POST", target, given, json.dumps(fields).encode())


def read_all(connection: socket.socket) -> bytes:
    parts = []
    while True:
        try:
            part = connection.recv(1 << 16)
        except ConnectionResetError:
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


def parse(data: bytes) -> Reply:
    """Return the one answer that the bytes are."""
    head, gap, body = data.partition(b"\r\n\r\n")
    assert gap, data
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    if ("transfer-encoding", "chunked") in headers:
        body = unchunk(body)
    return Reply(int(first.split(" ")[1]), headers, body)


def unchunk(body: bytes) -> bytes:
    parts = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        count = int(size, 16)
        parts.append(rest[:count])
        body = rest[count + 2 :] if count else b""
    return b"".join(parts)


@contextmanager
def served(*folders, crowd: Crowd = None, is_read_only: bool = False, port: int = 0, **about):
    """Lend a server over some stores."""
    chosen = settings.make_settings(port=port, **about)
    listener = serving.open_port("127.0.0.1", port, is_next_taken=False)
    chosen = chosen._replace(port=serving.port_of(listener))
    stores = Stores([str(folder) for folder in folders], is_read_only=is_read_only)
    server = serving.Server(stores, chosen, "0.0.0", crowd=crowd)
    thread = threading.Thread(target=server.run, args=(listener,), daemon=True)
    thread.start()
    try:
        yield Page(server, chosen.port, chosen)
    finally:
        server.stop()
        thread.join(LONGEST_S)
        listener.close()
        assert not thread.is_alive()


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """Keep indexes away from the user's."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before


def make_store(folder):
    """Make four runs: two learning rates, two seeds, two metrics."""
    for number in range(4):
        with mini_mlflow.start_run(runs_dir=folder, run_name="run-%d" % number):
            mini_mlflow.log_params({"lr": [0.1, 0.01][number % 2], "seed": number // 2, "optimizer": "adam"})
            mini_mlflow.set_tag("team", "vision")
            for step in range(20):
                mini_mlflow.log_metric("val.loss", 1.0 / (step + 1) + number, step=step)
                mini_mlflow.log_metric("val.acc", step / 20 + number / 100, step=step)
    return folder


@pytest.fixture
def store(tmp_path):
    return make_store(tmp_path / "mlruns")


@pytest.fixture
def page(store):
    with served(store) as lent:
        yield lent


@pytest.fixture
def refs(page):
    return page.post("/api/runs", {"order": ["start_time ASC"]}).json["rows"]["ref"]
