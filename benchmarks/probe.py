"""What runs in a tracker's own environment: one measurement in a fresh process, its result written as JSON.

python probe.py RESULT_FILE ADAPTER MEASUREMENT FOLDER OPTIONS
"""

import importlib
import json
import os
import signal
import sys
from time import perf_counter, time_ns

KEY = "training_loss"
TEN = ["metric_%d" % number for number in range(10)]
# Numbers such as a training gives: all of their digits are needed.
VALUES = [1.0 / (3 + number) for number in range(1024)]


def main(arguments):
    """Run one measurement and write what it found."""
    result_file, adapter, measurement, folder, options = arguments
    module, function = measurement.split(".") if "." in measurement else ("probe", measurement)
    before = perf_counter()
    tracker = importlib.import_module("adapters." + adapter)
    import_s = perf_counter() - before
    measure = getattr(importlib.import_module(module), function) if module != "probe" else globals()[function]
    found = measure(tracker, folder, **json.loads(options))
    found["import_s"] = import_s
    with open(result_file, "w", encoding="utf-8") as file:
        json.dump(found, file)


# One run, verb by verb


def verbs(tracker, folder, budget_s, most):
    """Time each verb, and a bare loop of clock, f-string and one write between."""
    found = {}

    def body(given):
        found["start_us"] = (perf_counter() - began) * 1e6
        log = given.log_value
        before = perf_counter()
        log(KEY, VALUES[0], 0)
        found["first_value_us"] = (perf_counter() - before) * 1e6
        found["value_us"], found["bare_us"], found["values"] = _alternate(log, folder, budget_s, most)
        # Steps only rise: there are trackers that drop what comes with an earlier one.
        log_step, at = given.log_step, 10**7
        count = _count_for(lambda step: log_step(dict.fromkeys(TEN, 0.5), at + step), budget_s / 2, most // 10)
        steps = [(at + step, dict.fromkeys(TEN, VALUES[step % 1024])) for step in range(1000, 1000 + count)]
        before = perf_counter()
        for step, metrics in steps:
            log_step(metrics, step)
        found["ten_us"] = (perf_counter() - before) / count * 1e6
        for name, verb in (("param_us", given.log_param), ("tag_us", given.set_tag)):
            found[name] = None if verb is None else _per_key(verb)
        before_end[0] = perf_counter()

    before_end = [0.0]
    began = perf_counter()
    tracker.run(folder, body)
    found["end_us"] = (perf_counter() - before_end[0]) * 1e6
    found.update(_again(tracker, folder))
    found.update(_all_in(tracker, folder, budget_s, most, found["end_again_us"]))
    return found


def _alternate(log, folder, budget_s, most):
    """Return the cost of a value and of a turn of the bare loop: medians of blocks that alternate."""
    count = _count_for(lambda step: log(KEY, VALUES[step % 1024], step + 1), budget_s / 5, most)
    descriptor = os.open(os.path.join(folder, "bare.txt"), os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    costs, bare, first = [], [], 1000
    for _ in range(5):
        before = perf_counter()
        for step in range(first, first + 2000):
            os.write(descriptor, f"[{step}, {time_ns() // 1000000}, {VALUES[step % 1024]}]\n".encode())
        bare.append((perf_counter() - before) / 2000)
        before = perf_counter()
        for step in range(first, first + count):
            log(KEY, VALUES[step % 1024], step)
        costs.append((perf_counter() - before) / count)
        first += count
    os.close(descriptor)
    os.unlink(os.path.join(folder, "bare.txt"))
    return _median(costs) * 1e6, _median(bare) * 1e6, 5 * count


def _count_for(call, budget_s, most):
    """Return how many calls fit the budget, 10 at least, after some that warm up."""
    warm = 0
    before = perf_counter()
    while warm < 5 or (warm < 200 and perf_counter() - before < budget_s / 5):
        call(warm)
        warm += 1
    return int(max(10, min(most, budget_s * warm / (perf_counter() - before))))


def _per_key(verb):
    """Return the cost of a verb on keys that are new each time, as settings are: the median of 20."""
    costs = []
    for number in range(20):
        before = perf_counter()
        verb("setting_%02d" % number, "value %d" % number)
        costs.append(perf_counter() - before)
    return _median(costs) * 1e6


def _again(tracker, folder):
    """Time runs of one value each in a process that has had one: what a sweep pays per run."""
    starts, values, ends, at = [], [], [], [0.0]

    def body(given):
        now = perf_counter()
        starts.append(now - at[0])
        given.log_value(KEY, 0.5, 0)
        at[0] = perf_counter()
        values.append(at[0] - now)

    while len(starts) < 3 or (len(starts) < 100 and sum(starts) + sum(ends) < 1.0):
        at[0] = perf_counter()
        tracker.run(folder, body)
        ends.append(perf_counter() - at[0])
    return {
        "start_again_us": _median(starts) * 1e6,
        "first_value_again_us": _median(values) * 1e6,
        "end_again_us": _median(ends) * 1e6,
        "runs": len(starts),
    }


def _all_in(tracker, folder, budget_s, most, end_us):
    """Return the cost of a value until it is in the files, for trackers that queue: log many, end, less a bare end."""
    found = {}

    def body(given):
        log = given.log_value
        count = _count_for(lambda step: log(KEY, VALUES[step % 1024], step), budget_s / 2, most)
        before = perf_counter()
        for step in range(1000, 1000 + count):
            log(KEY, VALUES[step % 1024], step)
        found["loop"], found["count"] = perf_counter() - before, count
        found["ending"] = perf_counter()

    tracker.run(folder, body)
    ending = max(0.0, perf_counter() - found["ending"] - end_us / 1e6)
    return {"all_in_us": (found["loop"] + ending) / found["count"] * 1e6}


# A whole script, and one that is killed


def script(tracker, folder, steps, params):
    """Train: some settings, *steps* steps of ten metrics each, the end. Its time is taken from outside."""

    def body(given):
        for number in range(params):
            if given.log_param is not None:
                given.log_param("setting_%d" % number, number)
        for step in range(steps):
            given.log_step(dict.fromkeys(TEN, VALUES[step % 1024]), step)
        peak.append(peak_memory())

    peak = []
    tracker.run(folder, body)
    return {"peak_bytes": max(peak[0], peak_memory())}


def peak_memory():
    """Return the most memory that this process had, and the processes that it started have (Linux; else ours)."""
    try:
        ours = [str(os.getpid())]
        parents = {}
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open("/proc/%s/stat" % name, "rb") as file:
                        parents[name] = file.read().rsplit(b")", 1)[1].split()[1].decode()
                except OSError:
                    pass
        for _ in range(4):
            ours += [name for name, parent in parents.items() if parent in ours and name not in ours]
        return sum(_high_water(name) for name in ours)
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _high_water(pid):
    try:
        with open("/proc/%s/status" % pid, "rb") as file:
            (line,) = [line for line in file if line.startswith(b"VmHWM")]
        return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        return 0


def nothing(tracker, folder):
    """Make the store: the first run of all may cost more than any other, such as a schema."""
    at = perf_counter()
    tracker.run(folder, lambda given: given.log_value(KEY, 0.5, 0))
    return {"first_run_s": perf_counter() - at, "peak_bytes": peak_memory()}


def killed(tracker, folder, count):
    """Log *count* values; the moment the last call has returned, die as by kill -9."""

    def body(given):
        for step in range(count):
            given.log_value(KEY, float(step), step)
        os.kill(os.getpid(), signal.SIGKILL)

    tracker.run(folder, body)


def found_after(tracker, folder):
    """Count what is there of the run that was killed."""
    return {"found": tracker.read(folder, KEY)}


# Growth


def history(tracker, folder, most, budget_s):
    """Log values of one metric up to *most*, and return the cost per value between round counts."""
    points = []

    def body(given):
        log = given.log_value
        log(KEY, 0.5, 0)  # the first makes the file and imports what is imported late
        done, began = 1, perf_counter()
        for count in _round_counts(most):
            before, start = perf_counter(), done
            for step in range(done, count):
                log(KEY, VALUES[step % 1024], step)
                done = step + 1
                if not step % 64 and perf_counter() - began > budget_s:
                    break
            points.append([done, (perf_counter() - before) / (done - start) * 1e6])
            if done < count:
                break

    tracker.run(folder, body)
    return {"points": points}


def _round_counts(most):
    counts = [count for power in range(2, 9) for count in (10**power, 2 * 10**power, 5 * 10**power)]
    return [count for count in counts if count < most] + [most]


def metrics(tracker, folder, counts, budget_s):
    """Log values of many metrics in turn, and return the cost of a metric's first value and of later ones."""
    points, began = [], perf_counter()
    for count in counts:
        keys = ["metric_%05d" % number for number in range(count)]

        def body(given, keys=keys):
            log = given.log_value
            before = perf_counter()
            for key in keys:
                log(key, 0.5, 0)
            first = perf_counter() - before
            rounds = max(1, 1000 // len(keys))
            before, done = perf_counter(), 0
            for step in range(1, 1 + rounds):
                for key in keys:
                    log(key, VALUES[step % 1024], step)
                    done += 1
            later = perf_counter() - before
            points.append([len(keys), first / len(keys) * 1e6, later / done * 1e6])

        if points:  # what the next count will take, by what the last one cost
            _, first_us, later_us = points[-1]
            expected_s = count * first_us / 1e6 + max(1000, count) * later_us / 1e6
            if perf_counter() - began + expected_s > budget_s:
                break
        tracker.run(folder, body)
    return {"points": points}


def with_runs(tracker, folder, values):
    """Start a run in a store that holds many, log, end it: each cost apart, and that of finding the newest."""
    found = {}

    def body(given):
        found["start_us"] = (perf_counter() - began) * 1e6
        given.log_value(KEY, 0.5, 0)
        before = perf_counter()
        for step in range(1, values):
            given.log_value(KEY, VALUES[step % 1024], step)
        found["value_us"] = (perf_counter() - before) / (values - 1) * 1e6
        found["ending"] = perf_counter()

    tracker.run(folder, lambda given: None)  # imports what is imported late, so that the store's size alone differs
    began = perf_counter()
    tracker.run(folder, body)
    found["end_us"] = (perf_counter() - found.pop("ending")) * 1e6
    before = perf_counter()
    tracker.read(folder, KEY)
    found["read_newest_us"] = (perf_counter() - before) * 1e6
    return found


# A slow disk


def slow_disk(tracker, folder, delay_us, most, budget_s, metrics=1):
    """Log values, of each metric in turn, while each call that touches a file takes *delay_us* longer; count the calls.

    Counted and timed apart: the start of the run, the values (of metrics that are there), the end.
    """
    import ctypes

    shim = ctypes.CDLL(None)
    delay = ctypes.c_long(delay_us * 1000)
    keys = [KEY] if metrics == 1 else ["metric_%d" % number for number in range(metrics)]
    found = {}

    def body(given):
        found["start_ms"], found["start_calls"] = (perf_counter() - before) * 1e3, shim.slow_disk_end()
        log = given.log_value
        for step in range(max(2, 20 // metrics)):
            for key in keys:
                log(key, VALUES[step], step)
        shim.slow_disk_begin(delay)
        costs = []
        began = perf_counter()
        for number in range(most):
            step = 20 + number // metrics
            start = perf_counter()
            log(keys[number % metrics], VALUES[step % 1024], step)
            costs.append(perf_counter() - start)
            if start - began > budget_s and number >= 3 * metrics:
                break
        found["value_us"] = sum(costs) / len(costs) * 1e6
        found["worst_us"] = max(costs) * 1e6
        found["calls"] = shim.slow_disk_end() / len(costs)
        found["values"] = len(costs)
        shim.slow_disk_begin(delay)
        ending.append(perf_counter())

    ending = []
    tracker.run(folder, lambda given: given.log_value(KEY, 0.5, 0))  # imports what is imported late
    shim.slow_disk_begin(delay)
    before = perf_counter()
    tracker.run(folder, body)
    found["end_ms"], found["end_calls"] = (perf_counter() - ending[0]) * 1e3, shim.slow_disk_end()
    return found


def _median(numbers):
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


if __name__ == "__main__":
    main(sys.argv[1:])
