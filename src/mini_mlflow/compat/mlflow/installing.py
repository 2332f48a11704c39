"""How does ``import mlflow`` come to mean this front, in a script that is not changed?"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec

from . import absent, artifacts, client, entities, exceptions, inner, tracking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Optional, Sequence

_NAME = "mlflow"


def install() -> None:
    """Let ``import mlflow``, ``from mlflow.entities import Metric`` and the like mean this front from now on.

    For this process alone, and for whatever imports it later, also other libraries: those that log to MLflow by
    themselves log here, as far as they need no models.

    Raises:
        ImportError: MLflow itself is imported already.
    """
    front = sys.modules[__package__]
    if sys.modules.get(_NAME, front) is not front:
        raise ImportError("MLflow is imported already. Call install() before the first 'import mlflow'.", name=_NAME)
    sys.modules[_NAME] = front
    for module in (artifacts, client, entities, exceptions, tracking):
        sys.modules["%s.%s" % (_NAME, module.__name__.rpartition(".")[2])] = module
    for name, inside in inner.modules().items():
        sys.modules["%s.%s" % (_NAME, name)] = inside
    if not any(isinstance(each, _Finder) for each in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds the stand-ins for modules of MLflow's that are not here, however deep."""

    def find_spec(
        self, name: str, _path: Optional[Sequence[str]] = None, _target: Optional[ModuleType] = None
    ) -> Optional[ModuleSpec]:
        """Return a spec for a module of MLflow's that is not here, None for any other."""
        above, _, below = name.partition(".")
        if above != _NAME or not isinstance(absent.find(below.partition(".")[0]), absent.AbsentModule):
            return None
        return ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]  # create_module and exec_module suffice

    def create_module(self, spec: ModuleSpec) -> Any:
        """Return the stand-in."""
        below = spec.name.partition(".")[2]
        return absent.AbsentModule(below, absent.find(below.partition(".")[0]).instead)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: a stand-in has no code."""
