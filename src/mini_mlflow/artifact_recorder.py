"""What files can be kept with a run, and how does one get at them again?"""

from __future__ import annotations

import os

from . import layout, values
from .clock import now_ms
from .errors import InvalidValueError
from .recorder import Recorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Lock
    from typing import Any, List, Mapping, Optional, Union

    from .records import FileInfo

    Path = Union[str, os.PathLike[str]]

_PATIENCE_S = 60.0  # a table of many megabytes takes a second


class ArtifactRecorder(Recorder):
    """A ``Recorder`` that keeps files too, under ``artifacts/`` of the run.

    An artifact's name is a path of its own, parts joined by ``/``; one that is logged again replaces the first. A file
    appears under its name when it is complete.
    """

    _folder: str
    _table_lock: Lock

    def log_artifact(self, local_path: Union[Path, bytes], artifact_path: Optional[str] = None) -> None:
        """Keep a copy of a file.

        Args:
            local_path: The file, as text, bytes or a path object; a folder is kept whole, under its own name.
            artifact_path: Folder among the artifacts that it goes to; None: the top.

        Raises:
            InvalidArtifactPathError: *artifact_path* leads out of the run, or cannot be a name everywhere.
            InvalidValueError: *local_path* is no path, or leads to a device or the like.
            FileNotFoundError: There is no such file.
            RunEndedError: The run has ended.
            OSError: The disk refused; what was there is as it was.
        """
        from . import artifacts
        from .artifact_names import check_artifact_folder
        from .artifact_sources import source_path

        source = source_path(local_path)
        self._begin("artifact", source)
        save = artifacts.save_file
        if os.path.isdir(source):
            save = artifacts.save_folder
            above = check_artifact_folder(artifact_path)
            artifact_path = "/".join(filter(None, (*above, os.path.basename(os.path.abspath(source)))))
        self._keep(save(self._artifacts, source, artifact_path))

    def log_artifacts(self, local_dir: Union[Path, bytes], artifact_path: Optional[str] = None) -> None:
        """Keep a copy of every file in a folder and the folders below it.

        Args:
            local_dir: The folder.
            artifact_path: As in ``log_artifact``.

        Raises:
            InvalidArtifactPathError: As in ``log_artifact``.
            InvalidValueError: *local_dir* is no path.
            NotADirectoryError: *local_dir* is no folder.
            RunEndedError: The run has ended.
            OSError: The disk refused; the files that were copied are kept.
        """
        from . import artifacts
        from .artifact_sources import source_path

        source = source_path(local_dir)
        self._begin("artifacts", source)
        self._keep(artifacts.save_folder(self._artifacts, source, artifact_path))

    def log_text(self, text: str, artifact_file: str) -> None:
        """Keep a text as a file in UTF-8.

        Args:
            text: The text.
            artifact_file: Its name, such as ``notes/first.txt``.

        Raises:
            InvalidArtifactPathError: As in ``log_artifact``.
            InvalidValueError: *text* is no text.
            RunEndedError: The run has ended.
        """
        if not isinstance(text, str):
            message = "log_text() needs text, got %s. Use log_dict() for dicts and log_artifact() for files."
            raise InvalidValueError(message % type(text).__name__, value=text)
        self._save(artifact_file, text.encode("utf-8", "surrogatepass"))

    def log_dict(self, dictionary: Any, artifact_file: str) -> None:
        """Keep a dict or list as a file: YAML where its name ends in ``.yaml`` or ``.yml``, else JSON.

        Args:
            dictionary: What to keep; what JSON lacks becomes readable text.
            artifact_file: Its name, such as ``config.json``.

        Raises:
            InvalidArtifactPathError: As in ``log_artifact``.
            InvalidValueError: It cannot be written so.
            RunEndedError: The run has ended.
        """
        from . import media

        self._save(artifact_file, media.encode_dict(dictionary, artifact_file))

    def log_figure(self, figure: Any, artifact_file: str, *, save_kwargs: Optional[Mapping[str, Any]] = None) -> None:
        """Keep a figure of matplotlib or plotly as a file of the kind that its name says.

        Args:
            figure: The figure.
            artifact_file: Its name, such as ``loss.png`` or ``loss.html``.
            save_kwargs: Further arguments for the figure's own way of writing itself.

        Raises:
            InvalidArtifactPathError: As in ``log_artifact``.
            InvalidValueError: It is no figure, or cannot be written so.
            RunEndedError: The run has ended.
        """
        from . import media

        self._save(artifact_file, media.encode_figure(figure, artifact_file, dict(save_kwargs or {})))

    def log_image(
        self,
        image: Any,
        artifact_file: Optional[str] = None,
        *,
        key: Optional[str] = None,
        step: Optional[int] = None,
        timestamp: Optional[int] = None,
    ) -> None:
        """Keep an image: an array of shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), or an image of Pillow.

        Args:
            image: Integers from 0 to 255, floats from 0 to 1, or booleans.
            artifact_file: Its name, such as ``confusion.png``. Else give *key*.
            key: Name of a series of images, one for each step.
            step: Position in the series; None: 0.
            timestamp: Milliseconds since 1970-01-01 UTC; None takes the clock.

        Raises:
            InvalidArtifactPathError: As in ``log_artifact``.
            InvalidValueError: It is no such image, or neither or both of *artifact_file* and *key* are given.
            RunEndedError: The run has ended.
        """
        from . import media

        if (artifact_file is None) == (key is None):
            raise InvalidValueError("log_image() needs either artifact_file= or key=, a name of a series.")
        if key is not None:
            step = 0 if step is None else values.check_step(step, key)
            timestamp = now_ms() if timestamp is None else values.check_timestamp(timestamp, key)
            artifact_file = media.image_file(key, step, timestamp)
        self._save(str(artifact_file), media.encode_image(image, str(artifact_file)))

    def log_table(self, data: Any, artifact_file: str) -> None:
        """Keep a table as JSON, ``{"columns": [...], "data": [[...]]}``; rows are added to one that is there.

        Args:
            data: A dict of columns, a list of dicts, or a pandas DataFrame.
            artifact_file: Its name, such as ``predictions.json``.

        Raises:
            InvalidArtifactPathError: As in ``log_artifact``.
            InvalidValueError: It is no table.
            RunEndedError: The run has ended.
            TimeoutError: Other processes add rows to tables of this run for a minute.

        Several processes may add rows to one table, where the disk has locks.
        """
        from . import artifacts, media
        from .store.lock_file import locked

        self._begin("artifact", artifact_file)
        lock = os.path.join(self._folder, layout.LOCK)
        # Of two who add rows each sees the other's: threads by the one lock, on any disk, and processes by the other.
        with self._table_lock, locked(lock, "tables of the run", _PATIENCE_S):
            there = None
            if artifacts.exists(self._artifacts, artifact_file):
                there = artifacts.read_bytes(self._artifacts, artifact_file, media.MAX_TABLE_BYTES)
            self._save(artifact_file, media.encode_table(data, there, artifact_file))

    def list_artifacts(self, artifact_path: Optional[str] = None) -> List[FileInfo]:
        """Return what lies in a folder of the artifacts, sorted by name.

        Args:
            artifact_path: The folder; None: the top.

        Returns:
            ``FileInfo(path, is_dir, file_size)``; the path is that from the top, the size in bytes, None for folders.

        Raises:
            InvalidArtifactPathError: As in ``log_artifact``.
        """
        from . import artifacts

        return artifacts.list_files(self._artifacts, artifact_path)

    def artifact_path(self, artifact_path: str) -> str:
        """Return the absolute path of an artifact on this machine, to be read and not to be written.

        Args:
            artifact_path: Its name.

        Raises:
            InvalidArtifactPathError: As in ``log_artifact``.
            ArtifactNotFoundError: There is none.
        """
        from . import artifacts

        return artifacts.find_path(self._artifacts, artifact_path)

    def get_artifact_uri(self, artifact_path: Optional[str] = None) -> str:
        """Return the absolute path that an artifact has or would have.

        Args:
            artifact_path: Its name; None: the folder of all.

        Raises:
            InvalidArtifactPathError: As in ``log_artifact``.
        """
        if artifact_path is None:
            return self._artifacts
        from . import artifacts

        return os.path.join(self._artifacts, *artifacts.check_path(artifact_path))

    def download_artifacts(self, artifact_path: Optional[str] = None, dst_path: Optional[Path] = None) -> str:
        """Copy an artifact, or a folder of them, to another place, and return where it lies there.

        Args:
            artifact_path: Its name; None: all of them.
            dst_path: Folder that it goes to, made if need be; None: nothing is copied, and its place in the store is
                returned.

        Raises:
            InvalidArtifactPathError: As in ``log_artifact``.
            ArtifactNotFoundError: There is none.
            OSError: The disk refused.
        """
        from . import artifacts

        if dst_path is None:
            return self._artifacts if artifact_path is None else self.artifact_path(artifact_path)
        return artifacts.download(self._artifacts, artifact_path, os.fspath(dst_path))

    def delete_artifact(self, artifact_path: str) -> None:
        """Remove an artifact, or a folder of them, for good.

        Args:
            artifact_path: Its name.

        Raises:
            InvalidArtifactPathError: As in ``log_artifact``, and for the top itself.
            ArtifactNotFoundError: There is none.
        """
        from . import artifacts

        artifacts.delete(self._artifacts, artifact_path)

    @property
    def _artifacts(self) -> str:
        return os.path.join(self._folder, layout.ARTIFACTS)

    def _save(self, artifact_file: str, data: bytes) -> None:
        from . import artifacts

        self._begin("artifact", artifact_file)
        self._keep(artifacts.save_bytes(self._artifacts, artifact_file, data))

    def _begin(self, what: str, name: str) -> None:
        """Refuse to keep a file once the run has ended; else see to it that who keeps one counts as alive (rule W7)."""
        self._check_running(what, name)
        self._writer.settle()

    def _keep(self, paths: List[str]) -> None:
        """Remember files that were written, to be brought to the disk when the run ends (docs/format.md, rule P2)."""
        self._writer.extra_files.extend(paths)
