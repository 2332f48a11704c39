"""When are runs shown in a notebook? tests/libraries/ has a real kernel."""

import sys
from types import SimpleNamespace

import pytest

import mini_mlflow
from mini_mlflow.errors import InvalidValueError, MiniMLflowError


@pytest.mark.parametrize("shell", [None, SimpleNamespace(), "no IPython"])
def test_where_there_is_no_notebook_it_says_what_does_the_same(shell, monkeypatch, tmp_path):
    if shell == "no IPython":
        monkeypatch.delitem(sys.modules, "IPython", raising=False)
    else:
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    with pytest.raises(MiniMLflowError, match=r"report\(runs\).*mini-mlflow ui"):
        mini_mlflow.show(runs_dir=tmp_path)


@pytest.mark.parametrize("theme", ["", "Dark", 1, b"dark"])
def test_a_theme_is_light_or_dark(theme, monkeypatch, tmp_path):
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    with pytest.raises(InvalidValueError, match="theme must be 'light' or 'dark'"):
        mini_mlflow.show(runs_dir=tmp_path, theme=theme)


@pytest.mark.parametrize("height", [199, 4001, 640.0, True, "640px", None])
def test_a_height_is_a_number_of_pixels(height, monkeypatch, tmp_path):
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    with pytest.raises(InvalidValueError, match="from 200 to 4000"):
        mini_mlflow.show(runs_dir=tmp_path, height=height)
