"""Is the difference between two groups of numbers more than noise: mean, deviation, Welch's t-test?

Pure, and on finite floats; the callers leave NaN and infinities out.
"""

from __future__ import annotations

from math import exp, frexp, fsum, inf, ldexp, lgamma, log, log1p, sqrt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Sequence

ALPHA = 0.05  # a difference that chance alone makes less often than this is more than noise
_MOST_TERMS = 10000  # of the continued fraction; its need grows with the root of the degrees of freedom
_ENOUGH = 1e-15
_FAR = 64  # a power of two that no count of values reaches
_TINY = 1e-300  # stands for 0 where it would be divided by


def mean(values: Sequence[float]) -> float:
    """Return the arithmetic mean of one or more finite numbers; it is never outside them.

    Raises:
        ValueError: There are none.
    """
    if not values:
        raise ValueError("There is no mean of no values.")
    try:
        middle = fsum(values) / len(values)
    except OverflowError:
        scaled = [ldexp(value, -_FAR) for value in values]
        middle = ldexp(min(max(fsum(scaled) / len(values), min(scaled)), max(scaled)), _FAR)
    # It may be one bit off, and equal values would seem to differ from it.
    return min(max(middle, min(values)), max(values))


def std(values: Sequence[float]) -> Optional[float]:
    """Return the sample standard deviation (n - 1) of finite numbers, None for fewer than two."""
    if len(values) < 2:
        return None
    exponent = _exponent(values)
    try:
        return ldexp(sqrt(_variance([ldexp(value, -exponent) for value in values])), exponent)
    except OverflowError:
        return inf  # of values at both ends of what floats reach


def welch_p(a: Sequence[float], b: Sequence[float]) -> Optional[float]:
    """Return how likely chance alone makes two means differ at least so much: the two-sided p of Welch's t-test.

    B. L. Welch, The generalization of "Student's" problem when several different population variances are involved,
    Biometrika 34 (1947); the degrees of freedom are those of Welch and Satterthwaite.

    Args:
        a: The numbers of one group, finite.
        b: Those of the other.

    Returns:
        From 0 to 1; None where a group has fewer than two numbers, so that its spread is not known. Where neither has
        any spread: 1 for equal means, else 0.
    """
    if len(a) < 2 or len(b) < 2:
        return None
    # One scale for all, a power of two: squares of very great or small numbers stay within what floats hold.
    exponent = _exponent([*a, *b])
    a, b = ([ldexp(value, -exponent) for value in group] for group in (a, b))
    difference = mean(a) - mean(b)
    share_a, share_b = _variance(a) / len(a), _variance(b) / len(b)
    both = share_a + share_b
    if not both:
        return 0.0 if difference else 1.0
    weight_a, weight_b = share_a / both, share_b / both
    freedom = 1.0 / (weight_a**2 / (len(a) - 1) + weight_b**2 / (len(b) - 1))
    return student_p(difference / sqrt(both), freedom)


def student_p(t: float, freedom: float) -> float:
    """Return how likely a value of Student's t is at least so far from 0, on either side.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.5.27 and 26.7.1: I_x(v/2, 1/2), x = v / (v + t^2).

    Args:
        t: The value.
        freedom: The degrees of freedom *v*, above 0; they need not be whole.
    """
    ratio = t * t / freedom
    return incomplete_beta(freedom / 2, 0.5, 1 / (1 + ratio), ratio / (1 + ratio) if ratio < inf else 1.0)


def incomplete_beta(a: float, b: float, x: float, rest: Optional[float] = None) -> float:
    """Return the regularised incomplete beta function I_x(a, b).

    The continued fraction of the NIST Digital Library of Mathematical Functions, 8.17.22 (dlmf.nist.gov/8.17.E22),
    which converges fast for x < (a + 1) / (a + b + 2), else that of I_x(a, b) = 1 - I_(1-x)(b, a), 8.17.4; evaluated by
    Lentz's method as Thompson and Barnett changed it (Journal of Computational Physics 64, 1986).

    Args:
        a: Above 0.
        b: Above 0.
        x: From 0 to 1.
        rest: ``1 - x``, where the caller knows it better than this difference tells.
    """
    rest = 1.0 - x if rest is None else rest
    if x <= 0.0 or rest <= 0.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return max(1.0 - _beta_by_fraction(b, a, rest, x), 0.0)
    return min(_beta_by_fraction(a, b, x, rest), 1.0)


def is_within_noise(a: Sequence[float], b: Sequence[float], alpha: float = ALPHA) -> Optional[bool]:
    """Tell whether the means of two groups differ by no more than chance makes them.

    Args:
        a: The numbers of one group, finite.
        b: Those of the other.
        alpha: How unlikely a difference must be to be more than noise.

    Returns:
        Whether the p of Welch's t-test is above *alpha*; None where a group has fewer than two numbers, so that nothing
        can be told.
    """
    p_value = welch_p(a, b)
    return None if p_value is None else p_value > alpha


def _beta_by_fraction(a: float, b: float, x: float, rest: float) -> float:
    """Return I_x(a, b) by 8.17.22."""
    log_x = log(x) if x < 0.5 else log1p(-rest)
    log_rest = log(rest) if rest < 0.5 else log1p(-x)
    return exp(a * log_x + b * log_rest + lgamma(a + b) - lgamma(a) - lgamma(b)) / a * _fraction(a, b, x)


def _fraction(a: float, b: float, x: float) -> float:
    """Return 1 / (1 + d1 / (1 + d2 / (1 + ...))) with the d of 8.17.23."""
    numerator, denominator, product = 1.0, 0.0, 1.0
    for term in range(1, _MOST_TERMS):
        half = term // 2
        if term % 2:
            part = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            part = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        denominator = 1.0 / ((1.0 + part * denominator) or _TINY)
        numerator = (1.0 + part / numerator) or _TINY
        product *= numerator * denominator
        if abs(numerator * denominator - 1.0) < _ENOUGH:
            break
    return 1.0 / product


def _variance(values: Sequence[float]) -> float:
    middle = mean(values)
    return fsum((value - middle) ** 2 for value in values) / (len(values) - 1)


def _exponent(values: Sequence[float]) -> int:
    """Return the power of two that the greatest of the values is within."""
    return frexp(max(map(abs, values)))[1]
