"""Which run does the environment hold ready for the first run that is started, and whose children are those after it?

``mini-mlflow run`` tracks a command, and names its run in the command's environment. Rule W13 of docs/format.md.
"""

from __future__ import annotations

import os
from collections import namedtuple

from . import active, config, keys, layout, surroundings
from .errors import InvalidIdError, MiniMLflowError, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Union


class Place(namedtuple("Place", ["experiment_id", "run_id", "folder"])):
    """The run that the environment names, as it lies in a store.

    Attributes:
        experiment_id: Its experiment.
        run_id: Its id.
        folder: Its folder.
    """

    __slots__ = ()

    experiment_id: Union[int, str]
    run_id: str
    folder: str


def find(store: str) -> Optional[Place]:
    """Return the run that the environment names, None where it names none or this store does not have it.

    Args:
        store: The store, as an absolute path.
    """
    run_id = surroundings.tracked_run_id()
    if run_id is None:
        return None
    experiment_id = surroundings.tracked_experiment_id()
    try:
        run_id = keys.check_known_run_id(run_id)
        ids = _experiments_with(store, run_id) if experiment_id is None else [keys.check_experiment_id(experiment_id)]
    except InvalidIdError:
        return None
    places = [Place(each, run_id, layout.run_folder(store, each, run_id)) for each in ids]
    places = [place for place in places if os.path.isdir(place.folder)]
    return places[0] if len(places) == 1 else None


def take(place: Place) -> Optional[Teller]:
    """Return who tells what the run that is started now says, if it is to be the run that the environment names.

    That is so for the first one that is started by whatever process, and for the first one of each further rank. None:
    it becomes that run's child.
    """
    if not active.take_tracked_run():
        return None
    from .store import joined  # few processes are started so

    if surroundings.rank() > 0:
        return Teller("")
    mark = joined.claim_first(place.folder)
    return None if mark == "" else Teller(mark or "")


class Teller:
    """What the first who joins a run says of it, for the owner to take over: its name, how it ended, its packages."""

    def __init__(self, mark: str) -> None:
        """Begin to tell.

        Args:
            mark: Where; empty: nowhere.
        """
        self._mark = mark
        self._pid = os.getpid()
        self._fields: Dict[str, Any] = {}

    def begin(self, *, name: Optional[str] = None, experiment: Any = None) -> None:
        """Tell what was asked for when the run was started.

        Args:
            name: The run's name; None: none.
            experiment: Its experiment, by id or name; None: none.
        """
        self.tell(name=name, experiment=None if experiment is None else str(experiment), **_origin("python"))

    def end(self, status: str, **more: str) -> None:
        """Tell how this process's part ended, and why."""
        self.tell(status=status, **more, **_origin("packages"))

    def tell(self, **fields: Any) -> None:
        """Add what is known by now of the fields of meta.yaml, None for nothing; nothing happens in a forked child.

        A disk that refuses costs no more than these remarks, so training goes on.
        """
        self._fields.update({name: value for name, value in fields.items() if value is not None})
        if not self._mark or self._pid != os.getpid():
            return
        from .store import joined

        try:
            joined.tell(self._mark, self._fields)
        except (OSError, MiniMLflowError) as error:
            warn("What this process says of its run could not be told to who tracks it: %s" % error, stacklevel=2)


def _origin(what: str) -> Dict[str, Any]:
    """Return which Python or which packages this process has, nothing where nobody wants to know."""
    if not config.is_provenance_wanted():
        return {}
    from . import provenance  # costs milliseconds

    return {what: provenance.packages() if what == "packages" else provenance.quick_fields()[what]}


def _experiments_with(store: str, run_id: str) -> Any:
    from .store import experiments

    return experiments.list_ids(store, run_id)
