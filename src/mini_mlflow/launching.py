"""How does a command run as a tracked run, as if nobody watched?

Nothing here can fail or hold up the command once it has started: it has our terminal, our folder and our group of
processes, so that what a user types reaches both, and its console goes through another process (``console``).
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections import namedtuple

from . import config, console, forwarding, identity, joining, surroundings
from .command_origin import stand_for_command
from .errors import warn
from .keys import MAX_LABEL_LENGTH
from .run import Run
from .store import joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Mapping, Optional, Union

FINISHED, FAILED, KILLED = "FINISHED", "FAILED", "KILLED"
CANNOT_START = 126  # as a shell has it
NOT_FOUND = 127
_SHELLS_SIGNAL = 128  # a shell adds the signal's number to it
_LOOK_S = 1.0
_BROKEN = object()
# What a program does to itself: it has failed. Whoever sends another signal wants it gone.
_FAULTS = {
    getattr(signal, name, None) for name in ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGSYS", "SIGTRAP")
}
_CANCELS = {getattr(signal, name, None) for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGTERM")} - {None}


class Outcome(namedtuple("Outcome", ["exit_code", "is_interrupted", "reason", "told"])):
    """How a command ended.

    Attributes:
        exit_code: Its own, 128 and the signal's number where one ended it; 126 where it could not be started.
        is_interrupted: Whether Ctrl-C in our terminal ended it.
        reason: Why it could not be started; empty where it was.
        told: What a Python script in it said of its run; see ``store.joined``.
    """

    __slots__ = ()

    exit_code: int
    is_interrupted: bool
    reason: str
    told: Dict[str, Any]


class Launch:
    """A command that is tracked.

    Attributes:
        run: Its run, which lives from the beginning on.
        log: The file with what the command printed; empty where that is not kept.
    """

    def __init__(
        self,
        command: List[str],
        *,
        store: str,
        experiment_id: Union[int, str, None] = None,
        name: Optional[str] = None,
        tags: Optional[Mapping[str, Any]] = None,
    ) -> None:
        """Start the run; the command itself is started by ``follow``.

        Args:
            command: The program and its arguments, which no shell reads.
            store: The store, as an absolute path.
            experiment_id: As in ``Run``.
            name: The run's name; None: one that a script in it gives, else one is made.
            tags: Tags to begin with; checked.

        Raises:
            InvalidValueError: The name is not legal.
            ExperimentDeletedError: The experiment is deleted.
            ImportError: Something that the environment asks for is not installed.
            OSError: The disk refused.
        """
        self._command = command
        self._has_name = name is not None
        self.log = ""
        self.signals = forwarding.Signals()
        try:
            stand_for_command(command)
            outer = joining.find(store)
            with self.signals.held_back():  # a run's threads must not take signals that are meant for the command
                self.run = Run(
                    experiment_id=experiment_id,
                    name=name,
                    runs_dir=store,
                    parent_run_id=None if outer is None else outer.run_id,
                    default_name=identity.generated_name(),
                )
                try:
                    self.run.set_tags(tags or {})
                    self._start_monitor()
                except BaseException:
                    self.run.end(FAILED)
                    raise
        except BaseException:
            self.signals.release()
            raise

    def follow(self) -> Outcome:
        """Start the command, wait until it ends, and end its run as it did."""
        _guarded(self._start_capture)
        if self.signals.number:
            code, reason = -self.signals.number, ""
        else:
            environ = surroundings.environment_of_command(
                self.run.store_folder, self.run.experiment_id, self.run.run_id
            )
            try:
                # Ours are closed by themselves; what else is open was meant for the command: `run -- cat <(zcat x)`.
                process = subprocess.Popen(self._command, env=environ, close_fds=False)
            except (OSError, ValueError) as error:
                code, reason = CANNOT_START, getattr(error, "strerror", None) or str(error)
            else:
                code, reason = self._wait(process), ""
        told = _guarded(self._told, {})
        _guarded(lambda: self._note(code, told))
        _guarded(lambda: self._end(code, told))
        exit_code = code if code >= 0 else _SHELLS_SIGNAL - code
        is_interrupted = code == -signal.SIGINT and self.signals.is_from_terminal
        return Outcome(exit_code, is_interrupted, reason, told)

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for the command and pass signals on to it; return its exit code, the number of a signal below 0."""
        with self.signals.passed_on(process):
            while True:
                code = _guarded(lambda: self.signals.wait(process, _LOOK_S), _BROKEN)
                if code is _BROKEN:
                    code = forwarding.wait_for(process, _LOOK_S)
                if code is not None:
                    return int(code)
                _guarded(self._look)

    def _start_capture(self) -> None:
        capture = console.start(self.run.get_artifact_uri(), is_faithful=True)
        self.run.accompany(capture)
        self.log = capture.path
        if capture.path:
            self.run.writer.extra_files.append(capture.path)
            if not capture.has_children:
                warn("What the command prints is not kept: this system cannot lead it past us unchanged.", stacklevel=2)

    def _look(self) -> None:
        """Once a second, write down what is known by now; it waits for the end elsewise, and nothing is logged here."""
        run = self.run
        with run.writer.lock:
            for chore in list(run.writer.chores):
                if chore():
                    run.writer.chores.remove(chore)
        told = _as_fields(self._told(), has_name=self._has_name)
        if told.get("name", run.name) != run.name:
            run.name = told["name"]
            run.change_metadata({"name": run.name})

    def _note(self, code: int, told: Dict[str, Any]) -> None:
        """Write down what is known of the command now that it has ended."""
        fields = _as_fields(told, has_name=self._has_name)
        self.run.name = fields.get("name", self.run.name)
        self.run.change_metadata({**fields, "exit_code": code})

    def _end(self, code: int, told: Dict[str, Any]) -> None:
        self.run.end(status_of(code, told.get("status"), is_cancelled=self.signals.number in _CANCELS))

    def _told(self) -> Dict[str, Any]:
        return joined.read_told(self.run.writer.folder, self.run.writer.generation)

    def _start_monitor(self) -> None:
        interval_s = config.system_metrics_interval_s()
        if interval_s is not None:
            from . import system  # few want it

            system.check_installed()
            self.run.accompany(system.start(self.run, interval_s or system.INTERVAL_S))


def _guarded(work: Callable[[], Any], otherwise: Any = None) -> Any:
    """Return what some work returns, *otherwise* where it fails: whatever is wrong with us, the command goes on."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - as above
        warn("Not all of the command could be recorded: %s" % (str(error) or repr(error)), stacklevel=3)
        return otherwise


def status_of(code: int, told: Optional[str], *, is_cancelled: bool) -> str:
    """Return the status of a run from how its command ended.

    Args:
        code: Its exit code; below 0 the number of the signal that ended it.
        told: What a script in it said, None where there is none.
        is_cancelled: Whether somebody wanted it gone.
    """
    if code == 0:
        return told if told in (FINISHED, FAILED, KILLED) else FINISHED
    if code < 0:
        return FAILED if -code in _FAULTS else KILLED
    if is_cancelled or told == KILLED or code - _SHELLS_SIGNAL in _CANCELS:  # a shell in between says it so
        return KILLED
    return FAILED


def _as_fields(told: Dict[str, Any], *, has_name: bool) -> Dict[str, Any]:
    """Return what a script said as fields of meta.yaml, as far as it makes sense there.

    Args:
        told: See ``store.joined``.
        has_name: Whether the run has a name of its user's, which counts for more.
    """
    fields: Dict[str, Any] = {}
    for name, kind in (("name", str), ("python", str), ("packages", dict), ("ended_by", str)):
        value = told.get(name)
        if isinstance(value, kind) and value and len(value) <= MAX_LABEL_LENGTH and not (has_name and name == "name"):
            fields[name] = value
    return fields


def die_of_interrupt() -> None:
    """End this process by SIGINT, as the command did: a shell that runs a loop learns that the user wants out."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
