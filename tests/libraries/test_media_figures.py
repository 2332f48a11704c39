"""Do figures of matplotlib and plotly become files of the kind that their name says?"""

import io
import json
import sys

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import PIL.Image
import plotly.graph_objects as go
import pytest

from mini_mlflow import media
from mini_mlflow.errors import InvalidValueError, MissingPackageError


@pytest.fixture
def figure():
    figure, axes = plt.subplots(figsize=(2, 1))
    axes.plot([1, 2], [3, 4])
    yield figure
    plt.close(figure)


@pytest.fixture
def chart():
    return go.Figure(go.Scatter(x=[1, 2], y=[3, 4]))


@pytest.mark.parametrize(
    ("name", "beginning"),
    [("a/x.png", b"\x89PNG"), ("x.jpg", b"\xff\xd8"), ("x.PDF", b"%PDF"), ("x.svg", b"<?xml"), ("x.webp", b"RIFF")],
)
def test_a_figure_of_matplotlib_is_written_in_the_kind_of_its_name(figure, name, beginning):
    assert media.encode_figure(figure, name, {}).startswith(beginning)


def test_further_arguments_reach_matplotlib(figure):
    for dpi in (50, 100):
        with PIL.Image.open(io.BytesIO(media.encode_figure(figure, "x.png", {"dpi": dpi}))) as image:
            assert image.size == (2 * dpi, dpi)
    assert media.encode_figure(figure, "x.dat", {"format": "png"}).startswith(b"\x89PNG")


def test_an_axes_stands_for_its_figure_and_pyplot_for_the_current_one(figure):
    whole = media.encode_figure(figure, "x.png", {})
    assert media.encode_figure(figure.axes[0], "x.png", {}) == whole
    assert media.encode_figure(plt, "x.png", {}) == whole


@pytest.mark.parametrize("name", ["x.html", "x.txt"])
def test_a_kind_that_matplotlib_does_not_write_is_told_with_those_it_does(figure, name):
    with pytest.raises(InvalidValueError, match=r"(?i)supported formats: .*png"):
        media.encode_figure(figure, name, {})


def test_a_figure_of_plotly_is_a_page_that_loads_plotly_unless_told_to_hold_it(chart):
    page = media.encode_figure(chart, "x.html", {"auto_open": False}).decode("utf-8")
    assert "cdn.plot.ly" in page
    assert len(page) < 100000
    whole = media.encode_figure(chart, "x.html", {"include_plotlyjs": True}).decode("utf-8")
    assert '<script charset="utf-8" src=' not in whole
    assert len(whole) > 1000000


def test_a_figure_of_plotly_comes_back_from_json(chart):
    data = json.loads(media.encode_figure(chart, "x.json", {}).decode("utf-8"))
    assert go.Figure(data) == chart


@pytest.mark.parametrize("name", ["x.png", "x.svg", "x.pdf", "x.webp", "x.jpg"])
def test_pictures_of_plotly_without_kaleido_say_what_to_install(chart, monkeypatch, name):
    monkeypatch.setitem(sys.modules, "kaleido", None)
    with pytest.raises(MissingPackageError, match="pip install kaleido"):
        media.encode_figure(chart, name, {})


def test_pictures_of_plotly_are_asked_for_in_the_kind_of_their_name(chart, monkeypatch):
    asked = []
    monkeypatch.setitem(sys.modules, "kaleido", mpl)  # any module: no browser is needed for this
    monkeypatch.setattr(go.Figure, "to_image", lambda self, **options: asked.append(options) or b"picture")
    assert media.encode_figure(chart, "x.svg", {"width": 300}) == b"picture"
    assert asked == [{"format": "svg", "width": 300}]


def test_a_kind_that_plotly_does_not_write_is_told(chart):
    with pytest.raises(InvalidValueError, match="plotly writes no files of kind"):
        media.encode_figure(chart, "x.txt", {})


def test_a_table_is_no_figure():
    import pandas as pd

    with pytest.raises(InvalidValueError, match="got DataFrame"):
        media.encode_figure(pd.DataFrame({"a": [1]}), "x.html", {})
