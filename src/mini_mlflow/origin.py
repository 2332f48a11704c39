"""When does a run learn what git says of its code, and where is that written?"""

from __future__ import annotations

import os
from time import monotonic

from . import artifacts, layout, provenance

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

    from .store.writer import RunWriter

DIFF_FILE = "git.diff"
_PATIENCE_S = 0.2  # git answers within 0.1 s for most repositories


def known_fields() -> Dict[str, Any]:
    """Return what can be said at once of where a new run comes from, for its first meta.yaml.

    That is all of it where git has answered for an earlier run of this process, so that no version more is written.
    """
    fields = provenance.quick_fields()
    result = provenance.start_probe().poll()
    if result is not None:
        fields.update(result.fields, **_packages())
    return fields


class Origin:
    """Where a run comes from, as far as it takes time to find out: git's answer, and the packages that were imported.

    Both go to the run's meta.yaml, and changes that are not committed to the artifact ``git.diff``.
    """

    def __init__(self, writer: RunWriter) -> None:
        """Let git be asked in the background.

        Args:
            writer: The hand of the run's owner in its files.
        """
        self._writer = writer
        self._probe: Optional[provenance.Probe] = provenance.start_probe()
        writer.chores.append(self.note)

    def note(self) -> bool:
        """Write down what has been found out by now, and tell whether that is all."""
        probe = self._probe
        if probe is not None:
            result = probe.poll()
            if result is None:
                return False
            is_news = "packages" not in self._writer.fields or any(
                self._writer.fields.get(name) != value for name, value in result.fields.items()
            )
            self._take(result)
            if is_news:
                self._writer.write_meta(**_packages())
        return True

    def stop(self) -> None:
        """Have what can be found out ready to be written with the end of the run."""
        probe = self._probe
        if probe is not None:
            # Counted from the question, which all runs of a process share: of many short ones the first few wait.
            result = probe.wait(max(probe.asked_at + _PATIENCE_S - monotonic(), 0))
            if result is not None:
                self._take(result)
        self._writer.fields.update(_packages())

    def _take(self, result: provenance.ProbeResult) -> None:
        self._probe = None
        self._writer.fields.update(result.fields)
        if result.diff:
            folder = os.path.join(self._writer.folder, layout.ARTIFACTS)
            try:
                self._writer.extra_files.extend(artifacts.save_bytes(folder, DIFF_FILE, result.diff))
            except OSError:
                pass  # a full disk is told by the values that do not fit on it


def _packages() -> Dict[str, Any]:
    """Return the packages that were imported by now as a field, none where they are not known."""
    found = provenance.packages()
    return {"packages": found} if found else {}
