"""What does a user read who has no runs yet?"""

from __future__ import annotations

import os

from .. import config, layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

    from .screen import Screen
    from .target import Target


def first_steps(target: Target, screen: Screen) -> List[str]:
    """Return what a user reads who has no runs yet."""
    return [
        "No runs in %s yet." % screen.clean(target.shown),
        *("  " + screen.clean(line) for line in _advice(target)),
        '  From Python    with mini_mlflow.start_run() as run: run.log_metric("loss", 0.5)',
        "  A command      mini-mlflow run -- python train.py",
        "  Another place  mini-mlflow -d PATH ls, or MINI_MLFLOW_DIR=PATH",
    ]


def _advice(target: Target) -> List[str]:
    """Return a line that says which folder may be meant where another was named."""
    shown, place = target.shown, os.path.abspath(target.folder)
    names = _names(place)
    if config.DEFAULT_RUNS_DIR in names:
        return ["A store in it: -d %s" % os.path.join(shown, config.DEFAULT_RUNS_DIR)]
    if not names or target.experiments(with_deleted=True):
        return []
    if not _has_meta(place) and not any(_has_meta(os.path.join(place, name)) for name in names):
        return ["What lies there are no experiments; a store is a folder of them, such as ./mlruns"]
    place = os.path.dirname(place)
    while _has_meta(place):
        place = os.path.dirname(place)
    place = place if os.path.isabs(shown) else os.path.relpath(place)
    return ["It is an experiment or a run; the store is -d %s" % place]


def _names(folder: str) -> List[str]:
    try:
        return [name for name in os.listdir(folder) if not name.startswith(".")]
    except OSError:
        return []


def _has_meta(folder: str) -> bool:
    return os.path.lexists(os.path.join(folder, layout.META))
