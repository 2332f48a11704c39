"""What is measured, in which order, how often? Repetitions of the peers alternate, so that noise falls on all alike."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import namedtuple

import children
import environments
import pages
from children import FailedError
from peers import OURS, PEERS, ROOT, environ

# How much is done: in full, and quickly, where only that it works matters.
Sizes = namedtuple(
    "Sizes",
    [
        "repetitions",
        "imports",
        "looks",  # at what has grown, and at what was searched
        "budget_s",
        "most",
        "script_steps",
        "killed_after",
        "kills",
        "history",
        "history_budget_s",
        "metrics",
        "runs",
        "runs_of_others",
        "fill_budget_s",
        "blocks",
        "block",
        "memory_beyond",
        "read_runs",
        "read_points",
        "slow_values",
        "slow_delays_us",
        "slow_metrics",
        "slow_budget_s",
        "searched",
        "searched_of_files",
        "pages",
        "swept",
        "swept_by_us",  # sweeps beyond what the others can hold
        "openings",
        "idle_s",
        "is_compiled",  # whether environments hold bytecode from the start
    ],
)
FULL = Sizes(
    repetitions=5, imports=5, looks=3, budget_s=0.5, most=20000, script_steps=1000, killed_after=[1, 1000], kills=2,
    history=1000000, history_budget_s=8, metrics=[1, 10, 100, 1000, 10000], runs=[1, 1000, 10000, 100000],
    runs_of_others=[1, 1000, 10000], fill_budget_s=60, blocks=15, block=5000, memory_beyond=[2000, 12000],
    read_runs=10000, read_points=1000000, slow_values=1000,
    slow_delays_us=[0, 1000, 10000], slow_metrics=100, slow_budget_s=20,
    searched=[1000, 20000, 100000], searched_of_files=[1000, 5000],
    pages=["ours", "mlflow-files", "mlflow-sqlite", "trackio"],
    swept=[[30, 5, 200], [50, 10, 10000]], swept_by_us=[[100000, 5, 20]], openings=3, idle_s=10, is_compiled=True,
)  # fmt: skip
QUICK = Sizes(
    repetitions=1, imports=1, looks=1, budget_s=0.05, most=1000, script_steps=20, killed_after=[1, 20], kills=1,
    history=2000, history_budget_s=1, metrics=[1, 10], runs=[1, 50], runs_of_others=[1, 20],
    fill_budget_s=2, blocks=3, block=200, memory_beyond=[1100, 1300], read_runs=20, read_points=2000, slow_values=10,
    slow_delays_us=[0, 1000], slow_metrics=3, slow_budget_s=1,
    searched=[20, 50], searched_of_files=[20],
    pages=["ours"], swept=[[3, 2, 20]], swept_by_us=[], openings=1, idle_s=1, is_compiled=False,
)  # fmt: skip

GROWING = ("ours", "0.1.0", "mlflow-files", "mlflow-sqlite")
SLOWED = ("ours", "0.1.0", "mlflow-files", "mlflow-sqlite", "dvclive", "tensorboard", "tensorboardx", "aim", "trackio")


def spread(numbers):
    """Return median, least, most and count of repeated measurements; None where there are none."""
    numbers = sorted(number for number in numbers if number is not None)
    if not numbers:
        return None
    middle = len(numbers) // 2
    median = numbers[middle] if len(numbers) % 2 else (numbers[middle - 1] + numbers[middle]) / 2
    return {"median": median, "min": numbers[0], "max": numbers[-1], "n": len(numbers)}


class Bench:
    """The peers that are here, the scratch folder, and what went wrong."""

    def __init__(self, pythons, sizes, scratch, say, venvs=None, pictures=None):
        self.pythons = pythons  # of each peer's environment, by the peer's name
        self.sizes = sizes
        self.scratch = tempfile.mkdtemp(prefix="mini-mlflow-bench-", dir=scratch)
        self.say = say
        self.venvs = venvs or environments.FOLDER  # where a part puts environments of its own
        self.pictures = pictures  # the folder for pictures of the pages; None: none
        self.failures = {}

    def folder(self):
        """Return a new empty folder."""
        return tempfile.mkdtemp(dir=self.scratch)

    def measure(self, name, measurement, folder, **options):
        """Measure, or note why not and return None."""
        try:
            return children.measure(PEERS[name], self.pythons[name], measurement, folder, **options)
        except FailedError as error:
            self.failures.setdefault("%s: %s" % (name, measurement), str(error))
            return None

    def once(self, name, measurement, **options):
        """Measure in a folder of its own, which is removed."""
        folder = self.folder()
        try:
            return self.measure(name, measurement, folder, **options)
        finally:
            children.remove(folder)

    def close(self):
        """Remove everything."""
        children.remove(self.scratch)


def measure_peers(bench):
    """Compare all trackers: imports, verbs, a whole script, kill -9."""
    found = {name: {} for name in bench.pythons}
    _imports(bench, found)
    _verbs(bench, found)
    _scripts(bench, found)
    _kills(bench, found)
    return found


def _imports(bench, found):
    bench.say("importing")
    names = [name for name in bench.pythons if name != "ours-no-fsync"]
    costs = {name: [] for name in names}
    folder = bench.folder()
    for repetition in range(bench.sizes.imports + 1):
        for name in names:
            settings = environ(PEERS[name], folder)
            bare = children.time_command([bench.pythons[name], "-c", "pass"], settings)
            statement = "import " + PEERS[name].imports
            try:
                whole = children.time_command([bench.pythons[name], "-c", statement], settings)
            except subprocess.CalledProcessError as error:
                bench.failures["%s: import" % name] = str(error)
                continue
            if repetition:  # the first only warms the page cache
                costs[name].append((whole - bare) * 1e6)
    for name in names:
        found[name]["import_us"] = spread(costs[name])
    children.remove(folder)


def _verbs(bench, found):
    fields = ["start_us", "first_value_us", "value_us", "bare_us", "ten_us", "param_us", "tag_us", "end_us"]
    fields += ["start_again_us", "first_value_again_us", "end_again_us", "all_in_us"]
    folders, results = {}, {name: [] for name in bench.pythons}
    for name in bench.pythons:
        folders[name] = bench.folder()
        first = bench.measure(name, "nothing", folders[name])
        found[name]["first_run_s"] = first and first["first_run_s"]
    for repetition in range(bench.sizes.repetitions):
        bench.say("each verb, %d of %d" % (repetition + 1, bench.sizes.repetitions))
        for name in bench.pythons:
            result = bench.measure(name, "verbs", folders[name], budget_s=bench.sizes.budget_s, most=bench.sizes.most)
            results[name] += [] if result is None else [result]
    for name, each in results.items():
        found[name]["verbs"] = {field: spread([result[field] for result in each]) for field in fields}
        found[name]["verbs"]["value_over_bare"] = spread([result["value_us"] / result["bare_us"] for result in each])
        found[name]["verbs"]["run_again_us"] = spread(
            [result["start_again_us"] + result["end_again_us"] for result in each]
        )
        found[name]["values"] = each[0]["values"] if each else 0
        children.remove(folders[name])


def _scripts(bench, found):
    repetitions = max(1, bench.sizes.repetitions - 2)
    walls, peaks = {name: [] for name in bench.pythons}, {name: [] for name in bench.pythons}
    for repetition in range(repetitions):
        bench.say("a whole script, %d of %d" % (repetition + 1, repetitions))
        for name in bench.pythons:
            folder = bench.folder()
            if bench.measure(name, "nothing", folder) is not None:
                before = children.size(folder)
                result = bench.measure(name, "script", folder, steps=bench.sizes.script_steps, params=5)
                if result is not None:
                    walls[name].append(result["wall_s"])
                    peaks[name].append(result["peak_bytes"])
                    after = children.size(folder)
                    found[name]["disk"] = {field: after[field] - before[field] for field in after}
            children.remove(folder)
    for name in bench.pythons:
        found[name]["script_s"] = spread(walls[name])
        found[name]["peak_bytes"] = spread(peaks[name])


def _kills(bench, found):
    """Kill and read back, and keep the least that was found: what is queued is sometimes written in time."""
    for count in bench.sizes.killed_after:
        for repetition in range(bench.sizes.kills):
            bench.say("kill -9 right after value %d, %d of %d" % (count, repetition + 1, bench.sizes.kills))
            for name in bench.pythons:
                there = _kill(bench, name, count)
                least = found[name].setdefault("killed", {}).setdefault(str(count), there)
                if there is not None and least is not None:
                    found[name]["killed"][str(count)] = min(there, least)


def _kill(bench, name, count):
    """Return how many values are there after a kill, None where that could not be found out."""
    folder, there = bench.folder(), None
    result = bench.measure(name, "killed", folder, count=count)
    if result is not None:
        for pause_s in (0, 2):  # a helper process may still be writing what it was given
            time.sleep(pause_s)
            after = bench.measure(name, "found_after", folder)
            there = after and after["found"]
            if after is None or there >= count:
                break
        children.end_session(result["session"])
    children.remove(folder)
    return there


def measure_growth(bench):
    """See how the cost grows with the history, with the number of metrics, with the runs in the store."""
    sizes, found = bench.sizes, {"history": {}, "metrics": {}, "runs": {}}
    for name in [name for name in GROWING if name in bench.pythons]:
        bench.say("growth: " + name)
        budget_s = 10 * sizes.history_budget_s if name in OURS else sizes.history_budget_s
        found["history"][name] = bench.once(name, "history", most=sizes.history, budget_s=budget_s)
        found["metrics"][name] = bench.once(name, "metrics", counts=sizes.metrics, budget_s=budget_s)
        folder, points = bench.folder(), []
        for runs in sizes.runs if name in OURS else sizes.runs_of_others:
            filled = bench.measure(
                name, "fill.fill", folder, runs=runs, budget_s=sizes.fill_budget_s, timeout_s=sizes.fill_budget_s + 60
            )
            repeated = [bench.measure(name, "with_runs", folder, values=20) for _ in range(sizes.looks)]
            repeated = [result for result in repeated if result is not None]
            if filled is None or not repeated:
                break
            fields = ("start_us", "value_us", "end_us", "read_newest_us")
            points.append([filled["runs"], {field: spread([each[field] for each in repeated]) for field in fields}])
        found["runs"][name] = {"points": points}
        children.remove(folder)
    return found


def measure_searching(bench):
    """See what finding runs costs, with an index and without, as the store grows."""
    found = {}
    for name in [name for name in ("ours", "mlflow-sqlite", "mlflow-files") if name in bench.pythons]:
        folder, points = bench.folder(), []
        for runs in bench.sizes.searched_of_files if name == "mlflow-files" else bench.sizes.searched:
            bench.say("searching %s runs: %s" % (f"{runs:,}", name))
            filled = bench.measure(name, "searching.fill_runs", folder, runs=runs, budget_s=900, timeout_s=1020)
            point = filled and _search_point(bench, name, folder)
            if not point:
                break
            points.append([filled["runs"], point])
        found[name] = points
        children.remove(folder)
    return found


def _search_point(bench, name, folder):
    """Measure one store at one size; None where it cannot be searched."""
    point = {}
    if name in OURS:
        point["read_once_s"] = _first_s(bench.measure(name, "searching.read_once", folder, timeout_s=300))
        first = bench.measure(name, "searching.first_search", folder, timeout_s=600)
        point["index_s"], point["index_memory"] = _first_s(first), first and first["memory"]
        for _ in range(2):  # what is just written is read once more, and then known for good
            bench.measure(name, "searching.pause", folder, seconds=2.5)
            bench.measure(name, "searching.first_search", folder, timeout_s=600)
    searched = []
    for _ in range(bench.sizes.looks):
        searched.append(bench.measure(name, "searching.search", folder, timeout_s=600))
        if searched[-1] is None:
            return None
    for field in ("first_s", "again_s", "memory"):
        point[field] = spread([each[field] for each in searched])
    point["found"] = searched[0]["found"]
    if name in OURS:
        point.update(bench.measure(name, "searching.list_on_terminal", folder, timeout_s=300) or {})
        count = changed_runs(bench.sizes.searched)
        point["changed_s"] = _first_s(bench.measure(name, "searching.change", folder, runs=count))
    return point


def changed_runs(searched):
    """Return how many runs are changed in stores of these sizes."""
    return min(100, searched[0] // 2)


def _first_s(measured):
    return measured and measured["first_s"]


def measure_slow_disk(bench):
    """Let each call that touches a file take a millisecond longer, and see what the training loop waits for."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        return {"skipped": "needs Linux and a C compiler"}
    shim = os.path.join(bench.scratch, "slow_disk.so")
    source = os.path.join(ROOT, "benchmarks", "slow_disk.c")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    found = {}
    for name in [name for name in SLOWED if name in bench.pythons]:
        bench.say("a slow disk: " + name)
        found[name] = {}
        for delay_us in bench.sizes.slow_delays_us:
            # The once-a-second looks show where a second passes: with many metrics, and longer for ours.
            for metrics, field in ((1, str(delay_us)), (bench.sizes.slow_metrics, "%d many" % delay_us)):
                if metrics > 1 and name not in OURS and delay_us:
                    continue
                found[name][field] = bench.once(
                    name, "slow_disk", preload=shim, delay_us=delay_us, metrics=metrics,
                    most=bench.sizes.slow_values * (1 if metrics == 1 else 10),
                    budget_s=bench.sizes.slow_budget_s if name in OURS and delay_us else 2,
                )  # fmt: skip
    return found


def measure_ours(bench):
    """Find out where the time goes in Mini MLflow, and how fast it reads."""
    sizes, found = bench.sizes, {}
    bench.say("ours: one value")
    found["one_value"] = bench.once("ours", "probe_ours.one_value", count=sizes.block, blocks=sizes.blocks)
    if found["one_value"]:
        costs = found["one_value"]["costs"]
        found["one_value"]["costs"] = {name: spread(each) for name, each in costs.items()}
        found["one_value"]["over_bare"] = spread([ours / bare for ours, bare in zip(costs["function"], costs["bare"])])
    for name in [name for name in OURS if name in bench.pythons]:
        bench.say("ours: one run" + (" without fsync" if name != "ours" else ""))
        result = bench.once(name, "probe_ours.one_run", runs=10 * sizes.blocks)
        if result:
            result["whole"] = {part: spread(each) for part, each in result["whole"].items()}
        found["one_run" if name == "ours" else "one_run_no_fsync"] = result
    bench.say("ours: importing, by module")
    found["modules"] = _modules(bench)
    bench.say("ours: memory, reading")
    few, many = sizes.memory_beyond
    found["memory"] = bench.once("ours", "probe_ours.memory", few=few, many=many)
    for field, options in (
        ("read_latest", {"runs": sizes.read_runs, "metrics": 5}),
        ("read_history", {"points": sizes.read_points}),
    ):
        result = bench.once("ours", "probe_ours." + field, timeout_s=300, **options)
        if result:
            result["costs"] = {name: spread(each) for name, each in result["costs"].items()}
        found[field] = result
    return found


def _modules(bench):
    """Return the cost of each module that our import loads and that the interpreter has not loaded anyway."""
    folder = bench.folder()
    settings = environ(PEERS["ours"], folder)
    each = [
        children.import_times(bench.pythons["ours"], "import mini_mlflow", settings)
        for _ in range(1 + bench.sizes.imports)
    ][1:]
    bare = children.import_times(bench.pythons["ours"], "pass", settings)
    children.remove(folder)
    names = [name for name in each[0] if name not in bare]
    return {name: spread([costs.get(name) for costs in each]) for name in names}


def measure_pages(bench):
    """See how long each tracker's page takes to show many curves, and what it asks for."""
    return pages.measure(bench, spread)


PARTS = {
    "peers": measure_peers,
    "ours": measure_ours,
    "growth": measure_growth,
    "searching": measure_searching,
    "slow-disk": measure_slow_disk,
    "page": measure_pages,
}
