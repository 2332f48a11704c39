"""Which arguments of commands are not the same?

Pure, and without knowing what an argument means: an option is what begins with ``-`` and is no number, and the word
after it, which is none itself, is its value.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Sequence, Tuple

    Argument = Tuple[str, int]  # an option, or nothing for other words, and which of that name

_NUMBER = re.compile(r"-[0-9.]")


def list_differing(commands: Sequence[Sequence[str]]) -> List[List[Optional[str]]]:
    """Return the arguments that not all commands have: of each, in order, its text in every command or None.

    Args:
        commands: The words of each.

    Returns:
        An empty list where they differ in their order alone, or not at all.
    """
    found = [_arguments(words) for words in commands]
    names: Dict[Argument, None] = {}
    for each in found:
        names.update(dict.fromkeys(each))
    rows = [[each.get(name) for each in found] for name in names]
    return [row for row in rows if len(set(row)) > 1]


def _arguments(words: Sequence[str]) -> Dict[Argument, str]:
    found: Dict[Argument, str] = {}
    counts: Dict[str, int] = {}
    place = 0
    while place < len(words):
        word, name = words[place], ""
        if _is_option(word):
            name, equals, _ = word.partition("=")
            if not equals and place + 1 < len(words) and not _is_option(words[place + 1]):
                place += 1
                word += " " + words[place]
        counts[name] = counts.get(name, -1) + 1
        found[name, counts[name]] = word
        place += 1
    return found


def _is_option(word: str) -> bool:
    return word.startswith("-") and len(word) > 1 and not _NUMBER.match(word)
