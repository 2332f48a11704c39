"""How are long texts beside each other cut, so that what tells them apart stays?"""

from __future__ import annotations

from . import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Sequence

_BOUNDARIES = "/\\ _:,;=@"  # what a shared beginning ends with, if it can: words stay whole, and numbers
_SHORTEST = 4  # a beginning that is left out has so many characters at least


def cut_apart(given: Sequence[str], width: int, ellipsis: str = "…") -> List[str]:
    """Return clean texts, none wider than *width*; where one is too wide, all without the beginning that they share.

    What is too wide even so is cut in its middle, or around where it differs from what looks the same.
    """
    distinct = sorted(set(given))
    if all(texts.width_of(each) <= width for each in distinct):
        return list(given)
    start = _shared_start(distinct)
    shown = {each: ellipsis + each[start:] if start else each for each in distinct}
    shown = {each: texts.cut_middle(text, width, ellipsis) for each, text in shown.items()}
    alike: Dict[str, List[str]] = {}
    for each, text in shown.items():
        alike.setdefault(text, []).append(each)
    for group in alike.values():
        if len(group) > 1:
            shown.update(_around_differences(group, width, ellipsis))
    return [shown[each] for each in given]


def cut_values(shown: Sequence[str], values: Sequence[Any], width: int, ellipsis: str) -> List[str]:
    """Return the texts of some values as ``cut_apart``; what stands for no value shares no beginning with them."""
    ends = iter(cut_apart([text for text, value in zip(shown, values) if value is not None], width, ellipsis))
    return [text if value is None else next(ends) for text, value in zip(shown, values)]


def _shared_start(distinct: Sequence[str]) -> int:
    """Return how many characters all texts begin with, up to the end of a word, and none ends there."""
    if len(distinct) < 2:
        return 0
    shared = _count_shared(distinct[0], distinct[-1])  # sorted, the others lie between these
    shared = min(shared, *(len(each) - 1 for each in distinct))
    beginning = distinct[0][:shared]
    at_word = max(beginning.rfind(sign) for sign in _BOUNDARIES) + 1
    start = at_word if at_word >= _SHORTEST else max(0, shared - _SHORTEST)
    return start if start >= _SHORTEST else 0


def _around_differences(alike: Sequence[str], width: int, ellipsis: str) -> Dict[str, str]:
    """Return texts that look the same, in order, each around the first place that no neighbour shares."""
    cut = {}
    for place, text in enumerate(alike):
        beside = [*alike[max(0, place - 1) : place], *alike[place + 1 : place + 2]]
        differs = max(_count_shared(text, other) for other in beside)
        start = max(text.rfind(sign, 0, differs) for sign in _BOUNDARIES) + 1
        start = max(start, differs - max(0, width - 2 * len(ellipsis) - 1))
        cut[text] = texts.cut_end((ellipsis if start else "") + text[start:], width, ellipsis)
    return cut


def _count_shared(first: str, second: str) -> int:
    """Return how many characters two texts begin with."""
    return next((place for place, (a, b) in enumerate(zip(first, second)) if a != b), min(len(first), len(second)))
