"""What is there to know of one run: the answer of ``api/run``?"""

from __future__ import annotations

from math import isfinite

from ... import goals, layout
from ...errors import ArtifactNotFoundError, InvalidArtifactPathError
from ...records import NOTE
from ...search import scanning
from ...store import experiments, reader
from . import choices, files, plain, rows, tables
from .ranks import Ranks
from .stores import make_ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from ...records import RunRecord, StoredRun
    from .histories import Histories, History
    from .stores import Place, Stores

MOST_METRICS = 2000
_MOST_VALUES = 5000
_MOST_CHILDREN = 100
_SPARK = 64  # points of the small line beside a metric
_NO_PROVENANCE = (
    "format", "run_id", "experiment_id", "name", "version", "status", "start_time", "end_time", "lifecycle_stage",
    "parent_run_id", "generation", "artifact_uri", "run_uuid", "run_name", "tags", "user_id", "source_version",
    "entry_point_name", "source_name", "source_type",
)  # fmt: skip
DIFF_FILE = "git.diff"


def read_run(
    stores: Stores, histories: Histories, ref: str, now_ms: int, *, has_sparklines: bool = True
) -> Dict[str, Any]:
    """Return what is known of a run; without sparklines, their lists are empty.

    Raises:
        InvalidIdError: It is no reference to a run.
        RunNotFoundError: There is no such run.
        BrokenFileError: Its meta.yaml cannot be read.
        UnsupportedFormatError: It was written in a newer format.
    """
    place = stores.get_run(ref)
    run = scanning.read_run(place.store.path, place.experiment_id, place.run_id)
    record = reader.read_folder(place.folder, place.experiment_id, place.run_id)
    beside = tables.ask([(place.store, [place.experiment_id])], "active", lambda table: _look_beside(table, place))
    info = run.info
    is_live = info.status == reader.RUNNING
    end = info.end_time if info.end_time is not None else now_ms if is_live else None
    return {
        "ref": place.ref,
        "id": place.run_id,
        "name": plain.value(info.run_name),
        "status": info.status,
        "experiment": _experiment(place),
        "start_ms": info.start_time,
        "end_ms": info.end_time,
        "duration_s": None if end is None or info.start_time is None else max(0.0, (end - info.start_time) / 1000),
        "parent": beside["parent"](info.parent_run_id),
        "children": beside["children"],
        "rank": beside["rank"],
        "note": plain.value(run.data.tags.get(NOTE)),
        "tags": rows.own_tags(run.data.tags),
        "system_tags": _system_tags(run),
        "version": plain.value(info.version),
        "user": plain.value(info.user_id),
        "resume_count": info.resume_count,
        "params": _params(run, beside["varying"], beside["seeds"]),
        "metrics": _metrics(histories, place, run, is_live=is_live, has_sparklines=has_sparklines),
        "provenance": _provenance(record),
        "has_diff": _has_diff(place),
        "console": files.list_consoles(place),
        "problems": [{"path": _within(place, path), "what": reason} for path, reason in run.problems[:50]],
        "is_writable": place.store.is_writable,
    }


def _look_beside(table: Any, place: Place) -> Dict[str, Any]:
    """Return what the other runs of the experiment tell of one."""
    ids = table.column("attributes", "run_id") or ()
    parents = table.column("attributes", "parent_run_id") or ()
    own = next((row for row, run_id in enumerate(ids) if run_id == place.run_id), None)
    children = [row for row, parent in enumerate(parents) if parent == place.run_id][:_MOST_CHILDREN]
    varying = choices.list_varying(table)
    known = set(ids)

    def find_parent(run_id: Any) -> Optional[str]:
        return make_ref(place.store.number, place.experiment_id, run_id) if run_id in known else None

    return {
        "children": table.refs(children),
        "parent": find_parent,
        "rank": 0 if own is None else Ranks(table).of([own])[0],
        "varying": varying,
        "seeds": choices.split_seeds(table, varying)[1],
    }


def _experiment(place: Place) -> Dict[str, Any]:
    found = experiments.read(place.store.path, place.experiment_id)
    name = str(place.experiment_id) if found is None else found.name
    return {"ref": "%d/%s" % (place.store.number, place.experiment_id), "name": plain.text(name)}


def _params(run: StoredRun, varying: List[str], seed_like: List[str]) -> List[Dict[str, Any]]:
    order = {key: number for number, key in enumerate(varying)}
    keys = sorted(run.data.params, key=lambda key: (order.get(key, len(order)), key))
    return [
        {
            "key": key,
            "value": plain.value(run.data.params[key]),
            "text": plain.text(run.data.params[key]),
            "is_varying": key in order,
            "is_seed": key in seed_like,
        }
        for key in keys[:_MOST_VALUES]
    ]


def _metrics(
    histories: Histories, place: Place, run: StoredRun, *, is_live: bool, has_sparklines: bool
) -> List[Dict[str, Any]]:
    found = []
    for key in sorted(run.data.metrics)[:MOST_METRICS]:
        history = histories.get(place.folder, key, is_live=is_live)
        told: Dict[str, Any] = {
            "key": key, "last": plain.number(run.data.metrics[key]), "count": history.count, "goal": goals.goal_of(key),
        }  # fmt: skip
        told.update(_summary(history), sparkline=_sparkline(history) if has_sparklines and history.count else [])
        found.append(told)
    return found


def _summary(history: History) -> Dict[str, Any]:
    if not history.count:
        names = ("min", "max", "mean", "first", "min_step", "max_step", "last_step", "first_nan_step")
        return dict.fromkeys(names)
    extremes, values, steps = history.extremes(), history.columns.values, history.columns.steps
    finite = [value for value in history.floats if isfinite(value)]
    least, most, broken = extremes
    return {
        "min": None if least is None else plain.number(values[least]),
        "max": None if most is None else plain.number(values[most]),
        "mean": plain.number(sum(finite) / len(finite)) if finite else None,
        "first": plain.number(values[0]),
        "min_step": None if least is None else plain.number(steps[least]),
        "max_step": None if most is None else plain.number(steps[most]),
        "last_step": plain.number(steps[-1]),
        "first_nan_step": None if broken is None else plain.number(steps[broken]),
    }


def _sparkline(history: History) -> List[Optional[float]]:
    """Return the last value of each of up to 64 stretches of steps, None where it is not finite or there is none."""
    steps, floats = history.columns.steps, history.floats
    first, last = steps[0], steps[-1]
    count = min(_SPARK, len(steps))
    found: List[Optional[float]] = [None] * count
    width = last - first + 1
    for step, value in zip(steps, floats):
        found[(step - first) * count // width] = value if isfinite(value) else None
    return found


def _provenance(record: RunRecord) -> Dict[str, Any]:
    """Return where a run comes from, as it is kept: secrets were masked when it was written."""
    found: Dict[str, Any] = {}
    for name, value in record.metadata.items():
        if name in _NO_PROVENANCE or value is None:
            continue
        if name == "packages" and isinstance(value, dict):
            found[name] = {plain.text(key): plain.text(each) for key, each in sorted(value.items())[:500]}
        elif name == "command" and isinstance(value, list):
            found[name] = [plain.text(part) for part in value]
        elif name == "jobs" and isinstance(value, dict):
            found[name] = {plain.text(key): plain.text(each) for key, each in sorted(value.items())}
        else:
            found[name] = plain.value(value)
    return found


def _system_tags(run: StoredRun) -> Dict[str, Any]:
    own = [key for key in run.data.tags if not choices.is_own_tag(key) and key != NOTE]
    return {key: plain.value(run.data.tags[key]) for key in own[:200]}


def _has_diff(place: Place) -> bool:
    try:
        return files.find_size(place, DIFF_FILE) is not None
    except (ArtifactNotFoundError, InvalidArtifactPathError, OSError):
        return False


def _within(place: Place, path: str) -> str:
    """Return a path of the run's without what lies above it."""
    return path[len(place.folder) :].lstrip("/\\") if path.startswith(place.folder) else layout.META
