"""What does a metric come to in each of many runs, read by as many threads or processes as it takes?"""

from __future__ import annotations

from ..records import Summary
from ..summary import find_summary
from .crowd import Work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional


def _summarise(key: str, folder: str, run_id: str) -> Optional[Summary]:
    return find_summary(folder, run_id, key)


def _encode(summary: Optional[Summary]) -> Optional[List[Any]]:
    return None if summary is None else list(summary)


def _decode(found: Any) -> Optional[Summary]:
    return None if found is None else Summary(*found)


SUMMARISE = Work("%s:SUMMARISE" % __name__, _summarise, _encode, _decode)
