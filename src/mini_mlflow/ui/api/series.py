"""What does a chart get: series of runs or of groups, thinned to its pixels, as one binary document?"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import namedtuple
from functools import partial
from math import inf
from time import monotonic

from ... import clock
from ...errors import InvalidValueError
from ...keys import check_known_key
from ...store import reader
from . import axes, bands, packing, plain, thinning
from .requests import MAX_SERIES
from .tables import stage_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

    from .histories import Histories, History
    from .requests import Body
    from .stores import Place, Stores

_BUDGET_S = 2.0  # what was not read by then is asked for again
_MOST_RAW = 20000  # points of one series that are all sent
_MOST_KINDS = 8  # of charts that a history is kept thinned for


class Source(namedtuple("Source", ["place", "name", "start_ms", "is_live"])):
    """A run whose histories are asked for; ``place`` is None where it is gone, ``name`` where it has none."""

    __slots__ = ()

    place: Optional[Place]
    name: Optional[str]
    start_ms: Optional[int]
    is_live: bool


class Points(namedtuple("Points", ["xs", "ys", "kind", "is_raw", "gaps"])):
    """What a chart gets of one history; ``kind`` is ``f4`` or ``f8``."""

    __slots__ = ()

    xs: array[float]
    ys: array[float]
    kind: str
    is_raw: bool
    gaps: List[List[float]]


def find_source(stores: Stores, ref: str, stage: str = "active") -> Source:
    """Return a run by its reference, one of the trash where the stage is ``deleted``; one that is gone has no place.

    Raises:
        InvalidIdError: It is no reference.
    """
    try:
        place = stores.get_deleted_run(ref) if stage == "deleted" else stores.get_run(ref)
        fields = reader.read_metadata(place.folder, [])
    except FileNotFoundError:
        return Source(None, None, None, is_live=False)
    name = fields.get("name")
    start_ms, is_live = clock.decode_time(fields.get("start_time")), fields.get("status") == reader.RUNNING
    return Source(place, None if name is None else str(name), start_ms, is_live)


def read_series(stores: Stores, histories: Histories, body: Body, now_ms: int, *, is_whole: bool = False) -> bytes:
    """Return the answer of ``api/series``.

    Args:
        stores: The stores.
        histories: What was read already.
        body: The request.
        now_ms: The clock.
        is_whole: Whether all is read however long it takes, and there is no bound to the number of series.
    """
    refs, keys = body.get_texts("runs"), [check_known_key(key) for key in body.get_texts("metrics")]
    axis, width = axes.check_axis(body.text("x", axes.STEP)), body.whole("width", 640, 16, 4096)
    bounds = body.range("range")
    groups = _groups(body, len(refs))
    if (len(groups) if groups is not None else len(refs)) * len(keys) > MAX_SERIES and not is_whole:
        raise InvalidValueError("At most %d series are sent at once." % MAX_SERIES, value=None)
    stage = stage_of(body)
    sources = [find_source(stores, ref, stage) for ref in refs]
    packer = packing.Packer()
    header: Dict[str, Any] = {"x": axis, "now_ms": now_ms, "pending": None}
    deadline = inf if is_whole else monotonic() + _BUDGET_S
    chart = axis, width, bounds, body.flag("means")
    if groups is None:
        header["series"], left = _run_series(histories, sources, keys, chart, packer, deadline)
    else:
        kind = body.choice("band", (bands.RANGE, bands.STD, bands.SEM))
        header["series"], left = _group_series(histories, sources, keys, groups, kind, chart, packer, deadline)
    if left:
        header["pending"] = {
            "done": len(header["series"]) - left, "total": len(header["series"]), "what": "Reading histories",
        }  # fmt: skip
    return packer.pack(header)


def _run_series(
    histories: Histories,
    sources: Sequence[Source],
    keys: Sequence[str],
    chart: Tuple[str, int, Any, bool],
    packer: packing.Packer,
    deadline: float,
) -> Tuple[List[Any], int]:
    found: List[Any] = []
    left = 0
    for number, source in enumerate(sources):
        for metric, key in enumerate(keys):
            about: Dict[str, Any] = {"run": number, "metric": metric, "n": 0, "rows": 0, "error": None}
            if found and monotonic() > deadline:
                about["error"] = "pending"
                left += 1
            elif source.place is None:
                about["error"] = "gone"
            else:
                _describe(histories, source, key, chart, about, packer)
            found.append(about)
    return found, left


def _describe(
    histories: Histories,
    source: Source,
    key: str,
    chart: Tuple[str, int, Any, bool],
    about: Dict[str, Any],
    packer: packing.Packer,
) -> None:
    """Fill in what is known of one series, and pack its points."""
    assert source.place is not None
    axis, width, bounds, has_means = chart
    folder = source.place.folder
    history = histories.get(folder, key, is_live=source.is_live)
    about.update(rows=history.count, since=history.cursor, error=history.problem if not history.count else None)
    if not history.count:
        return
    find_other = partial(histories.get, folder, is_live=source.is_live)
    points = thinned(history, axis, width, bounds, source.start_ms, find_other)
    if has_means and not points.is_raw:
        means = _means(history, axis, width, bounds, source.start_ms, find_other)
        about.update(m=len(means.xs), mx_at=packer.add("d", means.xs), mw_at=packer.add("I", means.counts))
        about["my_at"] = packer.add("d" if points.kind == "f8" else "f", means.ys)
    about.update(
        n=len(points.xs),
        x_at=packer.add("d", points.xs),
        y_at=packer.add("d" if points.kind == "f8" else "f", points.ys),
        y=points.kind,
        is_raw=points.is_raw,
        gaps=points.gaps,
        **ends(history, axis, source.start_ms, find_other),
    )


def thinned(
    history: History,
    axis: str,
    width: int,
    bounds: Any,
    start_ms: Optional[int],
    find_other: Callable[[str], History],
) -> Points:
    """Return the points that a chart needs of a history; made once for each kind of chart."""
    kind = axis, width, bounds, start_ms if axis == axes.RELATIVE else None
    points = history.thinned.get(kind) if axes.other_metric(axis) is None else None
    if points is None:
        xs, ys, _, gaps = axes.place_rows(history, axis, start_ms, find_other)
        is_finite = history.extremes().first_not_finite is None
        places = thinning.thin(xs, ys, width, bounds, is_finite=is_finite)
        start, stop = thinning.window(xs, bounds)
        is_raw = len(places) == stop - start
        if not is_raw and bounds is not None and stop - start <= min(_MOST_RAW, 4 * width):
            places, is_raw = range(start, stop), True
        chosen = ys[places.start : places.stop] if isinstance(places, range) else _pick(ys, places)
        points = Points(
            xs[places.start : places.stop] if isinstance(places, range) else _pick(xs, places),
            chosen,
            "f8" if thinning.needs_doubles(chosen) else "f4",
            is_raw,
            _within(gaps, bounds),
        )
        if len(history.thinned) >= _MOST_KINDS:
            history.thinned = {}
        history.thinned[kind] = points
    return points


def _means(
    history: History,
    axis: str,
    width: int,
    bounds: Any,
    start_ms: Optional[int],
    find_other: Callable[[str], History],
) -> thinning.Means:
    """Return the means of the columns of a chart; made once for each kind of chart."""
    kind = "means", axis, width, bounds, start_ms if axis == axes.RELATIVE else None
    means: Optional[thinning.Means] = history.thinned.get(kind) if axes.other_metric(axis) is None else None
    if means is None:
        placed = axes.place_rows(history, axis, start_ms, find_other)
        means = history.thinned[kind] = thinning.column_means(placed.xs, placed.ys, width, bounds)
    return means


def _within(gaps: List[List[float]], bounds: Any) -> List[List[float]]:
    return gaps if bounds is None else [gap for gap in gaps if gap[1] > bounds[0] and gap[0] < bounds[1]]


def ends(
    history: History, axis: str, start_ms: Optional[int], find_other: Callable[[str], History]
) -> Dict[str, Any]:
    """Return the last, least and greatest row of a history, and where it was not finite first.

    On the axis of another metric a row without a value of that one has no place; ``end`` is the last row that has one.
    """
    extremes = history.extremes()
    broken = extremes.first_not_finite
    last = history.count - 1
    if axes.other_metric(axis) is None:
        end = last
        places = {place: _x_of(history, place, axis, start_ms) for place in (last, *extremes) if place is not None}
    else:
        placed = axes.place_rows(history, axis, start_ms, find_other)
        end = max(placed.places or (), default=last)
        wanted = {last, end, *extremes}
        places = {place: x for x, place in zip(placed.xs, placed.places or ()) if place in wanted}
    return {
        "last": _describe_row(history, last, places),
        "end": _describe_row(history, end, places),
        "min": None if extremes.least is None else _describe_row(history, extremes.least, places),
        "max": None if extremes.most is None else _describe_row(history, extremes.most, places),
        "first_nan": None if broken is None else places.get(broken),
        "first_nan_step": None if broken is None else history.columns.steps[broken],
    }


def _describe_row(history: History, place: int, places: Dict[int, float]) -> Dict[str, Any]:
    """Return one row with its place on the axis."""
    row = history.row(place)
    return {
        "x": places.get(place),
        "step": plain.number(row.step),
        "timestamp": row.timestamp,
        "value": plain.number(row.value),
    }


def read_ahead(
    stores: Stores, histories: Histories, refs: Sequence[str], keys: Sequence[str], deadline: float
) -> None:
    """Read histories that will be asked for, as far as there is time."""
    sources = [find_source(stores, ref) for ref in refs]
    for key in keys:
        for source in sources:
            if monotonic() > deadline:
                return
            if source.place is not None:
                histories.get(source.place.folder, key, is_live=source.is_live).extremes()


def read_values(stores: Stores, histories: Histories, body: Body) -> Dict[str, Any]:
    """Return the answer of ``api/values``: of each run the row nearest to a place on the axis."""
    refs, key = body.get_texts("runs", most=200), check_known_key(body.text("metric"))
    axis, at = axes.check_axis(body.text("x", axes.STEP)), body.number("at")
    found: List[Any] = []
    stage = stage_of(body)
    for ref in refs:
        source = find_source(stores, ref, stage)
        if source.place is None:
            found.append(None)
            continue
        folder, is_live = source.place.folder, source.is_live
        history = histories.get(folder, key, is_live=is_live)
        find_other = partial(histories.get, folder, is_live=is_live)
        placed = axes.place_rows(history, axis, source.start_ms, find_other)
        found.append(_nearest(history, placed.xs, placed.places, at))
    return {"values": found}


def _nearest(history: History, xs: Sequence[float], places: Optional[Sequence[int]], at: float) -> Any:
    if not len(xs):
        return None
    after = bisect_left(xs, at)
    near = [place for place in (after - 1, after) if 0 <= place < len(xs)]
    best = min(near, key=lambda place: abs(xs[place] - at))
    row = history.row(best if places is None else places[best])
    return {"x": xs[best], "step": row.step, "timestamp": row.timestamp, "value": plain.number(row.value)}


def _group_series(
    histories: Histories,
    sources: Sequence[Source],
    keys: Sequence[str],
    groups: Sequence[Sequence[int]],
    kind: str,
    chart: Tuple[str, int, Any, bool],
    packer: packing.Packer,
    deadline: float,
) -> Tuple[List[Any], int]:
    axis, width, bounds, _ = chart
    found: List[Any] = []
    left = 0
    for number, members in enumerate(groups):
        for metric, key in enumerate(keys):
            about: Dict[str, Any] = {"group": number, "metric": metric, "n": 0, "members": 0, "error": None}
            found.append(about)
            if len(found) > 1 and monotonic() > deadline:
                about["error"] = "pending"
                left += 1
                continue
            lines = [_line(histories, sources[member], key, axis) for member in members]
            lines = [line for line in lines if len(line[0])]
            band = bands.make_band(lines, width, kind, bounds)
            is_double = thinning.needs_doubles(band.mean)
            letter = "d" if is_double else "f"
            about.update(
                n=len(band.xs), members=len(members), y="f8" if is_double else "f4", x_at=packer.add("d", band.xs),
                mean_at=packer.add(letter, band.mean), low_at=packer.add(letter, band.low),
                high_at=packer.add(letter, band.high), count_at=packer.add("H", band.counts),
            )  # fmt: skip
    return found, left


def _line(histories: Histories, source: Source, key: str, axis: str) -> Tuple[array[float], array[float]]:
    if source.place is None:
        return array("d"), array("d")
    folder, is_live = source.place.folder, source.is_live
    history = histories.get(folder, key, is_live=is_live)
    placed = axes.place_rows(history, axis, source.start_ms, partial(histories.get, folder, is_live=is_live))
    return placed.xs, placed.ys


def _groups(body: Body, count: int) -> Optional[List[List[int]]]:
    given = body.list("groups", most=MAX_SERIES)
    if given is None:
        return None
    for members in given:
        is_list = isinstance(members, list) and len(members) <= MAX_SERIES
        if not is_list or not all(type(place) is int and 0 <= place < count for place in members):
            raise InvalidValueError("groups must be lists of places in runs, from 0 to %d." % (count - 1), value=None)
    return given


def _x_of(history: History, place: int, axis: str, start_ms: Optional[int]) -> float:
    if axis == axes.TIME:
        return history.columns.timestamps[place]
    if axis == axes.RELATIVE:
        first = min(history.columns.timestamps) if start_ms is None else start_ms
        return (history.columns.timestamps[place] - first) / 1000
    return history.columns.steps[place]


def _pick(column: array[float], places: Sequence[int]) -> array[float]:
    return array("d", map(column.__getitem__, places))
