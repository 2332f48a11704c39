"""How is it told that a run which was there before is being changed, so that nobody need look at every run? Rule X1."""

from __future__ import annotations

import os


class Told:
    """Touches a run before and after a block, however the block ends. A context manager."""

    def __init__(self, run_folder: str) -> None:
        """Take the folder of the run that is changed in the block."""
        self._folder = run_folder

    def __enter__(self) -> None:
        touch_run(self._folder)

    def __exit__(self, *_: object) -> None:
        touch_run(self._folder)


def touch_run(run_folder: str) -> None:
    """Set the modification times of the folders of a run and of its experiment to now: before a change and after it.

    Before, as a kill may leave nothing after; after, as who looks in between has seen what was there before. The run's
    own first: who has seen the experiment's change looks at it. Where that is not allowed, nothing is told: who reads
    comes by later.
    """
    for folder in (run_folder, os.path.dirname(run_folder)):
        try:
            os.utime(folder)
        except OSError:
            pass
