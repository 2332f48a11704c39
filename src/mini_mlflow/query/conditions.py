"""Which rows of a table of runs fulfil a condition?

A *table* has ``count`` rows, one for each run, and

- ``column(kind, key)``: a value for each row, None where the run lacks it; or None where no run has the key. *kind* is
  ``metrics``, ``params``, ``tags``, ``attributes`` or ``datasets``, whose values are lists: one for each data set;
- ``keys(kind)``: the keys that there are, sorted;
- ``summary_column(function, key)``: what the histories of a metric come to, likewise.

Its attributes are ``run_id run_name experiment_id status start_time end_time artifact_uri user_id lifecycle_stage
parent_run_id version``; times are milliseconds since 1970-01-01 UTC. ``start_us`` is none that a query names: the
microseconds of the start behind its millisecond.
"""

from __future__ import annotations

import operator
from itertools import compress, repeat

from ..errors import near_names
from ..records import Dataset
from . import times
from .grammar import And, Comparison, Nan, Not, Operand, Or, Present, unquote
from .likeness import is_like
from .words import unclear

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, List, Optional, Sequence, Set

    from .words import Word

_TIMES = frozenset(["start_time", "end_time"])
_DURATIONS = frozenset(["duration", "age"])
TEXTS = (
    "run_id", "run_name", "experiment_id", "status", "artifact_uri", "user_id", "lifecycle_stage", "parent_run_id",
    "version", "ended_by",
)  # fmt: skip
DATASETS = Dataset._fields
ATTRIBUTES = (*TEXTS, "start_time", "end_time", "duration", "age")
_OTHER_NAMES = {
    "name": "run_name", "run name": "run_name", "Run name": "run_name", "Run Name": "run_name", "created": "start_time",
    "Created": "start_time",
}  # fmt: skip
_COMPARE = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_ORDERING = frozenset(["<", "<=", ">", ">="])
_INFINITE = frozenset(sign + name for sign in ("", "+", "-") for name in ("inf", "infinity"))
_TRUTHS = frozenset(["true", "false"])
_MOST_BLANKS = 100  # of a pattern that has ``%``, too
_MOST_TOLD = 12  # keys that a message lists where none comes near
_LONGEST_NUMBER = 400  # characters of a text that is read as a number


def find_rows(condition: Any, table: Any, now_ms: int) -> List[int]:
    """Return the rows that fulfil a condition, ascending.

    Args:
        condition: What ``parse_filter`` returns; None: all.
        table: The runs.
        now_ms: The clock, for ages and for runs that go on.

    Raises:
        QueryError: The condition asks for what the table cannot have.
    """
    if condition is None or not table.count:  # without runs nobody knows what a bare key is
        return list(range(table.count))
    return list(compress(range(table.count), _evaluate(condition, table, now_ms)))


def resolve(operand: Operand, table: Any, text: str) -> Operand:
    """Return an operand with its kind, which a bare key leaves to what the runs have.

    Raises:
        QueryError: There is no such attribute, or no run has the key.
    """
    if operand.function is not None or operand.kind in ("metrics", "params", "tags"):
        return operand
    if operand.kind == "datasets" and operand.key in DATASETS:
        return operand
    key = _OTHER_NAMES.get(operand.key, operand.key)
    if key in ATTRIBUTES and operand.kind != "datasets":
        return operand._replace(kind="attributes", key=key)
    if operand.kind is None:
        for kind in ("metrics", "params", "tags"):
            if table.column(kind, operand.key) is not None:
                return operand._replace(kind=kind)
        before, _, rest = operand.key.partition(".")
        if before == "dataset" and rest in DATASETS:
            return operand._replace(kind="datasets", key=rest)
        if not table.count:
            return operand._replace(kind="metrics")
    raise _unknown(operand, table, text)


def check_metric(operand: Operand, table: Any, text: str) -> None:
    """Raise where an operand is a function of a metric that no run has.

    Raises:
        QueryError: It is.
    """
    if operand.function is not None and table.count and table.column("metrics", operand.key) is None:
        raise _unknown(operand, table, text)


def values_of(operand: Operand, table: Any, now_ms: int) -> Optional[Sequence[Any]]:
    """Return the value of an operand that is resolved for each row, None where no run has any."""
    if operand.function is not None:
        column: Optional[Sequence[Any]] = table.summary_column(operand.function, operand.key)
        return column
    if operand.kind == "attributes" and operand.key in _DURATIONS:
        starts = table.column("attributes", "start_time")
        if starts is None:
            return None
        if operand.key == "age":
            return [None if start is None else (now_ms - start) / 1000 for start in starts]
        statuses, ends = (table.column("attributes", name) or repeat(None) for name in ("status", "end_time"))
        return list(map(times.duration_s, statuses, starts, ends, repeat(now_ms)))
    found: Optional[Sequence[Any]] = table.column(operand.kind, operand.key)
    if operand.kind == "datasets" and found is not None:
        return [None if each is None else ", ".join(text or "" for text in each) for each in found]
    return found


def to_number(value: Any) -> Any:
    """Return the number that a param is, or that its text says; None where it is none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NUMBER or "_" in value:
        return None
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        return None


def _to_truth(value: Any) -> str:
    """Return a value as a text that ``true`` and ``false`` are compared with, however they are written."""
    return to_text(value).lower()


def to_text(value: Any) -> str:
    """Return a value as the text that it is compared as."""
    return value if isinstance(value, str) else str(value)


def _evaluate(condition: Any, table: Any, now_ms: int) -> bytes:
    """Return for each row 1 where the condition holds, else 0."""
    if isinstance(condition, (And, Or)):
        masks = [_evaluate(part, table, now_ms) for part in condition.parts]
        join = operator.and_ if isinstance(condition, And) else operator.or_
        joined = int.from_bytes(masks[0], "little")
        for mask in masks[1:]:
            joined = join(joined, int.from_bytes(mask, "little"))
        return joined.to_bytes(table.count, "little")
    if isinstance(condition, Not):
        return _evaluate(condition.part, table, now_ms).translate(b"\1\0" + bytes(254))
    operand = resolve(condition.operand, table, condition.text)
    check_metric(operand, table, condition.text)
    if isinstance(condition, Comparison):
        holds = _claim(operand, condition)
        if operand.kind == "datasets":  # of which one has to fulfil it
            lists = table.column(operand.kind, operand.key)
            return bytes(table.count) if lists is None else bytes([any(map(holds, each or ())) for each in lists])
        values = values_of(operand, table, now_ms)
        return bytes(table.count) if values is None else bytes(_holding(holds, values))
    values = values_of(operand, table, now_ms)
    if values is None:
        return bytes(table.count)
    if isinstance(condition, Nan):
        numbers = list(map(to_number, values))
        return bytes(map(operator.ne, numbers, numbers))
    assert isinstance(condition, Present)
    return bytes([value is not None for value in values])


def _holding(holds: Callable[[Any], bool], values: Sequence[Any]) -> Iterable[bool]:
    if isinstance(holds, _Compared):  # the usual cases, at a fifth and at half of the cost
        types, compare, other = set(map(type, values)), holds.compare, holds.other
        if types <= holds.plain:
            return map(compare, values, repeat(other))
        if types - {type(None)} <= holds.plain:
            return [value is not None and compare(value, other) for value in values]
    return map(holds, values)


class _Compared:
    """Tells whether a value that is there is as a comparison says.

    Attributes:
        compare: How it is compared.
        other: What with.
        plain: The types of values that are compared as they are.
    """

    def __init__(self, sign: str, other: Any, convert: Callable[[Any], Any], plain: Set[type]) -> None:
        """Take the comparison, and what makes of a value what is compared; None: it is none of these."""
        self.compare: Callable[[Any, Any], bool] = _COMPARE[sign]
        self.other = other
        self.plain = plain
        self._convert = convert

    def __call__(self, value: Any) -> bool:
        """Return whether one is."""
        if value is None:
            return False
        found = self._convert(value)
        return self.compare is operator.ne if found is None else self.compare(found, self.other)


def _claim(operand: Operand, condition: Comparison) -> Callable[[Any], bool]:
    """Return what tells of one value whether the comparison holds."""
    if condition.sign == "IN":
        return _claim_of_list(operand, condition)
    word = condition.values[0]
    if operand.kind == "metrics" or (operand.kind == "attributes" and operand.key in _TIMES | _DURATIONS):
        return _claim_of_numbers(condition, _number(operand, condition, word))
    text = unquote(word.text) if word.kind == "quoted" else word.text
    if condition.sign in ("LIKE", "ILIKE"):
        is_case_kept = condition.sign == "LIKE"
        if text.count("_") > _MOST_BLANKS and "%" in text:  # the time is that of their number times the text's length
            raise unclear(condition.text, word.position, "at most %d _ beside %%" % _MOST_BLANKS, repr(word.text))
        return lambda value: value is not None and is_like(to_text(value), text, is_case_kept=is_case_kept)
    text = _unquoted(operand, word)
    is_ordering = condition.sign in _ORDERING
    if word.kind == "number" or (is_ordering and _is_infinite(word)):
        return _Compared(condition.sign, _literal(condition, word), to_number, {int, float})
    if is_ordering and word.kind != "quoted":
        expected = "a number, or a text in quotes, which is compared letter by letter"
        raise unclear(condition.text, word.position, expected, repr(word.text))
    if word.kind == "name" and text in _TRUTHS:
        return _Compared(condition.sign, text, _to_truth, set())
    return _Compared(condition.sign, text, to_text, {str})


def _unquoted(operand: Operand, word: Word) -> str:
    """Return the text of a value; without quotes a status and a truth may be written in small or capital letters."""
    if word.kind != "name":
        return unquote(word.text)
    if (operand.kind, operand.key) == ("attributes", "status"):
        return word.text.upper()
    return word.text.lower() if word.text.lower() in _TRUTHS else word.text


def _claim_of_list(operand: Operand, condition: Comparison) -> Callable[[Any], bool]:
    """Return what tells whether a value is one of a list: one look into a set, however long the list is."""
    if not _is_text(operand):
        wanted = frozenset(_number(operand, condition, word) for word in condition.values)
        return lambda value: value is not None and value in wanted
    texts = frozenset(_unquoted(operand, word) for word in condition.values if word.kind != "number")
    truths = frozenset(_unquoted(operand, word) for word in condition.values if word.kind == "name") & _TRUTHS
    numbers = frozenset(_literal(condition, word) for word in condition.values if word.kind == "number")
    if not numbers and not truths:
        return lambda value: value is not None and to_text(value) in texts
    return lambda value: value is not None and (
        to_number(value) in numbers or to_text(value) in texts or _to_truth(value) in truths
    )


def _is_infinite(word: Word) -> bool:
    return word.kind == "name" and word.text.lower() in _INFINITE


def _literal(condition: Comparison, word: Word) -> Any:
    """Return the number that a word of the filter is.

    Raises:
        QueryError: It has too many digits.
    """
    number = to_number(word.text)
    if number is None:
        expected = "a number of at most %d characters" % _LONGEST_NUMBER
        raise unclear(condition.text, word.position, expected, repr(word.text))
    return number


def _claim_of_numbers(condition: Comparison, number: Any) -> Callable[[Any], bool]:
    if condition.sign in ("LIKE", "ILIKE"):
        raise _of_numbers(condition, condition.values[0])
    return _Compared(condition.sign, number, to_number, {int, float})


def _is_text(operand: Operand) -> bool:
    return operand.kind in ("params", "tags", "datasets") or (operand.kind == "attributes" and operand.key in TEXTS)


def _number(operand: Operand, condition: Comparison, word: Word) -> Any:
    """Return the number that a metric, a time or a length of time is compared with.

    Raises:
        QueryError: It is none.
    """
    number: Any = None
    if operand.kind == "metrics":
        number = to_number(word.text) if word.kind == "number" or _is_infinite(word) else None
    elif operand.key in _TIMES:
        number = times.parse_moment(unquote(word.text))
        if number is None and word.kind == "number":
            number = to_number(word.text)
    elif word.kind != "name":
        number = times.parse_duration(unquote(word.text))
        if number is None:
            number = to_number(unquote(word.text))
    if number is None:
        raise _of_numbers(condition, word)
    return number


def _of_numbers(condition: Comparison, word: Word) -> Exception:
    key = _OTHER_NAMES.get(condition.operand.key, condition.operand.key)
    expected = "a number, as %s is one, and = != < <= > >=; or IS NAN" % condition.operand.key
    if condition.operand.kind != "metrics" and key in _TIMES:
        expected = "a date such as '2026-11-01' or '2026-11-01 14:30', or milliseconds since 1970"
    elif condition.operand.kind != "metrics" and key in _DURATIONS:
        expected = "a length of time such as 30m, 2h or 3d, or seconds"
    return unclear(condition.text, word.position, expected, repr(word.text))


def _unknown(operand: Operand, table: Any, text: str) -> Exception:
    if operand.function is not None:
        there, what = list(table.keys("metrics")), "a metric that a run has"
    elif operand.kind == "attributes":
        there, what = list(ATTRIBUTES), "an attribute of runs"
    elif operand.kind == "datasets":
        there, what = list(DATASETS), "name, digest or context of data sets"
    else:
        keys = [key for kind in ("params", "metrics", "tags") for key in table.keys(kind)]
        there = [*ATTRIBUTES, *keys]
        what = "an attribute, or a metric, param or tag that a run has"
    near = near_names(operand.key, there[:100000])
    advice = "Did you mean %s?" % " or ".join(near) if near else ""
    if not near and operand.kind is None:
        told = [key for key in keys if not key.startswith("mlflow.")]
        more = " and %d more" % (len(told) - _MOST_TOLD) if len(told) > _MOST_TOLD else ""
        advice = "There are %s%s." % (", ".join(told[:_MOST_TOLD]), more) if told else ""
    return unclear(text, operand.position, what, repr(operand.key), advice)
