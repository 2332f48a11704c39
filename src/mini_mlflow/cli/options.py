"""How are the words after a command read, and which options do several commands share?"""

from __future__ import annotations

import argparse
import sys

from .failures import USAGE, CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, NoReturn, Optional, Sequence, Set

_KEPT = "\0"  # before a word that begins with - and is none of the options
COLOURS = ("auto", "always", "never")


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal."""

    width = 80

    def __init__(self, prog: str) -> None:
        # Told the width, argparse does not load shutil to ask for it: that costs 5 ms, for usages that nobody sees.
        super().__init__(prog, width=max(40, min(self.width, 120) - 2), max_help_position=24)


def set_help_width(columns: int) -> None:
    """Let help be so wide from now on."""
    _Help.width = columns


class Parser(argparse.ArgumentParser):
    """A parser whose errors are ours, and that lets options stand anywhere between the other words."""

    def __init__(self, name: str, usage: str = "", description: str = "", examples: Sequence[str] = ()) -> None:
        """Begin with no arguments.

        Args:
            name: Of the command, ``mini-mlflow ls``.
            usage: What may follow it.
            description: What it does.
            examples: Lines that a user could type, after ``mini-mlflow``.
        """
        super().__init__(
            prog=name,
            usage=("%s %s" % (name, usage)).replace("%", "%%"),
            description=description,
            epilog="examples:\n" + "\n".join("  mini-mlflow " + each for each in examples) if examples else None,
            formatter_class=_Help,
            add_help=False,
            # Without abbreviations Python 3.7 reads no -la.
            allow_abbrev=sys.version_info < (3, 8),
        )
        self.takes_rest = False

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong with the words.

        Raises:
            CommandError: Always.
        """
        message = message.replace(_KEPT, "")
        prefix = "the following arguments are required: "
        if message.startswith(prefix):
            # argparse counts what may be left out, too.
            optional = {action.metavar for action in self._actions if action.nargs in ("*", "?")}
            names = [name for name in message[len(prefix) :].split(", ") if name not in optional]
            message = "%s needs %s" % (self.prog, ", ".join(names))
        raise CommandError(message, USAGE, lines=["usage: " + (self.usage or "") % (), self.prog + " -h tells more"])

    def parse(self, words: Sequence[str], found: argparse.Namespace) -> argparse.Namespace:
        """Return what the words say.

        Args:
            words: Those after the command's name.
            found: What was said before it.

        Raises:
            CommandError: They say nothing that there is.
        """
        if self.takes_rest:
            return self.parse_args(list(words), found)
        found = self.parse_intermixed_args(self._prepared(words), found)
        for name, value in vars(found).items():
            if isinstance(value, str):
                setattr(found, name, value.lstrip(_KEPT))
            elif isinstance(value, list):
                setattr(found, name, [each.lstrip(_KEPT) if isinstance(each, str) else each for each in value])
        return found

    def all_actions(self) -> List[argparse.Action]:
        """Return the options and the words without one that there are, in the order in which they were added."""
        return list(self._actions)

    def count_options(self, words: Sequence[str]) -> int:
        """Return how many of the words come before the first that is no option, nor the value of one."""
        with_value = self._options_with_value()
        place = 0
        while place < len(words) and words[place].startswith("-") and words[place] != "--":
            place += 2 if words[place] in with_value else 1
        return min(place, len(words))

    def _options_with_value(self) -> Set[str]:
        return {option for action in self._actions if action.nargs is None for option in action.option_strings}

    def _prepared(self, words: Sequence[str]) -> List[str]:
        """Return the words with each value joined to its option, and with those after ``--`` as what they are.

        argparse takes the value of ``-s -loss`` for an option, and reads ``--`` otherwise in every version.
        """
        with_value = self._options_with_value()
        options = {option for action in self._actions for option in action.option_strings}
        prepared: List[str] = []
        waiting: Optional[str] = None
        for place, word in enumerate(words):
            if waiting is not None:
                if word in options or word == "--":
                    self.error("%s needs a value" % waiting)
                prepared.append(waiting + ("=" if waiting.startswith("--") else "") + word)
                waiting = None
            elif word == "--":
                return prepared + [_KEPT + each if each.startswith("-") else each for each in words[place + 1 :]]
            elif word in with_value:
                waiting = word
            else:
                prepared.append(word)
        if waiting is not None:
            self.error("%s needs a value" % waiting)
        return prepared


def add_everywhere(parser: Parser) -> None:
    """Add the options that every command has, before or after its name."""
    group = parser.add_argument_group("everywhere")
    silent = argparse.SUPPRESS
    group.add_argument("-d", "--dir", metavar="DIR", default=silent, help="the store; else MINI_MLFLOW_DIR, ./mlruns")
    group.add_argument("--json", dest="form", action="store_const", const="json", default=silent, help="one document")
    group.add_argument("--color", "--colour", choices=COLOURS, default=silent, help="colours: auto, always or never")
    group.add_argument("--ascii", action="store_true", default=silent, help="no signs beyond ASCII")
    group.add_argument("-h", "--help", action="store_true", default=silent, help="this text")


def add_form(parser: Parser, without: Sequence[str] = ()) -> None:
    """Add what chooses the form of a list: ``-t --tsv --csv --md -q``; ``--json`` is there.

    Args:
        parser: Of the command.
        without: Forms that it has not.
    """
    group = parser.add_argument_group("in which form")
    for names, form, text in (
        (("-t", "--table"), "table", "a table, also in a pipe"),
        (("--tsv",), "tsv", "values between tabs, whole; so is a list in a pipe"),
        (("--csv",), "csv", "values between commas, whole"),
        (("--md",), "md", "a table of Markdown, numbers as on the screen"),
        (("-q", "--ids"), "ids", "ids only"),
    ):
        if form in without:
            continue
        group.add_argument(*names, dest="form", action="store_const", const=form, default=argparse.SUPPRESS, help=text)


def add_place(parser: Parser) -> None:
    """Add ``-e``: look only in one experiment."""
    parser.add_argument("-e", "--experiment", metavar="NAME", help="only in this experiment: its name or id")


def add_choice(parser: Parser) -> None:
    """Add what chooses runs and their order: ``-f -n -b -s -a --refresh``."""
    group = parser.add_argument_group("which runs")
    group.add_argument("-f", "--filter", metavar="TEXT", help="such as 'val.acc > 0.9 and lr < 0.1 and age < 2d'")
    group.add_argument("-n", "--limit", metavar="N", type=whole, help="at most N rows; 40 on a terminal, else all")
    group.add_argument("-a", "--all", action="store_true", help="no limit, all keys, the trash too")
    group.add_argument("--refresh", action="store_true", help="read every file's state anew")
    group = parser.add_argument_group("in which order")
    group.add_argument("-b", "--best", metavar="METRIC", help="METRIC, METRIC:min or METRIC:max; the best first")
    group.add_argument("-s", "--sort", metavar="KEY", help="any column, upwards; -KEY downwards")


def add_columns(parser: Parser) -> None:
    """Add what chooses columns: ``-c -m -l -w``."""
    group = parser.add_argument_group("which columns")
    group.add_argument("-c", "--columns", metavar="KEYS", help="exactly these: lr,val.acc,last(val.loss)")
    group.add_argument("-m", "--metrics", metavar="KEYS", help="of the metrics these: 'val.*,train.loss'")
    group.add_argument("-l", "--last", action="store_true", help="last values, not the best of all steps")
    group.add_argument("-w", "--wide", action="store_true", help="all columns, however wide")


def add_yes(parser: Parser) -> None:
    """Add ``-y``: do not ask."""
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def whole(text: str) -> int:
    """Return a number of rows.

    Raises:
        CommandError: It is none from 1 on.
    """
    if not text.isdigit() or len(text) > 9 or int(text) < 1:
        raise CommandError("'%s' is no number of rows: a whole number from 1 on" % text, USAGE)
    return int(text)
