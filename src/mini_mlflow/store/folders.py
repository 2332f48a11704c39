"""Which folders of a run hold documents, and which file there holds a key?"""

from __future__ import annotations

import os
from collections import namedtuple

from .. import layout
from ..errors import BrokenFileError
from . import documents, meta, metric_file, mlflow_layout, owner, presence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

    Report = Callable[[str, Exception], None]
    Meta = Tuple["Part", Optional[Dict[str, Any]]]
    Owners = List[Tuple["Part", owner.Owner]]


class Part(namedtuple("Part", ["name", "folder"])):
    """One writer's share of a run (rule W1).

    Attributes:
        name: Name of the folder under ``writers/``, empty for the run's own folder.
        folder: Where it lies.
    """

    __slots__ = ()

    name: str
    folder: str


def list_parts(run_folder: str) -> List[Part]:
    """Return the shares of a run: its own folder first, then its writers by name; links are none of them.

    Where the run lies in a pack, so do the shares: what reads documents reads them there, too.
    """
    parts = [Part("", run_folder)]
    writers = os.path.join(run_folder, layout.WRITERS)
    try:
        names = sorted(os.listdir(writers))
    except OSError:
        place = presence.place_of(run_folder)
        return _list_packed(place) if documents.is_packed(place) else parts
    if os.path.islink(writers):
        return parts
    for name in names:
        folder = os.path.join(writers, name)
        if not name.startswith(".") and os.path.isdir(folder) and not os.path.islink(folder):
            parts.append(Part(name, folder))
    return parts


def iter_documents(folder: str, kind: str) -> Iterator[Tuple[str, str]]:
    """Yield (stem, path) of every document in a folder such as ``params``, in the order of their names.

    Raises:
        OSError: The folder is there and cannot be listed.
    """
    inside = os.path.join(folder, kind)
    try:
        names = _list_in_pack(inside) if documents.is_packed(inside) else sorted(os.listdir(inside))
    except FileNotFoundError:
        return
    for name in names:
        stem = layout.stem_of(name)
        if stem is not None:
            yield stem, os.path.join(inside, name)


def _list_packed(place: str) -> List[Part]:
    """Return the shares of a run that lies in a pack."""
    from . import packed  # few stores have packs

    writers = os.path.join(place, layout.WRITERS)
    try:
        names = [name for name in packed.list_names(writers) if not name.startswith(".")]
    except (OSError, BrokenFileError):
        names = []
    folders = [(name, os.path.join(writers, name)) for name in names]
    return [Part("", place)] + [Part(name, folder) for name, folder in folders if packed.is_folder(folder)]


def _list_in_pack(folder: str) -> List[str]:
    from . import packed  # as above

    return packed.list_names(folder)


def key_in(path: str, kind: str) -> Optional[str]:
    """Return which key a document holds, None where it does not say (format 0).

    Raises:
        BrokenFileError: It cannot be read.
    """
    if kind == layout.METRICS:
        return metric_file.read_latest(path)[0]
    document = documents.decode_json(documents.read(path), path)
    key = document.get("key") if isinstance(document, dict) else None
    return key if isinstance(key, str) else None


def find_documents(folder: str, kind: str, key: str) -> List[str]:
    """Return the files in *folder* that hold *key*: one or none; two where the first could not be gone on with."""
    stems = [layout.plain_stem(key), layout.hashed_stem(key)]
    if os.path.basename(key) == key:
        stems.append(key)  # format 0 names its files by the bare key
    found = []
    for stem in dict.fromkeys(stems):
        path = os.path.join(folder, kind, layout.file_name(stem))
        try:
            held = key_in(path, kind)
        except (OSError, ValueError):
            continue
        if held == key or (held is None and stem == key and not _is_of_mlflow(folder)):
            found.append(path)
    if not found:
        theirs = _find_of_mlflow(folder, kind, key)
        if theirs is not None:
            return [theirs]
    return found if found or key.isascii() else _find_decomposed(folder, kind, key)


def _find_of_mlflow(folder: str, kind: str, key: str) -> Optional[str]:
    """Return the file that holds *key* in a run that MLflow wrote (docs/mlflow-stores.md, rule G2)."""
    path = mlflow_layout.find_file(folder, kind, key)
    return path if path is not None and _is_of_mlflow(folder) else None


def _is_of_mlflow(folder: str) -> bool:
    try:
        return mlflow_layout.is_run(meta.read_meta(os.path.join(folder, layout.META)))
    except (OSError, BrokenFileError):
        return False


def _find_decomposed(folder: str, kind: str, key: str) -> List[str]:
    """Return the file that holds *key* under a name that a disk has changed: HFS+ decomposes letters with marks."""
    for stem, path in iter_documents(folder, kind):
        try:
            if layout.fits(stem, key) and key_in(path, kind) == key:
                return [path]
        except (OSError, BrokenFileError):
            continue
    return []


def greatest_step(run_folder: str, key: str) -> Optional[int]:
    """Return the greatest step of a metric in any writer's share of a run, None where it has no row (rule W9)."""
    steps = []
    for part in list_parts(run_folder):
        for path in find_documents(part.folder, layout.METRICS, key):
            try:
                step = metric_file.read_greatest_step(path)
            except (OSError, BrokenFileError):
                continue  # its rows cannot be read, so nobody will see them beside ours
            if step is not None:
                steps.append(step)
    return max(steps) if steps else None


def is_format_0(folder: str, fields: Dict[str, Any]) -> bool:
    """Tell whether a run's own files are those of 0.1.0, which did without meta.yaml too (rule F1).

    Args:
        folder: The run.
        fields: What its own meta.yaml says, empty where there is none.
    """
    if fields:
        return "format" not in fields
    for kind in (layout.PARAMS, layout.METRICS):
        for _, path in iter_documents(folder, kind):
            try:
                return key_in(path, kind) is None
            except (OSError, BrokenFileError):
                continue
    return False


def read_meta(run_folder: str, report: Optional[Report] = None) -> Tuple[Dict[str, Any], str]:
    """Return what meta.yaml of a run says, that of the highest generation (rule L4), and the folder it lies in.

    The fields are empty where there is none.

    Args:
        run_folder: The run.
        report: Called with the path of one that cannot be read, and why; the others count (rule S4).

    Raises:
        UnsupportedFormatError: It was written in a newer format.
        BrokenFileError: One cannot be read, and nobody takes the report.
    """
    return newest_meta(read_metas(run_folder, report))


def read_fields(run_folder: str, report: Optional[Report] = None) -> Tuple[Dict[str, Any], str]:
    """Return what ``read_meta`` does, with our own fields beside MLflow's where MLflow wrote the run.

    What is written back to that very file must come from ``read_meta``: MLflow cannot read our status and times.
    """
    return newest_fields(read_metas(run_folder, report), report)


def read_metas(run_folder: str, report: Optional[Report] = None) -> List[Meta]:
    """Return the shares of a run, each with what its meta.yaml says: nothing where there is none, None where broken.

    Args, Raises: As ``read_meta``.
    """
    metas: List[Meta] = []
    for part in list_parts(run_folder):
        path = os.path.join(part.folder, layout.META)
        fields: Optional[Dict[str, Any]] = {}
        try:
            fields = meta.read_meta(path)
        except FileNotFoundError:
            pass
        except (OSError, BrokenFileError) as error:
            if report is None:
                raise
            report(path, error)
            fields = None
        meta.check_format(fields or {}, path)
        metas.append((part, fields))
    return metas


def newest_meta(metas: List[Meta]) -> Tuple[Dict[str, Any], str]:
    """Return the fields of the highest generation, then of the newest file, and the folder it lies in (rule L4)."""
    found = [(max(0, meta.generation_of(fields)), part.folder, fields) for part, fields in metas if fields]
    if not found:
        return {}, metas[0][0].folder
    highest = max(generation for generation, _, _ in found)
    found = [each for each in found if each[0] == highest]
    _, home, fields = found[0] if len(found) == 1 else max(found, key=lambda each: _changed(each[1]))
    return fields, home


def newest_fields(metas: List[Meta], report: Optional[Report] = None) -> Tuple[Dict[str, Any], str]:
    """Return what ``read_fields`` does, of what was read already."""
    fields, home = newest_meta(metas)
    return mlflow_layout.as_ours(fields, home, report) if mlflow_layout.is_run(fields) else fields, home


def _changed(folder: str) -> float:
    """Return when meta.yaml in a folder was written last, 0 where it is gone meanwhile."""
    try:
        return documents.state_of(os.path.join(folder, layout.META)).st_mtime
    except (OSError, BrokenFileError):
        return 0.0


def generations(run_folder: str) -> List[Tuple[int, Part]]:
    """Return the generation of every share whose owner.json can be read (rule W6)."""
    return [(record.generation, part) for part, record in list_owners(run_folder)]


def list_owners(run_folder: str) -> Owners:
    """Return every share of a run whose owner.json can be read, with what that says."""
    found = []
    for part in list_parts(run_folder):
        try:
            record = owner.read_owner(part.folder)
        except (OSError, BrokenFileError):
            continue
        if record is not None:
            found.append((part, record))
    return found
