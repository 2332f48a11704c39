"""What does git say of the changes in a checkout? Asked in a process of its own, so that nobody waits for it."""

from __future__ import annotations

import json
import os
import sys
from collections import namedtuple
from threading import Lock
from time import monotonic, sleep

from . import config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional

    from .repository import Repository

# Neither the user's packages nor their settings; appended, so that no module of ours hides one of Python's.
_START = "import os,sys;sys.path.append(sys.argv[1]);import git_probe;git_probe.main(sys.argv[2:],os.environ)"
_GIVE_UP_S = 20.0  # the program ends itself after half of it
_MAX_ANSWER_BYTES = 4 * 2**20
_LOOK_PERIOD_S = 0.002
_ALARM = 14
_FIRST_FREE = 10  # behind what a program takes for its input and output

ProbeResult = namedtuple("ProbeResult", ["fields", "diff"])
ProbeResult.__doc__ = """What came of a probe.

Attributes:
    fields: For meta.yaml: ``git_dirty``, ``git_changed_files``; nothing where git could not tell.
    diff: The changes as text, None where there are none to show.
"""
_NOTHING = ProbeResult({}, None)


class Probe:
    """One question to git, under way or answered."""

    def __init__(self, repository: Optional[Repository]) -> None:
        """Ask.

        Args:
            repository: What to look at; None: nothing, and the answer is empty.
        """
        self._result: Optional[ProbeResult] = None
        self._descriptor = self._child = -1
        self._process: Any = None
        self._lock = Lock()
        self._owner = os.getpid()
        self._until = monotonic() + _GIVE_UP_S
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "git_probe.py")
        if (
            repository is None
            or repository.commit is None
            or not is_python(sys.executable)
            or not os.path.isfile(program)
        ):
            self._result = _NOTHING
            return
        arguments = [
            *(sys.executable, "-I", "-S", "-c", _START, os.path.dirname(program), str(self._owner)),
            *("on" if config.is_masking_wanted() else "off", repository.root, repository.git_dir),
            *(repository.common_dir, repository.commit),
        ]
        try:
            self._descriptor = _nameless_file()
            self._start(arguments)
        except (OSError, ValueError, NotImplementedError):
            self._finish(_NOTHING)

    def poll(self) -> Optional[ProbeResult]:
        """Return what came of it, None where it is still under way; never waits."""
        # A forked child learns nothing of it; of several threads, whose runs share the answer, one looks.
        if self._result is None and self._owner == os.getpid() and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()
        return self._result

    def wait(self, timeout_s: float) -> Optional[ProbeResult]:
        """Return what came of it; wait for it no longer than *timeout_s* seconds, then return None."""
        until = monotonic() + timeout_s
        while self.poll() is None and self._owner == os.getpid() and monotonic() < until:
            sleep(_LOOK_PERIOD_S)
        return self._result

    def forget(self) -> None:
        """Let go of the answer: this process is a fork of the one that asked."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = self._child = -1
        self._process = None

    def _start(self, arguments: List[str]) -> None:
        environ = config.program_environment()
        if hasattr(os, "posix_spawn"):
            # Costs 0.1 ms however large this process is; subprocess costs 10 ms to import, and may copy page tables.
            actions: List[Any] = [
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, self._descriptor, 1),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                *((os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in _inheritable()),
            ]
            options: Any = {"file_actions": actions, "setsigmask": [], "setsigdef": [_ALARM]}
            try:  # out of the reach of Ctrl-C
                self._child = os.posix_spawn(arguments[0], arguments, environ, setsid=True, **options)
            except NotImplementedError:
                self._child = os.posix_spawn(arguments[0], arguments, environ, setpgroup=0, **options)
            return
        import subprocess  # costs 10 ms, and only Windows and Python 3.7 need it

        # On Windows: no window, no Ctrl-C.
        apart: Any = {"creationflags": 0x08000200} if os.name == "nt" else {"start_new_session": True}
        streams: Any = {"stdin": subprocess.DEVNULL, "stdout": self._descriptor, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(arguments, env=environ, **streams, **apart)
        if os.name == "nt":
            self._process = process
        else:
            self._child = process.pid
            process.returncode = 0  # it is asked for here alone; else the object warns that nobody waited

    def _look(self) -> None:
        if self._result is not None:
            return  # another thread was faster
        if self._is_over():
            self._finish(_decode(self._read()))
        elif monotonic() > self._until:
            self._kill()  # over at the next look

    def _is_over(self) -> bool:
        if self._process is not None:
            return self._process.poll() is not None
        try:
            return os.waitpid(self._child, os.WNOHANG)[0] != 0
        except ChildProcessError:
            return True  # somebody waits for all children of this process, or for none

    def _kill(self) -> None:
        try:
            if self._process is not None:
                self._process.kill()
            else:
                os.kill(self._child, 9)
        except OSError:
            pass

    def _read(self) -> bytes:
        try:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            return os.read(self._descriptor, _MAX_ANSWER_BYTES)
        except OSError:
            return b""

    def _finish(self, result: ProbeResult) -> None:
        self._result = result
        self.forget()


def is_python(program: Optional[str]) -> bool:
    """Tell whether *program* runs Python: it is something else where Python is part of another program."""
    name = os.path.basename(program or "").lower()
    return ("python" in name or "pypy" in name) and not getattr(sys, "frozen", False)


def _decode(data: bytes) -> ProbeResult:
    head, _, diff = data.partition(b"\n")
    try:
        fields = json.loads(head.decode("ascii"))
        if len(diff) != fields["diff_bytes"]:
            return _NOTHING  # cut short
        return ProbeResult(fields["found"], diff or None)
    except (ValueError, LookupError, TypeError):
        return _NOTHING


def _nameless_file() -> int:
    """Return the descriptor of a file that is nowhere: a pipe holds 64 KiB, and its writer waits for the rest."""
    try:
        descriptor = os.memfd_create("mini-mlflow")
    except (AttributeError, OSError):  # Linux alone has it
        name = os.path.join(config.temporary_folder(), ".mini-mlflow-" + os.urandom(8).hex())
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
        flags |= getattr(os, "O_BINARY", 0) | getattr(os, "O_TEMPORARY", 0) | getattr(os, "O_NOINHERIT", 0)
        descriptor = os.open(name, flags, 0o600)
        if not hasattr(os, "O_TEMPORARY"):
            os.unlink(name)
    if descriptor < 3:
        import fcntl  # only where somebody has closed the standard input or output

        low, descriptor = descriptor, fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)
        os.close(low)
    return descriptor


def _inheritable() -> List[int]:
    """Return the descriptors that a new program would get from this one, but for the first three."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            numbers = sorted(int(name) for name in os.listdir(folder))
            return [number for number in numbers if number > 2 and _is_inheritable(number)]
        except OSError:
            continue
    return []


def _is_inheritable(descriptor: int) -> bool:
    try:
        return os.get_inheritable(descriptor)
    except OSError:
        return False  # it was closed meanwhile
