"""The functions for files of the active run: keep one with it, list and read those that are there."""

from __future__ import annotations

from .fluent import current_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any, List, Mapping, Optional, Union

    from .records import FileInfo

    Path = Union[str, os.PathLike[str]]


def log_artifact(local_path: Path, artifact_path: Optional[str] = None) -> None:
    """Keep a copy of a file; see ``Run.log_artifact``.

    Args:
        local_path: The file; a folder is kept whole, under its own name.
        artifact_path: Folder among the artifacts that it goes to; None: the top.

    Raises:
        InvalidArtifactPathError: *artifact_path* leads out of the run, or cannot be a name everywhere.
        FileNotFoundError: There is no such file.
        NoActiveRunError: This thread has no active run.
        OSError: The disk refused; what was there is as it was.
    """
    current_run().log_artifact(local_path, artifact_path)


def log_artifacts(local_dir: Path, artifact_path: Optional[str] = None) -> None:
    """Keep a copy of every file in a folder and the folders below it; see ``Run.log_artifacts``.

    Args:
        local_dir: The folder.
        artifact_path: As in ``log_artifact``.

    Raises:
        InvalidArtifactPathError: As in ``log_artifact``.
        NotADirectoryError: *local_dir* is no folder.
        NoActiveRunError: This thread has no active run.
        OSError: The disk refused; the files that were copied are kept.
    """
    current_run().log_artifacts(local_dir, artifact_path)


def log_text(text: str, artifact_file: str) -> None:
    """Keep a text as a file in UTF-8; see ``Run.log_text``.

    Args:
        text: The text.
        artifact_file: Its name, such as ``notes/first.txt``.

    Raises:
        InvalidArtifactPathError: As in ``log_artifact``.
        InvalidValueError: *text* is no text.
        NoActiveRunError: This thread has no active run.
    """
    current_run().log_text(text, artifact_file)


def log_dict(dictionary: Any, artifact_file: str) -> None:
    """Keep a dict or list as a file: YAML where its name ends in ``.yaml`` or ``.yml``, else JSON.

    See ``Run.log_dict``.

    Args:
        dictionary: What to keep; what JSON lacks becomes readable text.
        artifact_file: Its name, such as ``config.json``.

    Raises:
        InvalidArtifactPathError: As in ``log_artifact``.
        InvalidValueError: It cannot be written so.
        NoActiveRunError: This thread has no active run.
    """
    current_run().log_dict(dictionary, artifact_file)


def log_figure(figure: Any, artifact_file: str, *, save_kwargs: Optional[Mapping[str, Any]] = None) -> None:
    """Keep a figure of matplotlib or plotly as a file of the kind that its name says; see ``Run.log_figure``.

    Args:
        figure: The figure.
        artifact_file: Its name, such as ``loss.png`` or ``loss.html``.
        save_kwargs: Further arguments for the figure's own way of writing itself.

    Raises:
        InvalidArtifactPathError: As in ``log_artifact``.
        InvalidValueError: It is no figure, or cannot be written so.
        NoActiveRunError: This thread has no active run.
    """
    current_run().log_figure(figure, artifact_file, save_kwargs=save_kwargs)


def log_image(
    image: Any,
    artifact_file: Optional[str] = None,
    *,
    key: Optional[str] = None,
    step: Optional[int] = None,
    timestamp: Optional[int] = None,
) -> None:
    """Keep an image: an array of shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), or an image of Pillow.

    See ``Run.log_image``.

    Args:
        image: Integers from 0 to 255, floats from 0 to 1, or booleans.
        artifact_file: Its name, such as ``confusion.png``. Else give *key*.
        key: Name of a series of images, one for each step.
        step: Position in the series; None: 0.
        timestamp: Milliseconds since 1970-01-01 UTC; None takes the clock.

    Raises:
        InvalidArtifactPathError: As in ``log_artifact``.
        InvalidValueError: It is no such image, or neither or both of *artifact_file* and *key* are given.
        NoActiveRunError: This thread has no active run.
    """
    current_run().log_image(image, artifact_file, key=key, step=step, timestamp=timestamp)


def log_table(data: Any, artifact_file: str) -> None:
    """Keep a table as JSON of the form ``{"columns": [...], "data": [[...]]}``; rows are added to one that is there.

    See ``Run.log_table``.

    Args:
        data: A dict of columns, a list of dicts, or a pandas DataFrame.
        artifact_file: Its name, such as ``predictions.json``.

    Raises:
        InvalidArtifactPathError: As in ``log_artifact``.
        InvalidValueError: It is no table.
        NoActiveRunError: This thread has no active run.
    """
    current_run().log_table(data, artifact_file)


def list_artifacts(artifact_path: Optional[str] = None) -> List[FileInfo]:
    """Return what lies in a folder of the artifacts, sorted by name; see ``Run.list_artifacts``.

    Args:
        artifact_path: The folder; None: the top.

    Returns:
        ``FileInfo(path, is_dir, file_size)``; the path is that from the top, the size in bytes, None for folders.

    Raises:
        NoActiveRunError: This thread has no active run.
        InvalidArtifactPathError: As in ``log_artifact``.
    """
    return current_run().list_artifacts(artifact_path)


def download_artifacts(artifact_path: Optional[str] = None, dst_path: Optional[Path] = None) -> str:
    """Copy an artifact, or a folder of them, to another place, and return where it lies there.

    See ``Run.download_artifacts``.

    Args:
        artifact_path: Its name; None: all of them.
        dst_path: Folder that it goes to, made if need be; None: nothing is copied, and its place in the store is
            returned.

    Raises:
        NoActiveRunError: This thread has no active run.
        InvalidArtifactPathError: As in ``log_artifact``.
        ArtifactNotFoundError: There is none.
        OSError: The disk refused.
    """
    return current_run().download_artifacts(artifact_path, dst_path)


def delete_artifact(artifact_path: str) -> None:
    """Remove an artifact, or a folder of them, for good; see ``Run.delete_artifact``.

    Args:
        artifact_path: Its name.

    Raises:
        NoActiveRunError: This thread has no active run.
        InvalidArtifactPathError: As in ``log_artifact``, and for the top itself.
        ArtifactNotFoundError: There is none.
    """
    current_run().delete_artifact(artifact_path)


def get_artifact_uri(artifact_path: Optional[str] = None) -> str:
    """Return the absolute path of an artifact of the active run, or of the folder of all; see ``Run.artifact_path``.

    Args:
        artifact_path: Its name, which need not be there yet; None: the folder of all.

    Raises:
        NoActiveRunError: This thread has no active run.
        InvalidArtifactPathError: As in ``log_artifact``.
    """
    return current_run().get_artifact_uri(artifact_path)
