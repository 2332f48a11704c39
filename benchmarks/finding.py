"""What does the report say of finding runs?"""

from words import in_order, number, size, spread, table, title

_WORDS = """\

## Finding runs

Runs of 8 params and 5 metrics, made by copying one that the tracker itself had logged, each with numbers of its own.
The query is `metrics.loss > 0.5 and params.model = 'vit'`, ordered by `metrics.val_acc DESC`, the best 100.
Milliseconds: the first of a fresh process (imports apart), and the median of more in the same process. Memory is the
whole process's, at its most.
"""
_INDEX = """\

Mini MLflow's index: what making it costs over reading each file once (`os.walk`, `open`, `read`) with nothing done
about what was read, and what a search costs after %d runs that had ended were changed by `log_param`. Then, what
`mini-mlflow ls EXPERIMENT` takes on a terminal, the whole process, over a Python that does nothing.
"""


def render(found, changed):
    """Return the section.

    Args:
        found: By tracker, of each store: its number of runs and what was measured.
        changed: How many runs are changed.
    """
    points = [(name, runs, point) for name, some in in_order(found) for runs, point in some]
    rows = [_row(*each) for each in points]
    of_index = [_row_of_index(runs, point) for _, runs, point in points if point.get("index_s")]
    lines = [_WORDS, table(["tracker", "runs", "first, ms", "again, ms", "memory"], rows)]
    if of_index:
        heads = ["runs", "files read once, s", "first index, s", "ratio", "memory", "search after changes, ms"]
        heads.append("`ls`, ms")
        lines += [_INDEX % changed, table(heads, of_index)]
    return "\n".join(lines)


def _row(name, runs, point):
    times = [spread(point[field], 1000) for field in ("first_s", "again_s")]
    return [title(name), f"{runs:,}", *times, size(point["memory"]["median"])]


def _row_of_index(runs, point):
    ratio = "%.2f" % (point["index_s"] / point["read_once_s"])
    costs = [number(point["read_once_s"]), number(point["index_s"]), ratio, size(point["index_memory"])]
    listed = number((point["list_s"] - point["bare_s"]) * 1000) if "list_s" in point else "–"
    return [f"{runs:,}", *costs, number(point["changed_s"] * 1000), listed]
