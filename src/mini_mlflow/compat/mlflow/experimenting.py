"""How are experiments made, found and changed by MLflow's API?"""

from __future__ import annotations

import os
from contextlib import contextmanager

from ... import active
from ...clock import now_ms
from ...errors import ExperimentDeletedError, ExperimentExistsError, ExperimentNotFoundError, InvalidValueError
from ...identity import default_experiment
from ...store import experiment_changes, experiments
from . import checks, reading
from .exceptions import INVALID_STATE, RESOURCE_ALREADY_EXISTS, MlflowException, invalid, missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator, Mapping, Optional, Union

    from .entities import Experiment


def create(store: str, name: Any, artifact_location: Optional[str], tags: Optional[Mapping[str, Any]]) -> str:
    """Make an experiment and return its id; see ``MlflowClient.create_experiment``."""
    name = checks.check_experiment_name(name)
    if artifact_location is not None:
        import warnings  # costs 0.2 ms, and few give a location

        message = "artifact_location=%r is not followed: artifacts lie in the folder of their run, below %s."
        warnings.warn(message % (artifact_location, store), UserWarning, stacklevel=4)
    first = {checks.check_name(key, "Tag"): str(value) for key, value in (tags or {}).items()}
    if name == "Default":
        ensure_default(store)
    try:
        return str(experiments.create_new(store, name, now_ms(), first).experiment_id)
    except ExperimentExistsError as error:
        message = "Experiment(name=%s) already exists, maybe deleted. set_experiment() takes one that is there: %s"
        raise MlflowException(message % (name, error), RESOURCE_ALREADY_EXISTS) from error


def find(store: str, name: Any) -> Optional[Experiment]:
    """Return the experiment of a name, None where there is none; "Default" is always there."""
    found = experiments.find(store, str(name))
    if found is not None:
        return reading.experiment_entity(store, found)
    return reading.get_experiment(store, "0") if name == "Default" else None


def get_or_create(store: str, name: Any) -> Experiment:
    """Return the experiment of a name, made if need be; processes that race get the same one."""
    name = checks.check_experiment_name(name)
    if name == "Default":
        ensure_default(store)
    return reading.experiment_entity(store, experiments.create(store, name, now_ms()))


def choose(store: str, experiment: Experiment) -> None:
    """Let runs go to an experiment that is there."""
    number = _there(store, experiment.experiment_id)
    active.choose_experiment(store, experiments.read(store, number))
    os.environ["MLFLOW_EXPERIMENT_ID"] = str(number)  # for processes that this one starts, as MLflow does it


def ensure_default(store: str) -> None:
    """Make experiment 0 unless it is there."""
    if experiments.read(store, 0) is None:
        experiments.ensure(store, 0, now_ms())


def usable_id(store: str, experiment_id: Any) -> Union[int, str]:
    """Return the id of an experiment that runs may go to.

    Args:
        store: The store.
        experiment_id: None: the one that was chosen, else that of the environment, else 0.

    Raises:
        MlflowException: There is none of this id, or it is deleted.
    """
    if experiment_id is not None and not isinstance(experiment_id, (str, int)):
        raise invalid("Invalid experiment id: %r. Must be one of str, int, or None." % (experiment_id,))
    number = _chosen(store) if experiment_id is None else reading.experiment_id_of(experiment_id)
    found = reading.get_experiment(store, number)
    if found.lifecycle_stage != "active":
        message = (
            "The experiment %s must be in the 'active' state. Current state is deleted. restore_experiment() helps."
        )
        raise MlflowException(message % number, INVALID_STATE)
    return number


def rename(store: str, experiment_id: Any, new_name: Any) -> None:
    """Give an experiment another name; see ``MlflowClient.rename_experiment``."""
    name = checks.check_experiment_name(new_name)
    with _translated():
        experiment_changes.rename(store, _there(store, experiment_id), name, now_ms())


def delete(store: str, experiment_id: Any) -> None:
    """Mark an experiment as deleted; see ``MlflowClient.delete_experiment``."""
    with _translated():
        experiment_changes.delete(store, _there(store, experiment_id), now_ms())


def restore(store: str, experiment_id: Any) -> None:
    """Bring an experiment back; see ``MlflowClient.restore_experiment``."""
    with _translated():
        experiment_changes.restore(store, _there(store, experiment_id), now_ms())


def set_tag(store: str, experiment_id: Any, key: Any, value: Any) -> None:
    """Attach a remark to an experiment; see ``MlflowClient.set_experiment_tag``."""
    with _translated():
        name = checks.check_name(key, "Tag")
        experiment_changes.set_tags(store, _there(store, experiment_id), {name: str(value)}, now_ms())


def _chosen(store: str) -> Union[int, str]:
    """Return the experiment that was chosen, else that of the environment, else 0."""
    number = None
    if active.chosen_experiment() is None:
        try:
            number = experiments.named_by_environment(store, now_ms())
        except InvalidValueError as error:
            raise invalid(str(error)) from error
    return default_experiment(store) if number is None else number


def _there(store: str, experiment_id: Any) -> Union[int, str]:
    """Return the id of an experiment that has a folder."""
    number = reading.experiment_id_of(experiment_id)
    if number == 0:
        ensure_default(store)
    return number


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the store raises into what MLflow's raises."""
    try:
        yield
    except ExperimentNotFoundError as error:
        raise missing(str(error)) from error
    except ExperimentExistsError as error:
        raise MlflowException(str(error), RESOURCE_ALREADY_EXISTS) from error
    except ExperimentDeletedError as error:
        raise invalid(str(error)) from error
