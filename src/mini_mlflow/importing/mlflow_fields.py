"""What does MLflow say of a run, and what does our meta.yaml say of it then?"""

from __future__ import annotations

from ..index.reading import META_TAGS
from ..store import meta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Mapping, Optional, Tuple

_RUNNING = ("RUNNING", "SCHEDULED")
_KNOWN = (*_RUNNING, "FINISHED", "FAILED", "KILLED")
_MOST_BYTES = 256 * 1024  # of what is kept beside our own fields: a meta.yaml may have four times as many


def convert(
    tags: Mapping[str, Any],
    *,
    name: Optional[str],
    status: Any,
    start_time: Optional[str],
    end_time: Optional[str],
    user: Optional[str],
    told: Dict[str, Any],
) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Return the fields of our meta.yaml, and the tags that are left as tags.

    Args:
        tags: Those of MLflow; some of them are fields here: name, parent, user, source.
        name: The run's name where it is none of its tags.
        status: As MLflow calls it; one that is none counts as RUNNING.
        start_time: In the form of rule Y3, None where unknown.
        end_time: The same.
        user: Who ran it.
        told: What else MLflow says, such as data sets; kept as it stands, unless it is too large.
    """
    fields: Dict[str, Any] = {
        "name": name or None,
        "version": None,
        "status": "RUNNING" if status in _RUNNING or status not in _KNOWN else status,
        "start_time": start_time,
        "end_time": end_time,
        "parent_run_id": None,
        "generation": 0,
    }
    if user:
        fields["user"] = user
    rest = dict(tags)
    for tag, field in META_TAGS.items():
        if tag in rest and fields.get(field) in (None, rest[tag]):
            fields[field] = rest.pop(tag)
    fields["imported"] = told
    while told and len(meta.encode({"imported": told})) > _MOST_BYTES:
        del told[max(told, key=lambda each: len(str(told[each])))]
    return fields, rest
