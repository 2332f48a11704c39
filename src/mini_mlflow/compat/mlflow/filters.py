"""What does a filter or an order of MLflow's search mean? Text in, conditions out; nothing is looked up here.

MLflow's grammar: comparisons joined by AND. Metrics and times are compared with numbers, all else with quoted text.
"""

from __future__ import annotations

import re
from collections import namedtuple

from ...query.grammar import KINDS
from ...query.likeness import is_like
from .exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, FrozenSet, List, Optional, Sequence, Tuple

_TOKEN = (
    re.VERBOSE,
    r"""
    (?P<blank>\s+)
  | (?P<text>'[^']*'|"[^"]*")
  | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
  | (?P<sign><=|>=|!=|<>|=|<|>)
  | (?P<mark>[(),])
  | (?P<name>(?:[\w-]+\.)?(?:`[^`]*`|"[^"]*"|[\w./-]+))
""",
)
_NUMBER_SIGNS = frozenset([">", ">=", "<", "<=", "=", "!="])
_TEXT_SIGNS = frozenset(["=", "!=", "LIKE", "ILIKE"])
MAX_LENGTH = 100000


class Names(namedtuple("Names", ["kinds", "numbers", "texts"])):
    """What may be asked for.

    Attributes:
        kinds: What a name may begin with: ``metrics``, ``params``, ``tags``, ``attributes``.
        numbers: Attributes that are numbers.
        texts: Attributes that are text.
    """

    __slots__ = ()

    kinds: FrozenSet[str]
    numbers: FrozenSet[str]
    texts: FrozenSet[str]


RUNS = Names(
    frozenset(["metrics", "params", "tags", "attributes"]),
    frozenset(["start_time", "end_time", "created"]),
    frozenset(["status", "run_name", "run_id", "artifact_uri", "user_id"]),
)
EXPERIMENTS = Names(
    frozenset(["tags", "attributes"]),
    frozenset(["creation_time", "last_update_time"]),
    frozenset(["name", "experiment_id"]),
)


class Condition(namedtuple("Condition", ["kind", "key", "sign", "value"])):
    """One comparison.

    Attributes:
        kind: ``metrics``, ``params``, ``tags`` or ``attributes``.
        key: The name below it.
        sign: A comparison, ``LIKE``, ``ILIKE``, ``IN``, ``NOT IN``, ``IS NULL`` or ``IS NOT NULL``.
        value: A number, a text, or for IN a tuple of texts.
    """

    __slots__ = ()

    kind: str
    key: str
    sign: str
    value: Any

    def holds(self, found: Any) -> bool:
        """Tell whether it is true of a value; None stands for one that is missing, of which no comparison is."""
        if self.sign in ("IS NULL", "IS NOT NULL"):
            return (found is None) == (self.sign == "IS NULL")
        if found is None:
            return False
        if self.sign in ("LIKE", "ILIKE"):
            return is_like(str(found), self.value, is_case_kept=self.sign == "LIKE")
        if self.sign in ("IN", "NOT IN"):
            return (found in self.value) == (self.sign == "IN")
        if self.sign in ("=", "!="):
            return bool(found == self.value) == (self.sign == "=")
        if self.sign in (">", ">="):
            return bool(found > self.value or (self.sign == ">=" and found == self.value))
        return bool(found < self.value or (self.sign == "<=" and found == self.value))


class Order(namedtuple("Order", ["kind", "key", "is_ascending"])):
    """What to sort by, and whether upwards."""

    __slots__ = ()

    kind: str
    key: str
    is_ascending: bool


def parse_filter(text: Optional[str], names: Names) -> List[Condition]:
    """Return the conditions of a filter; none for an empty one.

    Raises:
        MlflowException: It is not in the grammar.
    """
    if text is None or text == "":
        return []
    if not isinstance(text, str):
        raise invalid("A filter is text, got %s." % type(text).__name__)
    tokens = _tokens(text)
    conditions, place = [], 0
    while True:
        condition, place = _parse_condition(tokens, place, names, text)
        conditions.append(condition)
        if place == len(tokens):
            return conditions
        if tokens[place] != ("name", "AND") and tokens[place][1].upper() != "AND":
            raise _unclear(text, "conditions are joined by AND, found %r" % tokens[place][1])
        place += 1


def parse_order(orders: Optional[Sequence[str]], names: Names) -> List[Order]:
    """Return what to sort by, first things first.

    Raises:
        MlflowException: One is not in the grammar.
    """
    if isinstance(orders, str):
        raise invalid("order_by must be a list such as [%r]." % orders)
    found = []
    for text in orders or []:
        tokens = _tokens(text)
        direction = tokens[-1][1].upper() if len(tokens) == 2 else "ASC"
        if len(tokens) not in (1, 2) or direction not in ("ASC", "DESC") or tokens[0][0] not in ("name", "text"):
            raise _unclear(text, "an order is a name, then ASC or DESC")
        kind, key = _split(tokens[0][1], names, text)
        found.append(Order(kind, key, direction == "ASC"))
    return found


def _tokens(text: str) -> List[Tuple[str, str]]:
    if len(text) > MAX_LENGTH:
        raise invalid("The filter has %d characters, %d are allowed." % (len(text), MAX_LENGTH))
    tokens, place = [], 0
    while place < len(text):
        found = re.compile(_TOKEN[1], _TOKEN[0]).match(text, place)
        if found is None:
            raise _unclear(text, "cannot be read from %r on" % text[place : place + 20])
        if found.lastgroup != "blank":
            tokens.append((str(found.lastgroup), found.group()))
        place = found.end()
    if not tokens:
        raise _unclear(text, "it is blank")
    return tokens


def _parse_condition(tokens: List[Tuple[str, str]], place: int, names: Names, text: str) -> Tuple[Condition, int]:
    """Return the condition that begins at a token, and the place behind it."""
    words = [word for _, word in tokens[place : place + 4]] + [""] * 4
    if place >= len(tokens) or tokens[place][0] not in ("name", "text"):
        raise _unclear(text, "a condition begins with a name such as metrics.loss")
    kind, key = _split(words[0], names, text)
    upper = [word.upper() for word in words]
    is_number = kind == "metrics" or (kind == "attributes" and key in names.numbers)
    if upper[1] == "IS" and kind in ("params", "tags"):
        is_null = upper[2] == "NULL"
        if not is_null and upper[2:4] != ["NOT", "NULL"]:
            raise _unclear(text, "IS is followed by NULL or NOT NULL")
        return Condition(kind, key, "IS NULL" if is_null else "IS NOT NULL", None), place + (3 if is_null else 4)
    if upper[1] == "IN" or upper[1:3] == ["NOT", "IN"]:
        if (kind, key) != ("attributes", "run_id"):
            raise _unclear(text, "IN is for attributes.run_id alone")
        behind = place + (2 if upper[1] == "IN" else 3)
        values, behind = _parse_list(tokens, behind, text)
        return Condition(kind, key, "IN" if upper[1] == "IN" else "NOT IN", values), behind
    sign = {"<>": "!="}.get(words[1], upper[1])
    if sign not in (_NUMBER_SIGNS if is_number else _TEXT_SIGNS):
        raise _unclear(text, "%s.%s cannot be compared by %r" % (kind, key, words[1]))
    what, word = tokens[place + 2] if place + 2 < len(tokens) else ("", "nothing")
    if what != ("number" if is_number else "text"):
        wanted = "a number" if is_number else "quoted text"
        raise _unclear(text, "%s.%s is compared with %s, found %s" % (kind, key, wanted, word))
    return Condition(kind, key, sign, float(word) if is_number else word[1:-1]), place + 3


def _parse_list(tokens: List[Tuple[str, str]], place: int, text: str) -> Tuple[Tuple[str, ...], int]:
    """Return the texts between two parentheses, and the place behind them."""
    values: List[str] = []
    if tokens[place : place + 1] == [("mark", "(")]:
        while place + 2 < len(tokens) and tokens[place + 1][0] == "text":
            values.append(tokens[place + 1][1][1:-1])
            place += 2
            if tokens[place] == ("mark", ")"):
                return tuple(values), place + 1
            if tokens[place] != ("mark", ","):
                break
    raise _unclear(text, "IN is followed by quoted texts in parentheses, such as ('a', 'b')")


def _split(word: str, names: Names, text: str) -> Tuple[str, str]:
    """Return what a name means: its kind, and the key below it without its quotes."""
    before, dot, rest = word.partition(".")
    kind = KINDS.get(before) if dot else None
    key = rest
    if kind is None:
        kind, key = "attributes", word
    if key[:1] in ("`", '"') and key[-1:] == key[:1] and len(key) > 1:
        key = key[1:-1]
    if kind not in names.kinds or (kind == "attributes" and key not in names.numbers | names.texts):
        legal = ", ".join(
            sorted([*(each + ".KEY" for each in names.kinds - {"attributes"}), *names.numbers, *names.texts])
        )
        raise _unclear(text, "%r is no name. There are: %s" % (word, legal))
    return kind, key


def _unclear(text: str, why: str) -> Exception:
    return invalid("Invalid filter or order %.200r: %s." % (text, why))
