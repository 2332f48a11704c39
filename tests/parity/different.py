"""Where users of 0.1.0 see something else, each for a reason that docs/decisions/0003 gives under the same title."""

import datetime as dt
import math
import os
import subprocess
import sys
import time

from scenario import call, scenario, seen

from mini_mlflow import ExperimentTracker, Run, active_run, end_run, start_run
from mini_mlflow.storage import list_runs, load_run, save_metadata, save_param


@scenario
def ending_through_the_run():
    run = start_run()
    run.end()
    return [active_run() is None, call(end_run)]


@scenario
def ending_the_run_within_a_tracker_block():
    def block():
        with ExperimentTracker() as run:
            run.end()

    return call(block)


@scenario
def an_exception_in_the_block_of_a_tracker():
    def block():
        with ExperimentTracker(run_name="a"):
            raise KeyError("boom")

    return [call(block), load_run(list_runs()[0])["metadata"]["status"]]


@scenario
def leaving_a_block_by_ctrl_c():
    def block():
        with Run(run_id="r"):
            raise KeyboardInterrupt

    return [call(block), seen("r")["metadata"]["status"]]


@scenario
def leaving_a_block_by_sys_exit():
    def block():
        with Run(run_id="r"):
            sys.exit(0)

    return [call(block), seen("r")["metadata"]["status"]]


@scenario
def the_end_of_the_process():
    subprocess.run([sys.executable, "-c", "from mini_mlflow import Run; run = Run(run_id='r')"], check=True)
    return seen("r")["metadata"]["status"]


@scenario
def a_process_that_dies():
    code = "import os; from mini_mlflow import Run; run = Run(run_id='r'); os._exit(1)"
    subprocess.run([sys.executable, "-c", code], check=False)
    return seen("r")["metadata"]["status"]


@scenario
def a_run_that_exists():
    with Run(run_id="r", name="a") as run:
        run.log_metric("loss", 1)
    again = Run(run_id="r")
    return [again.start_time == run.start_time, again.name]


@scenario
def a_run_that_is_open_twice():
    Run(run_id="r")
    first, second = Run(run_id="q"), Run(run_id="q")
    second.end()
    return [first.status, second.status, seen("q")["metadata"]["status"]]


@scenario
def a_copy_of_a_run_that_ends():
    import copy

    run = Run(run_id="r")
    copy.deepcopy(run).end()
    return seen("r")["metadata"]["status"]


@scenario
def a_run_of_another_experiment():
    Run(run_id="r", experiment_id=5).end()
    return Run(run_id="r").experiment_id


@scenario
def metric_values_that_are_no_numbers():
    run = Run(run_id="r")
    return [call(run.log_metric, "m", value) for value in ("0.5", None, [1, 2], {"a": 1})]


@scenario
def numbers_of_other_libraries():
    from decimal import Decimal

    return call(Run(run_id="r").log_metric, "m", Decimal("0.5"))


@scenario
def truths_as_metric_values():
    Run(run_id="r").log_metric("m", True)
    return type(load_run("r")["metrics"]["m"]).__name__


@scenario
def nan_within_a_list():
    Run(run_id="r").log_param("p", [1.0, float("nan")])
    return isinstance(load_run("r")["params"]["p"][1], float) and math.isnan(load_run("r")["params"]["p"][1])


@scenario
def paths_and_enums_as_params():
    import pathlib

    return call(Run(run_id="r").log_param, "p", pathlib.Path("data"))


@scenario
def values_that_json_has_not():
    run = Run(run_id="r")
    return [call(run.log_param, "p", value) for value in (object(), {1, 2}, b"x", 1j, {"a": object()}, {(1, 2): 3})]


@scenario
def keys_that_are_no_file_names():
    run = Run(run_id="r")
    return [call(run.log_param, key, 1) for key in ("a\nb", "x" * 300, "\x7f", 5, None)]


@scenario
def ids_that_are_no_folder_names():
    return [call(Run, run_id=each) for each in ("a b", "a/b", "", "r:1")] + [call(Run, experiment_id=-1)]


@scenario
def ids_that_were_never_legal():
    return [call(load_run, each) for each in ("../x", "")]


@scenario
def experiments_numbered_by_text():
    return [Run(run_id="r", experiment_id="5").experiment_id, load_run("r", "5")["metadata"]["experiment_id"]]


@scenario
def names_that_are_lists():
    return call(Run, name=["a"])


@scenario
def the_keys_of_a_loaded_run():
    Run(run_id="r").end()
    data = load_run("r")
    return [sorted(data), sorted(data["metadata"])]


@scenario
def the_order_of_runs():
    first, second = Run(run_id="a"), Run(run_id="b")
    second.end()
    time.sleep(0.02)
    first.end()
    return list_runs()


@scenario
def metadata_saved_twice():
    save_metadata("r", 0, {"name": "a", "note": "x"})
    save_metadata("r", 0, {"name": "b"})
    return "note" in load_run("r")["metadata"]


@scenario
def metadata_that_json_has_not():
    save_metadata("r", 0, {"when": dt.date(2024, 1, 2)})
    return repr(load_run("r")["metadata"]["when"])


@scenario
def the_fourth_argument_of_a_run():
    run = Run("r", 0, "a", "there")
    return [run.version, os.fspath(run.runs_dir), os.path.isdir("there")]


@scenario
def another_current_folder():
    run = Run(run_id="r")
    os.mkdir("sub")
    os.chdir("sub")
    run.log_param("lr", 1)
    return os.path.exists("mlruns")


@scenario
def a_run_folder_that_is_removed():
    import shutil
    import warnings

    run = Run(run_id="r")
    shutil.rmtree("mlruns")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run.log_param("lr", 1)
    return os.path.exists("mlruns")


@scenario
def a_broken_file():
    import warnings

    save_param("r", 0, "good", 1)
    save_param("r", 0, "bad", 1)
    with open(os.path.join("mlruns", "0", "r", "params", "bad.json"), "w") as file:
        file.write("{")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(lambda: load_run("r")["params"])


@scenario
def an_unnamed_run_is_shown():
    return repr(Run(run_id="r"))


@scenario
def a_run_that_start_run_was_given_no_name_for():
    words = str(start_run().name).split("-")
    return len(words) == 3 and words[-1].isdigit()


@scenario
def the_form_of_files():
    import json

    Run(run_id="r").log_param("lr", 1)
    with open(os.path.join("mlruns", "0", "r", "params", "lr.json")) as file:
        return sorted(json.load(file))
