"""What runs in Mini MLflow's environment alone: where does its time go, and how fast is it read?

Parts are found by taking them out: the same loop with and without a part, in one process, alternating. That needs
names of the package's inside; where they have moved, a measurement says so and the others go on.
"""

import glob
import json
import os
import shutil
import sys
from time import perf_counter, time_ns

from probe import KEY, VALUES

# What is timed of the start and the end of a run: module, function (or class.method), in words. A part that is called
# within another counts for itself alone.
SPANS = [
    ("identity", "locate", "its id, and where it goes"),
    ("store.experiments", "ensure", "the experiment's folder and meta.yaml"),
    ("store.opening", "_try_open", "the rest of opening: folders"),
    ("store.owner", "claim_new", "owner.json, born locked"),
    ("store.meta", "encode", "meta.yaml as text"),
    ("store.documents", "create_open", "creating files (temporary name, link, unlink)"),
    ("store.documents", "replace", "replacing meta.yaml (temporary name, rename)"),
    ("store.documents", "sync", "opening what is synced"),
    ("store.documents", "sync_descriptor", "fsync"),
    ("store.writer", "RunWriter._verify", "the last look at each file"),
    ("store.writer", "RunWriter._let_go", "closing and unlocking"),
]


def one_value(tracker, folder, count, blocks):
    """Return where the time of one ``log_metric`` goes, in µs, from blocks of *count* values that alternate."""
    import mini_mlflow
    from mini_mlflow.store import appender as module

    run = mini_mlflow.start_run(runs_dir=os.path.join(folder, "mlruns"))
    run.log_metric(KEY, 0.5, 0)
    appender = run._appenders[KEY]
    descriptor = os.open(os.path.join(folder, "bare.txt"), os.O_CREAT | os.O_RDWR)
    row = b",\n[100000, 1795425503417, 0.0123456789012345]\n" + b'], "step": 100000, "timestamp": 1, "value": 0.01}\n'
    pwrite, clock, lock = module.pwrite, module.time_ns, appender._lock

    def loop(call):
        steps[0] += 1
        first = steps[0] * count
        before = perf_counter()
        for step in range(first, first + count):
            call(KEY, VALUES[step % 1024], step)
        return (perf_counter() - before) / count * 1e6

    def bare(key, value, step):
        os.write(descriptor, f"[{step}, {time_ns() // 1000000}, {value}]\n".encode())

    def text(key, value, step):
        number, at, when = repr(value), f"{step}", f"{1795425503417}"
        f',\n[{at}, {when}, {number}]\n], "step": {at}, "timestamp": {when}, "value": {number}}}\n'.encode()

    def locked(key, value, step):
        lock.acquire()
        lock.release()

    def without(names):
        now = time_ns()
        stubs = {"pwrite": lambda descriptor, data, at: len(data), "time_ns": lambda: now}
        for name in names:
            setattr(module, name, stubs[name])
        try:
            return loop(append)
        finally:
            module.pwrite, module.time_ns = pwrite, clock
            appender.position = module.UNKNOWN  # nothing was written: the file tells where its end is
            run.log_metric(KEY, 0.5, steps[0] * count + count)

    def append(key, value, step):
        appender.append(value, step)

    steps = [0]
    ways = {
        "nothing": lambda: loop(lambda key, value, step: None),
        "bare": lambda: loop(bare),
        "function": lambda: loop(mini_mlflow.log_metric),
        "method": lambda: loop(run.log_metric),
        "append": lambda: loop(append),
        "append_without_write": lambda: without(["pwrite"]),
        "append_without_write_and_clock": lambda: without(["pwrite", "time_ns"]),
        "write_alone": lambda: loop(lambda key, value, step: os.pwrite(descriptor, row, 0)),
        "clock_alone": lambda: loop(lambda key, value, step: time_ns() // 1000000),
        "text_alone": lambda: loop(text),
        "lock_alone": lambda: loop(locked),
        "log_metrics_of_ten": lambda: _ten(run, count, steps),
    }
    costs = {name: [] for name in ways}
    for _ in range(blocks):
        for name, way in ways.items():
            costs[name].append(way())
    os.close(descriptor)
    mini_mlflow.end_run()
    return {"costs": costs, "python": sys.version.split()[0]}


def _ten(run, count, steps):
    metrics = {"metric_%d" % number: VALUES[number] for number in range(10)}
    first = steps[0] = steps[0] + 1
    before = perf_counter()
    for step in range(first * count, first * count + count // 10):
        run.log_metrics(metrics, step)
    return (perf_counter() - before) / (count // 10 * 10) * 1e6


def one_run(tracker, folder, runs):
    """Return what ``start_run``, a first value and ``end_run`` spend, part by part, in µs."""
    import importlib

    import mini_mlflow

    runs_dir = os.path.join(folder, "mlruns")
    with mini_mlflow.Run(runs_dir=runs_dir) as run:  # imports what comes late, makes the experiment
        run.log_metric(KEY, 0.5)
    whole = {"start": [], "first_value": [], "end": []}
    for _ in range(runs):
        times = [perf_counter()]
        run = mini_mlflow.start_run(runs_dir=runs_dir)
        times.append(perf_counter())
        run.log_metric(KEY, 0.5)
        times.append(perf_counter())
        run.end()
        times.append(perf_counter())
        for name, before, after in zip(whole, times, times[1:]):
            whole[name].append((after - before) * 1e6)
    parts, missing, open_spans = {}, [], []
    for module, name, words in SPANS:
        try:
            holder = importlib.import_module("mini_mlflow." + module)
            *owners, attribute = name.split(".")
            for owner in owners:
                holder = getattr(holder, owner)
            setattr(holder, attribute, _timed(getattr(holder, attribute), words, parts, open_spans))
        except (ImportError, AttributeError):
            missing.append(module + "." + name)
    for _ in range(runs):
        run = mini_mlflow.start_run(runs_dir=runs_dir)
        run.log_metric(KEY, 0.5)
        run.end()
    return {
        "whole": whole,
        "parts": {words: [spent / runs * 1e6, calls / runs] for words, (spent, calls) in parts.items()},
        "missing": missing,
    }


def _timed(function, words, parts, open_spans):
    parts[words] = [0.0, 0]

    def timed(*arguments, **named):
        open_spans.append(0.0)
        before = perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            spent = perf_counter() - before
            parts[words][0] += spent - open_spans.pop()
            parts[words][1] += 1
            if open_spans:
                open_spans[-1] += spent

    return timed


def memory(tracker, folder, few, many):
    """Return the bytes of Python's memory that a metric costs beyond those whose files are open."""
    import tracemalloc

    import mini_mlflow

    run = mini_mlflow.start_run(runs_dir=os.path.join(folder, "mlruns"))
    held = []
    tracemalloc.start()
    for number in range(many):
        if number in (0, few):
            held.append(tracemalloc.get_traced_memory()[0])
        run.log_metric("metric_%06d" % number, 0.5, 0)
    held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    run.end()
    return {"bytes_within": (held[1] - held[0]) / few, "bytes_beyond": (held[2] - held[1]) / (many - few)}


def read_latest(tracker, folder, runs, metrics):
    """Read the latest values of many runs, and, to compare, load each of those files by ``json.loads``."""
    import mini_mlflow

    runs_dir = os.path.join(folder, "mlruns")
    with mini_mlflow.Run(runs_dir=runs_dir, run_id="template") as run:
        for number in range(metrics):
            for step in range(100):
                run.log_metric("metric_%d" % number, VALUES[step], step)
        for number in range(8):
            run.log_param("setting_%d" % number, number)
    home = os.path.join(runs_dir, "0")
    for number in range(runs - 1):
        shutil.copytree(os.path.join(home, "template"), os.path.join(home, "run_%06d" % number))
    store = mini_mlflow.ExperimentTracker(runs_dir=runs_dir)
    costs = {"list_runs": [], "get_run": [], "json_loads": []}
    for _ in range(3):
        before = perf_counter()
        ids = store.list_runs()
        costs["list_runs"].append(perf_counter() - before)
        before = perf_counter()
        for run_id in ids:
            if len(store.get_run(run_id)["metrics"]) != metrics:
                raise AssertionError("a run reads wrong")
        costs["get_run"].append(perf_counter() - before)
        before = perf_counter()
        for run_id in ids:
            for path in glob.glob(os.path.join(home, run_id, "*", "*.json")):
                with open(path, "rb") as file:
                    json.loads(file.read())
        costs["json_loads"].append(perf_counter() - before)
    return {"costs": costs, "runs": runs, "metrics": metrics}


def read_history(tracker, folder, points):
    """Read one metric's long history, into rows, arrays and a curve, and, to compare, its file by ``json.loads``."""
    import mini_mlflow
    from mini_mlflow.store import columns as module

    runs_dir = os.path.join(folder, "mlruns")
    run = mini_mlflow.start_run(runs_dir=runs_dir)
    for step in range(points):
        run.log_metric(KEY, VALUES[step % 1024], step)
    run.end()
    (path,) = glob.glob(os.path.join(runs_dir, "*", run.run_id, "metrics", "*.json"))
    costs = {"history": [], "columns": [], "json_loads": [], "latest": []}
    for _ in range(3):
        before = perf_counter()
        rows = run.history(KEY)
        costs["history"].append(perf_counter() - before)
        before = perf_counter()
        with open(path, "rb") as file:
            document = json.loads(file.read())
        costs["json_loads"].append(perf_counter() - before)
        if [list(rows[0]), list(rows[-1]), len(rows)] != [document["history"][0], document["history"][-1], points]:
            raise AssertionError("the history reads wrong")
        before = perf_counter()
        columns = module.read_columns(os.path.dirname(os.path.dirname(path)), KEY, [])
        costs["columns"].append(perf_counter() - before)
        if [[column[0] for column in columns], [column[-1] for column in columns]] != [list(rows[0]), list(rows[-1])]:
            raise AssertionError("the columns read wrong")
        del rows, document, columns
        before = perf_counter()
        mini_mlflow.ExperimentTracker(runs_dir=runs_dir).get_run(run.run_id)
        costs["latest"].append(perf_counter() - before)
    costs["curve"] = _draw_again(runs_dir, run.run_id, points)
    return {"costs": costs, "points": points, "bytes": os.path.getsize(path)}


def _draw_again(runs_dir, run_id, points):
    """Time what the page's server does for a curve 1,000 pixels wide of a history that it has read before."""
    from mini_mlflow.ui.api import histories, packing, requests, series
    from mini_mlflow.ui.api.stores import Stores

    stores, kept, costs = Stores([runs_dir]), histories.Histories(), []
    for number in range(4):  # another width each time: an answer that was given is kept
        body = requests.Body({"runs": ["0/0/%s" % run_id], "metrics": [KEY], "width": 1000 + number})
        before = perf_counter()
        answer = series.read_series(stores, kept, body, 0)
        costs.append(perf_counter() - before)
    (told,) = packing.unpack(answer)[0]["series"]
    if told["rows"] != points:
        raise AssertionError("the curve has %r rows" % told["rows"])
    return costs[1:]
