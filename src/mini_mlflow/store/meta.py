"""What does a meta.yaml look like?

One ``key: <JSON value>`` per line (rules Y1 to Y4 of docs/format.md): YAML that every parser reads alike.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

from ..errors import BrokenFileError, UnsupportedFormatError
from ..layout import FORMAT_VERSION
from .documents import bounded_int, broken, encode_json, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Tuple, Type, Union

MAX_META_BYTES = 1024 * 1024
_SHORT = 200  # characters
_TEXTS = {str}
_FIRST = b"format: "  # how ours begin
_QUOTED_KEY = r'("(?:[^"\\]|\\.)*"): (.*)'
_YAML_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])
_ESCAPED = "[\x7f-\x9f\u2028\u2029\ufeff\ufff9-\ufffb\ufffe\uffff]"
_SURROGATES = "[\ud800-\udfff]"
_YAML_FLOAT = r"-?[0-9]+\.[0-9]+(?:[eE][+-][0-9]+)?"
_EXPONENT_WITHOUT_DOT = r"-?[0-9]+e[+-]?[0-9]+"


def encode(fields: Dict[str, Any]) -> bytes:
    """Return the text of a meta.yaml; values are what JSON has, in the order given (rules Y1 and Y2)."""
    return "".join([_encode_line(key, value) for key, value in fields.items()]).encode("utf-8")


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
        return _decode_other(data, path)
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
        return _decode_other(data, path)
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


def _encode_line(key: str, value: Any) -> str:
    """Return one field's line; what the runs of a process have in common is encoded once."""
    kind = type(value)
    if value is None or kind is int or (kind is str and len(value) <= _SHORT):
        return _encode_short(key, value)
    if kind is list and set(map(type, value)) == _TEXTS:
        return _encode_texts(key, list, tuple(value))
    if kind is dict and set(map(type, value)) | set(map(type, value.values())) == _TEXTS:
        return _encode_texts(key, dict, tuple(value.items()))
    return "%s: %s\n" % (_encode_name(key), _encode_value(value))


@lru_cache(maxsize=256)
def _encode_short(key: str, value: Union[str, int, None]) -> str:
    return "%s: %s\n" % (_encode_name(key), _encode_value(value))


@lru_cache(maxsize=8)
def _encode_texts(key: str, kind: Type[Any], texts: Tuple[Any, ...]) -> str:
    return "%s: %s\n" % (_encode_name(key), _encode_value(kind(texts)))


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


def _decode_value(value: str) -> Any:
    """Return a field's value; nearly all are null or a text without escapes, read at a fifth of the cost."""
    if value == "null":
        return None
    text = value[1:-1]
    if value == '"%s"' % text and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return _decode_json(value)


def _decode_other(data: bytes, path: str) -> Dict[str, Any]:
    from . import foreign_meta  # our own files never need it

    return foreign_meta.decode(data, path)


def _no_constant(name: str) -> Any:
    """Refuse a bare NaN as a hook of ``json``: to YAML it is a text, so a real parser has to judge."""
    raise ValueError("YAML takes %s for text" % name)


def _dotted_float(text: str) -> float:
    """Read a float as a hook of ``json``; what YAML 1.1 takes for text, such as 1e5, a real parser has to judge."""
    if not re.fullmatch(_YAML_FLOAT, text):
        raise ValueError("YAML takes %s for text" % text[:100])
    return float(text)


_decode_json = json.JSONDecoder(parse_int=bounded_int, parse_float=_dotted_float, parse_constant=_no_constant).decode
