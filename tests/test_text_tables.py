"""How does a small table look as text?"""

import pytest

from mini_mlflow.text_tables import render_table, render_value


def test_the_columns_of_a_table_stand_below_each_other():
    assert render_table([["a", "bcd", ""], ["long", "e", "f"]]) == ["a     bcd", "long  e    f"]


def test_a_table_without_rows_has_no_lines():
    assert render_table([]) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("adam", "adam"),
        ("", "''"),
        ("a\nb", "'a\\nb'"),
        ("\x1b[31mred", "'\\x1b[31mred'"),
        (None, "None"),
        (0.1, "0.1"),
        (True, "True"),
        ([1, "ä"], '[1, "ä"]'),
        ("x" * 61, "x" * 59 + "…"),
        ("x" * 60, "x" * 60),
    ],
)
def test_a_value_is_one_short_line_that_steers_no_terminal(value, expected):
    assert render_value(value) == expected
