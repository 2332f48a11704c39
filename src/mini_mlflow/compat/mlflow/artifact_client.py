"""The half of MlflowClient that keeps files with runs, and gets at them again."""

# ruff: noqa: FBT001, ARG002 - the signatures are those of MLflow

from __future__ import annotations

import os

from ... import active, layout
from . import address, checks, reading, writing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Callable, Dict, List, Optional, Sequence, Union

    from .entities import FileInfo

    Path = Union[str, os.PathLike[str]]

LOGGED_TABLES, LOGGED_IMAGES = "mlflow.loggedArtifacts", "mlflow.loggedImages"


class ArtifactClient:
    """Keeps files with the runs of a store."""

    def __init__(self, given: Optional[str]) -> None:
        """Make one.

        Args:
            given: The store as it was given; None: the one that holds for the process.
        """
        self._given = given

    @property
    def _store(self) -> str:
        return active.store_folder(None if self._given is None else address.folder_of(self._given))

    def log_artifact(self, run_id: str, local_path: Path, artifact_path: Optional[str] = None) -> None:
        """Keep a copy of a file or folder with a run; see ``mlflow.log_artifact``."""
        self._keep(run_id, lambda keeper: keeper.log_artifact(local_path, artifact_path))

    def log_artifacts(self, run_id: str, local_dir: Path, artifact_path: Optional[str] = None) -> None:
        """Keep a copy of all files of a folder with a run; see ``mlflow.log_artifacts``."""
        self._keep(run_id, lambda keeper: keeper.log_artifacts(local_dir, artifact_path))

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        """Keep a text as a file with a run; see ``mlflow.log_text``."""
        self._keep(run_id, lambda keeper: keeper.log_text(text, checks.file_of(artifact_file)))

    def log_dict(self, run_id: str, dictionary: Any, artifact_file: str) -> None:
        """Keep a dict as a file with a run; see ``mlflow.log_dict``."""
        self._keep(run_id, lambda keeper: keeper.log_dict(dictionary, checks.file_of(artifact_file)))

    def log_stream(self, run_id: str, stream: BinaryIO, artifact_file: str) -> None:
        """Keep what a binary stream gives as a file with a run; see ``mlflow.log_stream``."""
        import shutil
        import tempfile

        folder, _, name = checks.file_of(artifact_file).rpartition("/")
        with tempfile.TemporaryDirectory() as parent:
            path = os.path.join(parent, os.path.basename(name) or "stream")
            with open(path, "wb") as file:
                shutil.copyfileobj(stream, file)
            self._keep(run_id, lambda keeper: keeper.log_artifact(path, folder or None))

    def log_figure(
        self, run_id: str, figure: Any, artifact_file: str, *, save_kwargs: Optional[Dict[str, Any]] = None
    ) -> None:
        """Keep a figure as a file with a run; see ``mlflow.log_figure``."""
        name = checks.file_of(artifact_file)
        self._keep(run_id, lambda keeper: keeper.log_figure(figure, name, save_kwargs=save_kwargs))

    def log_image(
        self,
        run_id: str,
        image: Any,
        artifact_file: Optional[str] = None,
        key: Optional[str] = None,
        step: Optional[int] = None,
        timestamp: Optional[int] = None,
        synchronous: Optional[bool] = None,
    ) -> None:
        """Keep an image with a run; see ``mlflow.log_image``."""
        if (artifact_file is None) == (key is None):
            raise TypeError("log_image() needs either artifact_file= or key=, not both and not neither.")
        name, step = checks.file_of(artifact_file), None if step is None else checks.step_of(step, str(key))
        self._keep(run_id, lambda keeper: keeper.log_image(image, name, key=key, step=step, timestamp=timestamp))
        if key is not None:
            self._mark(run_id, LOGGED_IMAGES, "True")

    def log_table(self, run_id: str, data: Any, artifact_file: str) -> None:
        """Keep a table as JSON with a run, or add rows to it; see ``mlflow.log_table``."""
        from . import tables

        artifact_file = checks.file_of(artifact_file)
        self._keep(run_id, lambda keeper: keeper.log_table(data, artifact_file))
        place = reading.locate_active(self._store, run_id)
        there = reading.find_value(place.folder, layout.TAGS, LOGGED_TABLES)
        self._mark(run_id, LOGGED_TABLES, tables.noted(there[0] if there else None, artifact_file))

    def load_table(
        self,
        experiment_id: Union[str, int],
        artifact_file: str,
        run_ids: Optional[Sequence[str]] = None,
        extra_columns: Optional[Sequence[str]] = None,
    ) -> Any:
        """Return the tables of this name of several runs as one pandas DataFrame; see ``mlflow.load_table``."""
        from . import tables

        return tables.load(self._store, experiment_id, artifact_file, run_ids, extra_columns)

    def list_artifacts(self, run_id: str, path: Optional[str] = None) -> List[FileInfo]:
        """Return what lies in a folder of a run's artifacts, by name; nothing where there is none.

        Raises:
            MlflowException: There is no such run, or the path leads out of it.
        """
        from . import artifacts as front

        return front.listed(reading.locate(self._store, run_id), path)

    def download_artifacts(self, run_id: str, path: str, dst_path: Optional[Path] = None) -> str:
        """Copy an artifact, or a folder of them, and return where it lies then.

        Args:
            run_id: The run.
            path: Its name; empty for all.
            dst_path: Folder that it goes to; None: nothing is copied, and its place in the store is returned.

        Raises:
            MlflowException: There is no such run or artifact.
        """
        from . import artifacts as front

        return front.fetched(reading.locate(self._store, run_id), path, dst_path)

    def _keep(self, run_id: str, keep: Callable[[Any], None]) -> None:
        with writing.translated():
            keep(writing.keeper(reading.locate_active(self._store, run_id)))

    def _mark(self, run_id: str, key: str, value: str) -> None:
        writing.write_tags(reading.locate_active(self._store, run_id), [(key, value)])
