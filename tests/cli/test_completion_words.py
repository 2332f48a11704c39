"""Are words of a shell read and written as the shell does, with nothing of them run?"""

import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mini_mlflow.cli import shell_words

LETTERS = st.text(st.sampled_from("ab $`\\\"'!*?[]{}()<>|&;#~=:,%^-äñ"), max_size=12)


@pytest.mark.parametrize(
    ("line", "words", "quote"),
    [
        ("mini-mlflow show ", ["mini-mlflow", "show", ""], ""),
        ("mini-mlflow  show  ab", ["mini-mlflow", "show", "ab"], ""),
        ("x a\\ b", ["x", "a b"], ""),
        ("x 'a b' c", ["x", "a b", "c"], ""),
        ("x 'a b", ["x", "a b"], "'"),
        ('x "a\\"b\\c', ["x", 'a"b\\c'], '"'),
        ("x '' ", ["x", "", ""], ""),
        ("x a'b'\"c\"", ["x", "abc"], ""),
        ("ls; x y", ["x", "y"], ""),
        ("ls | x y && z ", ["z", ""], ""),
        ("x $(touch", ["touch"], ""),
        ("", [""], ""),
    ],
)
def test_a_line_is_split_as_bash_splits_it_and_nothing_is_expanded(line, words, quote):
    typed = shell_words.split(line)
    assert (typed.words, typed.quote) == (words, quote)


@settings(max_examples=100)
@given(st.lists(LETTERS, min_size=1, max_size=20))
def test_f03_a_quoted_word_is_that_word_to_bash(words):
    script = "printf '%s\\0' " + " ".join(shell_words.quote_for_bash(word) or "''" for word in words)
    script += " " + " ".join("'%s'" % shell_words.quote_for_bash(word, "'") for word in words)
    script += " " + " ".join('"%s"' % shell_words.quote_for_bash(word, '"') for word in words)
    out = subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, check=True).stdout
    assert out.decode("utf-8").split("\0")[:-1] == words * 3


@settings(max_examples=200)
@given(st.lists(LETTERS.filter(bool), min_size=1, max_size=6))
def test_what_was_quoted_is_read_back(words):
    line = " ".join(map(shell_words.quote_for_bash, words))
    assert shell_words.split(line).words == words
    assert shell_words.split(" ".join(map(shlex.quote, words))).words == words


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("x best:val", "best:"),
        ("x a=b:c", "a=b:"),
        ("x 'best:val", ""),
        ("x best\\:val", ""),
        ("x plain", ""),
        ("x a\\ b:c", "a b:"),
    ],
)
def test_readline_replaces_what_follows_the_last_break(line, kept):
    assert shell_words.cut_at_break(shell_words.split(line), " \t\n\"'><=;|&(:") == kept
