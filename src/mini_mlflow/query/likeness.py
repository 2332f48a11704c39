"""Is a text like a pattern with ``%`` and ``_``?"""

from __future__ import annotations


def is_like(text: str, pattern: str, *, is_case_kept: bool) -> bool:
    """Tell whether a text is like a pattern in which ``%`` is anything and ``_`` is any one character.

    Piece by piece, each at its first place, so the time is that of one search for each, whatever the pattern.

    Args:
        text: The text.
        pattern: The pattern; it must be like all of the text.
        is_case_kept: Whether small and capital letters differ.
    """
    if not is_case_kept:
        text, pattern = text.lower(), pattern.lower()
    first, *middle = pattern.split("%")
    if not middle:
        return len(text) == len(first) and _is_at(text, first, 0)
    last = middle.pop()
    end = len(text) - len(last)
    if end < len(first) or not _is_at(text, first, 0) or not _is_at(text, last, end):
        return False
    place = len(first)
    for piece in middle:
        place = _find(text, piece, place, end)
        if place < 0:
            return False
        place += len(piece)
    return True


def _find(text: str, piece: str, start: int, end: int) -> int:
    """Return the first place at which a piece is, -1 where there is none."""
    if "_" not in piece:
        return text.find(piece, start, end)
    for place in range(start, end - len(piece) + 1):
        if _is_at(text, piece, place):
            return place
    return -1


def _is_at(text: str, piece: str, place: int) -> bool:
    if "_" not in piece:
        return text.startswith(piece, place)
    return all(sign in ("_", letter) for sign, letter in zip(piece, text[place : place + len(piece)]))
