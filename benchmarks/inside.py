"""What does the report say of Mini MLflow alone: where its time goes, how it reads, what a slow disk does?"""

import svg
from peers import OURS
from words import in_order, number, size, spread, table, times, title

_LIMIT = """\
### What it cannot be

A value that is to survive `kill -9` must have left the process when the call returns, and only a system call takes
something out of a process. So a value costs at least one: the bare loop above is that one with the least around it. A
tracker that puts the value on a list in memory and returns makes none, and is faster by just that (Sacred, Trackio's
queue): what it has on the list when the process dies is gone, as the column *Kept* shows.

Writing into a memory-mapped file makes no system call either, and what is there survives the process. It was not
taken: where the file is cut by somebody else, or the disk is full, the kernel answers a write to memory with SIGBUS,
which ends the training, and no code of ours can turn that into a warning; the size must be set ahead, so that a file at
rest would end in filler; and a kill in the middle of the copy leaves half a row, where one write within a page is never
cut (rule M3 of [the format](format.md)).
"""
_SLOW_DISK = """\
*Calls* are those that the training waits for. Ours makes one a value, whatever the history and however many metrics;
one more at a page's end (one value in some eighty). Beside that it looks about once a second whether its folder and
each file are still its own: three calls each. On a slow disk these looks would cost more than the values, so they have
a budget: at most a tenth of the time. After looks that took 0.1 s none comes for 1 s; what is due waits in a line, the
longest wait first. So a value costs the time of 1.0 to 1.15 calls on average, one metric or a hundred; the worst single
value waits for one look more. What grows instead is the time until somebody else's change to a file is noticed.

Beyond the files that are kept open (half of what the system allows, 1,024 at most) a value costs five calls: open,
look, read the end, write, close. A new metric costs some ten, once. Starting and ending cost the calls of the second
table: the end looks at each file once more, opens and syncs it, and each folder (`MINI_MLFLOW_FSYNC=off` leaves that to
the kernel), so a run of a hundred metrics ends in seconds on a disk of 10 ms a call. A disk that does not answer at all
holds up the call that asked it: no thread of ours can change that without the value being lost in a kill. Where that is
too slow, log to a local disk and copy, or merge, the store afterwards ([reliability](reliability.md)).

Trackers that queue wait for nothing, and lose what they hold when the process dies.
"""


def render(found, plots):
    """Write the part on where the time goes."""
    parts = ["\n## Where the time goes\n"]
    one = (found.get("one_value") or {}).get("costs")
    if one:
        shares = _shares(one)
        bars = [svg.Bar(words, max(cost, 0.0), number(cost) + " µs", is_ours=True) for words, cost in shares]
        parts += [
            "### One `log_metric`\n",
            plots.show("one-value", "Where the time of one log_metric goes", svg.bars(
                "Where the time of one log_metric goes", "microseconds", bars, is_logarithmic=False)),
            table(["part", "µs"], [[words, number(cost)] for words, cost in shares]),
            "The whole is %s µs, %s of a bare loop (%s µs). Found by leaving parts out, in one process, in blocks that"
            % (spread(one["function"]), times(one["function"]["median"] / one["bare"]["median"]), spread(one["bare"])),
            "alternate; so the parts are differences of medians, and small ones are uncertain.",
            "Alone in a loop: the write %s µs, the text %s, the clock %s, the lock %s."
            % tuple(number(one[name]["median"] - one["nothing"]["median"])
                    for name in ("write_alone", "text_alone", "clock_alone", "lock_alone")),
            "`log_metrics` of ten: %s µs a value.\n" % spread(one["log_metrics_of_ten"]),
            _LIMIT,
        ]  # fmt: skip
    for field, words in (("one_run", "with fsync"), ("one_run_no_fsync", "without fsync")):
        run = found.get(field)
        if run:
            parts += [
                "### A run of one value, %s\n" % words,
                "µs: start %s, first value %s, end %s.\n"
                % tuple(spread(run["whole"][part]) for part in ("start", "first_value", "end")),
                table(["part", "µs a run", "calls a run"], [
                    [part, number(cost), number(calls)]
                    for part, (cost, calls) in sorted(run["parts"].items(), key=lambda item: -item[1][0]) if calls
                ]),
                *(["Not measured, as they have moved: %s.\n" % ", ".join(run["missing"])] if run["missing"] else []),
            ]  # fmt: skip
    if found.get("modules"):
        costs = sorted(((name, each["median"]) for name, each in found["modules"].items()), key=lambda item: -item[1])
        own = sum(cost for name, cost in costs if name.startswith("mini_mlflow"))
        rows = [["all of ours, %d modules" % sum(name.startswith("mini_mlflow") for name, _ in costs), number(own)]]
        rows += [["`%s`" % name, number(cost)] for name, cost in costs if cost >= 200]
        parts += [
            "### `import mini_mlflow`, by module\n",
            "By `-X importtime`, which makes each import slower: shares count, not sums. Those of 200 µs and more.\n",
            table(["module", "µs, itself alone"], rows),
        ]
    parts += _reading(found)
    return "\n".join(parts)


def _shares(one):
    cost = {name: each["median"] for name, each in one.items()}
    text = cost["text_alone"] - cost["nothing"]
    lock = cost["lock_alone"] - cost["nothing"]
    rest = cost["append_without_write_and_clock"] - cost["nothing"] - text - lock
    return [
        ("finding the active run", cost["function"] - cost["method"]),
        ("checks of key, value, step", cost["method"] - cost["append"]),
        ("the write", cost["append"] - cost["append_without_write"]),
        ("the clock", cost["append_without_write"] - cost["append_without_write_and_clock"]),
        ("the row as text", text),
        ("the lock", lock),
        ("where, which step, is a check due", rest),
        ("the loop itself", cost["nothing"]),
    ]


def _reading(found):
    parts = ["### Reading\n"]
    latest, history, memory = found.get("read_latest"), found.get("read_history"), found.get("memory")
    if latest:
        costs = latest["costs"]
        parts.append(
            "Latest values of %s runs (%d metrics of 100 values, 8 params): `list_runs` %s s, `get_run` of each %s s;"
            " finding and `json.loads` of the same files alone %s s.\n"
            % ("{:,}".format(latest["runs"]), latest["metrics"], spread(costs["list_runs"]), spread(costs["get_run"]),
               spread(costs["json_loads"]))
        )  # fmt: skip
    if history:
        costs = history["costs"]
        parts.append(
            "A history of %s points (%s): %s s into three arrays, %s s into rows; `json.loads` of the file %s s; its"
            " latest value %s ms; a curve of it, 1,000 pixels wide, once the page's server has read it, %s ms.\n"
            % ("{:,}".format(history["points"]), size(history["bytes"]), spread(costs.get("columns")),
               spread(costs["history"]), spread(costs["json_loads"]), spread(costs["latest"], 1e3),
               spread(costs.get("curve"), 1e3))
        )  # fmt: skip
    if memory:
        parts.append(
            "Memory of a metric: %s while its file is open, %s beyond that.\n"
            % (size(memory["bytes_within"]), size(memory["bytes_beyond"]))
        )
    return parts


def render_slow_disk(found):
    """Write the part on a slow disk."""
    if "skipped" in found:
        return "\n## On a slow disk\n\nNot measured: %s.\n" % found["skipped"]
    many = next((field for field in found.get("ours", {}) if field.endswith(" many")), None)
    rows, edges = [], []
    for name, delays in in_order(found):
        one, hundred = (_cells(delays, suffix) for suffix in ("", " many"))
        rows.append([title(name), *one])
        if name in OURS:
            rows.append([title(name) + ", many metrics in turn", *hundred])
        edge = delays.get("0") or {}
        if edge.get("start_calls"):
            slow = delays.get("10000") or delays.get("1000") or {}
            edges.append([
                title(name), number(edge["start_calls"]), number(edge["end_calls"]),
                number((delays.get("0 many") or {}).get("end_calls")), number(slow.get("start_ms")),
                number(slow.get("end_ms")),
            ])  # fmt: skip
    heads = ["tracker", "calls a value", "µs a value, as it is", "calls, 1 ms each", "µs a value", "calls, 10 ms each",
             "µs a value"]  # fmt: skip
    edge_heads = ["tracker", "calls of a start", "of an end, one metric", "of an end, many", "ms of a start, slow",
                  "ms of an end, slow, one metric"]  # fmt: skip
    return "\n".join([
        "\n## On a slow disk\n",
        "Each call of the training's thread that touches a file takes 1 or 10 ms longer: what does it wait for?"
        + (" *Many*: 100, or 10 in a quick run." if many else "") + "\n",
        table(heads, rows),
        "Starting and ending, as it is, and with the longest delay:\n",
        table(edge_heads, edges),
        _SLOW_DISK,
    ])  # fmt: skip


def _cells(delays, suffix):
    """Write the calls and the cost of a value without delay, and with each."""
    cells = []
    for delay in ("0", "1000", "10000"):
        measured = delays.get(delay + suffix)
        cells += [number((measured or {}).get("calls")), _cost(measured)]
    return cells


def _cost(found):
    """Write the cost of a value on a slow disk."""
    return number(found["value_us"]) if found else "–"
