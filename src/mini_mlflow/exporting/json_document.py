"""How do runs look as one JSON document, ``mini-mlflow/runs/1``?"""

from __future__ import annotations

import re

from ..errors import MiniMLflowError
from ..records import Problem
from ..store import documents, meta, reader
from ..summary import summarize
from . import given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Sequence, TextIO

    from ..records import StoredRun

SCHEMA = "mini-mlflow/runs/1"
# JSON may hold these as they are, and a terminal obeys some of them: controls, what turns the direction of writing.
_UNSAFE = re.compile("[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]")


def write(
    stream: TextIO,
    runs: Sequence[StoredRun],
    names: Dict[str, str],
    problems: List[Problem],
    advance: Callable[[int], None],
    *,
    store: str,
    with_histories: bool = False,
) -> None:
    """Write the document, run by run.

    Args:
        stream: Where to.
        runs: The runs.
        names: Of experiments, by ids as texts.
        problems: Gets what could not be read.
        advance: Called with 1 for each run.
        store: What the document calls the store.
        with_histories: Whether each metric has its rows: ``steps``, ``timestamps_ms``, ``values``.
    """
    head = '{"schema": %s, "store": %s, "total": %d, "runs": ['
    stream.write(head % (_encode(SCHEMA), _encode(store), len(runs)))
    for number, run in enumerate(runs):
        stream.write((",\n" if number else "\n") + _encode(_run(run, names, problems, with_histories=with_histories)))
        advance(1)
    warnings = ["%s: %s" % each for each in dict.fromkeys(problems)]
    stream.write('\n], "warnings": %s}\n' % _encode(warnings))


def _run(run: StoredRun, names: Dict[str, str], problems: List[Problem], *, with_histories: bool) -> Dict[str, Any]:
    described = given.describe(run, names)
    described.update(params=run.data.params, tags=run.data.tags, metrics={})
    folder = given.folder_of(run)
    for key in sorted(run.data.metrics):
        try:
            rows, latest = reader.get_metric(folder, run.info.run_id, key)
        except (MiniMLflowError, OSError) as error:
            problems.append(Problem("%s of run %s" % (key, run.info.run_id), str(error)))
            continue
        found: Dict[str, Any] = {"last": latest.value, "step": latest.step, **summarize(rows, latest.value)._asdict()}
        if with_histories:
            found["steps"] = [row.step for row in rows]
            found["timestamps_ms"] = [row.timestamp for row in rows]
            found["values"] = [row.value for row in rows]
        described["metrics"][key] = found
    return described


def _encode(value: Any) -> str:
    """Return JSON that every reader takes, and that is harmless on a terminal."""
    text = documents.encode_json(_sound(value))
    return text if text.isascii() else _UNSAFE.sub(lambda match: "\\u%04x" % ord(match.group()), text)


def _sound(value: Any) -> Any:
    """Return a value with U+FFFD for half characters, which strict readers refuse."""
    if isinstance(value, str):
        return value if value.isascii() else meta.storable(value)
    if isinstance(value, dict):
        return {_sound(str(key)): _sound(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_sound(each) for each in value]
    return value
