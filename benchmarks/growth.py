"""What does the report say of how the cost grows?"""

import svg
from peers import PEERS
from words import in_order, median, number, spread, table, title

_SERIES = {
    "ours": ("Mini MLflow", 0),
    "0.1.0": ("0.1.0", 1),
    "mlflow-files": ("MLflow, files", 2),
    "mlflow-sqlite": ("MLflow, SQLite", 3),
}
_HISTORY = """\
Each point is the mean of the values since the point before. The others had 8 s and ours ten times as long, or until the
last count. Reached: %s.
"""
_METRICS = """\
Ours keeps up to 1,024 files open (fewer where the system allows fewer); beyond, a value costs an open more. –: it would
have taken longer than the time that each had.
"""
_RUNS = """\
The runs were made by copying one that the tracker had made. *The newest run*: found and its history read, by the
tracker's own interface (0.1.0 has none for that; ours looks at every run's meta.yaml, without an index).
"""


def render(found, plots):
    """Write the part on growth."""
    parts = ["\n## What grows\n"]
    histories = {name: (each or {}).get("points", []) for name, each in found["history"].items()}
    metrics = {name: (each or {}).get("points", []) for name, each in found["metrics"].items()}
    runs = {name: (each or {}).get("points", []) for name, each in found["runs"].items()}
    parts += [
        "### With the history\n",
        plots.show("history", "Time of a value by the length of the history", _lines(
            "A value, by the length of its history", "values of the metric so far", histories)),
        _HISTORY % _reached(histories),
        "### With the number of metrics\n",
        plots.show("metrics", "Time of a value by the number of metrics", _lines(
            "A value, by the number of metrics logged in turn", "metrics of the run",
            {name: [[point[0], point[2]] for point in points] for name, points in metrics.items()})),
        _metrics_table(metrics),
        _METRICS,
        "### With the number of runs in the store\n",
        plots.show("runs", "Time of a value by the number of runs in the store", _lines(
            "A value, by the number of runs in the store", "runs in the store",
            {name: [[point[0], median(point[1], "value_us")] for point in points] for name, points in runs.items()})),
        _runs_table(runs),
        _RUNS,
    ]  # fmt: skip
    return "\n".join(parts)


def _lines(title, x_title, points):
    series = [svg.Series(*_SERIES[name][:1], points[name], _SERIES[name][1]) for name in _SERIES if points.get(name)]
    return svg.lines(title, "microseconds a value, both scales logarithmic", x_title, series)


def _reached(histories):
    return "; ".join(
        "%s %s values, the last at %s µs" % (PEERS[name].title, f"{points[-1][0]:,}", number(points[-1][1]))
        for name, points in in_order(histories) if points
    )  # fmt: skip


def _metrics_table(metrics):
    counts = sorted({point[0] for points in metrics.values() for point in points})
    rows = []
    for name, points in in_order(metrics):
        costs = {point[0]: "%s, then %s" % (number(point[1]), number(point[2])) for point in points}
        rows.append([title(name), *(costs.get(count, "–") for count in counts)])
    return table(["µs for a metric's first value, then for another", *(f"{each:,}" for each in counts)], rows)


def _runs_table(runs):
    rows = []
    for name, points in in_order(runs):
        for count, costs in points:
            rows.append([
                title(name), f"{count:,}", spread(costs["start_us"], 1e-3), spread(costs["value_us"]),
                spread(costs["end_us"], 1e-3), "–" if name == "0.1.0" else spread(costs["read_newest_us"], 1e-3),
            ])  # fmt: skip
    heads = ["tracker", "runs", "start, ms", "a value, µs", "end, ms", "the newest run, ms"]
    return table(heads, rows)
