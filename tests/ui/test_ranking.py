"""Runs that diverged: the page ranks as the terminal does, by what counts for each run."""

import csv
import io
import json
import math

import pytest
from test_rows_and_groups import written
from test_the_pages_data import Asker

import mini_mlflow
from mini_mlflow.cli.main import main
from mini_mlflow.ui.api import differences, requests

NAN, INF = math.nan, math.inf
VALUES = {
    "good": [0.9, 0.4], "better": [0.8, 0.3, 0.35], "diverged": [0.5, 0.01, NAN], "burst": [0.7, 0.02, INF],
    "sunk": [0.6, 0.99, -INF], "back": [NAN, 0.5], "whole": [1, 2], "broken": [NAN],
}  # fmt: skip


@pytest.fixture(params=["loss", "acc"])
def metric(request):
    return request.param


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A store that nobody changes."""
    store = tmp_path_factory.mktemp("ranking")
    for name, values in VALUES.items():
        with mini_mlflow.start_run(runs_dir=store, run_name=name):
            for value in values:
                mini_mlflow.log_metrics({"loss": value, "acc": value})
    with mini_mlflow.start_run(runs_dir=store, run_name="none"):
        mini_mlflow.log_metric("other", 1.0)
    return store


@pytest.fixture
def said(folder, capsys):
    """Ask the terminal."""

    def say(*words):
        assert main([*words, "-d", str(folder), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return say


def names(told):
    return [run["name"] for run in told["runs"]]


def test_the_page_ranks_runs_as_the_terminal_does_those_that_diverged_behind_all_numbers(folder, metric, said):
    told = Asker(folder).runs(order=["min(loss) ASC" if metric == "loss" else "max(acc) DESC"])
    if metric == "acc":  # which nobody has to ask for
        assert told["rows"] == Asker(folder).runs()["rows"]
    assert told["rows"]["name"] == names(said("ls", "-b", metric))
    assert {"diverged", "burst", "sunk", "broken"} == set(told["rows"]["name"][4:8])
    assert told["rows"]["name"][8] == "none"
    assert told["rows"]["name"][0] == names(said("best", metric))[0]


def test_the_other_way_round_too_those_that_diverged_come_last(folder, metric, said):
    order, word = ("min(loss) DESC", "max") if metric == "loss" else ("max(acc) ASC", "min")
    there = Asker(folder).runs(order=[order])["rows"]["name"]
    sign = "-" if metric == "loss" else ""
    assert there == names(said("ls", "-s", sign + metric))
    assert there[0] not in ("diverged", "burst", "sunk", "broken"), word


@pytest.mark.parametrize("way", ["ASC", "DESC"])
def test_by_the_last_value_they_rank_alike_too(folder, metric, way, said):
    there = Asker(folder).runs(order=["metrics.%s %s" % (metric, way)])["rows"]["name"]
    assert there == names(said("ls", "--last", "-s", ("-" if way == "DESC" else "") + metric))


def test_a_cell_shows_what_counts_on_the_page_in_its_csv_and_on_the_terminal(folder, metric, capsys):
    column = "%s(%s)" % ("min" if metric == "loss" else "max", metric)
    told = Asker(folder).runs(columns=[column])["rows"]
    assert main(["ls", "-b", metric, "-d", str(folder), "--csv"]) == 0
    on_terminal = {row["name"]: row[column] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))}
    in_csv = {row["name"]: row[column] for row in written(folder, columns=[column])}
    on_page = {name: "" if value is None else str(float(value)) for name, value in zip(told["name"], told["values"][0])}
    for texts in (on_terminal, in_csv):
        assert {name: text and str(float(text)) for name, text in texts.items()} == on_page
    assert (on_page["diverged"], on_page["burst"], on_page["sunk"], on_page["none"]) == ("nan", "inf", "-inf", "")
    assert on_page["back"] == "0.5"


def test_a_run_that_diverged_is_not_the_better_one_of_two(folder, metric):
    asker = Asker(folder)
    rows = asker.runs()["rows"]
    refs = dict(zip(rows["name"], rows["ref"]))
    told = differences.compare(asker.stores, asker.histories, requests.Body({"runs": [refs["diverged"], refs["good"]]}))
    found = next(each for each in told["metrics"] if each["key"] == metric)
    assert found["best"] == ["NaN", 0.4 if metric == "loss" else 0.9]
    assert (found["better"], found["best_step"][0]) == (None, 2)
