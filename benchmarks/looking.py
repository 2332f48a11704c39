"""What does the report say of looking at many curves in a browser?"""

from sweeps import MOST_LOGGED
from words import in_order, median, number, size, spread, sweep, table, times, title

_WORDS = """\

## Looking at curves

Each tracker's own page, served by its own command on this machine (`mini-mlflow ui`, `mlflow ui`, `trackio show`), in
%s, in a window of 1440 × 900, by a browser without a cache and without a graphics processor. Of ours, the link that
was printed is opened; of MLflow, the experiment's runs as charts (`#/experiments/0/runs?compareRunsMode=CHART`); of
Trackio, the project. *First chart*: from the start of the navigation to the first frame in which a chart in the
window has lines: a canvas of at least 100 × 80 with 200 pixels in colour, or an SVG's path of ten points or more that
is stroked in colour; the same for all. *Cold*: the first opening after the server's start; *warm*: one after it, with a
new browser. Requests and bytes, as they went over the wire, are counted until nothing was on the way for a second;
where the page does not come to rest, for 10 seconds from the first chart, with a + behind. Then, what is asked for in
%d seconds while nobody does anything.

Mini MLflow's and Trackio's stores were written by their own functions. MLflow's first run was; the others are
copies of it with numbers of their own.%s
Each page shows what it shows at first, which is not the same: ours draws the 20 best runs, MLflow's the 10 newest,
Trackio's all.
"""
_COPIES = """
Of our %s runs the first %d were, the others are copies of these; their index was made just before, so that the first
opening reads again what is too new to be believed."""


def render(found, idle_s):
    """Return the section.

    Args:
        found: What was measured, or why nothing was.
        idle_s: How long was waited at the end, in seconds.
    """
    if "skipped" in found:
        return "\n\n## Looking at curves\n\nNot measured: %s.\n" % found["skipped"]
    heads = ["tracker", "sweep", "first chart, cold, s", "warm, s", "of ours"]
    heads += ["requests", "bytes", "requests while idle"]
    rows = []
    for runs, metrics, steps, points in found["sweeps"]:
        ours = median(points, "ours", "again", "chart_s")
        for name, point in in_order(points):
            rows.append([title(name), sweep(runs, metrics, steps), *_cells(point, ours)])
    failed = [
        "- %s, %s: not measured: %s\n" % (title(name), sweep(runs, metrics, steps), point["failed"])
        for runs, metrics, steps, points in found["sweeps"]
        for name, point in in_order(points)
        if "failed" in point
    ]
    missing = ["- Not installed: %s: %s\n" % each for each in found["missing"].items()]
    packages = sorted({"%s %s" % each for some in found["versions"].values() for each in some.items()})
    most = max((runs for runs, _, _, _ in found["sweeps"]), default=0)
    copies = _COPIES % (f"{most:,}", MOST_LOGGED) if most > MOST_LOGGED else ""
    lines = [_WORDS % (found["browser"], idle_s, copies), table(heads, rows), *failed, *missing]
    return "\n".join([*lines, "Packages: %s.\n" % ", ".join(packages)])


def _cells(point, ours):
    if "failed" in point:
        return ["–"] * 6
    warm, chart = point["again"], median(point, "again", "chart_s")
    more = "" if warm["is_quiet"] else "+"
    return [
        spread(point["first"]["chart_s"]),
        spread(warm["chart_s"]),
        times(chart / ours) if ours else "–",
        number(warm["requests"]["median"]) + more,
        size(warm["bytes"]["median"]) + more,
        number(median(warm, "idle_requests")),
    ]
