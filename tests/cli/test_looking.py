"""What ``show``, ``compare``, ``best`` and ``history`` tell."""

import json

import pytest


def test_show_tells_everything_for_programs_too(shared_sweep, run_cli):
    document = json.loads(run_cli("show", "proud-owl", "--json").out)
    assert document["schema"] == "mini-mlflow/run/1"
    assert document["note"] == "first run with the fixed augmentation"
    assert document["files"] == [
        {"path": "checkpoints/best.txt", "size_bytes": 4500},
        {"path": "config.yaml", "size_bytes": 9},
    ]
    assert document["source"]["git_commit"].startswith("3f9c2e1")
    assert document["metrics"]["val.acc"]["max_step"] == 76


def test_show_leaves_out_metrics_of_the_machine_unless_asked(store, run_cli):
    store.run("alpha", metrics={"loss": [0.5], "system/cpu": [3.0], "system/gpu_0": [4.0]}, tags={"team": "vision"})
    place = ("-d", str(store.path))
    short = run_cli(*place, "show", "last").out
    assert "  + 2 system metrics: show -a\n" in short
    assert "team  vision" in short
    assert "system/cpu" in run_cli(*place, "show", "last", "-a").out


def test_show_finds_a_run_of_the_trash_with_all(store, run_cli):
    import mini_mlflow

    run_id = store.run("gone")
    mini_mlflow.delete_run(run_id, runs_dir=store.path)
    place = ("-d", str(store.path))
    assert run_cli(*place, "show", "gone").code == 3
    assert run_cli(*place, "show", "gone", "-a").code == 0
    document = json.loads(run_cli(*place, "show", "gone", "-a", "--json").out)
    assert (document["run_id"], document["stage"]) == (run_id, "deleted")


def test_show_says_that_a_run_is_in_the_trash(store, run_cli):
    import mini_mlflow

    store.run("kept")
    mini_mlflow.delete_run(store.run("gone"), runs_dir=store.path)
    place = ("-d", str(store.path))
    told = "  in the trash: restore brings it back, gc removes it for good"
    assert told in run_cli(*place, "show", "gone", "-a").lines
    assert "trash" not in run_cli(*place, "show", "kept", "-a").out


@pytest.mark.parametrize(("code", "said"), [(3, " · exit code 3"), (-9, " · ended by signal 9"), (0, "")])
def test_show_tells_how_the_command_of_a_run_ended(store, run_cli, code, said):
    run_id = store.run("tracked")
    with (store.path / "0" / run_id / "meta.yaml").open("a") as file:
        file.write("exit_code: %d\n" % code)
    place = ("-d", str(store.path))
    out = run_cli(*place, "show", "last").out
    assert said in out
    assert ("exit" in out or "signal" in out) == bool(said)
    assert json.loads(run_cli(*place, "show", "last", "--json").out)["exit_code"] == (code if code >= 0 else 128 - code)


def test_show_of_a_run_that_has_nothing(store, run_cli):
    store.run("bare")
    result = run_cli("-d", str(store.path), "show", "last", columns=80)
    assert (result.code, result.err, len(result.lines)) == (0, "", 2)


def test_show_of_a_run_with_many_files_tells_how_many_more(store, run_cli):
    store.run("alpha", files={"out/%02d.txt" % number: "x" for number in range(12)})
    place = ("-d", str(store.path))
    assert "  + 4 files: show -a\n" in run_cli(*place, "show", "last").out
    assert "out/11.txt" in run_cli(*place, "show", "last", "-a").out


def test_compare_tells_what_differs_and_how_much_is_the_same(shared_sweep, run_cli):
    out = run_cli("compare", "proud-owl", "mellow-wren", "--color", "never", columns=100).out
    assert "params that differ  (1 of 8)\n seed" in out
    assert " aug " not in out
    assert "same: 7 params, host, python, commit, 2 packages" in out
    everything = run_cli("compare", "proud-owl", "mellow-wren", "-a", "--color", "never", columns=100).out
    assert " aug " in everything


def test_compare_agrees_with_the_library(shared_sweep, run_cli):
    import mini_mlflow

    a, b = shared_sweep.ids[6], shared_sweep.ids[5]
    document = json.loads(run_cli("compare", "proud-owl", "quick-tern", "--json").out)
    found = mini_mlflow.compare(a, b, runs_dir=shared_sweep.path)
    assert [run["run_id"] for run in document["runs"]] == [a, b]
    assert document["params"] == {key: [pair.a, pair.b] for key, pair in found.params.items()}
    assert document["first_difference"] == found.first_difference
    assert document["metrics"]["val.acc"]["of"] == "max"


def test_compare_needs_two_runs(shared_sweep, run_cli):
    assert run_cli("compare", "proud-owl").code == 2
    assert run_cli("compare", "proud-owl", "proud-owl").code == 2


def test_compare_of_values_that_cannot_be_subtracted(store, run_cli):
    store.run("a", metrics={"acc": [float("nan")], "big": [10**300], "only": [1.0], "zero": [0.0]}, params={"x": None})
    store.run("b", metrics={"acc": [0.5], "big": [-(10**300)], "zero": [0.5]}, params={"x": [1, 2]})
    result = run_cli("-d", str(store.path), "compare", "a", "b", "--color", "never", columns=80)
    assert (result.code, result.err) == (0, "")
    assert "NaN" in result.out


def test_a_difference_in_percent_is_no_power_of_ten(store, run_cli):
    store.run("a", metrics={"acc": [0.9002], "loss": [1.0], "mae": [1.0], "size": [0.001]})
    store.run("b", metrics={"acc": [0.903], "loss": [1.000123], "mae": [1.0 + 1e-9], "size": [3.0]})
    out = run_cli("-d", str(store.path), "compare", "a", "b", "--color", "never", columns=80).out
    assert "+0.31%" in out
    assert "+0.012%" in out
    assert out.count("%") == 2  # what is too small or too large to tell is left to the difference
    assert not any("e-" in word for word in out.split() if word.endswith("%"))


def test_best_is_an_id_for_scripts(shared_sweep, run_cli):
    place = ("best", "val.acc", "-e", "cifar10-sweep")
    best = json.loads(run_cli(*place, "--json").out)["runs"]
    values = [run["best"]["value"] for run in best]
    assert values == sorted(values, reverse=True)
    assert run_cli(*place, "-q").out == best[0]["run_id"] + "\n"
    assert run_cli(*place, "-q", "-n", "3").lines == [run["run_id"] for run in best[:3]]
    assert run_cli(*place).lines[1].split("\t")[0] == best[0]["run_id"]
    worst = json.loads(run_cli("best", "val.acc:min", "-e", "cifar10-sweep", "-n", "1", "--json").out)["runs"][0]
    assert worst["best"]["value"] == min(run["metrics"]["val.acc"]["min"] for run in best)


def test_best_takes_a_filter(shared_sweep, run_cli):
    found = json.loads(run_cli("best", "val.acc", "-f", "lr = 0.1 and aug = none", "--json").out)
    assert {run["params"]["lr"] for run in found["runs"]} == {0.1}
    assert run_cli("best", "val.acc", "-f", "lr > 7").code == 3


@pytest.mark.parametrize("metric", ["val.acc", "loss", "nothing:min", ":max", ""])
def test_best_of_what_no_run_has_is_3_or_2(store, run_cli, metric):
    store.run("alpha", metrics={"loss": [float("nan")]})
    result = run_cli("-d", str(store.path), "best", metric)
    assert result.code == {"": 2, "loss": 0}.get(metric, 3)


def test_best_of_several_experiments_asks_which(store, run_cli):
    store.run("a", metrics={"acc": [0.5]})
    store.run("b", store.experiment("other"), metrics={"acc": [0.6]})
    result = run_cli("-d", str(store.path), "best", "acc")
    assert result.code == 4
    assert "-e 'other'" in result.err
    assert run_cli("-d", str(store.path), "best", "acc", "-e", "other", "-q").code == 0


def test_best_says_how_to_list_the_groups_that_it_numbers(store, run_cli):
    for lr, acc, loss in ((0.1, 0.9, 0.5), (0.2, 0.8, 0.3), (0.3, 0.7, 0.4)):
        for seed in (1, 2, 3):
            metrics = {"val.acc": [acc + seed / 1000], "val.loss": [loss + seed / 1000]}
            store.run("run", metrics=metrics, params={"lr": lr, "seed": seed})
    place = ("-d", str(store.path))

    def groups_after(*words):
        shown = run_cli(*place, *words, "--color", "never", columns=100).out
        lrs = [run_cli(*place, "show", "g%d" % number, "--json", columns=100) for number in (1, 2, 3)]
        assert [each.code for each in lrs] == [4, 4, 4]  # three runs each
        return shown, [run_cli(*place, "compare", "g1", "g%d" % number, columns=100).out for number in (2, 3)]

    for metric, listing in (
        ("val.acc", "ls -g"), ("val.loss", "ls -g -b val.loss"), ("val.acc:min", "ls -g -b val.acc:min"),
    ):  # fmt: skip
        shown, compared = groups_after("best", metric)
        assert "(%s)" % listing in shown
        assert groups_after(*listing.split())[1] == compared


def test_a_run_that_diverged_has_no_step_at_which_it_was_best(store, run_cli):
    store.run("sound", metrics={"loss": [0.5, 0.3]})
    store.run("broken", metrics={"loss": [0.5, 0.1, float("nan")]})
    document = json.loads(run_cli("-d", str(store.path), "best", "loss", "--json").out)
    assert [run["best"] for run in document["runs"]] == [{"value": 0.3, "step": 1}, {"value": "NaN", "step": None}]


def test_history_is_every_row_in_a_pipe_and_the_ends_on_a_terminal(shared_sweep, run_cli):
    lines = run_cli("history", "shy-swift").lines
    assert lines[0] == "step\ttime\tval.acc\tval.loss\ttrain.loss"
    assert len(lines) == 91
    shown = run_cli("history", "shy-swift", "--color", "never", columns=80).lines
    assert sum(line.lstrip()[:1].isdigit() for line in shown) == 10
    assert any("80 more steps (--all shows them)" in line for line in shown)
    assert len(run_cli("history", "shy-swift", "--all", "--color", "never", columns=80).lines) > 90
    assert len(run_cli("history", "shy-swift", "-n", "4").lines) == 5


def test_history_takes_names_and_patterns(shared_sweep, run_cli):
    assert run_cli("history", "shy-swift", "val.*").lines[0] == "step\ttime\tval.acc\tval.loss"
    assert run_cli("history", "shy-swift", "train.loss", "val.acc").lines[0] == "step\ttime\ttrain.loss\tval.acc"
    assert run_cli("history", "shy-swift", "nothing").code == 3
    assert "near:  val.acc" in run_cli("history", "shy-swift", "val.ac").err


def test_history_for_programs_has_every_row_that_was_logged(store, run_cli):
    import mini_mlflow

    run_id = store.run("alpha", metrics={"loss": [0.5, 0.4]})
    with mini_mlflow.start_run(run_id=run_id, runs_dir=store.path) as run:
        run.log_metric("loss", 0.45, step=1, timestamp=1795425600000)
    document = json.loads(run_cli("-d", str(store.path), "history", "alpha", "--json").out)
    assert document["metrics"]["loss"]["steps"] == [0, 1, 1]
    assert document["metrics"]["loss"]["values"] == [0.5, 0.4, 0.45]
    assert len(run_cli("-d", str(store.path), "history", "alpha").lines) == 3


def test_history_of_a_run_without_metrics_is_3(store, run_cli):
    store.run("bare")
    assert run_cli("-d", str(store.path), "history", "bare").code == 3


def test_a_metric_that_cannot_be_read_is_warned_of(store, run_cli):
    run_id = store.run("alpha", metrics={"loss": [0.5], "acc": [0.1]})
    (store.path / "0" / run_id / "metrics" / "loss.json").write_bytes(b"\x00\xff not json")
    for arguments in (("show", "alpha"), ("history", "alpha"), ("ls", "Default")):
        result = run_cli("-d", str(store.path), *arguments)
        assert result.code == 0
        assert "warning:" in result.err, arguments
        assert "acc" in result.out


def test_show_breaks_no_name_of_an_experiment(store, run_cli):
    store.run("alpha", store.experiment("a-long-name-of-an-experiment-about-many-things"))
    lines = run_cli("-d", str(store.path), "show", "alpha", "--color", "never", columns=40).lines
    assert "  a-long-name-of-an-e…-about-many-things" in [line.partition(" ·")[0] for line in lines]


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["python", "train.py", "--lr", "0.1"], "train.py --lr 0.1"),
        (["/usr/bin/python3", "-c", "import sys; print(1)"], "python3 -c 'import sys; print(1)'"),
        (["python3.11", "-m", "train", "--lr", "0.1"], "python3.11 -m train --lr 0.1"),
        (["python"], "python"),
        (["./train.sh"], "./train.sh"),
    ],
)
def test_a_command_is_shown_with_what_runs_it_unless_that_is_plain(store, run_cli, command, shown):
    store.run("alpha", fields={"command": command})
    assert "  command  %s\n" % shown in run_cli("-d", str(store.path), "show", "last").out


def test_a_run_lists_those_that_it_has_started(store, run_cli):
    parent = store.run("cv", ago_s=5000)
    for number in range(10):
        status = "FAILED" if number == 3 else "FINISHED"
        store.run(
            "fold-%d" % number, metrics={"val.loss": [0.5, 0.1 * number]}, status=status, ago_s=4000 - number,
            fields={"parent_run_id": parent},
        )  # fmt: skip
    place = ("-d", str(store.path), "show", "cv")
    plain = run_cli(*place, "--color", "never", columns=80)
    start = plain.lines.index("children  10 · min(val.loss)")
    assert [line.split()[:2] for line in plain.lines[start + 1 : start + 5]] == [
        ["✓", "fold-0"], ["✓", "fold-1"], ["✓", "fold-2"], ["✗", "fold-3"],
    ]  # fmt: skip
    assert plain.lines[start + 4].endswith(" 0.3000")
    assert plain.lines[start + 9] == "  + 2 more runs: show -a"
    assert "fold-9" in run_cli(*place, "-a", columns=80).out
    children = json.loads(run_cli(*place, "--json").out)["children"]
    assert [each["name"] for each in children] == ["fold-%d" % number for number in range(10)]
    assert (children[3]["status"], children[3]["metric"]) == ("FAILED", "min(val.loss)")
    assert json.loads(run_cli("-d", str(store.path), "show", "fold-1", "--json").out)["children"] == []


def test_a_run_tells_nothing_of_other_experiments(store, run_cli):
    other = store.experiment("other")
    broken = store.run("broken", other, params={"lr": 0.1})
    (store.path / str(other) / broken / "params" / "lr.json").write_text("{")
    parent = store.run("cv", ago_s=5000)
    store.run("fold", metrics={"val.loss": [0.1]}, fields={"parent_run_id": parent})
    place = ("-d", str(store.path), "show", parent, "-e", "Default")
    assert run_cli(*place, columns=80).err == ""
    told = json.loads(run_cli(*place, "--json").out)
    assert (told["warnings"], [each["name"] for each in told["children"]]) == ([], ["fold"])


def test_of_many_children_the_values_of_those_that_are_shown_are_read(store, run_cli, monkeypatch):
    from mini_mlflow.cli.facts import Facts

    parent = store.run("cv", ago_s=5000)
    for _ in range(20):
        store.run("fold", metrics={"val.loss": [0.5, 0.1]}, fields={"parent_run_id": parent})
    asked, summary_of = [], Facts.summary_of

    def noting(facts, function, metric, places):
        asked.append(len(places))
        return summary_of(facts, function, metric, places)

    monkeypatch.setattr(Facts, "summary_of", noting)
    lines = run_cli("-d", str(store.path), "show", parent, "--color", "never", columns=80).lines
    assert "children  20 · min(val.loss)" in lines
    assert "  + 12 more runs: show -a" in lines
    assert asked == [8]
