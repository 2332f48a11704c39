"""A terminal shows what was painted, and only changed lines are sent."""

from emulator import Emulator
from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow.cli.repaint import Painter

LINES = st.lists(st.text(alphabet="abc─ ", max_size=14), max_size=7)


@given(st.lists(st.tuples(LINES, st.integers(4, 12), st.integers(2, 6)), min_size=1, max_size=6))
def test_the_screen_shows_the_newest_picture_whatever_was_there_before(pictures):
    painter, screen = Painter(), Emulator(8, 4)
    screen._set("7", False)
    for lines, width, height in pictures:
        screen.resize(width, height)
        screen.feed(painter.paint(lines, width, height))
        shown = [line[:width].rstrip() for line in lines[:height]]
        assert screen.lines() == shown + [""] * (height - len(shown))


def test_only_the_line_that_changed_is_sent():
    painter = Painter()
    painter.paint(["one", "two", "three"], 20, 4)
    sent = painter.paint(["one", "2", "three"], 20, 4)
    assert "2" in sent
    assert "\x1b[2;1H" in sent
    assert "one" not in sent
    assert "three" not in sent
    assert painter.paint(["one", "2", "three"], 20, 4) == ""


def test_a_line_is_erased_after_it_is_written_and_a_full_one_not_at_all():
    painter = Painter()
    painter.paint(["x" * 10], 10, 2)
    assert "\x1b[K" not in painter.paint(["y" * 10], 10, 2)
    assert painter.paint(["z"], 10, 2).index("z") < painter.paint(["a"], 10, 2).index("\x1b[K")


def test_after_forgetting_everything_is_painted_again():
    painter = Painter()
    painter.paint(["one"], 10, 2)
    painter.forget()
    assert "\x1b[2J" in painter.paint(["one"], 10, 2)
