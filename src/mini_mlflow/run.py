"""What can be done with one run: log to it, end it, look at what it holds."""

from __future__ import annotations

import os
from time import time
from types import TracebackType

from . import active, config, endings, identity, keys, layout
from .errors import RunEndedError
from .store import documents, meta, opening, reader
from .store.open_file import now_ms
from .store.writer import RunWriter
from .summary import read_summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Mapping, Optional, Type, Union

    from .records import Metric, Summary

RUNNING = "RUNNING"


class Run:
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
    ) -> None:
        """Start a run, or continue the one of that id.

        Args:
            run_id: 1 to 128 letters, digits, ``_``, ``.``, ``-``, beginning with a letter or digit; None makes one.
            experiment_id: A whole number from 0, or a folder name. None: the experiment that has a run of this id,
                else 0.
            name: Name for people. A run that is continued takes it for its own; beside an owner who lives it counts
                for nothing, and so does *version*: the attributes show what the store says.
            runs_dir: The store's folder. None: ``MINI_MLFLOW_DIR``, else ``mlruns``. ``~/`` is the home folder.
            *legacy: Nothing. Version 0.1.0 had *version* before *runs_dir*; five positional arguments are read so.
            version: Free text, such as ``v1.0``.
            parent_run_id: Id of the run that this one is nested in. One that exists keeps the parent it has, and
                none becomes its own ancestor.

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
        self.runs_dir = config.runs_dir(runs_dir)
        self._store = config.store_folder(self.runs_dir)
        self.run_id, self.experiment_id = identity.locate(self._store, run_id, experiment_id)
        self.name = keys.check_label(name, "Run name")
        self.version = keys.check_label(version, "Version")
        self.parent_run_id = parent_run_id
        if run_id is not None and not identity.may_be_parent(self._store, parent_run_id, self.run_id):
            self.parent_run_id = None
        self.status = RUNNING
        self.start_time = ""
        self.end_time: Optional[str] = None
        self._folder = layout.run_folder(self._store, self.experiment_id, self.run_id)
        opened = opening.open_run(
            self._store, self.experiment_id, self.run_id, self._new_fields, active.pool(), config.sync_period_s()
        )
        self._writer = opened.writer
        self._appenders = self._writer.appenders
        if opened.role != opening.CREATED:
            self._take_over(opened.role)
        endings.see_to(self)

    def log_param(self, key: str, value: Any) -> None:
        """Record one setting of the run; a second value for a key replaces the first.

        Args:
            key: 1 to 250 characters, valid as a file name everywhere (docs/format.md, rule K1).
            value: Anything that JSON has; scalars of NumPy, PyTorch and JAX; paths, enums and dtypes become text.
                NaN and infinities are kept.

        Raises:
            InvalidKeyError: *key* is not legal.
            InvalidValueError: JSON has no such value.
            RunEndedError: The run has ended.

        Writes ``params/<key>.json``. The value survives the death of the process once the call has returned, and a
        power cut once the run has ended.
        """
        self._log_values(layout.PARAMS, "Param", {key: value})

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Record several settings; all are checked before the first is written.

        Args:
            params: Values by key, each as in ``log_param``.

        Raises:
            InvalidKeyError: A key is not legal.
            InvalidValueError: JSON has no such value.
            RunEndedError: The run has ended.
        """
        self._log_values(layout.PARAMS, "Param", params)

    def set_tag(self, key: str, value: Any) -> None:
        """Attach a remark to the run; a second value for a key replaces the first.

        Args:
            key: As in ``log_param``.
            value: As in ``log_param``.

        Raises:
            InvalidKeyError: *key* is not legal.
            InvalidValueError: JSON has no such value.
            RunEndedError: The run has ended.

        Writes ``tags/<key>.json``; it is as safe as a param.
        """
        self._log_values(layout.TAGS, "Tag", {key: value})

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Attach several remarks; all are checked before the first is written.

        Args:
            tags: Values by key, each as in ``set_tag``.

        Raises:
            InvalidKeyError: A key is not legal.
            InvalidValueError: JSON has no such value.
            RunEndedError: The run has ended.
        """
        self._log_values(layout.TAGS, "Tag", tags)

    def log_metric(
        self, key: str, value: float, step: Optional[int] = None, *, timestamp: Optional[int] = None
    ) -> None:
        """Record one number of the run.

        Args:
            key: 1 to 250 characters, valid as a file name everywhere (docs/format.md, rule K1).
            value: One real number: int, float, or anything of shape () with ``.item()`` (NumPy, PyTorch, JAX scalars).
                NaN and infinities are kept.
            step: Integer position on the x-axis, 64 bits; None takes the next free step of this metric.
            timestamp: Milliseconds since 1970-01-01 UTC; None takes the clock.

        Raises:
            InvalidKeyError: *key* is not legal.
            InvalidValueError: *value* is not one real number, or *step* or *timestamp* not an integer in range.
            RunEndedError: The run has ended.

        Appends one row to ``metrics/<key>.json``. The row survives the death of the process once the call has returned,
        and a power cut once the run has ended.
        """
        if type(value) is not float:
            value = keys.check_number(value, key)
        if step is not None and (type(step) is not int or not -(2**63) <= step < 2**63):
            step = keys.check_step(step, key)
        if timestamp is not None:
            timestamp = keys.check_timestamp(timestamp, key)
        try:
            appender = self._appenders[key]
        except (KeyError, TypeError):
            return self._log_new_metric(key, value, step, timestamp)
        return appender.append(value, step, timestamp)

    def log_metrics(
        self, metrics: Mapping[str, float], step: Optional[int] = None, *, timestamp: Optional[int] = None
    ) -> None:
        """Record several numbers of one step; all are checked before the first is written.

        Args:
            metrics: Numbers by key, each as in ``log_metric``.
            step: As in ``log_metric``; None takes each metric's own next step.
            timestamp: As in ``log_metric``; None takes the clock once for all.

        Raises:
            InvalidKeyError: A key is not legal.
            InvalidValueError: A value is not one real number, or *step* or *timestamp* not an integer in range.
            RunEndedError: The run has ended.
        """
        appenders = self._appenders
        checked = []
        for key, value in keys.check_items(metrics, "Metric"):
            if key not in appenders:
                keys.check_key(key, "Metric")
            checked.append((key, value if type(value) is float else keys.check_number(value, key)))
        if not checked:
            self._check_running("metric")
        if timestamp is None:
            timestamp = now_ms()
        for key, value in checked:
            self.log_metric(key, value, step, timestamp=timestamp)

    def history(self, key: str) -> List[Metric]:
        """Return every recorded value of the metric *key*, from all processes that log into this run.

        Returns:
            ``Metric(step, timestamp, value)`` sorted by step, then timestamp; a step logged twice is there twice.

        Raises:
            InvalidKeyError: *key* is no text.
            MetricNotFoundError: The run has no such metric.
        """
        return reader.get_history(self._folder, self.run_id, keys.check_known_key(key))

    def summary(self, key: str) -> Summary:
        """Return what the metric *key* comes to: first, last, min, max, mean, count and the steps of the extremes.

        Raises:
            InvalidKeyError: *key* is no text.
            MetricNotFoundError: The run has no such metric.
        """
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
        with endings.Uninterrupted(), self._writer.lock:
            if self.status != RUNNING:
                message = "Run is already ended with status '%s'. Continue it with start_run(run_id='%s')."
                raise RunEndedError(message % (self.status, self.run_id), run_id=self.run_id, status=self.status)
            self.status = keys.check_end_status(status)
            self.end_time = max(meta.encode_time(int(time() * 1000000)), self.start_time)
            try:
                self._writer.close(status=self.status, end_time=self.end_time)
            finally:
                active.forget(self)

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
            self.end(endings.status_after(kind, error))

    def __repr__(self) -> str:
        return "Run(run_id=%r, experiment_id=%r, name=%r, status=%r)" % (
            self.run_id,
            self.experiment_id,
            self.name,
            self.status,
        )

    def __getstate__(self) -> Dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_writer", "_appenders")}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._writer = opening.join_run(self._folder, active.pool(), config.sync_period_s())
        self._appenders = self._writer.appenders
        if self.status == RUNNING:
            endings.see_to(self)
        else:
            self._writer.release()

    def __del__(self) -> None:
        # A run that nobody holds any more and nobody ended: let go of its files; how it ended, nobody can say.
        writer = getattr(self, "_writer", None)
        if writer is not None and not writer.is_closed:
            writer.release()

    def _log_new_metric(self, key: str, value: float, step: Optional[int], timestamp: Optional[int]) -> None:
        key = keys.check_key(key, "Metric")
        self._check_running("metric", key)
        self._writer.write_row(key, documents.encode_number(value), step, timestamp, now_ms())

    def _log_values(self, kind: str, what: str, values: Mapping[str, Any]) -> None:
        checked = [
            (keys.check_key(key, what), keys.check_json_value(value, key, what))
            for key, value in keys.check_items(values, what)
        ]
        noun = "parameter" if kind == layout.PARAMS else "tag"
        if not checked:
            self._check_running(noun)
        for key, value in checked:
            self._check_running(noun, key)
            self._writer.write_value(kind, key, value)

    def _check_running(self, what: str, key: Optional[str] = None) -> None:
        if self.status != RUNNING:
            late = "" if key is None else ": %r is late" % key
            message = "Cannot log %s to run with status '%s'%s. Continue it with start_run(run_id='%s')."
            facts = (what, self.status, late, self.run_id)
            raise RunEndedError(message % facts, run_id=self.run_id, status=self.status)

    def _new_fields(self) -> Dict[str, Any]:
        """Return what meta.yaml says of this run when it is new (docs/format.md, rule Y3)."""
        self.start_time = self.start_time or meta.encode_time(active.next_start_us())
        return {
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

    def _take_over(self, role: str) -> None:
        """Take name, version and start from the run that is there; one that is resumed gets those that were asked for.

        A joiner may not say how the run stands, so it takes all as it is (docs/format.md, rule W7).
        """
        fields = self._writer.fields
        if role == opening.RESUMED:
            parent = fields.get("parent_run_id")
            parent = self.parent_run_id if parent is None else parent
            asked = {"name": self.name, "version": self.version, "parent_run_id": parent}
            changes = {field: value for field, value in asked.items() if value is not None}
            if any(value != fields.get(field) for field, value in changes.items()):
                self._writer.write_meta(**changes)
        self.name = fields.get("name", self.name)
        self.version = fields.get("version", self.version)
        self.parent_run_id = fields.get("parent_run_id")
        self.start_time = str(fields.get("start_time") or self.start_time or meta.encode_time(active.next_start_us()))
