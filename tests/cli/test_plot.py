"""``plot`` draws what was asked for, says which curve is which, and fits every terminal."""

import json
import re

import pytest
from measured import widest

RUNS = ("warm-hare", "lucid-lynx", "shy-swift", "bold-crane")
SCREENS = {
    "plot": ("plot", "val.loss", *RUNS, "--log", "--smooth", "0.6"),
    "plot-best": ("plot", "val.acc", "-z"),
    "plot-groups": ("plot", "val.loss", "-g", "-f", "lr < 0.05"),
    "plot-metrics": ("plot", "val.*,train.loss", "shy-swift", "-H", "8"),
    "plot-time": ("plot", "train.loss", "-x", "time", "-H", "8", "warm-hare", "shy-swift"),
    "plot-metric": ("plot", "val.acc", "-x", "val.loss", "-H", "8", "shy-swift"),
    "tail": ("tail", "warm-hare", "-n", "3"),
}


@pytest.fixture
def plot(store, run_cli):
    """Return a function that draws on a terminal of 80 columns without colours."""

    def run(*arguments, columns=80, code=0):
        result = run_cli("-d", str(store.path), "--color", "never", "plot", *arguments, columns=columns)
        assert result.code == code, result
        return result

    return run


def test_of_runs_that_are_equal_the_newest_are_drawn(store, plot):
    for number in range(4):
        store.run("run-%d" % number, metrics={"acc": [0.5, 0.9]}, ago_s=500 - number)
    shown = plot("acc", "-n", "2").out
    assert [number for number in range(4) if "run-%d" % number in shown] == [2, 3]


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_charts_look_as_they_should_at_every_width(sweep, run_cli, check_screen, columns):
    for name, arguments in SCREENS.items():
        result = run_cli(*arguments, "--color", "never", columns=columns)
        assert (result.code, result.err) == (0, "")
        assert widest(result.lines) <= columns
        assert "\x1b" not in result.out
        check_screen("%s-%d" % (name, columns), result.out)


def test_with_colours_each_curve_has_its_own_and_so_has_its_letter(sweep, run_cli, check_screen):
    for name, arguments in SCREENS.items():
        check_screen("%s-80-colour" % name, run_cli(*arguments, columns=80).out.replace("\x1b", "␛"))
    shown = run_cli(*SCREENS["plot"], columns=80).out
    for letter, colour in zip("abcd", (36, 33, 35, 32)):
        assert len(re.findall("\x1b\\[%dm[^\x1b]*%s" % (colour, letter), shown)) >= 2


def test_in_ascii_letters_are_the_curves(sweep, run_cli, check_screen):
    for name, arguments in SCREENS.items():
        result = run_cli(*arguments, "--ascii", "--color", "never", columns=80)
        assert result.out.isascii()
        assert widest(result.lines) <= 80
        check_screen("%s-80-ascii" % name, result.out)


def test_in_a_pipe_a_chart_is_the_same_text_100_columns_wide(sweep, run_cli):
    piped = run_cli(*SCREENS["plot"])
    assert "\x1b" not in piped.out
    assert 90 <= widest(piped.lines) <= 100
    assert piped.out == run_cli(*SCREENS["plot"], "--color", "never", columns=100).out


def test_without_runs_the_six_best_are_drawn_best_first(sweep, run_cli):
    lines = run_cli("plot", "val.acc", columns=120).out
    names = re.findall(r"m[a-f]\x1b\[0m  \x1b\[\d+m.\x1b\[0m  (\S+)", lines)
    listed = run_cli("ls", "cifar10-sweep", "-b", "val.acc", "-n", "6", "-c", "name", "--tsv").lines[1:]
    assert names == listed


def test_more_or_fewer_of_the_best_and_those_that_fit_a_filter(sweep, run_cli):
    assert "· 2 runs" in run_cli("plot", "val.acc", "-n", "2", columns=120).lines[0]
    assert "· 3 runs" in run_cli("plot", "val.acc", "-f", "lr = 0.1 and aug = none", columns=120).out.splitlines()[0]


def test_the_table_tells_where_the_best_was_and_that_the_last_is_no_number(store, plot):
    store.run("a", params={"lr": 0.1}, metrics={"loss": [3.0, 1.0, 2.0]})
    store.run("b", params={"lr": 0.2}, metrics={"loss": [2.5, 1.5, float("nan")]})
    lines = plot("loss").lines
    assert lines[-3:] == [
        "       name  lr    last  best ↓  at step",
        " a  ✓  a     0.1  2.000   1.000        1",
        " b  ✓  b     0.2    NaN   1.500        1",
    ]
    assert sum(line.count("×") for line in lines) == 1


def test_a_metric_whose_name_tells_no_goal_has_no_best_but_one_that_is_said(store, plot):
    store.run("a", metrics={"speed": [3.0, 1.0, 2.0]})
    assert "best" not in plot("speed").out
    assert "best ↑" in plot("speed:max").out
    assert plot("speed:min").lines[-1].split()[-2:] == ["1", "1"]


def test_a_run_without_the_metric_is_named_below(store, plot):
    store.run("a", metrics={"loss": [3.0, 1.0, 2.0]})
    store.run("b", metrics={"acc": [0.1]})
    lines = plot("loss", "a", "b").lines
    assert lines[0] == "loss · Default · 1 run"
    assert lines[-1] == " no loss  b"


def test_a_logarithmic_chart_without_a_value_above_zero_says_so(store, plot):
    store.run("a", metrics={"gain": [-3.0, -1.0, 0.0]})
    assert " no value is above 0: without --log there is a chart" in plot("gain", "--log").lines
    store.run("b", metrics={"gain": [float("nan")]})
    assert " no value is a number" in plot("gain", "b").lines


def test_runs_of_several_experiments_are_drawn_where_they_are_named(store, plot):
    first, second = store.experiment("first"), store.experiment("second")
    store.run("a", first, metrics={"loss": [3.0, 1.0]})
    store.run("b", second, metrics={"loss": [2.0, 1.0]})
    assert plot("loss", "a", "b").lines[0] == "loss · 2 experiments · 2 runs"
    assert "-e 'first'" in plot("loss", code=4).err
    assert plot("loss", "-e", "second").lines[0] == "loss · second · 1 run"


def test_by_time_each_run_counts_from_its_own_start(store, plot):
    store.run("a", metrics={"loss": [3.0, 2.0, 1.0]}, ago_s=90000, took_s=7200)
    store.run("b", metrics={"loss": [2.0, 1.0]}, ago_s=9000, took_s=3600)
    lines = plot("loss", "-x", "time").lines
    axis = next(line for line in lines if line.endswith("time"))
    assert axis.split() == ["30m", "1h", "1h30m", "time"]


def test_against_another_metric_steps_are_matched(store, run_cli):
    store.run("a", metrics={"loss": [3.0, 2.0, 1.0], "epoch": [0, 0.5, 1]})
    document = json.loads(run_cli("-d", str(store.path), "plot", "loss", "-x", "epoch", "--json").out)
    assert document["runs"][0]["x_values"] == [0, 0.5, 1]
    assert document["runs"][0]["values"] == [3.0, 2.0, 1.0]


def test_json_has_every_value_whole(store, run_cli):
    run_id = store.run("a", metrics={"loss": [3.0, float("nan"), 1.0]}, ago_s=100, took_s=30)
    document = json.loads(run_cli("-d", str(store.path), "plot", "loss", "--smooth", "0.9", "--json").out)
    assert (document["schema"], document["metric"], document["x"]) == ("mini-mlflow/plot/1", "loss", "step")
    (run,) = document["runs"]
    assert (run["run_id"], run["steps"], run["values"]) == (run_id, [0, 1, 2], [3.0, "NaN", 1.0])


def test_groups_have_a_mean_for_each_step(store, run_cli):
    for seed in (1, 2):
        store.run("r%d" % seed, params={"lr": 0.1, "seed": seed}, metrics={"loss": [3.0 + seed, 1.0 + seed]})
    store.run("other", params={"lr": 0.2, "seed": 1}, metrics={"loss": [9.0, 8.0]})
    document = json.loads(run_cli("-d", str(store.path), "plot", "loss", "-g", "--json").out)
    assert document["over"] == ["seed"]
    first, second = document["groups"]
    assert (first["params"], first["mean"], first["min"], first["max"], first["count"]) == (
        {"lr": 0.1}, [4.5, 2.5], [4.0, 2.0], [5.0, 3.0], [2, 2],
    )  # fmt: skip
    assert (second["params"], second["mean"]) == ({"lr": 0.2}, [9.0, 8.0])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("los",), 3, "near:  loss"),
        (("loss", "nobody"), 3, "no run 'nobody'"),
        (("acc", "a"), 3, "no metric 'acc' in this run"),
        (("loss", "a", "-x", "acc"), 3, "no metric 'acc' in this run"),
        (("loss", "--smooth", "1"), 2, "from 0, which changes nothing, to below 1"),
        (("loss", "-H", "2"), 2, "no height"),
        (("loss", "-g", "lr", "-x", "time"), 2, "does not go with"),
        (("loss", "-f", "lr >"), 2, "cannot read"),
        (("loss", "-f", "lr > 5"), 3, "no run that fits the filter"),
        ((), 2, "METRIC"),
    ],
)
def test_what_cannot_be_drawn_is_said_with_its_exit_code(store, plot, arguments, code, said):
    store.run("a", params={"lr": 0.1}, metrics={"loss": [3.0, 1.0]})
    result = plot(*arguments, code=code)
    assert said in result.err
    assert result.out == ""


def test_groups_of_unfinished_runs_say_what_to_do(store, plot):
    store.run("a", params={"seed": 1}, metrics={"loss": [3.0, 1.0]}, status="FAILED")
    assert "without -g" in plot("loss", "-g", code=3).err


def test_f01_names_keys_and_params_do_not_steer_the_terminal(store, plot):
    evil = "x\x1b[2J\x9b\u202e"
    store.run(evil, params={evil: evil}, metrics={evil: [1.0, 2.0], "loss": [1.0, 2.0]})
    store.run("b", params={evil: 1}, metrics={evil: [1.0, 2.0], "loss": [1.0, 2.0]})
    shown = plot(evil).out + plot("loss", "-x", evil).out
    assert not set(shown) & set("\x1b\x9b\u202e")
    assert "\\x1b[2J" in shown


def test_f06_a_terminal_of_20_columns_is_enough(store, plot):
    store.run("a-long-name-of-a-run", params={"lr": 0.1}, metrics={"loss": [3.0, 1.0, 2.0]})
    assert widest(plot("loss", columns=20).lines) <= 20


def test_fifty_two_runs_have_letters_and_more_are_counted(store, plot):
    for number in range(54):
        store.run("r%d" % number, metrics={"loss": [float(number), number / 2]})
    lines = plot("loss", "-n", "60", columns=120).lines
    assert any("54 runs" not in line and "not drawn" in line and "2 runs" in line for line in lines)
    assert sum(bool(re.match(r" [a-zA-Z]  ✓  r\d+", line)) for line in lines) == 52


def test_a_long_history_is_thinned_out_and_its_steps_are_marked(store, plot):
    store.run("long", metrics={"loss": [1000 / (step + 1) for step in range(20000)]})
    lines = plot("loss", "--log").lines
    assert any("10,000" in line for line in lines)


def test_rows_of_the_last_ls_and_its_groups_are_drawn_wherever_the_option_stands(sweep, run_cli):
    run_cli("ls", "cifar10-sweep", "-g", columns=80)
    run_cli("ls", "cifar10-sweep", columns=80)
    assert "· 7 runs" in run_cli("plot", "val.acc", "g1", "1", "3-5", "--color", "never", columns=80).lines[0]
    for words in (("g1", "g2", "-g"), ("-g", "g1", "g2")):
        title = run_cli("plot", "val.acc", *words, "--color", "never", columns=80).lines[0]
        assert title == "val.acc · cifar10-sweep · 6 runs in 2 groups · over seed"


def test_the_ends_of_the_axes_can_be_named(store, plot):
    store.run("a", metrics={"loss": [2.0 / (step + 1) for step in range(100)]})
    lines = plot("loss", "--ylim", "0:0.5", "--xlim", "10:").lines
    assert lines[0] == "loss, y 0:0.5, x 10: · Default · 1 run"
    marks = [float(line.split()[0]) for line in lines if "┤" in line]
    assert (min(marks), max(marks)) == (0.0, 0.5)
    assert next(line for line in lines if line.endswith("step")).split()[0] == "20"
    timed = plot("loss", "-x", "time", "--xlim", "1m:2m").lines
    assert next(line for line in timed if line.endswith("time")).split()[0] == "1m"
    assert " no value lies there: without --xlim and --ylim there is a chart" in plot("loss", "--ylim", "7:9").lines


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--ylim", "0.5"), "is no LO:HI, such as 0.2:0.5"),
        (("--ylim", ":"), "is no LO:HI"),
        (("--ylim", "nan:1"), "is no LO:HI"),
        (("--ylim", "1:0"), "the lower end comes first"),
        (("--ylim", "0:1", "--log"), "does not go with --log"),
        (("--xlim", "1m:2m"), "is no LO:HI"),
        (("--xlim", "x:2m", "-x", "time"), "10m:2h"),
    ],
)
def test_ends_that_cannot_be_are_an_error_that_tells_why(store, plot, words, said):
    store.run("a", metrics={"loss": [2.0, 1.0]})
    assert said in plot("loss", *words, code=2).err


def test_a_negative_lower_end_is_no_option(store, plot):
    store.run("a", metrics={"gain": [-3.0, 1.0]})
    assert plot("gain", "--ylim", "-1:1").lines[0] == "gain, y -1:1 · Default · 1 run"


def test_zooming_says_which_run_it_leaves_out(store, plot):
    for place in range(5):
        store.run("run-%d" % place, metrics={"loss": [1.0 / (step + 1) + place / 50 for step in range(40)]})
    store.run("far", metrics={"loss": [3.0 + step / 100 for step in range(40)]})
    lines = plot("loss", "-z").lines
    assert lines[-1] == " beyond  f goes to 3.390 · without -z all is drawn"
    assert max(float(line.split()[0]) for line in lines if "┤" in line) < 1
    assert "beyond" not in plot("loss").out


def test_the_help_does_not_call_two_curves_one_against_the_other(run_cli):
    said = run_cli("plot", "-h").out
    assert "one against the other" not in said
    assert "--ylim LO:HI" in said
