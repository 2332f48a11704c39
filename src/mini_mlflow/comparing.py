"""What differs between two runs: params, metrics, tags, packages, code, and from which step on?"""

from __future__ import annotations

from collections import namedtuple

from . import active, given_runs, seeds, series, text_tables
from .errors import warn_of
from .identity import known_experiment
from .store import columns, reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any, Dict, List, Mapping, Optional, Union

    from .given_runs import GivenRun
    from .records import Columns, Problem

    ExperimentId = Union[int, str]

_SOURCE = ("command", "entry", "cwd", "user", "host", "python", "platform")
_SYSTEM = "system/"  # metrics of the machine: they differ from the first step on, and mean little
_LARGEST = 2**1000  # integers whose difference is still a float


class Pair(namedtuple("Pair", ["a", "b", "missing"])):
    """Two values that differ.

    Attributes:
        a: That of the first run, None where it has none.
        b: That of the second run, likewise.
        missing: Which run has none: ``"a"``, ``"b"``, or None where both have one.
    """

    __slots__ = ()

    a: Any
    b: Any
    missing: Optional[str]


class Comparison(
    namedtuple(
        "Comparison",
        ["run_ids", "names", "params", "metrics", "tags", "packages", "git", "source", "first_difference", "same"],
    )
):
    """What differs between two runs; what is equal is left out. Printed, it is a table.

    Attributes:
        run_ids: The two runs.
        names: Their names for people.
        params: ``Pair(a, b, missing)`` by key.
        metrics: Their latest values, likewise.
        tags: Tags, likewise, the note (``mlflow.note.content``) among them.
        packages: Versions of the packages that were imported, likewise.
        git: ``git_commit``, ``git_branch``, ``git_dirty`` and what else is known of the code, likewise.
        source: ``command``, ``entry``, ``cwd``, ``user``, ``host``, ``python``, ``platform``, likewise.
        first_difference: By metric that both have: the first step that both have logged at which the values differ.
            Metrics that agree at all such steps are left out.
        same: How many values of each of these are equal in both: ``same["params"]``.
    """

    __slots__ = ()

    run_ids: List[str]
    names: List[Optional[str]]
    params: Dict[str, Pair]
    metrics: Dict[str, Pair]
    tags: Dict[str, Pair]
    packages: Dict[str, Pair]
    git: Dict[str, Pair]
    source: Dict[str, Pair]
    first_difference: Dict[str, int]
    same: Dict[str, int]

    def __str__(self) -> str:
        """Return what differs as a table."""
        titles = ["%s %s" % (letter, name or run_id) for letter, name, run_id in zip("ab", self.names, self.run_ids)]
        rows = [["", *titles, ""]]
        for section in ("params", "metrics", "tags", "packages", "git", "source"):
            pairs: Dict[str, Pair] = getattr(self, section)
            shown = {key: pair for key, pair in pairs.items() if not key.startswith(_SYSTEM) or section != "metrics"}
            if shown:
                rows.append([section, "", "", ""])
            rows.extend(["  " + text_tables.render_value(key), *_texts(pair)] for key, pair in shown.items())
        steps = {key: step for key, step in self.first_difference.items() if not key.startswith(_SYSTEM)}
        if steps:
            rows.append(["first differing step", "", "", ""])
            rows.extend(["  " + text_tables.render_value(key), str(step), "", ""] for key, step in steps.items())
        lines = text_tables.render_table(rows)
        if len(rows) == 1:
            lines.append("nothing differs")
        same = ", ".join("%d %s" % (count, section) for section, count in self.same.items() if count)
        return "\n".join([*lines, "same: " + (same or "nothing")])


def compare(
    run_a: Any,
    run_b: Any,
    *,
    experiment_id: Optional[ExperimentId] = None,
    runs_dir: Union[str, os.PathLike[str], None] = None,
) -> Comparison:
    """Return what differs between two runs, read from their files.

    Args:
        run_a: Id, or run (what ``start_run``, ``get_run`` or ``search_runs`` return).
        run_b: The other.
        experiment_id: The experiment of a run that is given as an id; None: the one that has it.
        runs_dir: The store's folder, as in ``start_run``.

    Returns:
        ``Comparison``. Numbers are equal by their value, NaN equals itself; a text is no number.

    Raises:
        RunNotFoundError: There is no such run.
        AmbiguousRunError: Several experiments have a run of an id; say which.
        InvalidIdError: An id is not legal.
        BrokenFileError: The meta.yaml of a run cannot be read.
        UnsupportedFormatError: A run was written in a newer format.

    Warns:
        StorageWarning: Some files cannot be read; what can be is compared.
    """
    store = active.store_folder(runs_dir)
    if experiment_id is not None:
        experiment_id = known_experiment(store, experiment_id)
    runs = [given_runs.find_one(run, experiment_id, store) for run in (run_a, run_b)]
    a, b = (reader.read_folder(run.folder, run.experiment_id, run.run_id) for run in runs)
    problems = [*a.problems, *b.problems]
    steps = {key: _first_difference(runs, key, problems) for key in sorted(a.metrics.keys() & b.metrics.keys())}
    warn_of(problems, stacklevel=2)
    fields = [
        {
            "params": record.params,
            "metrics": record.metrics,
            "tags": record.tags,
            "packages": _mapping(record.metadata.get("packages")),
            "git": {key: value for key, value in record.metadata.items() if key.startswith("git_")},
            "source": {key: record.metadata[key] for key in _SOURCE if record.metadata.get(key) is not None},
        }
        for record in (a, b)
    ]
    pairs = {section: _differing(*(each[section] for each in fields)) for section in fields[0]}
    return Comparison(
        run_ids=[run.run_id for run in runs],
        names=[record.metadata.get("name") for record in (a, b)],
        first_difference={key: step for key, step in steps.items() if step is not None},
        same={section: len({*fields[0][section], *fields[1][section]}) - len(pairs[section]) for section in pairs},
        **pairs,
    )


def _differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> Dict[str, Pair]:
    """Return what is not equal, by key."""
    found = {}
    for key in sorted({*a, *b}):
        missing = "a" if key not in a else "b" if key not in b else None
        if missing or seeds.comparable(a[key]) != seeds.comparable(b[key]):
            found[key] = Pair(a.get(key), b.get(key), missing)
    return found


def _first_difference(runs: List[GivenRun], key: str, problems: List[Problem]) -> Optional[int]:
    """Return the first step that both runs have at which a metric differs, None where there is none."""
    a, b = (series.latest_per_step(columns.read_parts(run.folder, key, problems)) for run in runs)
    return first_difference(a, b)


def first_difference(a: Columns, b: Columns) -> Optional[int]:
    """Return the first step that both histories have at which their values differ, None where there is none.

    Args:
        a: A history, its steps strictly ascending.
        b: Another.
    """
    if a.steps == b.steps and a.values == b.values:
        return None
    others = dict(zip(b.steps, b.values))
    for step, value in zip(a.steps, a.values):
        other = others.get(step)
        is_nan = value != value and other != other  # noqa: PLR0124 - isnan takes no integer beyond the floats
        if other is not None and value != other and not is_nan:
            return step
    return None


def _mapping(value: Any) -> Dict[str, Any]:
    return value if isinstance(value, dict) else {}  # what someone wrote by hand may be anything


def _texts(pair: Pair) -> List[str]:
    """Return what two values look like, and how far a number is from the other."""
    texts = ["–" if pair.missing == side else _text(value) for side, value in (("a", pair.a), ("b", pair.b))]
    is_number = all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in (pair.a, pair.b))
    if not is_number:
        return [*texts, ""]
    if all(isinstance(each, int) and abs(each) < _LARGEST for each in (pair.a, pair.b)):
        return [*texts, "%+.4g" % (pair.b - pair.a)]  # exact, beyond the whole numbers of floats too
    first, second = series.to_floats([pair.a, pair.b])
    return [*texts, "%+.4g" % (second - first)]


def _text(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        value = " ".join(value)  # a command
    return text_tables.render_value(value)
