"""How is one artifact reached, opened and written, and never through a link?"""

from __future__ import annotations

import errno
import os

from .artifact_sources import kind_of
from .errors import ArtifactNotFoundError, InvalidArtifactPathError, shown
from .layout import TEMPORARY
from .store import held_folder, presence
from .store.copying import copy_content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, List, Tuple

    from .store.held_folder import HeldFolder

    Parts = Tuple[str, ...]


def list_visible(folder: HeldFolder) -> List[Tuple[str, os.stat_result]]:
    """Return the artifacts and folders in a folder: no links, nothing else, no temporary names."""
    return [
        (name, state)
        for name, state in folder.list_entries()
        if not name.startswith(TEMPORARY) and (held_folder.is_folder(state) or held_folder.is_file(state))
    ]


def reach(root: str, parts: Parts, *, is_made: bool = False) -> HeldFolder:
    """Open a folder of the artifacts; in a pack, where it is not to be made. Then the run is unpacked first.

    Raises:
        InvalidArtifactPathError: A part of the way is a link; when it is to be made, also where it is a file.
        ArtifactNotFoundError: A part of the way is missing or a file, and is not to be made.
    """
    if is_made:
        presence.ensure_folder(os.path.dirname(root))
    try:
        return _descend(root, parts, is_made=is_made)
    except OSError as error:
        path = "/".join(parts)
        if error.errno == errno.ENOENT and not is_made:
            raise _not_found(path) from error
        if error.errno not in held_folder.NO_FOLDER:
            raise
        if os.path.islink(error.filename):
            raise _unfit(path, "%s is a link, and links are not followed" % shown(error.filename)) from error
        if is_made:
            raise _unfit(path, "%s is no folder" % shown(error.filename)) from error
        raise _not_found(path) from error


def _descend(root: str, parts: Parts, *, is_made: bool) -> HeldFolder:
    try:
        return held_folder.descend(root, parts, is_made=is_made)
    except FileNotFoundError:
        run_folder, name = os.path.split(root)
        place = run_folder if is_made else presence.place_of(run_folder)
        if place == run_folder:
            raise
        from .store import packed_folder  # few runs are packed

        return packed_folder.descend(os.path.join(place, name), parts)


def reach_parent(root: str, parts: Parts) -> HeldFolder:
    """Open the folder that an artifact lies in."""
    try:
        return reach(root, parts[:-1])
    except ArtifactNotFoundError as error:
        raise _not_found("/".join(parts)) from error


def state_of(folder: HeldFolder, parts: Parts) -> os.stat_result:
    """Return what ``os.lstat`` says of the artifact, or folder of them, that is the last of *parts*."""
    state = folder.find(parts[-1])
    if state is None:
        raise _not_found("/".join(parts))
    if not (held_folder.is_folder(state) or held_folder.is_file(state)):
        raise _unfit("/".join(parts), "it is %s" % kind_of(state))
    return state


def open_artifact(folder: HeldFolder, parts: Parts) -> int:
    """Open the artifact that is the last of *parts* for reading."""
    if held_folder.is_folder(state_of(folder, parts)):
        raise _unfit("/".join(parts), "it is a folder")
    try:
        descriptor = folder.open_file(parts[-1])
    except OSError as error:
        if error.errno not in held_folder.NO_FOLDER:
            raise
        raise _unfit("/".join(parts), "it is a link") from error
    if not held_folder.is_file(os.fstat(descriptor)):
        os.close(descriptor)
        raise _unfit("/".join(parts), "it is no regular file")
    return descriptor


def copy_into(source: int, path: str, folder: HeldFolder, name: str, advance: Callable[[int], None]) -> None:
    """Copy the content of the open file *source*, whose path is *path*, to a file in *folder*."""
    state = os.fstat(source)

    def fill(target: int) -> None:
        copied = copy_content(source, target, state.st_size, advance)
        if copied < state.st_size:
            message = "It became shorter while it was copied (%d of %d bytes), so there is no copy"
            raise OSError(errno.EIO, message % (copied, state.st_size), path)

    write_into(folder, name, 0o666 | state.st_mode & 0o111, fill)


def write_into(folder: HeldFolder, name: str, mode: int, fill: Callable[[int], None]) -> None:
    """Write a file in *folder*: under a temporary name, and renamed when it is whole."""
    state = folder.find(name)
    if state is not None and not held_folder.is_file(state):
        raise _unfit(name, "%s is %s" % (shown(os.path.join(folder.path, name)), kind_of(state)))
    temporary, descriptor = folder.create_temporary(mode)
    try:
        try:
            fill(descriptor)
        finally:
            os.close(descriptor)  # where a network disk may still say that it is full
        folder.move(temporary, folder, name)
    except BaseException:
        try:
            folder.unlink(temporary)
        except OSError:
            pass  # it stays under a name that nobody reads, until the next sweep
        raise


def _not_found(path: str) -> ArtifactNotFoundError:
    message = "There is no artifact %s in this run. list_artifacts() tells which there are."
    return ArtifactNotFoundError(message % shown(path), path=path)


def _unfit(path: str, reason: str) -> InvalidArtifactPathError:
    message = "Artifact path %s cannot be used: %s. Choose another path, or remove what is there."
    return InvalidArtifactPathError(message % (shown(path), reason), path=path, reason=reason)
