"""Which params tell runs apart, and which of them are but the seed?

Pure, and on dicts of params, whose values ``comparable`` makes texts of.
"""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Mapping, Sequence, Set, Tuple

_SEEDS = frozenset(["seed", "randomseed", "fold"])
_PAIRS = (["random", "state"], ["seed", "everything"])  # scikit-learn's and Lightning's names of a seed
_NUMBERINGS = frozenset(["id", "idx", "index"])  # fold_id is which fold
_COUNTS = frozenset(["n", "num", "number", "k", "use"])  # num_fold is how many, use_seed is whether
_LARGEST_WHOLE = 1e22  # floats up to here are written as the whole numbers that they are


def comparable(value: Any) -> str:
    """Return a text that is the same for equal values, and for these alone.

    Numbers are equal by their value (1 and 1.0), booleans and texts are no numbers, and NaN equals itself.
    """
    if isinstance(value, float) and abs(value) < _LARGEST_WHOLE and value == int(value):
        value = int(value)
    return json.dumps(value, sort_keys=True)


def is_seed_like(name: str) -> bool:
    """Tell whether a param of this name says which repetition a run is, as ``seed`` and ``data.random_seed`` do.

    Such end with the word seed or fold (``fold_id``, too), or are ``random_state`` or ``seed_everything``; names of
    counts such as ``n_fold`` and ``folds`` are none.
    """
    words = [word.lower() for word in re.findall("[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]
    if words[-2:] in _PAIRS:
        return True
    if words and words[-1] in _NUMBERINGS:
        words.pop()
    return bool(words) and words[-1] in _SEEDS and not _COUNTS & set(words)


def list_varying(runs: Sequence[Mapping[str, str]]) -> List[str]:
    """Return the params that are not the same in all runs, sorted; a run that lacks one differs.

    Args:
        runs: Of each run a text for each param; equal values have equal texts.
    """
    names: Set[str] = set().union(*runs)
    return sorted(name for name in names if len({params.get(name) for params in runs}) > 1)


def split_seeds(runs: Sequence[Mapping[str, str]]) -> Tuple[List[str], List[str]]:
    """Return the params that make a difference, and the seed-like ones: what differs in otherwise equal runs.

    A seed-like param that no two otherwise equal runs differ by makes a difference as any other does.

    Args:
        runs: As for ``list_varying``.
    """
    varying = list_varying(runs)
    others = [name for name in varying if not is_seed_like(name)]
    seeds = list_mixed(runs, others, (name for name in varying if is_seed_like(name)))
    return [name for name in varying if name not in seeds], seeds


def list_mixed(runs: Sequence[Mapping[str, str]], by: Sequence[str], names: Iterable[str]) -> List[str]:
    """Return those of *names* that are not the same in runs that are equal in all of *by*."""
    places: Dict[Tuple[object, ...], List[Mapping[str, str]]] = {}
    for params in runs:
        places.setdefault(tuple(map(params.get, by)), []).append(params)
    return [name for name in names if any(len({each.get(name) for each in group}) > 1 for group in places.values())]
