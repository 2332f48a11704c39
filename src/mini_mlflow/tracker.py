"""ExperimentTracker: start runs of one experiment in one store, and look at those that are there.

The five functions stand here too, where code written for 0.1.0 imports them from.
"""

from __future__ import annotations

import os
from threading import get_ident
from types import TracebackType

from . import active, fluent, identity, keys, layout
from .endings import status_after
from .errors import MiniMLflowError, StorageWarning
from .fluent import active_run, end_run, log_metric, log_param, start_run
from .run import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple, Type, Union

    from .records import FileInfo, Metric, StoredRun, Summary

    _Entry = Tuple[int, Run, List[Run]]  # the thread, its run, and its active runs

__all__ = ["ExperimentTracker", "active_run", "end_run", "log_metric", "log_param", "start_run"]


class ExperimentTracker:
    """Starts runs with the same defaults, and reads past ones.

    ``with tracker as run:`` starts a run and ends it, and those nested in it that still run, FAILED where an exception
    leaves the block; in a loop each turn is a run of its own. Several threads may share a tracker: each has its own
    active run.

    Attributes:
        run_name: Name of the runs that are started without one.
        experiment_id: The experiment that they go to.
        runs_dir: The store's folder, as it was given.
    """

    def __init__(
        self,
        run_name: Optional[str] = None,
        experiment_id: Union[int, str, None] = None,
        runs_dir: Union[str, os.PathLike[str], None] = None,
    ) -> None:
        """Make a tracker; nothing is written before a run starts.

        Args:
            run_name: Name of the runs that are started without one.
            experiment_id: A whole number from 0, a folder name, or the name of an experiment that is there; None: the
                one that ``set_experiment`` chose, else 0.
            runs_dir: The store's folder. None: ``MINI_MLFLOW_DIR``, else ``mlruns``.

        Raises:
            InvalidIdError: *experiment_id* is not legal.
            InvalidValueError: *run_name* or *runs_dir* is not legal.
        """
        self.run_name = keys.check_label(run_name, "Run name")
        self.runs_dir = active.runs_dir(runs_dir)
        if experiment_id is None:
            experiment_id = identity.default_experiment(self.runs_dir)
        self.experiment_id = self._experiment(experiment_id)
        self._entered: List[_Entry] = []

    def start_run(
        self,
        run_name: Optional[str] = None,
        experiment_id: Union[int, str, None] = None,
        run_id: Optional[str] = None,
        version: Optional[str] = None,
        *,
        nested: bool = False,
    ) -> Run:
        """Start a run and make it this thread's active one; see ``start_run`` for what each argument means.

        Args:
            run_name: None takes the tracker's.
            experiment_id: None takes the tracker's.
            run_id: Id of the run; one that is there is continued.
            version: Free text.
            nested: Whether it becomes the child of a run that is active.

        Raises:
            ActiveRunError: This thread has an active run, and *nested* is not set.
            InvalidIdError: An id is not legal.
        """
        return fluent.start_run(
            run_name=self.run_name if run_name is None else run_name,
            experiment_id=self.experiment_id if experiment_id is None else experiment_id,
            run_id=run_id,
            version=version,
            nested=nested,
            runs_dir=self.runs_dir,
        )

    def active_run(self) -> Optional[Run]:
        """Return this thread's active run, None where there is none."""
        return active.current()

    def end_run(self, status: str = "FINISHED") -> None:
        """End this thread's active run.

        Args:
            status: FINISHED, FAILED or KILLED.

        Raises:
            NoActiveRunError: This thread has none.
        """
        fluent.end_run(status)

    def list_runs(self, experiment_id: Union[int, str, None] = None) -> List[str]:
        """Return the ids of an experiment's runs, newest first.

        Args:
            experiment_id: None takes the tracker's.
        """
        from .store import reader  # who only logs needs nothing of what reads

        return reader.list_run_ids(self._store(), self._experiment(experiment_id))

    def search_runs(
        self,
        experiment_ids: Union[int, str, List[Union[int, str]], None] = None,
        filter_string: str = "",
        *,
        run_view_type: str = "ACTIVE_ONLY",
        order_by: Union[str, List[str], None] = None,
        max_results: Optional[int] = 100000,
        output_format: str = "pandas",
        refresh: bool = False,
    ) -> Any:
        """Return the runs that a filter means; see ``mini_mlflow.search_runs``.

        Args:
            experiment_ids: Ids or names of experiments, or one. None takes the tracker's.
            filter_string: Such as ``val.acc > 0.9 and lr < 0.1``.
            run_view_type: ``"ACTIVE_ONLY"``, ``"DELETED_ONLY"`` or ``"ALL"``.
            order_by: Keys with ``ASC`` or ``DESC``.
            max_results: At most so many; None: all.
            output_format: ``"pandas"``, ``"arrow"`` or ``"list"``.
            refresh: Whether to look at every file first.

        Raises:
            QueryError: The filter or an order cannot be read.
        """
        from .search.runs import search_runs

        return search_runs(
            self.experiment_id if experiment_ids is None else experiment_ids,
            filter_string,
            run_view_type,
            max_results,
            order_by,
            output_format,
            refresh=refresh,
            runs_dir=self.runs_dir,
        )

    def find_run(self, name: str, *, refresh: bool = False) -> Optional[StoredRun]:
        """Return the newest run of a name in the tracker's experiment, None where there is none."""
        from .search.runs import find_run

        return find_run(name, self.experiment_id, refresh=refresh, runs_dir=self.runs_dir)

    def best_run(
        self, metric: str, mode: str = "max", filter_string: str = "", *, refresh: bool = False
    ) -> StoredRun:
        """Return the run of the tracker's experiment with the best value of a metric; see ``mini_mlflow.best_run``.

        Args:
            metric: The metric.
            mode: ``"max"`` or ``"min"``: which end is best.
            filter_string: Only runs that it means.
            refresh: Whether to look at every file first.

        Raises:
            MetricNotFoundError: No such run has a value of this metric.
            QueryError: The filter cannot be read.
        """
        from .search.runs import best_run

        return best_run(metric, mode, self.experiment_id, filter_string, refresh=refresh, runs_dir=self.runs_dir)

    def get_run(self, run_id: str, experiment_id: Union[int, str, None] = None) -> Dict[str, Any]:
        """Return what a run holds.

        Args:
            run_id: The run.
            experiment_id: None takes the tracker's.

        Returns:
            ``metadata`` (name, status, start and end time, version …; the status is LOST where the process that wrote
            the run died without ending it), ``params``, ``metrics`` (latest values) and ``tags``.

        Raises:
            RunNotFoundError: There is no such run.

        Warns:
            StorageWarning: Some of its files cannot be read; the rest is returned.
        """
        return get_run_data(self._store(), self._experiment(experiment_id), run_id)

    def history(
        self,
        run_id: str,
        key: str,
        experiment_id: Union[int, str, None] = None,
        *,
        latest_per_step: bool = False,
    ) -> List[Metric]:
        """Return every recorded value of a metric of a run; see ``Run.history``.

        Args:
            run_id: The run.
            key: The metric.
            experiment_id: None takes the tracker's.
            latest_per_step: As in ``Run.history``.

        Raises:
            InvalidKeyError: *key* is no text.
            RunNotFoundError: There is no such run.
            MetricNotFoundError: It has no such metric.
        """
        from .store.reader import get_history  # as above
        from .summary import read_latest_per_step

        read = read_latest_per_step if latest_per_step else get_history
        return read(self._folder(run_id, experiment_id), run_id, keys.check_known_key(key))

    def summary(self, run_id: str, key: str, experiment_id: Union[int, str, None] = None) -> Summary:
        """Return what a metric of a run comes to; see ``Run.summary``.

        Args:
            run_id: The run.
            key: The metric.
            experiment_id: None takes the tracker's.

        Raises:
            InvalidKeyError: *key* is no text.
            RunNotFoundError: There is no such run.
            MetricNotFoundError: It has no such metric.
        """
        from .summary import read_summary  # as above

        return read_summary(self._folder(run_id, experiment_id), run_id, keys.check_known_key(key))

    def list_artifacts(
        self, run_id: str, artifact_path: Optional[str] = None, experiment_id: Union[int, str, None] = None
    ) -> List[FileInfo]:
        """Return what lies in a folder of a run's artifacts; see ``Run.list_artifacts``. The run is not continued.

        Args:
            run_id: The run.
            artifact_path: The folder; None: the top.
            experiment_id: None takes the tracker's.

        Raises:
            RunNotFoundError: There is no such run.
            InvalidArtifactPathError: *artifact_path* leads out of the run.
        """
        from . import artifacts

        return artifacts.list_files(self._artifacts(run_id, experiment_id), artifact_path)

    def artifact_path(self, run_id: str, artifact_path: str, experiment_id: Union[int, str, None] = None) -> str:
        """Return the absolute path of a run's artifact; see ``Run.artifact_path``. The run is not continued.

        Args:
            run_id: The run.
            artifact_path: The artifact's name.
            experiment_id: None takes the tracker's.

        Raises:
            RunNotFoundError: There is no such run.
            ArtifactNotFoundError: It has no such artifact.
            InvalidArtifactPathError: *artifact_path* leads out of the run.
        """
        from . import artifacts

        return artifacts.find_path(self._artifacts(run_id, experiment_id), artifact_path)

    def get_run_by_version(
        self, run_name: str, version: str, experiment_id: Union[int, str, None] = None
    ) -> Optional[Dict[str, Any]]:
        """Return the newest run of a name and version as ``get_run`` does, None where there is none.

        Args:
            run_name: The name.
            version: The version.
            experiment_id: None takes the tracker's.
        """
        return self._find(experiment_id, name=run_name, version=version)

    def get_latest_version(
        self, run_name: str, experiment_id: Union[int, str, None] = None
    ) -> Optional[Dict[str, Any]]:
        """Return the newest run of a name as ``get_run`` does, None where there is none.

        Args:
            run_name: The name.
            experiment_id: None takes the tracker's.
        """
        return self._find(experiment_id, name=run_name)

    def __enter__(self) -> Run:
        run = self.start_run()
        self._entered.append((get_ident(), run, active.stack.runs))
        return run

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        entry = self._pop_entry()
        if entry is None:
            return
        _, run, stack = entry
        runs = list(stack)  # of the thread that entered the block: a generator may leave it in another one
        nested = runs[runs.index(run) + 1 :] if run in runs else []
        for each in (*reversed(nested), run):
            if each.status == "RUNNING":
                each.end_after(status_after(kind, error), error)

    def __getstate__(self) -> Dict[str, Any]:
        return dict(self.__dict__, _entered=[])  # a copy has entered no block

    def _pop_entry(self) -> Optional[_Entry]:
        """Forget the block that is being left, and return it: this thread's last, else the last of any."""
        entered = list(self._entered)
        for entry in [entry for entry in reversed(entered) if entry[0] == get_ident()] or entered[-1:]:
            self._entered.remove(entry)
            return entry
        return None

    def _store(self) -> str:
        return active.store_folder(self.runs_dir)

    def _experiment(self, experiment_id: Union[int, str, None]) -> Union[int, str]:
        return self.experiment_id if experiment_id is None else identity.known_experiment(self.runs_dir, experiment_id)

    def _folder(self, run_id: str, experiment_id: Union[int, str, None]) -> str:
        from .store import reader  # as above

        return reader.run_folder(self._store(), self._experiment(experiment_id), keys.check_known_run_id(run_id))

    def _artifacts(self, run_id: str, experiment_id: Union[int, str, None]) -> str:
        return os.path.join(self._folder(run_id, experiment_id), layout.ARTIFACTS)

    def _find(self, experiment_id: Union[int, str, None], **wanted: Any) -> Optional[Dict[str, Any]]:
        from .store import reader  # as above

        for run_id in self.list_runs(experiment_id):
            try:
                metadata = reader.read_metadata(self._folder(run_id, experiment_id), [])
            except MiniMLflowError:
                continue  # of a newer format, or gone meanwhile: it is not the one, or nobody could read it
            if all(metadata.get(field) == value for field, value in wanted.items()):
                return get_run_data(self._store(), self._experiment(experiment_id), run_id, stacklevel=5)
        return None


def get_run_data(store: str, experiment_id: Union[int, str], run_id: str, *, stacklevel: int = 3) -> Dict[str, Any]:
    """Return what a run holds, and warn of what cannot be read of it; see ``ExperimentTracker.get_run``.

    Args:
        store: The store, as an absolute path.
        experiment_id: The experiment.
        run_id: The run.
        stacklevel: Whose line the warnings name: 2 is the caller's, 3 that of its caller.

    Raises:
        InvalidIdError: *run_id* is no name of a folder.
        RunNotFoundError: There is no such run.
    """
    from .store import reader  # as above

    record = reader.read_run(store, experiment_id, keys.check_known_run_id(run_id))
    if record.problems:
        import warnings  # costs 0.2 ms, and sound runs never need it

        for problem in record.problems:
            message = "Part of run %s cannot be read: %s: %s." % (run_id, problem.path, problem.reason)
            warnings.warn(message, StorageWarning, stacklevel=stacklevel)
    return {
        "metadata": record.metadata,
        "params": record.params,
        "metrics": record.metrics,
        "tags": record.tags,
    }


def _set_active_run(run: Optional[Run]) -> None:
    """Make *run* this thread's only active one, or let it have none; the tests of 0.1.0's users call this."""
    active.clear()
    if run is not None:
        active.push(run)
