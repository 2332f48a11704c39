"""What stands beside the store: MLflow, and what this Python has or lacks?"""

from __future__ import annotations

import os
import re
import sys
from importlib.util import find_spec

from .. import config, layout
from .findings import GOOD, WARN, Probe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Sequence, Tuple

_RAISES_SINCE = (3, 13)
_DISTRIBUTION = r"(?i)mlflow(?:[-_.]skinny)?-([0-9][^-]*)\.(?:dist|egg)-info"
_ADVICE = "keep the runs in another folder: MINI_MLFLOW_DIR=runs"


def probe_mlflow(store: str, working_folder: str, search_path: Optional[Sequence[str]] = None) -> Optional[Probe]:
    """Tell whether MLflow is installed here, and whether it stumbles over the store.

    Without a tracking URI MLflow looks at ``mlruns`` in the working folder. From 3.13 on it raises where an experiment
    lies there, ``mlruns/<digits>/meta.yaml``; before, it refuses an experiment in which a run of ours lies.

    Args:
        store: The store's folder.
        working_folder: Where scripts start.
        search_path: Where packages lie; None: ``sys.path``.

    Returns:
        None where there is no MLflow.
    """
    version = find_mlflow(sys.path if search_path is None else search_path)
    if version is None:
        return None
    facts = {"version": version}
    name = "MLflow %s" % version
    is_default = os.path.realpath(store) == os.path.realpath(os.path.join(working_folder, config.DEFAULT_RUNS_DIR))
    if not is_default:
        return Probe(name, GOOD, "looks elsewhere", "", facts)
    if _numbers(version) >= _RAISES_SINCE:
        if not _has_experiment(store):
            meaning = "once a run is here, plain MLflow raises in this folder: %s" % _ADVICE
            return Probe(name, WARN, "looks at ./mlruns too", meaning, facts)
        meaning = "without a tracking URI it raises, as experiments lie in ./mlruns: %s" % _ADVICE
        return Probe(name, WARN, "raises in this folder", meaning, facts)
    meaning = "it refuses an experiment in which a run of ours lies: %s" % _ADVICE
    return Probe(name, WARN, "looks at ./mlruns too", meaning, facts)


def find_mlflow(search_path: Sequence[str]) -> Optional[str]:
    """Return the version of the MLflow that would be imported, None where there is none; nothing is imported."""
    for folder in search_path:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        found = list(filter(None, (re.fullmatch(_DISTRIBUTION, name) for name in sorted(names))))
        if found:
            return found[0].group(1)
    return None


def probe_python() -> Probe:
    """Tell what this Python lacks of what some commands need."""
    missing: List[str] = []
    meanings: List[str] = []
    for module, meaning in (
        ("sqlite3", "there is no index, so ls reads every run anew"),
        ("yaml", "no meta.yaml that MLflow wrote or somebody edited can be read: pip install PyYAML"),
        ("ssl", "no https"),
    ):
        if find_spec(module) is None:
            missing.append(module)
            meanings.append(meaning)
    if config.cache_folder() is None:
        missing.append("a cache folder")
        meanings.append("the index is kept in memory, and made anew by each command")
    version = "%d.%d.%d" % sys.version_info[:3]
    facts = {"version": version, "missing": missing}
    if missing:
        return Probe("Python", WARN, "%s without %s" % (version, ", ".join(missing)), "; ".join(meanings), facts)
    return Probe("Python", GOOD, version, "", facts)


def _numbers(version: str) -> Tuple[int, ...]:
    return tuple(map(int, re.findall(r"[0-9]+", version)[:2]))


def _has_experiment(store: str) -> bool:
    try:
        names = os.listdir(store)
    except OSError:
        return False
    return any(name.isdigit() and os.path.isfile(os.path.join(store, name, layout.META)) for name in names)
