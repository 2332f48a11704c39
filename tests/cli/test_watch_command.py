"""``watch`` on a real terminal: what its keys do, and that every way out gives the terminal back as it was."""

import fcntl
import json
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest
from emulator import Emulator

import mini_mlflow

if not hasattr(signal, "SIGWINCH"):
    pytest.skip("no terminals of this kind", allow_module_level=True)

# What a shell does for a command: a session with this terminal, so that keys and sizes become signals.
_START = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.executable, sys.argv[1:])"
_PATIENCE_S = 60


class OnTerminal:
    """A command on a terminal that a test looks at and types on."""

    def __init__(self, arguments, folder, columns=80, rows=24, code=None):
        self.master, self.slave = os.openpty()
        self.emulator = Emulator(columns, rows)
        self._set_size(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        self.raw = b""
        command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "mini_mlflow"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", _START, *command, *arguments],
            stdin=self.slave, stdout=self.slave, stderr=self.slave, start_new_session=True, env=environment, cwd=folder,
        )  # fmt: skip

    def _set_size(self, columns, rows):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        self.emulator.resize(columns, rows)
        self._set_size(columns, rows)  # the system tells the command by SIGWINCH

    def type(self, data):
        os.write(self.master, data.encode())

    def read(self):
        """Let the emulator show what comes next."""
        ready = select.select([self.master], [], [], 0.1)[0]
        if ready:
            data = os.read(self.master, 65536)
            self.raw += data
            text = self.raw.decode("utf-8", "ignore")
            safe = text[: max(text.rfind("\x1b"), 0)] if re.search("\x1b[^a-zA-Z]*$", text) else text
            self.raw = self.raw[len(safe.encode()) :]
            self.emulator.feed(safe)
        return bool(ready)

    def wait_for(self, claim):
        end = time.monotonic() + _PATIENCE_S
        while not claim(self.emulator):
            assert time.monotonic() < end, "\n".join(self.emulator.lines())
            self.read()

    def wait_for_text(self, text):
        self.wait_for(lambda screen: any(text in line for line in screen.lines()))

    def wait_for_end(self):
        """Return the exit code, when all that was written has been shown."""
        end = time.monotonic() + _PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < end, "it does not end"
            self.read()
        while self.read():
            pass
        return self.process.returncode

    def check_restored(self):
        assert not self.emulator.is_alternate
        assert self.emulator.has_cursor
        assert self.emulator.wraps
        assert self.emulator.style == ""
        assert termios.tcgetattr(self.slave) == self.before

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for descriptor in (self.master, self.slave):
            try:
                os.close(descriptor)
            except OSError:
                pass


@pytest.fixture
def watch(store):
    """Return a function that starts ``watch`` on a terminal: ``watch("--until-done", columns=60)``."""
    started = []

    def start(*arguments, **how):
        started.append(OnTerminal(["-d", "mlruns", "watch", *arguments], store.path.parent, **how))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture
def runs(store):
    """Two finished runs and one that goes on."""
    store.run("old-owl", params={"lr": 0.1}, metrics={"acc": [0.1, 0.4, 0.5], "loss": [3.0, 2.0, 1.0]}, ago_s=7000)
    store.run("calm-seal", params={"lr": 0.2}, metrics={"acc": [0.2, 0.3, 0.7]}, ago_s=5000, status="FAILED")
    store.run("warm-hare", params={"lr": 0.3}, metrics={"acc": [0.3, 0.6, 0.9]}, ago_s=100, status="RUNNING")
    return store


def is_chosen(name):
    return lambda screen: any(line.startswith(" ▸") and name in line for line in screen.lines())


def leave_by_q(terminal):
    terminal.type("q")


def leave_by_interrupt(terminal):
    terminal.type("\x03")


def leave_by(signum):
    return lambda terminal: terminal.process.send_signal(signum)


@pytest.mark.parametrize(
    ("leave", "code"),
    [
        (leave_by_q, 0),
        (leave_by_interrupt, 130),
        (leave_by(signal.SIGTERM), 143),
        (leave_by(signal.SIGHUP), 129),
        (leave_by(signal.SIGQUIT), 131),
    ],
    ids=["q", "ctrl-c", "sigterm", "sighup", "sigquit"],
)
def test_every_way_out_restores_the_terminal_and_leaves_the_last_table(runs, watch, leave, code):
    terminal = watch()
    terminal.wait_for(is_chosen("warm-hare"))
    assert terminal.emulator.is_alternate
    assert not terminal.emulator.has_cursor
    leave(terminal)
    assert terminal.wait_for_end() == code
    terminal.check_restored()
    lines = terminal.emulator.lines()
    assert lines[0] == "mlruns  ●1 running ✓1 finished ✗1 failed"
    assert [line.split()[1] for line in lines[3:6]] == ["warm-hare", "calm-seal", "old-owl"]
    assert lines[6:] == [""] * len(lines[6:])


def test_an_exception_restores_the_terminal_too_and_is_told_below(runs, watch):
    code = (
        "import sys; from mini_mlflow.cli import dashboard_view, main\n"
        "def fail(*_): raise RuntimeError('broken inside')\n"
        "dashboard_view.DashboardView.render = fail\n"
        "sys.exit(main.main(sys.argv[1:]))"
    )
    terminal = watch(code=code)
    assert terminal.wait_for_end() == 70
    terminal.check_restored()
    assert any("broken inside" in line for line in terminal.emulator.lines())


def test_a_terminal_that_is_closed_ends_it(runs, watch):
    terminal = watch()
    terminal.wait_for(is_chosen("warm-hare"))
    os.close(terminal.slave)
    os.close(terminal.master)
    assert terminal.process.wait(_PATIENCE_S) in (141, -signal.SIGHUP)
    terminal.master = terminal.slave = -1


def test_ctrl_z_gives_the_terminal_back_for_as_long_as_it_is_stopped(runs, watch):
    terminal = watch()
    terminal.wait_for(is_chosen("warm-hare"))
    terminal.type("\x1a")
    assert os.WIFSTOPPED(os.waitpid(terminal.process.pid, os.WUNTRACED)[1])
    while terminal.read():
        pass
    terminal.check_restored()
    terminal.process.send_signal(signal.SIGCONT)
    terminal.wait_for(is_chosen("warm-hare"))
    assert terminal.emulator.is_alternate
    terminal.type("q")
    assert terminal.wait_for_end() == 0
    terminal.check_restored()


def test_it_follows_the_size_of_the_terminal(runs, watch):
    terminal = watch(columns=100, rows=30)
    terminal.wait_for(lambda screen: "q quit" in screen.lines()[-1])
    terminal.resize(60, 20)
    terminal.wait_for(lambda screen: "q quit" in screen.lines()[-1] and is_chosen("warm-hare")(screen))
    terminal.resize(40, 8)  # no room for a chart
    terminal.wait_for(lambda screen: "q quit" in screen.lines()[-1] and is_chosen("warm-hare")(screen))
    assert not any("┤" in line for line in terminal.emulator.lines())
    terminal.resize(120, 40)
    terminal.wait_for(lambda screen: "q quit" in screen.lines()[-1] and any("┤" in line for line in screen.lines()))
    terminal.type("q")
    assert terminal.wait_for_end() == 0
    terminal.check_restored()


def test_the_keys_do_what_the_last_line_says(runs, watch):
    terminal = watch(columns=100)
    terminal.wait_for(is_chosen("warm-hare"))
    for typed, claim in (
        ("j", is_chosen("calm-seal")),
        ("\x1b[B", is_chosen("old-owl")),
        ("k", is_chosen("calm-seal")),
        ("\x1b[A", is_chosen("warm-hare")),
    ):
        terminal.type(typed)
        terminal.wait_for(claim)
    for typed, text in (
        ("l", "1 of 2 · log · zoomed"),
        ("l", "1 of 2 · linear · zoomed"),
        ("z", "linear · by step"),
        ("z", "linear · zoomed · by step"),
        ("s", "smoothed 0.6"),
        ("s", "smoothed 0.9"),
        ("s", "zoomed · by step"),
        ("x", "by time"),
        ("x", "by step"),
        ("\t", "loss  2 of 2"),
        ("\x1b[Z", "acc  1 of 2"),
        ("r", "running only"),
        ("r", "calm-seal"),
        ("?", "any key goes back"),
        ("?", "q quit"),
    ):
        terminal.type(typed)
        terminal.wait_for_text(text)
    terminal.type("q")
    assert terminal.wait_for_end() == 0


def test_space_takes_a_curve_away_and_brings_it_back(runs, watch):
    def letters(screen):
        chart = [line for line in screen.lines() if "┤" in line or "│" in line]
        return {letter for letter in "abc" if any(re.search("[^a-z]%s(?![a-z])" % letter, line) for line in chart)}

    terminal = watch("--color", "never", columns=100, rows=40)
    terminal.wait_for(lambda screen: letters(screen) == {"a", "b", "c"})
    terminal.type(" ")
    terminal.wait_for(lambda screen: letters(screen) == {"b", "c"})
    terminal.type(" ")
    terminal.wait_for(lambda screen: letters(screen) == {"a", "b", "c"})


def test_a_filter_is_typed_applied_corrected_and_taken_away(runs, watch):
    terminal = watch(columns=100)
    terminal.wait_for(is_chosen("warm-hare"))
    terminal.type("f")
    terminal.wait_for_text("filter  _")
    terminal.type("lr >")
    terminal.wait_for_text("filter  lr >_")
    terminal.type("\r")
    terminal.wait_for_text("Expected")
    terminal.type("\x15lr < 0.25 \x7f\r")
    terminal.wait_for(lambda screen: "lr < 0.25" in screen.lines()[0] and is_chosen("calm-seal")(screen))
    assert not any("warm-hare" in line for line in terminal.emulator.lines())
    terminal.type("\x1b")
    terminal.wait_for_text("warm-hare")


def test_enter_shows_all_of_a_run_and_escape_goes_back(runs, watch):
    terminal = watch(columns=100)
    terminal.wait_for(is_chosen("warm-hare"))
    terminal.type("\r")
    terminal.wait_for_text("params")
    assert terminal.emulator.lines()[0].startswith("● warm-hare")
    terminal.type("\x1b")
    terminal.wait_for(is_chosen("warm-hare"))
    terminal.type("\rq")
    terminal.wait_for(is_chosen("warm-hare"))  # q of the page goes back, too
    assert terminal.process.poll() is None


def test_what_a_run_logs_and_that_it_ends_shows_by_itself(runs, watch):
    terminal = watch(columns=100)
    terminal.wait_for(is_chosen("warm-hare"))
    run = runs.live[-1]
    now = int(time.time() * 1000)
    run.writer.write_row("acc", "0.987", 3, now, now)
    terminal.wait_for_text("0.987")
    run.end()
    terminal.wait_for_text("✓2 finished")
    terminal.type("q")
    terminal.wait_for_end()


def test_a_run_that_is_new_comes_first_and_the_chosen_one_stays_chosen(runs, watch):
    terminal = watch(columns=100)
    terminal.wait_for(is_chosen("warm-hare"))
    with mini_mlflow.Run(name="brand-new", runs_dir=runs.path):
        terminal.wait_for_text("brand-new")
        assert is_chosen("warm-hare")(terminal.emulator)


@pytest.mark.parametrize(("status", "code"), [("FINISHED", 0), ("FAILED", 1), ("KILLED", 1)])
def test_until_done_ends_with_the_runs_and_says_whether_they_finished(runs, watch, status, code):
    terminal = watch("--until-done", columns=100)
    terminal.wait_for(is_chosen("warm-hare"))
    runs.live[-1].end(status)
    assert terminal.wait_for_end() == code
    terminal.check_restored()


def test_f01_a_name_that_steers_terminals_does_not(store, watch):
    store.run("evil\x1b[2J\x1b]0;x\x07", metrics={"a\x1b[H": [1.0, 2.0]})
    terminal = watch(columns=100)  # the emulator fails on what we do not send
    terminal.wait_for_text("evil\\x1b[2J")
    terminal.type("q")
    assert terminal.wait_for_end() == 0
    terminal.check_restored()


def test_an_empty_store_is_watched_until_there_is_something(store, watch):
    store.experiment("first")
    terminal = watch()
    terminal.wait_for_text("no runs yet")
    with mini_mlflow.Run(name="the-first", runs_dir=store.path) as run:
        run.log_metric("loss", 0.5)
        terminal.wait_for_text("the-first")
    terminal.type("q")
    assert terminal.wait_for_end() == 0


def in_pipe(store, *arguments):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-m", "mini_mlflow", "-d", str(store.path), "watch", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)


def next_line(process):
    return process.stdout.readline().decode().rstrip("\n")


def test_without_a_terminal_each_change_is_a_line(runs):
    with in_pipe(runs, "--until-done") as process:
        assert re.fullmatch(r"\d\d:\d\d:\d\d  ● warm-hare  running for .*", next_line(process))
        assert next_line(process).endswith("● warm-hare  step 2  acc 0.9000")
        run = runs.live[-1]
        now = int(time.time() * 1000)
        run.writer.write_row("acc", "0.95", 3, now, now)
        assert next_line(process).endswith("● warm-hare  step 3  acc 0.9500")
        run.end("KILLED")
        assert re.search("■ .*  killed after", next_line(process))
        assert process.stdout.read() == b""
        assert process.wait(_PATIENCE_S) == 1
        assert process.stderr.read() == b""


def test_json_is_an_object_for_each_change(runs):
    with in_pipe(runs, "--until-done", "--json") as process:
        first = json.loads(next_line(process))
        assert (first["schema"], first["kind"]) == ("mini-mlflow/watch/1", "status")
        assert (first["run"]["name"], first["run"]["status"]) == ("warm-hare", "RUNNING")
        assert json.loads(next_line(process))["metrics"] == {"acc": 0.9}
        runs.live[-1].end()
        last = json.loads(next_line(process))
        assert (last["kind"], last["run"]["status"]) == ("status", "FINISHED")
        assert process.wait(_PATIENCE_S) == 0


def test_f06_in_a_pipe_it_ends_when_nobody_reads_any_more(runs):
    with in_pipe(runs) as process:
        next_line(process)
        process.stdout.close()
        assert process.wait(_PATIENCE_S) == 141
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nothing"], 3, "no experiment 'nothing'"),
        (["-f", "lr >"], 2, "cannot read"),
        (["a", "-e", "b"], 2, "leave one of them out"),
    ],
)
def test_what_cannot_be_watched_is_said_before_the_screen_is_taken(runs, run_cli, arguments, code, said):
    result = run_cli("-d", str(runs.path), "watch", *arguments, columns=80)
    assert result.code == code
    assert said in result.err
    assert result.out == ""
