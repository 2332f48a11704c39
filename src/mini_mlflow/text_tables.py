"""How does a small table look as text, for a prompt or a notebook?"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Sequence

_WIDEST = 60  # characters of a value


def render_table(rows: Sequence[Sequence[str]]) -> List[str]:
    """Return rows of texts as lines: columns to the left, two spaces between them."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in rows]


def render_value(value: Any) -> str:
    """Return a value on one line, short; a text as it is, where it can be shown and is no other value's text."""
    if isinstance(value, str):
        text = value if value.isprintable() and value else repr(value)
    elif isinstance(value, (list, dict)):
        text = json.dumps(value, ensure_ascii=False)
        text = text if text.isprintable() else repr(value)
    else:
        text = str(value)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
