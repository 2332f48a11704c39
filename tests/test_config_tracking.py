"""Which store, experiment and run does the environment name, and which folder a tracking URI?"""

import os
from pathlib import Path

import pytest

from mini_mlflow import InvalidValueError, config

VARIABLES = (
    "MINI_MLFLOW_DIR",
    "MLFLOW_TRACKING_URI",
    "MLFLOW_EXPERIMENT_NAME",
    "MLFLOW_EXPERIMENT_ID",
    "MLFLOW_RUN_ID",
)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("mlruns", "mlruns"),
        ("/data/my runs", "/data/my runs"),
        ("~/runs", "~/runs"),
        (Path("here") / "there", Path("here") / "there"),
        ("C:\\runs", "C:\\runs"),
        ("C:/runs", "C:/runs"),
        ("100%25", "100%25"),
        ("a/databricks", "a/databricks"),
        ("file:mlruns", "mlruns"),
        ("file:./mlruns", "./mlruns"),
        ("file:/data/mlruns", "/data/mlruns"),
        ("file:///data/mlruns", "/data/mlruns"),
        ("FILE:///data/mlruns", "/data/mlruns"),
        ("file://localhost/data/mlruns", "/data/mlruns"),
        ("file:///data/my%20runs/100%25/%e2%82%ac", "/data/my runs/100%/\u20ac"),
        ("file:///data/\u20ac %zz%2", "/data/\u20ac %zz%2"),
        ("file:///a%3Fb%23c", "/a?b#c"),
        ("mini:./mlruns", "./mlruns"),
        ("mini:/data/mlruns", "/data/mlruns"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="there they have drives")
def test_a_path_and_a_file_uri_name_a_folder(uri, folder):
    assert config.folder_of_uri(uri) == folder


@pytest.mark.skipif(os.name == "nt", reason="there names are UTF-16")
def test_a_file_uri_may_hold_any_byte():
    assert config.folder_of_uri("file:///data/%ff") == os.fsdecode(b"/data/\xff")


@pytest.mark.parametrize(
    ("rest", "path"),
    [
        ("///C:/my%20runs", "C:/my runs"),
        ("//localhost/C:/runs", "C:/runs"),
        ("///C|/runs", "C:/runs"),
        ("//C:/runs", "C:/runs"),
        ("/c:/runs", "c:/runs"),
        ("C:/runs", "C:/runs"),
        ("//server/share/my%20runs", "\\\\server\\share\\my runs"),
        ("./runs", "./runs"),
    ],
)
def test_on_windows_a_file_uri_may_name_a_drive_or_a_share(rest, path):
    """RFC 8089, appendix E."""
    assert config.decode_file_uri(rest, is_windows=True) == path


@pytest.mark.parametrize(
    "uri",
    ["http://localhost:5000", "https://h/x", "sqlite:///mlflow.db", "postgresql+psycopg2://h/d", "databricks",
     "databricks-uc", "databricks://profile", "uc", "s3://bucket/x", "profile:x"],
)  # fmt: skip
def test_what_names_no_files_is_refused_with_what_to_do(uri):
    with pytest.raises(InvalidValueError, match=r"a folder or a file: URI, got .*mini_mlflow.compat") as caught:
        config.folder_of_uri(uri)
    assert caught.value.value == uri


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("file://server/share", "names the machine 'server'.*file:///data/mlruns"),
        ("file://mlruns", "names the machine 'mlruns'"),
        ("file:///a?b", "%3F and %23"),
        ("file:///a#b", "%3F and %23"),
        ("file:", "cannot be empty"),
        ("file://", "cannot be empty"),
        ("file:///a%00b", "NUL"),
        ("", "cannot be empty"),
        (b"mlruns", "must be text or a path"),
        (5, "must be text or a path"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="there machines can be named")
def test_a_uri_that_can_be_no_folder_here_is_refused(uri, message):
    with pytest.raises(InvalidValueError, match=message):
        config.folder_of_uri(uri)


@pytest.mark.parametrize(
    ("ours", "mlflows", "store"),
    [
        (None, None, "mlruns"),
        (None, "/data/theirs", "/data/theirs"),
        (None, "file:///data/my%20runs", "/data/my runs"),
        ("/data/ours", "/data/theirs", "/data/ours"),
        ("/data/ours", "http://localhost:5000", "/data/ours"),
        ("", "theirs", "theirs"),
        (None, "http://localhost:5000", "mlruns"),
        (None, "sqlite:///mlflow.db", "mlruns"),
        (None, "databricks", "mlruns"),
        (None, "file://server/x", "mlruns"),
        (None, "", "mlruns"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="there machines can be named")
def test_mlflows_variable_counts_where_it_names_files_and_ours_is_not_set(monkeypatch, ours, mlflows, store):
    for name, value in (("MINI_MLFLOW_DIR", ours), ("MLFLOW_TRACKING_URI", mlflows)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert config.runs_dir() == store
    assert config.runs_dir("argument") == "argument"


@pytest.mark.parametrize(
    ("uri", "is_heard"),
    [(None, True), ("", True), ("mlruns", True), ("file:///x", True), ("http://x", False), ("databricks", False)],
)
def test_an_experiment_and_a_run_are_named_where_the_store_is_one_of_files(monkeypatch, uri, is_heard):
    assert (config.experiment_name(), config.experiment_id(), config.run_id()) == (None, None, None)
    for name in VARIABLES[2:]:
        monkeypatch.setenv(name, name.lower())
    if uri is not None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    expected = ("mlflow_experiment_name", "mlflow_experiment_id", "mlflow_run_id") if is_heard else (None, None, None)
    assert (config.experiment_name(), config.experiment_id(), config.run_id()) == expected
    for name in VARIABLES[2:]:
        monkeypatch.setenv(name, "")
    assert (config.experiment_name(), config.experiment_id(), config.run_id()) == (None, None, None)
