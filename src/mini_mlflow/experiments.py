"""The functions on experiments: choose one by name, make, find, rename, delete and restore them; choose the store."""

from __future__ import annotations

import os
import re
from operator import index

from . import active, config, identity, keys, values
from .clock import now_ms
from .errors import InvalidValueError, shown
from .records import Experiment
from .store import experiment_changes, experiments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

    ExperimentId = Union[int, str]
    Path = Union[str, os.PathLike[str]]

_CONTROL = r"[\x00-\x1f\x7f-\x9f]"
_ORDERS = ("name", "creation_time", "last_update_time", "experiment_id")
_NEWEST_FIRST = ("creation_time DESC", "experiment_id ASC")
_VIEWS = {
    "ACTIVE_ONLY": (experiments.ACTIVE,),
    "DELETED_ONLY": (experiments.DELETED,),
    "ALL": (experiments.ACTIVE, experiments.DELETED),
}


def set_tracking_uri(uri: Optional[Path]) -> None:
    """Choose the store that runs go to from now on, in this process; the environment no longer counts.

    Args:
        uri: A folder, or its ``file:`` URI. A folder that is not absolute is taken from where the process is now.
            None: what the environment says again.

    Raises:
        InvalidValueError: It names no files: a server, a database.
        NotADirectoryError: Something else than a folder lies there.

    Runs that are open stay where they are. Nothing is created before the first run starts.
    """
    active.choose_store(None if uri is None else config.store_folder(config.folder_of_uri(uri)))


def get_tracking_uri() -> str:
    """Return the absolute path of the store that runs go to.

    It is the one that ``set_tracking_uri`` chose, else ``MINI_MLFLOW_DIR``, else the folder that
    ``MLFLOW_TRACKING_URI`` names if it names one, else ``mlruns``.

    Raises:
        InvalidValueError: ``MINI_MLFLOW_DIR`` is no path.
        NotADirectoryError: Something else than a folder lies there.
    """
    return active.store_folder()


def set_experiment(experiment_name: Optional[str] = None, experiment_id: Optional[ExperimentId] = None) -> Experiment:
    """Choose the experiment that runs of this process go to that name none; by its name it is created if need be.

    Args:
        experiment_name: Any text of 1 to 10,000 characters that is not blank; processes that give the same name at the
            same moment get the same experiment.
        experiment_id: Its id, instead of the name: then it must be there.

    Returns:
        The experiment.

    Raises:
        InvalidValueError: Not exactly one of the two is given, or the name is not legal.
        InvalidIdError: The id is not legal.
        ExperimentNotFoundError: There is none of this id.
        ExperimentDeletedError: It is deleted.
        OSError: The disk refused.
    """
    if (experiment_name is None) == (experiment_id is None):
        message = "Give set_experiment() a name or experiment_id=, one of the two: got %s and %s."
        raise InvalidValueError(message % (shown(experiment_name), shown(experiment_id)), value=experiment_name)
    store = active.store_folder()
    if experiment_id is None:
        experiment = experiments.create(store, check_name(experiment_name), now_ms())
    else:
        experiment = _get(store, experiment_id)
    experiments.refuse_deleted(experiment)
    active.choose_experiment(store, experiment)
    return experiment


def create_experiment(
    name: str, tags: Optional[Mapping[str, Any]] = None, *, runs_dir: Optional[Path] = None
) -> ExperimentId:
    """Create an experiment.

    Args:
        name: As in ``set_experiment``.
        tags: Tags of the experiment by key, as in ``set_tags``.
        runs_dir: The store's folder, as in ``start_run``.

    Returns:
        Its id.

    Raises:
        ExperimentExistsError: The name is taken, if only by one that is deleted.
        InvalidValueError: The name or a tag is not legal.
        InvalidKeyError: A tag's name is not legal.
        OSError: The disk refused.
    """
    name = check_name(name)
    checked = _check_tags({} if tags is None else tags)
    return experiments.create_new(active.store_folder(runs_dir), name, now_ms(), checked).experiment_id


def get_experiment(experiment_id: ExperimentId, *, runs_dir: Optional[Path] = None) -> Experiment:
    """Return the experiment of an id, also a deleted one.

    Args:
        experiment_id: A whole number from 0, or a folder name.
        runs_dir: The store's folder, as in ``start_run``.

    Raises:
        InvalidIdError: The id is not legal.
        ExperimentNotFoundError: There is none.
    """
    return experiments.get(active.store_folder(runs_dir), keys.check_experiment_id(experiment_id))


def get_experiment_by_name(name: str, *, runs_dir: Optional[Path] = None) -> Optional[Experiment]:
    """Return the experiment of a name, also a deleted one; None where there is none.

    Args:
        name: As in ``set_experiment``.
        runs_dir: The store's folder, as in ``start_run``.

    Raises:
        InvalidValueError: The name is not legal.

    Where several have the name (stores were merged) it is an active one before a deleted one, and of these the one
    that other stores would have under the same id, else the oldest.
    """
    return experiments.find(active.store_folder(runs_dir), check_name(name))


def search_experiments(
    view_type: str = "ACTIVE_ONLY",
    max_results: Optional[int] = None,
    order_by: Optional[List[str]] = None,
    *,
    runs_dir: Optional[Path] = None,
) -> List[Experiment]:
    """Return the experiments of a store.

    Args:
        view_type: ``"ACTIVE_ONLY"``, ``"DELETED_ONLY"`` or ``"ALL"``.
        max_results: At most so many; None: all.
        order_by: What to sort by, the most important first: ``name``, ``creation_time``, ``last_update_time`` or
            ``experiment_id``, each with ``ASC`` (which is meant without) or ``DESC``. None: newest first.
        runs_dir: The store's folder, as in ``start_run``.

    Raises:
        InvalidValueError: An argument is none of these.
    """
    stages = check_view(view_type, "view_type")
    max_results = check_max_results(max_results)
    if isinstance(order_by, str):
        order_by = [order_by]
    orders = [_parse_order(each) for each in order_by or _NEWEST_FIRST]
    every = experiments.list_experiments(active.store_folder(runs_dir))
    found = [each for each in every if each.lifecycle_stage in stages]
    for field, is_descending in reversed(orders):
        found.sort(key=lambda each: _sort_key(each, field), reverse=is_descending)
    return found[:max_results]


def check_view(view_type: Any, what: str) -> Tuple[str, ...]:
    """Return the lifecycle stages that are asked for.

    Args:
        view_type: ``"ACTIVE_ONLY"``, ``"DELETED_ONLY"`` or ``"ALL"``.
        what: How the message calls it.

    Raises:
        InvalidValueError: It is none of these.
    """
    if view_type not in _VIEWS:
        message = "%s must be 'ACTIVE_ONLY', 'DELETED_ONLY' or 'ALL', got %s."
        raise InvalidValueError(message % (what, shown(view_type)), value=view_type)
    return _VIEWS[view_type]


def check_max_results(max_results: Any) -> Optional[int]:
    """Return a number of results, None for all.

    Raises:
        InvalidValueError: It is neither None nor a whole number from 1.
    """
    try:
        number = None if max_results is None else index(max_results)
    except TypeError:
        number = 0
    if isinstance(max_results, bool) or (number is not None and number < 1):
        message = "max_results must be a whole number from 1, got %s. None gives all."
        raise InvalidValueError(message % shown(max_results), value=max_results)
    return number


def rename_experiment(experiment_id: ExperimentId, new_name: str, *, runs_dir: Optional[Path] = None) -> None:
    """Give an experiment another name; its id and its runs stay.

    Args:
        experiment_id: Its id.
        new_name: As in ``set_experiment``.
        runs_dir: The store's folder, as in ``start_run``.

    Raises:
        ExperimentExistsError: Another has this name, if only one that is deleted.
        ExperimentNotFoundError: There is none of this id.
        ExperimentDeletedError: It is deleted.
        InvalidValueError: The name is not legal.
        InvalidIdError: The id is not legal.
        OSError: The disk refused.
    """
    experiment_id = keys.check_experiment_id(experiment_id)
    experiment_changes.rename(active.store_folder(runs_dir), experiment_id, check_name(new_name), now_ms())


def delete_experiment(experiment_id: ExperimentId, *, runs_dir: Optional[Path] = None) -> None:
    """Delete an experiment with its runs: they stay where they are until ``gc``, and ``restore_experiment`` undoes it.

    Args:
        experiment_id: Its id.
        runs_dir: The store's folder, as in ``start_run``.

    Raises:
        ActiveRunError: A run of it is being written, here or elsewhere.
        ExperimentNotFoundError: There is none of this id.
        InvalidIdError: The id is not legal.
        OSError: The disk refused.

    No run starts in a deleted experiment.
    """
    experiment_changes.delete(active.store_folder(runs_dir), keys.check_experiment_id(experiment_id), now_ms())


def restore_experiment(experiment_id: ExperimentId, *, runs_dir: Optional[Path] = None) -> None:
    """Make a deleted experiment an active one again, with its runs.

    Args:
        experiment_id: Its id.
        runs_dir: The store's folder, as in ``start_run``.

    Raises:
        ExperimentExistsError: An active one has its name.
        ExperimentNotFoundError: There is none of this id.
        InvalidIdError: The id is not legal.
        OSError: The disk refused.
    """
    experiment_changes.restore(active.store_folder(runs_dir), keys.check_experiment_id(experiment_id), now_ms())


def set_experiment_tag(key: str, value: Any) -> None:
    """Attach a remark to the experiment that runs go to that name none.

    Args:
        key: 1 to 250 characters, as for the tag of a run.
        value: Anything that JSON has.

    Raises:
        InvalidKeyError: *key* is not legal.
        InvalidValueError: JSON has no such value, or the tags of the experiment would pass 512 KiB.
        ExperimentDeletedError: It is deleted.
        OSError: The disk refused.
    """
    tags = _check_tags({key: value})
    store = active.store_folder()
    experiment_id = identity.default_experiment(store)
    experiments.ensure(store, experiment_id, now_ms())
    experiment_changes.set_tags(store, experiment_id, tags, now_ms())


def check_name(name: Any) -> str:
    """Return *name* if an experiment may have it: text that is not blank, without control characters.

    Raises:
        InvalidValueError: It may not.
    """
    if not isinstance(name, str) or not name.strip():
        message = "The name of an experiment must be text that is not blank, got %s. Take one such as 'resnet-50'."
        raise InvalidValueError(message % shown(name), value=name)
    if len(name) > keys.MAX_LABEL_LENGTH:
        message = "The name of an experiment has %d characters, %d are allowed: '%s...'. Keep long text in a tag of it."
        raise InvalidValueError(message % (len(name), keys.MAX_LABEL_LENGTH, name[:40]), value=name)
    bad = re.search(_CONTROL, name)
    if bad:
        message = "The name of an experiment cannot have control characters: %r in %s. Take a space instead."
        raise InvalidValueError(message % (bad.group(), shown(name)), value=name)
    return str(name)


def _get(store: str, experiment_id: ExperimentId) -> Experiment:
    checked = keys.check_experiment_id(experiment_id)
    if checked == config.DEFAULT_EXPERIMENT_ID:
        experiments.ensure(store, checked, now_ms())  # it counts as there, as in MLflow
    return experiments.get(store, checked)


def _check_tags(tags: Mapping[str, Any]) -> Dict[str, Any]:
    items = values.check_items(tags, "Tag")
    return {keys.check_key(key, "Tag"): values.check_json_value(value, str(key), "Tag") for key, value in items}


def _parse_order(text: Any) -> Tuple[str, bool]:
    """Return the field that a term of *order_by* names, and whether the greatest comes first."""
    words = text.split() if isinstance(text, str) else []
    if len(words) in (1, 2) and words[0] in _ORDERS and words[-1].upper() in ("ASC", "DESC", words[0].upper()):
        return words[0], words[-1].upper() == "DESC"
    message = "order_by must be a list of %s, each with ASC or DESC or neither, got %s. Such as ['name DESC']."
    raise InvalidValueError(message % (", ".join(_ORDERS), shown(text)), value=text)


def _sort_key(experiment: Experiment, field: str) -> Any:
    if field == "experiment_id":
        return experiments.by_id(experiment.experiment_id)
    if field == "name":
        return experiment.name
    return getattr(experiment, field) or 0
