"""``mini-mlflow run -- COMMAND``: how does a command become a run?"""

from __future__ import annotations

import argparse
import os

from .. import clock, config, errors, keys, launching
from ..recorder import check_values
from ..store import experiments
from . import documents, spans
from .failures import NOT_FOUND, USAGE, CommandError, translate
from .pairs import split_pair
from .which import which_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Union

    from .options import Parser
    from .screen import Screen
    from .target import Target

EXAMPLES = (
    "run -- python train.py --lr 0.01",
    "run -e sweep -t gpu=a100 -- torchrun --nproc-per-node 4 train.py",
    "run --name baseline -- ./train.sh",
)
CANNOT_TRACK = 125
_LAST_BYTES = 1024
_WORDS = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "killed"}


def add_arguments(parser: Parser) -> None:
    """Say what the command takes."""
    parser.takes_rest = True
    group = parser.add_argument_group("the run")
    group.add_argument("-e", "--experiment", metavar="NAME", help="its experiment, made if need be; else Default")
    group.add_argument("--name", metavar="NAME", help="its name; else one that the script gives, else one is made")
    group.add_argument("-t", "--tag", metavar="KEY=VALUE", action="append", default=[], help="a tag; may come again")
    group.add_argument("-q", "--quiet", action="store_true", help="say nothing when it ends")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="the program and its arguments; no shell reads them")


def run(arguments: Any, screen: Screen) -> int:
    """Run the command and return its exit code."""
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        raise CommandError("no command to run", USAGE, lines=["mini-mlflow run -- python train.py"])
    tags = dict(check_values("Tag", [split_pair(each) for each in arguments.tag]))
    _refuse_missing(command[0])
    try:
        launch = _launch(arguments, command, tags)
    except (errors.MiniMLflowError, OSError) as error:
        told = translate(error)
        raise CommandError(told.message, CANNOT_TRACK, lines=[*told.lines, "the command was not started"]) from error
    outcome = launch.follow()
    if outcome.is_interrupted:
        import atexit

        atexit.register(launching.die_of_interrupt)
    try:
        if not arguments.quiet and _is_within_a_line(screen, launch.log):
            screen.write_error("")
        _tell(arguments, screen, launch.run, outcome, command[0])
    except (OSError, ValueError):
        pass  # nobody reads it, and the command's exit code counts
    return outcome.exit_code


def _launch(arguments: Any, command: List[str], tags: Dict[str, Any]) -> launching.Launch:
    given = getattr(arguments, "dir", None)
    store = config.store_folder(given)
    experiment_id = None
    if arguments.experiment is not None:
        from .target import Target  # loads what searches, and costs as much as all the rest

        experiment_id = _experiment(Target(store, os.fspath(config.runs_dir(given))), arguments.experiment)
    return launching.Launch(command, store=store, experiment_id=experiment_id, name=arguments.name, tags=tags)


def _experiment(target: Target, word: str) -> Union[int, str]:
    """Return the id of an experiment that is named, or whose id is given; it is made if need be."""
    try:
        return target.experiment(word).experiment_id
    except CommandError as error:
        if error.exit_code != NOT_FOUND:
            raise
    kind, colon, rest = word.partition(":")
    forced = kind if colon and kind in ("name", "id") else ""
    name = rest if forced else word
    if forced == "id" or (not forced and name.isdigit()):
        return keys.check_experiment_id(name)  # the run makes it
    from ..experiments import create_experiment  # likewise

    return create_experiment(name, runs_dir=target.folder)


def _refuse_missing(program: str) -> None:
    """Refuse a program that cannot be started, before there is a run of it.

    Raises:
        CommandError: It is not there (127), or is no program (126), as a shell says it.
    """
    places = [program] if os.path.dirname(program) else [os.path.join(each, program) for each in os.get_exec_path()]
    if os.name == "nt":
        return  # what the endings of programs are there, the system knows
    if program and any(os.path.isfile(place) and os.access(place, os.X_OK) for place in places):
        return
    there = [place for place in places if os.path.exists(place)]
    if not program or not there:
        raise CommandError("no program '%s'" % program, launching.NOT_FOUND, lines=["nothing was started"])
    reason = "a folder" if os.path.isdir(there[0]) else "not executable"
    message = "'%s' cannot be started: it is %s" % (program, reason)
    raise CommandError(message, launching.CANNOT_START, lines=["nothing was started"])


def _is_within_a_line(screen: Screen, log: str) -> bool:
    """Tell whether the command has left the cursor within a line, so that what we say would be joined to it.

    The log has what the terminal has got, where both streams of the command went there.
    """
    if not log or not screen.is_terminal or not screen.err.isatty():
        return False
    from .log_text import without_sequences  # where there is no terminal, it is not needed

    try:
        with open(log, "rb") as file:
            file.seek(max(0, os.path.getsize(log) - _LAST_BYTES))
            end = without_sequences(file.read().decode("utf-8", "replace"))
    except OSError:
        return False
    return bool(end) and not end.endswith("\n")


def _tell(arguments: Any, screen: Screen, run: Any, outcome: launching.Outcome, program: str) -> None:
    """Say on standard error, which the command has left, what became of the run."""
    begun, ended = clock.decode_time(run.start_time), clock.decode_time(run.end_time)
    duration_s = 0.0 if begun is None or ended is None else (ended - begun) / 1000
    asked = outcome.told.get("experiment")
    if screen.is_json:
        there = experiments.read(run.store_folder, run.experiment_id)
        names = {} if there is None else {str(run.experiment_id): there.name}
        fields = {
            "schema": "mini-mlflow/launched/1", "warnings": screen.warnings,
            **which_run(run.run_id, run.name, run.experiment_id, names),
            "status": run.status, "exit_code": outcome.exit_code, "duration_s": duration_s,
            "reason": outcome.reason or None,
        }  # fmt: skip
        screen.write_error(documents.encode(fields, screen.err_encoding))
        return
    if outcome.reason:
        screen.write_error("error: '%s' cannot be started: %s" % (screen.clean(program), outcome.reason))
    if arguments.quiet:
        return
    mark, role = screen.mark(run.status, plain=True), "quiet"
    facts = "%s after %s" % (_WORDS[run.status], spans.took(duration_s))
    if outcome.exit_code:
        facts += ", exit code %d" % outcome.exit_code
    line = "%s %s  %s  %s" % (mark, screen.clean(run.name or ""), run.run_id[:8], facts)
    screen.write_error(screen.styled_err(role, line))
    if arguments.experiment is None and asked and not _is_its_experiment(run, str(asked)):
        advice = "  the script asked for the experiment '%s': mini-mlflow mv %s '%s'"
        screen.write_error(advice % (screen.clean(str(asked)), run.run_id[:8], screen.clean(str(asked))))


def _is_its_experiment(run: Any, asked: str) -> bool:
    found = experiments.read(run.store_folder, run.experiment_id)
    return asked in (str(run.experiment_id), "" if found is None else found.name)
