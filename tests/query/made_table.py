"""A table of runs, made by hand."""

from typing import Any, Dict, List, Optional


class MadeTable:
    def __init__(self, *runs: Dict[str, Any]) -> None:
        """Take runs as dicts: ``metrics.loss``, ``params.lr``, ``tags.x``, and bare attributes."""
        self.runs = list(runs)
        self.count = len(self.runs)
        self.summaries: Dict[Any, List[Any]] = {}

    def column(self, kind: str, key: str) -> Optional[List[Any]]:
        name = key if kind == "attributes" else f"{kind}.{key}"
        return [run.get(name) for run in self.runs] if any(name in run for run in self.runs) else None

    def keys(self, kind: str) -> List[str]:
        return sorted({name[len(kind) + 1 :] for run in self.runs for name in run if name.startswith(kind + ".")})

    def summary_column(self, function: str, key: str) -> Optional[List[Any]]:
        return self.summaries.get((function, key))
