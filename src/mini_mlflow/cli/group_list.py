"""``mini-mlflow ls -g``: which runs are equal but for the seed, and which group is best beyond noise?"""

from __future__ import annotations

from collections import namedtuple

from .. import seeds
from ..group_records import Group, Groups
from ..groups import group_runs, without_parents
from ..keys import FINISHED
from . import group_columns, group_documents, group_table, picked, ranked, rows, run_columns
from .facts import Facts
from .failures import DONE, NOT_FOUND, CommandError, closing_advice
from .written_rows import write_rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, Dict, List, Optional, Sequence, Tuple

    from .ranked import Measure
    from .run_columns import Spec
    from .screen import Screen
    from .target import Target

BY_EXPERIMENT = "attributes.experiment_id"  # equal params of two experiments mean two things
_EXPERIMENT = "\0experiment"  # no param is called so


class GroupList(
    namedtuple(
        "GroupList",
        ["total", "parents", "over", "by", "measures", "runs", "tables", "names", "specs", "is_named"],
    )
):
    """Groups of runs, as data.

    Attributes:
        total: How many runs they are made of.
        parents: How many more there are that lack the first metric and have started others that have it.
        over: The params that make no difference.
        by: The params that tell groups apart.
        measures: What is shown of metrics; the groups are in the order of the first.
        runs: The runs by id.
        tables: For each measure its ``Groups``, all in the order of the first one's; one where there is no measure.
        names: The names of experiments by their ids.
        specs: The columns.
        is_named: Whether a user has named them.
    """

    __slots__ = ()

    total: int
    parents: int
    over: List[str]
    by: List[str]
    measures: List[Measure]
    runs: Dict[str, Any]
    tables: List[Groups]
    names: Dict[str, str]
    specs: List[Spec]
    is_named: bool

    def experiment_of(self, group: Group) -> str:
        """Return the id of the experiment whose runs a group has."""
        return str(self.runs[group.run_ids[0]].info.experiment_id)

    def measure_of(self, spec: Spec) -> Measure:
        """Return what a column shows of a metric."""
        same = (each for each in self.measures if (each.metric, each.mode) == (spec.key, spec.mode))
        return next(same, ranked.of_mode(spec.key, spec.mode))

    def table_of(self, spec: Spec) -> Optional[Groups]:
        """Return the groups with what a column shows of a metric, None where no run has it."""
        measure = self.measure_of(spec)
        return self.tables[self.measures.index(measure)] if measure in self.measures else None


def show(arguments: argparse.Namespace, target: Target, word: Optional[str], screen: Screen) -> int:
    """List groups of runs."""
    found = read_groups(arguments, target, word, screen)
    form, limit, is_wide = screen.list_form(), arguments.limit, bool(arguments.wide)
    if form == "json":
        groups = group_documents.documents(found, limit)
        facts = {"total": found.total, "by": found.by, "over": found.over}
        screen.write_json("groups", store=target.shown, **facts, groups=groups)
    elif form == "ids":
        shown = found.tables[0].groups[:limit]
        screen.write("".join(screen.clean(each) + "\n" for group in shown for each in group.run_ids))
    elif form == "md":
        screen.write_lines(group_table.markdown_of(found, limit, screen), is_wide=True)
    elif form == "table":
        remember(found, target)
        name = target.shown if word is None else target.experiment(word).name
        screen.write_lines(group_table.render(found, name, limit, screen, is_wide=is_wide), is_wide=is_wide)
    else:
        heading, values = group_documents.rows(found)
        write_rows(heading, values[:limit], form, screen)
    return DONE


def read_groups(arguments: argparse.Namespace, target: Target, word: Optional[str], screen: Screen) -> GroupList:
    """Return groups of the runs that options mean: with ``arguments.group`` the params that make no difference.

    Raises:
        CommandError: A metric, a param or a column is not there.
    """
    wanted = picked.read_wanted(arguments, None)._replace(limit=None)
    key = None if arguments.sort is None or group_columns.is_of_runs(arguments.sort) else arguments.sort.lstrip("-+")
    in_turn = wanted if key is None else wanted._replace(sorting=None, orders=[])

    def question(table: Any) -> Any:
        picked.check_ranking(wanted, table, target.where(word))
        found = picked.sort(in_turn, picked.find(wanted, table, screen.now_ms), table, screen.now_ms, target.names())
        facts = Facts(table, found)
        measures = run_columns.list_metrics(
            facts, arguments.metrics, wanted.ranking, is_last=wanted.is_last, is_all=bool(arguments.all)
        )
        specs = sorting = None
        if arguments.columns is not None:
            specs = group_columns.named(arguments.columns, facts, wanted.ranking, is_last=wanted.is_last)
            measures = group_columns.measures_of(specs, wanted.ranking) or measures[:1]
        if key is not None:
            (sorting,) = group_columns.named(key, facts, None, is_last=wanted.is_last)
        by, over = split_params(facts, arguments.group or "", arguments.by or "")
        return table.runs(found), measures, by, over, specs, sorting

    runs, measures, by, over, specs, sorting = target.ask(
        target.ids(word), question, wanted.stages, refresh=arguments.refresh
    )
    more = [] if sorting is None else group_columns.measures_of([sorting], None)
    found = _grouped(runs, measures, more, by, over, target)
    if specs is None:
        is_across = len({run.info.experiment_id for run in runs}) > 1
        specs = group_columns.usual(by, [each for each in measures if each in found.measures], is_across=is_across)
    found = found._replace(specs=specs, is_named=arguments.columns is not None)
    if sorting is not None:
        return group_columns.in_order(found, sorting, is_ascending=not arguments.sort.startswith("-"))
    return _as_runs_come(found, runs) if arguments.sort is not None else found


def _grouped(
    runs: List[Any],
    measures: Sequence[Measure],
    more: Sequence[Measure],
    by: List[str],
    over: List[str],
    target: Target,
) -> GroupList:
    """Return groups with what *measures* come to, in the order of the first, and *more*; they have no columns yet."""
    measures = _known_to(runs, list(dict.fromkeys([*measures, *more])))
    kept = without_parents(runs, measures[0].metric) if measures else runs
    measures = _known_to(kept, measures)
    found = [
        group_runs(
            kept, [BY_EXPERIMENT, *by], metric=each.metric, mode=each.mode, goal=each.goal, with_parents=True,
            runs_dir=target.folder,
        )
        for each in measures
    ] or [_without_metric(kept, by, over)]  # fmt: skip
    order = {frozenset(group.run_ids): place for place, group in enumerate(found[0].groups)}
    in_order = [
        each._replace(groups=sorted(each.groups, key=lambda group: order[frozenset(group.run_ids)])) for each in found
    ]
    of_ids = {run.info.run_id: run for run in kept}
    parents = len(runs) - len(kept)
    return GroupList(len(kept), parents, over, by, measures, of_ids, in_order, target.names(), [], is_named=False)


def _known_to(runs: Sequence[Any], measures: Sequence[Measure]) -> List[Measure]:
    return [each for each in measures if any(each.metric in run.data.metrics for run in runs)]


def _as_runs_come(found: GroupList, runs: Sequence[Any]) -> GroupList:
    """Return groups in the order of the first of their runs."""
    place_of = {run.info.run_id: place for place, run in enumerate(runs)}
    return found._replace(tables=[
        each._replace(groups=sorted(each.groups, key=lambda group: min(map(place_of.__getitem__, group.run_ids))))
        for each in found.tables
    ])  # fmt: skip


def _without_metric(runs: Sequence[Any], by: List[str], over: List[str]) -> Groups:
    """Return groups of runs that have no metric: what they have in common, and how many of them are finished."""
    groups: Dict[Tuple[str, ...], List[Any]] = {}
    for run in runs:
        texts = (seeds.comparable(run.data.params[key]) if key in run.data.params else "" for key in by)
        groups.setdefault((str(run.info.experiment_id), *texts), []).append(run)
    return Groups("", "last", by, over, [
        Group(
            {key: each[0].data.params[key] for key in by if key in each[0].data.params},
            [run.info.run_id for run in each],
            sum(run.info.status == FINISHED for run in each),
            None, None, None, None, {}, None, None, None,
        )
        for each in groups.values()
    ], None)  # fmt: skip


def split_params(facts: Facts, given: str = "", given_by: str = "") -> Tuple[List[str], List[str]]:
    """Return the params that tell groups apart, and those that make no difference.

    Args:
        facts: The runs.
        given: The params that make none, between commas; empty: the seed.
        given_by: The only ones that make one, between commas; empty: all others that differ.

    Raises:
        CommandError: No run has a param that was given.
    """
    keys = facts.keys("params")
    columns = [facts.values("params", key) for key in keys]
    params = [
        {key: value for key, value in zip(keys, values) if value is not None}
        for values in (zip(*columns) if columns else [()] * facts.count)
    ]
    return split_keys(params, facts.values("attributes", "experiment_id"), given, given_by)


def split_keys(
    params: Sequence[Dict[str, Any]], ids: Sequence[Any], given: str, given_by: str = ""
) -> Tuple[List[str], List[str]]:
    """Return the same of runs by their params and experiments; see ``split_params``."""
    keys = sorted({key for each in params for key in each})
    texts = [{key: seeds.comparable(value) for key, value in each.items()} for each in params]
    for each, experiment_id in zip(texts, ids):
        each[_EXPERIMENT] = str(experiment_id)  # runs of two experiments are equal in nothing
    varying = [name for name in (seeds.list_varying(texts) if texts else []) if name != _EXPERIMENT]
    if given_by:
        by = _known(given_by, keys, "by")
        return by, [name for name in varying if name not in by]
    if given:
        over = _known(given, keys, "over")
        return [name for name in varying if name not in over], over
    by, over = seeds.split_seeds(texts) if texts else ([], [])
    by = [name for name in by if name != _EXPERIMENT]
    if not over and by:
        most = max(by, key=lambda name: len({each.get(name) for each in texts}))
        by, over = [name for name in by if name != most], [most]
    return by, over


def _known(given: str, keys: Sequence[str], how: str) -> List[str]:
    """Return the params that are named between commas.

    Raises:
        CommandError: No run has one of them.
    """
    names = run_columns.split_list(given)
    unknown = [name for name in names if name not in keys]
    if unknown and keys:
        from ..errors import near_names

        near = near_names(unknown[0], keys)
        lines = [] if near else closing_advice(keys, "params")
        raise CommandError("no param '%s' to group %s" % (unknown[0], how), NOT_FOUND, near=near, lines=lines)
    return names


def remember(found: GroupList, target: Target) -> None:
    """Note which runs g1, g2 and so on are."""
    meant = [
        [(str(found.runs[run_id].info.experiment_id), run_id) for run_id in group.run_ids]
        for group in found.tables[0].groups
    ]
    rows.remember(target.folder, groups=meant)
