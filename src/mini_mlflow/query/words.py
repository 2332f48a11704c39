"""Of which words does a filter consist, and where does each stand?"""

from __future__ import annotations

import re
from collections import namedtuple

from ..errors import QueryError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

MAX_LENGTH = 100000  # characters
_SHOWN = 60  # characters of a long filter that a message shows around the place
_WORD = r"""(?x)
    (?P<blank>\s+)
  | (?P<quoted>'[^']*'|"[^"]*")
  | (?P<number>[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)(?![\w./:-])
  | (?P<duration>[0-9]+(?:\.[0-9]+)?(?:ms|s|m|min|h|d|w))(?![\w./:-])
  | (?P<sign><=|>=|!=|<>|==|=|<|>)
  | (?P<mark>[(),])
  | (?P<name>(?:\w+\.)?`[^`]*`|\w+\."[^"]*"|[\w./:+-]+)
"""


class Word(namedtuple("Word", ["kind", "text", "position"])):
    """One word of a filter.

    Attributes:
        kind: ``quoted``, ``number``, ``duration``, ``sign``, ``mark``, ``name`` or ``end``.
        text: As it stands there.
        position: Where it begins, in characters from 0.
    """

    __slots__ = ()

    kind: str
    text: str
    position: int


def iter_words(text: str) -> Iterator[Word]:
    """Yield the words of a filter, and at last one of the kind ``end``.

    Raises:
        QueryError: It is too long, or something in it is no word.
    """
    if len(text) > MAX_LENGTH:
        raise unclear(text, MAX_LENGTH, "at most %d characters" % MAX_LENGTH, "%d of them" % len(text))
    match = re.compile(_WORD).match
    place = 0
    while place < len(text):
        found = match(text, place)
        if found is None:
            is_open = text[place] in "'\"`"
            expected = "a %s that closes this one" % text[place] if is_open else "a name, a value or a comparison"
            raise unclear(text, place, expected, repr(text[place : place + 20]))
        if found.lastgroup != "blank":
            yield Word(str(found.lastgroup), found.group(), place)
        place = found.end()
    yield Word("end", "", len(text))


def unclear(text: str, position: int, expected: str, found: str, advice: str = "") -> QueryError:
    """Return the error that points at a place of a filter.

    Args:
        text: The filter.
        position: The place.
        expected: What could stand there.
        found: What does.
        advice: What else helps.
    """
    start = max(0, position - _SHOWN // 2)
    part = text[start : start + _SHOWN]
    shown = "".join(letter if letter.isprintable() else " " for letter in part)
    if start:
        shown = "…" + shown
    pointer = " " * (position - start + (1 if start else 0)) + "^"
    message = "Expected %s, found %.100s.%s\n  %s\n  %s" % (
        expected,
        found,
        " " + advice if advice else "",
        shown,
        pointer,
    )
    return QueryError(message, text=text, position=position, expected=expected)
