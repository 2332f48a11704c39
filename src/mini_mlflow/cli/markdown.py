"""How do tables look as Markdown, in a comment on GitHub or a report?

The form is that of GitHub (github.github.com/gfm, Tables). Texts of users show as they are, whatever they hold: what
could mean anything there stands in a code span.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Sequence

    from .beside import Section
    from .screen import Screen
    from .tables import Column

_LETTER = r"[^\W_]"
_PLAIN = r"(?:%s|[ .,:/()=+%%±≈×≠↑↓✓✗●■?!…·–−^-]|(?<=%s)_(?=%s)|(?<!\S)~(?=x?$| ))*" % (_LETTER, _LETTER, _LETTER)
_LINKED = re.compile(  # links, emoji, issues and commits, as GitHub finds them in any text
    r"://|www\.|:[a-z0-9_+-]+:|\bgh-[0-9]|(?<![\w.])[0-9a-f]{7,40}(?![\w.])", re.IGNORECASE
)
_ASCII_SIGN = re.compile(r"[!-/:-@[-`{-~]")


def text(value: str) -> str:
    """Return a clean text as what shows it."""
    if value == "#" or (re.fullmatch(_PLAIN, value) and not _LINKED.search(value)):
        return value
    if "\\|" in value:  # which no code span in a table can hold everywhere
        return _ASCII_SIGN.sub(lambda found: "&#%d;" % ord(found.group()), value)
    fence = "`" * (1 + max(map(len, re.findall("`*", value))))
    room = " " if value[0] == "`" or value[-1] == "`" else ""
    return fence + room + value.replace("|", "\\|") + room + fence


def table(columns: Sequence[Column]) -> List[str]:
    """Return columns as a table: cells as on the screen, but nothing is cut or left out, and the best are bold."""
    lines = [_line([text(each.title.strip() or each.key) for each in columns])]
    lines.append(_line(["---:" if each.is_right else "---" for each in columns]))
    rows = range(len(columns[0].cells))
    return lines + [_line([_cell(each.cells[row], _is_best(each, row)) for each in columns]) for row in rows]


def sections(names: Sequence[str], parts: Sequence[Section], extra: str) -> List[str]:
    """Return parts of a page as one table: rows of a key and a cell for each name, below their titles.

    Args:
        names: What stands above the cells.
        parts: What is told of them; a row may have a cell more than there are names.
        extra: What stands above that one, empty for none.
    """
    heading = ["", *map(text, names), *([text(extra)] if extra else [])]
    lines = [_line(heading), _line(["---"] * len(heading))]
    for part in parts:
        if part.title and part.rows:
            lines.append(_line(["**%s**" % " ".join(part.title.split()), *[""] * (len(heading) - 1)]))
        for number, row in enumerate(part.rows):
            best = part.best_of(number)
            cells = [text(row[0]), *(_cell(cell, place == best) for place, cell in enumerate(row[1:]))]
            lines.append(_line((cells + [""] * len(heading))[: len(heading)]))
    return lines


def paragraph(items: Sequence[str], screen: Screen) -> List[str]:
    """Return clean texts as a line below a table, nothing without any."""
    return ["", screen.own(" · ").join(map(text, items))] if items else []


def _is_best(column: Column, row: int) -> bool:
    return column.roles is not None and column.roles[row] == "best"


def _cell(cell: str, is_best: bool) -> str:  # noqa: FBT001
    shown = re.sub(" +", " ", cell.strip())
    if not is_best:
        return text(shown)
    return "**%s**" % text(re.sub(r" \*(?=[×x]?$)", " ", shown).strip())


def _line(cells: Sequence[str]) -> str:
    return "| %s |" % " | ".join(cells)
