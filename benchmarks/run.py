#!/usr/bin/env python3
"""Measure Mini MLflow beside every tracker that a person might take instead, and write down what came of it.

Needs nothing but Python; each tracker is installed into a virtual environment of its own. Nothing is sent anywhere.
"""

import argparse
import datetime as dt
import json
import os
import platform
import signal
import subprocess
import sys
import time

import environments
import report
from parts import FULL, PARTS, QUICK, Bench
from peers import PEERS, ROOT


def main(arguments):
    """Measure what was asked for, write results and report, and return the exit status."""
    options = _options(arguments)
    if options.render:
        options.out = options.out or ROOT
        found = [_read(path) for path in options.render]
        if len(found) > 1:
            _write(_joined(found), options)
        else:
            report.write(found[0], options.out)
        return 0
    if not _is_alone(options.venvs):
        _say("stopped: another run of the benchmarks is at work, and each would disturb the other's numbers")
        return 1
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that servers are ended
    began = time.time()
    names = options.only or list(PEERS)
    sizes = QUICK if options.quick else FULL
    pythons, versions, missing = _install(names, options.venvs, sizes)
    if "ours" not in pythons:
        _say("stopped: mini-mlflow of this checkout is what all is compared with, and it is not there")
        return 1
    bench = Bench(pythons, sizes, options.scratch, _say, options.venvs, options.pictures)
    results = {
        "format": 1,
        "date": dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%d"),
        "is_quick": options.quick,
        "parts": [],
        "machine": _machine(bench.scratch),
        "versions": versions,
        "missing": missing,
        "load": [_load()],
        "sizes": sizes._asdict(),
    }
    try:
        for part in options.only_part or PARTS:
            results[part] = PARTS[part](bench)
            results["parts"].append(part)
            results["failures"] = bench.failures
            results["duration_s"] = round(time.time() - began)
            partial = dict(results, load=[*results["load"], _load()])
            _save(partial, options, "-partial")  # who stops now keeps this much
    finally:
        bench.close()
    results["load"].append(_load())
    _write(results, options)
    for what, why in sorted(bench.failures.items()):
        _say("could not be measured: %s: %s" % (what, why))
    lacking = [name for name in missing if PEERS[name].is_required]
    failed = [what for what in bench.failures if PEERS[what.split(":")[0]].is_required]
    return 1 if lacking or failed else 0


def _options(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes and the required peers alone: does it work?")
    parser.add_argument("--only", metavar="PEER,...", type=_one_of(PEERS), help="of: " + ", ".join(PEERS))
    parser.add_argument("--only-part", metavar="PART,...", type=_one_of(PARTS), help="of: " + ", ".join(PARTS))
    parser.add_argument("--out", metavar="FOLDER", help="where results and report go; by default a whole run writes "
                        "benchmarks/results/ and docs/, any other benchmarks/.out/")  # fmt: skip
    parser.add_argument("--scratch", metavar="FOLDER", help="where the stores lie while they are measured: the disk "
                        "in question; by default the system's temporary folder")  # fmt: skip
    parser.add_argument("--pictures", metavar="FOLDER", help="keep pictures of the pages that were measured there")
    parser.add_argument("--venvs", metavar="FOLDER", default=environments.FOLDER, help="where the environments lie")
    parser.add_argument("--render", metavar="RESULTS", nargs="+", help="measure nothing, write the report of such a "
                        "file again; of several that have other parts: the results of all as one, too")  # fmt: skip
    options = parser.parse_args(arguments)
    is_whole = not (options.quick or options.only or options.only_part)
    if options.pictures:
        options.pictures = os.path.abspath(options.pictures)
        os.makedirs(options.pictures, exist_ok=True)
    if options.quick and not options.only:
        options.only = [name for name, peer in PEERS.items() if peer.is_required]
    if options.only and "ours" not in options.only:
        options.only = ["ours", *options.only]
    if options.out is None and not options.render:
        options.out = ROOT if is_whole else os.path.join(ROOT, "benchmarks", ".out")
    return options


def _is_alone(folder):
    """Tell whether no other run uses these environments; from now on, until this process ends, none does."""
    try:
        import fcntl
    except ImportError:
        return True
    os.makedirs(folder, exist_ok=True)
    descriptor = os.open(os.path.join(folder, "lock"), os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return False
    return True  # the descriptor stays open


def _one_of(known):
    def parse(text):
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError("no %r; there are %s" % (name, ", ".join(known)))
        return names

    return parse


def _install(names, folder, sizes):
    """Return the Python and the versions of each peer that is there, and why the others are not."""
    pythons, versions, missing = {}, {}, {}
    for name in names:
        _say("environment: " + name)
        try:
            pythons[name] = environments.prepare(PEERS[name], folder, is_compiled=sizes.is_compiled)
            versions[name] = environments.versions(PEERS[name], pythons[name])
        except (environments.NotInstalledError, OSError, subprocess.CalledProcessError) as error:
            missing[name] = " ".join(str(error).split())
            pythons.pop(name, None)
            _say("not installed: %s: %s" % (name, missing[name]))
    return pythons, versions, missing


def _machine(folder):
    processor, memory, disk = platform.processor(), 0, ""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            processor = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
        with open("/proc/meminfo", encoding="utf-8") as file:
            memory = int(file.readline().split()[1]) * 1024
        disk = subprocess.check_output(["stat", "--file-system", "--format=%T", folder]).decode().strip()
    except (OSError, StopIteration, ValueError, subprocess.CalledProcessError):
        pass
    return {
        "system": "%s %s" % (platform.system(), ".".join(platform.release().split(".")[:2])),
        "processor": processor or platform.machine(),
        "cores": os.cpu_count(),
        "memory_bytes": memory,
        "file_system": disk,
        "python": platform.python_version(),
    }


def _load():
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def _joined(found):
    """Return the results of parts that were measured one after the other as those of one run.

    Each part compares what was measured in it, so that parts may be of different days and machines; the report says so.
    """
    joined = {"parts": [], "versions": {}, "missing": {}, "failures": {}, "sizes": {}, "runs": []}
    for results in found:
        twice = set(joined["parts"]) & set(results["parts"])
        if twice:
            raise SystemExit("stopped: measured more than once: %s" % ", ".join(sorted(twice)))
        for name in ("versions", "sizes"):
            known = joined[name]
            changed = [each for each, value in results[name].items() if known.get(each, value) != value]
            if changed:
                raise SystemExit("stopped: measured with two %s: %s" % (name, ", ".join(sorted(changed))))
        if results["is_quick"] != found[0]["is_quick"]:
            raise SystemExit("stopped: a quick run and a full one cannot be compared")
        told = {name: {**joined[name], **results[name]} for name in ("versions", "missing", "failures", "sizes")}
        head = {name: results[name] for name in ("date", "machine", "load", "parts", "duration_s")}
        told.update(parts=joined["parts"] + results["parts"], runs=joined["runs"] + results.get("runs", [head]))
        joined = {**joined, **results, **told}
    joined["missing"] = {name: why for name, why in joined["missing"].items() if name not in joined["versions"]}
    joined["load"] = [load for results in found for load in results["load"]]
    joined["duration_s"] = sum(results["duration_s"] for results in found)
    return joined


def _write(results, options):
    path = _save(results, options)
    partial = path[: -len(".json")] + "-partial.json"
    if os.path.exists(partial):
        os.remove(partial)
    _say("report: " + report.write(_rounded(results), options.out))


def _save(results, options, ending=""):
    machine = results["machine"]
    name = "%s-%s-%dcore%s.json" % (results["date"], machine["system"].split()[0].lower(), machine["cores"], ending)
    folder = os.path.join(options.out, "benchmarks", "results")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(_rounded(results), file, indent=1, sort_keys=True)
        file.write("\n")
    _say("results: " + path)
    return path


def _rounded(found):
    """Return *found* with its floats cut to what they are worth: five digits."""
    if isinstance(found, float):
        return float("%.5g" % found)
    if isinstance(found, dict):
        return {str(name): _rounded(each) for name, each in found.items()}
    if isinstance(found, (list, tuple)):
        return [_rounded(each) for each in found]
    return found


def _say(text):
    print("[%s] %s" % (time.strftime("%H:%M:%S"), text), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
