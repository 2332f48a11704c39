"""Texts of users on a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow.cli import texts

ANY = st.text(st.characters(), max_size=60)  # half characters too
SHOWABLE = ANY.map(texts.clean)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("brisk-otter", "brisk-otter"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x1b]52;c;cm0gLXJm\x07", "\\x1b]52;c;cm0gLXJm\\x07"),
        ("\x1b]8;;http://evil.example\x1b\\x", "\\x1b]8;;http://evil.example\\x1b\\x"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb\nc\td", "a\\rb\\nc\\td"),
        ("exe.\u202etxt", "exe.\\u202etxt"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\ud800", "\\ud800"),
        ("naïve 名前 ✓", "naïve 名前 ✓"),
    ],
)
def test_f01_what_steers_a_terminal_is_visibly_escaped(text, shown):
    assert texts.clean(text) == shown


@given(ANY)
def test_f01_a_clean_text_holds_nothing_that_steers_a_terminal(text):
    for character in texts.clean(text):
        assert unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


@given(ANY)
def test_a_clean_text_stays_as_it_is(text):
    assert texts.clean(texts.clean(text)) == texts.clean(text)


@given(ANY, st.sampled_from(["ascii", "latin-1", "utf-8", "cp1252"]))
def test_a_clean_text_can_be_written_in_the_encoding_that_it_is_for(text, encoding):
    texts.clean(text, encoding).encode(encoding)


def test_hundreds_of_combining_marks_do_not_paint_over_the_lines_around():
    shown = texts.clean("e" + "\u0301" * 500)
    assert sum(unicodedata.combining(character) > 0 for character in shown) == 6


@given(SHOWABLE, st.integers(0, 40))
def test_a_text_that_is_cut_is_never_wider_than_asked(text, width):
    for cut in (texts.cut_end, texts.cut_middle):
        for ellipsis in ("…", ".."):
            assert texts.width_of(cut(text, width, ellipsis)) <= width


@given(SHOWABLE)
def test_a_text_that_fits_is_not_cut(text):
    width = texts.width_of(text)
    assert texts.cut_end(text, width) == texts.cut_middle(text, width) == text


def test_names_are_cut_in_the_middle_and_texts_at_the_end():
    assert texts.cut_middle("imagenet-resnet50-from-scratch", 20) == "imagenet-r…m-scratch"
    assert texts.cut_end("imagenet-resnet50-from-scratch", 20) == "imagenet-resnet50-f…"
    assert texts.cut_middle("名前名前名前", 7) == "名…名前"


@given(SHOWABLE, st.integers(0, 40), st.booleans())
def test_padding_fills_up_to_the_width(text, width, is_right):
    assert texts.width_of(texts.pad(text, width, is_right=is_right)) == max(width, texts.width_of(text))


@given(st.lists(SHOWABLE, min_size=1, max_size=6), st.integers(2, 40))
def test_wrapped_lines_fit_and_hold_every_word(words, width):
    lines = texts.join_wrapped(words, " ", width)
    assert all(texts.width_of(line) <= width for line in lines)
    joined = "".join("".join(lines).split(" "))
    assert joined == "".join("".join(words).split(" "))


@given(st.lists(st.tuples(st.sampled_from(["", "31", "1;32"]), SHOWABLE), max_size=5), st.integers(0, 40))
def test_a_line_that_is_clipped_fits_and_ends_the_colours_that_it_began(parts, width):
    line = "".join("\x1b[%sm%s\x1b[0m" % (colour, text) if colour else text for colour, text in parts)
    clipped = texts.clip(line, width)
    assert texts.width_of(clipped) <= width
    assert line.count("\x1b[0m") == clipped.count("\x1b[0m")


def test_wide_characters_count_for_two_and_marks_for_none():
    assert [texts.width_of(text) for text in ("abc", "名前", "e\u0301", "✓", "\x1b[31mred\x1b[0m")] == [3, 4, 1, 1, 3]
