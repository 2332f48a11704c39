"""How does what ``watch`` shows look: a table of runs, the curves of one metric below it, the keys at the bottom?"""

from __future__ import annotations

from . import chart, curves, fitted, legend, ranked, run_table, spans, tables, texts, titles
from .canvas import Pen
from .dashboard import DETAILS, FILTER, KEYS
from .live import BEST, RUNNING, STARTED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence, Tuple

    from .chart import Curve, View
    from .curves import Points
    from .dashboard import Dashboard
    from .live import LiveHistories, LiveRun
    from .screen import Screen
    from .tables import Column

# What is left out first where there is no room: a higher number goes earlier. How far a run is stays to the last.
_SPEED, _METRICS, _PARAMS, _EXPERIMENT, _HEARD, _LEFT, _STEP = 970.0, 900.0, 800.0, 600.0, 500.0, 450.0, 400.0
_AROUND = 8  # lines that are neither rows of runs nor rows of the chart
_FEWEST_ROWS = 3  # of runs, where there is a chart
_LEAST_CHART = 4  # rows; below that there is none
_MOST_METRICS = 6
_HINTS = (
    ("↑↓", "run"), ("space", "curve"), ("tab", "metric"), ("l", "log"), ("z", "zoom"), ("s", "smooth"),
    ("x", "time"), ("f", "filter"), ("o", "sort"), ("r", "running only"), ("enter", "show"),
)  # fmt: skip
_LAST_HINTS = (("?", "keys"), ("q", "quit"))
_DETAILS_HINTS = (("↑↓", "scroll"), ("esc", "back"), ("?", "keys"))
_FILTER_HINTS = (("enter", "apply"), ("esc", "leave"))
_HELP = (
    ("↑ ↓  j k", "choose a run; page up, home and so on, too"),
    ("space", "draw the curve of that run, or do not"),
    ("tab", "draw the next metric; shift-tab the one before"),
    ("l", "logarithmic or linear"),
    ("z", "zoom: fit what most do after the first tenth"),
    ("s", "smooth: not at all, 0.6, 0.9"),
    ("x", "by step or by time since the start"),
    ("f", "filter, such as val.acc > 0.9 and lr < 0.1"),
    ("o", "sort: running first, best latest value first, by name"),
    ("r", "running ones only"),
    ("enter", "show all of that run"),
    ("esc", "back; here: no filter any more"),
    ("q", "quit"),
)


class DashboardView:
    """Makes lines of what a dashboard shows; remembers curves that do not change."""

    def __init__(self, name: str, screen: Screen, histories: LiveHistories) -> None:
        """Draw nothing yet.

        Args:
            name: What is watched: an experiment or a store.
            screen: Its colours and signs.
            histories: Where curves come from.
        """
        self._name = name
        self._screen = screen
        self._histories = histories
        self._points: Dict[Any, Points] = {}
        self.details: List[str] = []

    def render(self, dashboard: Dashboard, width: int, height: int, now_ms: int) -> List[str]:
        """Return the lines of the whole screen.

        Args:
            dashboard: What is shown.
            width: Columns of the terminal.
            height: Its lines.
            now_ms: The clock.
        """
        if dashboard.mode == DETAILS:
            lines, hints = self._render_details(dashboard, height), list(_DETAILS_HINTS)
        elif dashboard.mode == KEYS:
            lines, hints = self._render_keys(), []
        else:
            lines, hints = self._render_runs(dashboard, width, height, now_ms), list(_HINTS)
        lines = [*lines[: height - 1], *[""] * (height - 1 - len(lines)), self._render_bottom(dashboard, hints, width)]
        return [texts.clip(line, width, self._screen.glyph("ellipsis")) for line in lines]

    def render_last(self, dashboard: Dashboard, width: int, height: int, now_ms: int) -> List[str]:
        """Return what stays when the dashboard is left: the table."""
        if dashboard.snapshot is None:
            return []
        shown = dashboard.window(max(1, height - 5))
        if not shown:
            return [self._title(dashboard, width)]
        return [self._title(dashboard, width), "", *self._render_table(dashboard, shown, width, now_ms, is_last=True)]

    def _render_runs(self, dashboard: Dashboard, width: int, height: int, now_ms: int) -> List[str]:
        count, room = len(dashboard.runs), height - _AROUND
        rows = min(count, max(_FEWEST_ROWS, room // 3), len(legend.LETTERS))
        chart_rows = room - rows
        if chart_rows < _LEAST_CHART or not dashboard.metrics:
            rows, chart_rows = max(1, min(count, height - 5, len(legend.LETTERS))), 0
        shown = dashboard.window(rows)
        lines = [self._title(dashboard, width), ""]
        if not shown:
            return [*lines, " " + self._say_why_empty(dashboard)]
        lines += self._render_table(dashboard, shown, width, now_ms)
        more = count - len(shown)
        lines.append(self._screen.styled("quiet", " %d more" % more) if more > 0 else "")
        if chart_rows:
            lines += self._render_chart(dashboard, shown, width, chart_rows)
        return lines

    def _title(self, dashboard: Dashboard, width: int) -> str:
        screen, snapshot = self._screen, dashboard.snapshot
        name = titles.name(self._name, screen, role="strong")
        if snapshot is None:
            return titles.fit([name], screen, width=width)
        facts = []
        if dashboard.filter:
            facts.append(dashboard.filter)
        if dashboard.is_running_only:
            facts.append("running only")
        if dashboard.order != STARTED:
            is_by_metric = dashboard.order == BEST and dashboard.metric is not None
            facts.append("by " + ("latest " + (dashboard.metric or "") if is_by_metric else dashboard.order))
        # The filter is the user's own words, and may be long: it is cut as names are.
        more = [
            titles.name(each, screen, titles.DOT if place else titles.GAP, "quiet") for place, each in enumerate(facts)
        ]
        full, short = (
            [name, *run_table.statuses(snapshot.counts, screen, with_words=each), *more] for each in (True, False)
        )
        return titles.fit(full, screen, short, width=width)

    def _say_why_empty(self, dashboard: Dashboard) -> str:
        if dashboard.snapshot is None:
            return "looking at the runs"
        if dashboard.is_running_only:
            return "no run is running; r shows the others"
        return "no run fits the filter; esc shows all" if dashboard.filter else "no runs yet"

    def _render_table(
        self, dashboard: Dashboard, shown: Sequence[LiveRun], width: int, now_ms: int, *, is_last: bool = False
    ) -> List[str]:
        screen = self._screen
        columns: List[Column] = []
        if not is_last:
            columns.append(tables.column("cursor", [
                screen.glyph("here") if each.key() == dashboard.cursor else "" for each in shown
            ], ""))  # fmt: skip
            numbers_of = [dashboard.number_of(each) for each in shown]
            letters = [
                " " if dashboard.is_hidden(each) else legend.LETTERS[number] for each, number in zip(shown, numbers_of)
            ]
            columns.append(tables.column("letter", letters, "", roles=list(map(legend.colour_of, numbers_of))))
        columns += _facts(shown, now_ms, screen, dashboard.snapshot.names if dashboard.snapshot else {})
        varying = _varying(dashboard.runs)
        for place, key in enumerate(varying):
            values = [each.params.get(key) for each in shown]
            columns.append(run_table.param_column(key, values, screen, drops=_PARAMS + place))
        columns += _metric_columns(dashboard, shown, screen)
        return tables.render(columns, screen, width=width)[0]

    def _render_chart(self, dashboard: Dashboard, shown: Sequence[LiveRun], width: int, rows: int) -> List[str]:
        screen, metric = self._screen, dashboard.metric or ""
        kind = chart.TIME if dashboard.is_by_time else chart.STEP
        view = chart.View(kind, kind, dashboard.is_log, dashboard.is_zoomed)
        drawn = self._curves(dashboard, shown, metric, view, width)
        lines = chart.draw(drawn, view, width, rows, is_ascii=screen.is_ascii, has_colour=screen.has_colour)
        metrics = dashboard.metrics
        facts = ["%d of %d" % (metrics.index(metric) + 1 if metric in metrics else 0, len(metrics))]
        facts.append("log" if dashboard.is_log else "linear")
        beyond = "".join(each.pen.letter for each in fitted.list_beyond(drawn, view))
        facts += ["zoomed" + (", %s beyond" % beyond if beyond else "")] if dashboard.is_zoomed else []
        facts += ["smoothed %g" % dashboard.weight] if dashboard.weight else []
        facts.append("by time" if dashboard.is_by_time else "by step")
        title = " %s  %s" % (
            screen.styled("strong", screen.clean(metric)), screen.styled("quiet", screen.own(" · ").join(facts))
        )  # fmt: skip
        if not lines:
            why = "no curve is drawn; space draws that of the chosen run" if not drawn else "no value has a place here"
            return [title, screen.styled("quiet", " " + why)]
        return [title, *(styled(line, screen) for line in lines)]

    def _curves(
        self, dashboard: Dashboard, shown: Sequence[LiveRun], metric: str, view: View, width: int
    ) -> List[Curve]:
        """Return the curves, the chosen one on top, then those that go on."""
        drawn: List[Tuple[int, Curve]] = []
        points: Dict[Any, Points] = {}
        for each in shown:
            if dashboard.is_hidden(each) or metric not in each.metrics:
                continue
            history = self._histories.read(each.run.folder, metric)
            if not history.steps:
                continue
            state = len(history.steps), history.timestamps[-1]
            place = (each.key(), metric, view.x_kind, dashboard.weight, width, *state)
            points[place] = self._points.get(place) or _points_of(each, history, view, width, dashboard.weight)
            rank = 0 if each.key() == dashboard.cursor else 1 if each.run.status == RUNNING else 2
            number = dashboard.number_of(each)
            drawn.append((rank, chart.Curve(Pen(number, legend.LETTERS[number]), *points[place], [])))
        self._points = points
        return [curve for _, curve in sorted(drawn, key=lambda pair: pair[0])]

    def _render_details(self, dashboard: Dashboard, height: int) -> List[str]:
        dashboard.scroll = max(0, min(dashboard.scroll, len(self.details) - (height - 1)))
        return self.details[dashboard.scroll :]

    def _render_keys(self) -> List[str]:
        screen = self._screen
        own = [(screen.own(key) if not screen.is_ascii else key.replace("↑ ↓", "^ v"), what) for key, what in _HELP]
        width = max(len(key) for key, _ in own)
        return [screen.styled("strong", "keys"), "", *(" %s  %s" % (key.ljust(width), what) for key, what in own)]

    def _render_bottom(self, dashboard: Dashboard, hints: Sequence[Tuple[str, str]], width: int) -> str:
        screen = self._screen
        message = screen.styled("warn", screen.clean(dashboard.message)) if dashboard.message else ""
        if dashboard.mode == FILTER:
            start = " filter  "
            typed = screen.clean(dashboard.typed)
            while typed and texts.width_of(start + typed) > width - 2:
                typed = typed[1:]  # what is typed now stays in sight
            line = start + typed + "_"
            room = width - texts.width_of(line) - 3
            return line + "   " + (message or _render_hints(_FILTER_HINTS, (), screen, room))
        if message:
            return " " + message
        if dashboard.mode == KEYS:
            return screen.styled("quiet", " any key goes back")
        return _render_hints(hints, _LAST_HINTS if dashboard.mode != DETAILS else (("q", "back"),), screen, width)


def styled(line: Sequence[Any], screen: Screen) -> str:
    """Return a line of a chart as text with colours, where the screen has them."""
    return "".join(
        text if colour is None else screen.styled("quiet" if colour == chart.FRAME else legend.colour_of(colour), text)
        for text, colour in line
    )


def _facts(shown: Sequence[LiveRun], now_ms: int, screen: Screen, names: Dict[str, str]) -> List[Column]:
    """Return the columns that every run has: status, name, how far and how fast it is."""
    none = screen.own("·")
    columns = [
        tables.column("mark", [screen.mark(each.run.status, plain=True) for each in shown], "", roles=[
            run_table.role_of(each.run.status) for each in shown
        ]),
        tables.column("name", [screen.clean(each.run.title()) for each in shown], shrinks="middle"),
    ]  # fmt: skip
    experiments = [each.run.experiment_id for each in shown]
    if len(set(experiments)) > 1:
        cells = [screen.clean(names.get(each, each)) for each in experiments]
        columns.append(tables.column("experiment", cells, shrinks="middle", drops=_EXPERIMENT))
    progress = [each.progress(now_ms) for each in shown]
    steps = [
        "%d/%d" % (far.step, far.total) if far else none if each.step is None else "%d" % each.step
        for each, far in zip(shown, progress)
    ]
    left = [none if far is None or far.left_s is None else spans.age(far.left_s) for far in progress]
    rates = [none if each.rate is None else _rate(each.rate) for each in shown]
    heard = [none if each.heard_ms is None else spans.age((now_ms - each.heard_ms) / 1000) + " ago" for each in shown]
    columns.append(tables.column("step", steps, is_right=True, drops=_STEP))
    if any(each != none for each in left):
        columns.append(tables.column("left", left, is_right=True, drops=_LEFT))
    columns.append(tables.column("/s", rates, is_right=True, drops=_SPEED))
    columns.append(tables.column("heard", heard, is_right=True, drops=_HEARD))
    return columns


def _metric_columns(dashboard: Dashboard, shown: Sequence[LiveRun], screen: Screen) -> List[Column]:
    """Return the latest values: of the metric that is drawn, and of those that matter most."""
    metrics = dashboard.metrics
    chosen = [key for key in metrics if key == dashboard.metric] + [key for key in metrics if key != dashboard.metric]
    columns = []
    for place, key in enumerate(key for key in metrics if key in chosen[:_MOST_METRICS]):
        values = [each.metrics.get(key) for each in shown]
        drops = None if key == dashboard.metric else _METRICS + place
        columns.append(run_table.metric_column(ranked.measure_of(key, is_last=True), values, screen, drops))
    return columns


def _rate(rate: float) -> str:
    return "%.3g" % rate if rate < 999.5 else "%d" % rate


def _varying(runs: Sequence[LiveRun]) -> List[str]:
    """Return the params that are not the same in all runs, those that are but the seed last."""
    from .. import seeds

    known = [{key: seeds.comparable(value) for key, value in each.params.items()} for each in runs]
    return sorted(seeds.list_varying(known), key=seeds.is_seed_like)


def _points_of(each: LiveRun, history: Any, view: View, width: int, weight: float) -> Points:
    if view.x_kind == chart.TIME:
        first = min(history.timestamps)
        start_ms = first if each.run.start_time is None else min(first, each.run.start_time)
        return curves.by_time(history, start_ms, width, weight)
    return curves.by_step(history, width, weight)


def _render_hints(hints: Sequence[Tuple[str, str]], last: Sequence[Tuple[str, str]], screen: Screen, width: int) -> str:
    """Return keys and what they do, as many as there is room for; the last ones stay."""
    chosen: Optional[List[Tuple[str, str]]] = list(hints)
    while chosen is not None:
        pairs = [("^v" if screen.is_ascii and key == "↑↓" else key, what) for key, what in [*chosen, *last]]
        line = " " + "   ".join("%s %s" % pair for pair in pairs)
        if texts.width_of(line) <= width or not chosen:
            return " " + "   ".join("%s %s" % (key, screen.styled("quiet", what)) for key, what in pairs)
        chosen.pop()
    return ""
