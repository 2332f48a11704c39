"""Which end of a metric is best, as its name tells, and which value counts for a run?"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, List, Optional, Sequence, Tuple

BEST = ("min", "max")  # what of a history is its best value
_MAX_WORDS = """
acc accuracy auc auroc auprc roc ap map f1 fscore score scores reward rewards return returns bleu rouge meteor iou miou
dice r2 precision recall top1 top5 ndcg mrr psnr ssim kappa mcc elo sensitivity specificity likelihood success
"""
_MIN_WORDS = """
loss losses err error errors mse rmse mae mape msle nll ppl perplexity wer cer per fid kid bpb bpc kl cost ece
crossentropy logloss brier regret divergence eer
"""
_MAX, _MIN = frozenset(_MAX_WORDS.split()), frozenset(_MIN_WORDS.split())
_PART = re.compile("[A-Za-z0-9]+")
_WORD = re.compile("[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+")
_PLACES = (("val", "valid", "validation", "dev"), ("test", "eval", "evaluation"))


def goal_of(metric: str) -> Optional[str]:
    """Return ``"max"`` or ``"min"``: which end of a metric of this name is best; None where the name does not tell.

    The last word counts that tells anything: ``val/acc`` is best at its greatest, ``acc_error`` at its least.
    """
    for part in reversed(_PART.findall(metric)):
        for word in (part, *reversed(_WORD.findall(part))):  # mIoU is one word, trainLoss two
            small = word.lower()
            for candidate in (small, small.rstrip("0123456789")):
                if candidate in _MAX:
                    return "max"
                if candidate in _MIN:
                    return "min"
    return None


def counting_values(best: Iterable[Any], last: Iterable[Any]) -> List[Any]:
    """Return the value that counts for each run: its best; the latest where that is no finite number, or missing.

    A run that has diverged is not the best one, however good it was before. The terminal and the page rank by this.

    Args:
        best: The best value of all steps of each run.
        last: The latest value of each, None where it has none.
    """
    # Of what is not finite the difference to itself is NaN: of a hundred thousand values that is fast to ask.
    return [most if value is not None and value - value == 0 else value for most, value in zip(best, last)]


def best_place(values: Sequence[Any], goal: Optional[str]) -> Optional[int]:
    """Return the place of the best value, the first of equal ones; None where none is a finite number.

    Args:
        values: A value for each place, None where there is none.
        goal: Which end is best; None: the greatest.
    """
    finite = [place for place, value in enumerate(values) if value is not None and value - value == 0]
    if not finite:
        return None
    return (min if goal == "min" else max)(finite, key=values.__getitem__)


def split_goal(text: str) -> Tuple[str, Optional[str]]:
    """Return the metric and the goal that ``METRIC``, ``METRIC:min`` or ``METRIC:max`` names; None for no goal."""
    metric, colon, goal = text.rpartition(":")
    if colon and metric and goal in ("min", "max"):
        return metric, goal
    return text, None


def sort_metrics(metrics: Iterable[str]) -> Tuple[str, ...]:
    """Return metrics in the order in which they matter: of validation, of tests, then others; equals by name.

    Those whose end is told come before those that have none, and the best at its greatest before the best at its least.
    """

    def rank(metric: str) -> Tuple[int, int, str]:
        words = {word.lower() for word in _WORD.findall(metric)}
        place = next((number for number, names in enumerate(_PLACES) if words & set(names)), len(_PLACES))
        goal = {"max": 0, "min": 1, None: 2}[goal_of(metric)]
        return place, goal, metric

    return tuple(sorted(metrics, key=rank))
