"""What does a request say? Fields of a JSON body, each of the kind and within the limits that are asked for."""

from __future__ import annotations

import json

from ...errors import InvalidValueError, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence

MAX_BODY_BYTES = 1 << 20
MAX_ROWS = 2000
MAX_SERIES = 2000
MAX_COLUMNS = 200
_LONGEST_WHOLE = 25  # digits


class Body:
    """The object that a request carries."""

    def __init__(self, fields: Any) -> None:
        """Take the fields.

        Raises:
            InvalidValueError: This is no object.
        """
        if not isinstance(fields, dict):
            raise InvalidValueError("The body must be a JSON object, got %s." % shown(fields), value=None)
        self._fields: Dict[str, Any] = fields

    def has(self, name: str) -> bool:
        """Tell whether a field is there, and not null."""
        return self._fields.get(name) is not None

    def text(self, name: str, default: Optional[str] = None, *, longest: int = 100000) -> str:
        """Return a text.

        Raises:
            InvalidValueError: It is none, too long, or missing without a default.
        """
        found = self._fields.get(name)
        if found is None and default is not None:
            return default
        if not isinstance(found, str):
            raise _wrong(name, "text", found)
        if len(found) > longest:
            raise _wrong(name, "text of at most %d characters" % longest, found)
        return found

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """Return a whole number.

        Raises:
            InvalidValueError: It is none, or out of its range.
        """
        found = self._fields.get(name)
        if found is None:
            return default
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            raise _wrong(name, "a whole number from %d to %d" % (least, most), found)
        return found

    def number(self, name: str) -> float:
        """Return a finite number.

        Raises:
            InvalidValueError: It is none.
        """
        return _number(name, self._fields.get(name))

    def range(self, name: str) -> Any:
        """Return the least and the greatest of a range, None where there is none.

        Raises:
            InvalidValueError: It is no range.
        """
        found = self._fields.get(name)
        if found is None:
            return None
        if not isinstance(found, list) or len(found) != 2:
            raise _wrong(name, "two numbers", found)
        low, high = (_number(name, each) for each in found)
        if not low < high:
            raise _wrong(name, "two numbers, the lesser one first", found)
        return low, high

    def is_text(self, name: str, text: str) -> bool:
        """Tell whether a field is this text."""
        return bool(self._fields.get(name) == text)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return true or false; *default* where it is missing.

        Raises:
            InvalidValueError: It is neither.
        """
        found = self._fields.get(name, default)
        if not isinstance(found, bool):
            raise _wrong(name, "true or false", found)
        return found

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """Return one of some words, the first where it is missing.

        Raises:
            InvalidValueError: It is none of them.
        """
        found = self._fields.get(name, choices[0])
        if found not in choices:
            raise _wrong(name, "one of %s" % ", ".join(choices), found)
        return str(found)

    def texts(self, name: str, *, most: int = MAX_ROWS) -> Optional[List[str]]:
        """Return a list of texts, None where there is none.

        Raises:
            InvalidValueError: It is none, or too long.
        """
        found = self._fields.get(name)
        if found is None:
            return None
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found) or len(found) > most:
            raise _wrong(name, "a list of at most %d texts" % most, found)
        return found

    def get_texts(self, name: str, *, most: int = MAX_ROWS) -> List[str]:
        """Return a list of one text or more.

        Raises:
            InvalidValueError: It is none, empty, or too long.
        """
        found = self.texts(name, most=most)
        if not found:
            raise _wrong(name, "a list of at least one text", found)
        return found

    def mapping(self, name: str, *, most: int = 1000) -> Dict[str, Any]:
        """Return an object, an empty one where there is none.

        Raises:
            InvalidValueError: It is none, or too large.
        """
        found = self._fields.get(name)
        if found is None:
            return {}
        if not isinstance(found, dict) or len(found) > most:
            raise _wrong(name, "an object of at most %d fields" % most, found)
        return found

    def body(self, name: str) -> Optional[Body]:
        """Return an object as a body of its own, None where there is none.

        Raises:
            InvalidValueError: It is none.
        """
        found = self._fields.get(name)
        if found is None:
            return None
        if not isinstance(found, dict):
            raise _wrong(name, "an object", found)
        return Body(found)

    def list(self, name: str, *, most: int) -> Optional[List[Any]]:
        """Return a list of anything, None where there is none.

        Raises:
            InvalidValueError: It is none, or too long.
        """
        found = self._fields.get(name)
        if found is None:
            return None
        if not isinstance(found, list) or len(found) > most:
            raise _wrong(name, "a list of at most %d" % most, found)
        return found


def decode(data: bytes) -> Body:
    """Return the object that the bytes of a request hold.

    Raises:
        InvalidValueError: They hold none, or one too deep.
    """
    try:
        return Body(json.loads(data.decode("utf-8"), parse_int=_to_whole))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        if isinstance(error, InvalidValueError):
            raise
        raise InvalidValueError("The body is no JSON in UTF-8.", value=None) from error


def _to_whole(digits: str) -> int:
    """Return the number that digits mean; Python before 3.11 takes minutes for a million of them."""
    if len(digits) > _LONGEST_WHOLE:
        raise ValueError("a whole number of %d digits" % len(digits))
    return int(digits)


def _number(name: str, found: Any) -> float:
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not abs(found) < 1e308:
        raise _wrong(name, "a finite number", found)
    return float(found)


def _wrong(name: str, expected: str, found: Any) -> InvalidValueError:
    what = "nothing" if found is None else shown(found)
    return InvalidValueError("%s must be %s, got %s." % (name, expected, what), key=name, value=None)
