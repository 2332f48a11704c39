"""How is a word read that says a key and a value?"""

from __future__ import annotations

from .failures import USAGE, CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Tuple


def split_pair(text: str) -> Tuple[str, str]:
    """Return key and value of ``KEY=VALUE``; the value may hold anything, ``=`` too.

    Raises:
        CommandError: There is no ``=``, or nothing before it.
    """
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise CommandError("'%s' is no tag" % text, USAGE, lines=["a tag is KEY=VALUE"])
    return key, value
