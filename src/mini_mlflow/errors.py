"""Which errors and warnings can this package raise?

Every class derives from ``MiniMLflowError`` and from the nearest built-in, so that a plain ``except ValueError``
or ``except RuntimeError`` works too. The facts of a message are attributes as well.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Sequence

    from .records import Problem


class MiniMLflowError(Exception):
    """The root of every error that this package raises on purpose."""


class NoActiveRunError(MiniMLflowError, RuntimeError):
    """Raise when a function needs an active run and this thread has none."""


class ActiveRunError(MiniMLflowError, RuntimeError):
    """Raise when a run is started while this thread has an active one.

    Attributes:
        run_id: Id of the run that is active.
    """

    def __init__(self, message: str, *, run_id: Optional[str] = None) -> None:
        super().__init__(message)
        self.run_id = run_id


class RunEndedError(MiniMLflowError, ValueError):
    """Raise when something is logged to a run that has ended, or when it is ended twice.

    Attributes:
        run_id: Id of the run.
        status: The status it ended with.
    """

    def __init__(self, message: str, *, run_id: Optional[str] = None, status: Optional[str] = None) -> None:
        super().__init__(message)
        self.run_id = run_id
        self.status = status


class InvalidKeyError(MiniMLflowError, ValueError):
    """Raise when the name of a metric, param or tag is not legal (docs/format.md, rule K1).

    Attributes:
        key: The name that was refused.
    """

    def __init__(self, message: str, *, key: object = None) -> None:
        super().__init__(message)
        self.key = key


class InvalidValueError(MiniMLflowError, ValueError, TypeError):
    """Raise when a value, step or timestamp cannot be recorded as what it should be.

    Attributes:
        key: Name of the metric, param or tag.
        value: What was refused.
    """

    def __init__(self, message: str, *, key: Optional[str] = None, value: object = None) -> None:
        super().__init__(message)
        self.key = key
        self.value = value


class QueryError(InvalidValueError):
    """Raise when a filter or an order cannot be read.

    Attributes:
        text: The filter or order.
        position: Where in it, in characters from 0.
        expected: What could stand there, in words.
    """

    def __init__(
        self,
        message: str,
        *,
        text: Optional[str] = None,
        position: Optional[int] = None,
        expected: Optional[str] = None,
    ) -> None:
        super().__init__(message, value=text)
        self.text = text
        self.position = position
        self.expected = expected


class InvalidStatusError(MiniMLflowError, ValueError):
    """Raise when a run should end with a status that is none.

    Attributes:
        status: The status that was refused.
    """

    def __init__(self, message: str, *, status: object = None) -> None:
        super().__init__(message)
        self.status = status


class InvalidIdError(MiniMLflowError, ValueError):
    """Raise when a run id or experiment id is not legal (docs/format.md, rules S2 and S3).

    Attributes:
        id: The id that was refused.
    """

    def __init__(self, message: str, *, id: object = None) -> None:  # noqa: A002 - the attribute's public name
        super().__init__(message)
        self.id = id


class RunNotFoundError(MiniMLflowError, FileNotFoundError):
    """Raise when a store has no run of that id.

    Attributes:
        run_id: The id that was looked for.
        experiment_id: The experiment that was searched, None for all of them.
    """

    def __init__(self, message: str, *, run_id: Optional[str] = None, experiment_id: object = None) -> None:
        super().__init__(message)
        self.run_id = run_id
        self.experiment_id = experiment_id


class MetricNotFoundError(MiniMLflowError, LookupError):
    """Raise when a run has no metric of that name.

    Attributes:
        run_id: Id of the run.
        key: The name that was looked for.
    """

    def __init__(self, message: str, *, run_id: Optional[str] = None, key: Optional[str] = None) -> None:
        super().__init__(message)
        self.run_id = run_id
        self.key = key


class AmbiguousRunError(MiniMLflowError, ValueError):
    """Raise when several experiments of a store hold a run of the same id.

    Attributes:
        run_id: The id.
        experiment_ids: The experiments that have it.
    """

    def __init__(self, message: str, *, run_id: Optional[str] = None, experiment_ids: tuple = ()) -> None:  # type: ignore[type-arg]
        super().__init__(message)
        self.run_id = run_id
        self.experiment_ids = experiment_ids


class InvalidArtifactPathError(MiniMLflowError, ValueError):
    """Raise when the path of an artifact is not legal, or leads to what is none.

    Attributes:
        path: The path that was refused.
        reason: What is wrong with it, in words.
    """

    def __init__(self, message: str, *, path: object = None, reason: Optional[str] = None) -> None:
        super().__init__(message)
        self.path = path
        self.reason = reason


class ArtifactNotFoundError(MiniMLflowError, FileNotFoundError):
    """Raise when a run has no artifact of that path.

    Attributes:
        path: The path that was looked for.
    """

    def __init__(self, message: str, *, path: Optional[str] = None) -> None:
        super().__init__(message)
        self.path = path


class MissingPackageError(MiniMLflowError, ImportError):
    """Raise when something needs an optional package that is not installed.

    Attributes:
        package: What to install.
    """

    def __init__(self, message: str, *, package: Optional[str] = None) -> None:
        super().__init__(message)
        self.package = package


class ExperimentNotFoundError(MiniMLflowError, FileNotFoundError):
    """Raise when a store has no such experiment.

    Attributes:
        experiment_id: The id or name that was looked for.
    """

    def __init__(self, message: str, *, experiment_id: object = None) -> None:
        super().__init__(message)
        self.experiment_id = experiment_id


class ExperimentDeletedError(MiniMLflowError, ValueError):
    """Raise when something is done with a deleted experiment that it must be restored for.

    Attributes:
        experiment_id: The experiment.
    """

    def __init__(self, message: str, *, experiment_id: object = None) -> None:
        super().__init__(message)
        self.experiment_id = experiment_id


class RunExistsError(MiniMLflowError, FileExistsError):
    """Raise when a run cannot be restored or moved, as there is one of its id already.

    Attributes:
        run_id: The id.
        experiment_id: The experiment that has it.
    """

    def __init__(self, message: str, *, run_id: Optional[str] = None, experiment_id: object = None) -> None:
        super().__init__(message)
        self.run_id = run_id
        self.experiment_id = experiment_id


class ExperimentExistsError(MiniMLflowError, ValueError):
    """Raise when the name of an experiment is taken.

    Attributes:
        name: The name.
    """

    def __init__(self, message: str, *, name: Optional[str] = None) -> None:
        super().__init__(message)
        self.name = name


class UnsupportedFormatError(MiniMLflowError, ValueError):
    """Raise when a run was written in a format that this version does not know.

    Attributes:
        path: The file that says so.
        found: The format number found.
    """

    def __init__(self, message: str, *, path: Optional[str] = None, found: object = None) -> None:
        super().__init__(message)
        self.path = path
        self.found = found


class BrokenFileError(MiniMLflowError, ValueError):
    """Raise when a file of a store cannot be read as what it should be.

    Attributes:
        path: The file.
        reason: What is wrong with it, in words.
    """

    def __init__(self, message: str, *, path: Optional[str] = None, reason: Optional[str] = None) -> None:
        super().__init__(message)
        self.path = path
        self.reason = reason


class CorruptIndexError(MiniMLflowError, ValueError):
    """Raise when the index of a store does not hold what was written to it; meets no user: it is made anew.

    Attributes:
        path: Its file, None where it is in memory.
    """

    def __init__(self, message: str, *, path: Optional[str] = None) -> None:
        super().__init__(message)
        self.path = path


class StorageWarning(UserWarning):
    """Warn that a disk fault keeps values from being written; training goes on."""


def warn(message: str, *, stacklevel: int) -> None:
    """Warn with a ``StorageWarning``; never raise: training goes on even where warnings are errors.

    Args:
        message: What is to be told.
        stacklevel: Whose line the warning names: 2 is the caller's, 3 that of its caller.
    """
    import warnings  # costs 0.2 ms, and most runs never need it

    try:
        warnings.warn(message, StorageWarning, stacklevel=stacklevel + 1)
    except Warning:
        import sys

        try:
            sys.stderr.write("mini-mlflow: %s\n" % message)
        except (AttributeError, OSError, ValueError):
            pass  # there is none, or it is closed


def warn_of(problems: Sequence[Problem], *, stacklevel: int) -> None:
    """Warn of files that cannot be read, once for each; *stacklevel* is as in ``warnings.warn``."""
    if not problems:
        return
    import warnings  # costs 0.2 ms, and sound runs never need it

    for problem in dict.fromkeys(problems):
        message = "Part of a run cannot be read: %s: %s." % (problem.path, problem.reason)
        warnings.warn(message, StorageWarning, stacklevel=stacklevel + 1)


def shown(value: object) -> str:
    """Return the beginning of how *value* looks in code, for a message."""
    try:
        return "%.100r" % (value,)
    except ValueError:  # Python refuses to write out an integer of thousands of digits
        return "a value too long to show"


def near_names(name: str, there: Sequence[str]) -> List[str]:
    """Return up to three of the names that there are that come near one that nobody has, or stand for its words."""
    import difflib  # for messages alone

    short = [each for each in there if each == _initials(name) or name == _initials(each)]
    return list(dict.fromkeys([*short, *difflib.get_close_matches(name[:250], there, n=3)]))[:3]


def _initials(name: str) -> str:
    """Return what a name of several words is often called: ``lr`` for ``learning_rate``."""
    words = name[:250].replace("-", "_").replace(".", "_").replace("/", "_").split("_")
    return "".join(word[:1] for word in words) if len(words) > 1 else ""


def advice_on_name(name: str, there: Sequence[str]) -> str:
    """Return the end of a message about a name that nobody has: those that come near it, else those that there are."""
    near = near_names(name, there)
    if near:
        return "Did you mean %s?" % " or ".join(map(repr, near))
    return "There are: %s." % (", ".join(map(repr, there[:20])) or "none")
