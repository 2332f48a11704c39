"""What differs between two runs?"""

import math
import os
import subprocess
import sys
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow import (
    AmbiguousRunError,
    BrokenFileError,
    InvalidIdError,
    Run,
    RunNotFoundError,
    StorageWarning,
    delete_run,
    get_run,
    search_runs,
    set_note,
)
from mini_mlflow.comparing import Pair, compare, first_difference
from mini_mlflow.records import Columns
from mini_mlflow.store import meta

NAN = math.nan


def make_run(store, run_id, params=None, tags=None, experiment_id=0, **metrics):
    """Make a run that has ended, with the values of each metric at the steps 0, 1, …."""
    run = Run(run_id=run_id, name="the " + run_id, experiment_id=experiment_id, runs_dir=store)
    run.log_params(params or {})
    run.set_tags(tags or {})
    for key, values in metrics.items():
        for step, value in enumerate(values):
            run.log_metric(key, value, step=step)
    run.end()
    return run


def note_source(store, run_id, **fields):
    """Write fields into a run's meta.yaml as a run of another program and code has them."""
    path = store / "0" / run_id / "meta.yaml"
    path.write_bytes(meta.encode({**meta.read_meta(str(path)), **fields}))


def columns(rows):
    return Columns(array("q", [step for step, _ in rows]), array("q", [0] * len(rows)), [value for _, value in rows])


def test_params_that_differ_are_told_and_equal_ones_left_out(tmp_path):
    make_run(tmp_path, "a", {"lr": 0.1, "batch": 8, "aug": "mixup", "only a": 1})
    make_run(tmp_path, "b", {"lr": 0.2, "batch": 8, "aug": "mixup", "only b": 2})
    found = compare("a", "b", runs_dir=tmp_path)
    assert found.params == {"lr": Pair(0.1, 0.2, None), "only a": Pair(1, None, "b"), "only b": Pair(None, 2, "a")}
    assert found.same["params"] == 2
    assert (found.run_ids, found.names) == (["a", "b"], ["the a", "the b"])


def test_a_param_that_is_none_is_another_than_none_at_all(tmp_path):
    make_run(tmp_path, "a", {"x": None})
    make_run(tmp_path, "b")
    assert compare("a", "b", runs_dir=tmp_path).params == {"x": Pair(None, None, "b")}


@pytest.mark.parametrize(
    ("a", "b", "is_equal"),
    [(1, 1.0, True), (NAN, NAN, True), (1, True, False), (1, "1", False), (0.1, 0.1, True), ([1], [2], False),
     ({"p": 1, "q": 2}, {"q": 2, "p": 1}, True), (10**30, 10**30 + 1, False), (math.inf, -math.inf, False)],
)  # fmt: skip
def test_numbers_are_equal_by_their_value_and_other_kinds_are_others(tmp_path, a, b, is_equal):
    make_run(tmp_path, "a", {"x": a})
    make_run(tmp_path, "b", {"x": b})
    assert (compare("a", "b", runs_dir=tmp_path).params == {}) is is_equal


def test_the_latest_metrics_that_differ_are_told(tmp_path):
    make_run(tmp_path, "a", loss=[3.0, 1.0], acc=[0.5], end=[NAN], only=[1.0])
    make_run(tmp_path, "b", loss=[3.0, 2.0], acc=[0.5], end=[NAN])
    found = compare("a", "b", runs_dir=tmp_path)
    assert found.metrics == {"loss": Pair(1.0, 2.0, None), "only": Pair(1.0, None, "b")}
    assert found.same["metrics"] == 2


def test_the_first_step_at_which_a_common_metric_differs_is_told(tmp_path):
    make_run(tmp_path, "a", loss=[3.0, 1.0, 0.5], acc=[0.5, 0.6], only=[1.0], back=[1.0, 2.0, 3.0])
    make_run(tmp_path, "b", loss=[3.0, 2.0, 0.7], acc=[0.5, 0.6, 0.7], back=[1.0, 9.0, 3.0])
    assert compare("a", "b", runs_dir=tmp_path).first_difference == {"loss": 1, "back": 1}


def test_a_step_that_was_logged_again_counts_as_logged_last(tmp_path):
    """docs/format.md, rule W8."""
    run = make_run(tmp_path, "a", loss=[3.0, 1.0])
    run = Run(run_id="a", experiment_id=0, runs_dir=tmp_path)
    run.log_metric("loss", 2.0, step=1)
    run.end()
    make_run(tmp_path, "b", loss=[3.0, 2.0])
    assert compare("a", "b", runs_dir=tmp_path).first_difference == {}


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([], [], None),
        ([(0, 1.0)], [(1, 2.0)], None),
        ([(0, 1.0), (5, 2.0)], [(5, 3.0)], 5),
        ([(0, NAN), (1, 2.0)], [(0, NAN), (1, 2.0)], None),
        ([(0, NAN)], [(0, 1.0)], 0),
        ([(0, 1.0)], [(0, NAN)], 0),
        ([(0, 2**60)], [(0, 2**60 + 1)], 0),
        ([(-3, 1)], [(-3, 1.0)], None),
        ([(0, 2**1024)], [(0, 2)], 0),
        ([(0, 2**1024)], [(0, NAN)], 0),
    ],
)
def test_histories_differ_where_both_have_a_step_and_not_the_same_value(a, b, expected):
    assert first_difference(columns(a), columns(b)) == expected


ROWS = st.dictionaries(st.integers(-3, 9), st.sampled_from([0.0, 1.0, NAN])).map(lambda rows: sorted(rows.items()))


@given(ROWS, ROWS)
def test_the_first_difference_is_the_same_either_way_and_the_least_there_is(a, b):
    differing = [step for step, value in a if step in dict(b) and repr(value) != repr(dict(b)[step])]
    assert first_difference(columns(a), columns(b)) == min(differing, default=None)
    assert first_difference(columns(b), columns(a)) == min(differing, default=None)


def test_tags_and_notes_that_differ_are_told(tmp_path):
    make_run(tmp_path, "a", tags={"team": "red", "same": "x"})
    make_run(tmp_path, "b", tags={"team": "blue", "same": "x"})
    set_note("first try", run_id="a", runs_dir=tmp_path)
    found = compare("a", "b", runs_dir=tmp_path)
    assert found.tags == {"team": Pair("red", "blue", None), "mlflow.note.content": Pair("first try", None, "b")}


def test_packages_code_and_command_that_differ_are_told(tmp_path):
    make_run(tmp_path, "a")
    make_run(tmp_path, "b")
    same = {"git_branch": "main", "host": "box"}
    one = {"packages": {"numpy": "2.1", "torch": "2.5"}, "git_commit": "1f", "command": ["train.py", "--lr", "1"]}
    other = {"packages": {"numpy": "2.2", "torch": "2.5"}, "git_commit": "2e", "command": ["train.py", "--lr", "2"]}
    note_source(tmp_path, "a", **same, **one, git_dirty=False)
    note_source(tmp_path, "b", **same, **other)
    found = compare("a", "b", runs_dir=tmp_path)
    assert found.packages == {"numpy": Pair("2.1", "2.2", None)}
    assert found.git == {"git_commit": Pair("1f", "2e", None), "git_dirty": Pair(False, None, "b")}
    assert found.source == {"command": Pair(one["command"], other["command"], None)}
    assert (found.same["packages"], found.same["git"]) == (1, 1)


def test_what_programs_note_of_themselves_is_compared(tmp_path):
    code = "import sys, mini_mlflow as m; m.start_run(run_id=sys.argv[1], runs_dir=sys.argv[2]); m.end_run()"
    environment = {"MINI_MLFLOW_PROVENANCE": "on"}
    for run_id in ("a", "b"):
        command = [sys.executable, "-c", code, run_id, str(tmp_path)]
        subprocess.run(command, check=True, env={**os.environ, **environment}, cwd=str(tmp_path))
    found = compare("a", "b", runs_dir=tmp_path)
    assert list(found.source) == ["command"]
    assert found.source["command"].a[-2] == "a"
    assert found.packages == {}


def test_packages_that_someone_wrote_as_anything_do_no_harm(tmp_path):
    make_run(tmp_path, "a")
    make_run(tmp_path, "b")
    note_source(tmp_path, "a", packages=["numpy"])
    assert compare("a", "b", runs_dir=tmp_path).packages == {}


def test_printed_the_differences_are_a_table(tmp_path):
    make_run(tmp_path, "a", {"lr": 0.1, "batch": 8}, {"team": "red"}, loss=[2.0, 1.0])
    make_run(tmp_path, "b", {"lr": 0.25, "batch": 8, "aug": "x\ny"}, {"team": "red"}, loss=[2.0, 1.5])
    assert str(compare("a", "b", runs_dir=tmp_path)).splitlines() == [
        "                      a the a  b the b",
        "params",
        "  aug                 –        'x\\ny'",
        "  lr                  0.1      0.25     +0.15",
        "metrics",
        "  loss                1.0      1.5      +0.5",
        "first differing step",
        "  loss                1",
        "same: 1 params, 1 tags",
    ]


def test_printed_the_metrics_of_the_machine_are_left_out(tmp_path):
    make_run(tmp_path, "a", loss=[1.0])
    make_run(tmp_path, "b", loss=[2.0])
    found = compare("a", "b", runs_dir=tmp_path)
    machine = {"system/cpu": Pair(1.0, 2.0, None)}
    more = found._replace(metrics={**found.metrics, **machine}, first_difference={"loss": 0, "system/cpu": 0})
    assert str(more) == str(found)


def test_a_run_differs_in_nothing_from_itself(tmp_path):
    make_run(tmp_path, "a", {"lr": 1}, loss=[1.0, NAN])
    found = compare("a", get_run("a", runs_dir=tmp_path), runs_dir=tmp_path)
    assert not any([found.params, found.metrics, found.tags, found.packages, found.git, found.source])
    assert found.first_difference == {}
    assert "nothing differs" in str(found)


def test_runs_are_given_as_ids_or_objects(tmp_path):
    make_run(tmp_path, "a", {"lr": 1})
    b = make_run(tmp_path, "b", {"lr": 2})
    for one, other in [("a", b), (get_run("a", runs_dir=tmp_path), "b"), ("a", get_run("b", runs_dir=tmp_path))]:
        assert compare(one, other, runs_dir=tmp_path).params == {"lr": Pair(1, 2, None)}
    one, other = search_runs(0, output_format="list", order_by="lr", runs_dir=tmp_path)
    assert compare(one, other).params == {"lr": Pair(1, 2, None)}


def test_a_deleted_run_that_was_found_can_be_compared(tmp_path):
    make_run(tmp_path, "a", {"lr": 1})
    make_run(tmp_path, "b", {"lr": 2})
    delete_run("b", runs_dir=tmp_path)
    (b,) = search_runs(0, run_view_type="DELETED_ONLY", output_format="list", runs_dir=tmp_path)
    assert compare("a", b, runs_dir=tmp_path).params == {"lr": Pair(1, 2, None)}


def test_runs_of_the_same_id_in_two_experiments_can_be_compared(tmp_path):
    make_run(tmp_path, "a", {"lr": 1})
    make_run(tmp_path, "a", {"lr": 2}, experiment_id=1)
    with pytest.raises(AmbiguousRunError):
        compare("a", "a", runs_dir=tmp_path)
    one, other = (get_run("a", experiment_id=number, runs_dir=tmp_path) for number in (0, 1))
    assert compare(one, other).params == {"lr": Pair(1, 2, None)}
    assert compare("a", "a", experiment_id=1, runs_dir=tmp_path).params == {}


def test_what_is_no_run_is_refused(tmp_path):
    make_run(tmp_path, "a")
    with pytest.raises(RunNotFoundError):
        compare("a", "nobody", runs_dir=tmp_path)
    with pytest.raises(InvalidIdError):
        compare("a", 7, runs_dir=tmp_path)


def test_a_run_whose_meta_yaml_is_broken_is_refused_and_a_broken_param_is_told(tmp_path):
    make_run(tmp_path, "a", {"lr": 1, "aug": 2})
    make_run(tmp_path, "b", {"lr": 1, "aug": 3})
    (tmp_path / "0" / "b" / "params" / "lr.json").write_text("{", encoding="utf-8")
    with pytest.warns(StorageWarning, match=r"lr\.json"):
        found = compare("a", "b", runs_dir=tmp_path)
    assert found.params == {"aug": Pair(2, 3, None), "lr": Pair(1, None, "b")}
    (tmp_path / "0" / "b" / "meta.yaml").write_text("{", encoding="utf-8")
    with pytest.raises(BrokenFileError):
        compare("a", "b", runs_dir=tmp_path)
