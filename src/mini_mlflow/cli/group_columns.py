"""Which columns can a list of groups of runs have, what stands in them, and in which order do groups come by one?"""

from __future__ import annotations

from .. import seeds
from ..keys import FINISHED
from ..query.conditions import to_number
from . import ranked, run_columns
from .failures import USAGE, CommandError
from .run_columns import Spec, attribute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional, Sequence

    from ..group_records import Group
    from .facts import Facts
    from .group_list import GroupList
    from .ranked import Measure

ATTRIBUTES = ("group", "n", "runs", "finished", "experiment", "took", "run_ids")
_OTHER_NAMES = {"#": "group", "duration": "took", "duration_s": "took"}
_OF_RUNS = ("age", "start_time", "end_time")  # groups come as the first of their runs do


def usual(by: Sequence[str], measures: Sequence[Measure], *, is_across: bool) -> List[Spec]:
    """Return the columns that a list has where nobody names any."""
    names = ["group", "n", "runs", *(["experiment"] if is_across else [])]
    specs = [*map(attribute, names), *(Spec("params", name, "") for name in by)]
    return [*specs, *map(run_columns.measure, measures), attribute("took")]


def named(text: str, facts: Facts, ranking: Optional[Measure], *, is_last: bool) -> List[Spec]:
    """Return the columns that ``-c`` or ``-s`` names.

    Args:
        text: Such as ``lr,n,val.acc``: attributes of groups, else metrics, else params, else tags.
        facts: The runs.
        ranking: The measure of ``-b``, which its metric alone means, too.
        is_last: Whether a metric alone means its latest value.

    Raises:
        CommandError: One is not there, or is none that a group has.
    """
    specs: List[Spec] = []
    for each in run_columns.split_list(text):
        name = _OTHER_NAMES.get(each, each)
        is_key = any(each in facts.known_keys(kind) for kind in ("metrics", "params", "tags"))
        if run_columns.is_attribute(each) and name not in ATTRIBUTES and not is_key:
            raise _none_of_groups(each)
        specs += run_columns.named(name, facts, is_last=is_last, attributes=ATTRIBUTES)
        if specs[-1].kind == "summary":
            raise _none_of_groups(each)
        if ranking is not None and each == ranking.metric:
            specs[-1] = run_columns.measure(ranking)
    return specs


def is_of_runs(sort: str) -> bool:
    """Tell whether ``-s`` means the order of runs, in which the first of each group comes."""
    return sort.lstrip("-+") in _OF_RUNS


def measures_of(specs: Sequence[Spec], ranking: Optional[Measure]) -> List[Measure]:
    """Return what is shown of metrics, that of ``-b`` first."""
    found = [ranked.of_mode(spec.key, spec.mode) for spec in specs if spec.kind == "measure"]
    if ranking is not None:
        found = [ranking, *(each for each in found if (each.metric, each.mode) != (ranking.metric, ranking.mode))]
    return list(dict.fromkeys(found))


def values(spec: Spec, found: GroupList) -> List[Any]:
    """Return the value of each group in a column, whole, for programs; of a metric it is the mean.

    Raises:
        CommandError: A group has several values of a param or tag.
    """
    groups = found.tables[0].groups
    if spec.kind == "measure":
        of_metric = found.table_of(spec)
        return [None] * len(groups) if of_metric is None else [group.mean for group in of_metric.groups]
    if spec.kind != "attributes":
        return [_common(spec, group, found) for group in groups]
    if spec.key == "group":
        return ["g%d" % (place + 1) for place in range(len(groups))]
    if spec.key == "experiment":
        return [found.names.get(found.experiment_of(group), found.experiment_of(group)) for group in groups]
    return [_attribute(spec.key, group, found) for group in groups]


def _attribute(name: str, group: Group, found: GroupList) -> Any:
    if name == "n":
        return group.count
    if name == "runs":
        return len(group.run_ids)
    if name == "took":
        return _took(group, found)
    if name == "finished":
        return sum(found.runs[each].info.status == FINISHED for each in group.run_ids)
    return " ".join(group.run_ids)


def _common(spec: Spec, group: Group, found: GroupList) -> Any:
    """Return the value of a param or a tag that all runs of a group have in common, None where none has any."""
    there = [getattr(found.runs[each].data, spec.kind).get(spec.key) for each in group.run_ids]
    if len({None if each is None else seeds.comparable(each) for each in there}) > 1:
        advice = "groups are made over %s" % ", ".join(found.over) if spec.key in found.over else "-g makes the groups"
        message = "'%s' has several values in one group, so it is no column of groups" % spec.name()
        raise CommandError(message, USAGE, lines=[advice])
    return there[0]


def in_order(found: GroupList, spec: Spec, *, is_ascending: bool) -> GroupList:
    """Return groups by their values in a column: numbers, then texts, then those without."""
    there = values(spec, found)
    if spec.key == "group" and spec.kind == "attributes":
        there = list(range(len(there)))
    numbers_of = [to_number(value) for value in there]
    places = ranked.sort_by(numbers_of, "min" if is_ascending else "max")
    count = sum(number is not None for number in numbers_of)
    rest = [place for place in places[count:] if there[place] is not None]
    rest.sort(key=lambda place: str(there[place]), reverse=not is_ascending)
    without = [place for place in places[count:] if there[place] is None]
    places = [*places[:count], *rest, *without]
    return found._replace(
        tables=[each._replace(groups=[each.groups[place] for place in places]) for each in found.tables]
    )


def _none_of_groups(name: str) -> CommandError:
    return CommandError("a group of runs has no one '%s'" % name, USAGE, lines=[
        "there are %s, params and tags that its runs share, and max, min or last of metrics" % ", ".join(ATTRIBUTES)
    ])  # fmt: skip


def _took(group: Group, found: GroupList) -> Optional[float]:
    """Return how long its finished runs took on average."""
    infos = [found.runs[run_id].info for run_id in group.run_ids]
    spans_ms = [
        each.end_time - each.start_time
        for each in infos
        if each.status == FINISHED and each.end_time is not None and each.start_time is not None
    ]
    return sum(spans_ms) / len(spans_ms) / 1000 if spans_ms else None
