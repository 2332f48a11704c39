"""How is one measurement made in a fresh process of its own, and what came of it?"""

import json
import os
import shutil
import signal
import subprocess
import time

from peers import ROOT, environ

PROBE = os.path.join(ROOT, "benchmarks", "probe.py")


class FailedError(Exception):
    """A measurement could not be made; the message is one line that says why."""


def measure(peer, python, measurement, folder, *, preload=None, timeout_s=120, **options):
    """Run one measurement of *peer*; return what it found, with ``wall_s``: the whole process, from outside.

    A process that killed itself, as it should in ``killed``, has found nothing but that.

    Raises:
        FailedError: It ended in another way, or took too long.
    """
    result = os.path.join(folder, "result.json")
    if os.path.exists(result):
        os.unlink(result)
    settings = environ(peer, folder)
    if preload is not None:
        settings["LD_PRELOAD"] = preload
    command = [python, PROBE, result, peer.adapter, measurement, folder, json.dumps(options)]
    with open(os.path.join(folder, "output.txt"), "w+b") as output:
        before = time.perf_counter()
        process = subprocess.Popen(
            command, env=settings, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        try:
            status = process.wait(timeout_s)
            wall_s = time.perf_counter() - before
        except subprocess.TimeoutExpired:
            status, wall_s = None, timeout_s
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if status == -signal.SIGKILL and measurement == "killed":
            return {"wall_s": wall_s, "session": process.pid}
        end_session(process.pid)
        if status != 0 or not os.path.exists(result):
            output.seek(0)
            lines = output.read().decode("utf-8", "replace").strip().splitlines() or ["no output"]
            raise FailedError("%s: %s" % ("took over %d s" % timeout_s if status is None else "failed", lines[-1]))
    with open(result, encoding="utf-8") as file:
        return dict(json.load(file), wall_s=wall_s)


def end_session(session):
    """End what a measurement left running: helpers that its tracker started."""
    try:
        os.killpg(session, signal.SIGKILL)
    except (OSError, AttributeError):
        pass  # nothing is left


def time_command(command, settings):
    """Return how long a command takes, in seconds."""
    before = time.perf_counter()
    subprocess.run(command, env=settings, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - before


def import_times(python, statement, settings):
    """Return what each module cost that *statement* imports, in µs, itself alone, by name."""
    result = subprocess.run(
        [python, "-X", "importtime", "-c", statement],
        env=settings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    costs = {}
    for line in result.stderr.decode("utf-8", "replace").splitlines():
        fields = line.replace("import time:", "").split("|")
        if len(fields) == 3 and fields[0].strip().isdigit():
            costs[fields[2].strip()] = int(fields[0])
    return costs


def size(folder):
    """Return the bytes, the bytes that the disk spends, and the number of files of a folder, less ``home``."""
    length = spent = files = 0
    for path, names, contents in os.walk(folder):
        if path == folder and "home" in names:
            names.remove("home")
        for name in contents:
            if path == folder and name in ("output.txt", "result.json"):
                continue
            state = os.lstat(os.path.join(path, name))
            length += state.st_size
            spent += getattr(state, "st_blocks", 0) * 512
            files += 1
    return {"bytes": length, "bytes_on_disk": spent, "files": files}


def remove(folder):
    """Remove a folder and all in it; helpers that still end may make files meanwhile."""
    for _ in range(5):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            return
        time.sleep(0.2)
