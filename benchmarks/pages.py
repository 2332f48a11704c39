"""What does it cost to look at many curves in a browser? Each tracker's own page, served by it, over the same sweep."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import children
import environments
from peers import PEERS, ROOT, Peer, environ

IDLE_S = 10
MOST_S = 120  # to the first chart
WRITE_S = 1200
BUDGET_S = 180  # of a sweep: when it is used up, no further turn begins
START_S = 120
BROWSER = Peer("the browser", "", "", ["playwright"], "browser", {}, is_required=False, has_start_only_params=False)
_TRACKIO = (
    "import sys, trackio; trackio.show('bench', open_browser=False, server_port=int(sys.argv[1]), block_thread=True)"
)


def _with(name, **changed):
    return PEERS[name]._replace(**changed)


# The trackers' whole packages: pages are in none of the lean ones that the other parts measure.
PAGES = {
    "ours": _with("ours", requirements=[".[ui]"], environment="mini-mlflow-ui"),
    "mlflow-files": _with("mlflow-files", requirements=["mlflow"], environment="mlflow-ui", is_required=False),
    "mlflow-sqlite": _with("mlflow-sqlite", requirements=["mlflow"], environment="mlflow-ui", is_required=False),
    "trackio": _with("trackio"),
}
FIELDS = ("chart_s", "chart_requests", "chart_bytes", "requests", "bytes", "outside", "idle_requests")


class FailedError(Exception):
    """A page could not be looked at; the message is one line that says why."""


def find_browser():
    """Return where chromium is, or None."""
    return os.environ.get("MINI_MLFLOW_CHROMIUM") or shutil.which("chromium")


def measure(bench, spread):
    """Open each page several times, in turns.

    Returns:
        What was found at each size of the sweep: ``[runs, metrics, steps, by tracker]``; or why nothing was.
    """
    chromium = find_browser()
    if chromium is None:
        bench.say("pages: skipped: chromium is missing")
        return {"skipped": "chromium is missing: apt-get install chromium"}
    pythons, versions, missing = _install(bench)
    if "browser" in missing or not pythons:
        bench.say("pages: skipped: %s" % missing)
        return {"skipped": "; ".join("%s: %s" % each for each in missing.items())}
    browser = pythons.pop("browser")
    found = {"browser": _version(chromium), "versions": versions, "missing": missing, "sweeps": []}
    for sweep in bench.sizes.swept:
        found["sweeps"].append([*sweep, _measure_sweep(bench, spread, sweep, pythons, [browser, chromium])])
    ours = {name: python for name, python in pythons.items() if name == "ours"}
    for sweep in bench.sizes.swept_by_us if ours else ():
        found["sweeps"].append([*sweep, _measure_sweep(bench, spread, sweep, ours, [browser, chromium])])
    return found


def _install(bench):
    names = [name for name in PAGES if name in bench.pythons and name in bench.sizes.pages]
    pythons, versions, missing = {}, {}, {}
    for name, peer in [("browser", BROWSER), *((name, PAGES[name]) for name in names)]:
        bench.say("environment of a page: " + name)
        try:
            pythons[name] = environments.prepare(peer, bench.venvs, is_compiled=bench.sizes.is_compiled)
            versions[name] = environments.versions(peer, pythons[name])
        except (environments.NotInstalledError, OSError, subprocess.CalledProcessError) as error:
            pythons.pop(name, None)
            missing[name] = " ".join(str(error).split())
    return pythons, versions, missing


def _version(chromium):
    told = subprocess.run([chromium, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return " ".join(re.findall(r"Chromium [\d.]+", told.stdout.decode("utf-8", "replace"))) or "chromium"


def _measure_sweep(bench, spread, sweep, pythons, browser):
    """Let every tracker write the sweep, and open its page by turns; a failure takes that tracker out."""
    folders, seen, points = {}, {}, {}
    title = "%s x %d x %s" % (f"{sweep[0]:,}", sweep[1], f"{sweep[2]:,}")
    for name, python in pythons.items():
        bench.say("a sweep of %s: %s" % (title, name))
        folders[name], seen[name] = bench.folder(), {"first": [], "again": []}
        options = dict(zip(("runs", "metrics", "steps"), sweep))
        try:
            written = children.measure(
                PAGES[name], python, "sweeps.write", folders[name], timeout_s=WRITE_S, **options
            )  # fmt: skip
            points[name] = {"write_s": written["write_s"]}
        except children.FailedError as error:
            points[name] = {"failed": "writing: %s" % error}
    began = time.monotonic()
    for repetition in range(bench.sizes.openings):
        if time.monotonic() - began > BUDGET_S:
            break
        for name in [name for name in pythons if "failed" not in points[name]]:
            bench.say("its page, %d of %d: %s" % (repetition + 1, bench.sizes.openings, name))
            try:
                with served(name, pythons[name], folders[name]) as url:
                    for which, idle_s in (("first", 0), ("again", bench.sizes.idle_s)):
                        label = "%s-%s-%s" % (name, title.replace(" ", ""), which)
                        picture = bench.pictures and os.path.join(bench.pictures, label)
                        seen[name][which].append(browse(browser, url, folders[name], idle_s, picture))
            except FailedError as error:
                points[name]["failed"] = str(error)
    for name, point in points.items():
        children.remove(folders[name])
        if "failed" in point:
            bench.failures["%s: page of %s" % (name, title)] = point["failed"]
        else:
            for which, each in seen[name].items():
                point[which] = {field: spread([one.get(field) for one in each]) for field in FIELDS}
                point[which]["is_quiet"] = all(one["is_quiet"] for one in each)
    return points


@contextmanager
def served(name, python, folder):
    """Lend the address of a tracker's page, served on a free port of this machine; ended in every case.

    Raises:
        FailedError: It does not come up.
    """
    port = _free_port()
    settings = {key: value for key, value in environ(PAGES[name], folder).items() if key != "PYTHONPATH"}
    output = os.path.join(folder, "server.txt")
    with open(output, "wb") as file:
        process = subprocess.Popen(
            [python, *_command(name, folder, port)], env=settings, cwd=folder, stdin=subprocess.DEVNULL,
            stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield _wait_for(name, process, port, output)
    finally:
        children.end_session(process.pid)
        process.wait()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _command(name, folder, port):
    if name == "ours":
        return ["-m", "mini_mlflow", "ui", os.path.join(folder, "mlruns"), "--port", str(port), "--no-browser"]
    if name == "trackio":
        return ["-c", _TRACKIO, str(port)]
    store = PAGES[name].environ["BENCHMARK_TRACKING_URI"].format(folder=folder)
    return ["-m", "mlflow", "ui", "--backend-store-uri", store, "--host", "127.0.0.1", "--port", str(port)]


def _wait_for(name, process, port, output):
    """Return the address to open: for ours the printed link, with its token; for MLflow the runs as charts."""
    address = "http://127.0.0.1:%d/" % port
    views = {"trackio": "?project=bench", "ours": ""}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    before = time.monotonic()
    while time.monotonic() - before < START_S and process.poll() is None:
        try:
            with opener.open(address, timeout=START_S):
                pass
        except urllib.error.HTTPError:
            pass  # it answers
        except OSError:
            time.sleep(0.1)
            continue
        if name != "ours":
            return address + views.get(name, "#/experiments/0/runs?compareRunsMode=CHART")
        link = re.search(r"http://\S+", _text(output))
        if link:
            return link.group()
    raise FailedError("no server: " + (_text(output).strip().splitlines() or ["no output"])[-1])


def _text(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def browse(browser, url, folder, idle_s, picture=None):
    """Open an address in a browser that has seen nothing yet, and return what browse.py tells of it.

    Raises:
        FailedError: No chart came.
    """
    python, chromium = browser
    result, output = os.path.join(folder, "seen.json"), os.path.join(folder, "browser.txt")
    if os.path.exists(result):
        os.unlink(result)
    options = {"url": url, "most_s": MOST_S, "idle_s": idle_s, "picture": picture, "chromium": chromium}
    command = [python, os.path.join(ROOT, "benchmarks", "browse.py"), result, json.dumps(options)]
    # Chromium makes a socket there, whose path may have 107 bytes.
    with open(output, "wb") as file, tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        process = subprocess.Popen(
            command, env={**environ(BROWSER, folder), "TMPDIR": temporary}, cwd=folder, stdin=subprocess.DEVNULL,
            stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            process.wait(3 * MOST_S + idle_s)
        except subprocess.TimeoutExpired:
            pass
        finally:
            children.end_session(process.pid)
            process.wait()
    if not os.path.exists(result):
        raise FailedError("in the browser: " + (_text(output).strip().splitlines() or ["took too long"])[-1])
    with open(result, encoding="utf-8") as file:
        return json.load(file)
