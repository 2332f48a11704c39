"""What becomes of a history on its way to a chart or a table: one value per step, smoothed, thinned out, aligned?

Pure, and on plain arrays: a million points take a tenth of a second, and no package is needed.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from math import inf, isnan
from operator import lt

from .records import Columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, List, Optional, Sequence, Tuple, Union

    from .records import Number

FEWEST_POINTS = 5  # the first, last, least and greatest value and NaN: what a bucket may keep


def latest_per_step(parts: Iterable[Tuple[int, Columns]]) -> Columns:
    """Return one row for each step, sorted by step: what counts where a step was logged more than once.

    Of each writer it is the row that was written last; of these that of the greatest generation, then the newest
    timestamp, then the last (docs/format.md, rule W8). ``summary.latest_per_step`` does the same to rows.

    Args:
        parts: Of each writer the generation and its columns in the order of its file; the writers by generation, then
            by name.
    """
    given = [(generation, columns) for generation, columns in parts if columns.steps]
    if len(given) == 1 and _is_ascending(given[0][1].steps):
        return given[0][1]
    joined = _joined([columns for _, columns in given])
    steps, timestamps, values = joined
    chosen: Dict[int, int] = {}  # the place of the row that counts, by step
    start = generation_start = 0
    newest: Optional[int] = None
    for generation, columns in given:
        if generation != newest:
            newest, generation_start = generation, start
        places = dict(zip(columns.steps, range(start, start + len(columns.steps))))
        start += len(columns.steps)
        if chosen.keys() & places.keys():
            for step, place in places.items():
                other = chosen.get(step, -1)
                if other < generation_start or timestamps[place] >= timestamps[other]:
                    chosen[step] = place
        else:
            chosen.update(places)
    return take(Columns(steps, timestamps, values), [chosen[step] for step in sorted(chosen)])


def take(columns: Columns, places: Sequence[int]) -> Columns:
    """Return the rows at these places, in this order."""
    steps, timestamps, values = columns
    picked = map(values.__getitem__, places)
    return Columns(
        array("q", map(steps.__getitem__, places)),
        array("q", map(timestamps.__getitem__, places)),
        array("d", picked) if isinstance(values, array) else list(picked),
    )


def to_floats(values: Union[array[float], List[Number]]) -> array[float]:
    """Return values as floats; an integer beyond every float becomes an infinity."""
    if isinstance(values, array):
        return values
    try:
        return array("d", values)
    except OverflowError:
        return array("d", map(_to_float, values))


def smooth(values: array[float], weight: float) -> array[float]:
    """Return the exponential moving average of values, without its bias towards the start.

    As TensorBoard does it (``resmoothDataset`` in ``tensorboard/components/vz_line_chart2/line-chart.ts``): the average
    starts at 0, and is divided by ``1 - weight ** n`` after *n* finite values. NaN and infinities stay as they are and
    count for nothing; values that are all the same stay as they are, too.

    Args:
        values: In the order of their steps.
        weight: From 0, which changes nothing, to below 1: how much of the average a value leaves as it was.
    """
    if not weight or not values or values.count(values[0]) == len(values):
        return values
    smoothed = array("d")
    add = smoothed.append
    rest = 1.0 - weight
    average, count, unbiased = 0.0, 0, 0.0
    for value in values:
        if -inf < value < inf:
            average = average * weight + rest * value
            if unbiased != 1.0:  # from then on it stays 1.0
                count += 1
                unbiased = 1.0 - weight**count
            add(average / unbiased)
        else:
            add(value)
    return smoothed


def downsample(
    steps: array[int], values: array[float], max_points: int, bounds: Optional[Tuple[int, int]] = None
) -> Sequence[int]:
    """Return the places of the rows that stand for a history, ascending, at most *max_points* of them.

    The steps are cut into buckets of equal width. Of each its first, last, least and greatest row are kept: a line
    through them looks like the line through all rows, where a bucket is as wide as a pixel (M4 of Jugel et al., VLDB
    2014). Where a bucket has NaN, its first NaN is kept, too; what was never logged is never made up.

    Args:
        steps: Sorted; a step may be there several times.
        values: As many.
        max_points: At least ``FEWEST_POINTS``. A history that has no more is kept whole.
        bounds: The least and the greatest step that buckets are made of, where several histories shall have the same
            ones; they must hold all steps. None: those of *steps*.
    """
    count = len(steps)
    if count <= max_points:
        return range(count)
    first, last = (steps[0], steps[-1]) if bounds is None else bounds
    width = last - first + 1
    buckets = max_points // (5 if isnan(sum(values)) else 4)  # NaN, or infinities of both signs, which do no harm
    kept: List[int] = []
    start = 0
    for number in range(1, buckets + 1):
        stop = count if number == buckets else bisect_left(steps, first + width * number // buckets, start)
        if stop - start <= 4:
            kept.extend(range(start, stop))
        else:
            kept.extend(_ends_and_extremes(values, start, stop))
        start = stop
    return kept


def places_of(steps: array[int], wanted: Iterable[int]) -> List[int]:
    """Return where those of the *wanted* steps stand that are there; *steps* is strictly ascending."""
    places = []
    for step in wanted:
        place = bisect_left(steps, step)
        if place < len(steps) and steps[place] == step:
            places.append(place)
    return places


def align(columns_of_steps: Sequence[array[int]]) -> Tuple[array[int], List[Sequence[int]]]:
    """Return every step that any history has, ascending, and of each history the places of its rows among them.

    Args:
        columns_of_steps: Of each history its steps, strictly ascending.
    """
    longest = max(columns_of_steps, key=len, default=array("q"))
    others = [steps for steps in columns_of_steps if steps != longest]
    together = array("q", sorted(set(longest).union(*others))) if others else longest
    if not others:
        return together, [range(len(together)) for _ in columns_of_steps]
    place_of = dict(zip(together, range(len(together)))).__getitem__
    return together, [
        range(len(together)) if len(steps) == len(together) else list(map(place_of, steps))
        for steps in columns_of_steps
    ]


def _ends_and_extremes(values: array[float], start: int, stop: int) -> List[int]:
    """Return the places of the first, last, least and greatest value between two places, and of the first NaN."""
    part = values[start:stop]
    places = {start, stop - 1}
    real: Sequence[float] = part
    if isnan(sum(part)):
        real = [value for value in part if not isnan(value)]
        if len(real) < len(part):
            places.add(start + list(map(isnan, part)).index(True))
    if real:
        places.add(start + part.index(min(real)))
        places.add(start + part.index(max(real)))
    return sorted(places)


def _joined(several: List[Columns]) -> Columns:
    """Return columns one after the other."""
    steps, timestamps = array("q"), array("q")
    for columns in several:
        steps.extend(columns.steps)
        timestamps.extend(columns.timestamps)
    if all(isinstance(columns.values, array) for columns in several):
        floats = array("d")
        for columns in several:
            floats.extend(columns.values)
        return Columns(steps, timestamps, floats)
    return Columns(steps, timestamps, [value for columns in several for value in columns.values])


def _is_ascending(steps: array[int]) -> bool:
    return all(map(lt, steps, steps[1:]))


def _to_float(value: Number) -> float:
    try:
        return float(value)
    except OverflowError:  # integers between the greatest float and 2**1024
        return inf if value > 0 else -inf
