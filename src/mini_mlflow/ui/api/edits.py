"""How does the page change runs: name, note, tags, delete and restore?"""

from __future__ import annotations

from ... import upkeep
from ...errors import InvalidKeyError, InvalidValueError, MiniMLflowError
from ...keys import check_key
from ...records import NOTE
from ...store import reader
from . import plain, rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List

    from .requests import Body
    from .stores import Place, Store, Stores

MOST_TAG_CHARACTERS = 10000
MOST_NOTE_CHARACTERS = 500000


class ReadOnlyError(Exception):
    """Raise when something is to be changed where nothing may be."""


def edit(stores: Stores, body: Body) -> Dict[str, Any]:
    """Change the name, the note or tags of a run; return them as they are afterwards.

    Raises:
        ReadOnlyError: The store, or the server, takes no changes.
        RunNotFoundError: The run is gone.
        ActiveRunError: Another process writes it and says how it is called.
        InvalidValueError: A value is not legal; nothing is changed then.
    """
    place = stores.get_run(body.text("run"))
    _check_writable(place.store)
    tags, deleted = _tags(body)
    note = body.text("note", longest=MOST_NOTE_CHARACTERS) if body.has("note") else None
    name = body.text("name") if body.has("name") else None
    about: Dict[str, Any] = {"experiment_id": place.experiment_id, "runs_dir": place.store.path}
    if name is not None:
        upkeep.rename_run(place.run_id, name, **about)
    if note is not None:
        upkeep.set_note(note, place.run_id, **about)
    _change_tags(place, tags, deleted)
    return _told(place)


def tag(stores: Stores, body: Body) -> Dict[str, Any]:
    """Set and remove tags of several runs; return for which that was done, and why not for others."""
    tags, deleted = _tags(body)
    if not tags and not deleted:
        raise InvalidValueError("Neither set_tags nor delete_tags names a tag.", value=None)

    return _for_each(body, lambda ref: _change_tags(_writable(stores.get_run(ref)), tags, deleted))


def delete(stores: Stores, body: Body, forget: Callable[[str], None]) -> Dict[str, Any]:
    """Move runs to the trash; return for which that was done, and why not for others.

    Args:
        stores: The stores.
        body: The request.
        forget: Called with the folder of each run that is gone.
    """

    def change(ref: str) -> None:
        place = _writable(stores.get_run(ref))
        upkeep.delete_run(place.run_id, experiment_id=place.experiment_id, runs_dir=place.store.path)
        forget(place.folder)

    return _for_each(body, change)


def restore(stores: Stores, body: Body, forget: Callable[[str], None]) -> Dict[str, Any]:
    """Bring runs back from the trash; return for which that was done, and why not for others."""

    def change(ref: str) -> None:
        number, experiment, run_id = [*ref.split("/"), "", "", ""][:3]
        store, experiment_id = stores.get_experiment("%s/%s" % (number, experiment))
        _check_writable(store)
        upkeep.restore_run(run_id, experiment_id=experiment_id, runs_dir=store.path)
        forget(stores.get_run(ref).folder)

    return _for_each(body, change)


def code_of(error: Exception) -> str:
    """Return the word by which the page tells errors apart."""
    for kinds, code in _CODES:
        if isinstance(error, kinds):
            return str(code)
    return "broken"


def _for_each(body: Body, change: Callable[[str], None]) -> Dict[str, Any]:
    done: List[str] = []
    failed: List[Dict[str, str]] = []
    for ref in dict.fromkeys(body.get_texts("runs")):
        try:
            change(ref)
            done.append(ref)
        except ReadOnlyError:
            raise
        except (MiniMLflowError, OSError) as error:
            failed.append({"ref": ref, "code": code_of(error), "message": tell(error)})
    return {"done": done, "failed": failed}


def tell(error: Exception) -> str:
    """Return what an error says, for the page: an error of the disk by its reason alone."""
    if isinstance(error, OSError) and not isinstance(error, MiniMLflowError):
        return error.strerror or "The disk refused."
    return str(error)


def _tags(body: Body) -> Any:
    tags, deleted = body.mapping("set_tags"), body.texts("delete_tags", most=1000) or []
    for key, value in tags.items():
        _check_own(check_key(key, "Tag"))
        if not isinstance(value, str) or len(value) > MOST_TAG_CHARACTERS:
            message = "The tag %.100r must be text of at most %d characters."
            raise InvalidValueError(message % (key, MOST_TAG_CHARACTERS), key=key, value=None)
    for key in deleted:
        _check_own(key)
    return tags, deleted


def _change_tags(place: Place, tags: Dict[str, Any], deleted: List[str]) -> None:
    if tags:
        upkeep.tag_run(place.run_id, tags, experiment_id=place.experiment_id, runs_dir=place.store.path)
    for key in deleted:
        upkeep.untag_run(place.run_id, key, experiment_id=place.experiment_id, runs_dir=place.store.path)


def _check_own(key: str) -> None:
    if key.startswith("mlflow."):
        message = "The tag %.100r is set by programs. The page changes tags of other names, the name and the note."
        raise InvalidKeyError(message % key, key=key)


def _writable(place: Place) -> Place:
    _check_writable(place.store)
    return place


def _check_writable(store: Store) -> None:
    if not store.is_writable:
        raise ReadOnlyError("This store takes no changes here.")


def _told(place: Place) -> Dict[str, Any]:
    record = reader.read_folder(place.folder, place.experiment_id, place.run_id)
    return {
        "run": place.ref,
        "name": plain.value(record.metadata.get("name")),
        "note": plain.value(record.tags.get(NOTE)),
        "tags": rows.own_tags(record.tags),
    }


def _codes() -> Any:
    from ... import errors

    return (
        (ReadOnlyError, "read_only"),
        (errors.QueryError, "query"),
        ((errors.RunNotFoundError, errors.ExperimentNotFoundError, errors.ArtifactNotFoundError), "not_found"),
        (errors.MetricNotFoundError, "not_found"),
        ((errors.ActiveRunError, errors.RunExistsError, errors.ExperimentDeletedError), "conflict"),
        ((errors.BrokenFileError, errors.UnsupportedFormatError), "unreadable"),
        ((ValueError, TypeError), "invalid"),
    )


_CODES = _codes()
