"""mlflow.tracking: the client, and where runs go."""

from __future__ import annotations

from .client import MlflowClient
from .fluent import get_tracking_uri, is_tracking_uri_set, set_tracking_uri

__all__ = ["MlflowClient", "get_tracking_uri", "is_tracking_uri_set", "set_tracking_uri"]
