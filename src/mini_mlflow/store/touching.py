"""How is it told that a run which was there before is being changed, so that nobody need look at every run? Rule X1."""

from __future__ import annotations

import os


def touch_experiment(run_folder: str) -> None:
    """Set the modification time of the folder that a run lies in to now: before a change and after it.

    Before, as a kill may leave nothing after; after, as who looks in between has seen what was there before. Where that
    is not allowed, nothing is told: who reads comes by later.
    """
    try:
        os.utime(os.path.dirname(run_folder))
    except OSError:
        pass
