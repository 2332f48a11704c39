"""The storage functions of 0.1.0: values into and out of a run's files, without a ``Run``.

Code written for 0.1.0 imports them from here. New code has ``Run`` and ``ExperimentTracker``.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from time import time

from . import active, config, keys, layout, values
from .errors import ActiveRunError, BrokenFileError
from .store import amending, documents, folders, meta, owner, presence, reader, touching
from .store.writer import RunWriter
from .tracker import get_run_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Mapping, Optional, Union

    ExperimentId = Union[int, str]
    Path = Union[str, "os.PathLike[str]"]

DEFAULT_RUNS_DIR = config.DEFAULT_RUNS_DIR


def save_param(run_id: str, experiment_id: ExperimentId, key: str, value: Any, runs_dir: Optional[Path] = None) -> None:
    """Write one param of a run, which need not have a meta.yaml.

    Args:
        run_id: The run; its folder is made if need be.
        experiment_id: The experiment.
        key: As in ``Run.log_param``.
        value: As in ``Run.log_param``.
        runs_dir: The store's folder. None: ``MINI_MLFLOW_DIR``, else ``mlruns``.

    Raises:
        InvalidKeyError: *key* is not legal.
        InvalidValueError: JSON has no such value.
    """
    key = keys.check_key(key, "Param")
    value = values.check_json_value(value, key, "Param")
    with _writer(run_id, experiment_id, runs_dir) as writer:
        writer.write_value(layout.PARAMS, key, value)


def save_metric(
    run_id: str, experiment_id: ExperimentId, key: str, value: float, runs_dir: Optional[Path] = None
) -> None:
    """Append one value to a metric of a run, which need not have a meta.yaml.

    Args:
        run_id: The run; its folder is made if need be.
        experiment_id: The experiment.
        key: As in ``Run.log_metric``.
        value: As in ``Run.log_metric``.
        runs_dir: The store's folder. None: ``MINI_MLFLOW_DIR``, else ``mlruns``.

    Raises:
        InvalidKeyError: *key* is not legal.
        InvalidValueError: *value* is not one real number.
    """
    key = keys.check_key(key, "Metric")
    number = values.check_number(value, key)
    with _writer(run_id, experiment_id, runs_dir) as writer:
        writer.write_number(key, number)


def save_metadata(
    run_id: str, experiment_id: ExperimentId, metadata: Mapping[str, Any], runs_dir: Optional[Path] = None
) -> None:
    """Write fields of a run's meta.yaml; those that are there and not named stay.

    Args:
        run_id: The run; its folder is made if need be.
        experiment_id: The experiment.
        metadata: Fields by name, with values that JSON has; ``format`` and ``generation`` are ours to say.
        runs_dir: The store's folder. None: ``MINI_MLFLOW_DIR``, else ``mlruns``.

    Raises:
        InvalidKeyError: The name of a field is no text, or over 250 characters.
        InvalidValueError: JSON has no such value, or the fields together pass 512 KiB.
        ActiveRunError: Another process writes the run at this moment, and would overwrite the fields.
        UnsupportedFormatError: The run was written in a newer format.
        BrokenFileError: What is there cannot be read.
    """
    fields = values.check_fields(metadata)
    folder = _folder(run_id, experiment_id, runs_dir)
    for name in ("format", "generation"):
        fields.pop(name, None)
    fields.update(run_id=run_id, experiment_id=keys.check_experiment_id(experiment_id))
    for run in active.live_runs():
        if run.holds(folder):
            run.change_metadata(fields)
            return
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    presence.make_folder(folder)
    there, home = folders.read_meta(folder)
    _refuse_beside_owner(run_id, home, has_ended=there.get("status", "RUNNING") != "RUNNING")
    if not there and not folders.is_format_0(folder, there):
        there = {"format": layout.FORMAT_VERSION}
    there = dict(there, **fields)
    with touching.Told(folder):
        documents.replace(os.path.join(home, layout.META), meta.encode(there))


def load_run(run_id: str, experiment_id: ExperimentId = 0, runs_dir: Optional[Path] = None) -> Dict[str, Any]:
    """Return what a run holds; see ``ExperimentTracker.get_run``.

    Args:
        run_id: The run.
        experiment_id: The experiment.
        runs_dir: The store's folder. None: ``MINI_MLFLOW_DIR``, else ``mlruns``.

    Raises:
        RunNotFoundError: There is no such run.
    """
    return get_run_data(_store(runs_dir), keys.check_experiment_id(experiment_id), run_id)


def list_runs(experiment_id: ExperimentId = 0, runs_dir: Optional[Path] = None) -> List[str]:
    """Return the ids of an experiment's runs, newest first.

    Args:
        experiment_id: The experiment.
        runs_dir: The store's folder. None: ``MINI_MLFLOW_DIR``, else ``mlruns``.
    """
    return reader.list_run_ids(_store(runs_dir), keys.check_experiment_id(experiment_id))


@contextmanager
def _writer(run_id: str, experiment_id: ExperimentId, runs_dir: Optional[Path]) -> Iterator[RunWriter]:
    """Lend a hand in a run: that of the ``Run`` that this process has open, else one for this call alone."""
    folder = _folder(run_id, experiment_id, runs_dir)
    for run in active.live_runs():
        if run.holds(folder):
            yield run.writer
            return
    with amending.amended(folder, active.pool()) as opened:
        yield opened.writer


def _refuse_beside_owner(run_id: str, home: str, *, has_ended: bool) -> None:
    """Raise where the meta.yaml in *home* is that of an owner who lives (docs/format.md, rule W1)."""
    try:
        record = owner.read_owner(home)
    except BrokenFileError:
        return  # nobody can say who it was
    if record is not None and owner.liveness(home, record, time(), has_ended=has_ended) == owner.ALIVE:
        message = (
            "Run %s is being written by another process (%d on %s), which says how it stands. Change it there, or use "
            "set_tag() or log_param() of Run(run_id=%r), which are merged."
        )
        raise ActiveRunError(message % (run_id, record.pid, record.host, run_id), run_id=run_id)


def _folder(run_id: str, experiment_id: ExperimentId, runs_dir: Optional[Path]) -> str:
    experiment_id = keys.check_experiment_id(experiment_id)
    folder = layout.run_folder(_store(runs_dir), experiment_id, keys.check_known_run_id(run_id))
    if not presence.is_there(folder):
        keys.check_run_id(run_id)
    return folder


def _store(runs_dir: Optional[Path]) -> str:
    return active.store_folder(runs_dir)
