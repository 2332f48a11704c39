"""Which stores does the page show, and which folder does a reference mean?

A run is referred to by ``<number of the store>/<experiment id>/<run id>``. Folders are made of these parts alone, each
checked to be one name, and looked at without following a link.
"""

from __future__ import annotations

import os
from collections import namedtuple

from ... import keys, layout
from ...errors import InvalidIdError, RunNotFoundError, shown
from ...store import experiments, held_folder, presence, trash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

    ExperimentId = Union[int, str]

MOST_REF_CHARACTERS = 2000


class Store(namedtuple("Store", ["number", "path", "name", "is_writable"])):
    """A store that is shown.

    Attributes:
        number: Its place among those that are shown, from 0.
        path: Its folder, an absolute path.
        name: How it is called on the page.
        is_writable: Whether its runs may be changed.
    """

    __slots__ = ()

    number: int
    path: str
    name: str
    is_writable: bool


class Place(namedtuple("Place", ["store", "experiment_id", "run_id", "folder"])):
    """A run that is referred to.

    Attributes:
        store: Its store.
        experiment_id: Its experiment.
        run_id: Its id.
        folder: Where its files lie.
    """

    __slots__ = ()

    store: Store
    experiment_id: ExperimentId
    run_id: str
    folder: str

    @property
    def ref(self) -> str:
        """How the page refers to it."""
        return make_ref(self.store.number, self.experiment_id, self.run_id)

    @property
    def artifacts(self) -> str:
        """The folder of its artifacts."""
        return os.path.join(self.folder, layout.ARTIFACTS)


class Stores:
    """The stores that are shown, in a fixed order.

    Attributes:
        all: The stores.
        is_read_only: Whether nothing may be changed, whatever the disks say.
    """

    def __init__(self, folders: Sequence[str], *, is_read_only: bool = False) -> None:
        """Look at each folder once.

        Args:
            folders: Absolute paths; none of them needs to be there yet.
            is_read_only: Whether changes are refused.
        """
        self.is_read_only = is_read_only
        unique = list(dict.fromkeys(folders))
        names = _names(unique)
        self.all = [
            Store(number, path, names[number], not is_read_only and _is_writable(path))
            for number, path in enumerate(unique)
        ]

    def get_store(self, number: Any) -> Store:
        """Return a store by its number as a text.

        Raises:
            InvalidIdError: There is none.
        """
        if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) < 6:
            place = int(number)
            if place < len(self.all) and str(place) == number:
                return self.all[place]
        raise InvalidIdError("There is no store %s here, there are %d." % (shown(number), len(self.all)), id=number)

    def get_experiment(self, ref: str) -> Any:
        """Return the store and the id of an experiment that ``<store>/<experiment id>`` means.

        Raises:
            InvalidIdError: It means none.
        """
        parts = ref.split("/") if len(ref) <= MOST_REF_CHARACTERS else []
        if len(parts) != 2:
            raise InvalidIdError("%s is no reference to an experiment." % shown(ref), id=ref)
        return self.get_store(parts[0]), check_experiment(parts[1])

    def get_run(self, ref: str) -> Place:
        """Return where a run lies.

        Raises:
            InvalidIdError: It is no reference to a run.
            RunNotFoundError: There is no such run, or a link lies in its place.
        """
        return self.find_place(*self._split(ref))

    def find_place(self, store: Store, experiment: str, run_id: str) -> Place:
        """Return where a run of a store lies; see ``get_run``."""
        experiment_id, run_id = check_experiment(experiment), keys.check_known_run_id(run_id)
        folder = layout.run_folder(store.path, experiment_id, run_id)
        try:
            held_folder.descend(os.path.realpath(store.path), [str(experiment_id), run_id]).close()
        except FileNotFoundError as error:
            if not presence.is_packed(folder):
                raise _gone(experiment_id, run_id) from error
        except OSError as error:
            raise _gone(experiment_id, run_id) from error
        return Place(store, experiment_id, run_id, folder)

    def get_deleted_run(self, ref: str) -> Place:
        """Return where a run lies in the trash; of several of its id the one that was deleted last. To be read alone.

        Raises:
            InvalidIdError: It is no reference to a run.
            RunNotFoundError: There is none.
        """
        store, experiment, run_id = self._split(ref)
        experiment_id, run_id = check_experiment(experiment), keys.check_known_run_id(run_id)
        for deleted in trash.list_deleted(store.path, experiment_id):
            if deleted.run_id == run_id:
                return Place(store, experiment_id, run_id, deleted.folder)
        raise _gone(experiment_id, run_id)

    def _split(self, ref: str) -> Tuple[Store, str, str]:
        parts = ref.split("/") if len(ref) <= MOST_REF_CHARACTERS else []
        if len(parts) != 3:
            raise InvalidIdError("%s is no reference to a run." % shown(ref), id=ref)
        return self.get_store(parts[0]), parts[1], parts[2]


def _gone(experiment_id: ExperimentId, run_id: str) -> RunNotFoundError:
    message = "There is no run %s in experiment %s. It was deleted or moved, or a link lies in its place."
    text = message % (shown(run_id), shown(str(experiment_id)))
    return RunNotFoundError(text, run_id=run_id, experiment_id=experiment_id)


def make_ref(number: int, experiment_id: Any, run_id: str) -> str:
    """Return how the page refers to a run."""
    return "%d/%s/%s" % (number, experiment_id, run_id)


def check_experiment(text: str) -> ExperimentId:
    """Return the id of an experiment as the store's functions take it.

    Raises:
        InvalidIdError: It is no name of a folder.
    """
    keys.check_known_run_id(text)  # a folder of any name may be an experiment, but for hidden ones
    try:
        return keys.check_experiment_id(text)
    except InvalidIdError:
        return text


def list_experiments(store: Store) -> List[Any]:
    """Return the experiments of a store, deleted ones among them; none where it cannot be read."""
    try:
        return list(experiments.list_experiments(store.path))
    except OSError:
        return []


def _names(paths: List[str]) -> List[str]:
    """Return how stores are called: by their last two folders, longer where these are the same."""
    home = os.path.expanduser("~")
    found: Dict[int, str] = {}
    for length in range(2, 8):
        names = [_short(path, home, length) for path in paths]
        for place, name in enumerate(names):
            if place not in found and names.count(name) == 1:
                found[place] = name
    return [found.get(place, path) for place, path in enumerate(paths)]


def _short(path: str, home: str, length: int) -> str:
    if home not in ("", "/") and path.startswith(os.path.join(home, "")):
        path = os.path.join("~", path[len(home) + 1 :])
    parts = path.split(os.sep)
    return path if len(parts) <= length else os.sep.join(parts[-length:])


def _is_writable(path: str) -> bool:
    return not os.path.lexists(path) or os.access(path, os.W_OK | os.X_OK)


def tell_error(store: Store) -> Optional[str]:
    """Return what is wrong with a store's folder, None where nothing is; one that is not there is empty."""
    try:
        with os.scandir(store.path):
            return None
    except FileNotFoundError:
        return None
    except OSError as error:
        return error.strerror or str(error)
