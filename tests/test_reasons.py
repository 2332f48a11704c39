"""Is the error that ended a run told in one line, with its place, and without secrets?"""

import json
import os
import runpy
import sys

import pytest

import mini_mlflow
from mini_mlflow.reasons import LONGEST, reason_of
from mini_mlflow.store import reader


def caught(code, path="train.py"):
    try:
        exec(compile(code, path, "exec"), {})
    except BaseException as error:  # noqa: BLE001 - SystemExit among them
        return error.with_traceback(error.__traceback__.tb_next)
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("\n\nraise ValueError('shape mismatch')", "ValueError: shape mismatch (train.py:3)"),
        ("raise MemoryError", "MemoryError (train.py:1)"),
        ("{}['lr']", "KeyError: 'lr' (train.py:1)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt (train.py:1)"),
        ("raise ValueError('two\\n  lines\\tof text')", "ValueError: two lines of text (train.py:1)"),
        ("raise ValueError('sent api_key=sk-0123456789abcd there')", "ValueError: sent api_key=*** there (train.py:1)"),
        ("raise SystemExit(3)", "exit code 3"),
        ("raise SystemExit('no data')", "no data"),
        ("def step():\n    1 / 0\n\nstep()", "ZeroDivisionError: division by zero (train.py:2)"),
    ],
)
def test_an_error_is_its_kind_what_it_says_and_where(code, wanted):
    assert reason_of(caught(code)) == wanted


def test_of_an_error_in_a_library_the_line_that_called_it_is_told():
    assert reason_of(caught("import json\n\njson.loads('{')")).endswith("(train.py:3)")


def test_of_an_error_in_compiled_code_the_line_that_called_it_is_told():
    random = pytest.importorskip("numpy").random
    code = "import numpy\n\nnumpy.random.default_rng(1).integers(5, 1)"
    assert random is not None
    assert reason_of(caught(code)) == "ValueError: low >= high (train.py:3)"


def test_of_an_error_in_code_that_a_program_made_the_line_that_called_it_is_told():
    code = "def made():\n    raise ValueError('x')\n"
    assert reason_of(caught("made = {}\nexec(compile(%r, '<string>', 'exec'), made)\nmade['made']()" % code)).endswith(
        "(train.py:3)"
    )


@pytest.mark.skipif(sys.version_info < (3, 11), reason="older ones always know a line")
def test_an_error_in_code_without_lines_is_told_by_what_it_says():
    code = "def f():\n    1 / 0\nf.__code__ = f.__code__.replace(co_linetable=b'')\nf()"
    assert reason_of(caught(code)) == "ZeroDivisionError: division by zero (train.py:4)"


def test_where_no_line_is_the_users_own_the_last_is_told():
    place = os.path.join(os.path.dirname(json.__file__), "decoder.py")
    assert reason_of(caught("1 / 0", place)) == "ZeroDivisionError: division by zero (decoder.py:1)"


def test_a_long_text_is_cut_and_the_place_stays():
    found = reason_of(caught("raise ValueError('x' * 10**7)"))
    assert len(found) == LONGEST
    assert found.startswith("ValueError: xxx")
    assert found.endswith("x… (train.py:1)")


def test_an_error_whose_text_cannot_be_made_is_told_by_its_kind():
    code = "class Odd(Exception):\n    def __str__(self):\n        raise RuntimeError\nraise Odd"
    assert reason_of(caught(code)) == "Odd (train.py:4)"


class EmptyError(Exception):
    def __len__(self):
        return 0


class EndingError(Exception):
    def __str__(self):
        raise SystemExit(3)


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_PROVENANCE", "on")
    monkeypatch.setenv("MINI_MLFLOW_DIR", str(tmp_path / "mlruns"))
    return str(tmp_path / "mlruns")


def ended_by(store, run_id):
    return reader.read_run(store, 0, run_id).metadata.get("ended_by")


def fail_in_a_block(run_id):
    with mini_mlflow.start_run(run_id=run_id):
        raise ValueError("bad")


def fail_in_a_trackers_block(run_id):
    with mini_mlflow.ExperimentTracker() as tracker, mini_mlflow.start_run(run_id=run_id, nested=True):
        assert tracker.status == "RUNNING"
        raise ValueError("bad")


def say_so_where_it_is_caught(run_id):
    mini_mlflow.start_run(run_id=run_id)
    try:
        raise ValueError("bad")
    except ValueError:
        mini_mlflow.end_run("FAILED")
        raise


@pytest.mark.parametrize("fail", [fail_in_a_block, fail_in_a_trackers_block, say_so_where_it_is_caught])
def test_a_run_that_an_error_ended_tells_it_and_is_found_by_it(store, fail):
    """Rule Y3."""
    with pytest.raises(ValueError, match="bad"):
        fail("r")
    assert ended_by(store, "r").startswith("ValueError: bad (test_reasons.py:")
    asked = "run_id = 'r' and ended_by LIKE 'ValueError%'"
    (found,) = mini_mlflow.search_runs(filter_string=asked, output_format="list")
    assert found.info.ended_by == mini_mlflow.get_run("r").info.ended_by == ended_by(store, "r")


@pytest.mark.parametrize(("error", "told"), [(EmptyError, "EmptyError ("), (EndingError, None)])
def test_an_odd_error_is_the_one_that_is_seen_and_the_run_ends(store, error, told):
    with pytest.raises(error), mini_mlflow.start_run(run_id="r"):
        raise error
    assert mini_mlflow.active_run() is None
    assert reader.read_run(store, 0, "r").metadata["status"] == "FAILED"
    assert str(ended_by(store, "r")).startswith(str(told))


def test_a_run_that_ended_well_tells_nothing_also_while_an_error_is_handled(store):
    try:
        raise ValueError("handled")
    except ValueError:
        with mini_mlflow.start_run(run_id="r") as run:
            run.log_metric("loss", 1.0)
    assert "ended_by" not in reader.read_run(store, 0, "r").metadata
    assert run.info.ended_by is None


def test_a_run_that_goes_on_tells_no_more_why_it_stopped_before(store):
    with pytest.raises(ValueError, match="bad"):
        fail_in_a_block("r")
    with mini_mlflow.start_run(run_id="r"):
        assert ended_by(store, "r") is None
    assert ended_by(store, "r") is None


def test_nothing_is_told_where_provenance_is_off(store, monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_PROVENANCE", "off")
    with pytest.raises(ValueError, match="bad"):
        fail_in_a_block("r")
    assert ended_by(store, "r") is None


def test_the_line_of_a_script_is_told_though_something_runs_it(store, tmp_path):
    (tmp_path / "train.py").write_text("import mini_mlflow\nwith mini_mlflow.start_run(run_id='r'):\n    1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        runpy.run_path(str(tmp_path / "train.py"))
    assert ended_by(store, "r") == "ZeroDivisionError: division by zero (train.py:3)"
