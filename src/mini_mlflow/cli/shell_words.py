"""Which words does a line of a shell consist of, and how is a word written so that the shell takes it for that word?

Nothing is expanded: ``$(…)``, ``$x`` and backquotes are letters like any others.
"""

from __future__ import annotations

import re
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Tuple

_SAFE = re.compile(r"[A-Za-z0-9_./:=@%+,-]")
_END_OF_COMMAND = re.compile(r"[;|&\n(){}<>]")
_IN_DOUBLE = '\\$`"'


class Typed(namedtuple("Typed", ["words", "quote", "raw", "start"])):
    """What was typed up to the cursor.

    Attributes:
        words: The words, without their quotes; the last is the one at the cursor, perhaps empty.
        quote: The quote that is open at the cursor: ``'``, ``"`` or nothing.
        raw: The last word as it was typed, quotes included.
        start: Where in *raw* the open quote ended, 0 without one.
    """

    __slots__ = ()

    words: List[str]
    quote: str
    raw: str
    start: int


def split(line: str) -> Typed:
    """Return the words of the last command of a line, as bash reads them."""
    words: List[str] = []
    word, raw, quote, start = "", "", "", 0
    is_begun = is_escaped = False
    for letter in line:
        raw += letter
        if is_escaped:
            if quote == '"' and letter not in _IN_DOUBLE:
                word += "\\"
            word += letter
            is_escaped = False
        elif letter == "\\" and quote != "'":
            is_escaped = is_begun = True
        elif quote:
            if letter == quote:
                quote, start = "", 0
            else:
                word += letter
        elif letter in "'\"":
            quote, is_begun, start = letter, True, len(raw)
        elif letter.isspace() or _END_OF_COMMAND.match(letter):
            if is_begun:
                words.append(word)
            if not letter.isspace():
                words = []
            word, raw, is_begun = "", "", False
        else:
            word += letter
            is_begun = True
    return Typed([*words, word], quote, raw, start)


def unquote(raw: str) -> str:
    """Return what one word means that was typed with quotes and backslashes, the last quote perhaps open."""
    return split(raw).words[-1]


def cut_at_break(typed: Typed, breaks: str) -> str:
    """Return the part of the last word that readline leaves alone: it replaces what follows the last break.

    Args:
        typed: What was typed.
        breaks: ``COMP_WORDBREAKS``: letters at which bash takes a word apart, among them ``:`` and ``=``.
    """
    if typed.quote:
        return unquote(typed.raw[: typed.start])  # within quotes nothing is taken apart
    raw, kept, is_escaped, quote = typed.raw, 0, False, ""
    for place, letter in enumerate(raw, 1):
        if is_escaped:
            is_escaped = False
        elif letter == "\\" and quote != "'":
            is_escaped = True
        elif quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in breaks and not letter.isspace():
            kept = place
    return unquote(raw[:kept])


def quote_for_bash(word: str, quote: str = "") -> str:
    """Return a word as it is to be typed in bash, so that it is that word and nothing else.

    Args:
        word: Without control characters.
        quote: The quote that is open where it is typed, which is closed behind it.
    """
    if quote == "'":
        return word.replace("'", "'\\''")
    if quote == '"':
        # A backslash before ! stays where it is, and the bare one is history: it goes into quotes of its own.
        return "".join("\"'!'\"" if each == "!" else "\\" + each if each in _IN_DOUBLE else each for each in word)
    return "".join(each if _SAFE.match(each) or not each.isascii() else "\\" + each for each in word)


def split_list(word: str) -> Tuple[str, str]:
    """Return the finished part of a list such as ``lr,val.acc``, up to its last comma, and the rest."""
    head, comma, rest = word.rpartition(",")
    return head + comma, rest
