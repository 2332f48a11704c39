"""What does a path hold that runs come from, and how do all of them come in?"""

from __future__ import annotations

import os

from ..errors import InvalidValueError
from ..records import Problem
from ..store import experiments
from . import arrival, lightning, mlflow_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional

FORMATS = ("mlflow", "lightning-csv")


def import_mlflow(
    path: str, store: str, *, only: Optional[str] = None, into: Optional[str] = None, reach: Optional[str] = None
) -> arrival.Imported:
    """Bring in the runs of MLflow: a file store of any version from 1.0 to 3.18, or its SQLite file.

    Metrics come with all their rows, params, tags, data sets and artifacts too, where they lie within reach. Nothing at
    *path* is changed. What is here already is passed over, so that a second call finishes the first.

    Args:
        path: The folder ``mlruns`` or the SQLite file ``mlflow.db``.
        store: The folder of our store.
        only: The name or id of one experiment there; None: all that are not deleted.
        into: The name of the experiment here that all runs go to; None: one of the same name as theirs.
        reach: For a SQLite file: the folder in which artifacts may lie. None: that of the file.

    Raises:
        FileNotFoundError: There is nothing at *path*.
        InvalidValueError: There are no runs of MLflow in it, or no such experiment, or it is our own store.
        BrokenFileError: The SQLite file cannot be read.
        OSError: The disk refused; what came in is whole.
    """
    if not os.path.lexists(path):
        raise FileNotFoundError(2, "There is no such file or folder", path)
    if os.path.isdir(path):
        return _import_files(path, store, only, into)
    from . import mlflow_sqlite, sqlite_file  # sqlite3 may be missing, and file stores do without

    with sqlite_file.SqliteFile(path) as file:
        mlflow_sqlite.check(file)
        runs = mlflow_sqlite.iter_runs(file, only, reach=reach)
        return arrival.import_runs(runs, store, total=mlflow_sqlite.count_runs(file, only), into=into)


def import_lightning(path: str, store: str, *, into: Optional[str] = None) -> arrival.Imported:
    """Bring in what Lightning's CSVLogger has written; see ``import_mlflow``.

    Args:
        path: A ``metrics.csv``, the folder of a version, or one that holds such folders.
        store: The folder of our store.
        into: The name of the experiment that all runs go to; None: that of the folder around the versions.

    Raises:
        FileNotFoundError: There is nothing at *path*.
        InvalidValueError: There is no metrics.csv in it.
        OSError: The disk refused; what came in is whole.
    """
    folders = lightning.list_folders(path)
    return arrival.import_runs(lightning.iter_runs(folders), store, total=len(folders), into=into)


def _import_files(path: str, store: str, only: Optional[str], into: Optional[str]) -> arrival.Imported:
    path = os.path.realpath(path)
    if os.path.realpath(store) == path:
        message = "%s is this very store, which reads MLflow's runs in place. Name another store with -d."
        raise InvalidValueError(message % path, value=path)
    if not experiments.list_ids(path) and os.path.isdir(os.path.join(path, "mlruns")):
        path = os.path.join(path, "mlruns")
    problems: List[Problem] = []
    places = mlflow_files.list_places(path, only, problems)
    if not places and not problems:
        names = ", ".join(repr(each.name) for each in experiments.list_experiments(path)[:20]) or "none"
        what = "no run of MLflow in %s" % path if only is None else "no run of an experiment %r in %s" % (only, path)
        raise InvalidValueError("There is %s. Experiments there: %s." % (what, names), value=path)
    found = arrival.import_runs(mlflow_files.iter_runs(path, places), store, total=len(places), into=into)
    return found._replace(problems=problems + found.problems)
