"""What does git say of the changes in a checkout? Asked in a process of its own, so that nobody waits for it."""

from __future__ import annotations

import json
import os
import sys
from collections import namedtuple
from threading import Lock
from time import monotonic, sleep

from . import config
from .store.own_descriptor import OwnDescriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional

    from .repository import Repository

# Neither the user's packages nor their settings; appended, so that no module of ours hides one of Python's.
_START = "import os,sys;sys.path.append(sys.argv[1]);import git_probe;git_probe.main(sys.argv[2:],os.environ)"
_GIVE_UP_S = 20.0  # the program ends itself after half of it
_MAX_ANSWER_BYTES = 4 * 2**20
# The program is no child of this process, which may wait for all of its own, count them, or die as the first process of
# a container: a shell that ends at once stands between. Arguments are no part of the text that it reads.
_SHELL = ("/bin/sh", "-c", '"$@" &', "sh")
_SHELL_S = 0.1  # it takes a millisecond
_LOOK_PERIOD_S = 0.002
_SHELL_LOOK_PERIOD_S = 0.0002
_ALARM, _KILL = 14, 9
_FIRST_FREE = 10  # behind what a program takes for its input and output

ProbeResult = namedtuple("ProbeResult", ["fields", "diff"])
ProbeResult.__doc__ = """What came of a probe.

Attributes:
    fields: For meta.yaml: ``git_dirty``, ``git_changed_files``; nothing where git could not tell.
    diff: The changes as text, None where there are none to show.
"""
_NOTHING = ProbeResult({}, None)


class Probe:
    """One question to git, under way or answered.

    Attributes:
        asked_at: When it was asked, on the clock of ``time.monotonic``.
    """

    def __init__(self, repository: Optional[Repository]) -> None:
        """Ask.

        Args:
            repository: What to look at; None: nothing, and the answer is empty.
        """
        self.asked_at = monotonic()
        self._result: Optional[ProbeResult] = None
        self._descriptor: Optional[OwnDescriptor] = None
        self._group = 0  # that of the program, by the number of the shell
        self._has_child = False
        self._process: Any = None
        self._lock = Lock()
        self._owner = os.getpid()
        self._until = self.asked_at + _GIVE_UP_S
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "git_probe.py")
        if (
            repository is None
            or repository.commit is None
            or not is_python(sys.executable)
            or not os.path.isfile(program)
            or not os.access(sys.executable, os.X_OK)
        ):
            self._result = _NOTHING
            return
        arguments = [
            *(sys.executable, "-I", "-S", "-c", _START, os.path.dirname(program), str(self._owner)),
            *("on" if config.is_masking_wanted() else "off", repository.root, repository.git_dir),
            *(repository.common_dir, repository.commit),
        ]
        try:
            self._descriptor = OwnDescriptor(_nameless_file())
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
        if self._descriptor is not None:
            self._descriptor.close()
        self._descriptor = self._process = None
        self._group = 0

    def _start(self, arguments: List[str]) -> None:
        assert self._descriptor is not None
        environ = config.program_environment()
        if os.name == "nt":
            import subprocess  # costs 10 ms, and only Windows and Python 3.7 need it

            # No window, no Ctrl-C.
            streams: Any = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "creationflags": 0x08000200}
            self._process = subprocess.Popen(arguments, env=environ, stdout=self._descriptor.number, **streams)
            return
        noise = _hold_back_sigchld()
        try:
            self._group = _spawn([*_SHELL, *arguments], environ, self._descriptor.number)
            self._has_child = True
            self._wait_for_child(_SHELL_S, _SHELL_LOOK_PERIOD_S, self._group)
            # A process that gets the orphans, as the first of a container does, is the program's parent again.
            self._reap()
        finally:
            _let_sigchld_through(noise)

    def _wait_for_child(self, patience_s: float, period_s: float, which: int = 0) -> None:
        until = monotonic() + patience_s
        while self._has_child and not self._reap(which) and monotonic() < until:
            sleep(period_s)

    def _reap(self, which: int = 0) -> bool:
        """Take note of the end of the shell, or of whatever is a child of this process; tell whether there was one."""
        try:
            return self._has_child and os.waitpid(which or -self._group, os.WNOHANG)[0] != 0
        except OSError:  # there is none any more, or somebody waits for all children of this process
            self._has_child = False
            return False

    def _look(self) -> None:
        if self._result is not None:
            return  # another thread was faster
        self._reap()
        is_alive = self._is_alive()
        # On Windows no more than the end tells that all was written.
        result = None if is_alive and self._process is not None else _decode(self._read())
        if result is not None and not self._has_child:
            self._finish(result)
        elif not is_alive:
            self._finish(_NOTHING)
        elif monotonic() > self._until:
            self._kill()  # over at the next look

    def _is_alive(self) -> bool:
        """Tell whether the program may still run."""
        if self._process is not None:
            return self._process.poll() is None
        # The number of a group is given to no other process as long as one of the group lives.
        return self._has_child or (not _exists(self._group) and _exists(-self._group))

    def _kill(self) -> None:
        try:
            if self._process is not None:
                self._process.kill()
            elif self._is_alive():
                os.kill(-self._group, _KILL)
        except OSError:
            pass

    def _read(self) -> bytes:
        if self._descriptor is None or not self._descriptor.is_ours():
            return b""
        number = self._descriptor.number
        try:
            if hasattr(os, "pread"):  # the program writes where its copy of the descriptor stands, which is the same
                return os.pread(number, _MAX_ANSWER_BYTES, 0)
            os.lseek(number, 0, os.SEEK_SET)
            return os.read(number, _MAX_ANSWER_BYTES)
        except OSError:
            return b""

    def _finish(self, result: ProbeResult) -> None:
        self._result = result
        self.forget()


def is_python(program: Optional[str]) -> bool:
    """Tell whether *program* runs Python: it is something else where Python is part of another program."""
    name = os.path.basename(program or "").lower()
    return ("python" in name or "pypy" in name) and not getattr(sys, "frozen", False)


def _decode(data: bytes) -> Optional[ProbeResult]:
    """Return what the program says, None where it is not complete."""
    head, _, diff = data.partition(b"\n")
    try:
        fields = json.loads(head.decode("ascii"))
        return ProbeResult(fields["found"], diff or None) if len(diff) == fields["diff_bytes"] else None
    except (ValueError, LookupError, TypeError):
        return None


def _spawn(arguments: List[str], environ: Any, output: int) -> int:
    """Start a program in a group of its own, out of the reach of Ctrl-C, and return its process id."""
    if not hasattr(os, "posix_spawn"):
        import subprocess  # costs 10 ms, and only Windows and Python 3.7 need it

        nothing = subprocess.DEVNULL
        process = subprocess.Popen(
            arguments, env=environ, stdin=nothing, stdout=output, stderr=nothing, start_new_session=True
        )
        process.returncode = 0  # it is waited for by its number alone; else the object warns that nobody did
        return process.pid
    # Costs 0.1 ms however large this process is; subprocess costs 10 ms to import, and may copy page tables.
    actions: List[Any] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, output, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        *((os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in _inheritable()),
    ]
    options: Any = {"file_actions": actions, "setsigmask": [], "setsigdef": [_ALARM]}
    try:
        return os.posix_spawn(arguments[0], arguments, environ, setsid=True, **options)
    except NotImplementedError:
        return os.posix_spawn(arguments[0], arguments, environ, setpgroup=0, **options)


def _exists(number: int) -> bool:
    """Tell whether there is a process; a group, by its number below 0."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return number > 0  # somebody else's; of ours, one that has ended, as macOS says it
    return True


def _hold_back_sigchld() -> Any:
    """Keep the end of the shell from a handler of the user's, and return what was blocked before; None: no need to."""
    import _signal as signal  # type: ignore[import-not-found]  # built in; signal itself costs 0.3 ms more

    if not hasattr(signal, "sigtimedwait") or signal.getsignal(signal.SIGCHLD) in (signal.SIG_DFL, signal.SIG_IGN):
        return None
    return signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])


def _let_sigchld_through(blocked: Any) -> None:
    if blocked is None:
        return
    import _signal as signal

    # One signal may tell of several children: where another has changed, the user hears of it.
    is_ours = signal.SIGCHLD not in blocked and signal.sigtimedwait([signal.SIGCHLD], 0) is not None
    if is_ours and _has_changed_child():
        os.kill(os.getpid(), signal.SIGCHLD)
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _has_changed_child() -> bool:
    options = os.WEXITED | os.WSTOPPED | os.WCONTINUED | os.WNOHANG | os.WNOWAIT
    try:
        return os.waitid(os.P_ALL, 0, options) is not None
    except OSError:
        return False


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
