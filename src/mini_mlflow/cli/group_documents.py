"""What do programs get of groups of runs?"""

from __future__ import annotations

from collections import Counter

from . import group_columns, run_columns
from .which import which_experiment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence, Tuple

    from ..group_records import Group
    from .group_list import GroupList
    from .run_columns import Spec

_FIRST, _LAST = ("group", "runs", "finished"), ("experiment", "run_ids")
_FIGURES = ("mean", "std", "count", "within_noise", "diverged")


def documents(found: GroupList, limit: Optional[int]) -> List[Dict[str, Any]]:
    """Return what JSON tells of the first groups, or of all."""
    shown = [spec for spec in found.specs if spec.kind == "measure"]
    columns_of = Counter(spec.key for spec in shown)
    names = [spec.key if columns_of[spec.key] == 1 else spec.name() for spec in shown]
    finished = group_columns.values(run_columns.attribute("finished"), found)
    told = []
    for place, group in enumerate(found.tables[0].groups[:limit]):
        told.append(
            {
                **which_experiment(found.experiment_of(group), found.names),
                "params": {name: group.params[name] for name in found.by if name in group.params},
                "run_ids": group.run_ids,
                "finished": finished[place],
                "within_noise": group.is_within_noise,
                "metrics": {
                    name: numbers_of(spec.mode, of_metric.groups[place])
                    for name, spec, of_metric in zip(names, shown, map(found.table_of, shown))
                    if of_metric is not None
                },
            }
        )
    return told


def numbers_of(mode: str, group: Group) -> Dict[str, Any]:
    """Return what a metric comes to in a group, for programs."""
    return {
        "of": mode, "mean": group.mean, "std": group.std, "min": group.min, "max": group.max,
        "count": group.count, "p_value": group.p_value, "within_noise": group.is_within_noise,
        "diverged": len(group.diverged),
    }  # fmt: skip


def rows(found: GroupList) -> Tuple[List[str], List[Sequence[Any]]]:
    """Return the heading and the lines for programs: of a metric five columns, all else in one."""
    specs = found.specs
    if not found.is_named:  # in an order that is always the same
        measures = [spec for spec in specs if spec.kind == "measure"]
        first, last = (list(map(run_columns.attribute, names)) for names in (_FIRST, _LAST))
        specs = [*first, *(run_columns.Spec("params", key, "") for key in found.by), *measures, *last]
    heading: List[str] = []
    columns: List[Sequence[Any]] = []
    for spec in specs:
        if spec.kind != "measure":
            heading.append(spec.name())
            columns.append(group_columns.values(spec, found))
            continue
        heading += ["%s(%s)" % (figure, spec.name()) for figure in _FIGURES]
        columns += zip(*_figures(spec, found)) if found.tables[0].groups else [()] * len(_FIGURES)
    return heading, list(zip(*columns))


def _figures(spec: Spec, found: GroupList) -> List[Tuple[Any, ...]]:
    of_metric = found.table_of(spec)
    if of_metric is None:
        return [(None,) * len(_FIGURES)] * len(found.tables[0].groups)
    return [
        (group.mean, group.std, group.count, group.is_within_noise, len(group.diverged)) for group in of_metric.groups
    ]
