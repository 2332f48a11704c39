"""Rows for other programs."""

import csv
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow import separated

TEXT = st.text(max_size=20)


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1+1", "-1+1", "@x", "\tx", "\rx", "\n=1", "-x", "＝1"])
def test_f04_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text):
    (cell,) = next(csv.reader(io.StringIO(separated.csv_line([text]), newline="")))
    assert cell == "'" + text
    (raw,) = next(csv.reader(io.StringIO(separated.csv_line([text], raw=True), newline="")))
    assert raw == text


@pytest.mark.parametrize("value", [-1, -0.5, 1e-5, "-1", "+1.5", "-1e5", "-inf", 10**30])
def test_f04_numbers_stay_numbers(value):
    assert separated.csv_line([value]) == str(value)


def test_what_is_no_finite_number_and_what_is_missing():
    assert separated.csv_line([math.nan, math.inf, -math.inf, None, True]) == "NaN,inf,-inf,,true"
    assert separated.tsv_line([math.nan, None, [1, "ä"], 0.1]) == 'NaN\t\t[1, "ä"]\t0.1'


@given(st.lists(TEXT, min_size=2, max_size=5))
def test_csv_reads_back_as_it_was(values):
    values = [value.replace("\0", "0") for value in values]  # Python's reader refuses it before 3.11
    line = separated.csv_line(values, raw=True)
    assert next(csv.reader(io.StringIO(line + "\r\n", newline=""))) == values


@given(st.lists(TEXT, min_size=1, max_size=5))
def test_tsv_has_as_many_tabs_as_it_should_and_no_line_breaks(values):
    line = separated.tsv_line(values)
    assert line.count("\t") == len(values) - 1
    assert not set("\r\n") & set(line)
    cells = [
        cell.replace("\\\\", "\0").replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r").replace("\0", "\\")
        for cell in line.split("\t")
    ]
    assert cells == values or "\0" in "".join(values)
