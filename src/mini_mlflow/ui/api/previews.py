"""How is a file shown beside its run: as text, as a table, as an image of a known size, or not at all?

Pure: the beginning of a file in, plain data out. Images are told by their first bytes and never decoded.
"""

from __future__ import annotations

import csv
import io
import json
import struct

from . import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

MOST_ROWS = 200
MOST_COLUMNS = 50
_MOST_CELL = 1000  # characters
MOST_PIXELS = 40_000_000  # of an image that a browser is asked to decode
_LONGEST_LINE = 20000  # characters of a line that is shown whole
_TABLES = {".csv": ",", ".tsv": "\t"}
_IMAGES = {
    b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF87a": "image/gif", b"GIF89a": "image/gif",
}  # fmt: skip


def preview(name: str, data: bytes, *, is_cut: bool, head: bytes) -> Dict[str, Any]:
    """Return what of a file can be shown.

    Args:
        name: Its name.
        data: Its beginning.
        is_cut: Whether there is more.
        head: As much of the beginning as tells the size of an image.
    """
    kind = image_type(head)
    if kind is not None:
        return _image(kind, head)
    if not is_text(data):
        return {"kind": "none", "reason": "This is no text and no image that a browser shows. Download it."}
    text = data.decode("utf-8", "replace")
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    if ending in _TABLES:
        return _table(text, _TABLES[ending], is_cut=is_cut)
    if ending == ".json" and not is_cut:
        table = _json_table(text)
        if table is not None:
            return table
    return {"kind": "text", "text": _cut_lines(text), "is_cut": is_cut}


def image_type(head: bytes) -> Optional[str]:
    """Return the type of an image by its first bytes, None where it is none that browsers show safely."""
    for sign, kind in _IMAGES.items():
        if head.startswith(sign):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return None


def image_size(head: bytes) -> Optional[Tuple[int, int]]:
    """Return the width and height that an image's header tells, None where it tells none."""
    kind = image_type(head)
    try:
        if kind == "image/png":
            width, height = struct.unpack(">II", head[16:24])
            return width, height
        if kind == "image/gif":
            width, height = struct.unpack("<HH", head[6:10])
            return width, height
        if kind == "image/jpeg":
            return _jpeg_size(head)
        if kind == "image/webp":
            return _webp_size(head)
    except (struct.error, IndexError):
        pass
    return None


def is_text(data: bytes) -> bool:
    """Tell whether bytes look like a text in UTF-8: no NUL, and few that are none."""
    if b"\0" in data:
        return False
    text = data.decode("utf-8", "replace")
    return text.count("\ufffd") <= len(text) // 100 + 1


def is_showable(head: bytes) -> bool:
    """Tell whether an image's header promises no more pixels than a browser should be asked to decode."""
    size = image_size(head)
    return size is not None and 0 < size[0] * size[1] <= MOST_PIXELS


def _image(kind: str, head: bytes) -> Dict[str, Any]:
    size = image_size(head)
    if size is None:
        return {"kind": "none", "reason": "The header of this image is damaged. Download it."}
    if not is_showable(head):
        reason = "This image has %d × %d pixels, too many to show here. Download it." % size
        return {"kind": "none", "reason": reason, "width": size[0], "height": size[1]}
    return {"kind": "image", "type": kind, "width": size[0], "height": size[1]}


def _table(text: str, separator: str, *, is_cut: bool) -> Dict[str, Any]:
    rows: List[List[str]] = []
    if is_cut:
        text = text[: text.rfind("\n") + 1] or text
    try:
        for row in csv.reader(io.StringIO(text.replace("\0", "")), delimiter=separator):
            if len(rows) > MOST_ROWS:
                break
            rows.append([cell[:_MOST_CELL] for cell in row[:MOST_COLUMNS]])
    except csv.Error:
        return {"kind": "text", "text": _cut_lines(text), "is_cut": is_cut}
    if not rows:
        return {"kind": "text", "text": "", "is_cut": is_cut}
    width = max(map(len, rows))
    rows = [row + [""] * (width - len(row)) for row in rows]
    has_more = is_cut or len(rows) > MOST_ROWS
    return {"kind": "table", "columns": rows[0], "rows": rows[1 : MOST_ROWS + 1], "is_cut": has_more}


def _json_table(text: str) -> Optional[Dict[str, Any]]:
    """Return a table logged as JSON (``{"columns": [...], "data": [[...]]}``), None where it is something else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    columns, data = (found.get("columns"), found.get("data")) if isinstance(found, dict) else (None, None)
    if not isinstance(columns, list) or not isinstance(data, list) or not all(isinstance(row, list) for row in data):
        return None
    shown = [[_cell(value) for value in row[:MOST_COLUMNS]] for row in data[:MOST_ROWS]]
    names = [str(_cell(name)) for name in columns[:MOST_COLUMNS]]
    return {"kind": "table", "columns": names, "rows": shown, "is_cut": len(data) > MOST_ROWS}


def _cell(value: Any) -> Any:
    shown = plain.value(value)
    return shown[:_MOST_CELL] if isinstance(shown, str) else shown


def _cut_lines(text: str) -> str:
    """Return a text whose lines are no longer than a browser lays out at once."""
    if len(text) <= _LONGEST_LINE:
        return text
    lines = text.split("\n")
    return "\n".join(line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + "…" for line in lines)


def _jpeg_size(head: bytes) -> Optional[Tuple[int, int]]:
    place = 2
    while place + 9 < len(head):
        if head[place] != 0xFF:
            return None
        marker = head[place + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", head[place + 5 : place + 9])
            return width, height
        if marker == 0xFF or 0xD0 <= marker <= 0xD9:
            place += 1 if marker == 0xFF else 2
            continue
        place += 2 + struct.unpack(">H", head[place + 2 : place + 4])[0]
    return None


def _webp_size(head: bytes) -> Optional[Tuple[int, int]]:
    form = head[12:16]
    if form == b"VP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if form == b"VP8L":
        (bits,) = struct.unpack("<I", head[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if form == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    return None
