"""mlflow.artifacts: files of runs, by run or by address."""

from __future__ import annotations

import json
import os

from ... import active, artifacts, layout
from ...artifact_names import check_artifact_path
from ...store import presence
from . import address, reading, writing
from .entities import FileInfo
from .exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional, Tuple, Union

    from .reading import Place

    Path = Union[str, os.PathLike[str]]

_RUNS = "runs:/"


def download_artifacts(
    artifact_uri: Optional[str] = None,
    run_id: Optional[str] = None,
    artifact_path: Optional[str] = None,
    dst_path: Optional[Path] = None,
    tracking_uri: Optional[Path] = None,
    registry_uri: Optional[str] = None,  # noqa: ARG001 - MLflow has it
) -> str:
    """Copy an artifact, or a folder of them, and return where it lies then.

    Args:
        artifact_uri: ``runs:/RUN_ID/PATH``, or what ``get_artifact_uri`` returned; else give *run_id*.
        run_id: The run.
        artifact_path: Its name; None for all.
        dst_path: Folder that it goes to; None: nothing is copied, and its place in the store is returned.
        tracking_uri: The store; None: that of ``set_tracking_uri``.
        registry_uri: Not looked at: there is no registry.

    Raises:
        MlflowException: There is no such run or artifact, or neither or both of *artifact_uri* and *run_id* are given.
    """
    place, path = _found(artifact_uri, run_id, artifact_path, tracking_uri)
    return fetched(place, path, dst_path)


def list_artifacts(
    artifact_uri: Optional[str] = None,
    run_id: Optional[str] = None,
    artifact_path: Optional[str] = None,
    tracking_uri: Optional[Path] = None,
) -> List[FileInfo]:
    """Return what lies in a folder of the artifacts of a run; see ``download_artifacts``.

    Raises:
        MlflowException: There is no such run, or the path leads out of it.
    """
    place, path = _found(artifact_uri, run_id, artifact_path, tracking_uri)
    return listed(place, path)


def load_text(artifact_uri: str) -> str:
    """Return the text of an artifact.

    Raises:
        MlflowException: There is none.
    """
    with open(download_artifacts(artifact_uri), encoding="utf-8") as file:
        return file.read()


def load_dict(artifact_uri: str) -> Any:
    """Return the dict or list that an artifact holds as JSON.

    Raises:
        MlflowException: There is none, or it is no JSON.
    """
    text = load_text(artifact_uri)
    try:
        return json.loads(text)
    except ValueError as error:
        raise invalid("Unable to form a JSON object from file content of %s: %s" % (artifact_uri, error)) from error


def load_image(artifact_uri: str) -> Any:
    """Return the image that an artifact holds, as one of Pillow.

    Raises:
        MlflowException: There is none.
        ImportError: Pillow is not installed.
    """
    try:
        from PIL import Image  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError as error:
        raise ImportError("load_image() makes an image of Pillow: pip install pillow.") from error
    return Image.open(download_artifacts(artifact_uri))


def listed(place: Place, path: Optional[str]) -> List[FileInfo]:
    """Return what lies in a folder of a run's artifacts, by name; nothing where there is none."""
    root = os.path.join(place.folder, layout.ARTIFACTS)
    with writing.translated():
        is_folder = not path or os.path.isdir(os.path.join(root, *check_artifact_path(path)))
        if not (is_folder or presence.is_packed(place.folder)):
            return []
        return [FileInfo(*each) for each in artifacts.list_files(root, path or None)]


def fetched(place: Place, path: Optional[str], dst_path: Optional[Path]) -> str:
    """Return where an artifact lies, copied first if *dst_path* says where to."""
    root = os.path.join(place.folder, layout.ARTIFACTS)
    with writing.translated():
        if dst_path is not None:
            return artifacts.download(root, path or None, os.fspath(dst_path))
        presence.ensure_folder(place.folder)  # who asks for a path opens it
        return artifacts.find_path(root, path) if path else root


def _found(
    artifact_uri: Optional[str], run_id: Optional[str], artifact_path: Optional[str], tracking_uri: Optional[Path]
) -> Tuple[Place, Optional[str]]:
    """Return the run that is meant, and the path below its artifacts."""
    if (artifact_uri is None) == (run_id is None):
        raise invalid("Give artifact_uri or run_id, not both and not neither.")
    store = active.store_folder(None if tracking_uri is None else address.folder_of(address.checked(tracking_uri)))
    if artifact_uri is None:
        return reading.locate(store, run_id), artifact_path
    if artifact_uri.startswith(_RUNS):
        named, _, path = artifact_uri[len(_RUNS) :].lstrip("/").partition("/")
        return reading.locate(store, named), path or None
    folder = address.folder_of(address.checked(artifact_uri)).replace(os.sep, "/")
    between, path = "/%s/" % layout.ARTIFACTS, folder + "/"
    end = path.find(between)
    while end >= 0 and not _is_run(path[:end]):
        end = path.find(between, end + 1)  # a folder above the run may be called so, too
    if end < 0:
        raise invalid("%r is no address of an artifact. Give runs:/RUN_ID/PATH." % artifact_uri)
    parent, named = os.path.split(path[:end])
    return reading.locate(os.path.dirname(parent), named), path[end + len(between) :].rstrip("/") or None


def _is_run(folder: str) -> bool:
    return os.path.isfile(os.path.join(folder, layout.META)) or presence.is_packed(folder)
