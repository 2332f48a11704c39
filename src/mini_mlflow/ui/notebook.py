"""How does a notebook show runs, in the output of a cell?"""

from __future__ import annotations

import sys
import warnings
from html import escape
from importlib import import_module

from .. import clock
from ..errors import InvalidValueError, MiniMLflowError, shown
from ..search.runs import search_runs
from . import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any, Optional, Union

    ExperimentId = Union[int, str]
    Path = Union[str, os.PathLike[str]]

_NEWEST = 50
_HEIGHTS = (200, 4000)
_THEMES = ("light", "dark")
# A page of no origin: it may run its own script and hand out pictures, and reaches nothing of the notebook.
_FRAME = (
    '<div><iframe title="Mini MLflow" sandbox="allow-scripts allow-downloads" '
    'style="width:100%%;height:%dpx;border:0" srcdoc="%s"></iframe></div>'
)


def show(
    runs: Any = None,
    *,
    experiment_id: Optional[ExperimentId] = None,
    runs_dir: Optional[Path] = None,
    provenance: bool = False,
    height: int = 640,
    theme: Optional[str] = None,
) -> None:
    """Show runs below the cell of a notebook: table, charts, comparison and each run, as a report in one file does.

    It shows them as they are now, needs no server, and stays in the notebook when that is saved; run the cell again
    for what has been logged since. The page that follows runs while they train is ``mini-mlflow ui``.

    Args:
        runs: As in ``report``. None: the newest 50 of the experiment.
        experiment_id: Id or name of the experiment; None: the one that new runs go to; of given ids: any.
        runs_dir: The store's folder, as in ``start_run``.
        provenance: As in ``report``.
        height: How high it is, in pixels, 200 to 4000.
        theme: ``"light"`` or ``"dark"``; None: as the system is set, for a frame cannot tell how the notebook looks.

    Raises:
        MiniMLflowError: This is no notebook.
        InvalidValueError: There are no runs or too many, they are of several stores, the height is out of range, or
            there is no such theme.
        RunNotFoundError: There is no such run.
        AmbiguousRunError: Several experiments have a run of an id.
        ExperimentNotFoundError: There is no such experiment.

    Warns:
        StorageWarning: Some runs cannot be read, all or in part; the others are shown.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if getattr(shell, "kernel", None) is None:
        message = (
            "show() shows runs in a notebook, and this is none. report(runs) writes the same to a file, mini-mlflow ui "
            "opens a page, mini-mlflow ls prints a table."
        )
        raise MiniMLflowError(message)
    if type(height) is not int or not _HEIGHTS[0] <= height <= _HEIGHTS[1]:
        message = "height must be a whole number of pixels from %d to %d, got %s."
        raise InvalidValueError(message % (*_HEIGHTS, shown(height)), value=height)
    if theme not in (None, *_THEMES):
        message = "theme must be 'light' or 'dark', or None for that of the system, got %s."
        raise InvalidValueError(message % shown(theme), value=theme)
    if runs is None:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            runs = search_runs(experiment_id, max_results=_NEWEST, output_format="list", runs_dir=runs_dir)
        for each in heard:  # of the cell, not of this line
            warnings.warn(each.message, each.category, stacklevel=2)
    folder, places = report.find_places(runs, experiment_id, runs_dir)
    if not places:
        raise InvalidValueError("There are no runs to show yet in %s." % folder, value=None)
    now_ms = clock.now_ms()
    text, facts = report.make_report(folder, places, now_ms=now_ms, has_provenance=provenance, theme=theme)
    words = "Runs: %d, metrics: %d. This viewer does not show the page they are in." % (facts.runs, facts.metrics)
    # In ASCII, as a notebook that was exported may come in any encoding, and its script is held against a hash.
    inner = escape(text).encode("ascii", "xmlcharrefreplace").decode("ascii")
    contents = {"text/html": _FRAME % (height, inner), "text/plain": words}
    import_module("IPython.display").display(contents, raw=True)
