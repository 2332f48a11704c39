"""What does ``mini-mlflow`` do: which command, on which screen, and how does it end?"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from .. import config, errors
from . import failures, texts
from .commands import COMMANDS, OTHER_NAMES
from .options import Parser, add_everywhere, set_help_width
from .screen import open_screen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional, Sequence, TextIO, Tuple

    from .screen import Screen

_NAME = "mini-mlflow"
_MOST_WARNINGS = 3


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: The words after ``mini-mlflow``; None: those of this process.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    _survive_without_streams()
    if words[:1] == ["--complete"]:
        from . import completing  # the shell asks, at each press of Tab

        return completing.answer(words[1:])
    own = words[: words.index("--")] if "--" in words else words  # what follows may be another program's
    screen = open_screen(config.terminal(), form="json" if "--json" in own else None)
    try:
        screen, code = _run(words, screen)
        return _finish(screen, code)
    except KeyboardInterrupt:
        _let_go(screen)
        return failures.INTERRUPTED
    except BrokenPipeError:
        _let_go(screen)
        return failures.CLOSED_PIPE


def _run(words: List[str], screen: Screen) -> Tuple[Screen, int]:
    """Run a command; return the screen that its options chose, and its exit code."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("always", errors.StorageWarning)
        show, heard = warnings.showwarning, screen.warnings

        def hear(message: Any, category: Any, *rest: Any, **more: Any) -> None:
            if not issubclass(category, errors.StorageWarning):
                show(message, category, *rest, **more)
            elif str(message) not in heard:
                heard.append(str(message))

        warnings.showwarning = hear
        try:
            if words == ["--version"]:
                screen.write("%s %s\n" % (_NAME, config.package_version()))
                return screen, failures.DONE
            module, parser, arguments = _read(words, screen.width)
            screen = _screen_for(arguments, screen)
            if parser is None or getattr(arguments, "help", False):
                screen.write_lines(_overview(screen) if parser is None else parser.format_help().splitlines())
                return screen, failures.DONE
            return screen, module.run(arguments, screen)
        except BrokenPipeError:
            raise
        except Exception as error:  # the one place that turns errors into words
            if _is_debug_wanted():
                raise
            return screen, _tell(error, screen)


def _read(words: List[str], width: int) -> Tuple[Any, Optional[Parser], argparse.Namespace]:
    """Return the module of the command and its parser, None without one, and what was said."""
    set_help_width(width)
    found, rest = argparse.Namespace(), words
    if not words or words[0].startswith("-"):
        before = Parser(_NAME, "[-d DIR] COMMAND [ARGS]")
        add_everywhere(before)
        place = before.count_options(words)
        found = before.parse(words[:place], found)
        rest = words[place:]
    if not rest or rest[0] == "help":
        rest = rest[1:]
        found.help = True
        if not rest:
            return None, None, found
    name, *rest = rest
    if name not in COMMANDS:
        near = [OTHER_NAMES[name]] if name in OTHER_NAMES else errors.near_names(name, list(COMMANDS))
        message = "no command '%s'" % name
        raise failures.CommandError(message, failures.USAGE, near=near, lines=["mini-mlflow tells which there are"])
    command = COMMANDS[name]
    module = import_module("." + command.module, __package__)
    line = command.line[:1].upper() + command.line[1:] + "."
    parser = Parser("%s %s" % (_NAME, name), command.usage, line, getattr(module, "EXAMPLES", ()))
    module.add_arguments(parser)
    add_everywhere(parser)
    # What follows the command of ``run`` is that command's own.
    own = rest[: parser.count_options(rest)] if parser.takes_rest else rest
    if getattr(found, "help", False) or _asks_for_help(own):
        found.help = True
        return module, parser, found
    return module, parser, parser.parse(rest, found)


def _asks_for_help(words: List[str]) -> bool:
    """Tell whether ``-h`` is among the words, before a ``--``: help comes also where the rest makes no sense."""
    options = words[: words.index("--")] if "--" in words else words
    return "-h" in options or "--help" in options


def _screen_for(arguments: argparse.Namespace, before: Screen) -> Screen:
    screen = open_screen(
        before.environment,
        form=getattr(arguments, "form", None),
        colour=getattr(arguments, "color", "auto"),
        ascii_only=getattr(arguments, "ascii", False),
        now_ms=before.now_ms,
    )
    screen.warnings = before.warnings  # the list that hears them
    return screen


def _overview(screen: Screen) -> List[str]:
    """Return what ``mini-mlflow`` alone prints."""
    lines = ["%s [-d DIR] COMMAND [ARGS]" % _NAME, ""]
    width = max(len("%s %s" % (name, command.usage)) for name, command in COMMANDS.items())
    group = ""
    for name, command in COMMANDS.items():
        if command.group != group:
            group = command.group
            lines.append(group)
        line = "  %s  %s" % (("%s %s" % (name, command.usage)).ljust(width), command.line)
        lines.append(texts.cut_end(line, screen.width, screen.glyph("ellipsis")))
    lines += ["", "RUN: last, best:METRIC, a row of the last ls (3, 3-6, g2), a name, or the beginning of an id"]
    lines += ["%s COMMAND -h tells more of one" % _NAME]
    return lines


def _tell(error: Exception, screen: Screen) -> int:
    """Say what went wrong, and return the exit code."""
    if failures.is_known(error):
        told = failures.translate(error)
    else:
        message = "%s: %s" % (type(error).__name__, error)
        advice = "This is a fault of mini-mlflow itself; MINI_MLFLOW_DEBUG=1 shows where."
        told = failures.CommandError(message, failures.FAULT, lines=[advice])
    if screen.is_json and not screen.is_lost:
        screen.write_json("error", **failures.as_document(told))
    else:
        for line in failures.render(told, screen):
            screen.write_error(line)
    return told.exit_code


def _is_debug_wanted() -> bool:
    try:
        return config.is_debug_wanted()
    except errors.InvalidValueError:
        return True


def _finish(screen: Screen, code: int) -> int:
    """Hand the answer to the system, tell the warnings, and return the exit code."""
    try:
        screen.out.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        code = code if screen.is_lost else _tell(screen.lost(error), screen)
        _let_go(screen)
    try:
        if not screen.is_json:
            _tell_warnings(screen)
        screen.err.flush()
    except (OSError, ValueError):
        pass  # nobody hears us, which is no reason to fail
    _forget_unsaid()
    return code


def _tell_warnings(screen: Screen) -> None:
    label = screen.styled_err("warn", "warning:")
    for message in screen.warnings[:_MOST_WARNINGS]:
        first, *rest = texts.wrap("warning: " + texts.clean(message, screen.err_encoding), screen.err_width, "  ")
        screen.err.write("\n".join([label + first[len("warning:") :], *rest]) + "\n")
    more = len(screen.warnings) - _MOST_WARNINGS
    if more > 0:
        screen.err.write("%s %d more\n" % (label, more))


def _let_go(screen: Screen) -> None:
    """Let nothing of the answer that is left be written when the interpreter ends: that would complain, or block."""
    _send_nowhere(screen.out)
    _forget_unsaid()


def _forget_unsaid() -> None:
    """See that what standard error did not take does not fail the interpreter when it ends."""
    try:
        sys.stderr.flush()
    except (OSError, ValueError):
        _send_nowhere(sys.stderr)


def _send_nowhere(stream: TextIO) -> None:
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (AttributeError, OSError, ValueError):
        pass  # no file behind it


def _survive_without_streams() -> None:
    """Give a process that was started without standard streams some that go nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long as the process
