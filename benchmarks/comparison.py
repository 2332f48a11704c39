"""What does the report say of the trackers side by side?"""

import svg
from peers import OURS, PEERS
from words import median, number, size, spread, table, times, title

_VALUE = """\
*On return*: how long the training waits. *A bare loop*: clock, f-string and one `os.write`, in the same process.
*With the end of the run*: many values and the end, less the end of a run of one value: what a tracker that
queues pays later. *Kept*: the process is killed the moment that value's call has returned, and the files are
read back; a helper process gets two seconds to finish. The least of several tries counts: what was queued is
sometimes written in time. What keeps nothing is fast because it has not written anything yet.
mini-mlflow 0.1.0 keeps only the latest value of a metric; it writes no history.
"""
_VERBS = """\
Milliseconds for importing, starting and ending; microseconds for the others. *First run*: in a process that has just
started, in a store that is there; *again*: each further run in that process, as in a sweep, the value in it not
counted. Ours brings all that was logged to the disk at the end (`fsync`), which of the others only SQLite does; the
row without it is there to compare. –: the tracker has no such verb, or takes settings at the start alone.
"""
_SCRIPT = """\
*Time* is from the start of the process to its end. *Memory* is the most that the process and its helpers had. *Added*:
to a store that held one run.
"""


def render(found, plots, steps):
    """Write the part on the peers."""
    order = sorted(found, key=lambda name: median(found, name, "verbs", "value_us") or 1e12)
    ours = median(found, "ours", "verbs", "value_us")
    rows = []
    for name in order:
        verbs = found[name]["verbs"]
        cost = median(verbs, "value_us")
        rows.append([
            title(name), spread(verbs.get("value_us")), times(cost / ours) if cost and ours else "–",
            times(median(verbs, "value_over_bare")) if cost else "–", spread(verbs.get("all_in_us")),
            *_survived(found[name].get("killed") or {}),
        ])  # fmt: skip
    counts = sorted({int(count) for name in order for count in found[name].get("killed") or {}})
    bars = [
        svg.Bar(PEERS[name].title, median(found, name, "verbs", "value_us"),
                "%s µs" % number(median(found, name, "verbs", "value_us")), name in OURS)
        for name in order if name != "ours-no-fsync" and median(found, name, "verbs", "value_us")
    ]  # fmt: skip
    heads = ["tracker", "µs a value, on return", "of ours", "of a bare loop", "µs a value, with the end of the run"]
    chart = svg.bars("One logged value", "microseconds until the call returns, logarithmic; shorter is better", bars)
    return "\n".join([
        "\n## One logged value\n",
        plots.show("value", "Time of one logged value, by tracker", chart),
        table([*heads, *("kept after `kill -9` at %s" % count for count in counts)], rows),
        _VALUE,
        "## The other verbs\n",
        _verbs_table(found, order),
        _VERBS,
        "## A whole script\n",
        f"Five settings, {steps:,} steps of ten metrics each, the end.\n",
        _script_table(found, order),
        _SCRIPT,
    ])  # fmt: skip


def _survived(killed):
    cells = []
    for count in sorted(killed, key=int):
        there = killed[count]
        if there is None:
            cells.append("not measured")
        else:
            cells.append("all" if there >= int(count) else f"{there:,} of {int(count):,}")
    return cells


def _verbs_table(found, order):
    heads = ["tracker", "import, ms", "start, first run", "end, first run", "start + end, again", "first value",
             "ten metrics of a step", "a param", "a tag"]  # fmt: skip
    rows = []
    for name in order:
        verbs = found[name]["verbs"]
        rows.append([
            title(name), spread(found[name].get("import_us"), 1e-3), spread(verbs.get("start_us"), 1e-3),
            spread(verbs.get("end_us"), 1e-3), spread(verbs.get("run_again_us"), 1e-3),
            spread(verbs.get("first_value_us")), spread(verbs.get("ten_us")), spread(verbs.get("param_us")),
            spread(verbs.get("tag_us")),
        ])  # fmt: skip
    return table(heads, rows)


def _script_table(found, order):
    rows = []
    for name in sorted(order, key=lambda name: median(found, name, "script_s") or 1e12):
        disk, peak = found[name].get("disk"), median(found, name, "peak_bytes")
        rows.append([
            title(name), spread(found[name].get("script_s")), size(peak) if peak else "–",
            size(disk["bytes"]) if disk else "–", size(disk["bytes_on_disk"]) if disk else "–",
            disk["files"] if disk else "–",
        ])  # fmt: skip
    return table(["tracker", "time, s", "memory", "bytes in files", "bytes on disk", "files added"], rows)
