"""What do runs come to that are equal but for the seed?"""

import math
import shutil
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mini_mlflow import (
    AmbiguousRunError,
    InvalidKeyError,
    InvalidValueError,
    MetricNotFoundError,
    Run,
    RunNotFoundError,
    StorageWarning,
    delete_run,
    get_run,
    noise,
    search_runs,
)
from mini_mlflow.groups import group_runs
from mini_mlflow.records import RunData, RunInfo, StoredRun

NAN = math.nan
NUMBERS = st.floats(-10, 10).map(lambda value: round(value, 6))  # Python 3.7's statistics stumble near 0


def make_run(store, run_id, params, values, status="FINISHED", experiment_id=0):
    """Make a run with values of the metric acc at the steps 0, 1, …; a RUNNING one is let go of as it is."""
    run = Run(run_id=run_id, experiment_id=experiment_id, runs_dir=store)
    run.log_params(params)
    for step, value in enumerate(values):
        run.log_metric("acc", value, step=step)
    if status != "RUNNING":
        run.end(status)
    return run


@pytest.fixture
def store(tmp_path):
    """Two settings with three seeds each, the second one seed of which has failed; one setting with one seed."""
    for seed in (1, 2, 3):
        make_run(tmp_path, f"good{seed}", {"lr": 0.1, "seed": seed, "batch": 8}, [0.5, 0.9 + seed / 100, 0.8])
        status = "FAILED" if seed == 3 else "FINISHED"
        make_run(tmp_path, f"poor{seed}", {"lr": 1, "seed": seed, "batch": 8}, [0.5, 0.4 + seed / 100, 0.3], status)
    make_run(tmp_path, "lone", {"lr": 2, "seed": 1, "batch": 8}, [NAN, 0.1, 0.2])
    return tmp_path


def every_run(store):
    return search_runs(0, output_format="list", order_by="attributes.run_id", runs_dir=store)


def test_runs_that_are_equal_but_for_the_seed_are_found_without_being_told(store):
    found = group_runs(every_run(store), metric="acc")
    assert (found.by, found.over) == (["lr"], ["seed"])
    assert [group.params for group in found.groups] == [{"lr": 0.1}, {"lr": 1}, {"lr": 2}]
    assert found.groups[0].run_ids == ["good1", "good2", "good3"]


def test_a_group_has_mean_and_spread_of_the_best_values_of_its_runs(store):
    best = group_runs(every_run(store), metric="acc").groups[0]
    values = [0.91, 0.92, 0.93]
    assert best.values == pytest.approx(dict(zip(["good1", "good2", "good3"], values)))
    assert best.mean == pytest.approx(statistics.mean(values))
    assert best.std == pytest.approx(statistics.stdev(values))
    assert (best.min, best.max, best.count) == (0.91, 0.93, 3)


def test_the_numbers_say_how_many_of_the_runs_are_behind_them(store):
    (_, poor, lone) = group_runs(every_run(store), metric="acc").groups
    assert (poor.count, len(poor.run_ids)) == (2, 3)
    assert sorted(poor.values) == ["poor1", "poor2"]
    assert (lone.count, lone.mean, lone.std) == (1, 0.2, None)


def test_runs_that_are_not_finished_count_where_asked_for(store):
    (_, poor, _) = group_runs(every_run(store), metric="acc", only_finished=False).groups
    assert poor.count == 3


@pytest.mark.parametrize(("mode", "expected"), [("max", 0.5), ("min", 0.3), ("last", 0.3)])
def test_each_run_counts_with_its_best_or_its_last_value(store, mode, expected):
    (group,) = group_runs(["poor1", "poor2"], metric="acc", mode=mode, runs_dir=store).groups
    assert group.mean == pytest.approx(expected)


def test_the_least_mean_is_best_where_less_is_better(store):
    found = group_runs(every_run(store), metric="acc", mode="min")
    assert [group.params["lr"] for group in found.groups] == [2, 1, 0.1]
    assert found.best is found.groups[0]


def test_of_last_values_none_is_best_unless_it_is_said_which(store):
    runs = every_run(store)
    unsaid = group_runs(runs, metric="acc", mode="last")
    assert unsaid.best is None
    assert [group.is_within_noise for group in unsaid.groups] == [None, None, None]
    assert [group.run_ids[0] for group in unsaid.groups] == ["good1", "lone", "poor1"]
    assert group_runs(runs, metric="acc", mode="last", goal="max").best.params == {"lr": 0.1}


def test_a_group_is_within_noise_of_the_best_by_welchs_t(tmp_path):
    values = {"a": [0.90, 0.92, 0.94], "b": [0.89, 0.91, 0.92], "c": [0.5, 0.51, 0.52]}
    for model, several in values.items():
        for seed, value in enumerate(several):
            make_run(tmp_path, f"{model}{seed}", {"model": model, "seed": seed}, [value])
    (best, near, far) = group_runs(every_run(tmp_path), metric="acc").groups
    assert (best.params, best.p_value, best.is_within_noise) == ({"model": "a"}, None, None)
    assert near.p_value == noise.welch_p(values["b"], values["a"])
    assert (near.is_within_noise, far.is_within_noise) == (True, False)
    strict = group_runs(every_run(tmp_path), metric="acc", alpha=0.9).groups
    assert strict[1].is_within_noise is False


def test_of_a_group_of_one_run_nothing_can_be_told(store):
    lone = group_runs(every_run(store), metric="acc").groups[-1]
    assert (lone.p_value, lone.is_within_noise) == (None, None)


@pytest.mark.parametrize("group_by", ["lr", "params.lr", ["lr"], ("params.lr",)])
def test_runs_are_grouped_by_the_params_that_are_named(store, group_by):
    found = group_runs(every_run(store), group_by, metric="acc")
    assert [len(group.run_ids) for group in found.groups] == [3, 3, 1]
    assert found.over == ["seed"]


def test_runs_are_grouped_by_several_params_tags_and_attributes(store):
    run = Run(run_id="good1", experiment_id=0, runs_dir=store)
    run.set_tag("team", "red")
    run.end()
    found = group_runs(every_run(store), ["batch", "tags.team", "status"], metric="acc", mode="last")
    assert [group.params for group in found.groups] == [
        {"batch": 8, "tags.team": "red", "status": "FINISHED"},
        {"batch": 8, "status": "FINISHED"},
        {"batch": 8, "status": "FAILED"},
    ]


def test_a_param_is_left_out_as_a_seed_is_where_one_says_so(tmp_path):
    for seed in (1, 2):
        make_run(tmp_path, f"r{seed}", {"lr": 1, "seed": seed, "output_dir": f"out/{seed}"}, [seed])
    runs = every_run(tmp_path)
    assert len(group_runs(runs, metric="acc").groups) == 2
    found = group_runs(runs, metric="acc", over="output_dir")
    assert (found.by, found.over, found.groups[0].count) == ([], ["output_dir", "seed"], 2)
    assert group_runs(runs, metric="acc", over="params.output_dir") == found


def test_equal_numbers_are_one_setting_and_texts_and_booleans_are_others(tmp_path):
    for number, value in enumerate([1, 1.0, True, "1", None]):
        make_run(tmp_path, f"r{number}", {"x": value}, [1.0])
    make_run(tmp_path, "r5", {}, [1.0])
    found = group_runs(every_run(tmp_path), metric="acc")
    assert [group.run_ids for group in found.groups] == [["r0", "r1"], ["r2"], ["r3"], ["r4"], ["r5"]]
    assert found.groups[-1].params == {}


def test_histories_are_aggregated_at_each_step_with_the_number_of_runs_behind_each(tmp_path):
    make_run(tmp_path, "a", {"seed": 1}, [1.0, 2.0, NAN, 4.0])
    make_run(tmp_path, "b", {"seed": 2}, [3.0, 6.0, NAN])
    (group,) = group_runs(["a", "b"], metric="acc", per_step=True, runs_dir=tmp_path).groups
    assert group.steps.steps == [0, 1, 2, 3]
    assert group.steps.mean == [2.0, 4.0, None, 4.0]
    assert group.steps.std == [pytest.approx(math.sqrt(2)), pytest.approx(math.sqrt(8)), None, None]
    assert group.steps.min == [1.0, 2.0, None, 4.0]
    assert group.steps.max == [3.0, 6.0, None, 4.0]
    assert group.steps.count == [2, 2, 0, 1]


def test_a_step_that_was_logged_again_counts_once_with_what_was_logged_last(tmp_path):
    """docs/format.md, rule W8."""
    run = Run(run_id="a", experiment_id=0, runs_dir=tmp_path)
    for step, value in [(0, 1.0), (1, 9.0), (1, 2.0)]:
        run.log_metric("acc", value, step=step)
    run.end()
    (group,) = group_runs("a", metric="acc", per_step=True, runs_dir=tmp_path).groups
    assert group.steps.mean == [1.0, 2.0]


def test_without_asking_no_history_is_aggregated(store):
    assert all(group.steps is None for group in group_runs(every_run(store), metric="acc").groups)


@pytest.mark.parametrize("values", [[NAN, NAN], [math.inf], [-math.inf, math.inf]])
def test_a_run_without_a_finite_value_counts_for_nothing(tmp_path, values):
    make_run(tmp_path, "a", {"seed": 1}, [0.5])
    make_run(tmp_path, "b", {"seed": 2}, values)
    (group,) = group_runs(["a", "b"], metric="acc", runs_dir=tmp_path).groups
    assert (group.count, group.mean, group.run_ids) == (1, 0.5, ["a", "b"])


def test_a_run_that_ended_at_nan_is_in_no_number_of_best_values_and_is_told(tmp_path):
    """As a list of runs ranks it last, whatever it reached before."""
    for seed, values in enumerate([[0.5, 0.4], [0.5, 0.42], [0.5, 0.1, NAN]]):
        make_run(tmp_path, f"a{seed}", {"lr": 1, "seed": seed}, values)
        make_run(tmp_path, f"b{seed}", {"lr": 2, "seed": seed}, [0.01, math.inf])
    make_run(tmp_path, "b3", {"lr": 2, "seed": 3}, [NAN], status="FAILED")
    found = group_runs(every_run(tmp_path), metric="acc", mode="min")
    (good, lost) = found.groups
    assert (good.count, len(good.run_ids), good.diverged) == (2, 3, ["a2"])
    assert (good.mean, good.max, sorted(good.values)) == (pytest.approx(0.41), 0.42, ["a0", "a1"])
    assert (lost.count, lost.mean, lost.diverged) == (0, None, ["b0", "b1", "b2"])
    assert found.best is good
    assert str(found).splitlines()[2:] == [
        "2/3   1   0.41  0.014  0.4  0.42  best, 1 diverged", "0/4   2   NaN   –      –    –     3 diverged",
    ]  # fmt: skip


def test_a_run_that_was_nan_on_its_way_counts(tmp_path):
    make_run(tmp_path, "a", {"lr": 1}, [0.5, NAN, 0.4])
    (group,) = group_runs("a", metric="acc", mode="min", runs_dir=tmp_path).groups
    assert (group.mean, group.diverged) == (0.4, [])


def test_the_name_of_a_metric_tells_which_group_is_best_as_on_the_command_line(tmp_path):
    for run_id, lr, value in (("a", 1, 0.2), ("b", 2, 0.9)):
        with Run(run_id=run_id, experiment_id=0, runs_dir=tmp_path) as run:
            run.log_params({"lr": lr})
            run.log_metrics({"val.loss": value, "val.acc": value, "temperature": value})
    runs = every_run(tmp_path)
    assert group_runs(runs, metric="val.loss").best.run_ids == ["a"]
    assert group_runs(runs, metric="val.acc").best.run_ids == ["b"]
    assert group_runs(runs, metric="val.loss", mode="max").best.run_ids == ["b"]
    unsaid = group_runs(runs, metric="temperature")
    assert (unsaid.mode, unsaid.best) == ("last", None)
    said = group_runs(runs, metric="temperature", goal="min")
    assert (said.mode, said.best.run_ids) == ("min", ["a"])


def test_a_parent_without_the_metric_is_none_of_the_group_of_its_children(tmp_path):
    make_run(tmp_path, "top", {"lr": 1}, [])
    for parent, child in (("top", "cv"), ("cv", "fold1"), ("cv", "fold2"), ("cv", "failed")):
        run = Run(run_id=child, experiment_id=0, runs_dir=tmp_path, parent_run_id=parent)
        run.log_params({"lr": 1})
        if child.startswith("fold"):
            run.log_metric("acc", 0.5)
        run.end()
    (group,) = group_runs(every_run(tmp_path), metric="acc").groups
    assert sorted(group.run_ids) == ["failed", "fold1", "fold2"]
    (group,) = group_runs(every_run(tmp_path), metric="acc", with_parents=True).groups
    assert len(group.run_ids) == 5


def test_groups_without_a_value_come_last_and_are_never_best(tmp_path):
    make_run(tmp_path, "a", {"lr": 1}, [NAN])
    assert group_runs("a", metric="acc", runs_dir=tmp_path).best is None
    make_run(tmp_path, "b", {"lr": 2}, [-1.0])
    found = group_runs(["a", "b"], metric="acc", runs_dir=tmp_path)
    assert [group.mean for group in found.groups] == [-1.0, None]


def test_printed_the_groups_are_a_table(store):
    assert str(group_runs(every_run(store), metric="acc")).splitlines() == [
        "acc (max of each run): 7 runs in 3 groups, over seed",
        "runs  lr   mean  std   min   max",
        "3     0.1  0.92  0.01  0.91  0.93  best",
        "2/3   1    0.5   0     0.5   0.5   p = 0.00019",
        "1     2    0.2   –     0.2   0.2   too few runs to tell",
    ]


def test_runs_are_given_as_ids_or_objects_or_one(store):
    runs = [Run(run_id="good1", experiment_id=0, runs_dir=store), get_run("good2", runs_dir=store), "good3"]
    runs[0].end()
    (group,) = group_runs(runs, metric="acc", runs_dir=store).groups
    assert group.run_ids == ["good1", "good2", "good3"]
    assert group_runs("good1", metric="acc", runs_dir=store).best.run_ids == ["good1"]
    assert group_runs(get_run("good1", runs_dir=store), metric="acc").best.count == 1


def test_a_run_that_was_deleted_since_it_was_found_is_no_longer_there(store):
    runs = every_run(store)
    delete_run("good1", runs_dir=store)
    with pytest.raises(RunNotFoundError):
        group_runs(runs, metric="acc", mode="last", runs_dir=store)


def test_no_runs_make_no_groups(tmp_path):
    found = group_runs([], metric="acc", runs_dir=tmp_path)
    assert (found.groups, found.best, found.by) == ([], None, [])
    assert "0 runs in 0 groups" in str(found)


def test_a_run_that_cannot_be_read_is_told_and_the_others_are_grouped(store):
    (store / "0" / "good1" / "meta.yaml").write_text("{", encoding="utf-8")
    with pytest.warns(StorageWarning, match="good1"):
        found = group_runs(["good1", "good2"], metric="acc", runs_dir=store)
    assert [group.run_ids for group in found.groups] == [["good2"]]


def test_a_metric_that_no_run_has_is_told_with_near_names(store):
    with pytest.raises(MetricNotFoundError, match="Did you mean 'acc'"):
        group_runs(every_run(store), metric="accc")


@pytest.mark.parametrize("group_by", ["lrr", "params.lrr", "attributes.nothing", "metrics.acc", "", ["lr", "x"]])
def test_what_no_run_has_cannot_be_grouped_by(store, group_by):
    with pytest.raises(InvalidValueError, match="None of the runs has a param, tag or attribute"):
        group_runs(every_run(store), group_by, metric="acc")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "best"}, "mode must be"),
        ({"goal": "up"}, "goal must be"),
        ({"alpha": 0}, "alpha must be"),
        ({"alpha": NAN}, "alpha must be"),
        ({"alpha": "5 %"}, "alpha must be"),
        ({"group_by": 7}, "group_by must be"),
        ({"group_by": [7]}, "group_by must be"),
        ({"over": 7}, "over must be"),
        ({"over": "nothing"}, "None of the runs has a param 'nothing' to leave out"),
        ({"over": "seed", "group_by": "lr"}, "Leave one of them out"),
    ],
)
def test_an_argument_out_of_its_range_is_refused(store, arguments, message):
    with pytest.raises(InvalidValueError, match=message):
        group_runs(every_run(store), metric="acc", **arguments)


def test_what_names_no_run_or_metric_is_refused(store):
    with pytest.raises(InvalidValueError, match="Runs must be ids or runs"):
        group_runs(7, metric="acc", runs_dir=store)
    with pytest.raises(RunNotFoundError):
        group_runs("nobody", metric="acc", runs_dir=store)
    with pytest.raises(InvalidKeyError):
        group_runs("lone", metric=7, runs_dir=store)


def test_an_id_in_two_experiments_needs_to_be_told_apart(store):
    shutil.copytree(str(store / "0"), str(store / "1"))
    with pytest.raises(AmbiguousRunError):
        group_runs("lone", metric="acc", runs_dir=store)
    assert group_runs("lone", metric="acc", experiment_id=1, runs_dir=store).best.mean == 0.2


def stored(number, params, value):
    """A run as search_runs returns it, with no files behind it that the last value would need."""
    info = RunInfo(f"r{number}", None, 0, "FINISHED", number, number, "active", "/", None, None, 0, None, None)
    return StoredRun(info, RunData(params, {"acc": value}, {}), [])


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.sampled_from("ab"), NUMBERS), min_size=1, max_size=20))
def test_the_groups_hold_every_run_once_and_their_numbers_are_those_of_the_statistics_module(rows):
    runs = [
        stored(number, {"lr": lr, "aug": aug, "seed": number}, value) for number, (lr, aug, value) in enumerate(rows)
    ]
    found = group_runs(runs, ["lr", "aug"], metric="acc", mode="last", goal="max")
    assert sorted(run_id for group in found.groups for run_id in group.run_ids) == sorted(
        run.info.run_id for run in runs
    )
    for group in found.groups:
        expected = [value for lr, aug, value in rows if {"lr": lr, "aug": aug} == group.params]
        assert group.mean == pytest.approx(statistics.mean(expected), abs=1e-9)
        assert group.std == (pytest.approx(statistics.stdev(expected), abs=1e-7) if len(expected) > 1 else None)
    assert found.best.mean == max(group.mean for group in found.groups)
