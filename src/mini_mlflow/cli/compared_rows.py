"""What do programs get of runs beside each other, as TSV or CSV?"""

from __future__ import annotations

from .. import seeds
from . import run_facts, spans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Sequence, Tuple

    from .compare import Compared

_SOURCE = ("command", "git_commit", "git_branch", "python", "host", "user", "cwd", "platform")


def list_rows(
    found: Compared, metrics: Dict[str, List[Any]], experiments: Dict[str, str], *, is_all: bool
) -> Tuple[List[str], List[List[Any]]]:
    """Return the heading and the rows: of what, which key, and the value of each run, whole.

    Args:
        found: The runs.
        metrics: By what is told of them, such as ``max(acc)``, their values.
        experiments: The names of experiments by their ids.
        is_all: Whether params and sources are told that are the same in all, too.
    """
    rows = [["run", key, *values] for key, values in _facts(found, experiments)]
    params = _by_key([record.params for record in found.records])
    rows += [["param", key, *values] for key, values in params if is_all or _differs(values)]
    rows += [["metric", name, *values] for name, values in metrics.items()]
    rows += [["first_difference", key, *([step] * 2)] for key, step in found.first_differences.items()]
    sources = [_source(record.metadata) for record in found.records]
    rows += [["source", key, *values] for key, values in _by_key(sources) if is_all or _differs(values)]
    rows += [["package", key, *values] for key, values in found.packages.items()]
    return ["of", "key", *(each.run_id for each in found.runs)], rows


def _facts(found: Compared, experiments: Dict[str, str]) -> Iterable[Tuple[str, List[Any]]]:
    yield "name", [each.name for each in found.runs]
    yield "experiment", [experiments.get(each.experiment_id, each.experiment_id) for each in found.runs]
    yield "status", [each.status for each in found.runs]
    yield "start_time", [spans.iso(each.start_time) for each in found.runs]


def _source(metadata: Dict[str, Any]) -> Dict[str, Any]:
    source = run_facts.source_of(metadata)
    told = {key: source[key] for key in _SOURCE if source.get(key) is not None}
    return {key: run_facts.command_text(value) if key == "command" else value for key, value in told.items()}


def _by_key(mappings: Sequence[Dict[str, Any]]) -> List[Tuple[str, List[Any]]]:
    keys = list(dict.fromkeys(key for each in mappings for key in sorted(each)))
    return [(key, [each.get(key) for each in mappings]) for key in keys]


def _differs(values: Sequence[Any]) -> bool:
    return len({seeds.comparable(value) for value in values}) > 1
