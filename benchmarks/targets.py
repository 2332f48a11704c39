"""Which speeds does this project hold itself to, and were they reached?"""

from peers import PEERS
from words import median, number, sweep


def rows(results):
    """Return each target, what was measured, and whether it was reached; what was not measured is left out."""
    checked = []
    peers, ours = results.get("peers", {}), results.get("ours", {})

    def value(name):
        return median(peers, name, "verbs", "value_us")

    def check(words, limit, found, text):
        if found is not None:
            checked.append((words, text, "yes" if found <= limit else "**no**"))

    over_bare = median(ours, "one_value", "over_bare") or median(peers, "ours", "verbs", "value_over_bare")
    check("one value: at most 1.6 times a bare loop of clock, f-string and `os.write`", 1.6, over_bare,
          over_bare and "%.2f times" % over_bare)  # fmt: skip
    for name, words, least in (
        ("mlflow-files", "MLflow's file store", 100),
        ("mlflow-sqlite", "MLflow with SQLite", 750),
        ("0.1.0", "mini-mlflow 0.1.0", 50),
    ):
        if value(name) and value("ours"):
            ratio = value("ours") / value(name)
            check("one value: at most 1/%d of %s" % (least, words), 1 / least, ratio, "1/%s" % number(1 / ratio))
    queues = {name: value(name) for name in ("tensorboard", "tensorboardx", "swanlab", "trackio", "sacred")}
    queues = {name: cost for name, cost in queues.items() if cost}
    if queues and value("ours"):
        fastest = min(queues, key=queues.get)
        check("one value: below every tracker that only queues in memory (TensorBoard, SwanLab, Trackio, Sacred)",
              queues[fastest], value("ours"),
              "%s µs; of them, %s: %s µs" % (number(value("ours")), fastest, number(queues[fastest])))  # fmt: skip
        ends = {name: median(peers, name, "verbs", "all_in_us") for name in queues}
        ends = {name: cost for name, cost in ends.items() if cost}
        whole = median(peers, "ours", "verbs", "all_in_us")
        if ends and whole:
            least = min(ends, key=ends.get)
            check("the same with the end of the run, which writes what is queued", ends[least], whole,
                  "%s µs; of them, %s: %s µs" % (number(whole), least, number(ends[least])))  # fmt: skip
    imported = median(peers, "ours", "import_us")
    check("`import mini_mlflow`: at most 12 ms more than `python -c pass`", 12000, imported,
          imported and "%s ms" % number(imported / 1000))  # fmt: skip
    here = median(peers, "ours-no-fsync", "verbs", "run_again_us")
    there = median(peers, "mlflow-files", "verbs", "run_again_us")
    if here and there:
        check("start and end of a run, without fsync: at most 1/20 of MLflow's file store", 1 / 20, here / there,
              "1/%s" % number(there / here))  # fmt: skip
    columns = median(ours, "read_history", "costs", "columns")
    loads = median(ours, "read_history", "costs", "json_loads")
    if columns and loads:
        check("a long history into arrays: at most one `json.loads` of its file", 1.0, columns / loads,
              "%.2f times" % (columns / loads))  # fmt: skip
    curve_s = median(ours, "read_history", "costs", "curve")
    check("a curve of that history, once it was read: at most 0.2 s", 0.2, curve_s, curve_s and "%.3f s" % curve_s)
    memory = (ours.get("memory") or {}).get("bytes_beyond")
    check("memory of a metric beyond the open files: at most 200 bytes", 200, memory, memory and "%.0f bytes" % memory)
    points = ((results.get("growth", {}).get("history") or {}).get("ours") or {}).get("points")
    if points and len(points) > 3:
        # The first hundreds hold what is imported late; from there to the end it must not grow.
        ratio = points[-1][1] / min(cost for _, cost in points[1:])
        check("one value: as fast with a long history as with a short one (at most 1.3 times)", 1.3, ratio,
              "%.2f times, at %s values" % (ratio, f"{points[-1][0]:,}"))  # fmt: skip
    points = ((results.get("growth", {}).get("runs") or {}).get("ours") or {}).get("points")
    if points and len(points) > 1:
        first, last = median(points[0][1], "value_us"), median(points[-1][1], "value_us")
        check("one value: as fast with many runs in the store as with one (at most 1.3 times)", 1.3, last / first,
              "%.2f times, with %s runs" % (last / first, f"{points[-1][0]:,}"))  # fmt: skip
    _finding(results, check)
    _looking(results.get("page", {}), check)
    return checked


def _finding(results, check):
    largest = {name: points[-1] for name, points in results.get("searching", {}).items() if points}
    if "ours" in largest:
        runs, point = largest["ours"]
        check("the top 100 of 100,000 runs, filtered and sorted, in a fresh process: at most 0.15 s", 0.15,
              point["first_s"]["median"], "%.3f s, of %s runs" % (point["first_s"]["median"], f"{runs:,}"))  # fmt: skip
        others, theirs = largest.get("mlflow-sqlite", (0, None))
        same = dict(results["searching"]["ours"]).get(others)
        if same:
            ratio = same["first_s"]["median"] / theirs["first_s"]["median"]
            check("the same over MLflow's SQLite, on the most runs that it was given: at most 1/20", 1 / 20, ratio,
                  "1/%s, of %s runs" % (number(1 / ratio), f"{others:,}"))  # fmt: skip
        check(
            "memory of that: at most 300 MB",
            300e6,
            point["memory"]["median"],
            "%.0f MB" % (point["memory"]["median"] / 1e6),
        )
        if "list_s" in point:
            over_s = point["list_s"] - point["bare_s"]
            check("`ls` of 100,000 runs on a terminal, over bare Python: at most 0.4 s", 0.4, over_s,
                  "%.2f s, of %s runs" % (over_s, f"{runs:,}"))  # fmt: skip
        middle = [each for count, each in results["searching"]["ours"] if count == 20000]
        if middle:
            ratio = middle[0]["index_s"] / middle[0]["read_once_s"]
            check(
                "the first index of 20,000 runs: at most twice reading their files once", 2, ratio, "%.2f times" % ratio
            )


def _looking(found, check):
    for runs, metrics, steps, points in found.get("sweeps", []):
        first = {name: median(point, "again", "chart_s") for name, point in points.items()}
        ours = first.pop("ours", None)
        failed = points.get("ours", {}).get("failed")
        check("the page's first chart of %s, warm: at most 1 s" % sweep(runs, metrics, steps), 1.0,
              float("inf") if failed else ours, failed or (ours and "%.2f s" % ours))  # fmt: skip
        for name, theirs in first.items():
            if ours and theirs:
                check("the same over the page of %s: below" % PEERS[name].title, 1.0, ours / theirs,
                      "1/%s" % number(theirs / ours))  # fmt: skip
