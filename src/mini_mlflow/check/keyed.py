"""Are the params, metrics and tags of one writer as they should be, and named so that every disk keeps them apart?

Rules D1 to D4, K2 to K6 and S1 of docs/format.md, F1 for what 0.1.0 wrote.
"""

from __future__ import annotations

import json
import os

from .. import layout
from ..errors import BrokenFileError
from ..keys import is_windows_device
from ..store import documents, mending
from ..store.names import KINDS
from .findings import COLLISION, ERROR, WARNING
from .leftovers import check_leftovers
from .metrics import check_metric

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

    from .findings import Faults

_INT64 = range(2**63)


def check_kinds(folder: str, now: float, faults: Faults, *, is_format_0: bool, is_living: bool) -> None:
    """Look at all that one writer has recorded.

    Args:
        folder: The writer's share of a run.
        now: The time, in seconds since 1970.
        faults: Gets what is wrong.
        is_format_0: Whether 0.1.0 has written it.
        is_living: Whether somebody writes it now, so that the ends of its metrics change.
    """
    for kind in KINDS:
        inside = os.path.join(folder, kind)
        names = list_names(inside, faults)
        if names is None:
            continue
        if not is_living and any(map(mending.is_leftover, names)):
            check_leftovers(inside, now, faults)
        there: List[Tuple[str, str, Optional[str]]] = []
        for name in names:
            stem = layout.stem_of(name)
            if stem is None:
                continue  # rule S4: it is nobody's document
            path = os.path.join(inside, name)
            if kind != layout.METRICS:
                there.append((stem, path, _check_document(path, faults, is_format_0=is_format_0)))
                continue
            faults.metric_files += 1
            if not is_living:
                there.append((stem, path, check_metric(path, faults, is_format_0=is_format_0)))
        _check_names(there, faults)


def list_names(folder: str, faults: Faults) -> Optional[List[str]]:
    """Return what lies in a folder of a store, sorted; None where there is none, or what is there is no folder."""
    try:
        if os.path.islink(folder):
            text = "is a link: what it leads to does not travel with the store"
            faults.add("S1", WARNING, folder, text)
        return sorted(os.listdir(folder))
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        faults.add("S1", ERROR, folder, "is no folder, so nothing can be read there or written")
    except OSError as error:
        faults.unreadable(folder, error)
    return None


def _check_document(path: str, faults: Faults, *, is_format_0: bool) -> Optional[str]:
    """Look at a param or tag; return its key, None where it does not say it or cannot be read."""
    try:
        data = documents.read(path)
        if mending.is_blank(data):
            text = "is empty" if not data else "holds nothing: %d bytes, all of them NUL or blank" % len(data)
            repair = "removes it: no value is in it"
            faults.add("D1", ERROR, path, text, repair, lambda: mending.remove_blank(path))
            return None
        document = documents.decode_json(data, path)
    except FileNotFoundError:
        return None  # replaced or removed at this moment
    except (OSError, BrokenFileError) as error:
        faults.unreadable(path, error, "D3")
        return None
    if not isinstance(document, dict) or "value" not in document:
        faults.add("D3", ERROR, path, "has no value")
        return None
    key = document.get("key")
    if is_format_0 and key is None:
        return None
    if not isinstance(key, str):
        faults.add("K6", ERROR, path, "does not say which key it holds, so its value is not read")
        return None
    _check_form(path, data, document, faults)
    return key


def _check_form(path: str, data: bytes, document: Dict[str, Any], faults: Faults) -> None:
    timestamp = document.get("timestamp")
    if type(timestamp) is not int or timestamp not in _INT64:
        text = "its timestamp is %.60s, no time in milliseconds: it counts as the oldest"
        faults.add("D3", WARNING, path, text % documents.encode_json(timestamp))
    if document.get("type") == "float" and document["value"] not in ("NaN", "Infinity", "-Infinity"):
        text = "says that it is a float which JSON lacks, but is %.60s"
        faults.add("D4", WARNING, path, text % documents.encode_json(document["value"]))
    if _has_bare_constant(data):
        text = "has a bare NaN or Infinity, which is no JSON: other programs cannot read it"
        repair = "writes it as a text with its type"
        faults.add("D4", ERROR, path, text, repair, lambda: mending.encode_anew(path))
    elif not data.endswith(b"\n"):
        repair = "adds the line break"
        faults.add("D3", WARNING, path, "does not end in a line break", repair, lambda: mending.encode_anew(path))


def _has_bare_constant(data: bytes) -> bool:
    if b"NaN" not in data and b"Infinity" not in data:
        return False
    found: List[str] = []
    json.loads(data.decode("utf-8-sig"), parse_constant=found.append)
    return bool(found)


def _check_names(there: List[Tuple[str, str, Optional[str]]], faults: Faults) -> None:
    """Look whether each file has the name that its key asks for, and whether all disks keep the names apart."""
    taken: Dict[str, str] = {}
    for stem, path, key in there:
        first = taken.setdefault(layout.fold(stem), stem)
        if key is not None and not layout.fits(stem, key):
            _tell_foreign_name(path, key, faults)
        elif first != stem:
            _tell_collision(path, first, key, faults)
        elif key is not None and stem != layout.plain_stem(key) and stem != layout.hashed_stem(key):
            text = "holds the key %.60r, which is looked up under another name: %s" % (key, _name_of(key))
            _tell_name(path, "K2", ERROR, text, _name_of(key), faults)


def _tell_foreign_name(path: str, key: str, faults: Faults) -> None:
    rule = "K6"
    if is_windows_device(key):
        rule = "K3"
    elif layout.plain_stem(key) == layout.hashed_stem(key):
        rule = "K4"
    text = "holds the key %.60r, whose file is called %s, so it is not read" % (key, _name_of(key))
    _tell_name(path, rule, ERROR, text, _name_of(key), faults)


def _tell_collision(path: str, first: str, key: Optional[str], faults: Faults) -> None:
    name = None if key is None else layout.file_name(layout.hashed_stem(key))
    _tell_name(path, "K5", WARNING, COLLISION % layout.file_name(first), name, faults)


def _tell_name(path: str, rule: str, level: str, text: str, name: Optional[str], faults: Faults) -> None:
    """Add a fault of a name, with the other name as its repair, where that is free."""
    target = "" if name is None else os.path.join(os.path.dirname(path), name)
    if name is None or (os.path.lexists(target) and not os.path.samefile(path, target)):
        faults.add(rule, level, path, text)
        return
    chosen = name
    faults.add(rule, level, path, text, "renames it to %s" % name, lambda: mending.rename(path, chosen))


def _name_of(key: str) -> str:
    return layout.file_name(layout.plain_stem(key))
