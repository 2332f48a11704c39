"""What does a meta.yaml look like, and how is one read that we did not write?

One ``key: <JSON value>`` per line (rules Y1 to Y4 of docs/format.md): YAML that every parser reads alike.
"""

from __future__ import annotations

import json
import re
from time import gmtime, strftime

from ..errors import BrokenFileError, UnsupportedFormatError
from ..layout import FORMAT_VERSION
from .documents import MAX_DIGITS, bounded_int, broken, encode_json, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

MAX_META_BYTES = 1024 * 1024
_MAX_FOREIGN_BYTES = 64 * 1024  # PyYAML takes a second for as much without its C parser
_MAX_DEPTH = 50
_MAX_NODES = 10000
_FIRST = b"format: "  # how ours begin
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
_QUOTED_KEY = r'("(?:[^"\\]|\\.)*"): (.*)'
_YAML_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])
_ESCAPED = "[\x7f-\x9f\u2028\u2029\ufeff\ufff9-\ufffb\ufffe\uffff]"
_SURROGATES = "[\ud800-\udfff]"
_YAML_FLOAT = r"-?[0-9]+\.[0-9]+(?:[eE][+-][0-9]+)?"
_EXPONENT_WITHOUT_DOT = r"-?[0-9]+e[+-]?[0-9]+"


def encode(fields: Dict[str, Any]) -> bytes:
    """Return the text of a meta.yaml; values are what JSON has, in the order given (rules Y1 and Y2)."""
    lines = ["%s: %s\n" % (_encode_name(key), _encode_value(value)) for key, value in fields.items()]
    return "".join(lines).encode("utf-8")


def storable(text: str) -> str:
    """Return *text* as a meta.yaml holds it: no YAML file can hold a lone surrogate (rule Y2)."""
    return re.sub(_SURROGATES, "\ufffd", text)


def read_meta(path: str) -> Dict[str, Any]:
    """Return the fields of a meta.yaml, ours or any other YAML mapping (rule Y4).

    Raises:
        FileNotFoundError: There is none.
        BrokenFileError: It cannot be read, is no mapping, too large or too deep.
    """
    return decode(read(path, MAX_META_BYTES), path)


def decode(data: bytes, path: str) -> Dict[str, Any]:
    """Return the fields that the text of a meta.yaml holds.

    Raises:
        BrokenFileError: As ``read_meta``.
    """
    fields: Dict[str, Any] = {}
    is_cut = not data.endswith(b"\n")
    if is_cut and not (data.startswith(_FIRST) or _FIRST.startswith(data)):
        return _decode_foreign(data, path)
    try:
        for line in data.decode("utf-8").rstrip("\n").split("\n"):
            key, colon, value = line.partition(": ")
            if line[:1] == '"':
                match = re.fullmatch(_QUOTED_KEY, line)
                if match is None:
                    raise ValueError(line)
                key, value = json.loads(match.group(1)), match.group(2)
            elif not colon or not key.isidentifier():
                raise ValueError(line)
            if key in fields:
                raise broken(path, "the field %r stands there twice" % key)
            fields[key] = _decode_value(value)
    except (ValueError, RecursionError) as error:
        if isinstance(error, BrokenFileError):
            raise
        if is_cut:  # YAML would take what is left of null or of a text for a text
            raise broken(path, "it is cut short") from error
        return _decode_foreign(data, path)
    return fields


def generation_of(fields: Dict[str, Any]) -> int:
    """Return the generation that a run's meta.yaml gives, 0 where it gives none (rule W6)."""
    generation = fields.get("generation")
    return generation if type(generation) is int else 0


def check_format(fields: Dict[str, Any], path: str) -> None:
    """Refuse what a newer version wrote (rule S5).

    Raises:
        UnsupportedFormatError: It did.
    """
    found = fields.get("format", 0)
    if type(found) is not int or not 0 <= found <= FORMAT_VERSION:
        message = (
            "%s is in format %.40r, this version of mini-mlflow reads up to %d. Update: pip install -U mini-mlflow."
        )
        raise UnsupportedFormatError(message % (path, found, FORMAT_VERSION), path=path, found=found)


def encode_time(microseconds: int) -> str:
    """Return a time since 1970 as meta.yaml has it: ISO 8601 in UTC with microseconds and ``Z`` (rule Y3)."""
    seconds, fraction = divmod(microseconds, 1000000)
    return "%s.%06dZ" % (strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds)), fraction)


def decode_time(text: Any) -> Optional[int]:
    """Return a time in that form as whole milliseconds since 1970, None for anything else."""
    if not is_time(text):
        return None
    from calendar import timegm  # costs a millisecond, and only those who ask for times as numbers need it

    parts = [int(part) for part in re.split("[-T:.Z]", text)[:7]]
    return timegm((*parts[:6], 0, 0, 0)) * 1000 + parts[6] // 1000


def is_time(text: Any) -> bool:
    """Tell whether *text* is a time in that form; such texts sort by time."""
    return isinstance(text, str) and bool(re.fullmatch(_TIME, text))


def _encode_name(key: str) -> str:
    if key.isascii() and key.isidentifier() and key.islower() and key[0] != "_" and key not in _YAML_WORDS:
        return key
    return _encode_value(key)


def _encode_value(value: Any) -> str:
    if value is None:
        return "null"
    if type(value) is str and value.isascii() and value.isprintable() and '"' not in value and "\\" not in value:
        return '"%s"' % value  # what nearly all of them are
    if isinstance(value, dict):
        return "{%s}" % ", ".join(
            "%s: %s" % (_encode_value(str(key)), _encode_value(item)) for key, item in value.items()
        )
    if isinstance(value, (list, tuple)):
        return "[%s]" % ", ".join(_encode_value(item) for item in value)
    if isinstance(value, str):
        value = storable(value)
    text = encode_json(value)
    if isinstance(value, float) and re.fullmatch(_EXPONENT_WITHOUT_DOT, text):
        mantissa, exponent = text.split("e")
        return "%s.0e%s" % (mantissa, exponent)  # YAML 1.1 takes 1e+22 for text
    return re.sub(_ESCAPED, lambda match: "\\u%04x" % ord(match.group()), text)


def _decode_foreign(data: bytes, path: str) -> Dict[str, Any]:
    """Read a mapping written or edited by others, through PyYAML: bounded before it parses, and before it builds."""
    import yaml  # costs 20 ms, and our own files never need it

    if len(data) > _MAX_FOREIGN_BYTES:
        raise broken(path, "it is not in our own form, and has more than %d bytes" % _MAX_FOREIGN_BYTES)
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


def _no_constant(name: str) -> Any:
    """Refuse a bare NaN as a hook of ``json``: to YAML it is a text, so a real parser has to judge."""
    raise ValueError("YAML takes %s for text" % name)


def _dotted_float(text: str) -> float:
    """Read a float as a hook of ``json``; what YAML 1.1 takes for text, such as 1e5, a real parser has to judge."""
    if not re.fullmatch(_YAML_FLOAT, text):
        raise ValueError("YAML takes %s for text" % text[:100])
    return float(text)


_decode_value = json.JSONDecoder(parse_int=bounded_int, parse_float=_dotted_float, parse_constant=_no_constant).decode
