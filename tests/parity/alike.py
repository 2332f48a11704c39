"""Where users of 0.1.0 see the same as before."""

import copy
import json
import math
import os
import pickle
import threading
import time

from scenario import call, fields, scenario, seen

from mini_mlflow import ExperimentTracker, Run, active_run, end_run, log_metric, log_param, start_run
from mini_mlflow.storage import list_runs, load_run, save_metadata, save_metric, save_param
from mini_mlflow.tracker import _set_active_run

# A run's life ----------------------------------------------------------------------------------------------------


@scenario
def the_functions():
    run = start_run(run_name="a", run_id="r")
    same = active_run() is run
    log_param("lr", 0.01)
    log_metric("loss", 0.5)
    end_run()
    return [same, active_run(), fields(run), seen("r")]


@scenario
def the_context_manager():
    tracker = ExperimentTracker(run_name="a", experiment_id=3)
    with tracker as run:
        status = run.status
        run.log_param("lr", 0.01)
    return [status, run.status, run.name, run.experiment_id, len(tracker.list_runs()), tracker.active_run()]


@scenario
def a_tracker_in_a_loop():
    tracker = ExperimentTracker()
    for value in range(3):
        with tracker as run:
            run.log_metric("value", value)
    return sorted(tracker.get_run(run_id)["metrics"]["value"] for run_id in tracker.list_runs())


@scenario
def a_run_of_its_own():
    run = Run("r", 7, "a", "v1", "elsewhere")
    run.log_metric("loss", 1)
    before = fields(run)
    run.end("FAILED")
    return [before, run.status, seen("r", 7, "elsewhere"), active_run()]


@scenario
def defaults_of_a_run():
    run = Run()
    return [len(run.run_id), run.experiment_id, run.name, run.version, run.runs_dir, run.end_time, run.status]


@scenario
def defaults_of_a_tracker():
    tracker = ExperimentTracker()
    return [tracker.run_name, tracker.experiment_id, tracker.runs_dir]


@scenario
def times_are_utc_texts():
    run = Run(run_id="r")
    run.end()
    metadata = load_run("r")["metadata"]
    texts = [run.start_time, run.end_time, metadata["start_time"], metadata["end_time"]]
    return [[len(text) >= 20, text[10], text[-1]] for text in texts] + [texts[:2] == texts[2:], texts[0] <= texts[1]]


@scenario
def a_run_as_context_manager():
    with Run(run_id="r") as run:
        pass
    return [run.status, seen("r")]


@scenario
def an_exception_in_the_block_of_a_run():
    def block():
        with Run(run_id="r"):
            raise KeyError("boom")

    return [call(block), seen("r")["metadata"]["status"]]


@scenario
def a_run_ended_within_its_block():
    with Run(run_id="r") as run:
        run.end("FAILED")
    return [run.status, seen("r")]


@scenario
def a_block_of_a_tracker_whose_run_is_ended_by_end_run():
    with ExperimentTracker() as run:
        end_run()
    return [run.status, active_run()]


@scenario
def versions():
    tracker = ExperimentTracker()
    for version in ("v1", "v2"):
        tracker.start_run("m", version=version).log_param("v", version)
        tracker.end_run()
    found = [tracker.get_run_by_version("m", "v1"), tracker.get_run_by_version("m", "v2")]
    missing = [tracker.get_run_by_version("m", "v3"), tracker.get_latest_version("n")]
    return [[run["params"] for run in found], missing, tracker.get_run_by_version("m", "v1", experiment_id=9)]


@scenario
def the_latest_version():
    tracker = ExperimentTracker()
    for version in ("v1", "v2"):
        tracker.start_run("m", None, None, version)
        tracker.end_run()
        time.sleep(0.02)  # 0.1.0 goes by the times of files
    return tracker.get_latest_version("m")["metadata"]["version"]


@scenario
def runs_are_listed_newest_first():
    for run_id in ("b", "a", "c"):
        Run(run_id=run_id).end()
        time.sleep(0.02)
    return list_runs()


@scenario
def names_and_versions_that_are_no_text():
    Run(run_id="r", name=5, version=1.5).end()
    return seen("r")


@scenario
def experiments_named_by_text():
    Run(run_id="r", experiment_id="vision").end()
    return [seen("r", "vision"), list_runs("vision"), os.path.isdir("mlruns/vision/r")]


@scenario
def another_tracker_reads():
    with ExperimentTracker(runs_dir="there", experiment_id=2) as run:
        run.log_param("lr", 1)
    tracker = ExperimentTracker(runs_dir="there")
    return [
        tracker.list_runs(),
        tracker.list_runs(experiment_id=2) == [run.run_id],
        tracker.get_run(run.run_id, experiment_id=2)["params"],
    ]


@scenario
def a_run_while_it_runs():
    run = Run(run_id="r")
    run.log_metric("loss", 0.5)
    return seen("r")


@scenario
def threads_side_by_side():
    results = {}

    def work(number):
        before = active_run()
        start_run(run_id="t%d" % number)
        log_param("number", number)
        results[number] = [before, active_run().run_id]
        end_run()

    outer = start_run(run_id="outer")
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [sorted(results.items()), active_run() is outer, sorted(list_runs()), seen("t2")["params"]]


@scenario
def a_run_in_another_thread():
    run = start_run("a", run_id="r")
    thread = threading.Thread(target=run.log_param, args=("lr", 1))
    thread.start()
    thread.join()
    return seen("r")


@scenario
def clearing_the_active_run():
    run = start_run(run_id="r")
    _set_active_run(None)
    cleared = active_run()
    _set_active_run(run)
    return [cleared, active_run() is run]


@scenario
def a_pickled_run_logs():
    run = pickle.loads(pickle.dumps(start_run("a", run_id="r")))
    run.log_param("lr", 1)
    return [fields(run), seen("r")]


@scenario
def a_copied_run_logs():
    run = copy.deepcopy(start_run("a", run_id="r"))
    run.log_metric("loss", 0.5)
    return [fields(run), seen("r")]


@scenario
def how_a_run_is_shown():
    return repr(Run(run_id="r", name="a"))


# Values ----------------------------------------------------------------------------------------------------------


@scenario
def values_of_params():
    values = [0, -1, 2**70, 1.5, 1e300, True, None, "", "ä\n\"'", "\U0001f600", [1, [2.5, None]], {"a": {"b": []}}]
    values += [(1, 2), {1: "a", None: 2, False: 3}, float("inf"), -float("inf"), "NaN", {"value": 1, "type": "float"}]
    run = Run(run_id="r")
    for number, value in enumerate(values):
        run.log_param("p%d" % number, value)
    return seen("r")["params"]


@scenario
def a_param_of_nan():
    Run(run_id="r").log_param("p", float("nan"))
    return math.isnan(load_run("r")["params"]["p"])


@scenario
def values_of_metrics():
    run = Run(run_id="r")
    for number, value in enumerate([0, -1, 1.5, 1e-300, 2**60, True, float("inf"), -0.0]):
        run.log_metric("m%d" % number, value)
    return seen("r")["metrics"]


@scenario
def a_metric_logged_again_shows_its_last_value():
    run = Run(run_id="r")
    for value in (3, 1, 2):
        run.log_metric("loss", value)
        run.log_param("p", value)
    return seen("r")


@scenario
def legal_keys():
    run = Run(run_id="r")
    keys = ["a", "A b", "ä", "val.acc", "50%", "x%2Fy", ".hidden", "a~0123456789abcdef", "x" * 240, "日本", "con"]
    keys += ["a.json", " x", "x ", "x.", "-rf", "a;b", "$HOME", "__proto__"]
    for key in keys:
        run.log_param(key, key)
        run.log_metric(key, 1)
    data = seen("r")
    return [data["params"] == {key: key for key in keys}, sorted(data["metrics"]) == sorted(keys)]


# Mistakes --------------------------------------------------------------------------------------------------------


@scenario
def calls_without_an_active_run():
    return [call(log_param, "a", 1), call(log_metric, "a", 1), call(end_run), call(ExperimentTracker().end_run)]


@scenario
def a_second_run():
    start_run()
    tracker = ExperimentTracker()
    return [call(start_run), call(tracker.start_run), call(tracker.__enter__), len(list_runs())]


@scenario
def illegal_keys():
    run = start_run("a", run_id="r")
    keys = ["", "a/b", "\\", ".", "..", *'<>:"|?*']
    calls = [call(each, key, 1) for key in keys for each in (run.log_param, run.log_metric, log_param, log_metric)]
    return [calls, [call(save_param, "r", 0, key, 1) for key in keys], seen("r")]


@scenario
def logging_to_an_ended_run():
    run = Run(run_id="r")
    run.end()
    return [call(run.log_param, "a", 1), call(run.log_metric, "a", 1), seen("r")]


@scenario
def ending_twice():
    run = Run(run_id="r")
    run.end("FAILED")
    return [call(run.end), call(run.end, "nonsense"), seen("r")]


@scenario
def an_unknown_status():
    run = Run(run_id="r")
    return [[call(run.end, status) for status in ("DONE", "finished", "RUNNING", None, "")], run.status]


@scenario
def reading_what_is_not_there():
    tracker = ExperimentTracker()
    missing = [call(tracker.get_run, "nope"), call(load_run, "nope", 3, runs_dir="x")]
    return [missing, tracker.list_runs(), list_runs(5, "x")]


# The storage functions -------------------------------------------------------------------------------------------


@scenario
def storage_functions():
    save_param("r", 0, "lr", 0.1)
    save_metric("r", 0, "loss", 0.5)
    unlisted, early = list_runs(), load_run("r")
    save_metadata("r", 0, {"name": "a", "status": "FINISHED", "end_time": "2024-01-02T03:04:05Z", "note": [1]})
    early.pop("tags", None)
    late = load_run("r")
    return [unlisted, early, list_runs(), seen("r"), late["metadata"]["note"], late["metadata"]["end_time"]]


@scenario
def storage_functions_elsewhere():
    save_param("r", 1, "lr", [1], runs_dir="x")
    save_metric("r", 1, "loss", 2, runs_dir="x")
    save_metadata("r", 1, {"name": "a", "status": "RUNNING"}, runs_dir="x")
    return [list_runs(1, runs_dir="x"), seen("r", 1, "x")]


@scenario
def storage_functions_on_an_open_run():
    run = Run(run_id="r", name="a")
    save_param("r", 0, "lr", 0.1)
    run.log_param("seed", 1)
    save_metric("r", 0, "loss", 1)
    run.log_metric("loss", 2)
    run.end()
    save_metric("r", 0, "after", 3)
    return seen("r")


@scenario
def files_are_where_they_were():
    with Run(run_id="r", experiment_id=4) as run:
        run.log_param("lr", 1)
        run.log_metric("loss", 1)
    values = []
    for name in ("params/lr.json", "metrics/loss.json"):
        with open(os.path.join("mlruns/4/r", name), encoding="utf-8") as file:
            values.append(json.load(file)["value"])
    return [os.path.isfile("mlruns/4/r/meta.yaml"), values]
