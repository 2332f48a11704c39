"""Which id does a run get, which experiment has it, and whose child may it be?"""

from __future__ import annotations

import os

from . import config, keys, layout
from .errors import AmbiguousRunError, MiniMLflowError
from .store import reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional, Tuple, Union


def locate(store: str, run_id: Optional[str], experiment_id: Union[int, str, None]) -> Tuple[str, Union[int, str]]:
    """Return the run's id, and the experiment that has it or gets it.

    Args:
        store: The store, as an absolute path.
        run_id: The run; None makes an id.
        experiment_id: None: the experiment that has a run of this id, else 0.

    Raises:
        InvalidIdError: An id is not legal.
        AmbiguousRunError: Several experiments have a run of this id.
    """
    if experiment_id is not None:
        experiment_id = keys.check_experiment_id(experiment_id)
    if run_id is None:
        return _new_run_id(), config.DEFAULT_EXPERIMENT_ID if experiment_id is None else experiment_id
    run_id = keys.check_known_run_id(run_id)
    if experiment_id is None:
        there = reader.find_experiments(store, run_id)
        if len(there) > 1:
            raise AmbiguousRunError(
                "Run %r is in several experiments: %s. Say which with experiment_id=." % (run_id, there),
                run_id=run_id,
                experiment_ids=tuple(there),
            )
        experiment_id = there[0] if there else config.DEFAULT_EXPERIMENT_ID
    if not os.path.isdir(layout.run_folder(store, experiment_id, run_id)):
        keys.check_run_id(run_id)
    return run_id, experiment_id


def may_be_parent(store: str, parent_run_id: Any, run_id: str) -> bool:
    """Tell whether one run may become the parent of another: not where it descends from that one itself.

    Args:
        store: The store, as an absolute path.
        parent_run_id: The parent to be.
        run_id: The child to be.
    """
    waiting: List[Any] = [parent_run_id]
    seen = set()
    while waiting:
        each = waiting.pop()
        if each == run_id:
            return False
        if isinstance(each, str) and each not in seen:
            seen.add(each)
            waiting.extend(_parents(store, each))
    return True


def _parents(store: str, run_id: str) -> List[Any]:
    """Return the parents of the runs of this id; there may be one in several experiments."""
    found = []
    try:
        run_id = keys.check_known_run_id(run_id)
        for experiment_id in reader.find_experiments(store, run_id):
            folder = layout.run_folder(store, experiment_id, run_id)
            found.append(reader.read_metadata(folder, []).get("parent_run_id"))
    except (OSError, MiniMLflowError):
        pass  # what cannot be read leads nowhere
    return found


def _new_run_id() -> str:
    """Return a random UUID of version 4 (RFC 9562) as 32 hex digits, without the cost of importing uuid."""
    raw = bytearray(os.urandom(16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    return raw.hex()
