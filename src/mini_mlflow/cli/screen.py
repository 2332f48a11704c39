"""Where does a command write to: how wide is it, may it have colours, which signs can it show, what form is wanted?"""

from __future__ import annotations

import os
import sys
from time import time

from . import texts
from .failures import REFUSED, CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, TextIO

PIPE_WIDTH = 100
NARROWEST = 20
ROLES = {  # in the terminal's own colours, which its user has chosen to be readable
    "strong": "1", "quiet": "2", "good": "32", "bad": "31", "warn": "33", "live": "36",
    "best": "1;32", "yellow": "33", "magenta": "35", "green": "32", "blue": "34", "red": "31", "cyan": "36",
}  # fmt: skip
_GLYPHS = {  # name: in UTF-8, in ASCII
    "ellipsis": ("…", ".."), "up": ("↑", "^"), "down": ("↓", "v"), "dot": ("·", "-"), "none": ("–", "-"),
    "minus": ("−", "-"), "plus_minus": ("±", "+-"), "noise": ("≈", "~"), "broken": ("×", "x"), "here": ("▸", ">"),
    "good": ("✓", "."), "bad": ("✗", "x"), "bar": ("│", "|"), "delta": ("Δ", "d"), "differs": ("≠", "!="),
}  # fmt: skip
MARKS = {  # status: in UTF-8, in ASCII, role
    "RUNNING": ("●", ">", "live"), "FINISHED": ("✓", ".", "good"), "FAILED": ("✗", "x", "bad"),
    "KILLED": ("■", "#", "warn"), "LOST": ("?", "?", "warn"),
}  # fmt: skip
_TO_ASCII = str.maketrans(
    {**{pair[0]: pair[1] for pair in _GLYPHS.values()}, **{mark[0]: mark[1] for mark in MARKS.values()}, "·": "|"}
)


class Screen:
    """The streams of a command, and what they can show.

    Attributes:
        out: Standard output, for the answer.
        err: Standard error, for everything else.
        width: Columns of the answer: those of the terminal, else COLUMNS, else 100.
        is_terminal: Whether the answer goes to a terminal.
        has_colour: Whether it may have colours, bold among them.
        is_ascii: Whether only ASCII signs of ours may be used.
        encoding: Of standard output; what it lacks is escaped.
        form: What was asked for: ``table``, ``tsv``, ``csv``, ``md``, ``json`` or None.
        warnings: What the library warned of, each once; ``--json`` has them in the document.
        is_lost: Whether the answer could not be written.
        now_ms: The clock, milliseconds since 1970-01-01 UTC: one for the whole command.
    """

    def __init__(
        self,
        out: TextIO,
        err: TextIO,
        environment: Dict[str, str],
        *,
        form: Optional[str] = None,
        colour: str = "auto",
        ascii_only: bool = False,
        now_ms: Optional[int] = None,
    ) -> None:
        """Look at the streams.

        Args:
            out: Standard output.
            err: Standard error.
            environment: What ``config.terminal`` returns.
            form: The form that was asked for.
            colour: ``auto``, ``always`` or ``never``.
            ascii_only: Whether ASCII was asked for.
            now_ms: The clock; None: the system's.
        """
        self.out, self.err, self.form = out, err, form
        self.environment = environment
        self.is_terminal = _is_terminal(out)
        self.encoding = getattr(out, "encoding", None) or "utf-8"
        self.err_encoding = getattr(err, "encoding", None) or "utf-8"
        is_utf8 = self.encoding.lower().replace("_", "-") in ("utf-8", "utf8")
        self.is_ascii = ascii_only or not is_utf8 or (self.is_terminal and environment.get("TERM") == "linux")
        self.has_colour = _has_colour(self.is_terminal, environment, colour)
        self._err_has_colour = _has_colour(_is_terminal(err), environment, colour)
        self.warnings: List[str] = []
        self.is_lost = False
        self.now_ms = int(time() * 1000) if now_ms is None else now_ms

    @property
    def width(self) -> int:
        """How many columns a line may have, now."""
        return _columns(self.out, self.environment)

    @property
    def height(self) -> int:
        """How many lines the terminal has, now."""
        try:
            return max(2, os.get_terminal_size(self.out.fileno()).lines or 24)
        except (AttributeError, ValueError, OSError):
            lines = self.environment.get("LINES", "")
            return max(2, int(lines)) if lines.isdigit() else 24

    @property
    def err_width(self) -> int:
        """How many columns a line on standard error may have, now."""
        return _columns(self.err, self.environment)

    @property
    def is_json(self) -> bool:
        """Whether the answer is one JSON document."""
        return self.form == "json"

    def list_form(self) -> str:
        """Return the form of a list (``ls``, ``best``, ``history``): a table on a terminal, else TSV."""
        return self.form or ("table" if self.is_terminal else "tsv")

    def styled(self, role: str, text: str) -> str:
        """Return a text in a role, as it is where there are no colours; several roles are joined by spaces."""
        return _styled(role, text) if self.has_colour and text and role else text

    def styled_err(self, role: str, text: str) -> str:
        """Return a text in a role for standard error."""
        return _styled(role, text) if self._err_has_colour and text and role else text

    def glyph(self, name: str) -> str:
        """Return a sign of ours by its name, in ASCII where need be."""
        return _GLYPHS[name][1 if self.is_ascii else 0]

    def mark(self, status: str, *, plain: bool = False) -> str:
        """Return the sign of a run's status, in its colour unless *plain*."""
        mark = MARKS.get(status, ("?", "?", "warn"))
        sign = mark[1 if self.is_ascii else 0]
        return sign if plain else self.styled(mark[2], sign)

    def own(self, text: str) -> str:
        """Return a text of ours with its signs in ASCII where need be: `` · `` becomes `` - ``."""
        return text.translate(_TO_ASCII) if self.is_ascii else text

    def clean(self, text: str) -> str:
        """Return a text of the users' as it may be shown; see ``texts.clean``."""
        return texts.clean(text, self.encoding)

    def write(self, text: str) -> None:
        """Write to the answer as it is.

        Raises:
            CommandError: It cannot be written: the disk is full.
            BrokenPipeError: Nobody reads it any more.
        """
        try:
            self.out.write(text)
        except BrokenPipeError:
            raise
        except (OSError, ValueError) as error:
            raise self.lost(error) from error

    def lost(self, error: Exception) -> CommandError:
        """Return the error that the answer cannot be written."""
        self.is_lost = True
        return CommandError("cannot write the answer: %s" % (getattr(error, "strerror", None) or error), REFUSED)

    def write_lines(self, lines: List[str], *, is_wide: bool = False) -> None:
        """Write lines to the answer, none wider than the screen, unless they may be: ``-w``."""
        width = self.width
        shown = lines if is_wide else [texts.clip(line, width, self.glyph("ellipsis")) for line in lines]
        self.write("".join(line.rstrip(" ") + "\n" for line in shown))

    def write_json(self, schema: str, **fields: Any) -> None:
        """Write the one JSON document of a command.

        Args:
            schema: Its kind, such as ``runs``: ``mini-mlflow/runs/1``.
            **fields: What it holds, in this order; the warnings come first.
        """
        from . import documents  # other forms do without

        head = {"schema": "mini-mlflow/%s/1" % schema, "warnings": self.warnings}
        self.write(documents.encode({**head, **fields}, self.encoding) + "\n")

    def write_error(self, text: str) -> None:
        """Write one line to standard error, and see to it that it comes after the answer so far."""
        try:
            self.out.flush()
        except (OSError, ValueError):
            pass  # main tells
        try:
            self.err.write(text + "\n")
        except (OSError, ValueError):
            pass  # nobody hears us, which changes nothing of the exit code

    def flush(self) -> None:
        """Hand everything to the system."""
        self.out.flush()
        self.err.flush()


def open_screen(environment: Dict[str, str], **wanted: Any) -> Screen:
    """Return the screen of this process."""
    return Screen(_buffered(sys.stdout), sys.stderr, environment, **wanted)


def _buffered(stream: TextIO) -> TextIO:
    """Return a stream that writes all of what it gets.

    With ``PYTHONUNBUFFERED``, which containers set, Python's own loses silently what a pipe does not take at once.
    """
    import io  # loaded by every Python

    if not isinstance(getattr(stream, "buffer", None), io.RawIOBase):
        return stream
    return open(stream.fileno(), "w", encoding=stream.encoding, errors=stream.errors, closefd=False)


def _styled(role: str, text: str) -> str:
    return "\x1b[%sm%s\x1b[0m" % (";".join(ROLES[each] for each in role.split()), text)


def _is_terminal(stream: Optional[TextIO]) -> bool:
    try:
        return stream is not None and stream.isatty()
    except (AttributeError, ValueError, OSError):
        return False


def _columns(stream: TextIO, environment: Dict[str, str]) -> int:
    try:
        found = os.get_terminal_size(stream.fileno()).columns if _is_terminal(stream) else 0
    except (AttributeError, ValueError, OSError):
        found = 0
    given = environment.get("COLUMNS", "")
    if not found and given.isdigit() and len(given) < 6:
        found = int(given)
    return max(NARROWEST, found or (80 if _is_terminal(stream) else PIPE_WIDTH))


def _has_colour(is_terminal: bool, environment: Dict[str, str], wanted: str) -> bool:  # noqa: FBT001
    if wanted != "auto":
        return wanted == "always"
    if environment.get("FORCE_COLOR", "0") != "0":
        return True
    if "NO_COLOR" in environment or environment.get("TERM") == "dumb" or not is_terminal:
        return False
    return os.name != "nt" or bool({"WT_SESSION", "ANSICON", "TERM"} & set(environment))
