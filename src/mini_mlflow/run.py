"""What can be done with one run: start or continue it, keep files in it, look at what it holds, end it."""

from __future__ import annotations

import os
import sys
from _thread import allocate_lock  # built in; threading itself costs 1.5 ms more
from time import time
from types import TracebackType

from . import active, clock, config, endings, identity, keys, layout
from .artifact_recorder import ArtifactRecorder
from .errors import RunEndedError
from .recorder import RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional, Protocol, Type, Union

    from .joining import Teller
    from .records import Metric, RunData, RunInfo, Summary
    from .store.writer import RunWriter

    class Companion(Protocol):
        """What runs beside a run."""

        def stop(self) -> None:
            """Stop, and leave nothing behind that still logs."""


MOST_RESUMES = 50  # of which meta.yaml tells; the last ones
# What a pickled run leaves behind.
_OWN_PROCESS = frozenset(["_writer", "_appenders", "_companions", "_table_lock", "_teller"])


class Run(ArtifactRecorder):
    """One execution of an experiment, with its params, metrics and tags.

    A run is a context manager: leaving the block ends it, FAILED where an exception left it, KILLED after Ctrl-C.
    It may be used from several threads. ``Run(run_id=...)`` of a run that is there continues it; where its owner still
    lives, this process logs beside it. Pickled into another process it does the same there. A run that nobody ends is
    ended with its process; of more than 256 such runs in one process the oldest go when nobody holds them.

    Attributes:
        run_id: Its id, the name of its folder.
        experiment_id: Its experiment's id.
        name: Name for people, or None.
        version: Free text of the user's, or None.
        status: RUNNING until it is ended here, then FINISHED, FAILED or KILLED.
        start_time: ISO 8601 in UTC, such as ``2026-11-24T09:30:00.000000Z``.
        end_time: The same, None while running.
        parent_run_id: Id of the run it is nested in, or None.
        runs_dir: The store's folder, as it was given.
    """

    def __init__(
        self,
        run_id: Optional[str] = None,
        experiment_id: Union[int, str, None] = None,
        name: Optional[str] = None,
        runs_dir: Union[str, os.PathLike[str], None] = None,
        *legacy: Any,
        version: Optional[str] = None,
        parent_run_id: Optional[str] = None,
        default_name: Optional[str] = None,
    ) -> None:
        """Start a run, or continue the one of that id.

        Args:
            run_id: 1 to 128 letters, digits, ``_``, ``.``, ``-``, beginning with a letter or digit; None makes one.
            experiment_id: A whole number from 0, or a folder name. None: the experiment that has a run of this id,
                else the one that ``set_experiment`` chose, else 0.
            name: Name for people. A run that is continued takes it for its own; beside an owner who lives it counts
                for nothing, and so does *version*: the attributes show what the store says.
            runs_dir: The store's folder. None: what ``set_tracking_uri`` chose, else ``MINI_MLFLOW_DIR``, else
                ``mlruns``. ``~/`` is the home folder.
            *legacy: Nothing. Version 0.1.0 had *version* before *runs_dir*; five positional arguments are read so.
            version: Free text, such as ``v1.0``.
            parent_run_id: Id of the run that this one is nested in. One that exists keeps the parent it has, and
                none becomes its own ancestor.
            default_name: Name of a new run where *name* is None.

        Raises:
            InvalidIdError: An id is not legal.
            InvalidValueError: A name, a version or *runs_dir* is not legal.
            AmbiguousRunError: Several experiments have a run of this id; say which.
            UnsupportedFormatError: The run was written by a newer version.
            OSError: The disk refused.
        """
        if legacy:
            if len(legacy) > 1:
                raise TypeError("Run() takes at most 5 positional arguments, got %d." % (4 + len(legacy)))
            version, runs_dir = runs_dir, legacy[0]  # type: ignore[assignment]
        self.runs_dir = active.runs_dir(runs_dir)
        self._store = config.store_folder(self.runs_dir)
        self.run_id, self.experiment_id = identity.locate(self._store, run_id, experiment_id)
        self.name = keys.check_label(name, "Run name")
        self.version = keys.check_label(version, "Version")
        self._default_name = default_name
        self.parent_run_id = parent_run_id
        if run_id is not None and not identity.may_be_parent(self._store, parent_run_id, self.run_id):
            self.parent_run_id = None
        self.status = RUNNING
        self.start_time = ""
        self.end_time: Optional[str] = None
        self._companions: List[Companion] = []
        self._table_lock = allocate_lock()
        self._teller: Optional[Teller] = None
        self._is_origin_wanted = config.is_provenance_wanted()
        config.check_switches()
        self._folder = layout.run_folder(self._store, self.experiment_id, self.run_id)
        from .store import opening  # with all that writes into a run: half as much as importing the package

        opened = opening.open_run(
            self._store,
            self.experiment_id,
            self.run_id,
            self._new_fields,
            active.pool(),
            config.sync_period_s(),
            is_new=run_id is None,
        )
        self._writer = opened.writer
        self._appenders = self._writer.appenders
        try:
            if opened.role != opening.CREATED:
                self._take_over(is_resumed=opened.role == opening.RESUMED)
            if opened.role != opening.JOINED and self._is_origin_wanted:
                from .origin import Origin  # costs milliseconds, and importing the package must not

                self._companions.append(Origin(self._writer))
            endings.see_to(self)
        except BaseException:  # whoever keeps the error keeps us: else the run would live as long as this process
            active.forget(self)
            self._writer.release()
            raise

    def history(self, key: str, *, latest_per_step: bool = False) -> List[Metric]:
        """Return every recorded value of the metric *key*, from all processes that log into this run.

        Args:
            key: The metric.
            latest_per_step: Whether a step that was logged more than once is there once, as logged last (rule W8).

        Returns:
            ``Metric(step, timestamp, value)`` sorted by step, then timestamp; a step logged twice is there twice.

        Raises:
            InvalidKeyError: *key* is no text.
            MetricNotFoundError: The run has no such metric.
        """
        from .store.reader import get_history  # who only logs needs nothing of what reads
        from .summary import read_latest_per_step

        read = read_latest_per_step if latest_per_step else get_history
        return read(self._folder, self.run_id, keys.check_known_key(key))

    def summary(self, key: str) -> Summary:
        """Return what the metric *key* comes to: first, last, min, max, mean, count and the steps of the extremes.

        Raises:
            InvalidKeyError: *key* is no text.
            MetricNotFoundError: The run has no such metric.
        """
        from .summary import read_summary  # as above

        return read_summary(self._folder, self.run_id, keys.check_known_key(key))

    def end(self, status: str = "FINISHED") -> None:
        """End the run: bring all that was logged to the disk and write its status.

        Args:
            status: FINISHED, FAILED or KILLED.

        Raises:
            RunEndedError: It has ended already.
            InvalidStatusError: *status* is none of the three.

        Once this has returned, what was logged survives a power cut. In a process that logs beside the run's owner (and
        in a forked child) it ends this process's part only, also as FAILED: the owner says how the run ended.
        """
        self.end_after(status, sys.exc_info()[1])

    def end_after(self, status: str, error: Union[BaseException, int, None]) -> None:
        """End the run, and say why where it failed or was killed; for whoever knows that better than ``end``.

        Args:
            status: As of ``end``.
            error: What is being handled, or the number of a signal; None: nothing is known.
        """
        broken_off: Optional[BaseException] = None
        if self.status == RUNNING:
            status = keys.check_end_status(status)
            broken_off = self._stop_companions()
            if isinstance(broken_off, KeyboardInterrupt):
                status, error = "KILLED", broken_off
        why = None if status == "FINISHED" else endings.why_ended(error)
        final = {} if why is None else {"ended_by": why}
        with endings.Uninterrupted(), self._writer.lock:
            if self.status != RUNNING:
                message = "Run is already ended with status '%s'. Continue it with start_run(run_id='%s')."
                raise RunEndedError(message % (self.status, self.run_id), run_id=self.run_id, status=self.status)
            self.status = keys.check_end_status(status)
            self.end_time = max(clock.encode_time(int(time() * 1000000)), self.start_time)
            try:
                self._writer.close(status=self.status, end_time=self.end_time, **final)
            finally:
                active.forget(self)
        if self._teller is not None:
            self._teller.end(self.status, **final)
        if broken_off is not None:
            raise broken_off

    @property
    def info(self) -> RunInfo:
        """What is known of the run itself, under the names that MLflow has for it."""
        from .records import RunInfo  # as above

        return RunInfo(
            run_id=self.run_id,
            run_name=self.name,
            experiment_id=self.experiment_id,
            status=self.status,
            start_time=clock.decode_time(self.start_time),
            end_time=clock.decode_time(self.end_time),
            lifecycle_stage="active",
            artifact_uri=self.get_artifact_uri(),
            user_id=self._writer.fields.get("user"),
            parent_run_id=self.parent_run_id,
            resume_count=self.resume_count,
            version=self.version,
            ended_by=self._writer.fields.get("ended_by"),
        )

    @property
    def data(self) -> RunData:
        """What is recorded in the run at this moment, by all processes: params, latest metrics and tags."""
        from .records import RunData  # as above
        from .store.reader import read_run

        record = read_run(self._store, self.experiment_id, self.run_id)
        return RunData(record.params, record.metrics, record.tags)

    @property
    def resume_count(self) -> int:
        """How many times the run was continued after its process had stopped."""
        return self._writer.generation

    def accompany(self, companion: Companion) -> None:
        """Let something run beside the run, which is stopped just before the run ends; for ``start_run``.

        Args:
            companion: Anything with ``stop()``.
        """
        self._companions.append(companion)

    def report_to(self, teller: Teller) -> None:
        """Let whoever tracks this process know how the run ends here; for ``start_run``."""
        self._teller = teller

    def tell(self, **fields: Any) -> bool:
        """Tell whoever tracks this process what meta.yaml should say; False where this process says it itself."""
        if self._teller is None or self._writer.meta_folder:
            return False
        self._teller.tell(**fields)
        return True

    @property
    def store_folder(self) -> str:
        """The store as an absolute path, fixed when the run started."""
        return self._store

    def holds(self, folder: str) -> bool:
        """Tell whether this is the open run of that folder, and says how it stands; for the functions of 0.1.0."""
        return self._folder == folder and self.status == RUNNING and bool(self._writer.meta_folder)

    @property
    def writer(self) -> RunWriter:
        """This process's hand in the run's files; for the functions of 0.1.0."""
        return self._writer

    def change_metadata(self, fields: Dict[str, Any]) -> None:
        """Change fields of meta.yaml; for the functions of 0.1.0."""
        with self._writer.lock:
            self._writer.write_meta(**fields)

    def become_child(self, pool: Any) -> None:
        """Go on as a joiner in a forked child; called by the fork hook."""
        self._table_lock = allocate_lock()  # the parent's may be held by a thread that the child does not have
        self._writer.become_child(pool)

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        if self.status == RUNNING:
            self.end_after(endings.status_after(kind, error), error)

    def __repr__(self) -> str:
        return "Run(run_id=%r, experiment_id=%r, name=%r, status=%r)" % (
            self.run_id,
            self.experiment_id,
            self.name,
            self.status,
        )

    def __getstate__(self) -> Dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _OWN_PROCESS}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__dict__.update(state)
        from .store.opening import join_run  # as above

        self._writer = join_run(self._folder, active.pool(), config.sync_period_s())
        self._appenders = self._writer.appenders
        self._companions = []
        self._table_lock = allocate_lock()
        self._teller = None
        if self.status == RUNNING:
            endings.see_to(self)
        else:
            self._writer.release()

    def __del__(self, is_exiting: Callable[[], bool] = sys.is_finalizing) -> None:
        # A run that nobody holds any more and nobody ended: let go of its files; how it ended, nobody can say.
        writer = getattr(self, "_writer", None)
        if writer is not None and not writer.is_closed and not is_exiting():  # then the system lets go of them itself
            writer.release()

    def _stop_companions(self) -> Optional[BaseException]:
        """Stop what runs beside the run, and return what broke that off: the run has to end all the same."""
        broken_off: Optional[BaseException] = None
        while self._companions:
            try:
                self._companions.pop().stop()  # without the writer's lock, for which their threads may wait
            except BaseException as error:  # noqa: BLE001 - Ctrl-C among them; raised again when the run has ended
                broken_off = broken_off or error
        return broken_off

    def _new_fields(self) -> Dict[str, Any]:
        """Return what meta.yaml says of this run when it is new (docs/format.md, rule Y3)."""
        self.start_time = self.start_time or clock.encode_time(active.next_start_us())
        if self.name is None:
            self.name = self._default_name
        fields = {
            "format": layout.FORMAT_VERSION,
            "run_id": self.run_id,
            "experiment_id": self.experiment_id,
            "name": self.name,
            "version": self.version,
            "status": RUNNING,
            "start_time": self.start_time,
            "end_time": None,
            "parent_run_id": self.parent_run_id,
            "generation": 0,
        }
        if self._is_origin_wanted:
            from .origin import known_fields  # costs milliseconds, and importing the package must not

            fields.update(known_fields())
        return fields

    def _take_over(self, *, is_resumed: bool) -> None:
        """Take name, version and start from the run that is there; one that is resumed gets those that were asked for.

        A joiner may not say how the run stands, so it takes all as it is (docs/format.md, rule W7).
        """
        fields = self._writer.fields
        if is_resumed:
            parent = fields.get("parent_run_id")
            parent = self.parent_run_id if parent is None else parent
            asked = {"name": self.name, "version": self.version, "parent_run_id": parent}
            changes: Dict[str, Any] = {field: value for field, value in asked.items() if value is not None}
            if self._is_origin_wanted:
                from .provenance import quick_fields  # as above

                resume = {"time": clock.encode_time(int(time() * 1000000)), **quick_fields()}
                changes["resumes"] = [*_listed(fields.get("resumes"))[1 - MOST_RESUMES :], resume]
            if any(value != fields.get(field) for field, value in changes.items()):
                self._writer.write_meta(**changes)
        self.name = fields.get("name", self.name)
        self.version = fields.get("version", self.version)
        self.parent_run_id = fields.get("parent_run_id")
        self.start_time = str(fields.get("start_time") or self.start_time or clock.encode_time(active.next_start_us()))


def _listed(value: Any) -> List[Any]:
    return value if isinstance(value, list) else []
