"""A list tells which runs that go on are far from their best by now."""

import pytest

from mini_mlflow.cli.fallen import is_far

SOUND = [2.3, 1.0, 0.5, 0.4]
FALLEN = [2.3, 1.0, 0.2367, 0.4, 0.69]


@pytest.fixture
def ls(store, run_cli):
    def run(*words, columns=80):
        return run_cli("-d", str(store.path), "ls", "Default", *words, "--color", "never", columns=columns)

    return run


def test_a_running_run_that_goes_wrong_has_a_sign_and_its_latest_value_below(store, ls):
    store.run("sound", metrics={"val.loss": SOUND}, status="RUNNING", ago_s=100)
    store.run("wrong", metrics={"val.loss": FALLEN}, status="RUNNING", ago_s=200)
    store.run("ended", metrics={"val.loss": FALLEN}, ago_s=300)
    lines = ls().lines
    by_name = {name: line for line in lines for name in ("sound", "wrong", "ended") if " %s " % name in line}
    assert "0.2367 !" in by_name["wrong"]
    assert "!" not in by_name["sound"] + by_name["ended"]
    assert any(line.startswith(" ! by now") and "val.loss of 2 is 0.6900" in line for line in lines)
    assert "!" not in ls("-l").out
    assert "!" not in ls("--tsv").out
    assert " 0.2367 !" in ls(columns=60).out


def test_more_than_three_are_counted(store, ls):
    for number in range(5):
        store.run("run-%d" % number, metrics={"val.loss": FALLEN}, status="RUNNING", ago_s=100 + number)
    out = ls(columns=120).out
    assert out.count("0.2367 !") == 5
    assert "val.loss of 3 is 0.6900 · 2 more · -l shows latest values" in out


@pytest.mark.parametrize(
    ("goal", "first", "best", "last", "expected"),
    [
        ("min", 2.3, 0.2367, 0.69, True),
        ("min", 6.9, 0.2367, 0.69, True),  # it has lost more than the best is
        ("min", 2.3, 0.2367, 0.30, False),
        ("max", 0.1, 0.94, 0.93, False),
        ("max", 0.1, 0.94, 0.80, True),
        ("max", 0.5, 0.5, 0.4, False),  # it never gained anything
        ("min", 0.5, 0.5, 9.0, True),
        ("max", -5.0, -1.0, -3.0, True),
        (None, 1.0, 2.0, 0.0, False),
        ("max", None, 1.0, 0.0, False),
        ("max", 0.0, 1.0, float("nan"), False),  # the list shows that as it is
        ("max", 0, 10**400, 0, True),
        ("max", 0.5, 10**400, 0.1, False),
    ],
)
def test_far_is_a_tenth_of_what_was_gained_or_more_than_the_best(goal, first, best, last, expected):
    assert is_far(goal, first, best, last) is expected
