"""How are the rows of a list written for programs, as TSV or CSV?"""

from __future__ import annotations

from .. import separated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Sequence

    from .screen import Screen


def write_rows(heading: Sequence[str], rows: Sequence[Sequence[Any]], form: str, screen: Screen) -> None:
    """Write rows as TSV or CSV, the heading first."""
    line = separated.csv_line if form == "csv" else separated.tsv_line
    end = "\r\n" if form == "csv" else "\n"
    parts = [line(heading) + end]
    for place, row in enumerate(rows, 1):
        parts.append(line(row) + end)
        if place % 1000 == 0:
            screen.write(_writable("".join(parts), screen))
            parts = []
    screen.write(_writable("".join(parts), screen))


def _writable(text: str, screen: Screen) -> str:
    """Return a text that the stream can hold; half characters of file names become question marks."""
    return text.encode(screen.encoding, "backslashreplace").decode(screen.encoding)
