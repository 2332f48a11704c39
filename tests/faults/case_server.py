"""A process that reads cases from its input and runs each in a forked child; see ``Cases`` in conftest.py."""

import ctypes
import json
import os
import select
import signal
import sys
import warnings

import scenarios

import mini_mlflow  # noqa: F401 - loaded once, so that a child costs a fork


def child(library, case, report):
    """Run one case and write its report."""
    library.faults_arm.restype = None
    acknowledged = os.dup(report)

    def acknowledge(item):
        os.write(acknowledged, (json.dumps({"acknowledged": item}) + "\n").encode())
        if case["log"]:
            with open(case["log"], "a") as log:
                log.write("acknowledged\t%s\n" % json.dumps(item))

    outcome = {"result": None, "error": None}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        library.faults_arm(
            case["store"].encode(),
            ctypes.c_long(case["at"]),
            ctypes.c_long(case["forever"]),
            case["action"].encode(),
            case["only"].encode(),
            case["log"].encode(),
        )
        try:
            outcome["result"] = getattr(scenarios, case["scenario"])(case["store"], acknowledge)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test wants to see it
            outcome["error"] = "%s: %s" % (type(error).__name__, error)
    library.faults_count.restype = ctypes.c_long
    outcome["count"] = library.faults_count()
    outcome["warnings"] = [str(each.message) for each in caught]
    os.write(report, (json.dumps(outcome) + "\n").encode())


def run(library, case):
    """Run one case in a child and return its report."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        signal.alarm(60)  # a hang ends the child, and shows as its signal
        try:
            child(library, case, writing)
        finally:
            os._exit(0)
    os.close(writing)
    parts = []
    while select.select([reading], [], [])[0]:
        part = os.read(reading, 1 << 16)
        if not part:
            break
        parts.append(part)
    os.close(reading)
    status = os.waitpid(pid, 0)[1]
    report = {"signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, "acknowledged": [], "count": 0}
    report.update(result=None, error=None, warnings=[])
    for line in b"".join(parts).decode().splitlines():
        fields = json.loads(line)
        if "acknowledged" in fields:
            report["acknowledged"].append(fields["acknowledged"])
        else:
            report.update(fields)
    return report


def main():
    """Serve cases until the input ends."""
    library = ctypes.CDLL(sys.argv[1])
    for line in sys.stdin:
        sys.stdout.write(json.dumps(run(library, json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
