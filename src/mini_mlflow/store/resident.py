"""Where does a writer live, and how does it move out when somebody else changes its files?

Rules W7 and W11 of docs/format.md.
"""

from __future__ import annotations

import errno
import os
from threading import RLock

from .. import layout
from ..clock import now_ms
from . import documents, meta
from .appender import Appender
from .home import Home, make_home
from .open_file import DisplacedError
from .spool import Entry, Notices, Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from .descriptors import DescriptorPool
    from .owner import Claim
    from .watch import Watch


class Resident:
    """The half of a ``RunWriter`` that has a home: the folder that is ours, what is open there, what it says of us.

    Attributes:
        folder: The run's folder.
        pool: The open files of this process.
        lock: Held by whoever touches the run's files, for microseconds.
        appenders: The open metric files by key; whoever finds a key here may append at once.
        parked: Where the metric files end that were closed to make room for others.
        next_steps: The next free step of metrics whose files are neither open nor parked.
        fields: What meta.yaml says.
        meta_folder: Where that meta.yaml lies; empty for a joiner, who does not say how the run stands.
        is_closed: Whether this hand has let go.
    """

    def __init__(
        self,
        folder: str,
        pool: DescriptorPool,
        generation: int,
        fields: Dict[str, Any],
        meta_folder: str,
        watch: Watch,
    ) -> None:
        self.folder = folder
        self.pool = pool
        self.lock = RLock()
        self.appenders: Dict[str, Appender] = {}
        self.parked: Dict[str, bytes] = {}
        self.next_steps: Dict[str, int] = {}
        self.fields = fields
        self.meta_folder = meta_folder
        self.is_closed = False
        self.generation = generation
        self._watch = watch
        self._home: Optional[Home] = None
        self._left: List[Claim] = []  # of the folders that we moved out of
        self._left_files: List[str] = []
        self._spool = Spool()
        self._notices = Notices(folder)

    def write_row(self, key: str, text: str, step: Optional[int], timestamp: Optional[int], now: int) -> None:
        """Write a metric's row: see ``RunWriter``."""
        raise NotImplementedError

    def tell(self, failure: OSError) -> None:
        """Tell that a disk took values and takes them back now that their file is closed."""
        self._notices.warn("may lack values that a disk took at first: %s" % failure, always=True)

    def write_meta(self, **changes: Any) -> None:
        """Write meta.yaml anew with some of its fields changed, if this writer may say how the run stands."""
        if not self.meta_folder:
            return
        self.fields.update(changes)
        is_final = self.is_closed and self._watch.is_syncing
        documents.replace(os.path.join(self.meta_folder, layout.META), meta.encode(self.fields), sync=is_final)
        if is_final:
            documents.sync(self.meta_folder)

    def _move_in(self, folder: str, claim: Claim, *, is_resumed: bool) -> Home:
        self._home = Home(folder, claim, self, is_resumed=is_resumed)
        self._watch.start(claim.device, self._give_sign_of_life)
        return self._home

    def _make_home(self) -> Home:
        """Make a folder of our own under ``writers/`` and write there from now on (rule W7)."""
        return self._move_in(*make_home(self.folder, self.generation), is_resumed=False)

    def _move_out(self, reason: str) -> None:
        """Leave our files to whoever changed them, and go on in a folder of our own (rule W11)."""
        homeless = [
            Entry(layout.METRICS, key, documents.encode_number(row.value), row.step, row.timestamp)
            for key, appender in self.appenders.items()
            for row in appender.homeless_rows()
        ]
        if self._home is not None:
            self._left_files += self._home.unsynced()
        self._close_all()
        self.parked.clear()
        home, self._home = self._home, None
        try:
            if home is not None and home.claim.is_held():
                self._left.append(home.claim)
            elif home is not None:
                home.claim.release()
                self._disinherit()
            new = self._home  # made by now if this writer is its own heir
            if new is None:
                new = self._make_home()
            while homeless:
                new.put(homeless[0], now_ms())
                del homeless[0]
        except DisplacedError as error:
            raise OSError(errno.EAGAIN, "a file was %s meanwhile" % error, self.folder) from error
        finally:
            self._spool.put_back(homeless)
        self._notices.warn(
            "was changed by somebody else (a file was %s). Values go on under %s, where every reader finds them"
            % (reason, os.path.relpath(new.folder, self.folder))
        )

    def _disinherit(self) -> None:
        """Go on where owner.json is not ours any more: as a joiner of the new owner, or else as our own heir."""
        from . import folders  # who starts a run needs nothing of what reads

        has_heir = any(generation > self.generation for generation, _ in folders.generations(self.folder))
        if has_heir:
            self.meta_folder = ""
        elif self.meta_folder:
            self.generation += 1
            self.meta_folder = self._make_home().folder
            self.write_meta(generation=self.generation)

    def _give_sign_of_life(self) -> None:
        for claim in self._claims():
            claim.touch(now_ms() / 1000)

    def _claims(self) -> List[Claim]:
        return self._left + ([] if self._home is None else [self._home.claim])

    def _close_all(self) -> None:
        """Close every open file, keeping in mind which step comes next."""
        for key, state in self.parked.items():
            self._keep_step(key, Appender.next_step_of(state))
        for key, appender in list(self.appenders.items()):
            self._keep_step(key, appender.next_step)
            appender.close()
        self.appenders.clear()

    def _keep_step(self, key: str, step: Optional[int]) -> None:
        if step is not None:
            self.next_steps[key] = step
