"""What does a command that fails say, and with which exit code?"""

from __future__ import annotations

import os

from .. import errors
from ..layout import TEMPORARY
from . import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence

    from .screen import Screen

DONE = 0
NO = 1  # the answer is no: errors were found, some of several runs failed
USAGE = 2
NOT_FOUND = 3
AMBIGUOUS = 4
REFUSED = 5  # by the disk or the store
FAULT = 70  # of this program: sysexits.h calls it EX_SOFTWARE
INTERRUPTED = 130
CLOSED_PIPE = 141

_CODES = (  # the first that fits
    (errors.AmbiguousRunError, AMBIGUOUS),
    ((errors.RunNotFoundError, errors.ExperimentNotFoundError, errors.MetricNotFoundError), NOT_FOUND),
    (errors.ArtifactNotFoundError, NOT_FOUND),
    ((errors.UnsupportedFormatError, errors.BrokenFileError, errors.MissingPackageError), REFUSED),
    ((errors.ExperimentDeletedError, errors.RunExistsError, errors.ExperimentExistsError), REFUSED),
    ((errors.RunEndedError, errors.ActiveRunError, errors.NoActiveRunError), REFUSED),
    (errors.MiniMLflowError, USAGE),
    (OSError, REFUSED),
)
_MESSAGES_LINES = 40


class CommandError(Exception):
    """Raise where a command cannot do what was asked.

    Attributes:
        message: What failed, without ``error:`` before it; may hold texts of the users'.
        exit_code: The command's exit code.
        near: Names that come near one that is not there.
        lines: What else helps, one fact a line: what there is, what to do.
    """

    def __init__(self, message: str, exit_code: int, *, near: Sequence[str] = (), lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.near = list(near)
        self.lines = list(lines)


def not_found(what: str, name: str, where: str, there: Sequence[str], *, lines: Sequence[str] = ()) -> CommandError:
    """Return the error that something is not there, with the names that come near.

    Args:
        what: Such as ``run``.
        name: The name that was asked for.
        where: Such as ``mlruns``.
        there: The names that there are.
        lines: What to do.
    """
    near = errors.near_names(name, there)
    return CommandError("no %s '%s' in %s" % (what, name, where), NOT_FOUND, near=near, lines=lines)


def translate(error: Exception) -> CommandError:
    """Return what the command line says of an error of the library or of the system."""
    if isinstance(error, CommandError):
        return error
    code = next(code for kinds, code in _CODES if isinstance(error, kinds))
    if isinstance(error, errors.QueryError) and error.text is not None and error.position is not None:
        return _unreadable(error)
    if isinstance(error, OSError) and not isinstance(error, errors.MiniMLflowError):
        reason = error.strerror or str(error) or type(error).__name__
        path = error.filename if isinstance(error.filename, str) else None
        if path is not None and os.path.basename(path).startswith(TEMPORARY):
            path = os.path.dirname(path)  # where it was to be written; its own name means nothing to anybody
        if isinstance(error, NotADirectoryError):
            code = NOT_FOUND
        return CommandError("%s: %s" % (path, reason) if path else reason, code)
    first, *rest = str(error).split("\n")
    return CommandError(first, code, lines=rest)


def is_known(error: BaseException) -> bool:
    """Tell whether an error is one that ``translate`` has words for; others are faults of this program."""
    return isinstance(error, (CommandError, errors.MiniMLflowError, OSError))


def render(error: CommandError, screen: Screen) -> List[str]:
    """Return the lines that standard error gets."""
    encoding, width = screen.err_encoding, screen.err_width
    label = screen.styled_err("bad", "error:")
    message = texts.wrap("error: " + texts.clean(error.message, encoding), width, "  ")
    lines = [label + message[0][len("error:") :], *message[1:]]
    for line in error.lines:
        cleaned = texts.clean(line, encoding)
        if line[:1] == " ":  # drawn: a filter, what points at a place in it, a table
            lines.append(texts.clip("  " + cleaned[1:], width, screen.glyph("ellipsis")))
        else:
            lines.extend("  " + part for part in texts.wrap(cleaned, width - 2, "  "))
    if error.near:
        names = [texts.clean(name, encoding) for name in error.near]
        lines.extend("  " + part for part in texts.join_wrapped(["near:  " + names[0], *names[1:]], "   ", width - 2))
    return lines


def as_document(error: CommandError) -> Dict[str, Any]:
    """Return what ``--json`` says of an error."""
    return {
        "error": error.message, "exit_code": error.exit_code, "near": error.near,
        "lines": [line[1:] if line[:1] == " " else line for line in error.lines],
    }  # fmt: skip


def _unreadable(error: errors.QueryError) -> CommandError:
    """Return the error that a filter or an order cannot be read, which points at the place."""
    message, *_ = str(error).split("\n")
    text, position = str(error.text), int(error.position or 0)
    start = max(0, position - _MESSAGES_LINES)
    shown = text[start : start + 2 * _MESSAGES_LINES]
    before = texts.clean(text[start:position])
    lines = [" " + texts.clean(shown), " " + " " * texts.width_of(before) + "^"]
    reason = message[:1].lower() + message[1:]
    return CommandError("cannot read '%s': %s" % (text if len(text) < 30 else "the filter", reason), USAGE, lines=lines)


def closing_advice(names: Sequence[str], what: Optional[str] = None) -> List[str]:
    """Return a line that tells which names there are, at most twenty of them."""
    if not names:
        return []
    more = " and %d more" % (len(names) - 20) if len(names) > 20 else ""
    return ["there are%s: %s%s" % (" " + what if what else "", ", ".join(names[:20]), more)]
