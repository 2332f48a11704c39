"""Which fields does an object have that holds settings: a dataclass, a Namespace, a config of some library?

No library is imported for it: an object of one has brought it along.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, Optional


def find_fields(value: Any) -> Optional[Dict[Any, Any]]:
    """Return the fields of an object that holds settings, one level of them; None for any other object.

    Such are dicts and other mappings, instances of dataclasses, ``argparse.Namespace`` and ``types.SimpleNamespace``,
    models of pydantic (1 and 2), instances of attrs and msgspec classes, OmegaConf's ``DictConfig`` (interpolations are
    resolved where they can be, what is missing is the text ``???``), and absl's ``FLAGS`` (all but those of absl).
    """
    if isinstance(value, Mapping):
        return _fields_of_omegaconf(value) if _is_of(value, "omegaconf") else dict(value.items())
    if isinstance(value, (type, Enum)):
        return None
    names = _find_names(value)
    if names is not None:
        return {name: getattr(value, name) for name in names if hasattr(value, name)}
    if _is_of(value, "pydantic", "BaseModel"):
        return dict(value)
    if _is_of(value, "argparse", "Namespace") or _is_of(value, "types", "SimpleNamespace"):
        return dict(vars(value))
    if _is_of(value, "absl", "FlagValues"):
        return _fields_of_flags(value)
    kind = type(value)
    # A mapping in all but its registration, such as ml_collections.ConfigDict; what has a shape, too, is a table.
    is_mapping = all(hasattr(kind, name) for name in ("keys", "items", "__getitem__")) and not hasattr(kind, "shape")
    return dict(value.items()) if is_mapping else None


def find_items(value: Any) -> Optional[Any]:
    """Return the items of OmegaConf's ``ListConfig`` as a list; None for any other object."""
    return _resolved(value) if _is_of(value, "omegaconf", "ListConfig") else None


def _is_of(value: Any, package: str, name: Optional[str] = None) -> bool:
    """Tell whether an object's class, or one that it derives from, is of that package and name."""
    return any(
        base.__module__.split(".", 1)[0] == package and name in (None, base.__name__) for base in type(value).__mro__
    )


def _find_names(value: Any) -> Optional[Iterable[str]]:
    """Return the names of the fields that an object's class declares, as dataclasses, attrs and msgspec have them."""
    kind = type(value)
    if hasattr(kind, "__dataclass_fields__"):
        return [field.name for field in sys.modules["dataclasses"].fields(value)]
    if hasattr(kind, "__attrs_attrs__"):
        return [field.name for field in kind.__attrs_attrs__]
    return getattr(kind, "__struct_fields__", None)


def _fields_of_flags(flags: Any) -> Dict[Any, Any]:
    """Return the flags that the program and its libraries define; absl's own, such as ``--helpfull``, set nothing."""
    by_module = flags.flags_by_module_dict()
    own = {flag.name: flag.value for module in sorted(by_module) if not _is_absl(module) for flag in by_module[module]}
    return {name: own[name] for name in sorted(own)}


def _is_absl(module: str) -> bool:
    return module.split(".", 1)[0] == "absl"


def _fields_of_omegaconf(config: Any) -> Dict[Any, Any]:
    resolved = _resolved(config)
    # One that is None or missing as a whole has no fields.
    return resolved if isinstance(resolved, dict) else {}


def _resolved(config: Any) -> Any:
    """Return an OmegaConf node as plain dicts and lists; what refers to nothing stays as it is written."""
    tools = sys.modules["omegaconf"].OmegaConf
    try:
        return tools.to_container(config, resolve=True, throw_on_missing=False)
    except Exception:  # noqa: BLE001 - a resolver is the user's code
        raw = tools.to_container(config, resolve=False, throw_on_missing=False)
    if isinstance(raw, dict):
        return {key: _resolved_item(config, key, raw[key]) for key in raw}
    return [_resolved_item(config, number, item) for number, item in enumerate(raw)]


def _resolved_item(config: Any, key: Any, raw: Any) -> Any:
    try:
        item = config[key]
    except Exception:  # noqa: BLE001 - as above
        return raw
    return _resolved(item) if _is_of(item, "omegaconf") else item
