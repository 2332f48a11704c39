"""Does a run end, and truthfully, whatever goes wrong with what runs beside it?"""

import subprocess
import sys
import types

import pytest

from mini_mlflow import InvalidStatusError, InvalidValueError, active, end_run, provenance, start_run
from mini_mlflow.endings import end_all


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """An empty current folder and a fresh process state."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINI_MLFLOW_DIR", raising=False)
    active.reset()
    yield tmp_path / "mlruns"
    for run in active.live_runs():
        run.end()
    active.reset()


class Companion:
    """Something beside a run whose stop raises."""

    def __init__(self, error=None, seen=None):
        self.error, self.seen = error, seen

    def stop(self):
        if self.seen is not None:
            self.seen.append("stopped")
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyboardInterrupt(), "KILLED"), (OSError("it is gone"), "FINISHED"), (SystemExit(3), "FINISHED")],
)
def test_a_run_ends_also_where_what_runs_beside_it_cannot_be_stopped(error, status):
    seen = []
    run = start_run()
    run.accompany(Companion(seen=seen))
    run.accompany(Companion(error))
    with pytest.raises(type(error)):
        end_run()
    assert seen == ["stopped"]
    assert run.status == status
    assert active.current() is None
    assert run.info.end_time is not None
    start_run().end()


def test_a_wrong_status_stops_nothing():
    seen = []
    run = start_run()
    run.accompany(Companion(seen=seen))
    with pytest.raises(InvalidStatusError):
        run.end("DONE")
    assert (seen, run.status) == ([], "RUNNING")
    run.end()
    assert seen == ["stopped"]


def test_at_the_end_of_a_process_one_run_that_fails_to_end_keeps_no_other_from_it():
    runs = [start_run(nested=True) for _ in range(3)]
    runs[0].accompany(Companion(OSError("it is gone")))
    with pytest.raises(OSError, match="it is gone"):
        end_all()
    assert [run.status for run in runs] == ["FINISHED"] * 3


@pytest.mark.parametrize(
    "name", ["MINI_MLFLOW_CONSOLE", "MINI_MLFLOW_MASK", "MINI_MLFLOW_PROGRESS", "MINI_MLFLOW_PROVENANCE"]
)
def test_a_setting_that_says_nothing_is_refused_before_a_run_is_made(name, store, monkeypatch):
    monkeypatch.setenv(name, "maybe")
    with pytest.raises(InvalidValueError, match=name):
        start_run()
    assert not store.exists()
    monkeypatch.setenv(name, "off")
    start_run().end()


def test_a_run_whose_companions_cannot_start_is_not_left_active(store, monkeypatch):
    from mini_mlflow import console

    def refuse(folder):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(console, "start", refuse)
    with pytest.raises(RuntimeError, match="new thread"):
        start_run(run_id="r", capture_console=True)
    assert active.current() is None
    assert 'status: "FAILED"' in (store / "0" / "r" / "meta.yaml").read_text()
    start_run().end()


class Lazy(types.ModuleType):
    """A stand-in in sys.modules that loads, and fails to, when it is asked for anything."""

    @property
    def __class__(self):
        raise ImportError("no module named heavy")

    def __getattr__(self, name):
        raise ImportError("no module named heavy")


class Proxy:
    """One that is no module at all."""

    @property
    def __class__(self):
        raise ImportError("no module named heavy")


@pytest.mark.parametrize("make", [lambda: Lazy("heavy"), Proxy], ids=["a module", "none"])
def test_the_versions_of_packages_load_no_lazy_stand_in(make, monkeypatch):
    stand_in = make()
    monkeypatch.setitem(sys.modules, "heavy", stand_in)
    monkeypatch.setitem(sys.modules, 7, "no name of a module")
    assert "pytest" in provenance.packages()
    monkeypatch.setenv("MINI_MLFLOW_PROVENANCE", "on")
    with start_run() as run:
        run.log_metric("loss", 1.0)
    assert run.status == "FINISHED"


def test_ctrl_c_while_a_run_waits_for_git_ends_it_as_killed(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import signal, mini_mlflow as mm\n"
        "class Slow:\n"
        "    def stop(self):\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "try:\n"
        "    with mm.start_run(run_id='r') as run:\n"
        "        run.accompany(Slow())\n"
        "except KeyboardInterrupt:\n"
        "    print(run.status, mm.active_run())\n"
    )
    if sys.version_info < (3, 8):
        script.write_text(script.read_text().replace("signal.raise_signal(signal.SIGINT)", "raise KeyboardInterrupt"))
    done = subprocess.run([sys.executable, str(script)], cwd=str(tmp_path), stdout=subprocess.PIPE, check=False)
    assert (done.returncode, done.stdout) == (0, b"KILLED None\n")
