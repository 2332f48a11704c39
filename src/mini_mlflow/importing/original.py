"""What did a run of ours look like before it was exported to MLflow's files, which hold text alone?

The export leaves a file ``mini-mlflow.json`` in the run's folder, which MLflow passes over. It counts for what still
reads as it was written; what was changed in between comes as it is now.
"""

from __future__ import annotations

import os

from .. import keys
from ..errors import BrokenFileError, InvalidIdError
from ..records import Problem
from ..store import documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

FILE = "mini-mlflow.json"
_NEVER = ("format", "run_id", "experiment_id", "generation", "imported")
_MOST_BYTES = 256 * 1024  # of fields: a meta.yaml may have four times as many
_FIELDS = ("name", "version", "status", "start_time", "end_time", "parent_run_id")


def encode(
    run_id: str, fields: Dict[str, Any], params: Dict[str, Any], tags: Dict[str, Any], metrics: Dict[str, str]
) -> bytes:
    """Return the content of the file.

    Args:
        run_id: The run's own id.
        fields: Of its meta.yaml.
        params: By the key that MLflow's file has: ``{"key", "value", "text"}``, where key or value are not as there.
        tags: Likewise.
        metrics: The metrics' own keys by those of MLflow's files, where they are others.
    """
    document = {"format": 1, "run_id": run_id, "fields": fields, "params": params, "tags": tags, "metrics": metrics}
    return documents.encode_json(document).encode("utf-8") + b"\n"


def entry(key: str, value: Any, text: str) -> Dict[str, Any]:
    """Return what the file says of one param or tag."""
    if isinstance(value, float) and not documents.is_finite(value):
        return {"key": key, "value": documents.encode_number(value)[1:-1], "type": "float", "text": text}
    return {"key": key, "value": value, "text": text}


def read(folder: str, problems: List[Problem]) -> Dict[str, Any]:
    """Return what the file in a run's folder says, nothing where there is none or it makes no sense."""
    path = os.path.join(folder, FILE)
    if os.path.islink(path):
        return {}
    try:
        found = documents.decode_json(documents.read(path), path)
    except FileNotFoundError:
        return {}
    except (OSError, BrokenFileError) as error:
        problems.append(Problem(path, getattr(error, "reason", None) or str(error)))
        return {}
    if not isinstance(found, dict) or found.get("format") != 1:
        return {}
    return found


def run_id(before: Dict[str, Any], there: str) -> str:
    """Return the run's own id, where it was none that MLflow takes."""
    try:
        return keys.check_run_id(before.get("run_id", there))
    except InvalidIdError:
        return there


def restore(
    before: Dict[str, Any], params: Dict[str, Any], tags: Dict[str, Any], fields: Dict[str, Any]
) -> Tuple[Dict[str, Any], Dict[str, Any], Dict[str, Any]]:
    """Return params and tags with their own keys and values, and the fields with what MLflow has no place for."""
    told = _table(before, "fields")
    if len(documents.encode_json(told)) > _MOST_BYTES:
        told = {}
    restored = dict(fields)
    for name, value in told.items():
        if name in _NEVER:
            continue
        if name not in restored or (name in _FIELDS and restored[name] is None):
            restored[name] = value
    if told and told.get("status") == "RUNNING" and fields.get("status") != "FINISHED":
        restored["status"] = "RUNNING"  # it was lost, for which MLflow has no word
        restored["end_time"] = None
    for name in ("start_time", "end_time"):  # to the microsecond, where MLflow has milliseconds
        if isinstance(told.get(name), str) and str(told[name])[:23] == str(restored.get(name))[:23]:
            restored[name] = told[name]
    return _values(_table(before, "params"), params), _values(_table(before, "tags"), tags), restored


def metric_key(before: Dict[str, Any], key: str) -> str:
    """Return the own key of a metric."""
    own = _table(before, "metrics").get(key, key)
    return own if isinstance(own, str) and own else key


def _values(told: Dict[str, Any], there: Dict[str, Any]) -> Dict[str, Any]:
    found = {}
    for key, text in there.items():
        own = told.get(key)
        if isinstance(own, dict) and isinstance(own.get("key"), str) and own.get("text") == text and "value" in own:
            found[own["key"]] = documents.decode_value(own)
        else:
            found[key] = text
    return found


def _table(before: Dict[str, Any], name: str) -> Dict[str, Any]:
    found = before.get(name)
    return found if isinstance(found, dict) else {}
