"""How is a meta.yaml read that others wrote or edited?

Rule Y4 of docs/format.md.
"""

from __future__ import annotations

import re

from ..errors import BrokenFileError
from .documents import MAX_DIGITS, broken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

_MAX_BYTES = 64 * 1024  # PyYAML takes a second for as much without its C parser
_MAX_DEPTH = 50
_MAX_NODES = 10000


def decode(data: bytes, path: str) -> Dict[str, Any]:
    """Return the fields of a mapping in YAML, through PyYAML: bounded before it parses, and before it builds.

    Raises:
        BrokenFileError: It cannot be read, is no mapping, too large or too deep.
    """
    import yaml  # costs 20 ms, and our own files never need it

    if len(data) > _MAX_BYTES:
        raise broken(path, "it is not in our own form, and has more than %d bytes" % _MAX_BYTES)
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise broken(path, "it is not UTF-8 text") from error
    if _depth_bound(text) > _MAX_DEPTH:
        raise broken(path, "it is nested more than %d deep" % _MAX_DEPTH)
    try:
        parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        try:
            node = parser.get_single_node()
            if node is None:
                raise broken(path, "it is empty")
            _check_size(node, [_MAX_NODES], 0, path)
            fields = parser.construct_document(node)
        finally:
            parser.dispose()
    # PyYAML's constructors let plain errors through for values such as 2026-99-99 or !!int "".
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, RecursionError, OverflowError) as error:
        if isinstance(error, BrokenFileError):
            raise
        raise broken(path, "it is not valid YAML: %s" % " ".join(str(error).split())[:200]) from error
    if not isinstance(fields, dict):
        raise broken(path, "it is no mapping of fields")
    return {str(key): _as_json(value) for key, value in fields.items()}


def _depth_bound(text: str) -> int:
    """Return an upper bound of the nesting of a YAML text, found without parsing it."""
    flow = deepest = 0
    for match in re.finditer(r"[\[{\]}]", text):
        flow += 1 if match.group() in "[{" else -1 if flow else 0
        deepest = max(deepest, flow)
    block = 0
    opened: List[int] = []  # where each level begins; a sequence may stand in the column of the mapping that holds it
    for line in text.splitlines():
        start = len(line) - len(line.lstrip(" "))
        if not line[start:].strip():
            continue
        levels = []
        while re.match(r"[-?:](?:[ \t]|$)", line[start : start + 2]):
            levels.append(2 * start + (line[start] == "-"))
            if len(levels) > _MAX_DEPTH:
                return len(levels)  # a line of dashes alone may be a megabyte long
            start += 1 + len(line[start + 1 :]) - len(line[start + 1 :].lstrip(" \t"))
        if start < len(line):
            levels.append(2 * start)
        while opened and opened[-1] >= levels[0]:
            opened.pop()
        opened += levels
        block = max(block, len(opened))
    return deepest + block


def _check_size(node: Any, budget: List[int], depth: int, path: str) -> None:
    """Refuse a parsed YAML text whose values would be too many or too deep; shared nodes count each time they show."""
    budget[0] -= 1
    if budget[0] < 0:
        raise broken(path, "its aliases expand to more than %d values" % _MAX_NODES)
    if depth > _MAX_DEPTH:
        raise broken(path, "it is nested more than %d deep" % _MAX_DEPTH)
    if node.id == "scalar":
        if len(node.value) > MAX_DIGITS and node.tag.endswith((":int", ":float")):
            raise broken(path, "it has a number of more than %d digits" % MAX_DIGITS)
        return
    for child in node.value:
        for each in child if node.id == "mapping" else (child,):
            _check_size(each, budget, depth + 1, path)


def _as_json(value: Any) -> Any:
    """Turn what YAML has into what JSON has."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, dict):
        return {str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_json(item) for item in value]
    if isinstance(value, set):
        return sorted(map(str, value))
    if hasattr(value, "isoformat"):
        text = str(value.isoformat())
        return text.replace("+00:00", "Z")
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)
