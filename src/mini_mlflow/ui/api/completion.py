"""How may a filter go on where the caret stands, what is wrong with it, and how many runs does it mean?"""

from __future__ import annotations

from math import isnan

from ...errors import QueryError, near_names
from ...keys import STATUSES
from ...query.conditions import ATTRIBUTES, find_rows, to_number, to_text
from ...query.grammar import FUNCTIONS, parse_filter
from ...query.words import iter_words
from . import choices, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

MOST_ITEMS = 50
_MOST_VALUES = 1000
_SHORT = 40  # characters of values that are named
_MOST_READ = 2000  # characters of a filter that are completed
_SIGNS = ("=", "!=", "<", "<=", ">", ">=", "LIKE", "ILIKE", "IN", "IS NULL", "IS NOT NULL", "IS NAN", "IS NOT NAN")
_JOINS = ("and", "or")
_VALUES = {"status": STATUSES, "lifecycle_stage": ("active", "deleted")}
_EXAMPLES = {"age": "3d", "duration": "2h"}


def complete(table: Any, text: str, caret: int, now_ms: int) -> Dict[str, Any]:
    """Return the answer of ``api/complete``.

    Args:
        table: The runs.
        text: The filter as it stands.
        caret: Where the caret is, in characters.
        now_ms: The clock.
    """
    start, kind, key = _state(text[:caret])
    end = _end_of_word(text, max(start, caret))
    typed = text[start:caret].lower().strip("'\"")
    items = _items(table, kind, key, typed)
    error, matched = None, None
    try:
        matched = len(find_rows(parse_filter(text), table, now_ms))
    except QueryError as found:
        error = describe_error(found, table)
    return {
        "from": units(text, start),
        "to": units(text, end),
        "kind": kind,
        "items": items[:MOST_ITEMS],
        "error": error,
        "matched": matched,
        "total": table.count,
    }


def describe_error(error: QueryError, table: Any = None) -> Dict[str, Any]:
    """Return what is wrong with a filter or an order; positions as JavaScript counts."""
    text, position = error.value if isinstance(error.value, str) else "", error.position
    told: Dict[str, Any] = {
        "code": "query",
        "message": str(error).split("\n", 1)[0][:2000],
        "expected": error.expected,
        "position": None if position is None else units(text, position),
        "text": text,
        "where": getattr(error, "where", "filter"),
        "near": [],
    }
    if table is not None and position is not None:
        word = next((each for each in _words(text[position:]) if each.kind in ("name", "quoted")), None)
        if word is not None:
            names = [key for kind in ("metrics", "params", "tags") for key in table.keys(kind)[:_MOST_VALUES]]
            bare = (
                word.text.split(".", 1)[-1] if word.text.split(".")[0] in ("metrics", "params", "tags") else word.text
            )
            told["near"] = near_names(bare.strip("'\"`"), names + list(ATTRIBUTES))
    return told


def units(text: str, position: int) -> int:
    """Return a position in the units of UTF-16, which JavaScript counts."""
    return position + sum(letter > "\uffff" for letter in text[:position])


def from_units(text: str, position: int) -> int:
    """Return the position that so many units of UTF-16 come to."""
    seen = 0
    for place, letter in enumerate(text):
        if seen >= position:
            return place
        seen += 2 if letter > "\uffff" else 1
    return len(text)


def _words(text: str) -> List[Any]:
    """Return the words of a text as far as they can be told; the last one may be open."""
    found: List[Any] = []
    try:
        found.extend(iter_words(text[-_MOST_READ:]))  # those before the fault are there
    except QueryError:
        pass
    return [word for word in found if word.kind != "end"]


def _state(text: str) -> Tuple[int, str, Optional[str]]:
    """Return where the word at the end of a text begins, what may stand there, and of which key it is a value."""
    base = max(0, len(text) - _MOST_READ)
    words = _words(text)
    place = base + words[-1].position + len(words[-1].text) if words else base
    rest = text[place:]
    if rest.strip():  # a quote that is open, or a sign that is half there
        start = place + len(rest) - len(rest.lstrip())
    elif words and not rest and words[-1].kind not in ("mark", "sign"):
        start = base + words[-1].position
        words = words[:-1]
    else:
        start = len(text)
    kind, key = _expected(words)
    return start, kind, key


def _expected(words: Sequence[Any]) -> Tuple[str, Optional[str]]:
    """Return what may follow some words: ``key``, ``sign``, ``value`` or ``join``."""
    kind, key = "key", None
    for word in words:
        small = word.text.lower()
        if kind == "key":
            is_prelude = small in ("not", "(", ",") or (small in FUNCTIONS and word.kind == "name")
            if not is_prelude and word.kind in ("name", "quoted"):
                kind, key = "sign", word.text
        elif kind == "sign":
            is_sign = word.kind == "sign" or small in ("like", "ilike", "in")
            kind = "value" if is_sign else "join" if small in ("null", "nan") else "sign"
        elif kind == "value":
            if small not in ("(", ","):
                kind = "join"
        elif small in ("and", "or"):
            kind, key = "key", None
        elif small == ",":
            kind = "value"
    return kind, key


def _items(table: Any, kind: str, key: Optional[str], typed: str) -> List[Dict[str, str]]:
    if kind == "key":
        return _keys(table, typed)
    if kind == "sign":
        return [{"text": sign, "detail": ""} for sign in _SIGNS if sign.lower().startswith(typed)]
    if kind == "join":
        return [{"text": word, "detail": ""} for word in _JOINS if word.startswith(typed)]
    return _values(table, key or "", typed)


def _keys(table: Any, typed: str) -> List[Dict[str, str]]:
    """Return the keys that begin with what is typed, then those that hold it."""
    found = []
    before: Set[str] = set()  # what a bare key means, where kinds share it
    for kind in ("metrics", "params", "tags"):
        keys = table.keys(kind)
        for key in keys:
            if kind == "tags" and not choices.is_own_tag(key):
                continue
            name = choices.name_of(kind, key)
            short = name.split(".", 1)[1]
            is_clear = (
                short == key
                and key not in before
                and key not in ATTRIBUTES
                and key.split(".")[0] not in ("metrics", "params", "tags")
            )
            shown = short if is_clear else name
            if typed in shown.lower() or typed in name.lower():
                found.append((not shown.lower().startswith(typed), kind, shown, key))
        before.update(keys)
    found += [(not name.startswith(typed), "run", name, name) for name in (*ATTRIBUTES, "name") if typed in name]
    found.sort(key=lambda each: (each[0], ("metrics", "params", "tags", "run").index(each[1])))
    return [
        {"text": shown, "detail": "run" if kind == "run" else _detail(table, kind, key)}
        for _, kind, shown, key in found[:MOST_ITEMS]
    ]


def _detail(table: Any, kind: str, key: str) -> str:
    column = [value for value in table.column(kind, key) or () if value is not None]
    what = {"metrics": "metric", "params": "param", "tags": "tag"}[kind]
    texts = list(dict.fromkeys(map(plain.text, column[:_MOST_VALUES])))
    if len(texts) == 1 and kind != "metrics":
        runs = "all runs" if len(column) == table.count else _counted(len(column), "run")
        return "%s · %s in %s" % (what, _short(texts[0]), runs)
    numbers = [number for number in map(to_number, column) if number is not None and not isnan(number)]
    if numbers and len(numbers) == len(column):
        least, most = plain.to_float(min(numbers)), plain.to_float(max(numbers))
        return "%s · %.4g to %.4g" % (what, least or 0.0, most or 0.0)
    named = ", ".join(map(_short, sorted(texts)))
    told = "%s · %s" % (what, _counted(len(texts), "value"))
    return "%s: %s" % (told, named) if 0 < len(named) <= _SHORT else told


def _counted(count: int, what: str) -> str:
    return "%d %s%s" % (count, what, "" if count == 1 else "s")


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def _values(table: Any, key: str, typed: str) -> List[Dict[str, str]]:
    bare = key.split(".", 1)[-1] if key.split(".", maxsplit=1)[0] in ("attributes", "attribute", "attr", "run") else key
    if bare in _EXAMPLES:
        return [{"text": _EXAMPLES[bare], "detail": "a span of time: s, min, h, d, w"}]
    found: Dict[str, int] = {}
    for kind, name in _places(bare):
        column = table.column(kind, name)
        for value in () if column is None or kind == "metrics" else column:  # nobody types a value of a metric
            if value is not None and len(found) < _MOST_VALUES:
                text = _quoted(value)
                found[text] = found.get(text, 0) + 1
        if column is not None:
            break
    for text in _VALUES.get(bare, ()):
        found.setdefault("'%s'" % text, 0)
    matching = [text for text in found if typed in text.lower()]
    matching.sort(key=lambda text: (-found[text], text))
    return [{"text": text, "detail": _counted(found[text], "run")} for text in matching]


def _places(key: str) -> List[Tuple[str, str]]:
    names = {"name": "run_name"}
    before, _, rest = key.partition(".")
    if before in ("params", "tags"):
        return [(before, rest.strip("\"`'"))]
    bare = key.strip("\"`'")
    if bare in ATTRIBUTES or bare in names:
        return [("attributes", names.get(bare, bare))]
    return [("metrics", bare), ("params", bare), ("tags", bare)]  # the first that there is, as in filters


def _quoted(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and not isnan(value):
        return plain.text(value)
    text = to_text(value)
    return "'%s'" % text if "'" not in text else '"%s"' % text.replace('"', "")


def _end_of_word(text: str, place: int) -> int:
    while place < len(text) and (text[place].isalnum() or text[place] in "_./:+-"):
        place += 1
    return place
