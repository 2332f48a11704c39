"""How is something done to each of several runs, and how is it told what was done and what was not?"""

from __future__ import annotations

from .. import errors
from ..store import experiments
from . import texts
from .chosen import choose_runs, id_beside
from .failures import DONE, NO, USAGE, CommandError, render, translate
from .target import find_target
from .which import which_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Sequence, Tuple

    from .chosen import ChosenRun
    from .screen import Screen
    from .target import Target

    Act = Callable[[ChosenRun], Dict[str, Any]]

ACTIVE = (experiments.ACTIVE,)
DELETED = (experiments.DELETED,)


def find_runs(
    words: Sequence[str], arguments: Any, screen: Screen, *, stages: Sequence[str] = ACTIVE
) -> Tuple[Target, List[ChosenRun]]:
    """Return the store, and the runs that words mean, all of them known before anything is done to the first.

    Args:
        words: As in ``chosen.choose_runs``; one that could mean two things is refused.
        arguments: What the command was given: ``dir`` and ``experiment`` are looked at.
        screen: The screen.
        stages: Which runs there are: ``ACTIVE`` or ``DELETED``.

    Raises:
        CommandError: A word means no run, or it is not clear which.
    """
    target = find_target(arguments)
    return target, choose_runs(
        words, target, screen, getattr(arguments, "experiment", None), is_strict=True, stages=stages
    )


def change_each(done: str, target: Target, runs: List[ChosenRun], screen: Screen, act: Act) -> int:
    """Do something to each of several runs, tell of each, and return the exit code.

    Args:
        done: What was done, in a word: ``moved``.
        target: Their store.
        runs: The runs.
        screen: The screen.
        act: Does it to one of them; returns what is to be told beside, by name.

    Raises:
        CommandError: There is one run, and it failed.
    """
    names = target.names()
    told, failed = [], []
    titles = pad_titles(runs, screen)
    for run, title in zip(runs, titles):
        document = which_run(run.run_id, run.name, run.experiment_id, names)
        try:
            document.update(act(run))
        except (errors.MiniMLflowError, OSError) as error:
            fault = translate(error)
            if len(runs) == 1:
                raise fault from error
            failed.append({**document, "error": fault.message, "exit_code": fault.exit_code})
            if not screen.is_json:
                name = " ".join(filter(None, (run.title(), id_beside(run.name, run.run_id))))
                shown = CommandError("%s: %s" % (name, fault.message), NO)
                for line in render(shown, screen):
                    screen.write_error(line)
            continue
        told.append(document)
        if not screen.is_json:
            beside = document.get("shown") or document["experiment"]
            screen.write_lines(["  ".join([done, title, screen.clean(str(beside))])])
    if screen.is_json:
        screen.write_json("changed", store=target.shown, done=done, runs=told, failed=failed)
    return NO if failed else DONE


def pad_titles(runs: Sequence[ChosenRun], screen: Screen) -> List[str]:
    """Return what names each of some runs in a list of them: its title, and its id beside that."""
    columns = (
        [screen.clean(run.title()) for run in runs],
        [id_beside(run.name, run.run_id) for run in runs],
    )
    padded = [[texts.pad(cell, max(map(texts.width_of, cells))) for cell in cells] for cells in columns if any(cells)]
    return ["  ".join(row) for row in zip(*padded)]


def confirm(question: str, arguments: Any, screen: Screen) -> bool:
    """Ask on the terminal whether something shall be done; ``-y`` says so beforehand.

    Raises:
        CommandError: There is nobody to ask.
    """
    import sys  # who does not ask needs none of it

    if arguments.yes:
        return True
    if screen.is_json or sys.stdin is None or not sys.stdin.isatty():
        raise CommandError(question, USAGE, lines=["nothing was done; -y says yes"])
    screen.err.write("%s [y/N] " % question)
    screen.flush()
    answer = sys.stdin.readline().strip().lower()
    if answer in ("y", "yes"):
        return True
    screen.write_error("nothing was done")
    return False
