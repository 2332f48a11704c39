"""What does a user read who has no runs yet?"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

    from .screen import Screen
    from .target import Target


def first_steps(target: Target, screen: Screen) -> List[str]:
    """Return what a user reads who has no runs yet."""
    return [
        "No runs in %s yet." % screen.clean(target.shown),
        '  From Python    with mini_mlflow.start_run() as run: run.log_metric("loss", 0.5)',
        "  A command      mini-mlflow run -- python train.py",
        "  Another place  mini-mlflow -d PATH ls, or MINI_MLFLOW_DIR=PATH",
    ]
