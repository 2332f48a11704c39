"""``compare`` shows all runs, says of groups what differs beyond noise, and of commands what arguments differ."""

import json
import re

import pytest
from measured import widest

from mini_mlflow import noise
from mini_mlflow.cli.command_words import list_differing


@pytest.fixture
def compare(store, run_cli):
    def run(*words, columns=80, code=0):
        result = run_cli("-d", str(store.path), "compare", *words, "--color", "never", columns=columns)
        assert result.code == code, result
        return result

    return run


@pytest.mark.parametrize("columns", [40, 60, 80, 120, None])
def test_runs_that_find_no_room_stand_in_blocks_below(shared_sweep, run_cli, columns):
    result = run_cli("compare", *shared_sweep.ids[:9], "--color", "never", columns=columns)
    heads = [line for line in result.lines if re.match(" +[a-i] [a-z]", line)]
    assert [letter for line in heads for letter in re.findall(r" ([a-i]) ", line)] == list("abcdefghi")
    assert len(heads) == len([line for line in result.lines if line == "metrics"]) > 1
    assert "no room" not in result.out
    assert widest(result.lines) <= (columns or 100)
    assert sum("0.9153 *" in line for line in result.lines) == 1  # the best of all, not one of each block
    assert sum(line.startswith(" * best") for line in result.lines) == 1


def test_blocks_are_of_about_one_size(store, compare):
    for number in range(7):
        store.run("run-number-%d" % number, params={"x": number}, metrics={"loss": [1.0 + number]})
    out = compare(*("run-number-%d" % number for number in range(7)), columns=80)
    heads = [line.split() for line in out.lines if "run-number" in line or "run-" in line]
    assert [len(words) // 2 for words in heads] == [4, 3]


def test_groups_of_the_last_list_are_compared_as_groups(shared_sweep, run_cli):
    groups = json.loads(run_cli("ls", "cifar10-sweep", "-g", "--json", columns=100).out)["groups"]
    run_cli("ls", "cifar10-sweep", "-g", columns=100)
    result = run_cli("compare", "g1", "g2", "--color", "never", columns=100)
    assert (result.code, result.err) == (0, "")
    lines = result.lines
    assert lines[0].split() == ["a", "g1", "b", "g2"]
    assert lines[1].split() == ["runs", "3", "✓✓✓", "3", "✓✓✓"]
    assert "params that differ  (1 of 8)" in lines
    assert " aug           mixup                none" in lines
    row = next(line for line in lines if line.startswith(" val.acc"))
    means = [group["metrics"]["val.acc"] for group in groups[:2]]
    for each in means:
        assert "%.4f ± %.4f" % (each["mean"], each["std"]) in row
    assert re.search(r"\* .* −0\.0077  −0\.82%  p 0\.019$", row)
    assert "over seed" in lines[-1]
    document = json.loads(run_cli("compare", "g2", "g1", "--json", columns=100).out)
    assert [each["group"] for each in document["groups"]] == ["g2", "g1"]
    assert [each["metrics"]["val.acc"]["mean"] for each in document["groups"]] == [
        means[1]["mean"], means[0]["mean"],
    ]  # fmt: skip
    assert document["over"] == ["seed"]


def test_of_more_groups_each_has_its_p_against_the_best(shared_sweep, run_cli):
    run_cli("ls", "cifar10-sweep", "-g", columns=100)
    lines = run_cli("compare", "g1", "g2", "g3", "g4", "--color", "never", columns=100).lines
    place = next(place for place, line in enumerate(lines) if line.startswith(" val.acc"))
    assert len(lines[place + 1].split()) == 3 or "< 0.001" in lines[place + 1]
    assert lines[place + 1].split()[0] == "p"
    assert "(2/3) ≈" in lines[place]
    assert "(1/3)" in lines[place]
    run_cli("ls", "cifar10-sweep", "-g", columns=60)
    narrow = run_cli("compare", "g1", "g2", "g3", "g4", "--color", "never", columns=60)
    assert widest(narrow.lines) <= 60
    assert "d g4" in narrow.out
    assert "…" not in narrow.out  # numbers are whole, in blocks where need be
    pair = run_cli("compare", "g1", "g2", "--color", "never", columns=60).lines
    place = next(place for place, line in enumerate(pair) if line.startswith(" val.acc"))
    assert pair[place + 1].split() == ["p", "0.019"]


def test_the_p_of_two_groups_is_that_of_welch(store, run_cli):
    values = {"small": [0.90, 0.91, 0.92], "large": [0.93, 0.94, 0.96]}
    for model, each in values.items():
        for seed, value in enumerate(each):
            store.run("%s-%d" % (model, seed), params={"model": model, "seed": seed}, metrics={"acc": [value]})
    place = ("-d", str(store.path))
    run_cli(*place, "ls", "-g", columns=80)
    out = run_cli(*place, "compare", "g1", "g2", "--color", "never", columns=80).out
    assert "p %.2g\n" % noise.welch_p(values["large"], values["small"]) in out


def test_one_group_is_still_its_runs_and_so_are_groups_beside_a_run(shared_sweep, run_cli):
    run_cli("ls", "cifar10-sweep", "-g", columns=120)
    assert "lively-quail" in run_cli("compare", "g1", "--color", "never", columns=120).out
    assert "shy-swift" in run_cli("compare", "g1", "shy-swift", "--color", "never", columns=120).out
    assert run_cli("compare", "g1", "g99", columns=120).code == 3


def test_a_run_that_is_called_g1_is_meant_where_no_group_is(store, run_cli):
    store.run("g1", metrics={"loss": [1.0]})
    store.run("g2", metrics={"loss": [2.0]})
    out = run_cli("-d", str(store.path), "compare", "g1", "g2", "--color", "never").out
    assert "+1" in out
    assert "mean" not in out


def test_of_commands_the_arguments_that_differ_are_told_whole(store, compare):
    long = "data=/very/long/path/to/some/shared/disk/that/everybody/uses"
    for seed in (1, 2, 3):
        words = ["python", "train.py", long, "--lr", "0.01", "--seed", str(seed), "--name", "with a blank"]
        store.run("run-%d" % seed, metrics={"loss": [1.0]}, fields={"command": words + ["--fast"] * (seed == 3)})
    lines = compare("run-1", "run-2", "run-3").lines
    place = next(place for place, line in enumerate(lines) if line.startswith(" command"))
    assert lines[place].split() == ["command", "--seed", "1", "--seed", "2", "--seed", "3"]
    assert lines[place + 1].split() == ["–", "–", "--fast"]


def test_with_all_a_sign_tells_which_rows_differ(store, compare):
    for number in (1, 2):
        store.run(
            "run-%d" % number, params={"lr": number, "model": "resnet"}, metrics={"loss": [1.0]},
            fields={"command": ["train.py", "--lr", str(number)], "host": "one"},
        )  # fmt: skip
    lines = compare("run-1", "run-2", "-a").lines
    assert any(re.match(" lr ≠ +1 +2$", line) for line in lines)
    assert any(re.match(" model +resnet +resnet$", line) for line in lines)
    assert any(line.startswith(" command ≠") for line in lines)
    assert any(re.match(" host +one", line) for line in lines)
    assert "≠ differs" in lines[-1]
    assert "≠" not in compare("run-1", "run-2").out


@pytest.mark.parametrize(
    ("commands", "differing"),
    [
        (["t --lr 0.1 --seed 1", "t --seed 2 --lr 0.1"], [["--seed 1", "--seed 2"]]),
        (["t --lr=0.1", "t --lr=0.2"], [["--lr=0.1", "--lr=0.2"]]),
        (["a.py x", "b.py x y"], [["a.py", "b.py"], [None, "y"]]),
        (["t --x -1 --y", "t --x -2 --y"], [["--x -1", "--x -2"]]),
        (["t -v -v", "t -v"], [["-v", None]]),
        (["t --a --b", "t --b --a"], []),
        (["t", "t"], []),
    ],
)
def test_arguments_are_paired_by_their_option(commands, differing):
    assert list_differing([command.split(" ") for command in commands]) == differing
