"""Is the file of a metric as it should be?

Rules D1, K6 and M1 to M13 of docs/format.md, F1 for what 0.1.0 wrote.
"""

from __future__ import annotations

import re

from ..errors import BrokenFileError
from ..store import documents, mending, metric_file
from ..store.metric_text import MAX_HISTORY_BYTES
from .findings import ERROR, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional, Tuple

    from ..store.metric_file import History
    from .findings import Faults

# What somebody may still read in bytes that are no row of ours, such as [5, 1795425502982, "0.5 V"].
_LOOKS_LIKE_A_ROW = rb"\[[^\[\]]*\]"
_IN_EXACT_FORM = "writes it anew in the form of rule M1, with all of its rows"


def check_metric(path: str, faults: Faults, *, is_format_0: bool) -> Optional[str]:
    """Look at the file of a metric.

    Args:
        path: The file.
        faults: Gets what is wrong.
        is_format_0: Whether 0.1.0 has written the run.

    Returns:
        The metric's name; None where the file does not say it.
    """
    try:
        data = documents.read(path, MAX_HISTORY_BYTES)
        if mending.is_blank(data):
            text = "is empty" if not data else "holds nothing: %s bytes, all of them NUL or blank" % count(len(data))
            repair = "removes it: no row is in it"
            faults.add("D1", ERROR, path, text, repair, lambda: mending.remove_blank(path))
            return None
        history = metric_file.decode(data, path)
    except FileNotFoundError:
        return None  # removed at this moment
    except (OSError, BrokenFileError) as error:
        if isinstance(error, OSError) or not _tell_bad_rows(path, data_of(path), faults):
            faults.unreadable(path, error, "M1")
        return None
    if history.end:
        _check_ours(path, data, history, faults)
    elif is_format_0:
        _check_format_0(path, data, history, faults)
    elif history.key is None:
        faults.add("K6", ERROR, path, "does not say which key it holds, so its rows are not read")
    elif history.rows:
        text = "is read, but is not in the form of rule M1: it was edited, or another program wrote it"
        faults.add("M10", WARNING, path, text, _IN_EXACT_FORM, lambda: mending.close_metric(path))
    else:
        faults.add("M1", ERROR, path, "has no row")
    return str(history.key) if history.key is not None else None


def data_of(path: str) -> bytes:
    """Return the content of a file; none where it cannot be read."""
    try:
        return documents.read(path, MAX_HISTORY_BYTES)
    except (OSError, BrokenFileError):
        return b""


def count(number: int) -> str:
    """Return a number for people."""
    return f"{number:,}"


def _check_ours(path: str, data: bytes, history: History, faults: Faults) -> None:
    """Look at a file that begins as ours do."""
    if history.is_exact:
        _check_exact(path, data, history, faults)
        return
    try:
        document = documents.decode_json(data, path)
    except BrokenFileError:
        _check_torn(path, data, history, faults)
        return
    rows = mending.all_rows(data, history)
    if metric_file.checked_rows(document.get("history")) is None:
        _tell_bad_rows(path, data, faults)
    elif not rows:
        faults.add("M1", ERROR, path, "has no row")
    elif len(rows) > len(history.rows):
        text = "has %s rows, of which only %s are in the form of rule M1, and its end is not: the others are not read"
        facts = (count(len(rows)), count(len(history.rows)))
        faults.add("M10", ERROR, path, text % facts, _IN_EXACT_FORM, lambda: mending.close_metric(path))
    elif metric_file.match_ends(data)[1] is not None:
        newest: Any = metric_file.newest(rows)
        text = "its end repeats another row than the newest, that of step %d" % newest.step
        repair = "writes the end anew; the rows stay as they are"
        faults.add("M5", ERROR, path, text, repair, lambda: mending.close_metric(path))
    else:
        text = "is read, but its end is not in the form of rule M1"
        faults.add("M10", WARNING, path, text, _IN_EXACT_FORM, lambda: mending.close_metric(path))


def _check_exact(path: str, data: bytes, history: History, faults: Faults) -> None:
    in_form = metric_file.count_rows(data)
    if in_form != len(history.rows):
        text = "%s of its %s rows are not in the form of rule M1: who follows the run does not see them"
        facts = (count(len(history.rows) - in_form), count(len(history.rows)))
        faults.add("M1", WARNING, path, text % facts, _IN_EXACT_FORM, lambda: mending.close_metric(path))
    elif metric_file.crosses_page(data, history.end):
        text = "a row lies across a boundary of 4,096 bytes"
        repair = "writes the rows anew, each within its page"
        faults.add("M3", WARNING, path, text, repair, lambda: mending.close_metric(path))


def _check_torn(path: str, data: bytes, history: History, faults: Faults) -> None:
    """Tell what is between and behind the complete rows of a file that is no JSON."""
    kept = "keeps its %s" % rows_in_words(len(history.rows))
    gaps = metric_file.find_gaps(data)
    if not history.rows:
        faults.add("M8", ERROR, path, "has no complete row")
    elif not gaps:
        text = "has no end: a kill fell into the one write that crosses a page. All rows are read, but it is no JSON"
        repair = "%s and writes the end" % kept
        faults.add("M4", ERROR, path, text, repair, lambda: mending.close_metric(path))
    else:
        rule, text = _gap_in_words(data, gaps)
        if any(re.search(_LOOKS_LIKE_A_ROW, data[start:end]) for start, end in gaps):
            faults.add(rule, ERROR, path, text + ". They look like rows of another form: see yourself")
            return
        faults.add(rule, ERROR, path, text, "%s and leaves the rest out" % kept, lambda: mending.close_metric(path))


def rows_in_words(number: int) -> str:
    """Return how many rows, in words."""
    return "1 row" if number == 1 else "%s rows" % count(number)


def _gap_in_words(data: bytes, gaps: List[Tuple[int, int]]) -> Tuple[str, str]:
    """Return the rule that gaps between rows break, and a text about the first of them."""
    start, end = gaps[0]
    if start == end:
        return "M8", "a comma is missing between two rows at byte %s" % count(start)
    are_nul = all(not data[start:end].strip(b"\0 \n,") for start, end in gaps)
    text = "bytes %s to %s are %s" % (count(start), count(end - 1), "NUL: a power cut" if are_nul else "not a row")
    if len(gaps) > 1:
        text += ", and so are %d more places" % (len(gaps) - 1)
    return ("M9" if are_nul else "M8"), text


def _tell_bad_rows(path: str, data: bytes, faults: Faults) -> bool:
    """Tell of a JSON document whose history holds something else than rows; return whether it is one."""
    try:
        document = documents.decode_json(data, path)
        history = document.get("history") if isinstance(document, dict) else None
    except BrokenFileError:
        return False
    if not isinstance(history, list):
        return False
    bad = [(number, row) for number, row in enumerate(history, 1) if metric_file.checked_rows([row]) is None]
    if not bad:
        return False
    text = "row %s is %.60s, not [step, timestamp, value] with whole numbers of 64 bits and a number"
    if len(bad) > 1:
        text += "; %s are like this" % rows_in_words(len(bad))
    faults.add("M7", ERROR, path, text % (count(bad[0][0]), documents.encode_json(bad[0][1])))
    return True


def _check_format_0(path: str, data: bytes, history: History, faults: Faults) -> None:
    if history.key is not None:
        return  # written by another version, and read
    document: Any = documents.decode_json(data.rstrip(b"\0"), path)
    if isinstance(document, dict) and not history.rows[0].timestamp:
        text = "its timestamp is %.60s, no time" % documents.encode_json(document.get("timestamp"))
        faults.add("F1", WARNING, path, text)
