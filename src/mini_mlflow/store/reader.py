"""What does a store hold? Runs and histories from files, a run's writers merged, broken runs survived.

Rules S4 to S6, W8, L4, F1 and F2 of docs/format.md; G1 to G4 of docs/mlflow-stores.md.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import lru_cache
from operator import itemgetter, lt
from time import time

from .. import clock, layout
from ..errors import BrokenFileError, MetricNotFoundError, MiniMLflowError, RunNotFoundError
from ..records import Problem, RunRecord
from . import documents, experiments, folders, meta, metric_file, mlflow_layout, owner, presence
from .folders import Part
from .shares import list_shares, shares_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple, Union

    from ..records import Metric, Number
    from .folders import Meta, Owners
    from .shares import Share

_LOOKS = 5
LOST = "LOST"
RUNNING = "RUNNING"


def list_run_ids(runs_dir: str, experiment_id: Union[int, str], *, is_deleted: bool = False) -> List[str]:
    """Return the ids of an experiment's runs, newest first (rule S6); runs that cannot be read are among them.

    Args:
        runs_dir: The store.
        experiment_id: The experiment.
        is_deleted: Those instead that MLflow has deleted, which stay in their places (docs/mlflow-stores.md, rule G4).
    """
    folder = layout.experiment_folder(runs_dir, experiment_id)
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    runs: Dict[str, str] = {}
    if layout.PACKS in names and not is_deleted:
        runs.update(presence.list_packed(folder))
        with suppress(OSError):
            names += os.listdir(folder)  # again, as what was unpacked in between was in neither
    runs.update((name, os.path.join(folder, name)) for name in names if name[:1] != ".")
    found = []
    for name, run in runs.items():
        there = _start_in(run) or _start_in(presence.place_of(os.path.join(folder, name)))  # moved meanwhile
        if there is not None and there[1] is is_deleted:
            found.append((there[0], name))
    found.sort(key=lambda each: each[1])
    found.sort(key=lambda each: each[0], reverse=True)
    return [name for _, name in found]


def find_experiments(runs_dir: str, run_id: str) -> List[Union[int, str]]:
    """Return every experiment that has a run of this id."""
    return experiments.list_ids(runs_dir, run_id)


def read_run(runs_dir: str, experiment_id: Union[int, str], run_id: str) -> RunRecord:
    """Return a run with the latest value of each metric; what cannot be read of it is told in ``problems``.

    Raises:
        RunNotFoundError: There is none.
        UnsupportedFormatError: It was written in a newer format.
    """
    return _read_run(run_folder(runs_dir, experiment_id, run_id), experiment_id, run_id)[0]


def read_folder(folder: str, experiment_id: Union[int, str], run_id: str) -> RunRecord:
    """Return what ``read_run`` does, of a run that lies in *folder*: in the trash, too.

    Raises:
        RunNotFoundError: There is none.
        BrokenFileError: Its meta.yaml cannot be read.
        UnsupportedFormatError: It was written in a newer format.
    """
    return read_with_owners(folder, experiment_id, run_id)[0]


def read_with_owners(folder: str, experiment_id: Union[int, str], run_id: str) -> Tuple[RunRecord, Owners]:
    """Return what ``read_folder`` does, and each share of the run whose owner.json can be read, with what that says.

    Raises:
        RunNotFoundError, BrokenFileError, UnsupportedFormatError: As ``read_folder``.
    """
    if not presence.is_there(folder):
        message = "Run %r is not in %s any more."
        raise RunNotFoundError(message % (run_id, folder), run_id=run_id, experiment_id=experiment_id)
    record, owners = _read_run(folder, experiment_id, run_id)
    if not record.metadata and record.problems:
        raise documents.broken(*record.problems[0])
    return record, owners


def _read_run(folder: str, experiment_id: Union[int, str], run_id: str) -> Tuple[RunRecord, Owners]:
    for _ in range(_LOOKS):  # it may be packed, or unpacked, while we read
        there = presence.locate(folder)
        found = _read_there(there[0], experiment_id, run_id)
        if presence.locate(folder) == there:
            break
    return found


def _read_there(folder: str, experiment_id: Union[int, str], run_id: str) -> Tuple[RunRecord, Owners]:
    problems: List[Problem] = []
    metas = folders.read_metas(folder, _reporter(problems))
    metadata = _true_metadata(metas, problems)
    if metadata:
        metadata.update(run_id=run_id, experiment_id=experiment_id)  # the folders' names are the truth (rule S3)
    shares = shares_of(metas, _reporter(problems))
    if shares[0].is_mlflow:
        metadata.update(mlflow_layout.read_links(folder, _reporter(problems)))
    record = RunRecord(
        metadata=metadata,
        params=_values(shares, layout.PARAMS, problems),
        metrics=_latest(shares, problems), tags=_values(shares, layout.TAGS, problems), problems=problems,
    )  # fmt: skip
    return record, [(Part(each.name, each.folder), each.owner) for each in shares if each.owner is not None]


def run_folder(runs_dir: str, experiment_id: Union[int, str], run_id: str) -> str:
    """Return the folder of a run that exists, be it in a pack: what reads it finds it there.

    Raises:
        RunNotFoundError: There is none.
    """
    folder = layout.run_folder(runs_dir, experiment_id, run_id)
    if not presence.is_there(folder):
        message = "Run %r was not found in experiment %s of %s. list_runs() tells which there are."
        raise RunNotFoundError(message % (run_id, experiment_id, runs_dir), run_id=run_id, experiment_id=experiment_id)
    return folder


def read_metadata(folder: str, problems: List[Problem]) -> Dict[str, Any]:
    """Return the fields of a run's meta.yaml with its true status: those of the highest generation (rule L4).

    Empty where there is none that can be read; *problems* gets why.
    """
    return _true_metadata(folders.read_metas(folder, _reporter(problems)), problems)


def _true_metadata(metas: List[Meta], problems: List[Problem]) -> Dict[str, Any]:
    """Return what ``read_metadata`` does, of what was read already."""
    fields, home = folders.newest_fields(metas, _reporter(problems))
    if fields.get("status") == RUNNING:
        fields = dict(fields, status=_status_of_running(home))
    return fields


def read_metric(folder: str, key: str, problems: List[Problem]) -> Tuple[List[Metric], Optional[Metric]]:
    """Return every row of a metric from all writers of a run, and the latest (rule W8); none where there is none.

    Sorted by step, then timestamp, generation, writer and place in the file. Nothing is dropped.
    """
    history: List[Metric] = []
    latest: Optional[Tuple[Tuple[int, int, str], Metric]] = None
    for share, rows in iter_histories(folder, key, problems, _read_rows):  # in the order that a stable sort keeps
        history = history + rows if history else rows
        row = mlflow_layout.newest(rows) if share.is_mlflow else metric_file.newest(rows)
        if row is not None and (latest is None or (share.generation, row.timestamp, share.name) >= latest[0]):
            latest = (share.generation, row.timestamp, share.name), row
    steps = [row[0] for row in history]
    if not all(map(lt, steps, steps[1:])):
        history.sort(key=itemgetter(0, 1))
    return history, None if latest is None else latest[1]


def read_history(folder: str, key: str, problems: List[Problem]) -> List[Metric]:
    """Return every row of a metric; see ``read_metric``."""
    return read_metric(folder, key, problems)[0]


def read_parts(folder: str, key: str, problems: List[Problem]) -> List[Tuple[int, List[Metric]]]:
    """Return the rows of a metric apart by writer, each with its generation, by generation, then writer."""
    return [(share.generation, rows) for share, rows in iter_histories(folder, key, problems, _read_rows)]


def get_metric(folder: str, run_id: str, key: str) -> Tuple[List[Metric], Metric]:
    """Return every row of a metric that is there, and the latest; see ``read_metric``.

    Raises:
        MetricNotFoundError: The run has no such metric, or it cannot be read.
    """
    problems: List[Problem] = []
    rows, latest = read_metric(folder, key, problems)
    if latest is not None:
        return rows, latest
    if problems:
        message = "Metric %r of run %s cannot be read: %s: %s."
        raise MetricNotFoundError(message % (key, run_id, problems[0].path, problems[0].reason), run_id=run_id, key=key)
    there = ", ".join(repr(each) for each in list_metrics(folder)[:20]) or "none"
    message = "Run %s has no metric %r. It has: %s."
    raise MetricNotFoundError(message % (run_id, key, there), run_id=run_id, key=key)


def get_history(folder: str, run_id: str, key: str) -> List[Metric]:
    """Return every row of a metric that is there; see ``get_metric``."""
    return get_metric(folder, run_id, key)[0]


def list_metrics(folder: str) -> List[str]:
    """Return the names of a run's metrics, sorted."""
    keys: Set[str] = set()
    for share in list_shares(folder, _reporter([])):
        if share.is_mlflow:
            keys.update(key for key, _ in mlflow_layout.iter_files(share.folder, layout.METRICS))
            continue
        for stem, path in _documents(share, layout.METRICS, []):
            try:
                key = folders.key_in(path, layout.METRICS)
            except (OSError, BrokenFileError):
                continue
            keys.add(stem if key is None else key)
    return sorted(keys)


def iter_histories(
    folder: str, key: str, problems: List[Problem], read: Callable[[str], Any]
) -> Iterator[Tuple[Share, Any]]:
    """Yield each writer's share and what *read* makes of its file of a metric, in the order in which they merge."""
    first = presence.locate(folder)
    place = first[0]
    for share in list_shares(place, _reporter(problems)):
        found, there = _read_share(share, key, problems, read), first
        for _ in range(_LOOKS):
            if found or presence.locate(folder) == there:
                break
            there = presence.locate(folder)  # packed, or unpacked, meanwhile
            found = _read_share(share._replace(folder=there[0] + share.folder[len(place) :]), key, problems, read)
        for each in found:
            yield share, each


def _read_share(share: Share, key: str, problems: List[Problem], read: Callable[[str], Any]) -> List[Any]:
    """Return what *read* makes of the files of a metric in one share: of one, or none."""
    found = []
    for path in folders.find_documents(share.folder, layout.METRICS, key):
        if share.is_mlflow:
            mlflow_layout.check_rows(path, _reporter(problems))
        try:
            found.append(read(path))
        except FileNotFoundError:
            continue
        except (OSError, BrokenFileError) as error:
            problems.append(Problem(path, _reason(error)))
    return found


def _read_rows(path: str) -> List[Metric]:
    return metric_file.read_history(path).rows


def _documents(share: Share, kind: str, problems: List[Problem]) -> List[Tuple[str, str]]:
    try:
        return list(folders.iter_documents(share.folder, kind))
    except OSError as error:
        problems.append(Problem(os.path.join(share.folder, kind), _reason(error)))
        return []


def _values(shares: List[Share], kind: str, problems: List[Problem]) -> Dict[str, Any]:
    """Return params or tags by key: the value of the highest generation, then of the newest timestamp (rule W8)."""
    best: Dict[str, Tuple[Tuple[int, int, str], Any]] = {}
    for share in shares:
        if share.is_mlflow:  # the first, of generation 0: what our own writers add counts more
            texts = mlflow_layout.iter_values(share.folder, kind, _reporter(problems))
            best.update((key, ((0, 0, ""), text)) for key, text in texts)
            continue
        for stem, path in _documents(share, kind, problems):
            try:
                document = documents.decode_json(documents.read(path), path)
                if not isinstance(document, dict) or "value" not in document:
                    raise documents.broken(path, "it has no value")
                key = _checked_key(document.get("key"), stem, share, path)
                timestamp = document.get("timestamp")
                rank = (share.generation, timestamp if type(timestamp) is int else 0, share.name)
                if key not in best or rank >= best[key][0]:
                    best[key] = rank, documents.decode_value(document)
            except FileNotFoundError:
                continue  # replaced at this moment
            except (OSError, BrokenFileError) as error:
                problems.append(Problem(path, _reason(error)))
    return {key: best[key][1] for key in sorted(best)}


def _latest(shares: List[Share], problems: List[Problem]) -> Dict[str, Number]:
    """Return the latest value of every metric: of the highest generation, then the newest timestamp (rule W8)."""
    best: Dict[str, Tuple[Tuple[int, int, str], Number]] = {}
    for share in shares:
        if share.is_mlflow:
            for name, newest in mlflow_layout.iter_latest(share.folder, _reporter(problems)):
                best[name] = (share.generation, newest.timestamp, share.name), newest.value
            continue
        for stem, path in _documents(share, layout.METRICS, problems):
            try:
                key, row = metric_file.read_latest(path)
                key = _checked_key(key, stem, share, path)
            except FileNotFoundError:
                continue
            except (OSError, BrokenFileError) as error:
                problems.append(Problem(path, _reason(error)))
                continue
            if row is None:
                problems.append(Problem(path, "it has no complete row"))
                continue
            rank = (share.generation, row.timestamp, share.name)
            if key not in best or rank >= best[key][0]:
                best[key] = rank, row.value
    return {key: best[key][1] for key in sorted(best)}


def _checked_key(key: Any, stem: str, share: Share, path: str) -> str:
    """Return which key a document holds (rule K6).

    Raises:
        BrokenFileError: It does not say, or its file has the name of another key.
    """
    if share.is_format_0 and key is None:
        return stem
    if not isinstance(key, str):
        raise documents.broken(path, "it does not say which key it holds")
    if not layout.fits(stem, key):
        raise documents.broken(path, "it holds the key %r, whose file has another name" % key[:300])
    return key


def _status_of_running(folder: str) -> str:
    """Return RUNNING, or LOST where the owner is gone (rule L4); without an owner.json nothing better is known."""
    try:
        record = owner.read_owner(folder)
    except (OSError, BrokenFileError):
        return RUNNING
    if record is None or owner.liveness(folder, record, time()) == owner.ALIVE:
        return RUNNING
    return LOST


def _start_in(folder: str) -> Optional[Tuple[str, bool]]:
    """Return what ``_start_of`` does of a run, None where there is no meta.yaml."""
    path = os.path.join(folder, layout.META)
    try:
        if documents.is_packed(path):
            return _packed_start(path, *documents.state_of(path)[1:3])  # inode and device
        return _start_of(path) if os.path.isfile(path) else None
    except FileNotFoundError:
        return None
    except (OSError, BrokenFileError):
        return "", False


@lru_cache(maxsize=16384)
def _packed_start(path: str, *_: int) -> Tuple[str, bool]:
    """Return what ``_start_of`` does of a run in a pack; what identifies that follows: it never changes in place."""
    return _start_of(path)


def _start_of(path: str) -> Tuple[str, bool]:
    """Return what sorts runs by their start, and whether MLflow has deleted this one.

    The start is the time that meta.yaml says, else the file's own (rule S6).
    """
    try:
        fields = meta.read_meta(path)
        if "format" in fields and clock.is_time(fields.get("start_time")):
            return str(fields["start_time"]), False
        start = mlflow_layout.encode_start(fields) if mlflow_layout.is_run(fields) else None
        start = start or clock.encode_time(documents.state_of(path).st_mtime_ns // 1000)
        return start, mlflow_layout.is_deleted(fields)
    except (OSError, MiniMLflowError):
        return "", False


def _reporter(problems: List[Problem]) -> Callable[[str, Exception], None]:
    return lambda path, error: problems.append(Problem(path, _reason(error)))


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or str(error)
