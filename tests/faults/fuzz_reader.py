"""Read many broken copies of a store in one process, under an audit hook and limits; print one JSON line per surprise.

Arguments: the golden store, a scratch folder, the first seed, how many seeds.
"""

import json
import os
import random
import resource
import shutil
import signal
import sys
import time
import warnings

from mini_mlflow import ExperimentTracker, MiniMLflowError, StorageWarning
from mini_mlflow.store import experiments

SECONDS = 30  # after which a case is a hang
MOST_CPU_S = 2  # of a case, which reads the broken run a dozen times
FORBIDDEN = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "socket.", "ctypes.", "pickle.")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
ODD_NAMES = ["x.json", "~.json", ".json", "%2e.json", "a\nb.json"]
SNIPPETS = [
    b"[" * 30000,
    b"{" * 5000,
    b'{"key": "loss", "history": [\n' + b"[" * 100000,
    b"9" * 200000,
    b"- " * 30000,
    b'a: &a ["x","x"]\n'
    + b"".join(b"%c: &%c [%s]\n" % (i + 1, i + 1, b",".join([b"*%c" % i] * 8)) for i in range(97, 110)),
    b"!!python/object/apply:os.system [touch /tmp/fuzzed]\n",
    b"!!python/name:os.system\n",
    b'status: !!int ""\n',
    b"start_time: 2026-99-99\n",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\x00" * 4096,
    b'"\\ud800"',
    b"null",
    b'{"value": true}',
    b'{"key": "../../x", "value": 1, "timestamp": 1}',
    b'{"key": "loss", "history": [[1, 2, "x"]]}',
    b'{"key": "loss", "history": [[1.5, 2, 3]]}',
    b'{"key": "loss", "history": [[1, -2, 3]]}',
    b'{"key": "loss", "history": [[99999999999999999999, 2, 3]]}',
    b'{"key": "loss", "history": [[1, 2, 1e999]]}',
    b"format: 99\n",
    b"format: [1]\n",
    b"a: 1\n---\nb: 2\n",
    b"run_id: ../../x\nstatus: RUNNING\n",
    b'{"host": 1, "pid": -1}',
]


def mutate(rng, path):
    """Break one file, or put something else in its place."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    start = rng.randrange(len(data) + 1)
    kind = rng.choice(["flip"] * 4 + ["cut", "insert", "replace", "zero", "append", "remove", "place", "rename"])
    if kind == "remove":
        os.unlink(path)
    elif kind == "place":
        os.unlink(path)
        rng.choice([os.mkdir, os.mkfifo, put_link, put_sparse_file])(path)
    elif kind == "rename":
        os.rename(path, os.path.join(os.path.dirname(path), rng.choice(ODD_NAMES)))
    else:
        if kind == "flip":
            for _ in range(rng.choice([1, 1, 2, 8, 64])):
                data[rng.randrange(len(data))] = rng.randrange(256)
        elif kind == "zero":
            length = rng.choice([1, 16, 4096])
            data[start : start + length] = b"\x00" * length
        else:
            begin = {"cut": start, "insert": start, "replace": 0, "append": len(data)}[kind]
            end = {"cut": len(data), "insert": start, "replace": len(data), "append": len(data)}[kind]
            data[begin:end] = b"" if kind == "cut" else rng.choice([*SNIPPETS, bytes(data)])
        with open(path, "wb") as file:
            file.write(data)


def put_link(path):
    """Put a link where a file was: to itself, a folder, a file of the system, a device, by the letters of the path."""
    os.symlink([path, ".", "/etc/passwd", "/dev/zero"][sum(map(ord, path)) % 4], path)


def put_sparse_file(path):
    """Put a file that says it has a tebibyte."""
    with open(path, "wb") as file:
        file.truncate(1 << 40)


def read_all(store, victim):
    """Read a store through the public functions; return what the sound runs hold."""
    sound = {}
    for experiment_id in experiments.list_ids(store):
        tracker = ExperimentTracker(experiment_id=experiment_id, runs_dir=store)
        for run_id in tracker.list_runs():
            try:
                record = tracker.get_run(run_id)
                histories = {key: tracker.history(run_id, key) for key in record["metrics"]}
                for key in record["metrics"]:
                    tracker.summary(run_id, key)
            except MiniMLflowError:
                if (str(experiment_id), run_id) != victim:
                    raise
                continue
            if (str(experiment_id), run_id) != victim:
                held = (record["params"], record["metrics"], record["tags"], histories)
                sound[str(experiment_id), run_id] = repr(held)
    return sound


def runs_of(store):
    """Return (experiment, run) of every run folder."""
    pairs = [(experiment, run) for experiment in sorted(os.listdir(store)) for run in folders_in(store, experiment)]
    return [pair for pair in pairs if os.path.isdir(os.path.join(store, *pair))]


def folders_in(store, experiment):
    """Return the names in an experiment's folder."""
    folder = os.path.join(store, experiment)
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def files_of(folder):
    """Return every regular file below a folder."""
    return sorted(os.path.join(base, name) for base, _, names in os.walk(folder) for name in names)


class Watch:
    """An audit hook that notes what a reader must never do."""

    def __init__(self):
        self.events = []
        self.is_on = False

    def __call__(self, event, arguments):
        """Note a forbidden event."""
        if not self.is_on:
            return
        is_writing = event == "open" and (
            set(arguments[1]) & set("wax+") if isinstance(arguments[1], str) else (arguments[2] or 0) & WRITING
        )
        if is_writing or event.startswith(FORBIDDEN):
            self.events.append((event, repr(arguments)[:200]))


def main():
    """Run the cases."""
    golden, scratch, first, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    warnings.simplefilter("ignore", StorageWarning)
    store = os.path.join(scratch, "store")
    shutil.copytree(golden, store)
    everything = read_all(store, None)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    watch = Watch()
    if hasattr(sys, "addaudithook"):
        sys.addaudithook(watch)
    for seed in range(first, first + count):
        rng = random.Random(seed)
        shutil.rmtree(store)
        shutil.copytree(golden, store)
        victim = rng.choice(runs_of(store))
        files = files_of(os.path.join(store, *victim))
        for path in rng.sample(files, min(len(files), rng.choice([1, 1, 1, 2, 4]))):
            mutate(rng, path)
        surprise = None
        started = time.process_time()
        signal.alarm(SECONDS)
        watch.is_on = True
        try:
            found = read_all(store, victim)
            wanted = {run: text for run, text in everything.items() if run != victim}
            if found != wanted:
                surprise = "sound runs read differently"
        except BaseException as error:  # noqa: BLE001 - each is a surprise
            surprise = "%s: %s" % (type(error).__name__, str(error)[:300])
        watch.is_on = False
        signal.alarm(0)
        if watch.events:
            surprise = "forbidden: %s" % watch.events[:3]
            watch.events.clear()
        if surprise:
            print(json.dumps({"seed": seed, "surprise": surprise, "victim": victim}))
        seconds = time.process_time() - started
        if seconds > MOST_CPU_S:
            print(json.dumps({"seed": seed, "surprise": "took %.1f s" % seconds, "victim": victim}))
    print(json.dumps({"cases": count, "peak_kb": peak_kb()}))


def peak_kb():
    """Return the most memory this program held; the kernel's ru_maxrss would count the program that started it too."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main()
