"""What can be recorded into a run: params, tags and metrics, each checked before anything is written."""

from __future__ import annotations

from . import keys, layout, values
from .clock import now_ms
from .errors import InvalidValueError, RunEndedError, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Tuple

    from .records import Number
    from .store.appender import Appender
    from .store.writer import RunWriter

RUNNING = "RUNNING"
_MAY_HOLD_TEXT = frozenset([str, list, dict])
_PLAIN = frozenset([str, int, float, bool, type(None), list, tuple])


class Recorder:
    """The recording half of a ``Run``; the other half is its life: how it starts, what it holds, how it ends.

    Attributes:
        run_id: Id of the run.
        status: RUNNING until it is ended here.
    """

    run_id: str
    status: str
    _writer: RunWriter
    _appenders: Dict[str, Appender]

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
        self._log_values(layout.PARAMS, "Param", ((key, value),))

    def log_params(self, params: Any) -> None:
        """Record several settings; all are checked before the first is written.

        Args:
            params: Values by key, each as in ``log_param``; dicts within it are flattened: ``{"model": {"lr": 0.1}}``
                is the param ``model.lr``. Also a dataclass, ``argparse.Namespace``, pydantic model, attrs class,
                OmegaConf config or absl ``FLAGS``.

        Raises:
            InvalidKeyError: A key is not legal.
            InvalidValueError: JSON has no such value.
            RunEndedError: The run has ended.
        """
        self._log_values(layout.PARAMS, "Param", _param_items(params))

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
        self._log_values(layout.TAGS, "Tag", ((key, value),))

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Attach several remarks; all are checked before the first is written.

        Args:
            tags: Values by key, each as in ``set_tag``.

        Raises:
            InvalidKeyError: A key is not legal.
            InvalidValueError: JSON has no such value.
            RunEndedError: The run has ended.
        """
        self._log_values(layout.TAGS, "Tag", values.check_items(tags, "Tag"))

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
            value = values.check_number(value, key)
        if step is not None and (type(step) is not int or not -(2**63) <= step < 2**63):
            step = values.check_step(step, key)
        if timestamp is not None:
            timestamp = values.check_timestamp(timestamp, key)
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
        for key, value in values.check_items(metrics, "Metric"):
            if key not in appenders:
                keys.check_key(key, "Metric")
            checked.append((key, value if type(value) is float else values.check_number(value, key)))
        if not checked:
            self._check_running("metric")
        if timestamp is None:
            timestamp = now_ms()
        for key, value in checked:
            self.log_metric(key, value, step, timestamp=timestamp)

    def log_batch(self, metrics: Iterable[Any] = (), params: Any = (), tags: Any = ()) -> None:
        """Record metrics, params and tags at once; all are checked before the first is written.

        Args:
            metrics: Numbers by key, or rows with ``key``, ``value``, ``timestamp`` and ``step`` as attributes, such as
                MLflow's ``Metric``; of these the last two may be None.
            params: As in ``log_params``, or rows with ``key`` and ``value``.
            tags: As in ``set_tags``, or rows with ``key`` and ``value``.

        Raises:
            InvalidKeyError: A key is not legal.
            InvalidValueError: A value cannot be recorded, or a row lacks an attribute.
            RunEndedError: The run has ended.
        """
        rows = [_checked_row(*row) for row in _metric_rows(metrics)]
        checked_params = check_values("Param", _rows_or(params, _param_items))
        checked_tags = check_values("Tag", _rows_or(tags, lambda given: values.check_items(given, "Tag")))
        self._check_running("batch")
        for key, value in checked_params:
            self._writer.write_value(layout.PARAMS, key, value)
        for key, value, step, timestamp in rows:
            self.log_metric(key, value, step, timestamp=timestamp)
        for key, value in checked_tags:
            self._writer.write_value(layout.TAGS, key, value)

    def _log_new_metric(self, key: str, value: float, step: Optional[int], timestamp: Optional[int]) -> None:
        key = keys.check_key(key, "Metric")
        self._check_running("metric", key)
        self._writer.write_number(key, value, step, timestamp)

    def _log_values(self, kind: str, what: str, items: Iterable[Tuple[Any, Any]]) -> None:
        checked = check_values(what, items)
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


def check_values(what: str, items: Iterable[Tuple[Any, Any]]) -> List[Tuple[str, Any]]:
    """Return params or tags as they are stored: checked, and params that look like secrets masked.

    Args:
        what: ``Param`` or ``Tag``.
        items: Their keys and values.

    Raises:
        InvalidKeyError: A key is not legal.
        InvalidValueError: JSON has no such value.
    """
    checked = []
    for key, value in items:
        key = keys.check_key(key, what)  # noqa: PLW2901 - the checked one counts from here
        value = values.check_json_value(value, key, what)  # noqa: PLW2901 - likewise
        if type(value) in _MAY_HOLD_TEXT and what == "Param":
            from . import masking  # costs half a millisecond, and numbers never need it

            value = masking.mask_param(key, value)  # noqa: PLW2901 - likewise
        checked.append((key, value))
    return checked


def _param_items(source: Any) -> Iterable[Tuple[Any, Any]]:
    """Return params as pairs: those of a flat dict as they are, all else flattened."""
    if type(source) is dict and {str, *map(type, source)} == {str} and {*map(type, source.values())} <= _PLAIN:
        return source.items()
    from . import params  # for dataclasses, Namespaces and nested dicts; a flat dict needs nothing of it

    return params.flatten(source).items()


def _rows_or(given: Any, items: Callable[[Any], Iterable[Tuple[Any, Any]]]) -> Iterable[Tuple[Any, Any]]:
    """Return params or tags as pairs, whether they come as rows or in one piece."""
    if isinstance(given, (list, tuple)):
        return [(_part(row, "key"), _part(row, "value")) for row in given]
    return items(given)


def _metric_rows(metrics: Any) -> Iterable[Tuple[Any, Any, Any, Any]]:
    if hasattr(metrics, "items"):
        return [(key, value, None, None) for key, value in metrics.items()]
    return [(_part(row, "key"), _part(row, "value"), _part(row, "step"), _part(row, "timestamp")) for row in metrics]


def _part(row: Any, name: str) -> Any:
    try:
        return getattr(row, name)
    except AttributeError:
        message = "A row of a batch needs the attribute %r, got %s. Give a dict of values by key, or such rows."
        raise InvalidValueError(message % (name, shown(row)), value=row) from None


def _checked_row(key: Any, value: Any, step: Any, timestamp: Any) -> Tuple[str, Number, Optional[int], Optional[int]]:
    key = keys.check_key(key, "Metric")
    return (
        key,
        values.check_number(value, key),
        None if step is None else values.check_step(step, key),
        None if timestamp is None else values.check_timestamp(timestamp, key),
    )
