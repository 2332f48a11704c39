"""Which runs, experiments and keys could a word at the cursor become?"""

from __future__ import annotations

import os
import re
from itertools import islice
from time import monotonic

from .. import layout
from ..errors import MiniMLflowError
from ..index import place
from ..store import experiments, folders, reader
from .target import Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator, List, Optional, Sequence, Set, Tuple, Union

    ExperimentId = Union[int, str]

_MANY = 2000  # runs that are read before anybody gets impatient; more only where there is an index already
_PATIENCE_S = 0.3
_OTHERWISE = re.compile(r"last|[0-9]{1,3}(-[0-9]{1,3})?|g[0-9]{1,3}|(best|name|id):.*", re.DOTALL)


def run_words(
    target: Target, experiment: Optional[str], stages: Sequence[str] = (experiments.ACTIVE,)
) -> List[Tuple[str, str]]:
    """Return the words that mean a run, newest first, each with what helps to choose; ``last`` first of all.

    A name that means something else is written ``name:…``. A run without a name, or with one that others have, comes by
    its id.
    """

    def question(table: Any) -> List[Tuple[str, Optional[str], str]]:
        ids = table.column("attributes", "run_id") or []
        names = table.column("attributes", "run_name") or [None] * len(ids)
        times = [table.column("attributes", key) or [None] * len(ids) for key in ("start_time", "start_us")]
        statuses = table.column("attributes", "status") or [""] * len(ids)
        order = sorted(range(len(ids)), key=lambda row: (*(-(each[row] or 0) for each in times), ids[row]))
        return [(ids[row], names[row], str(statuses[row] or "").lower()) for row in order]

    found: List[Tuple[str, Optional[str], str]] = _ask(target, experiment, question, stages) or []
    if not found and experiments.ACTIVE in stages:
        found = list(_read_names(target, experiment))
    names = [name for _, name, _ in found]
    several = _repeated(names)
    words = [("last", "the newest")] if found else []
    for run_id, name, status in found:
        if name and name not in several:
            words.append(("name:" + name if _OTHERWISE.fullmatch(name) else name, status))
        else:
            words.append(("id:" + run_id if _OTHERWISE.fullmatch(run_id) else run_id, name or status))
    return words


def id_words(target: Target, experiment: Optional[str], beginning: str) -> List[Tuple[str, str]]:
    """Return the ids of runs that begin so."""
    words = []
    for _, folder in _iter_runs(target, experiment):
        run_id = os.path.basename(folder)
        if run_id.startswith(beginning):
            words.append((run_id, ""))
    return words


def experiment_words(target: Target) -> List[Tuple[str, str]]:
    """Return the names of the experiments; where several have one name, their ids."""
    there = target.experiments()
    names = [each.name for each in there]
    return [
        (each.name if names.count(each.name) == 1 else "id:%s" % each.experiment_id, str(each.experiment_id))
        for each in there
    ]


def key_words(target: Target, experiment: Optional[str], kinds: Sequence[str]) -> List[Tuple[str, str]]:
    """Return the keys of some kinds (``metrics``, ``params``, ``tags``) that the runs have."""

    def question(table: Any) -> List[Tuple[str, str]]:
        return [(key, kind[:-1]) for kind in kinds for key in table.keys(kind)]

    found: Optional[List[Tuple[str, str]]] = _ask(target, experiment, question)
    return found or _read_keys(target, experiment, kinds)


def _repeated(names: List[Optional[str]]) -> Set[Optional[str]]:
    seen: Set[Optional[str]] = set()
    repeated: Set[Optional[str]] = set()
    for name in names:
        (repeated if name in seen else seen).add(name)
    return repeated


def _ask(
    target: Target,
    experiment: Optional[str],
    question: Callable[[Any], Any],
    stages: Sequence[str] = (experiments.ACTIVE,),
) -> Any:
    """Return what the table of runs answers; None where to make it would take longer than anybody waits for a word."""
    ids = target.ids(experiment)
    if not ids:
        return None
    path = place.find_place(target.folder) if place.is_available() else None
    has_index = path is not None and os.path.exists(path)
    if not has_index and sum(1 for _ in islice(_iter_runs(target, experiment), _MANY + 1)) > _MANY:
        return None
    return target.ask(ids, question, stages)


def _iter_runs(target: Target, experiment: Optional[str]) -> Iterator[Tuple[ExperimentId, str]]:
    for experiment_id in target.ids(experiment):
        folder = layout.experiment_folder(target.folder, experiment_id)
        try:
            entries = os.scandir(folder)
        except OSError:
            continue
        with entries:
            for entry in entries:
                if not entry.name.startswith((".", "-")) and entry.is_dir():
                    yield experiment_id, entry.path


def _read_names(target: Target, experiment: Optional[str]) -> Iterator[Tuple[str, Optional[str], str]]:
    """Yield id, name and status of as many runs as can be read in the time that there is."""
    end = monotonic() + _PATIENCE_S
    for _, folder in _iter_runs(target, experiment):
        if monotonic() > end:
            return
        try:
            fields = folders.read_fields(folder, lambda *_: None)[0]
        except (OSError, MiniMLflowError):
            continue
        if fields:
            name = fields.get("name")
            yield os.path.basename(folder), name if isinstance(name, str) else None, ""


def _read_keys(target: Target, experiment: Optional[str], kinds: Sequence[str]) -> List[Tuple[str, str]]:
    """Return the keys of as many runs as can be read in the time that there is."""
    end = monotonic() + _PATIENCE_S
    found: Set[Tuple[str, str]] = set()
    for _, folder in _iter_runs(target, experiment):
        if monotonic() > end:
            break
        for kind in kinds:
            if kind == layout.METRICS:
                found.update((key, "metric") for key in reader.list_metrics(folder))
                continue
            for _, path in folders.iter_documents(folder, kind):
                try:
                    key = folders.key_in(path, kind)
                except (OSError, MiniMLflowError):
                    continue
                if key is not None:
                    found.add((key, kind[:-1]))
    return sorted(found)
