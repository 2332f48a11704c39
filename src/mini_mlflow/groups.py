"""What do runs come to that are equal but for the seed: mean and spread of a metric, the best group, what is noise?"""

from __future__ import annotations

from collections import namedtuple
from math import isfinite, isnan

from . import active, given_runs, goals, keys, noise, seeds, series
from .errors import (
    InvalidValueError,
    MetricNotFoundError,
    MiniMLflowError,
    RunNotFoundError,
    advice_on_name,
    shown,
    warn_of,
)
from .group_records import Group, Groups, Steps
from .records import Problem
from .store import columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any, Dict, Iterable, List, Optional, Sequence, Set, Tuple, Union

    from .given_runs import GivenRun
    from .records import Columns, StoredRun

    ExperimentId = Union[int, str]

_MODES = ("max", "min", "last")
_ATTRIBUTES = ("status", "experiment_id", "run_name", "user_id", "version", "parent_run_id")


class _Member(namedtuple("_Member", ["run", "texts", "value", "is_diverged", "history"])):
    """A run to be grouped: as read, its params as comparable texts, the value that counts, its history per step.

    It is diverged where it would count, but for its last value, which is NaN or an infinity.
    """

    __slots__ = ()

    run: StoredRun
    texts: Dict[str, str]
    value: Optional[float]
    is_diverged: bool
    history: Optional[Columns]


def group_runs(
    runs: Any,
    group_by: Union[str, Iterable[str], None] = None,
    *,
    metric: str,
    mode: Optional[str] = None,
    goal: Optional[str] = None,
    over: Union[str, Iterable[str], None] = None,
    per_step: bool = False,
    only_finished: bool = True,
    with_parents: bool = False,
    alpha: float = noise.ALPHA,
    experiment_id: Optional[ExperimentId] = None,
    runs_dir: Union[str, os.PathLike[str], None] = None,
) -> Groups:
    """Return groups of runs with the mean and the spread of a metric, the best one and what is within noise of it.

    Args:
        runs: Ids, or runs (what ``start_run``, ``get_run`` or ``search_runs`` return, a DataFrame of runs, too).
        group_by: What the runs of a group have in common: names of params, ``params.lr`` or ``lr``, of tags
            (``tags.team``) or attributes (``status``), or one. None: all params that differ but for the seed, that is
            for those named ``seed``, ``random_seed``, ``fold`` and the like that differ in otherwise equal runs.
        metric: The metric.
        mode: Which value counts of each run: its ``"max"`` or ``"min"`` over all steps, or the ``"last"``. None: as
            *goal* says, else as the metric's name tells, as the command line reads it: ``"min"`` of ``val.loss``,
            ``"max"`` of ``val.acc``, ``"last"`` where the name does not tell.
        goal: Which mean is best, ``"max"`` or ``"min"``; None: as *mode* says, and with ``"last"`` none is.
        over: Params that make no difference, such as ``output_dir``, beside the seed-like ones; for ``group_by=None``.
        per_step: Whether to aggregate the histories at each step, too.
        only_finished: Whether the numbers leave out runs that are not FINISHED; they are counted in ``run_ids``.
        with_parents: Whether a run without the metric is one of a group where runs are given that it has started and
            that have the metric, such as folds of a cross-validation; it is left out else.
        alpha: How unlikely a difference must be to be more than noise.
        experiment_id: The experiment of the runs that are given as ids; None: the one that has them.
        runs_dir: The store's folder, as in ``start_run``.

    Returns:
        ``Groups``, whose ``groups`` tell the runs and how many of them are behind each number. A run whose last value
        is NaN or an infinity has diverged: it is missing in ``count``, however good it was before, and stands in
        ``diverged``. With many groups some differ from the best by chance: *alpha* holds for each one alone.

    Raises:
        RunNotFoundError: There is no such run.
        MetricNotFoundError: None of the runs has such a metric.
        AmbiguousRunError: Several experiments have a run of an id; say which.
        InvalidIdError: An id is not legal.
        InvalidKeyError: The name of the metric is no text.
        InvalidValueError: An argument is out of its range, or no run has what they shall be grouped by.

    Warns:
        StorageWarning: Some runs cannot be read, all or in part; the rest is returned.
    """
    metric = keys.check_known_key(metric)
    mode, goal = _check(metric, mode, goal, alpha)
    left_out = [] if over is None else _names(over, "over")
    if group_by is not None and left_out:
        message = "over= names params to leave out where group_by is None. Leave one of them out."
        raise InvalidValueError(message, value=over)
    problems: List[Problem] = []
    read = _read(given_runs.find_given(runs, experiment_id, active.store_folder(runs_dir)), problems)
    if not with_parents:
        ids = {run.info.run_id for run in without_parents([stored for _, stored in read], metric)}
        read = [(given, stored) for given, stored in read if stored.info.run_id in ids]
    members = [
        _member(given, stored, metric, mode, problems, per_step=per_step, only_finished=only_finished)
        for given, stored in read
    ]
    warn_of(problems, stacklevel=2)
    if members and not any(metric in member.run.data.metrics for member in members):
        raise _metric_not_found(metric, members)
    texts = [member.texts for member in members]
    by = _found_by(texts, left_out) if group_by is None else _names(group_by, "group_by")
    places = _places(members, by)
    groups = _compared([_group(each, by, members, is_per_step=per_step) for each in places], goal, alpha)
    best = groups[0] if groups and goal and groups[0].mean is not None else None
    mixed = {name for each in places for name in seeds.list_varying([member.texts for member in each])}
    return Groups(metric, mode, by, sorted(mixed), groups, best)


def without_parents(runs: Sequence[StoredRun], metric: str) -> List[StoredRun]:
    """Return runs without those that lack a metric and have started others, directly or not, that have it."""
    parent_of = {run.info.run_id: run.info.parent_run_id for run in runs}
    started: Set[Optional[str]] = {None}
    for run in runs:
        parent = run.info.parent_run_id if metric in run.data.metrics else None
        while parent not in started:
            started.add(parent)
            parent = parent_of.get(parent or "")
    return [run for run in runs if metric in run.data.metrics or run.info.run_id not in started]


def _read(given: List[GivenRun], problems: List[Problem]) -> List[Tuple[GivenRun, StoredRun]]:
    found = []
    for each in given:
        try:
            found.append((each, given_runs.read_stored(each)))
        except RunNotFoundError:
            raise
        except (OSError, MiniMLflowError) as error:
            problems.append(Problem(each.folder, str(error)))
    return found


def _member(
    given: GivenRun,
    stored: StoredRun,
    metric: str,
    mode: str,
    problems: List[Problem],
    *,
    per_step: bool,
    only_finished: bool,
) -> _Member:
    """Return a run with what its metric comes to."""
    texts = {key: seeds.comparable(value) for key, value in stored.data.params.items()}
    if metric not in stored.data.metrics or (only_finished and stored.info.status != keys.FINISHED):
        return _Member(stored, texts, None, is_diverged=False, history=None)
    values: List[Any] = [stored.data.metrics[metric]]
    is_diverged = not all(map(isfinite, series.to_floats(values)))
    history = None
    if mode != "last" or per_step:
        parts = columns.read_parts(given.folder, metric, problems)
        if mode != "last":
            values = [value for _, part in parts for value in part.values]
        history = series.latest_per_step(parts) if per_step else None
    # As in a list of runs: who ends at NaN is no good run, whatever it reached before.
    real = [] if is_diverged else [value for value in series.to_floats(values) if not isnan(value)]
    value = None if not real else max(real) if mode == "max" else min(real)
    return _Member(stored, texts, value if value is not None and isfinite(value) else None, is_diverged, history)


def _found_by(texts: List[Dict[str, str]], left_out: List[str]) -> List[str]:
    """Return all params that differ, but for those that are left out and the seed."""
    there = set().union(*texts)
    left_out = [name if name in there or not name.startswith("params.") else name[7:] for name in left_out]
    unknown = [name for name in left_out if name not in there]
    if texts and unknown:
        message = "None of the runs has a param %s to leave out. %s"
        advice = advice_on_name(unknown[0], sorted(there))
        raise InvalidValueError(message % (shown(unknown[0]), advice), value=unknown[0])
    rest = [{key: text for key, text in each.items() if key not in left_out} for each in texts]
    return seeds.split_seeds(rest)[0]


def _names(given: Any, argument: str) -> List[str]:
    """Return names that were given, each once."""
    names: Any = [given] if isinstance(given, str) else given
    try:
        names = list(names)
    except TypeError:
        names = [None]
    if not all(isinstance(name, str) for name in names):
        message = "%s must be the name of a param, or a list of names, got %s."
        raise InvalidValueError(message % (argument, shown(given)), value=given)
    return list(dict.fromkeys(names))


def _places(members: List[_Member], by: List[str]) -> List[List[_Member]]:
    """Return the runs of each group, in the order of their first runs."""
    kinds = [_find_kind(name, members) for name in by] if members else []
    places: Dict[Tuple[str, ...], List[_Member]] = {}
    for member in members:
        held = [_held(member.run, kind, key) for kind, key in kinds]
        places.setdefault(tuple(seeds.comparable(each[0]) if each else "" for each in held), []).append(member)
    return list(places.values())


def _group(group: List[_Member], by: List[str], members: List[_Member], *, is_per_step: bool) -> Group:
    """Return what the runs of one group come to; it is not compared with others yet."""
    params = {}
    for name in by:
        held = _held(group[0].run, *_find_kind(name, members))
        if held:
            params[name] = held[0]
    values = {member.run.info.run_id: member.value for member in group if member.value is not None}
    mean, std, least, most = _spread(list(values.values()))
    return Group(
        params=params,
        run_ids=[member.run.info.run_id for member in group],
        count=len(values),
        mean=mean,
        std=std,
        min=least,
        max=most,
        values=values,
        p_value=None,
        is_within_noise=None,
        steps=_aggregate([member.history for member in group if member.history]) if is_per_step else None,
        diverged=[member.run.info.run_id for member in group if member.is_diverged],
    )


def _aggregate(histories: Sequence[Columns]) -> Steps:
    """Return what histories come to at each step that any of them has."""
    values: Dict[int, List[float]] = {}
    for history in histories:
        for step, value in zip(history.steps, series.to_floats(history.values)):
            there = values.setdefault(step, [])
            if isfinite(value):
                there.append(value)
    steps = sorted(values)
    means, stds, least, most = zip(*(_spread(values[step]) for step in steps)) if steps else ((), (), (), ())
    return Steps(steps, list(means), list(stds), list(least), list(most), [len(values[step]) for step in steps])


def _spread(values: List[float]) -> Tuple[Optional[float], Optional[float], Optional[float], Optional[float]]:
    """Return the mean, the standard deviation, the least and the greatest of values, None for what they have not."""
    if not values:
        return None, None, None, None
    return noise.mean(values), noise.std(values), min(values), max(values)


def _mean_of(group: Group) -> float:
    return 0.0 if group.mean is None else group.mean


def _compared(groups: List[Group], goal: Optional[str], alpha: float) -> List[Group]:
    """Return groups with the best first, and of each other one whether it is within noise of that."""
    if goal is None:
        return groups
    there = [group for group in groups if group.mean is not None]
    there.sort(key=_mean_of, reverse=goal == "max")
    without = [group for group in groups if group.mean is None]
    for place, group in enumerate(there[1:], 1):
        p_value = noise.welch_p(list(group.values.values()), list(there[0].values.values()))
        there[place] = group._replace(p_value=p_value, is_within_noise=None if p_value is None else p_value > alpha)
    return there + without


def _find_kind(name: str, members: List[_Member]) -> Tuple[str, str]:
    """Return what a name means: of a param, a tag or an attribute, by its prefix or by what the runs have.

    Raises:
        InvalidValueError: No run has it.
    """
    prefix, _, rest = name.partition(".")
    attribute = "run_name" if name == "name" else name  # as in filters
    for kind, key in (("params", name), ("tags", name), ("attributes", attribute), (prefix, rest)):
        if any(_held(member.run, kind, key) for member in members):
            return kind, key
    params = {key for member in members for key in member.run.data.params}
    tags = {"tags." + key for member in members for key in member.run.data.tags}
    message = "None of the runs has a param, tag or attribute %s to group by. %s"
    advice = advice_on_name(name, sorted(params) + sorted(tags))
    raise InvalidValueError(message % (shown(name), advice), value=name)


def _held(run: StoredRun, kind: str, key: str) -> List[Any]:
    """Return the one value that a run has, in a list; an empty one where it has none."""
    if kind in ("params", "tags"):
        held: Dict[str, Any] = getattr(run.data, kind)
        return [held[key]] if key in held else []
    is_there = kind == "attributes" and key in _ATTRIBUTES and getattr(run.info, key) is not None
    return [getattr(run.info, key)] if is_there else []


def _check(metric: str, mode: Any, goal: Any, alpha: Any) -> Tuple[str, Optional[str]]:
    """Return which value of each run counts, and which mean is best, None where none is."""
    if mode not in (*_MODES, None):
        raise InvalidValueError("mode must be 'max', 'min', 'last' or None, got %s." % shown(mode), value=mode)
    if goal not in ("max", "min", None):
        raise InvalidValueError("goal must be 'max', 'min' or None, got %s." % shown(goal), value=goal)
    is_number = isinstance(alpha, (int, float)) and not isinstance(alpha, bool)
    if not is_number or not 0.0 < alpha < 1.0:
        raise InvalidValueError("alpha must be a number between 0 and 1, got %s." % shown(alpha), value=alpha)
    mode = mode or goal or goals.goal_of(metric) or "last"
    if goal is None and mode != "last":
        goal = mode
    return mode, goal


def _metric_not_found(metric: str, members: List[_Member]) -> MetricNotFoundError:
    there = sorted({key for member in members for key in member.run.data.metrics})
    advice = advice_on_name(metric, there)
    return MetricNotFoundError("None of these %d runs has a metric %r. %s" % (len(members), metric, advice), key=metric)
