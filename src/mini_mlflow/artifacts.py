"""How do files of the user's get into a run and out of it?

Every function works below one folder, ``<run>/artifacts``, and takes paths from there. A file has its name only when
it is whole: until then it has a temporary one beside it. Links are never followed below that folder; what the user
names as a source or a destination is the user's own, and links to files there are followed.
"""

from __future__ import annotations

import os

from . import layout
from .artifact_files import copy_into, list_visible, open_artifact, reach, reach_parent, state_of, write_into
from .artifact_names import check_artifact_folder, check_artifact_path
from .artifact_sources import SourceFolder, open_source, source_path
from .errors import ArtifactNotFoundError, InvalidValueError, shown
from .progress import Progress
from .records import FileInfo
from .store import documents, held_folder, presence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, List, Optional, Tuple, Union

    Path = Union[str, os.PathLike[str]]
    Parts = Tuple[str, ...]
    OnProgress = Optional[Callable[[int, int], None]]

_LEFTOVER_S = 3600.0


def save_file(
    root: str, source: Path, artifact_path: Optional[str] = None, *, on_progress: OnProgress = None
) -> List[str]:
    """Copy a file to the artifacts; one of the same name is replaced in one step.

    The copy has the permissions of any new file, and may be executed if the source may. A source that grows meanwhile
    is copied up to the size it had at the beginning.

    Args:
        root: The folder of the artifacts, an absolute path; made if it is missing, but nothing above it.
        source: The file; a link to one is followed.
        artifact_path: Folder that it goes to; None: the top.
        on_progress: Called now and then with the bytes done and the bytes in all. None: a line on the terminal.

    Returns:
        The absolute paths that were written.

    Raises:
        InvalidArtifactPathError: The path is not legal, leads through a link, or something else lies there.
        InvalidValueError: The source is no regular file.
        IsADirectoryError: The source is a folder.
        OSError: The source or the disk refused, or the source became shorter; what was there is as it was.
    """
    parts = check_artifact_folder(artifact_path)
    source = source_path(source)
    descriptor = open_source(source)
    try:
        name = check_artifact_path(os.path.basename(source))[0]
        size = os.fstat(descriptor).st_size
        with Progress("Copying %s" % name, size) as line, reach(root, parts, is_made=True) as folder:
            copy_into(descriptor, source, folder, name, _advance(line, size, on_progress))
    finally:
        os.close(descriptor)
    return [os.path.join(root, *parts, name)]


def save_folder(
    root: str, source: Path, artifact_path: Optional[str] = None, *, on_progress: OnProgress = None
) -> List[str]:
    """Copy all files of a folder, and of the folders below it, to the artifacts, each as ``save_file`` does.

    Links to files are copied as the files they lead to. Left out, with one warning that names them, are links to
    folders and to nowhere, what is no regular file, names that no artifact can have, files that vanish meanwhile, and
    the store itself.

    Args:
        root: As for ``save_file``.
        source: The folder.
        artifact_path: Folder that its content goes to; None: the top.
        on_progress: As for ``save_file``, for all files together.

    Returns:
        The absolute paths that were written, sorted.

    Raises:
        InvalidArtifactPathError: As for ``save_file``.
        NotADirectoryError: The source is no folder.
        OSError: As for ``save_file``; the files copied before stay.
    """
    top = check_artifact_folder(artifact_path)
    source = source_path(source)
    survey = SourceFolder(source, root)
    written = []
    with Progress("Copying %s" % os.path.basename(source), survey.size) as line:
        advance = _advance(line, survey.size, on_progress)
        for parts, names in survey.folders:
            with reach(root, top + parts, is_made=True) as folder:
                for name in names:
                    path = os.path.join(source, *parts, name)
                    try:
                        descriptor = open_source(path)
                    except (FileNotFoundError, IsADirectoryError, InvalidValueError):
                        survey.leave_out(parts, name, "it changed meanwhile")
                        continue
                    try:
                        copy_into(descriptor, path, folder, name, advance)
                    finally:
                        os.close(descriptor)
                    written.append(os.path.join(root, *top, *parts, name))
    survey.warn()
    return sorted(written)


def save_bytes(root: str, artifact_file: str, data: bytes) -> List[str]:
    """Write a file to the artifacts; one of the same name is replaced in one step.

    Args:
        root: As for ``save_file``.
        artifact_file: Its path among the artifacts.
        data: The whole content.

    Returns:
        The absolute paths that were written.

    Raises:
        InvalidArtifactPathError: As for ``save_file``.
        OSError: The disk refused; what was there is as it was.
    """
    parts = check_artifact_path(artifact_file)
    with reach(root, parts[:-1], is_made=True) as folder:
        write_into(folder, parts[-1], 0o666, lambda descriptor: documents.write_all(descriptor, data))
    return [os.path.join(root, *parts)]


def list_files(root: str, artifact_path: Optional[str] = None) -> List[FileInfo]:
    """Return what lies in a folder of the artifacts, sorted; nothing where there is no such folder.

    Args:
        root: The folder of the artifacts.
        artifact_path: The folder; None: the top.

    Raises:
        InvalidArtifactPathError: The path is not legal, or leads through a link.
    """
    parts = check_artifact_folder(artifact_path)
    try:
        folder = reach(root, parts)
    except ArtifactNotFoundError:
        return []
    with folder:
        entries = list_visible(folder)
    sizes = [(name, None if held_folder.is_folder(state) else state.st_size) for name, state in entries]
    return [FileInfo("/".join((*parts, name)), size is None, size) for name, size in sizes]


def exists(root: str, artifact_path: str) -> bool:
    """Tell whether there is an artifact, or a folder of them, at that path.

    Raises:
        InvalidArtifactPathError: The path is not legal, leads through a link, or something else lies there.
    """
    parts = check_artifact_path(artifact_path)
    try:
        with reach_parent(root, parts) as folder:
            state_of(folder, parts)
    except ArtifactNotFoundError:
        return False
    return True


def check_path(artifact_path: str) -> Parts:
    """Return the parts of the path that an artifact has or would have.

    Raises:
        InvalidArtifactPathError: The path is not legal.
    """
    return check_artifact_path(artifact_path)


def find_path(root: str, artifact_path: str) -> str:
    """Return the absolute path of an artifact, or of a folder of them; a packed run is unpacked for that.

    Raises:
        InvalidArtifactPathError: The path is not legal, leads through a link, or something else lies there.
        ArtifactNotFoundError: There is none.
    """
    parts = check_artifact_path(artifact_path)
    with reach_parent(root, parts) as folder:
        state_of(folder, parts)
    presence.ensure_folder(os.path.dirname(root))
    return os.path.join(root, *parts)


def read_bytes(root: str, artifact_path: str, limit: int = documents.MAX_DOCUMENT_BYTES) -> bytes:
    """Return the content of an artifact.

    Args:
        root: The folder of the artifacts.
        artifact_path: Its path there.
        limit: The most bytes that are read.

    Raises:
        InvalidArtifactPathError: As for ``find_path``, and for a folder.
        ArtifactNotFoundError: There is none.
        InvalidValueError: It is larger.
    """
    parts = check_artifact_path(artifact_path)
    with reach_parent(root, parts) as folder:
        descriptor = open_artifact(folder, parts)
    try:
        size = os.fstat(descriptor).st_size
        if size > limit:
            message = "Artifact %s has %d bytes, at most %d are read at once. Open the file itself."
            raise InvalidValueError(message % (shown(artifact_path), size, limit), value=artifact_path)
        return documents.read_all(descriptor, size)
    finally:
        os.close(descriptor)


def download(root: str, artifact_path: Optional[str], destination: Path, *, on_progress: OnProgress = None) -> str:
    """Copy an artifact, or a folder with all that lies in it, to another place; files there are replaced one by one.

    Args:
        root: The folder of the artifacts.
        artifact_path: What to copy; None: all.
        destination: Folder that it goes to, under its path among the artifacts; made if it is missing.
        on_progress: As for ``save_file``.

    Returns:
        The absolute path of the copy.

    Raises:
        InvalidArtifactPathError: As for ``find_path``, or the copy's place is a link or something else.
        ArtifactNotFoundError: There is none.
        OSError: The disk refused.
    """
    parts = () if artifact_path is None else check_artifact_path(artifact_path)
    wanted: List[Tuple[Parts, List[str]]] = []
    size = 0
    with reach_parent(root, parts) as folder:
        state = state_of(folder, parts) if parts else None
    if state is not None and not held_folder.is_folder(state):
        wanted, size = [(parts[:-1], [parts[-1]])], state.st_size
    else:
        wanted, size = _survey_artifacts(root, parts)
    destination = os.path.abspath(os.fspath(destination))
    os.makedirs(destination, exist_ok=True)
    resolved = os.path.realpath(destination)  # where it is a link, the user means what it leads to
    with Progress("Copying %s" % (parts[-1] if parts else layout.ARTIFACTS), size) as line:
        advance = _advance(line, size, on_progress)
        for inside, names in wanted:
            with reach(root, inside) as folder, reach(resolved, inside, is_made=True) as target:
                for name in names:
                    descriptor = open_artifact(folder, (*inside, name))
                    try:
                        copy_into(descriptor, os.path.join(folder.path, name), target, name, advance)
                    finally:
                        os.close(descriptor)
    return os.path.join(destination, *parts)


def delete(root: str, artifact_path: str) -> None:
    """Remove an artifact, or a folder with all that lies in it: it is gone from sight in one step.

    Raises:
        InvalidArtifactPathError: As for ``find_path``.
        ArtifactNotFoundError: There is none.
        OSError: The disk refused.
    """
    parts = check_artifact_path(artifact_path)
    presence.ensure_folder(os.path.dirname(root))
    with reach_parent(root, parts) as folder:
        if held_folder.is_folder(state_of(folder, parts)):
            folder.remove_tree(folder.hide(parts[-1]))
        else:
            folder.unlink(parts[-1])


def sweep(root: str, age_s: float = _LEFTOVER_S) -> int:
    """Remove what copying and removing left behind that was killed; return how many temporary names that was.

    Args:
        root: The folder of the artifacts.
        age_s: For how long, by the disk's own clock, nothing must have happened to it: others may be at work.

    Raises:
        InvalidArtifactPathError: The folder of the artifacts is a link.
        OSError: The disk refused.
    """
    count = 0
    waiting: List[Parts] = [] if presence.is_packed(os.path.dirname(root)) else [()]
    while waiting:
        parts = waiting.pop()
        try:
            folder = reach(root, parts)
        except ArtifactNotFoundError:
            continue  # there are none, or somebody just removed it
        with folder:
            entries = folder.list_entries()
            leftovers = [(name, state) for name, state in entries if name.startswith(layout.TEMPORARY)]
            now = held_folder.clock_of(folder) if leftovers else 0.0
            for name, state in leftovers:
                if now - max(state.st_mtime, state.st_ctime) > age_s:
                    folder.remove_tree(name)
                    count += 1
            waiting += [(*parts, name) for name, state in list_visible(folder) if held_folder.is_folder(state)]
    return count


def _survey_artifacts(root: str, top: Parts) -> Tuple[List[Tuple[Parts, List[str]]], int]:
    """Return the folders below one of the artifacts with the names of their files, and the bytes of all files."""
    folders, size = [], 0
    waiting = [top]
    while waiting:
        parts = waiting.pop()
        with reach(root, parts) as folder:
            entries = list_visible(folder)
        within = [name for name, state in entries if held_folder.is_folder(state)]
        waiting += [(*parts, name) for name in within]
        folders.append((parts, [name for name, _ in entries if name not in within]))
        size += sum(state.st_size for name, state in entries if name not in within)
    return sorted(folders), size


def _advance(line: Progress, size: int, on_progress: OnProgress) -> Callable[[int], None]:
    """Return what is to be called with the bytes of each portion."""
    if on_progress is None:
        return line.advance
    tell, done = on_progress, 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        tell(done, size)

    return advance
