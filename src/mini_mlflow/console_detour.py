"""How are a process's descriptors 1 and 2 led through another process, and back?

Nothing here can hold up or end the process that prints. A pipe that nobody reads fills up, and one whose reader is gone
raises an error; so the reader is a process (``console_tee``) that lives until the last writer is gone, that another
process starts anew if somebody kills it, and that answers to no signal that is meant for the program.
"""

from __future__ import annotations

import os
import sys
from time import monotonic

from . import console_file, console_tee
from .store.own_descriptor import OwnDescriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

# Neither the user's packages nor their settings; appended, so that no module of ours hides one of Python's.
_START = "import sys;sys.path.append(sys.argv[1]);import console_tee;console_tee.main(sys.argv[2:])"
_READY_S = 10.0
_DONE_S = 7.0  # a little more than the other process waits for a disk
_MARK_S = 2.0
_PIPE_BYTES = 2**20  # what is printed in one go while the terminal is slow
_PORTION = 512  # every system writes as much into a pipe at once
_OUTPUTS = (1, 2)


class Detour:
    """The way of what is printed through the other process, as this one sees it."""

    def __init__(
        self,
        mark: bytes,
        answers: OwnDescriptor,
        log_inlet: OwnDescriptor,
        inlets: Dict[int, OwnDescriptor],
        saved: Dict[int, OwnDescriptor],
    ) -> None:
        """Lead the descriptors there.

        Args:
            mark: What ends the logging of a stream.
            answers: Where the other process tells how far it is.
            log_inlet: A stream that is for the log alone.
            inlets: For each descriptor what it is led to.
            saved: For each what it leads to now.
        """
        self._mark = mark
        self._answers = answers
        self._log_inlet = log_inlet
        self._inlets = inlets
        self._saved = saved
        self._patience_ms = 1000
        for output, inlet in inlets.items():
            os.dup2(inlet.number, output)

    def sees(self, stream: Any) -> bool:
        """Tell whether what is written to a stream of Python's comes this way."""
        try:
            return stream.fileno() in self._inlets
        except (AttributeError, OSError, ValueError):
            return False

    def take(self, data: bytes) -> None:
        """Hand over what is for the log alone; where the other process is held up, it is not waited for twice."""
        while data and self._log_inlet.is_ours():
            if not _is_ready(self._log_inlet.number, self._patience_ms, is_for_reading=False):
                self._patience_ms = 0
                return
            try:
                data = data[os.write(self._log_inlet.number, data[:_PORTION]) :]
            except OSError:
                return
        self._patience_ms = 1000

    def stop(self) -> int:
        """Wait until all is passed on and logged, lead the descriptors back, and return how many bytes were lost.

        What foreign code has closed is left alone: where a descriptor led before is then no longer known, and the other
        process passes on what is printed there, to the end.
        """
        lost = 0
        try:
            # What is for the log alone has its mark last: its reader then knows of everything before it.
            streams = {inlet.number: (inlet, output) for output, inlet in sorted(self._inlets.items(), reverse=True)}
            marked = [self._end_logging(*streams[number]) for number in sorted(streams)]
            is_told = self._end_logging(self._log_inlet) or not self._log_inlet.is_ours()  # its end is a mark, too
            if all(marked) and is_told and self._answers.is_ours():
                lost = int(_answer(self._answers.number, _DONE_S) or 0)
        except (OSError, ValueError):
            pass  # the other process is gone
        finally:
            for output, inlet in self._inlets.items():
                # Else somebody led it elsewhere since, and will lead it back here.
                if inlet.is_behind(output) and self._saved[output].is_ours():
                    os.dup2(self._saved[output].number, output)
            for each in [*self._inlets.values(), *self._saved.values(), self._log_inlet, self._answers]:
                each.close()
        return lost

    def _end_logging(self, inlet: OwnDescriptor, output: int = -1) -> bool:
        """Write the mark, and tell whether that was done; by way of what is printed to where the inlet is closed."""
        descriptor = inlet.number if inlet.is_ours() else output
        try:
            return (
                inlet.is_behind(descriptor)
                and _is_ready(descriptor, int(_MARK_S * 1000), is_for_reading=False)
                and bool(os.write(descriptor, self._mark))
            )
        except BrokenPipeError:
            return True  # its reader has gone, so it was closed at the other end, and is known to be over
        except OSError:
            return False


def begin(log: int, *, is_faithful: bool = False) -> Optional[Detour]:
    """Start the other process and lead descriptors 1 and 2 through it; None where that cannot be done.

    Args:
        log: The log, open for reading and writing. The other process has a descriptor of its own of it.
        is_faithful: Whether who prints into a pipe is to learn when its reader has gone.
    """
    if not _is_python(sys.executable):
        return None
    opened: List[int] = []
    try:
        answers, control = _pipe(opened)
        streams: List[Tuple[int, int]] = []
        inlets: Dict[int, int] = {}
        saved: Dict[int, int] = {}
        for outputs in _destinations():
            outlet, inlet = _terminal(outputs[0], opened) if os.isatty(outputs[0]) else _pipe(opened)
            for output in outputs:
                inlets[output], saved[output] = inlet, _kept(os.dup(output), opened)
            streams.append((outlet, saved[outputs[0]]))
        outlet, log_inlet = _pipe(opened)
        streams.append((outlet, console_tee.NO_TARGET))
        token = os.urandom(16).hex()
        theirs = [control, *(outlet for outlet, _ in streams)]
        arguments = [
            str(control),
            str(log),
            str(console_file.MAX_LOG_BYTES),
            token,
            *("%d:%d:%d" % (*pair, is_faithful) for pair in streams),
        ]
        is_started = _spawn(arguments, [log, *theirs, *(target for _, target in streams[:-1])])
        for descriptor in theirs:
            opened.remove(descriptor)
            os.close(descriptor)
        if not is_started or _answer(answers, _READY_S) != b"ready":
            return None
        opened = []
        own = {number: OwnDescriptor(number) for number in {answers, log_inlet, *inlets.values(), *saved.values()}}
        return Detour(
            console_tee.MARK % token.encode(),
            own[answers],
            own[log_inlet],
            {output: own[inlet] for output, inlet in inlets.items()},
            {output: own[number] for output, number in saved.items()},
        )
    except (OSError, ValueError):
        return None
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _is_python(path: Optional[str]) -> bool:
    """Tell whether a program is an interpreter, and not one that has it built in."""
    return bool(path) and os.path.basename(str(path)).lower().startswith(("python", "pypy"))


def _destinations() -> List[List[int]]:
    """Return the descriptors that are open, those together that lead to the same place: their order is kept."""
    found: Dict[Any, List[int]] = {}
    for output in _OUTPUTS:
        try:
            state = os.fstat(output)
        except OSError:
            continue
        found.setdefault((state.st_dev, state.st_ino, state.st_rdev), []).append(output)
    return list(found.values())


def _kept(descriptor: int, opened: List[int]) -> int:
    """Return a descriptor of the same above those that programs know by number, to be closed if all this fails."""
    import fcntl

    if descriptor <= max(_OUTPUTS):
        low, descriptor = descriptor, fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, max(_OUTPUTS) + 1)
        os.close(low)
    opened.append(descriptor)
    return descriptor


def _pipe(opened: List[int]) -> Tuple[int, int]:
    import fcntl

    outlet, inlet = (_kept(each, opened) for each in os.pipe())
    try:
        fcntl.fcntl(inlet, getattr(fcntl, "F_SETPIPE_SZ", 1031 if sys.platform == "linux" else 0), _PIPE_BYTES)
    except OSError:
        pass  # the usual size will do
    return outlet, inlet


def _terminal(output: int, opened: List[int]) -> Tuple[int, int]:
    """Return the two sides of a terminal like the one that *output* leads to, which changes nothing on the way."""
    import fcntl
    import termios

    outlet, inlet = (_kept(each, opened) for each in os.openpty())
    attributes = termios.tcgetattr(output)
    attributes[1] &= ~termios.OPOST  # the real terminal does it
    termios.tcsetattr(inlet, termios.TCSANOW, attributes)
    fcntl.ioctl(inlet, termios.TIOCSWINSZ, fcntl.ioctl(output, termios.TIOCGWINSZ, b"\0" * 8))
    return outlet, inlet


def _spawn(arguments: List[str], given: List[int]) -> bool:
    """Start the other process, and tell whether it has gone into the background."""
    import subprocess

    command = [sys.executable, "-I", "-S", "-c", _START, os.path.dirname(console_tee.__file__), *arguments]
    nothing = subprocess.DEVNULL
    process = subprocess.Popen(
        command, stdin=nothing, stdout=nothing, stderr=nothing, pass_fds=given, start_new_session=True
    )
    try:
        return process.wait(_READY_S) == 0
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False


def _answer(descriptor: int, patience_s: float) -> Optional[bytes]:
    """Return the next line from the other process; None where none comes."""
    until = monotonic() + patience_s
    line = b""
    while not line.endswith(b"\n"):
        left_ms = int((until - monotonic()) * 1000)
        if left_ms <= 0 or not _is_ready(descriptor, left_ms, is_for_reading=True):
            return None
        letter = os.read(descriptor, 1)
        if not letter:
            return None
        line += letter
    return line.strip()


def _is_ready(descriptor: int, patience_ms: int, *, is_for_reading: bool) -> bool:
    import select

    poller = select.poll()
    poller.register(descriptor, select.POLLIN if is_for_reading else select.POLLOUT)
    return bool(poller.poll(patience_ms))
