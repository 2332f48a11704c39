"""Groups of runs: what a run that diverged is in them, which columns and order they have, what one param does."""

import json
import math
import statistics

import pytest
from test_ls import rows_of

NAN = math.nan


@pytest.fixture
def groups(store, run_cli):
    """Return a function that lists the groups of twelve runs: lr x aug x three seeds, three of which have diverged."""
    for lr in (0.1, 0.01):
        for aug in ("none", "mixup"):
            for seed in (1, 2, 3):
                is_lost = lr == 0.1 and (seed == 3 or aug == "none")
                values = [0.5, 0.001 if is_lost else lr + seed / 100, *([NAN] if is_lost else [])]
                store.run(
                    "r", params={"lr": lr, "aug": aug, "seed": seed, "model": "net"}, took_s=100 * seed,
                    metrics={"val.loss": values, "val.acc": [1 - lr - seed / 100]}, tags={"team": "red"},
                )  # fmt: skip
    words = ("-d", str(store.path), "--color", "never", "ls", "Default")

    def run(*more, columns=None):
        return run_cli(*words, *more, columns=columns)

    return run


def documents(result):
    return json.loads(result.out)["groups"]


def test_a_run_that_ended_at_nan_is_in_no_mean_and_is_marked_as_it_ranks_last_in_a_list(groups):
    shown = {row["aug"] + row["lr"]: row for row in rows_of(groups("-g", "-b", "val.loss"))}
    mixup, none = shown["mixup0.1"], shown["none0.1"]
    assert float(mixup["mean(min(val.loss))"]) == pytest.approx(statistics.mean([0.11, 0.12]))
    assert (mixup["count(min(val.loss))"], mixup["diverged(min(val.loss))"]) == ("2", "1")
    assert [none["%s(min(val.loss))" % figure] for figure in ("mean", "count", "diverged")] == ["", "0", "3"]
    lines = groups("-g", "-b", "val.loss", columns=80).lines
    told = [" ".join(line.split()) for line in lines]
    assert any(line.startswith("g3 2/3 ✓✓✓ mixup 0.1 0.115") and " × " in line for line in told)
    assert any(line.startswith("g4 0/3 ✓✓✓ none 0.1 NaN ") for line in told)
    assert any("× without its runs that ended at NaN or inf" in line for line in lines)
    ranked = rows_of(groups("-b", "val.loss"))
    assert {row["last(val.loss)"] for row in ranked[-4:]} == {"NaN"}
    in_json = documents(groups("-g", "-b", "val.loss", "--json"))
    assert [each["metrics"]["val.loss"]["diverged"] for each in in_json] == [0, 0, 1, 3]


def test_the_chart_of_groups_tells_the_same_of_a_run_that_diverged(groups, store, run_cli):
    shown = run_cli("-d", str(store.path), "--color", "never", "plot", "val.loss", "-g", columns=80).out
    assert " 2/3  ✓✓✓" in shown
    assert any("0.1" in line and line.endswith(" ×") for line in shown.splitlines())
    assert any(line.split()[1] == "0/3" and "NaN" in line for line in shown.splitlines()[-5:])


def test_groups_come_in_the_order_of_any_column_of_theirs(groups, store):
    def order(*words):
        return [(each["params"]["lr"], each["params"]["aug"]) for each in documents(groups("-g", "--json", *words))]

    usual = order()
    assert usual[0][0] == 0.01
    assert [lr for lr, _ in order("-s", "lr")] == [0.01, 0.01, 0.1, 0.1]
    assert [aug for _, aug in order("-s", "-aug")] == ["none", "none", "mixup", "mixup"]
    assert order("-s", "-val.loss")[0] == (0.1, "mixup")
    assert order("-s", "-val.loss")[-1] == (0.1, "none") == order("-s", "val.loss")[-1]  # without a number, either way
    assert order("-s", "-group") == usual[::-1]
    assert [row["lr"] for row in rows_of(groups("-g", "-s", "-lr"))] == ["0.1", "0.1", "0.01", "0.01"]
    shown = groups("-g", "-s", "-lr", columns=100).lines
    assert [line.split()[4] for line in shown[3:7]] == ["0.1", "0.1", "0.01", "0.01"]
    store.run("new", params={"lr": 0.05, "aug": "cut", "seed": 1}, metrics={"val.loss": [0.3]}, ago_s=10)
    assert (order("-s", "age")[0], order("-s", "-age")[-1]) == ((0.05, "cut"), (0.05, "cut"))


def test_g1_is_the_first_group_that_is_shown(groups, run_cli, store):
    shown = groups("-g", "-s", "-val.loss", columns=80)
    assert shown.lines[3].split()[0] == "g1"
    compared = run_cli("-d", str(store.path), "compare", "g1", "--json", columns=80)
    assert {run["params"]["lr"] for run in json.loads(compared.out)["runs"]} == {0.1}


def test_only_the_columns_that_are_named_are_shown(groups):
    lines = groups("-g", "-c", "group,lr,n,val.loss,took,model,tags.team", columns=100).lines
    assert lines[2].split() == ["#", "lr", "n", "val.loss", "↓", "took", "model", "tags.team"]
    assert lines[3].split()[-3:] == ["3m20s", "net", "red"]
    rows = rows_of(groups("-g", "-c", "aug,last(val.acc),finished,runs", "-s", "aug"))
    assert list(rows[0]) == [
        "aug", "mean(last(val.acc))", "std(last(val.acc))", "count(last(val.acc))", "within_noise(last(val.acc))",
        "diverged(last(val.acc))", "finished", "runs",
    ]  # fmt: skip
    assert [row["aug"] for row in rows] == ["mixup", "mixup", "none", "none"]
    assert groups("-g", "-c", "lr,n", "--csv").lines[0] == "lr,n"
    told = documents(groups("-g", "-c", "lr,val.acc", "--json"))
    assert [list(each["metrics"]) for each in told] == [["val.acc"]] * 4


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("-c", "name"), 2, "a group of runs has no one 'name'"),
        (("-s", "steps"), 2, "a group of runs has no one 'steps'"),
        (("-c", "mean(val.loss)"), 2, "a group of runs has no one 'mean(val.loss)'"),
        (("-c", "lr,seed"), 2, "'seed' has several values in one group, so it is no column of groups"),
        (("-s", "seed"), 2, "'seed' has several values in one group"),
        (("-s", "trend"), 2, "a trend is a drawing"),
        (("-c", "lrr"), 3, "no column 'lrr'"),
        (("-s", "lrr"), 3, "no column 'lrr'"),
        (("--by", "lrr"), 3, "no param 'lrr' to group by"),
        (("--by", "lr", "-g", "aug"), 2, "-g PARAM and --by both say what makes groups"),
    ],
)
def test_what_a_group_cannot_show_is_told(groups, words, code, says):
    result = groups("-g", *words) if "-g" not in words else groups(*words)
    assert (result.code, result.out) == (code, "")
    assert says in " ".join(result.err.split())


def test_by_a_param_there_is_a_row_for_each_of_its_values_over_all_else(groups):
    found = json.loads(groups("--by", "lr", "-b", "val.acc", "--json").out)
    assert (found["by"], found["over"]) == (["lr"], ["aug", "seed"])
    assert [(each["params"], len(each["run_ids"])) for each in found["groups"]] == [({"lr": 0.01}, 6), ({"lr": 0.1}, 6)]
    accs = [1 - 0.01 - seed / 100 for seed in (1, 2, 3)] * 2
    told = found["groups"][0]["metrics"]["val.acc"]
    assert (told["mean"], told["std"]) == (pytest.approx(statistics.mean(accs)), pytest.approx(statistics.stdev(accs)))
    title = "Default · 12 runs in 2 groups · over aug, seed · mean ± std of finished runs"
    assert groups("--by", "lr", columns=80).lines[0] == title
    assert len(documents(groups("--by", "lr,aug", "--json"))) == 4
    assert [len(each["run_ids"]) for each in documents(groups("--by", "model", "--json"))] == [12]


def test_the_library_says_the_same_by_a_param(groups, store):
    import mini_mlflow

    runs = mini_mlflow.search_runs(0, output_format="list", runs_dir=store.path)
    found = mini_mlflow.group_runs(runs, "lr", metric="val.loss", runs_dir=store.path)
    shown = documents(groups("--by", "lr", "-b", "val.loss", "--json"))
    assert [each["metrics"]["val.loss"]["mean"] for each in shown] == [group.mean for group in found.groups]
    assert [each["metrics"]["val.loss"]["p_value"] for each in shown] == [group.p_value for group in found.groups]


def test_help_says_what_g_and_by_take_the_mean_over(run_cli):
    text = " ".join(run_cli("ls", "-h").out.split())
    assert "over which the mean is taken" in text
    assert "a row for each value of PARAM, the mean is over all else" in text


def test_a_parent_without_the_metric_is_not_missing_among_its_children(store, run_cli):
    for lr in (0.1, 0.2):
        parent = store.run("cv", params={"lr": lr}, metrics={"mean_loss": [lr]})
        for fold in (1, 2, 3):
            store.run(
                "fold", params={"lr": lr, "fold": fold}, metrics={"val.loss": [lr * fold]},
                fields={"parent_run_id": parent},
            )  # fmt: skip
    words = ("-d", str(store.path), "--color", "never", "ls", "Default", "-g")
    lines = run_cli(*words, columns=80).lines
    assert lines[0].startswith("Default · 6 runs in 2 groups · over fold")
    assert [line.split()[1] for line in lines[3:5]] == ["3", "3"]
    assert any("left out" in line and "2 runs without val.loss, of which others are children" in line for line in lines)
    assert len(run_cli(*words, "-q").lines) == 6


@pytest.mark.parametrize("mode", ["min", "max"])
def test_the_best_mean_is_the_one_at_the_end_that_the_arrow_shows(groups, mode):
    lines = groups("-g", "-c", "lr,%s(val.acc)" % mode, columns=80).lines
    assert lines[2].split()[-2:] == ["val.acc", {"min": "↓", "max": "↑"}[mode]]
    rows = [line.split() for line in lines[3:7]]
    best = (min if mode == "min" else max)(float(row[1]) for row in rows)
    assert [float(row[1]) for row in rows if "*" in row] == [best]
    assert len({row[1] for row in rows}) > 1


def test_json_tells_of_each_column_of_one_metric(groups):
    told = documents(groups("-g", "-c", "group,max(val.loss),last(val.loss),min(val.loss),val.acc", "--json"))
    names = ["max(val.loss)", "last(val.loss)", "min(val.loss)", "val.acc"]
    assert [list(each["metrics"]) for each in told] == [names] * 4
    assert [told[0]["metrics"][name]["of"] for name in names] == ["max", "last", "min", "max"]


def test_a_param_is_a_column_of_groups_though_runs_have_something_else_of_its_name(store, run_cli):
    for seed in (1, 2):
        store.run("r", params={"note": "warm", "lr": 0.1, "seed": seed}, metrics={"loss": [0.1]})
    words = ("-d", str(store.path), "ls", "Default", "-g", "-c")
    assert [row["note"] for row in rows_of(run_cli(*words, "note,n"))] == ["warm"]
    told = run_cli(*words, "xyzzy").err
    assert "no column 'xyzzy'" in told
    assert "took" in told
    assert not {"trend", "steps", "start_time"} & set(told.replace(",", " ").split())


def test_json_of_the_groups_of_an_empty_store_has_groups(run_cli, tmp_path):
    (tmp_path / "empty").mkdir()
    for words in (("-g",), ("--by", "lr")):
        told = json.loads(run_cli("-d", str(tmp_path / "empty"), "ls", *words, "--json").out)
        assert (told["schema"], told["groups"], told["total"]) == ("mini-mlflow/groups/1", [], 0)
