"""Long texts beside each other: what tells them apart stays."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow.cli import apart, texts

PATH = "/very/long/path/to/the/data/of/this/project/%s"


def test_texts_that_fit_stay_as_they_are():
    assert apart.cut_apart(["/data/a", "/data/b"], 10) == ["/data/a", "/data/b"]


def test_the_beginning_that_all_share_is_left_out_up_to_the_end_of_a_word():
    assert apart.cut_apart([PATH % "train-5", PATH % "train-6"], 24) == ["…train-5", "…train-6"]
    assert apart.cut_apart([PATH % "trainA", PATH % "trainB"], 24) == ["…trainA", "…trainB"]
    assert apart.cut_apart(["x" * 30 + "1", "x" * 30 + "2", "x" * 30], 24) == ["…xxxxx1", "…xxxxx2", "…xxxxx"]


def test_texts_that_share_none_are_cut_in_their_middle():
    assert apart.cut_apart([PATH % "5", PATH % "6", "none"], 16) == ["/very/lo…oject/5", "/very/lo…oject/6", "none"]


def test_texts_that_differ_in_their_middle_alone_are_shown_around_that():
    beginning, end = "a" * 20 + "/", "/" + "z" * 20
    given_texts = [beginning + "one" + end, beginning + "two" + end, "else"]
    assert apart.cut_apart(given_texts, 12) == ["…one/zzzzzz…", "…two/zzzzzz…", "else"]


def test_one_text_alone_is_cut_in_its_middle():
    assert apart.cut_apart([PATH % "5"] * 2, 12) == ["/very/…ect/5"] * 2


@given(
    st.lists(st.text("ab/", max_size=30).map(lambda text: "a" * 10 + text), min_size=1, max_size=5),
    st.integers(12, 24),
    st.sampled_from(["…", ".."]),
)
def test_no_text_is_wider_than_asked_and_those_of_two_differ(given_texts, width, ellipsis):
    shown = apart.cut_apart(given_texts, width, ellipsis)
    assert all(texts.width_of(each) <= width for each in shown)
    if len(set(given_texts)) <= 2:
        assert len(set(shown)) == len(set(given_texts))


@pytest.fixture
def long_params(store, monkeypatch):
    monkeypatch.chdir(store.path.parent)
    for number in range(6):
        params = {"data": PATH % number, "lr": (0.1, 0.01, 0.001)[number % 3], "seed": number}
        metrics = {"val.loss": [0.5 - number / 100], "val.acc": [0.5], "val.top5": [0.8]}
        store.run("run-%d" % number, params=params, metrics=metrics)
    return store


@pytest.mark.parametrize("columns", [100, 120, 200])
@pytest.mark.parametrize("command", [("ls", "Default"), ("best", "val.loss"), ("plot", "val.loss")])
def test_every_row_shows_how_a_long_param_differs(long_params, run_cli, command, columns):
    out = run_cli(*command, "--color", "never", columns=columns).out
    assert {"…%d" % number for number in range(6)} <= set(re.findall(r"…[0-9](?= )", out))


def test_the_cells_of_params_that_differ_look_different(long_params, run_cli):
    lines = run_cli("compare", "run-1", "run-2", "--color", "never", columns=60).lines
    cells = next(line for line in lines if line.startswith(" data")).split()
    assert cells == ["data", "…1", "…2"]


def test_at_eighty_columns_a_wide_param_goes_before_what_is_narrow(store, run_cli):
    for number in range(4):
        words = ("first", "second", "third", "fourth")[number] + " way of many words"
        params = {"recipe": words, "lr": number / 10, "wd": number / 10, "depth": number, "heads": number}
        metrics = {"val.acc": [0.5], "val.top5": [0.8], "val.loss": [0.1]}
        store.run("run-number-%d" % number, params=params, metrics=metrics)
    lines = run_cli("-d", str(store.path), "ls", "Default", "--color", "never", columns=80).lines
    heading = lines[2].split()
    assert {"age", "lr", "wd", "depth", "heads", "val.top5"} <= set(heading)
    assert "recipe" not in heading
    assert "recipe" in lines[-1]


def test_a_wide_param_stays_where_it_is_all_that_varies(store, run_cli):
    for number in range(4):
        words = ("first", "second", "third", "fourth")[number] + " way of many words"
        store.run("run-number-%d" % number, params={"recipe": words}, metrics={"val.acc": [0.5], "val.loss": [0.1]})
    assert "recipe" in run_cli("-d", str(store.path), "ls", "Default", "--color", "never", columns=60).lines[2]


def test_what_stands_for_no_value_shares_no_beginning():
    shown, values = ["/very/long/path/to/train-5", "/very/long/path/to/train-6", "–"], ["a", "b", None]
    assert apart.cut_values(shown, values, 12, "…") == ["…train-5", "…train-6", "–"]
