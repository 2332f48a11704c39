"""What does the environment say of what started this process: a tracked command, one of several ranks?

Beside ``config`` the only module that reads the environment.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional, Union

_RUN = "MINI_MLFLOW_RUN_ID"
_EXPERIMENT = "MINI_MLFLOW_RUN_EXPERIMENT_ID"
# torchrun and its family, Open MPI, MPICH and Intel MPI, srun.
_RANKS = ("RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID")


def tracked_run_id() -> Optional[str]:
    """Return the run that the first one of this process is to be, from ``MINI_MLFLOW_RUN_ID``, None for none.

    ``mini-mlflow run`` sets it for the command that it starts.
    """
    return os.environ.get(_RUN) or None


def tracked_experiment_id() -> Optional[str]:
    """Return the experiment of that run, from ``MINI_MLFLOW_RUN_EXPERIMENT_ID``, None where it is not set."""
    return os.environ.get(_EXPERIMENT) or None


def environment_of_command(store: str, experiment_id: Union[int, str], run_id: str) -> Dict[str, str]:
    """Return the environment of a command that is tracked: this process's, in which the command's run is named.

    Args:
        store: The store, as an absolute path.
        experiment_id: The run's experiment.
        run_id: The run.
    """
    return {**os.environ, "MINI_MLFLOW_DIR": store, _RUN: run_id, _EXPERIMENT: str(experiment_id)}


def rank() -> int:
    """Return the number of this process among those that run one program together, 0 for the first or only one."""
    found = (os.environ.get(name, "") for name in _RANKS)
    return next((int(text) for text in found if text.isdigit() and len(text) < 10), 0)
