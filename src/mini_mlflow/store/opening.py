"""How does a process come to write into a run: as its creator, its heir, or beside its owner?

Rules W2 to W7, F2 and X1 of docs/format.md.
"""

from __future__ import annotations

import os
from collections import namedtuple
from time import monotonic, sleep, time

from .. import layout
from ..clock import now_ms
from ..errors import BrokenFileError
from . import documents, experiments, locks, meta, owner, touching
from .descriptors import DescriptorPool
from .home import make_heirs_home, make_home
from .writer import RunWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Optional, Union

    from . import folders

CREATED = "created"
RESUMED = "resumed"
JOINED = "joined"

_ATTEMPTS = 100
_LOOKS = 3  # one who ends a run lets go within microseconds
_PATIENCE_S = 1.0  # who moves a run has its folder locked for less than a millisecond, unless the machine is busy
_HEIRS_LOOKS = 90  # an heir has signed within milliseconds; one that was killed before never will


class Opened(namedtuple("Opened", ["writer", "role"])):
    """A run that this process may write into.

    Attributes:
        writer: Its hand in the run.
        role: CREATED, RESUMED or JOINED.
    """

    __slots__ = ()

    writer: RunWriter
    role: str


def open_run(
    runs_dir: str,
    experiment_id: Union[int, str],
    run_id: str,
    new_fields: Callable[[], Dict[str, Any]],
    pool: DescriptorPool,
    sync_period_s: Optional[float],
    *,
    is_new: bool = False,
) -> Opened:
    """Create a run, or go on with the one of that id.

    Args:
        runs_dir: The store, as an absolute path.
        experiment_id: The experiment.
        run_id: The run.
        new_fields: Makes what meta.yaml says of a run that is created now.
        pool: The open files of this process.
        sync_period_s: As ``config.sync_period_s``.
        is_new: Whether the id was made just now, so that no pack need be asked whether it has the run.

    Raises:
        UnsupportedFormatError: The run was written in a newer format.
        BrokenFileError: Its meta.yaml cannot be read.
        OSError: The disk refused.
    """
    folder = layout.run_folder(runs_dir, experiment_id, run_id)
    experiments.ensure(runs_dir, experiment_id, now_ms())
    for attempt in range(_ATTEMPTS):
        try:
            opened = _make_or_open(folder, new_fields, pool, sync_period_s, attempt=attempt, is_new=is_new)
        except FileNotFoundError:
            if attempt == _ATTEMPTS - 1 or not os.path.isdir(os.path.dirname(folder)):
                raise
            opened = None  # the run was moved to the trash at this moment
        if opened is not None:
            return opened
        sleep(0.001)  # another process is between two steps of its own
    raise documents.broken(folder, "its owner.json comes and goes")


def join_run(folder: str, pool: DescriptorPool, sync_period_s: Optional[float]) -> RunWriter:
    """Return a joiner's writer for a run; it makes its folder when the first value comes (rule W7)."""
    from . import folders  # who starts a run needs nothing of what reads

    generations = [generation for generation, _ in folders.generations(folder)]
    return RunWriter(
        folder,
        pool,
        generation=max(generations, default=0),
        fields=folders.read_fields(folder)[0],
        sync_period_s=sync_period_s,
    )


def _make_or_open(
    folder: str,
    new_fields: Callable[[], Dict[str, Any]],
    pool: DescriptorPool,
    sync_period_s: Optional[float],
    *,
    attempt: int,
    is_new: bool,
) -> Optional[Opened]:
    if not (_make(folder) if is_new else _make_unless_packed(folder)):
        return _try_open(folder, new_fields, pool, sync_period_s, attempt=attempt)
    return _create(folder, new_fields(), pool, sync_period_s)  # nobody was there before


def _make(folder: str) -> bool:
    try:
        os.mkdir(folder)
        return True
    except FileExistsError:
        return False


def _make_unless_packed(folder: str) -> bool:
    from . import presence  # few runs are named by an id

    return presence.make_folder(folder)


def _try_open(
    folder: str,
    new_fields: Callable[[], Dict[str, Any]],
    pool: DescriptorPool,
    sync_period_s: Optional[float],
    *,
    attempt: int,
) -> Optional[Opened]:
    """Open a run as it stands at this moment; None where it changed meanwhile.

    In the first attempts that is so, too, where the owner is gone and its place was not to be had: it may just be
    ending its run, and of two heirs one must not sit beside the other.
    """
    from . import folders  # as above

    there, _ = folders.read_fields(folder)
    try:
        main = owner.read_owner(folder)
    except BrokenFileError:
        main = None
        if not there:
            raise
    if main is None and not there:
        return _create(folder, new_fields(), pool, sync_period_s)
    generations = folders.generations(folder)
    highest = max((generation for generation, _ in generations), default=0)
    highest = max(highest, meta.generation_of(there))
    claim = None
    patience_s = 0.0 if attempt else owner.HANDOVER_S
    # A takeover lifts the generation of what lies in the run's own folder: above shares of the same one it must not.
    is_next = (
        main is not None
        and [part.name for generation, part in generations if generation == highest] == [""]
        and main.generation == highest
        and not folders.is_format_0(folder, there)
    )
    if main is not None and is_next:
        claim = owner.take_over(folder, highest + 1 if there else 0, seen=main.generation, patience_s=patience_s)
    if claim is not None:
        return _inherit(folder, folder, claim, there, new_fields, pool, sync_period_s)
    has_ended = there.get("status", "RUNNING") != "RUNNING" and meta.generation_of(there) == highest
    if any(_lives(part, has_ended=has_ended) for generation, part in generations if generation == highest):
        joined = join_run(folder, pool, sync_period_s)
        return None if _has_changed_hands(folder, main) else Opened(joined, JOINED)
    if _has_changed_hands(folder, main) or (is_next and attempt < _LOOKS):
        return None
    mine = make_heirs_home(folder, highest + 1) if attempt < _HEIRS_LOOKS else make_home(folder, highest + 1)
    if mine is None:
        return None  # of those who look at this moment another was first: it is about to sign, and we join it
    return _inherit(folder, *mine, there, new_fields, pool, sync_period_s)


def _create(
    folder: str, fields: Dict[str, Any], pool: DescriptorPool, sync_period_s: Optional[float]
) -> Optional[Opened]:
    try:
        claim = owner.claim_new(folder, 0)
    except FileExistsError:
        return None  # another process was first
    if not stays(folder, claim):
        return None
    writer = RunWriter(
        folder, pool, home=folder, claim=claim, fields=fields, meta_folder=folder, sync_period_s=sync_period_s
    )
    try:
        documents.create(os.path.join(folder, layout.META), meta.encode(fields))
    except FileExistsError:
        writer.withdraw()
        return None  # another process has said meanwhile what the run is
    except BaseException:
        writer.withdraw()
        raise
    return Opened(writer, CREATED)


def _inherit(
    folder: str,
    home: str,
    claim: owner.Claim,
    there: Dict[str, Any],
    new_fields: Callable[[], Dict[str, Any]],
    pool: DescriptorPool,
    sync_period_s: Optional[float],
) -> Optional[Opened]:
    if not stays(folder, claim):
        return None
    touching.touch_run(folder)
    fields = dict({"format": layout.FORMAT_VERSION}, **(there or new_fields()))
    fields.pop("ended_by", None)
    fields.update(run_id=os.path.basename(folder), status="RUNNING", end_time=None, generation=claim.generation)
    writer = RunWriter(
        folder,
        pool,
        home=home,
        claim=claim,
        generation=claim.generation,
        fields=fields,
        meta_folder=home,
        is_resumed=True,
        sync_period_s=sync_period_s,
    )
    try:
        writer.write_meta()
        writer.mend()
        touching.touch_run(folder)
    except BaseException:
        writer.release()  # else nobody could resume or delete the run while this process lives
        raise
    return Opened(writer, RESUMED)


def stays(folder: str, claim: owner.Claim) -> bool:
    """Tell whether a run is in its place now that we have signed; let go of it if it is not (rule T3).

    Who moves a run locks its folder, and only then looks for signatures. So where the folder is not locked, whoever
    locks it later sees ours; where it is, the folder may be on its way to the trash, and perhaps back.
    """
    is_there = False
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            end = monotonic() + _PATIENCE_S
            while locks.try_lock(descriptor, shared=True) is False and monotonic() < end:
                sleep(0.001)
            is_there = claim.is_held()
        finally:
            locks.unlock(descriptor)
            os.close(descriptor)
    except FileNotFoundError:
        pass  # it is in the trash
    except OSError:
        is_there = claim.is_held()  # Windows opens no folder, and renames none in which somebody writes
    finally:
        if not is_there:
            claim.release()
    return is_there


def _has_changed_hands(folder: str, main: Optional[owner.Owner]) -> bool:
    """Tell whether another process has taken the run over while we looked: then its generation is another."""
    try:
        return main is not None and owner.read_owner(folder) != main
    except BrokenFileError:
        return True


def _lives(part: folders.Part, *, has_ended: bool) -> bool:
    """Tell whether the one who says how the run stands lives; joiners do not count."""
    try:
        record = owner.read_owner(part.folder)
    except (OSError, BrokenFileError):
        return False
    if record is None:
        return False
    is_heir = part.name.startswith(layout.heir_name(record.generation, ""))  # who may be about to write its meta.yaml
    if part.name and not is_heir and not os.path.exists(os.path.join(part.folder, layout.META)):
        return False
    return owner.liveness(part.folder, record, time(), has_ended=has_ended) == owner.ALIVE
