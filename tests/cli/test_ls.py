"""Lists of experiments, of runs and of groups of runs."""

import csv
import io
import json

import pytest


def rows_of(result):
    """Return the lines of TSV as dicts."""
    heading, *lines = [line.split("\t") for line in result.out.splitlines()]
    return [dict(zip(heading, line)) for line in lines]


def names_of(result):
    return [row["name"] for row in rows_of(result)]


def test_in_a_pipe_it_is_tsv_with_every_column_whole(shared_sweep, run_cli):
    rows = rows_of(run_cli("ls", "cifar10-sweep"))
    assert list(rows[0]) == [
        "id", "name", "experiment", "status", "start_time", "end_time", "duration_s", "aug", "batch_size", "epochs",
        "lr", "model", "optimizer", "seed", "weight_decay", "min(train.loss)", "last(train.loss)", "max(val.acc)",
        "last(val.acc)", "min(val.loss)", "last(val.loss)",
    ]  # fmt: skip
    assert [row["id"] for row in rows] == shared_sweep.ids
    assert (rows[0]["status"], rows[0]["end_time"]) == ("RUNNING", "")
    assert rows[9]["last(val.loss)"] == "NaN"
    assert rows[2]["start_time"].endswith("Z")


def test_columns_can_be_named(shared_sweep, run_cli):
    result = run_cli("ls", "cifar10-sweep", "-c", "id,name,status,lr,val.acc,last(val.loss),best_step(x)", "-n", "1")
    assert result.code == 3
    result = run_cli("ls", "cifar10-sweep", "-c", "id,name,status,lr,val.acc,last(val.loss),params.aug,mean(val.acc)")
    assert result.lines[0].split("\t") == [
        "id", "name", "status", "lr", "max(val.acc)", "last(val.loss)", "aug", "mean(val.acc)",
    ]  # fmt: skip
    assert "  near:  val.acc\n" in run_cli("ls", "cifar10-sweep", "-c", "val.ac").err


def test_csv_holds_the_same_as_tsv(shared_sweep, run_cli):
    read = list(csv.DictReader(io.StringIO(run_cli("ls", "cifar10-sweep", "--csv").out, newline="")))
    assert read == rows_of(run_cli("ls", "cifar10-sweep", "--tsv"))


def test_f04_a_cell_of_csv_is_no_formula(store, run_cli):
    store.run("=cmd|' /C calc'!A0", params={"+p": "@x"})
    out = run_cli("-d", str(store.path), "ls", "Default", "--csv").out
    assert "'=cmd" in out
    assert "'@x" in out
    assert "'+p" in out.splitlines()[0]


def test_ids_alone(shared_sweep, run_cli):
    assert run_cli("ls", "cifar10-sweep", "-q").lines == shared_sweep.ids
    assert run_cli("ls", "-q", columns=80, encoding="utf-8").code == 0


def test_a_filter_an_order_and_a_limit(shared_sweep, run_cli):
    slow = names_of(run_cli("ls", "-f", "lr < 0.005 and status = 'FINISHED'"))
    assert slow == ["shy-swift", "calm-seal", "quick-tern"]
    assert names_of(run_cli("ls", "cifar10-sweep", "-s", "name", "-n", "2")) == ["bold-crane", "brisk-bison"]
    assert names_of(run_cli("ls", "cifar10-sweep", "-s", "-age", "-n", "1")) == ["witty-vole"]
    assert names_of(run_cli("ls", "cifar10-sweep", "-s", "-took", "-n", "1")) == ["vivid-marten"]
    assert names_of(run_cli("ls", "cifar10-sweep", "-s", "-lr", "-n", "1")) == ["proud-owl"]


@pytest.mark.parametrize(
    ("order", "column", "is_descending"),
    [
        (("-b", "val.acc"), "max(val.acc)", True), (("-b", "val.loss"), "min(val.loss)", False),
        (("-b", "val.acc", "-l"), "last(val.acc)", True), (("-s", "val.loss"), "min(val.loss)", False),
        (("-s", "-val.loss"), "min(val.loss)", True),
    ],
)  # fmt: skip
def test_runs_come_in_the_order_of_what_is_shown(shared_sweep, run_cli, order, column, is_descending):
    rows = rows_of(run_cli("ls", "cifar10-sweep", *order))
    values = [float(row[column]) for row in rows if row["last(val.loss)"] != "NaN"]
    assert values == sorted(values, reverse=is_descending)


def test_noise_of_floats_takes_no_room_and_is_whole_for_programs(store, run_cli):
    for place, lr in enumerate((0.1 + 0.2, 0.1 * 7, 0.5)):
        store.run("run-%d" % place, params={"lr": lr, "momentum": 1 / 3, "width": place}, metrics={"acc": [place]})
    place = ("-d", str(store.path), "--color", "never")
    shown = run_cli(*place, "ls", "Default", columns=80)
    place_of_lr = shown.lines[2].split().index("lr") + 1  # after the mark, which has no heading
    assert sorted(line.split()[place_of_lr] for line in shown.lines[3:6]) == ["0.3", "0.5", "0.7"]
    assert "momentum 0.333333" in shown.out
    for form in ("--tsv", "--csv", "--json"):
        assert "0.30000000000000004" in run_cli(*place, "ls", "Default", form, columns=80).out
    compared = run_cli(*place, "compare", "run-0", "run-1", columns=80).out
    assert (" 0.3 " in compared, "0.3000" in compared) == (True, False)
    assert "0.30000000000000004" in run_cli(*place, "show", "run-0", columns=80).out


def test_what_was_named_is_all_there_is_and_nothing_is_told_to_be_hidden(shared_sweep, run_cli):
    for wide in ((), ("-w",)):
        shown = run_cli("ls", "cifar10-sweep", "-c", "name,lr,trend", *wide, "-n", "2", "--color", "never", columns=80)
        assert "hidden" not in shown.out
    keys = "name,lr,aug,took,val.acc,val.loss,train.loss"
    assert "hidden" in run_cli("ls", "cifar10-sweep", "-c", keys, columns=60).out


def test_a_run_that_diverged_ranks_last(shared_sweep, run_cli):
    assert names_of(run_cli("ls", "cifar10-sweep", "-b", "val.loss"))[-1] == "lucid-lynx"


def test_an_experiment_is_named_by_name_or_id_and_only_once(shared_sweep, run_cli):
    ids = {row["name"]: row["id"] for row in rows_of(run_cli("ls"))}
    by_name = run_cli("ls", "tokenizer-ablation", "-q").out
    assert by_name == run_cli("ls", ids["tokenizer-ablation"], "-q").out
    assert by_name == run_cli("ls", "-e", "tokenizer-ablation", "-q").out
    assert run_cli("ls", "tokenizer-ablation", "-e", "cifar10-sweep").code == 2
    assert run_cli("ls", "tokeniser-ablation").code == 3


def test_the_overview_counts_and_tells_the_best(shared_sweep, run_cli):
    rows = {row["name"]: row for row in rows_of(run_cli("ls"))}
    sweep = rows["cifar10-sweep"]
    counts = [sweep[name] for name in ("runs", "running", "finished", "failed", "killed", "lost")]
    assert counts == ["24", "2", "18", "2", "1", "1"]
    assert sweep["metric"] == "max(val.acc)"
    best = json.loads(run_cli("best", "val.acc", "-e", "cifar10-sweep", "-n", "1", "--json").out)
    assert float(sweep["best"]) == best["runs"][0]["best"]["value"]
    assert sweep["best_run_id"] == best["runs"][0]["run_id"]


def test_wide_shows_all_however_wide(shared_sweep, run_cli):
    wide = run_cli("ls", "cifar10-sweep", "-w", "--color", "never", columns=60)
    assert max(map(len, wide.lines)) > 100
    assert "hidden" not in wide.out
    overview = run_cli("ls", "-w", "--color", "never", columns=60)
    assert "kB" in overview.out
    assert "size" in overview.lines[2]


def test_on_a_terminal_forty_rows_and_how_many_more(store, run_cli):
    for number in range(43):
        store.run("run-%02d" % number, params={"n": number}, ago_s=100 + number)
    place = ("-d", str(store.path), "--color", "never")
    some = run_cli(*place, "ls", "Default", columns=80)
    assert " not shown  3 more runs · -a shows them" in some.lines
    assert "run-42" in run_cli(*place, "ls", "Default", "-a", columns=80).out
    assert "run-42" in run_cli(*place, "ls", "Default", "-n", "50", columns=80).out
    assert len(rows_of(run_cli(*place, "ls", "Default"))) == 43


def test_all_shows_the_trash_and_the_machine_too(store, run_cli):
    import mini_mlflow

    gone = store.run("gone", metrics={"acc": [0.5], "system/cpu": [10.0]})
    store.run("kept", metrics={"acc": [0.6]})
    mini_mlflow.delete_run(gone, runs_dir=store.path)
    place = ("-d", str(store.path))
    assert names_of(run_cli(*place, "ls", "Default")) == ["kept"]
    rows = rows_of(run_cli(*place, "ls", "Default", "-a"))
    assert {row["name"]: row["stage"] for row in rows} == {"gone": "deleted", "kept": "active"}
    assert "last(system/cpu)" in rows[0]


def test_all_shows_deleted_experiments_and_says_so(store, run_cli):
    import mini_mlflow

    store.run("kept")
    gone = store.experiment("gone")
    mini_mlflow.delete_experiment(gone, runs_dir=store.path)
    place = ("-d", str(store.path))
    assert "gone" not in run_cli(*place, "ls").out
    assert "deleted" in run_cli(*place, "ls", "-a", columns=80).out
    stages = {
        each["name"]: each["stage"] for each in json.loads(run_cli(*place, "ls", "-a", "--json").out)["experiments"]
    }
    assert stages == {"Default": "active", "gone": "deleted"}


def test_json_of_runs_holds_everything(shared_sweep, run_cli):
    document = json.loads(run_cli("ls", "cifar10-sweep", "--json").out)
    assert (document["schema"], document["total"], len(document["runs"])) == ("mini-mlflow/runs/1", 24, 24)
    run = document["runs"][9]
    assert run["name"] == "lucid-lynx"
    keys = "run_id experiment_id experiment status start_time end_time duration_s params tags metrics"
    assert set(run) >= set(keys.split())
    loss = run["metrics"]["val.loss"]
    assert set(loss) == {"last", "step", "first", "min", "min_step", "max", "max_step", "mean", "count"}
    assert (loss["last"], loss["step"], loss["count"]) == ("NaN", 30, 31)
    last = json.loads(run_cli("ls", "cifar10-sweep", "-l", "-n", "1", "--json").out)["runs"][0]
    assert set(last["metrics"]["val.loss"]) == {"last"}


def test_json_of_an_empty_store(run_cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert json.loads(run_cli("ls", "Default", "--json").out)["runs"] == []
    assert json.loads(run_cli("ls", "--json").out)["experiments"] == []
    assert run_cli("ls", "Default").out == ""


def test_an_experiment_is_told_to_be_missing_where_there_is_no_store_either(run_cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_cli("ls", "x").code == 3
    assert "no experiment 'x' in mlruns" in run_cli("ls", "x", columns=80).err


def test_groups_are_equal_but_for_the_seed(shared_sweep, run_cli):
    document = json.loads(run_cli("ls", "cifar10-sweep", "-g", "--json").out)
    assert (document["schema"], document["total"], document["over"]) == ("mini-mlflow/groups/1", 24, ["seed"])
    assert sorted(len(group["run_ids"]) for group in document["groups"]) == [3] * 8
    means = [group["metrics"]["val.acc"]["mean"] for group in document["groups"]]
    assert means == sorted(means, reverse=True)
    best, *others = document["groups"]
    assert best["within_noise"] is None
    assert {group["within_noise"] for group in others} <= {True, False, None}
    broken = [group for group in document["groups"] if group["finished"] < 3]
    assert all(group["metrics"]["val.acc"]["count"] == group["finished"] for group in broken)


def test_groups_agree_with_the_library(shared_sweep, run_cli):
    import mini_mlflow

    runs = mini_mlflow.search_runs("cifar10-sweep", output_format="list", runs_dir=shared_sweep.path)
    groups = mini_mlflow.group_runs(runs, metric="val.loss", mode="min", runs_dir=shared_sweep.path)
    document = json.loads(run_cli("ls", "cifar10-sweep", "-g", "-b", "val.loss", "--json").out)
    shown = [group["metrics"]["val.loss"] for group in document["groups"]]
    assert [each["mean"] for each in shown] == [group.mean for group in groups.groups]
    assert [each["std"] for each in shown] == [group.std for group in groups.groups]
    assert [each["within_noise"] for each in shown] == [group.is_within_noise for group in groups.groups]


def test_groups_can_be_over_any_param_and_without_seeds_are_over_that_with_most_values(store, run_cli):
    experiment = store.experiment("no seeds")
    for number in range(6):
        params = {"try": number, "lr": number % 2}
        store.run("run-%d" % number, experiment, params=params, metrics={"acc": [number / 10]})
    place = ("-d", str(store.path))
    document = json.loads(run_cli(*place, "ls", "no seeds", "-g", "--json").out)
    assert (document["over"], len(document["groups"])) == (["try"], 2)
    document = json.loads(run_cli(*place, "ls", "no seeds", "-g", "lr", "--json").out)
    assert (document["over"], len(document["groups"])) == (["lr"], 6)
    assert run_cli(*place, "ls", "no seeds", "-g", "lrr").code == 3
    assert json.loads(run_cli(*place, "ls", "-g", "no seeds", "--json").out)["over"] == ["try"]


def test_groups_for_programs(shared_sweep, run_cli):
    rows = rows_of(run_cli("ls", "cifar10-sweep", "-g"))
    assert [row["group"] for row in rows] == ["g%d" % (place + 1) for place in range(8)]
    assert all(len(row["run_ids"].split(" ")) == 3 for row in rows)
    assert len(run_cli("ls", "cifar10-sweep", "-g", "-q").lines) == 24


def test_a_group_without_a_finished_run_has_no_mean(store, run_cli):
    for number in range(2):
        store.run("run-%d" % number, params={"seed": number}, metrics={"acc": [0.5]}, status="FAILED")
    result = run_cli("-d", str(store.path), "ls", "-g", "-e", "Default", "--color", "never", columns=80)
    assert result.code == 0
    assert "0/2" in result.out


def test_shared_params_are_said_once_and_varying_ones_are_columns(shared_sweep, run_cli):
    lines = run_cli("ls", "cifar10-sweep", "--color", "never", columns=120).lines
    assert " same in all  batch_size 128 · epochs 90 · model resnet18 · optimizer adamw · weight_decay 0.0005" in lines
    assert all(name in lines[2] for name in ("aug", "lr", "seed"))


def test_the_best_of_a_column_stands_out_and_nothing_is_told_by_colour_alone(shared_sweep, run_cli):
    result = run_cli("ls", "cifar10-sweep", columns=120)
    best = json.loads(run_cli("best", "val.acc", "-e", "cifar10-sweep", "-n", "1", "--json").out)["runs"][0]
    line = next(line for line in result.lines if best["name"] in line)
    assert "\x1b[1;32m%.4f\x1b[0m" % best["best"]["value"] in line
    assert result.out.count("\x1b[1;32m") == 3


def test_a_broken_run_is_warned_of_and_the_others_are_shown(store, run_cli):
    broken = store.run("broken")
    store.run("sound")
    (store.path / "0" / broken / "meta.yaml").write_bytes(b"\xff\x00")
    result = run_cli("-d", str(store.path), "ls", "Default")
    assert (result.code, names_of(result)) == (0, ["sound"])
    assert result.err.startswith("warning: 1 ")
    document = json.loads(run_cli("-d", str(store.path), "ls", "Default", "--json").out)
    assert len(document["warnings"]) == 1


def test_the_points_of_numbers_stand_below_each_other_and_what_is_missing_is_a_dash(store, run_cli):
    store.run("a", params={"lr": 0.1, "n": 5, "text": "x"}, metrics={"acc": [0.5]})
    store.run("b", params={"lr": 0.003, "n": 12345, "text": "名前"}, metrics={"acc": [float("inf")]})
    store.run("c", params={"lr": 10.25})
    options = ("-c", "name,lr,n,text,acc", "--color", "never")
    lines = run_cli("-d", str(store.path), "ls", "Default", *options, "-s", "name", columns=120).lines
    assert lines[2:6] == [
        " #     name  lr          n  text  acc ↑",
        " 1  ✓  a      0.1        5  x     0.5000",
        " 2  ✓  b      0.003  12345  名前     inf",
        " 3  ✓  c     10.25       –  –          –",
    ]


def test_columns_and_metrics_that_rows_left_out_have_are_known(store, run_cli):
    store.run("old", metrics={"loss": [0.5]}, params={"lr": 1}, ago_s=9000)
    store.run("new", ago_s=60)
    place = ("-d", str(store.path), "ls", "Default", "-n", "1")
    assert run_cli(*place, "-c", "name,loss,lr,mean(loss)").lines == ["name\tmin(loss)\tlr\tmean(loss)", "new\t\t\t"]
    assert run_cli(*place, "-m", "lo*").code == 0
    assert run_cli(*place, "-m", "lo*", columns=80).code == 0
    assert run_cli(*place, "-c", "los").code == 3


def test_of_metrics_programs_get_those_that_are_named_too(store, run_cli):
    store.run("alpha", metrics={"loss": [0.5], "acc": [0.25]})
    place = ("-d", str(store.path), "ls", "Default", "-m", "loss")
    assert [name for name in rows_of(run_cli(*place))[0] if "loss" in name or "acc" in name] == [
        "min(loss)", "last(loss)",
    ]  # fmt: skip
    assert list(json.loads(run_cli(*place, "--json").out)["runs"][0]["metrics"]) == ["loss"]
    for form in ("--csv", "--json", "-t"):
        assert run_cli("-d", str(store.path), "ls", "Default", "-m", "nosuch", form).code == 3


def test_the_overview_counts_also_what_it_does_not_show(shared_sweep, run_cli):
    whole = json.loads(run_cli("ls", "--json").out)
    part = json.loads(run_cli("ls", "-n", "1", "--json").out)
    assert (len(part["experiments"]), part["total"]) == (1, whole["total"])
    screen = run_cli("ls", "-n", "1", columns=80).out
    assert "3 experiments · %d runs" % whole["total"] in screen
    assert "not shown  2 more experiments" in screen


def test_groups_of_several_experiments_are_kept_apart(store, run_cli):
    for name, accuracy in (("resnet", 0.9), ("vit", 0.5)):
        experiment = store.experiment(name)
        for seed in (1, 2, 3):
            store.run("%s-%d" % (name, seed), experiment, params={"lr": 0.1, "seed": seed}, metrics={"acc": [accuracy]})
    groups = json.loads(run_cli("-d", str(store.path), "ls", "-g", "--json").out)["groups"]
    assert [(each["experiment"], len(each["run_ids"]), each["metrics"]["acc"]["mean"]) for each in groups] == [
        ("resnet", 3, pytest.approx(0.9)), ("vit", 3, pytest.approx(0.5)),
    ]  # fmt: skip
    assert groups[0]["params"] == {}
    screen = run_cli("-d", str(store.path), "ls", "-g", columns=100)
    assert "experiment" in screen.lines[2]
    assert "resnet" in screen.lines[3]
    assert [row["experiment"] for row in rows_of(run_cli("-d", str(store.path), "ls", "-g"))] == ["resnet", "vit"]


def test_of_groups_only_so_many_are_shown_and_the_others_counted(shared_sweep, run_cli):
    assert len(json.loads(run_cli("ls", "cifar10-sweep", "-g", "-n", "2", "--json").out)["groups"]) == 2
    assert "not shown  6 more groups" in run_cli("ls", "cifar10-sweep", "-g", "-n", "2", columns=80).out


@pytest.mark.parametrize(("key", "code"), [("note", 0), ("user", 0), ("-stage", 0), ("nosuch", 3), ("val.los", 3)])
def test_runs_are_sorted_by_any_column_and_one_that_is_not_there_is_told(shared_sweep, run_cli, key, code):
    result = run_cli("ls", "cifar10-sweep", "-s", key)
    assert result.code == code
    assert ("near:  val.loss" in result.err) == (key == "val.los")


def test_a_status_without_quotes_may_be_written_as_it_is_shown(shared_sweep, run_cli):
    assert len(rows_of(run_cli("ls", "cifar10-sweep", "-f", "status = running"))) == 2


def test_steps_are_those_of_the_longest_metric_that_is_shown(store, run_cli):
    store.run("usual", metrics={"loss": [0.1] * 30, "reconstruction": [0.1] * 30}, ago_s=10)
    store.run("other", metrics={"reconstruction": [0.1] * 50}, ago_s=20)
    store.run("final", metrics={"loss": [0.1], "val.acc": [0.1] * 40}, ago_s=30)
    store.run("none", ago_s=40)
    place = ("-d", str(store.path), "ls", "Default")
    for columns in ("name,loss,val.acc,steps", "name,steps,loss,val.acc"):
        rows = rows_of(run_cli(*place, "-c", columns))
        assert [row["steps"] for row in rows] == ["30", "50", "40", ""]
    lines = run_cli(*place, "--color", "never", columns=120).lines
    assert lines[2].endswith("steps")
    assert [line.split()[-1] for line in lines[3:7]] == ["30", "50", "40", "–"]


def test_what_most_runs_have_comes_before_what_few_have(store, run_cli):
    for number in range(5):
        metrics = {"loss": [0.5], "train.acc": [0.25], "lr": [0.1]}
        store.run("run-with-a-name-%d" % number, metrics={**metrics, **({"val.acc": [0.75]} if number == 0 else {})})
    place = ("-d", str(store.path), "ls", "Default", "--color", "never")
    assert run_cli(*place, columns=160).lines[2].split("took")[1].split() == [
        "train.acc", "↑", "trend", "loss", "↓", "lr", "val.acc", "↑", "steps",
    ]  # fmt: skip
    assert "train.acc ↑" in run_cli(*place, columns=60).lines[2]
    assert "val.acc ↑" in run_cli(*place, "-b", "val.acc", columns=60).lines[2]


def test_the_seed_is_looked_for_within_each_experiment(store, run_cli):
    for name, seed in (("a", 1), ("b", 2)):
        experiment = store.experiment(name)
        for lr in (0.1, 0.2):
            store.run("%s-%s" % (name, lr), experiment, params={"lr": lr, "seed": seed}, metrics={"acc": [lr]})
    document = json.loads(run_cli("-d", str(store.path), "ls", "-g", "--json").out)
    alone = json.loads(run_cli("-d", str(store.path), "ls", "a", "-g", "--json").out)
    assert (document["over"], len(document["groups"])) == (alone["over"], 2)


def test_experiments_of_long_names_leave_the_metric_of_groups_its_room(store, run_cli):
    for end in "xy":
        experiment = store.experiment("a-study-of-" + "long-names-" * 4 + end)
        for seed in (1, 2):
            store.run("r%s%d" % (end, seed), experiment, params={"seed": seed}, metrics={"acc": [0.5]})
    lines = run_cli("-d", str(store.path), "ls", "-g", columns=60).lines
    assert "acc" in lines[2]
    assert "0.50" in lines[3]
    assert lines[3].split()[3][-1] + lines[4].split()[3][-1] in ("xy", "yx")


def test_how_many_steps_a_run_has_does_not_depend_on_the_others(store, run_cli):
    store.run("one", metrics={"loss": [1] * 3, "recon": [1] * 7})
    store.run("two", metrics={"recon": [1] * 5})
    place = ("-d", str(store.path), "ls", "Default", "-c", "name,steps")
    assert sorted(run_cli(*place).lines[1:]) == ["one\t7", "two\t5"]
    assert run_cli(*place, "-f", "name = 'one'").lines[1:] == ["one\t7"]


def test_an_order_by_a_metric_that_no_run_has_is_told(store, run_cli):
    store.run("one", metrics={"loss": [1]})
    assert run_cli("-d", str(store.path), "ls", "Default", "-s", "min(losss)").code == 3


def test_a_store_without_runs_yet_has_an_experiment_that_is_empty(run_cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlruns").mkdir()
    assert run_cli("ls", "Default").code == 0
