"""How does every JSON document say which run and which experiment it tells of?"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Union


def which_run(
    run_id: Optional[str], name: Optional[str], experiment_id: Union[int, str, None], experiments: Dict[str, str]
) -> Dict[str, Any]:
    """Return what every document says of which run it tells of, under the same four names.

    Args:
        run_id: The run; None: an experiment as a whole.
        name: Its name, None where it has none.
        experiment_id: Its experiment; None: it has none here, and is in that of the name of ``None``.
        experiments: The names of experiments by their ids, as texts.
    """
    return {"run_id": run_id, "name": name, **which_experiment(experiment_id, experiments)}


def which_experiment(experiment_id: Union[int, str, None], experiments: Dict[str, str]) -> Dict[str, Any]:
    """Return what every document says of which experiment it tells of; see ``which_run``."""
    text = str(experiment_id)  # those of MLflow have 18 digits, which not every reader of JSON keeps
    return {"experiment_id": None if experiment_id is None else text, "experiment": experiments.get(text, text)}
