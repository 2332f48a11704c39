"""What does the report say of Mini MLflow alone: where its time goes, how it reads, what a slow disk does?"""

import svg
from words import in_order, number, size, spread, table, times, title

_SLOW_DISK = """\
Ours makes one call a value, whatever the history, and at a page's end (one value in about a hundred) a few more; once
a second it also looks whether each file that it wrote is still its own. So a value costs about one delay of the disk,
and never more because more has been logged; the files are synced at the end alone. Trackers that queue wait for
nothing, and lose what they hold when the process dies.
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
            "A history of %s points (%s): %s s into rows; `json.loads` of the file %s s; its latest value %s ms.\n"
            % ("{:,}".format(history["points"]), size(history["bytes"]), spread(costs["history"]),
               spread(costs["json_loads"]), spread(costs["latest"], 1e3))
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
    rows = []
    for name, delays in in_order(found):
        cells = [_cost(delays.get(delay)) for delay in ("0", "1000", "10000")]
        calls = (delays.get("0") or {}).get("calls")
        rows.append([title(name), number(calls), *cells])
    heads = ["tracker", "calls a value", "µs a value, as it is", "1 ms a call", "10 ms a call"]
    return "\n".join([
        "\n## On a slow disk\n",
        "Each call of the training's thread that touches a file takes 1 or 10 ms longer: what does it wait for?\n",
        table(heads, rows),
        _SLOW_DISK,
    ])  # fmt: skip


def _cost(found):
    """Write the cost of a value on a slow disk."""
    return number(found["value_us"]) if found else "–"
