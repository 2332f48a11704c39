"""How wide is what a terminal shows?"""

from typing import Sequence

from mini_mlflow.cli import texts


def widest(lines: Sequence[str]) -> int:
    """Return how many columns the widest of the lines takes."""
    return max(map(texts.width_of, lines), default=0)
