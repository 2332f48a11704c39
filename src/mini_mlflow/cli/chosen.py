"""Which runs does a word of the command line mean: last, best:METRIC, a row, a name, the beginning of an id?"""

from __future__ import annotations

import os
import re
from collections import namedtuple

from .. import goals
from ..query.ordering import sort_rows
from ..store import experiments
from . import ranked, rows, spans, texts
from .failures import AMBIGUOUS, NOT_FOUND, USAGE, CommandError, closing_advice, not_found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional, Sequence, Tuple, Union

    from .screen import Screen
    from .target import Target

    ExperimentId = Union[int, str]

_SHORTEST = 4  # characters of the beginning of an id
_ROWS = re.compile(r"(\d{1,3})(?:-(\d{1,3}))?")
_GROUP = re.compile(r"g(\d{1,3})")
_MOST_SHOWN = 10


class ChosenRun(
    namedtuple(
        "ChosenRun",
        ["run_id", "experiment_id", "name", "status", "start_time", "end_time", "folder", "stage"],
        defaults=[experiments.ACTIVE],
    )
):
    """A run that a word means.

    Attributes:
        run_id: Its id.
        experiment_id: Its experiment, as text.
        name: Its name for people, None where it has none.
        status: RUNNING, FINISHED, FAILED, KILLED or LOST.
        start_time: Milliseconds since 1970-01-01 UTC, None where unknown.
        end_time: Likewise.
        folder: Where its files lie.
        stage: ``active``, or ``deleted`` for one in the trash.
    """

    __slots__ = ()

    run_id: str
    experiment_id: str
    name: Optional[str]
    status: str
    start_time: Optional[int]
    end_time: Optional[int]
    folder: str
    stage: str

    def title(self) -> str:
        """Return its name, or the beginning of its id where it has none; it is not clean yet."""
        return title_of(self.name, self.run_id)


def choose_run(word: str, target: Target, screen: Screen, experiment: Optional[str] = None, **how: Any) -> ChosenRun:
    """Return the one run that a word means; see ``choose_runs``.

    Raises:
        CommandError: No run, or several.
    """
    found = choose_runs([word], target, screen, experiment, **how)
    if len(found) > 1:
        raise _several("'%s' means %d runs" % (word, len(found)), found, target, screen, "take one of them")
    return found[0]


def choose_runs(
    words: Sequence[str],
    target: Target,
    screen: Screen,
    experiment: Optional[str] = None,
    *,
    is_strict: bool = False,
    stages: Sequence[str] = (experiments.ACTIVE,),
) -> List[ChosenRun]:
    """Return the runs that words mean, each once, in the order given.

    Args:
        words: ``last``, ``best:METRIC``; a number below 1000, ``3-6`` or ``g2``: rows of the last ``ls``; a name; an id
            or 4 or more characters of its beginning; ``name:…`` and ``id:…``. The first that fits.
        target: The store.
        screen: For what is told of several runs.
        experiment: Name or id of the only experiment to look in.
        is_strict: Whether a word that could mean two things is refused: for commands that change runs.
        stages: ``active`` for runs that are there, ``deleted`` for those in the trash.

    Raises:
        CommandError: A word means no run, or more than one and is neither of the rows' words.
    """
    where = target.where(experiment)

    def question(table: Any) -> List[ChosenRun]:
        look = _Look(table, target, screen, where, stages)
        found: List[int] = []
        for word in words:
            found += look.rows_of(word, is_strict=is_strict)
        return [look.run(row) for row in dict.fromkeys(found)]

    ids = target.ids(experiment)
    try:
        return target.ask(ids, question, stages)
    except _NoSuchRunError as error:
        raise _told_where_it_is(error, ids, target, stages) from None


class _NoSuchRunError(CommandError):
    """No run is called what a word says; ``word`` is that."""

    word = ""


def _told_where_it_is(
    error: _NoSuchRunError, ids: Sequence[ExperimentId], target: Target, stages: Sequence[str]
) -> CommandError:
    """Return an error with what to do where the run is in the trash, or is not though it was looked for there."""
    others = [each for each in (experiments.ACTIVE, experiments.DELETED) if each not in stages]
    word = error.word

    def is_there(table: Any) -> bool:
        names, there = (table.column("attributes", key) or () for key in ("run_name", "run_id"))
        return word in names or any(len(word) >= _SHORTEST and each.startswith(word) for each in there)

    if not others:
        return error
    if target.ask(ids, is_there, others):
        error.near = []
        in_trash = "it is in the trash: show -a shows it, restore brings it back"
        error.lines = [in_trash if others == [experiments.DELETED] else "it is not in the trash: show shows it"]
    return error


class _Look:
    """A table of runs, and what its rows are called."""

    def __init__(self, table: Any, target: Target, screen: Screen, where: str, stages: Sequence[str]) -> None:
        self.table, self.target, self.screen, self.where, self.stages = table, target, screen, where, stages
        self.ids: List[str] = table.column("attributes", "run_id") or []
        self.names: List[Optional[str]] = table.column("attributes", "run_name") or [None] * len(self.ids)
        self.experiments = [str(each) for each in table.column("attributes", "experiment_id") or ()]

    def rows_of(self, word: str, *, is_strict: bool) -> List[int]:
        """Return the rows that a word means.

        Raises:
            CommandError: None, or it is not clear which.
        """
        kind, colon, rest = word.partition(":")
        if colon and kind == "name":
            return self._one(self._named(rest), word, "is the name of")
        if colon and kind == "id":
            return self._one(self._with_id(rest), word, "is the beginning of")
        numbered = self._numbered(word)
        meanings: List[Tuple[List[int], str]] = []
        for rows_there, says in (
            (self._by_word(word), ""),
            (numbered or [], ""),
            (self._named(word), "is the name of"),
            (self._with_id(word), "is the beginning of"),
        ):
            if rows_there:
                meanings.append((rows_there, says))
        if not meanings:
            raise self._none(word, numbered)
        first, says = meanings[0]
        if is_strict and any(set(other) != set(first) for other, _ in meanings[1:]):
            several = list(dict.fromkeys(row for there, _ in meanings for row in there))
            runs = [self.run(row) for row in several]
            advice = "say which: name:%s, or id: and the beginning of an id" % word
            raise _several("'%s' may mean %d runs" % (word, len(runs)), runs, self.target, self.screen, advice)
        return self._one(first, word, says) if says else first

    def run(self, row: int) -> ChosenRun:
        """Return what is known of a row."""

        def value(key: str) -> Any:
            column = self.table.column("attributes", key)
            return None if column is None else column[row]

        return ChosenRun(
            run_id=self.ids[row],
            experiment_id=self.experiments[row],
            name=self.names[row],
            status=value("status") or "RUNNING",
            start_time=value("start_time"),
            end_time=value("end_time"),
            folder=os.path.dirname(value("artifact_uri")),
            stage=value("lifecycle_stage") or experiments.ACTIVE,
        )

    def _one(self, found: List[int], word: str, says: str) -> List[int]:
        if len(found) == 1:
            return found
        if not found:
            raise self._none(word, None)
        runs = [self.run(row) for row in found]
        shown = word.partition(":")[2] if word.startswith(("name:", "id:")) else word
        is_name = says == "is the name of"
        advice = "take id: and the beginning of one's id" if is_name else "add characters until it is one"
        raise _several("'%s' %s %d runs" % (shown, says, len(runs)), runs, self.target, self.screen, advice)

    def _by_word(self, word: str) -> List[int]:
        if word == "last":
            return sort_rows(range(self.table.count), [], self.table, self.screen.now_ms, 1)
        if word.startswith("best:") and word != "best:":
            return [self._best(word[len("best:") :])]
        return []

    def _best(self, text: str) -> int:
        metric, goal = goals.split_goal(text)
        if metric not in self.table.keys("metrics"):
            raise no_metric(metric, self.table, self.where)
        goal = goal or goals.goal_of(metric) or "max"
        values = ranked.values_of(ranked.Measure(metric, goal, goal), self.table, range(self.table.count))
        check_one_experiment(metric, self.experiments, values, self.target)
        place = goals.best_place(values, goal)
        if place is None:
            raise CommandError("no run has a number as metric '%s'" % metric, NOT_FOUND)
        return place

    def _numbered(self, word: str) -> Optional[List[int]]:
        """Return the rows that a number of the last ``ls`` means, None where the word is no number."""
        several, group = _ROWS.fullmatch(word), _GROUP.fullmatch(word)
        if not several and not group:
            return None
        remembered, groups = rows.recall(self.target.folder)
        if group:
            number = int(group.group(1))
            meant = groups[number - 1] if 1 <= number <= len(groups) else []
        else:
            assert several is not None
            first = int(several.group(1))
            last = int(several.group(2) or first)
            meant = remembered[first - 1 : last] if 1 <= first <= last <= len(remembered) else []
        place_of = {(experiment, run): row for row, (experiment, run) in enumerate(zip(self.experiments, self.ids))}
        found = [place_of[each] for each in meant if each in place_of]
        return found if len(found) == len(meant) else []  # one is gone: it is not clear what is meant

    def _named(self, name: str) -> List[int]:
        return [row for row, each in enumerate(self.names) if each == name] if name else []

    def _with_id(self, beginning: str) -> List[int]:
        if beginning in self.ids:
            return [row for row, each in enumerate(self.ids) if each == beginning]
        if len(beginning) < _SHORTEST:
            return []
        return [row for row, each in enumerate(self.ids) if each.startswith(beginning)]

    def _none(self, word: str, numbered: Optional[List[int]]) -> CommandError:
        if numbered is not None:
            if not rows.is_terminal_here():
                message = "'%s' is a row of the last ls in a terminal, and this is none" % word
                return CommandError(message, USAGE, lines=["take a name or the beginning of an id"])
            remembered, groups = rows.recall(self.target.folder)
            numbers = "g1 to g%d" % len(groups) if word.startswith("g") else "1 to %d" % len(remembered)
            is_any = groups if word.startswith("g") else remembered
            advice = "the last one had %s" % numbers if is_any else "ls numbers them"
            return CommandError("no row '%s' of the last ls, or its run is gone" % word, NOT_FOUND, lines=[advice])
        bare = word.partition(":")[2] if word.startswith(("name:", "id:")) else word
        there = [name for name in self.names if name]
        is_trash = experiments.ACTIVE not in self.stages
        what = "deleted run" if is_trash else "run"
        known = not_found(what, bare, self.where, list(dict.fromkeys(there))[:100000])
        error = _NoSuchRunError(known.message, known.exit_code, near=known.near)
        error.word = bare
        if not self.table.count:
            error.lines = ["the trash is empty" if is_trash else "there are no runs yet"]
        elif not error.near:
            error.lines = ["gc --dry-run tells what is in the trash" if is_trash else "ls tells which there are"]
        return error


def no_metric(metric: str, table: Any, where: str) -> CommandError:
    """Return the error that no run in the place that was looked in has a metric."""
    there = table.keys("metrics")
    error = not_found("metric", metric, where, there)
    if not error.near:
        error.lines = closing_advice(there)
    return error


def check_one_experiment(metric: str, of_rows: Sequence[Any], values: Sequence[Any], target: Target) -> None:
    """Refuse to say what is best of things that are not the same.

    Raises:
        CommandError: Several experiments have the metric.
    """
    there = list(dict.fromkeys(str(each) for each, value in zip(of_rows, values) if value is not None))
    if len(there) > 1:
        names = target.names()
        lines = ["-e '%s'" % names.get(each, each) for each in there[:_MOST_SHOWN]]
        message = "%d experiments have a metric '%s': say of which one" % (len(there), metric)
        raise CommandError(message, AMBIGUOUS, lines=lines)


def title_of(name: Optional[str], run_id: str) -> str:
    """Return what a run is called: its name, else its id as ``short_id`` has it."""
    return name or short_id(run_id)


def id_beside(name: Optional[str], run_id: str) -> str:
    """Return what tells runs of one title apart: ``short_id``, nothing where that is the title."""
    return short_id(run_id) if name else ""


def short_id(run_id: str) -> str:
    """Return the first 8 characters of an id that a program made, an id of the user's own whole."""
    return run_id[:8] if re.fullmatch("[0-9a-f]{32}", run_id) else run_id


def _several(message: str, runs: List[ChosenRun], target: Target, screen: Screen, advice: str) -> CommandError:
    """Return the error that a word means several runs, with a line for each."""
    names = target.names()
    shown = runs[:_MOST_SHOWN]
    ids = _apart([run.run_id for run in runs])[:_MOST_SHOWN]
    titles = [screen.clean(run.title()) for run in shown]
    width = max(map(texts.width_of, titles))
    lines = []
    for run_id, run, title in zip(ids, shown, titles):
        ago = "" if run.start_time is None else spans.age((screen.now_ms - run.start_time) / 1000)
        experiment = names.get(run.experiment_id, run.experiment_id)
        facts = (run_id, screen.mark(run.status, plain=True), texts.pad(title, width), ago, experiment)
        lines.append(" %s  %s %s  %4s  %s" % facts)
    if len(runs) > len(shown):
        lines.append("and %d more" % (len(runs) - len(shown)))
    return CommandError(message, AMBIGUOUS, lines=[*lines, advice])


def _apart(ids: List[str]) -> List[str]:
    """Return ids cut to 8 characters, or as many as it takes to tell them apart."""
    length = 8
    while length < 32 and len({each[:length] for each in ids}) < len(set(ids)):
        length += 4
    return [each[:length] if short_id(each) != each else each for each in ids]
