"""Which columns does a list of runs have: those that tell runs apart, those that a user names, those for programs?"""

from __future__ import annotations

import re
from collections import namedtuple

from .. import goals, seeds
from . import ranked, spans
from .facts import INTERNAL, SUMMARIES, SYSTEM
from .failures import NOT_FOUND, USAGE, CommandError, closing_advice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Collection, Dict, List, Optional, Sequence, Tuple

    from .facts import Facts
    from .ranked import Measure

MOST_METRICS = 6
ATTRIBUTES = {  # as the user calls them: the attribute; empty where it is worked out
    "id": "run_id", "name": "run_name", "experiment": "", "experiment_id": "experiment_id", "status": "status",
    "age": "", "start_time": "start_time", "end_time": "end_time", "took": "", "duration_s": "", "note": "",
    "user": "user_id", "version": "version", "parent": "parent_run_id", "stage": "lifecycle_stage", "steps": "",
    "trend": "", "ended_by": "ended_by",
}  # fmt: skip
_OTHER_NAMES = {
    "run_id": "id", "run_name": "name", "duration": "took", "user_id": "user", "parent_run_id": "parent",
    "lifecycle_stage": "stage",
}  # fmt: skip
_CALL = re.compile(r"(\w+)\((.*)\)", re.DOTALL)
_PREFIXES = {
    "params": "params",
    "param": "params",
    "metrics": "metrics",
    "metric": "metrics",
    "tags": "tags",
    "tag": "tags",
}


class Spec(namedtuple("Spec", ["kind", "key", "mode"])):
    """One column of a list of runs.

    Attributes:
        kind: ``attributes``, ``params``, ``tags``, ``measure`` or ``summary``.
        key: What of: a name of ``ATTRIBUTES``, or a key.
        mode: Of a measure which value: ``max``, ``min`` or ``last``; of a summary which field; else empty.
    """

    __slots__ = ()

    kind: str
    key: str
    mode: str

    def name(self) -> str:
        """Return the column's heading for programs."""
        if self.mode:
            return "%s(%s)" % (self.mode, self.key)
        return "tags." + self.key if self.kind == "tags" else self.key


def attribute(name: str) -> Spec:
    """Return the column of an attribute."""
    return Spec("attributes", name, "")


def measure(given: Measure) -> Spec:
    """Return the column of a metric."""
    return Spec("measure", given.metric, given.mode)


def list_metrics(
    facts: Facts, patterns: Optional[str], first: Optional[Measure], *, is_last: bool, is_all: bool
) -> List[Measure]:
    """Return what is shown of which metrics, the one that matters most first.

    Args:
        facts: The runs.
        patterns: ``-m``: such as ``val.*,train.loss``; None: those of people, in the order in which they matter.
        first: The one that the list is ranked by, if it is.
        is_last: Whether latest values are shown.
        is_all: Whether there is no limit, and what the machine was like is shown, too.

    Raises:
        CommandError: A pattern fits none.
    """
    if patterns is not None:
        chosen = match_keys(patterns, facts.known_keys("metrics"), "metric")
    else:
        there = facts.keys("metrics")
        chosen = [key for key in goals.sort_metrics(there) if is_all or not key.startswith(SYSTEM)]
        chosen.sort(key=lambda key: 2 * _count(facts.values("metrics", key)) < facts.count)  # what few have comes later
    measures = [ranked.measure_of(key, is_last=is_last) for key in chosen]
    if first is not None:
        measures = [first, *(each for each in measures if each.metric != first.metric)]
    return measures if is_all or patterns is not None else measures[:MOST_METRICS]


def _count(values: Sequence[Any]) -> int:
    return sum(value is not None for value in values)


def match_keys(patterns: str, there: Sequence[str], what: str) -> List[str]:
    """Return the keys that patterns between commas mean, in the order of the patterns.

    Raises:
        CommandError: One fits none.
    """
    from fnmatch import fnmatchcase  # few name the columns

    found: Dict[str, None] = {}
    for pattern in split_list(patterns):
        fitting = [key for key in there if key == pattern] or [key for key in there if fnmatchcase(key, pattern)]
        if not fitting:
            from ..errors import near_names

            near = near_names(pattern, there)
            message = "no %s '%s'" % (what, pattern)
            raise CommandError(message, NOT_FOUND, near=near, lines=[] if near else closing_advice(there))
        found.update(dict.fromkeys(fitting))
    return list(found)


def split_list(text: str) -> List[str]:
    """Return what stands between commas that are not within parentheses.

    Raises:
        CommandError: There is nothing.
    """
    parts = [""]
    depth = 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    found = [part.strip() for part in parts if part.strip()]
    if not found:
        raise CommandError("'%s' names nothing" % text, USAGE)
    return found


def split_params(facts: Facts) -> Tuple[List[str], List[Tuple[str, Any]]]:
    """Return the params that are not the same in all runs, those with the most values last, and those that are."""
    keys = facts.keys("params")
    rows = [
        {key: seeds.comparable(value) for key, value in zip(keys, values) if value is not None}
        for values in zip(*(facts.values("params", key) for key in keys))
    ]
    varying = set(seeds.list_varying(rows)) if len(rows) > 1 else set()
    shared = [(key, facts.values("params", key)[0]) for key in keys if key not in varying]
    ordered = [key for key in keys if key in varying]
    ordered.sort(key=seeds.is_seed_like)  # what is but the seed stands last
    return ordered, shared


def for_people(
    facts: Facts, measures: Sequence[Measure], params: Sequence[str], *, is_across: bool, is_wide: bool
) -> List[Spec]:
    """Return the columns of a table on a terminal, before any is left out for want of room."""
    specs = [attribute("name")]
    if is_across:
        specs.append(attribute("experiment"))
    specs += [attribute("id"), attribute("age"), attribute("took")]
    specs += [Spec("params", key, "") for key in params]
    for place, each in enumerate(measures):
        specs.append(measure(each))
        if place == 0:
            specs.append(attribute("trend"))
    if measures:
        specs.append(attribute("steps"))
    if facts.is_any_deleted():
        specs.append(attribute("stage"))
    if is_wide:
        for name, values in (("user", facts.values("attributes", "user_id")), ("note", facts.notes())):
            if any(value is not None for value in values):
                specs.append(attribute(name))
        tags = [key for key in facts.keys("tags") if not key.startswith(INTERNAL)]
        specs += [Spec("tags", key, "") for key in tags]
    return specs


def for_programs(facts: Facts, patterns: Optional[str], *, is_last: bool, is_all: bool) -> List[Spec]:
    """Return every column, in an order that is always the same; of metrics those that ``-m`` names, if it does."""
    names = ["id", "name", "experiment", "status", "start_time", "end_time", "duration_s"]
    if facts.is_any_deleted():
        names.append("stage")
    specs = list(map(attribute, names))
    specs += [Spec("params", key, "") for key in facts.keys("params")]
    if patterns is not None:
        metrics = match_keys(patterns, facts.known_keys("metrics"), "metric")
    else:
        metrics = [key for key in facts.keys("metrics") if is_all or not key.startswith(SYSTEM)]
    for key in metrics:
        best = ranked.measure_of(key, is_last=is_last)
        if best.mode != "last":
            specs.append(measure(best))
        specs.append(Spec("measure", key, "last"))
    return specs + [Spec("tags", key, "") for key in facts.keys("tags") if is_all or not key.startswith(INTERNAL)]


def named(text: str, facts: Facts, *, is_last: bool, attributes: Collection[str] = tuple(ATTRIBUTES)) -> List[Spec]:
    """Return the columns that ``-c`` names.

    Args:
        text: Such as ``lr,val.acc,last(val.loss)``: attributes, else metrics, else params, else tags.
        facts: The runs.
        is_last: Whether a metric alone means its latest value.
        attributes: Those that there are.

    Raises:
        CommandError: One is not there.
    """
    return [_named(each, facts, attributes, is_last=is_last) for each in split_list(text)]


def is_attribute(name: str) -> bool:
    """Tell whether a run has an attribute of a name, or of another name for it."""
    return _OTHER_NAMES.get(name, name) in ATTRIBUTES


def _named(text: str, facts: Facts, attributes: Collection[str], *, is_last: bool) -> Spec:
    call = _CALL.fullmatch(text)
    if call and call.group(1) in SUMMARIES and call.group(2) in facts.known_keys("metrics"):
        function, key = call.groups()
        return Spec("measure" if function in ("min", "max", "last") else "summary", key, function)
    name = _OTHER_NAMES.get(text, text)
    if text in attributes or name in attributes:
        return attribute(text if text in attributes else name)
    prefix, _, rest = text.partition(".")
    for kind, key in (("metrics", text), ("params", text), ("tags", text), (_PREFIXES.get(prefix, ""), rest)):
        if kind and key in facts.known_keys(kind):
            return measure(ranked.measure_of(key, is_last=is_last)) if kind == "metrics" else Spec(kind, key, "")
    if not facts.count:
        return Spec("params", text, "")
    from ..errors import near_names

    there = [*attributes, *(key for kind in ("metrics", "params", "tags") for key in facts.known_keys(kind))]
    near = near_names(text, there)
    raise CommandError("no column '%s'" % text, NOT_FOUND, near=near, lines=[] if near else closing_advice(there))


def raw_values(spec: Spec, facts: Facts, experiments: Dict[str, str], now_ms: int) -> List[Any]:
    """Return the values of a column, whole, for programs.

    Args:
        spec: The column.
        facts: The runs.
        experiments: The names of experiments by their ids.
        now_ms: The clock.
    """
    if spec.kind == "measure":
        return facts.measured(ranked.of_mode(spec.key, spec.mode))
    if spec.kind == "summary":
        return facts.summary(spec.mode, spec.key)
    if spec.kind != "attributes":
        return facts.values(spec.kind, spec.key)
    return _raw_attribute(spec.key, facts, experiments, now_ms)


def _raw_attribute(name: str, facts: Facts, experiments: Dict[str, str], now_ms: int) -> List[Any]:
    if name == "experiment":
        return [experiments.get(str(each), str(each)) for each in facts.values("attributes", "experiment_id")]
    if name == "experiment_id":
        return list(map(str, facts.values("attributes", "experiment_id")))
    if name in ("start_time", "end_time"):
        return list(map(spans.iso, facts.values("attributes", name)))
    if name in ("age", "took", "duration_s"):
        return facts.ages_s(now_ms) if name == "age" else facts.durations_s(now_ms)
    if name == "note":
        return facts.notes()
    if name == "steps":
        return facts.steps(goals.sort_metrics(key for key in facts.keys("metrics") if not key.startswith(SYSTEM)))
    # A trend is drawn of histories, and for people.
    return [None] * facts.count if name == "trend" else facts.values("attributes", ATTRIBUTES[name])
