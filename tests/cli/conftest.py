"""What the tests of the command line stand on: stores, and commands on a real terminal or in a pipe."""

import fcntl
import io
import os
import pty
import struct
import sys
import termios
import threading
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

import pytest
from made_store import NOW_MS, StoreBuilder, fill_other_experiments, fill_sweep

from mini_mlflow.cli import main as cli_main
from mini_mlflow.cli import screen

_QUIET = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "MINI_MLFLOW_DIR", "MINI_MLFLOW_DEBUG", "MLFLOW_TRACKING_URI")


class Result(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> List[str]:
        return self.out.splitlines()


class Terminal:
    """A pseudo terminal that commands of this process write to, and read from."""

    def __init__(self, columns: int, rows: int = 50) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        settings = termios.tcgetattr(self.slave)
        settings[1] &= ~termios.OPOST  # lines end as they were written
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(self.slave, termios.TCSANOW, settings)
        self.parts: List[bytes] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def type(self, text: str) -> None:
        """Let the user type something."""
        os.write(self.master, text.encode())

    def close(self) -> None:
        os.close(self.slave)
        self._reader.join(60)
        os.close(self.master)

    def take(self) -> bytes:
        """Return what was written since the last time; a mark that is written last tells that it is all there."""
        mark = b"\x00end\x00"
        os.write(self.slave, mark)
        with self._news:
            is_there = self._news.wait_for(lambda: b"".join(self.parts[-2:]).endswith(mark), timeout=120)
            assert is_there
            found, self.parts[:] = b"".join(self.parts)[: -len(mark)], []
        return found

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            with self._news:
                self.parts.append(data)
                self._news.notify()


class Shell:
    """Runs commands one after the other, on one terminal or in pipes, with the clock at ``NOW_MS``."""

    def __init__(self, monkeypatch: Any, terminal: Optional[Terminal]) -> None:
        self._monkeypatch = monkeypatch
        self._terminal = terminal
        self.encoding = "utf-8"

    def run(self, *arguments: str, stdin: str = "", encoding: Optional[str] = None) -> Result:
        """Run one command and return what it wrote and how it ended.

        On a terminal, what goes to standard error is kept apart all the same, though it is one of the terminal's, too.
        """
        encoding = encoding or self.encoding
        is_terminal = self._terminal is not None
        out: Any = _TerminalStream(self._terminal, encoding) if self._terminal else _pipe(encoding)
        err: Any = _pipe("utf-8", is_terminal=is_terminal)
        source: Any = os.fdopen(os.dup(self._terminal.slave)) if self._terminal else io.StringIO(stdin)
        with self._monkeypatch.context() as patch:
            for name, stream in (("stdin", source), ("stdout", out), ("stderr", err)):
                patch.setattr(sys, name, stream)
                patch.setattr(sys, "__%s__" % name, stream)
            code = cli_main.main(list(arguments))
        out.flush()
        written = self._terminal.take() if self._terminal else out.buffer.getvalue()
        source.close()
        if self._terminal:
            out.close()
        return Result(code, written.decode(encoding), err.buffer.getvalue().decode("utf-8"))


class _Stream(io.TextIOWrapper):
    """Standard error on a terminal, kept apart."""

    is_terminal = False

    def isatty(self) -> bool:
        return self.is_terminal


def _pipe(encoding: str, *, is_terminal: bool = False) -> _Stream:
    stream = _Stream(io.BytesIO(), encoding=encoding, newline="\n")
    stream.is_terminal = is_terminal
    return stream


class _TerminalStream(io.TextIOWrapper):
    """Standard output on a terminal."""

    def __init__(self, terminal: Terminal, encoding: str) -> None:
        raw = os.fdopen(os.dup(terminal.slave), "wb")
        super().__init__(raw, encoding=encoding, newline="\n")


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch, tmp_path):
    """Let commands see no settings and no cache of whoever runs the tests, and one clock in one time zone."""
    for name in _QUIET:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MINI_MLFLOW_PROGRESS", "off")  # else a slow machine shows how far it is, in between
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr(screen, "time", lambda: NOW_MS / 1000)
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def new_store(tmp_path):
    """Return a function that makes a store in a folder of a name: ``new_store("mlruns")``."""
    built: List[StoreBuilder] = []

    def build(name: str = "mlruns") -> StoreBuilder:
        built.append(StoreBuilder(tmp_path / name))
        return built[-1]

    yield build
    for each in built:
        each.close()


@pytest.fixture
def store(new_store):
    """A store that is empty yet: ``store.run("brisk-otter", params=…, metrics=…)``."""
    return new_store()


@pytest.fixture
def sweep(store, monkeypatch, tmp_path):
    """The store of docs/cli.md, in ``mlruns`` of the current folder: a sweep of 24 runs and two more experiments."""
    monkeypatch.chdir(tmp_path)
    store.ids = fill_sweep(store)
    fill_other_experiments(store)
    return store


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory):
    """The same store as of ``sweep``, made once."""
    made = StoreBuilder(tmp_path_factory.mktemp("shared") / "mlruns")
    made.ids = fill_sweep(made)
    fill_other_experiments(made)
    yield made
    made.close()


@pytest.fixture
def shared_sweep(shared_store, monkeypatch):
    """The same as ``sweep``, for tests that only look."""
    monkeypatch.chdir(shared_store.path.parent)
    return shared_store


@pytest.fixture
def new_shell(monkeypatch):
    """Return a function that makes a shell: ``new_shell(80)`` on a terminal of 80 columns, ``new_shell()`` in pipes."""
    terminals: List[Terminal] = []

    def make(columns: Optional[int] = None) -> Shell:
        if columns is None:
            return Shell(monkeypatch, None)
        terminals.append(Terminal(columns))
        return Shell(monkeypatch, terminals[-1])

    yield make
    for terminal in terminals:
        terminal.close()


@pytest.fixture
def run_cli(new_shell):
    """Return a function that runs a command: ``run_cli("ls", columns=80)`` on a terminal, ``run_cli("ls")`` in pipes.

    Commands of one test on terminals of one width share the terminal, and so its rows.
    """
    shells: Dict[Optional[int], Shell] = {}

    def run(*arguments: str, columns: Optional[int] = None, encoding: Optional[str] = None, stdin: str = "") -> Result:
        if columns not in shells:
            shells[columns] = new_shell(columns)
        return shells[columns].run(*arguments, encoding=encoding, stdin=stdin)

    return run


@pytest.fixture
def check_screen():
    """Return a function that compares a screen with its golden file; ``MINI_MLFLOW_NEW_SCREENS=1`` writes new ones."""
    folder = Path(__file__).parent / "screens"

    def check(name: str, text: str) -> None:
        path = folder / (name + ".txt")
        if os.environ.get("MINI_MLFLOW_NEW_SCREENS") == "1":
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n") if sys.version_info >= (3, 10) else path.write_bytes(
                text.encode("utf-8")
            )
        assert text == path.read_bytes().decode("utf-8")

    return check
