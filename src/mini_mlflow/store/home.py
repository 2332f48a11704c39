"""How does a value get into the files of one folder that is ours?

Rules D5, K5, W9, M13 and X1 of docs/format.md.
"""

from __future__ import annotations

import os

from .. import config, layout
from ..errors import BrokenFileError
from . import documents, owner, touching
from .appender import MAX_STEP, Appender
from .metric_text import MAX_HISTORY_BYTES
from .names import Names
from .open_file import DisplacedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, FrozenSet, Iterator, List, Optional, Set, Tuple

    from .resident import Resident
    from .spool import Entry


class Home:
    """The folder that one writer owns: a run's own, or one under ``writers/``.

    Attributes:
        folder: Where it lies.
        claim: The right to write there.
    """

    def __init__(self, folder: str, claim: owner.Claim, writer: Resident, *, is_resumed: bool) -> None:
        """Move into a folder.

        Args:
            folder: Where it lies.
            claim: The right to write there.
            writer: Whose home it is.
            is_resumed: Whether a run goes on, so that files may be there already and steps go on after the greatest.
        """
        self.folder = folder
        self.claim = claim
        self._writer = writer
        self._is_resumed = is_resumed
        self._names = Names()
        self._beside: Set[Tuple[str, str]] = set()  # kinds and keys whose place another key's file has taken (rule K5)
        self._unsynced: Set[str] = set()
        if is_resumed:
            self._names.learn(folder)

    def mend(self) -> None:
        """Write the closings that a kill has kept from being written: whether or not those metrics go on (rule M13)."""
        from . import folders, metric_file  # who starts a run needs nothing of what reads

        for _, path in folders.iter_documents(self.folder, layout.METRICS):
            try:
                key, is_whole = metric_file.read_ends(path)
                if key is not None and not is_whole:
                    appender = Appender(key, path, self._writer)
                    _can_go_on(appender)
                    appender.close()
            except (OSError, BrokenFileError):
                continue  # readers report it

    def put(self, entry: Entry, now: int) -> None:
        """Write one value.

        Raises:
            DisplacedError: Somebody else has changed our files.
            BrokenFileError: A file that is in the way cannot be read.
            OSError: The disk refused.
        """
        if entry.kind == layout.METRICS:
            self._put_row(entry, now)
        else:
            self._put_document(entry)

    def unsynced(self) -> List[str]:
        """Return every file that was written and not yet brought to the disk, and forget the documents among them."""
        written = {self._path(layout.METRICS, key) for key in self._writer.parked}
        written.update(appender.path for appender in self._writer.appenders.values())
        written |= self._unsynced
        self._unsynced = set()
        return sorted(written)

    def _put_row(self, entry: Entry, now: int) -> None:
        appenders = self._writer.appenders
        appender = appenders.get(entry.key) or self._unpark(entry.key)
        if appender is None:
            appender, is_written = self._create_or_adopt(entry)
            appenders[entry.key] = appender
            if is_written:
                appender.rest()
                return
        try:
            self._append(appender, entry, now)
        finally:
            appender.rest()

    def _append(self, appender: Appender, entry: Entry, now: int) -> None:
        step = entry.step
        if step is None:
            step = appender.next_step
            if step is None:
                step = self._first_step(entry.key)
        appender.write(step, entry.timestamp, entry.value, now)
        if entry.step is None:
            known = appender.next_step
            appender.next_step = min(step + 1 if known is None else max(step + 1, known), MAX_STEP)

    def _unpark(self, key: str) -> Optional[Appender]:
        state = self._writer.parked.get(key)
        if state is None:
            return None
        appender = Appender(key, self._path(layout.METRICS, key), self._writer)
        try:
            appender.unpark(state)
        except BaseException:
            appender.close()
            raise
        del self._writer.parked[key]
        self._writer.appenders[key] = appender
        return appender

    def _create_or_adopt(self, entry: Entry) -> Tuple[Appender, bool]:
        """Return an appender, and whether its file was born with the row in it, or was there before."""
        known = self._writer.next_steps.get(entry.key)
        step = self._first_step(entry.key) if entry.step is None else entry.step
        for path in self._iter_paths(layout.METRICS, entry.key):
            appender = Appender(entry.key, path, self._writer)
            try:
                self._in_folder(layout.METRICS, lambda: appender.create(step, entry.timestamp, entry.value))  # noqa: B023 - called at once
                if known is not None:
                    appender.next_step = min(max(step + 1, known), MAX_STEP)
                elif entry.step is not None and self._is_resumed:
                    appender.next_step = None  # other writers may have gone further; asked when it matters
                return appender, True
            except FileExistsError:
                if _holds(path, layout.METRICS, entry.key) and _can_go_on(appender):
                    appender.next_step = known
                    return appender, False
            except BaseException:
                appender.close()
                raise
        raise DisplacedError("broken")

    def _first_step(self, key: str) -> int:
        known = self._writer.next_steps.get(key)
        if known is None:
            known = 0
            if self._is_resumed:
                from . import folders  # as above

                greatest = folders.greatest_step(self._writer.folder, key)
                known = 0 if greatest is None else min(greatest + 1, MAX_STEP)
        return known

    def _put_document(self, entry: Entry) -> None:
        data = documents.encode_value(entry.key, entry.value, entry.timestamp)
        for path in self._iter_paths(entry.kind, entry.key):
            try:
                self._in_folder(entry.kind, lambda: documents.create(path, data))  # noqa: B023 - called at once
            except FileExistsError:
                if not _holds(path, entry.kind, entry.key):
                    continue
                documents.replace(path, data)
            self._unsynced.add(path)
            return
        raise DisplacedError("broken")

    def _iter_paths(self, kind: str, key: str) -> Iterator[str]:
        """Yield where a key's file may lie: its place, and the one beside it if that is another's (rule K5)."""
        path = self._path(kind, key)
        yield path
        self._beside.add((kind, key))
        if self._path(kind, key) != path:
            yield self._path(kind, key)

    def _path(self, kind: str, key: str) -> str:
        stem = layout.hashed_stem(key) if (kind, key) in self._beside else self._names.stem(kind, key)
        return os.path.join(self.folder, kind, layout.file_name(stem))

    def _in_folder(self, kind: str, create: Callable[[], None]) -> None:
        """Create a file in one of our folders, and the folder with it, but nothing above (rule D5)."""
        try:
            create()
        except FileNotFoundError:
            if not self.claim.is_held():
                raise DisplacedError("removed") from None
            try:
                os.mkdir(os.path.join(self.folder, kind))
            except FileExistsError:
                pass
            create()


def make_home(run_folder: str, generation: int) -> Tuple[str, owner.Claim]:
    """Make a folder for one more writer of a run, owned by this process (rule W7)."""
    folder = os.path.join(
        _writers_of(run_folder), layout.writer_name(config.host_name(), os.getpid(), os.urandom(4).hex())
    )
    try:
        os.mkdir(folder)
    except FileExistsError:
        pass  # NFS has repeated our own request: nobody else has a folder of this random name
    claim = owner.claim_new(folder, generation)
    touching.touch_run(run_folder)  # from now on whoever looks sees that somebody writes
    return folder, claim


def make_heirs_home(run_folder: str, generation: int) -> Optional[Tuple[str, owner.Claim]]:
    """Make the folder of the one who resumes a run in this generation; None where another was first (rule W6)."""
    writers = _writers_of(run_folder)
    try:
        os.mkdir(os.path.join(writers, layout.heir_mark(generation)))
    except FileExistsError:
        return None
    # The name is one's own, so that copies of a run that were resumed apart merge without hiding each other's values.
    folder = os.path.join(writers, layout.heir_name(generation, os.urandom(4).hex()))
    os.mkdir(folder)
    return folder, owner.claim_new(folder, generation)


def _writers_of(run_folder: str) -> str:
    writers = os.path.join(run_folder, layout.WRITERS)
    try:
        os.mkdir(writers)
    except FileExistsError:
        pass
    return writers


def _can_go_on(appender: Appender) -> bool:
    """Open a file that was there before; one that cannot be mended is left as it is, for check and for people."""
    try:
        appender.adopt()
    except BrokenFileError:
        appender.close()
        return False
    return True


def _holds(path: str, kind: str, key: str) -> bool:
    """Tell whether the file at *path* is the key's own; one that cannot be read is nobody's to touch."""
    from . import folders  # as above

    try:
        return folders.key_in(path, kind) == key
    except (OSError, BrokenFileError):
        return False


def bring_to_disk(run_folder: str, files: List[str], *, anew: FrozenSet[str] = frozenset()) -> None:
    """Sync files of ours within a run, and the folders that name them up to the store's own (rule P2).

    Args:
        run_folder: The run's folder. Folders from there on may belong to others, who keep them.
        files: The files.
        anew: Those of them that are written once more where their sync failed, to another place on the disk: a second
            sync of the same file would succeed without having written what the first one dropped.

    Raises:
        OSError: The disk refused one; all were tried.
    """
    experiment = os.path.dirname(run_folder)
    store = os.path.dirname(experiment)
    inside: Set[str] = set()
    for path in files:
        folder = os.path.dirname(path)
        while folder not in inside and folder.startswith(run_folder + os.sep):
            inside.add(folder)
            folder = os.path.dirname(folder)
    ours = sorted(inside, reverse=True)  # what lies in a folder stands before it
    above = [os.path.join(run_folder, layout.WRITERS), run_folder, experiment, store, os.path.dirname(store)]
    failure: Optional[OSError] = None
    for path in dict.fromkeys([*files, os.path.join(experiment, layout.META), *ours, *above[1:]]):
        try:
            documents.sync(path)
        except FileNotFoundError:
            continue  # somebody else removed it
        except OSError as error:
            if path in above and isinstance(error, PermissionError):
                continue
            failure = failure or error
            if path in anew:
                try:
                    documents.replace(path, documents.read(path, MAX_HISTORY_BYTES), sync=True)
                except (OSError, BrokenFileError):
                    continue  # that it failed is told anyway
    if failure is not None:
        raise failure
