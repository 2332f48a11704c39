"""What has come since the page asked last: the answer of ``api/live``?"""

from __future__ import annotations

from array import array
from functools import partial
from threading import Lock
from time import monotonic

from ...errors import InvalidValueError
from ...keys import check_known_key
from . import axes, packing, series, tables, thinning
from .requests import MAX_SERIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

    from .histories import Histories, History
    from .patience import Patience
    from .requests import Body
    from .series import Source
    from .stores import Stores

_FRESH_S = 0.8  # pages that ask within this time get the same look at the store
_MOST_STAMPS = 64
_MOST_ROWS = 50000  # of one series that are sent; who is further behind reads the chart anew
_LONGEST_CURSOR = 40
_READING = "reading"  # stands for a stamp while the store is read for the first time


class Stamps:
    """How each choice of experiments stood, so that many pages cost as much as one."""

    def __init__(self, patience: Optional[Patience] = None) -> None:
        self._patience = patience
        self._lock = Lock()
        self._known: Dict[Any, Tuple[float, str]] = {}

    def get(self, chosen: tables.Chosen, stage: str) -> str:
        """Return what is the same as long as nothing has changed in some experiments."""
        if self._patience is not None and self._patience.is_reading(chosen, stage):
            return _READING
        name = stage, tuple((store.number, tuple(map(str, ids))) for store, ids in chosen)
        with self._lock:
            looked_at, stamp = self._known.get(name, (0.0, ""))
        if stamp and monotonic() - looked_at < _FRESH_S:
            return stamp
        found: str = tables.ask(chosen, stage, lambda table: table.stamp)
        with self._lock:
            self._known[name] = (monotonic(), found)
            while len(self._known) > _MOST_STAMPS:
                del self._known[next(iter(self._known))]
        return found


def read_live(
    stores: Stores, histories: Histories, stamps: Stamps, body: Body, now_ms: int
) -> Union[bytes, Dict[str, Any], None]:
    """Return what is new: bytes where rows have come, an object where only the table changed, None for nothing."""
    chosen = tables.choose(stores, body)
    stamp = stamps.get(chosen, tables.stage_of(body))
    told: Dict[str, Any] = {"stamp": stamp, "is_changed": stamp != body.text("stamp", ""), "now_ms": now_ms}
    wanted = body.body("series")
    if wanted is not None:
        packer = packing.Packer()
        found = _appended(stores, histories, wanted, packer)
        if found:
            return packer.pack(dict(told, x=wanted.text("x", axes.STEP), series=found))
    return told if told["is_changed"] else None


def _appended(stores: Stores, histories: Histories, body: Body, packer: packing.Packer) -> List[Dict[str, Any]]:
    refs, keys = body.get_texts("runs"), [check_known_key(key) for key in body.get_texts("metrics")]
    axis = axes.check_axis(body.text("x", axes.STEP))
    cursors = body.list("since", most=MAX_SERIES) or []
    if len(cursors) != len(refs) * len(keys):
        raise InvalidValueError("since must have one cursor for each run and metric, or null.", value=None)
    found = []
    for number, ref in enumerate(refs):
        own = cursors[number * len(keys) : (number + 1) * len(keys)]
        if all(cursor is None for cursor in own):
            continue
        source = series.find_source(stores, ref)
        if source.place is None:
            continue
        for metric, (key, cursor) in enumerate(zip(keys, own)):
            if cursor is not None:
                news = _news(histories, source, key, axis, cursor, packer)
                if news is not None:
                    found.append({"run": number, "metric": metric, **news})
    return found


def _news(
    histories: Histories, source: Source, key: str, axis: str, cursor: Any, packer: packing.Packer
) -> Optional[Dict[str, Any]]:
    assert source.place is not None
    folder = source.place.folder
    history = histories.get(folder, key, is_live=True)
    epoch, count = _decode_cursor(cursor)
    if (epoch, count) == (history.epoch, history.count):
        return None
    told: Dict[str, Any] = {"n": 0, "since": history.cursor, "rows": history.count, "is_anew": True}
    is_behind = epoch != history.epoch or not 0 <= count < history.count or history.count - count > _MOST_ROWS
    if is_behind or axes.other_metric(axis) is not None:
        return told if history.count else None
    find_other = partial(histories.get, folder, is_live=True)
    placed = axes.place_rows(history, axis, source.start_ms, find_other)
    if placed.places is not None:
        return told  # times that go back: the new rows do not come last
    xs, ys = placed.xs[count:], placed.ys[count:]
    is_double = _needs_doubles(history, ys)
    told.update(
        is_anew=False,
        n=len(xs),
        x_at=packer.add("d", xs),
        y_at=packer.add("d" if is_double else "f", ys),
        y="f8" if is_double else "f4",
        **series.ends(history, axis, source.start_ms, find_other),
    )
    return told


def _needs_doubles(history: History, ys: Sequence[float]) -> bool:
    """Tell whether 32 bits are too coarse for the new values beside those that are on the chart."""
    least, most, _ = history.extremes()
    ends = [history.floats[place] for place in (least, most) if place is not None]
    return thinning.needs_doubles(array("d", [*ys, *ends]))


def _decode_cursor(cursor: Any) -> Tuple[int, int]:
    """Return what ``History.cursor`` tells.

    Raises:
        InvalidValueError: It is none.
    """
    if isinstance(cursor, str) and len(cursor) <= _LONGEST_CURSOR:
        epoch, _, count = cursor.partition(":")
        if epoch.isascii() and epoch.isdigit() and count.isascii() and count.isdigit():
            return int(epoch), int(count)
    raise InvalidValueError("since holds %.100r, which is no cursor of ours." % (cursor,), value=None)
