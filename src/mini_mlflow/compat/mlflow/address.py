"""Which folder does a tracking URI name?"""

from __future__ import annotations

import os

from ... import active, config
from ...errors import InvalidValueError
from . import reading
from .exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def checked(uri: Any) -> str:
    """Return a tracking URI as MLflow shows it, if it names a folder: text as it is, a path as a ``file:`` URI.

    Raises:
        MlflowException: It names a server or a database.
    """
    folder_of(uri)
    return uri if isinstance(uri, str) else reading.uri_of(config.store_folder(uri))


def folder_of(uri: Any) -> str:
    """Return the folder of a tracking URI, or of the URI of an artifact.

    Raises:
        MlflowException: It names none.
    """
    try:
        return os.fspath(config.folder_of_uri(uri))
    except InvalidValueError as error:
        message = (
            "%s mini_mlflow.compat writes files alone: leave set_tracking_uri() out, and runs go to ./mlruns or where "
            "MINI_MLFLOW_DIR says."
        )
        raise invalid(message % error) from error


def choose(uri: Any) -> None:
    """Let runs go to the store that a tracking URI names; an empty one: to that of the environment."""
    active.choose_store(None if uri is None or uri == "" else config.store_folder(folder_of(uri)))


def shown() -> str:
    """Return where runs go, as a ``file:`` URI."""
    return reading.uri_of(active.store_folder())


def is_set() -> bool:
    """Tell whether somebody said where runs go: a call, or the environment."""
    return os.fspath(active.runs_dir()) != config.DEFAULT_RUNS_DIR
