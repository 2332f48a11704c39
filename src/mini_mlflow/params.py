"""Which params does an object hold in which a program keeps its settings, and what are they called?"""

from __future__ import annotations

from . import readable
from .errors import InvalidKeyError, InvalidValueError, shown
from .fields import find_fields
from .values import MAX_DEPTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Tuple

    Path = Tuple[Any, ...]

_SOURCES = "a dict, dataclass, Namespace, pydantic model, attrs class, OmegaConf config or absl FLAGS"


def flatten(source: Any) -> Dict[str, Any]:
    """Return the params of an object that holds settings, by dotted names, in the order in which they stand there.

    ``{"model": {"lr": 0.1}}`` is the param ``model.lr``. Lists stay values, and so does a dict without anything in it.
    A key that is no text becomes text. Objects may hold each other, of whatever kind.

    Args:
        source: A dict or other mapping, a dataclass, ``argparse.Namespace`` or ``types.SimpleNamespace``, a pydantic
            model, an instance of an attrs class, an OmegaConf config, absl ``FLAGS`` (all but absl's own flags).

    Raises:
        InvalidKeyError: Two params would have the same name.
        InvalidValueError: It holds no settings, or itself, or is nested over 250 deep.
    """
    fields = find_fields(source)
    if fields is None:
        raise InvalidValueError(_refusal(source), value=source)
    paths: Dict[str, Path] = {}
    params: Dict[str, Any] = {}
    for path, value in _walk(source, fields):
        key = ".".join(path)
        if key in paths:
            message = "Params %s and %s would both be called %r. Rename one of them."
            raise InvalidKeyError(message % (_shown_path(paths[key]), _shown_path(path), key), key=key)
        paths[key] = path
        params[key] = value
    return params


def _walk(source: Any, fields: Dict[Any, Any]) -> Iterator[Tuple[Path, Any]]:
    """Yield every value with the keys that lead to it."""
    path: List[str] = []
    above = [source]  # what we are within
    levels = [iter(fields.items())]
    while levels:
        try:
            key, value = next(levels[-1])
        except StopIteration:
            levels.pop()
            above.pop()
            del path[-1:]
            continue
        name = key if type(key) is str else readable.key_text(key)
        inner = find_fields(value)
        if not inner:
            yield (*path, name), value if inner is None else {}
            continue
        if any(value is each for each in above):
            message = "Param %s holds itself, without end. Log what is within it one by one."
            raise InvalidValueError(message % _shown_path((*path, name)), key=name)
        if len(levels) > MAX_DEPTH:
            message = "Param %s... is nested over %d deep. Log an inner part of it."
            raise InvalidValueError(message % (_shown_path(tuple(path[:3])), MAX_DEPTH), key=name)
        path.append(name)
        above.append(value)
        levels.append(iter(inner.items()))


def _refusal(source: Any) -> str:
    """Return what to say of an object that holds no settings that we could see."""
    if isinstance(source, type):
        return "Params must come from an object, got the class %s. Give an instance of it." % source.__name__
    found = type(source).__name__
    if hasattr(source, "to_dict"):
        advice = "Give the object's to_dict()."
    elif hasattr(source, "__dict__"):
        advice = "Give the object's vars()."
    else:
        advice = "A single value goes to log_param(key, value)."
    return "Params must come as %s, got %s: %s. %s" % (_SOURCES, found, shown(source), advice)


def _shown_path(path: Path) -> str:
    return "".join("[%r]" % each for each in path)
