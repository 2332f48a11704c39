"""How does this process get a second one that watches what it does to the disk?"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from .. import config
from ..store import locks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Dict, Optional, Type

# Neither the user's packages nor their settings; appended, so that no module of ours hides one of Python's.
_START = "import sys;sys.path+=sys.argv[1:];import locks,neighbour;neighbour.main(locks)"


class Companion:
    """A second process of this Python; a context manager that ends it."""

    def __init__(self) -> None:
        """Start it.

        Raises:
            OSError: There is no Python to be started, or no file to be run.
        """
        rooms = [os.path.dirname(locks.__file__), os.path.dirname(os.path.abspath(__file__))]
        if not sys.executable or not all(map(os.path.isdir, rooms)):
            raise OSError("this Python cannot start another")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _START, *rooms],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=config.program_environment(),
            universal_newlines=True,
            bufsize=1,
        )

    def __enter__(self) -> Companion:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            try:
                if stream is not None:
                    stream.close()
            except OSError:
                pass  # it has ended before us
        if kind is not None:
            self._process.kill()
        self._process.wait()

    def ask(self, command: str, path: str, count: int = 0) -> None:
        """Give it a command; one that watches is at it when this returns.

        Raises:
            OSError: It has ended.
        """
        stdin: Any = self._process.stdin
        stdin.write(json.dumps([command, path, count]) + "\n")
        stdin.flush()
        if command != "lock" and self._line() != "ready":
            raise OSError("the second process did not begin")

    def answer(self) -> Dict[str, Any]:
        """Wait for its answer.

        Raises:
            OSError: It has ended.
        """
        found = json.loads(self._line())
        return dict(found)

    def _line(self) -> str:
        stdout: Any = self._process.stdout
        line = stdout.readline()
        if not line:
            raise OSError("the second process has ended")
        return str(line).strip()
