"""Which runs, with which columns and values, does ``ls EXPERIMENT`` show?"""

from __future__ import annotations

from collections import Counter, namedtuple

from . import picked, ranked, rows, run_columns, run_documents, run_table
from .facts import Facts
from .failures import DONE
from .fallen import find_fallen
from .written_rows import write_rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, Dict, List, Optional, Sequence, Tuple

    from .picked import Wanted
    from .ranked import Measure
    from .run_columns import Spec
    from .screen import Screen
    from .target import Target


class RunList(
    namedtuple(
        "RunList",
        [
            "total", "matched", "counts", "ids", "statuses", "folders", "specs", "values", "measures", "shared",
            "stages", "fallen",
        ],
        defaults=[None],
    )
):
    """A list of runs, as data.

    Attributes:
        total: How many runs there are.
        matched: How many of them the filter means.
        counts: How many of these have which status.
        ids: Experiment and run of each that is shown.
        statuses: The status of each.
        folders: Where the files of each lie.
        specs: The columns.
        values: Their values, whole, by column.
        measures: What is shown of metrics, the one that matters most first.
        shared: Params that are the same in all that are shown.
        stages: ``active`` or ``deleted`` for each.
        fallen: Latest values that are far from the best, by column and row; see ``fallen``. None of programs.
    """

    __slots__ = ()

    total: int
    matched: int
    counts: Dict[str, int]
    ids: List[Tuple[str, str]]
    statuses: List[str]
    folders: List[str]
    specs: List[Spec]
    values: Dict[Spec, List[Any]]
    measures: List[Measure]
    shared: List[Tuple[str, Any]]
    stages: List[str]
    fallen: Optional[Dict[Spec, Dict[int, Any]]]


def show(arguments: argparse.Namespace, target: Target, word: Optional[str], screen: Screen) -> int:
    """List the runs that options mean, of the experiment *word* or of all."""
    form = screen.list_form()
    wanted = picked.read_wanted(arguments, picked.ON_A_TERMINAL if form == "table" and screen.is_terminal else None)
    if form == "json":
        return _show_json(arguments, wanted, target, word, screen)
    return _show_runs(arguments, wanted, target, word, screen, form)


def _show_runs(
    arguments: argparse.Namespace, wanted: Wanted, target: Target, word: Optional[str], screen: Screen, form: str
) -> int:
    is_table = form in ("table", "md")
    found = read_list(arguments, wanted, target, word, screen, is_for_people=is_table)
    if form == "ids":
        screen.write("".join(screen.clean(run_id) + "\n" for _, run_id in found.ids))
    elif not is_table:
        columns = [found.values[spec] for spec in found.specs]
        write_rows([spec.name() for spec in found.specs], list(zip(*columns)), form, screen)
    elif form == "md":
        screen.write_lines(run_table.markdown_of(found, screen), is_wide=True)
    else:
        rows.remember(target.folder, found.ids)
        name = target.shown if word is None else target.experiment(word).name
        lines = [run_table.title(name, found, screen, is_wide=bool(arguments.wide))]
        if found.ids:
            lines += ["", *run_table.render(found, screen, is_wide=bool(arguments.wide))]
        screen.write_lines(lines, is_wide=bool(arguments.wide))
    return DONE


def _show_json(
    arguments: argparse.Namespace, wanted: Wanted, target: Target, word: Optional[str], screen: Screen
) -> int:
    names = target.names()

    def question(table: Any) -> Any:
        picked.check_ranking(wanted, table, target.where(word))
        found = picked.find(wanted, table, screen.now_ms)
        in_order = picked.sort(wanted, found, table, screen.now_ms, names, wanted.limit)
        chosen = arguments.metrics
        if chosen is not None:
            chosen = run_columns.match_keys(chosen, table.keys("metrics"), "metric")
        return table.count, len(found), table.runs(in_order), chosen

    total, matched, runs, chosen = target.ask(target.ids(word), question, wanted.stages, refresh=arguments.refresh)
    documents = [
        run_documents.run_document(each, run_documents.folder_of(each), names, screen.now_ms, is_last=wanted.is_last)
        for each in runs
    ]
    if chosen is not None:
        for each in documents:
            each["metrics"] = {key: value for key, value in each["metrics"].items() if key in chosen}
    screen.write_json("runs", store=target.shown, total=total, matched=matched, runs=documents)
    return DONE


def read_list(
    arguments: argparse.Namespace,
    wanted: Wanted,
    target: Target,
    word: Optional[str],
    screen: Screen,
    *,
    is_for_people: bool,
) -> RunList:
    """Return the runs that options mean.

    Args:
        arguments: Which columns: ``-c -m -w -a``.
        wanted: Which runs, in which order.
        target: The store.
        word: The experiment, None for all.
        screen: For its clock.
        is_for_people: Whether it becomes a table.

    Raises:
        CommandError: A column or a metric is not there.
        QueryError: The filter asks for what no run has.
    """
    names = target.names()

    def question(table: Any) -> RunList:
        picked.check_ranking(wanted, table, target.where(word))
        found = picked.find(wanted, table, screen.now_ms)
        statuses = table.column("attributes", "status") or ()
        facts = Facts(table, picked.sort(wanted, found, table, screen.now_ms, names, wanted.limit))
        params, shared = run_columns.split_params(facts) if is_for_people else ([], [])
        is_wide = bool(arguments.wide or arguments.all)
        first = wanted.ranking
        measures = run_columns.list_metrics(
            facts, arguments.metrics, first, is_last=wanted.is_last, is_all=bool(arguments.all)
        ) if is_for_people else []  # fmt: skip
        if arguments.columns is not None:
            specs = run_columns.named(arguments.columns, facts, is_last=wanted.is_last)
            measures = measures_of(specs, measures)
        elif is_for_people:
            specs = run_columns.for_people(facts, measures, params, is_across=word is None, is_wide=is_wide)
        else:
            specs = run_columns.for_programs(
                facts, arguments.metrics, is_last=wanted.is_last, is_all=bool(arguments.all)
            )
        # Steps last: they are counted in what the others have read.
        in_turn = sorted(specs, key=lambda spec: spec == run_columns.attribute("steps"))
        values = {spec: run_columns.raw_values(spec, facts, names, screen.now_ms) for spec in in_turn}
        return RunList(
            total=table.count,
            matched=len(found),
            counts=dict(Counter(map(statuses.__getitem__, found))),
            ids=facts.ids(),
            statuses=facts.values("attributes", "status"),
            folders=facts.folders(),
            specs=specs,
            values=values,
            measures=measures,
            shared=[] if arguments.columns is not None else shared,
            stages=facts.values("attributes", "lifecycle_stage"),
            fallen=find_fallen(facts, specs, facts.values("attributes", "status")) if is_for_people else None,
        )

    return target.ask(target.ids(word), question, wanted.stages, refresh=arguments.refresh)


def measures_of(specs: Sequence[Spec], otherwise: Sequence[Measure]) -> List[Measure]:
    """Return the metrics among columns that a user named; for the trend the usual first one where there is none."""
    found = [ranked.measure_of(spec.key)._replace(mode=spec.mode) for spec in specs if spec.kind == "measure"]
    return found or list(otherwise[:1])
