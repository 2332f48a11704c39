"""What does a filter say? Text in, conditions out.

The grammar stands in docs/filters.md: MLflow's, and more.
"""

from __future__ import annotations

from collections import namedtuple

from ..errors import InvalidValueError, shown
from .words import Word, iter_words, unclear

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional, Tuple, Union

    Condition = Union["Comparison", "And", "Or", "Not"]

MAX_DEPTH = 50  # of parentheses and NOT in each other
MAX_COMPARISONS = 1000
KINDS = {
    "metric": "metrics", "metrics": "metrics", "param": "params", "params": "params", "parameter": "params",
    "parameters": "params", "tag": "tags", "tags": "tags", "attribute": "attributes", "attributes": "attributes",
    "attr": "attributes", "run": "attributes", "datasets": "datasets",
}  # fmt: skip
FUNCTIONS = ("min", "max", "mean", "first", "last", "count", "best_step")
_RESERVED = frozenset(["and", "or", "not", "in", "is", "null", "like", "ilike"])
_SIGNS = {"==": "=", "<>": "!="}


class Operand(namedtuple("Operand", ["function", "kind", "key", "position"])):
    """What is compared or sorted by.

    Attributes:
        function: Column of a metric's summary: ``min``, ``max``, ``mean``, ``first``, ``last``, ``count``,
            ``min_step`` or ``max_step``; None for the value itself.
        kind: ``metrics``, ``params``, ``tags``, ``attributes`` or ``datasets``; None where the filter leaves it out.
        key: The name.
        position: Where it stands in the filter.
    """

    __slots__ = ()

    function: Optional[str]
    kind: Optional[str]
    key: str
    position: int


class Comparison(namedtuple("Comparison", ["operand", "sign", "values", "text"])):
    """One comparison.

    Attributes:
        operand: What is compared.
        sign: ``= != < <= > >= LIKE ILIKE IN NULL``.
        values: The words that it is compared with.
        text: The filter, for messages.
    """

    __slots__ = ()

    operand: Operand
    sign: str
    values: Tuple[Word, ...]
    text: str


class And(namedtuple("And", ["parts"])):
    """All of these are true."""

    __slots__ = ()

    parts: Tuple[Any, ...]


class Or(namedtuple("Or", ["parts"])):
    """One of these is true."""

    __slots__ = ()

    parts: Tuple[Any, ...]


class Not(namedtuple("Not", ["part"])):
    """This is not true."""

    __slots__ = ()

    part: Any


class Present(namedtuple("Present", ["operand", "text"])):
    """The run has a value."""

    __slots__ = ()

    operand: Operand
    text: str


class Nan(namedtuple("Nan", ["operand", "text"])):
    """The run's value is NaN."""

    __slots__ = ()

    operand: Operand
    text: str


def parse_filter(text: Optional[str]) -> Any:
    """Return the condition that a filter states, None for a blank one.

    Raises:
        QueryError: It is not in the grammar.
        InvalidValueError: It is no text.
    """
    if text is not None and not isinstance(text, str):
        raise InvalidValueError("A filter is text, got %s." % shown(text), value=text)
    if text is None or not text.strip():
        return None
    parser = Parser(text)
    condition = parser.parse_or()
    parser.expect_end("AND, OR or the end")
    return condition


class Parser:
    """Reads one text from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._words = iter_words(text)
        self.word = next(self._words)
        self._depth = 0
        self._comparisons = 0

    def parse_or(self) -> Any:
        """Return what is joined by OR."""
        parts = [self._parse_and()]
        while self.take_name("or"):
            parts.append(self._parse_and())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def parse_operand(self) -> Operand:
        """Return a key, or a function of one."""
        word = self.word
        if word.kind not in ("name", "quoted") or word.text.lower() in _RESERVED:
            raise self.unclear("a name such as metrics.loss")
        self._next()
        if self.word.text == "(" and word.kind == "name":
            return self._parse_function(word)
        return _operand(word, None)

    def expect_end(self, expected: str) -> None:
        """Raise where something follows.

        Raises:
            QueryError: It does.
        """
        if self.word.kind != "end":
            raise self.unclear(expected)

    def take_name(self, name: str) -> bool:
        """Go past a word, in small or capital letters, if it stands here; tell whether it does."""
        if self.word.kind != "name" or self.word.text.lower() != name:
            return False
        self._next()
        return True

    def unclear(self, expected: str) -> Exception:
        """Return the error that points at the present word."""
        found = repr(self.word.text) if self.word.kind != "end" else "the end"
        return unclear(self.text, self.word.position, expected, found)

    def _parse_and(self) -> Any:
        parts = [self._parse_not()]
        while self.take_name("and"):
            parts.append(self._parse_not())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _parse_not(self) -> Any:
        if self.take_name("not"):
            self._descend()
            part = self._parse_not()
            self._depth -= 1
            return Not(part)
        if self.word.text == "(":
            self._descend()
            self._next()
            condition = self.parse_or()
            self._expect_mark(")", "AND, OR or )")
            self._depth -= 1
            return condition
        return self._parse_comparison()

    def _descend(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.unclear("at most %d parentheses and NOT in each other" % MAX_DEPTH)

    def _parse_comparison(self) -> Any:
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            raise self.unclear("at most %d comparisons" % MAX_COMPARISONS)
        operand = self.parse_operand()
        if self.take_name("is"):
            is_negated = self.take_name("not")
            present = Present(operand, self.text)
            if self.take_name("nan"):
                nan = Nan(operand, self.text)
                return And((present, Not(nan))) if is_negated else nan
            if not self.take_name("null"):
                raise self.unclear("NULL or NAN" if is_negated else "NULL, NAN, NOT NULL or NOT NAN")
            return present if is_negated else Not(present)
        if self.word.kind == "sign":
            sign = _SIGNS.get(self.word.text, self.word.text)
            self._next()
            return Comparison(operand, sign, (self._parse_value(),), self.text)
        is_negated = self.take_name("not")
        for name in ("like", "ilike"):
            if self.take_name(name):
                value = self._parse_value()
                condition = Comparison(operand, name.upper(), (value,), self.text)
                return And((Present(operand, self.text), Not(condition))) if is_negated else condition
        if self.take_name("in"):
            condition = Comparison(operand, "IN", self._parse_list(), self.text)
            return And((Present(operand, self.text), Not(condition))) if is_negated else condition
        raise self.unclear("LIKE, ILIKE or IN" if is_negated else "a comparison: = != < <= > >= LIKE ILIKE IN IS")

    def _parse_function(self, name: Word) -> Operand:
        function = name.text.lower()
        if function not in FUNCTIONS:
            raise unclear(self.text, name.position, "one of %s" % ", ".join(FUNCTIONS), repr(name.text))
        self._next()
        word = self.word
        if word.kind not in ("name", "quoted"):
            raise self.unclear("the name of a metric")
        self._next()
        operand = _operand(word, function)
        if operand.kind not in (None, "metrics"):
            raise unclear(self.text, word.position, "the name of a metric", repr(word.text))
        if function == "best_step":
            self._expect_mark(",", ", and min or max: which end is best")
            end = self.word.text.lower()
            if end not in ("min", "max"):
                raise self.unclear("min or max: which end is best")
            self._next()
            function = end + "_step"
        self._expect_mark(")", ")")
        return Operand(function, "metrics", operand.key, word.position)

    def _parse_list(self) -> Tuple[Word, ...]:
        self._expect_mark("(", "( and values")
        values: List[Word] = [self._parse_value()]
        while self.word.text == ",":
            self._next()
            values.append(self._parse_value())
        self._expect_mark(")", ", or )")
        return tuple(values)

    def _parse_value(self) -> Word:
        word = self.word
        if word.kind not in ("quoted", "number", "duration", "name") or word.text.lower() in _RESERVED:
            raise self.unclear("a number or a quoted text")
        self._next()
        return word

    def _expect_mark(self, mark: str, expected: str) -> None:
        if self.word.text != mark:
            raise self.unclear(expected)
        self._next()

    def _next(self) -> None:
        self.word = next(self._words)


def unquote(text: str) -> str:
    """Return a text without the quotes around it."""
    return text[1:-1] if len(text) > 1 and text[0] in "'\"`" and text[-1] == text[0] else text


def _operand(word: Word, function: Optional[str]) -> Operand:
    before, dot, rest = word.text.partition(".")
    kind = KINDS.get(before.lower()) if dot and word.kind == "name" else None
    return Operand(function, kind, unquote(rest if kind else word.text), word.position)
