"""mlflow.tracking: the client, and where runs go."""

from __future__ import annotations

from . import client
from .client import MlflowClient
from .fluent import get_tracking_uri, is_tracking_uri_set, set_tracking_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["MlflowClient", "client", "get_tracking_uri", "is_tracking_uri_set", "set_tracking_uri"]


def __getattr__(name: str) -> Any:
    if name in ("context", "fluent"):
        from . import inner

        return inner.modules()["tracking." + name]
    raise AttributeError("mini_mlflow.compat.mlflow.tracking has no %r" % name)
