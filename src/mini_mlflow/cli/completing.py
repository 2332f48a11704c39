"""What could the word at the cursor become? Asked by the shell, at each press of Tab.

``mini-mlflow --complete bash LINE BREAKS``, ``--complete zsh WORD...`` and ``--complete fish WORD...`` answer a line
that says what follows (``words``, ``nospace`` for words that go on, ``files``, ``folders``), and a candidate a line;
in zsh and fish a tab and a description behind it. Nothing that was typed or that stands in a name is run, and a name
with control characters is no candidate.
"""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections import namedtuple
from importlib import import_module

from .. import layout
from ..errors import MiniMLflowError
from ..store import experiments
from . import shell_words
from .commands import COMMANDS
from .failures import CommandError
from .options import Parser, add_everywhere

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

    from .target import Target

    Words = List[Tuple[str, str]]

WORDS, NO_SPACE, FILES, FOLDERS = "words", "nospace", "files", "folders"
_MOST = 2000  # candidates: a terminal shows no more, and readline sorts them
_LAST_KEY = re.compile(r"[^\s()<>=!,]*\Z")
_BARE_KEY = re.compile(r"[^\s()<>=!,'\"`]+")  # what needs no quotes in a filter or a list
_DIRS = ("DIR", "STORE", "FOLDER")
_PATHS = ("FILE", "PATH", "COMMAND", "ARGS")
_METRIC, _PARAM, _TAG = layout.METRICS, layout.PARAMS, layout.TAGS


class Candidates(namedtuple("Candidates", ["kind", "words"])):
    """What a word could become.

    Attributes:
        kind: WORDS, NO_SPACE, FILES or FOLDERS.
        words: Each with a description, whole words as the command gets them.
    """

    __slots__ = ()

    kind: str
    words: Words


def answer(words: Sequence[str]) -> int:
    """Print the candidates for what the shell hands over; whatever goes wrong is no candidate."""
    shell, rest = words[0] if words else "", list(words[1:])
    warnings.simplefilter("ignore")
    typed = None
    if shell == "bash":
        typed = shell_words.split(rest[0] if rest else "")
        rest, breaks = typed.words, rest[1] if len(rest) > 1 else ""
    try:
        found = complete(rest)
    except (CommandError, MiniMLflowError, OSError, ValueError):
        found = Candidates(WORDS, [])
    lines = [found.kind]
    current = rest[-1] if rest else ""
    kept = "" if typed is None else shell_words.cut_at_break(typed, breaks)
    for word, description in found.words[:_MOST]:
        if not word.startswith(current) or not word.isprintable() or not _can_be_written(word):
            continue
        if typed is not None:
            lines.append(shell_words.quote_for_bash(word[len(kept) :], typed.quote))
        else:
            lines.append(word + "\t" + description if description.isprintable() else word)
    sys.stdout.buffer.write(("\n".join(lines) + "\n").encode("utf-8"))
    sys.stdout.flush()
    return 0


def complete(words: Sequence[str]) -> Candidates:
    """Return what the last of some words could become.

    Args:
        words: The program's name and what follows, without the shell's quotes; the last is the one at the cursor.

    Raises:
        CommandError: The words name no store or experiment.
    """
    before = Parser("mini-mlflow")
    add_everywhere(before)
    *done, current = list(words[1:]) or [""]
    place = before.count_options(done)
    if place == len(done):
        option = _waiting(done, before)
        if option is not None:
            return _value(option, current, done, before)
        if current.startswith("-"):
            return Candidates(WORDS, _options(before))
        return Candidates(WORDS, [(name, command.line) for name, command in COMMANDS.items()])
    name = done[place]
    if name not in COMMANDS:
        return Candidates(WORDS, [])
    parser = Parser("mini-mlflow " + name)
    import_module("." + COMMANDS[name].module, __package__).add_arguments(parser)
    add_everywhere(parser)
    return _in_command(parser, done[:place] + done[place + 1 :], current)


def _in_command(parser: Parser, done: List[str], current: str) -> Candidates:
    is_bare = "--" in done
    option = None if is_bare else _waiting(done, parser)
    if option is not None:
        return _value(option, current, done, parser)
    if current.startswith("-") and not is_bare:
        name, equals, value = current.partition("=")
        known = _by_name(parser).get(name)
        if equals and known is not None:
            found = _value(known, value, done, parser)
            return Candidates(found.kind, [(name + "=" + word, text) for word, text in found.words])
        return Candidates(WORDS, _options(parser))
    actions = _next_words(parser, done)
    last = None if is_bare or not done else _by_name(parser).get(done[-1])
    if last is not None and last.nargs == "?":
        actions.insert(0, last)  # its value may come, or what follows without one
    found = _merged([_value(action, current, done, parser) for action in actions])
    if is_bare:
        return found
    return Candidates(found.kind, [each for each in found.words if not each[0].startswith("-")])


def _merged(found: Sequence[Candidates]) -> Candidates:
    """Return several as one; files and folders only where there is nothing else."""
    words = [word for each in found for word in each.words]
    kinds = [each.kind for each in found]
    if not words:
        return Candidates(next((kind for kind in kinds if kind in (FILES, FOLDERS)), WORDS), [])
    return Candidates(NO_SPACE if NO_SPACE in kinds else WORDS, words)


def _by_name(parser: Parser) -> Dict[str, argparse.Action]:
    return {option: action for action in parser.all_actions() for option in action.option_strings}


def _options(parser: Parser) -> Words:
    """Return the options, each in its longest form first: that is what says most."""
    found = []
    for action in parser.all_actions():
        for option in sorted(action.option_strings, key=len, reverse=True):
            text = "" if action.help in (None, argparse.SUPPRESS) else str(action.help)
            found.append((option, text))
    return found


def _waiting(done: Sequence[str], parser: Parser) -> Optional[argparse.Action]:
    """Return the option that the last word was, if it waits for its value."""
    known = _by_name(parser)
    waiting: Optional[argparse.Action] = None
    for word in done:
        if waiting is not None:
            waiting = None
        elif word in known and known[word].nargs is None:
            waiting = known[word]
    return waiting


def _next_words(parser: Parser, done: Sequence[str]) -> List[argparse.Action]:
    """Return what the next word without an option may be: several where the one before takes any number of words."""
    known = _by_name(parser)
    count, is_value, is_bare = 0, False, False
    for word in done:
        if is_value:
            is_value = False
        elif is_bare or not word.startswith("-") or word == "-":
            count += 1
        elif word == "--":
            is_bare = True
        else:
            is_value = word in known and known[word].nargs is None
    found: List[argparse.Action] = []
    for action in parser.all_actions():
        if action.option_strings:
            continue
        if action.nargs in ("*", "+", argparse.REMAINDER):
            found.append(action)
            if action.nargs == "+" and count <= 0:
                break  # the first of them comes before what follows
            count -= 1
            continue
        if found or count <= 0:
            return [*found, action]
        count -= 1
    return found


def _value(action: argparse.Action, current: str, done: Sequence[str], parser: Parser) -> Candidates:
    """Return what the value of an option, or a word without one, could be."""
    if action.choices is not None:
        return Candidates(WORDS, [(str(each), "") for each in action.choices])
    text = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    found = []
    for name in re.sub(r"\.\.\.|[:\[]\S*", "", text).split(" "):
        if name in _DIRS or name in _PATHS:
            found.append(Candidates(FOLDERS if name in _DIRS else FILES, []))
            continue
        asked = _SOURCES.get("%s %s" % (parser.prog.split(" ")[-1], name)) or _SOURCES.get(name)
        asked = asked or _SOURCES.get("NAME:" + action.dest)
        if asked is not None:
            found.append(asked(_Store(done, parser), current))
    return _merged(found)


class _Store:
    """The store and the experiment that the words before the cursor name."""

    def __init__(self, done: Sequence[str], parser: Parser) -> None:
        # What is offered of the program itself does without, in two thirds of the time.
        from . import candidates, target

        said = _said(done, parser)
        self.experiment: Optional[str] = said.get("experiment")
        self.target: Target = target.find_target(argparse.Namespace(**{"dir": said["dir"]} if "dir" in said else {}))

        self._candidates = candidates

    def keys(self, *kinds: str) -> Words:
        """Return the keys of some kinds that the runs have."""
        return self._candidates.key_words(self.target, self.experiment, kinds)

    def runs(self, stage: str) -> Words:
        """Return the words that mean a run, of those that are there or of those in the trash."""
        return self._candidates.run_words(self.target, self.experiment, (stage,))

    def ids(self, beginning: str) -> Words:
        """Return the ids of runs that begin so."""
        return self._candidates.id_words(self.target, self.experiment, beginning)

    def experiments(self) -> Words:
        """Return the names of the experiments."""
        return self._candidates.experiment_words(self.target)


def _said(done: Sequence[str], parser: Parser) -> Dict[str, str]:
    """Return the values of the options among some words, by what argparse calls them."""
    known = _by_name(parser)
    said: Dict[str, str] = {}
    option: Optional[argparse.Action] = None
    for word in done:
        name, equals, value = word.partition("=")
        if option is not None:
            said[option.dest] = word
            option = None
        elif equals and name in known:
            said[known[name].dest] = value
        elif word in known and known[word].nargs is None:
            option = known[word]
    return said


def _runs(store: _Store, current: str) -> Candidates:
    if current.startswith("best:"):
        return Candidates(WORDS, [("best:" + key, text) for key, text in store.keys(_METRIC)])
    words = store.runs(experiments.ACTIVE)
    if words:
        words.insert(1, ("best:", "METRIC: the best run"))
    if current and not any(word.startswith(current) for word, _ in words):
        words = store.ids(current)
    return Candidates(NO_SPACE if "best:".startswith(current) and current else WORDS, words)


def _deleted_runs(store: _Store, _: str) -> Candidates:
    return Candidates(WORDS, [each for each in store.runs(experiments.DELETED) if each[0] != "last"])


def _experiments(store: _Store, _: str) -> Candidates:
    return Candidates(WORDS, store.experiments())


def _metrics(store: _Store, current: str) -> Candidates:
    words = store.keys(_METRIC)
    key, colon, _ = current.rpartition(":")
    if colon and any(key == word for word, _ in words):
        return Candidates(WORDS, [("%s:%s" % (key, goal), "") for goal in ("min", "max")])
    return Candidates(WORDS, words)


def _list_of(*kinds: str) -> Callable[[_Store, str], Candidates]:
    def listed(store: _Store, current: str) -> Candidates:
        head, _ = shell_words.split_list(current)
        words = [(head + key, text) for key, text in store.keys(*kinds) if _BARE_KEY.fullmatch(key)]
        return Candidates(NO_SPACE, words)

    return listed


def _sort_keys(store: _Store, current: str) -> Candidates:
    sign = "-" if current.startswith("-") else ""
    return Candidates(WORDS, [(sign + key, text) for key, text in store.keys(_METRIC, _PARAM)])


def _filter(store: _Store, current: str) -> Candidates:
    match: Any = _LAST_KEY.search(current)
    head = current[: match.start()]
    words = [(head + key, text) for key, text in store.keys(_METRIC, _PARAM) if _BARE_KEY.fullmatch(key)]
    return Candidates(NO_SPACE, words)


def _axis(store: _Store, _: str) -> Candidates:
    return Candidates(WORDS, [("step", ""), ("time", ""), *store.keys(_METRIC)])


def _tags(store: _Store, _: str) -> Candidates:
    return Candidates(NO_SPACE, [(key + "=", text) for key, text in store.keys(_TAG) if not key.startswith("mlflow.")])


def _tag_keys(store: _Store, _: str) -> Candidates:
    return Candidates(WORDS, [each for each in store.keys(_TAG) if not each[0].startswith("mlflow.")])


def _params(store: _Store, _: str) -> Candidates:
    return Candidates(WORDS, store.keys(_PARAM))


# By what stands for a value in the help, in one command or in all; NAME: by what argparse calls the option.
_SOURCES: Dict[str, Callable[[_Store, str], Candidates]] = {
    "RUN": _runs,
    "EXPERIMENT": _experiments,
    "restore RUN": _deleted_runs,
    "NAME:experiment": _experiments,
    "NAME:into": _experiments,
    "METRIC": _metrics,
    "NAME:columns": _list_of(_METRIC, _PARAM),
    "NAME:metrics": _list_of(_METRIC),
    "NAME:filter": _filter,
    "NAME:sort": _sort_keys,
    "KEY=VALUE": _tags,
    "NAME:remove": _tag_keys,
    "PARAM": _params,
    "X": _axis,
}


def _can_be_written(word: str) -> bool:
    try:
        word.encode("utf-8")
    except UnicodeEncodeError:
        return False  # half a character
    return True
