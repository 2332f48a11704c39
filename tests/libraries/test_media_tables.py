"""Do tables of pandas come back as they went in, and as MLflow would have written them?"""

import io
import json
import sys

import numpy as np
import pandas as pd
import PIL.Image
import pytest

from mini_mlflow import media
from mini_mlflow.errors import InvalidValueError

FRAMES = {
    "numbers": pd.DataFrame({"a": [1, 2], "b": [0.1, 1e300], "c": [True, False]}),
    "text": pd.DataFrame({"a": ["x", "é"], "b": ["a/b", 'say "x"']}),
    "gaps": pd.DataFrame({"a": [1.5, float("nan")], "b": ["x", None]}),
    "index": pd.DataFrame({"a": [1, 2]}, index=["x", "y"]),
    "empty": pd.DataFrame({"a": []}),
    "lists": pd.DataFrame({"a": [[1, 2], []], "b": [{"x": 1}, {}]}),
}


def table(data, existing=None):
    return json.loads(media.encode_table(data, existing, "t.json").decode("ascii"), parse_constant=pytest.fail)


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_a_frame_is_written_as_pandas_and_mlflow_write_it(name):
    theirs = FRAMES[name].to_json(orient="split", index=False, date_format="iso", double_precision=15)
    assert table(FRAMES[name]) == json.loads(theirs)


@pytest.mark.parametrize("name", ["numbers", "text", "index"])
def test_a_frame_comes_back_equal_by_pandas(name):
    data = media.encode_table(FRAMES[name], None, "t.json")
    found = pd.read_json(io.BytesIO(data), orient="split", precise_float=True)
    pd.testing.assert_frame_equal(found, FRAMES[name].reset_index(drop=True))


def test_floats_keep_every_digit():
    """pandas, and so MLflow, writes fifteen digits at most, and ten unless told otherwise."""
    assert table(pd.DataFrame({"a": [1 / 3, np.nextafter(1, 2)]}))["data"] == [[1 / 3], [np.nextafter(1, 2)]]


def test_times_and_gaps_and_categories_are_plain():
    frame = pd.DataFrame(
        {
            "time": [pd.Timestamp("2026-11-24T09:30:00Z"), pd.NaT],
            "whole": pd.array([1, None], dtype="Int64"),
            "kind": pd.Categorical(["x", None]),
            "array": [np.arange(2), np.float32(0.5)],
        }
    )
    assert table(frame)["data"] == [["2026-11-24T09:30:00+00:00", 1, "x", [0, 1]], [None, None, None, 0.5]]


def test_names_of_columns_that_are_no_text_or_come_twice_are_kept():
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "a", 7])
    assert table(frame) == {"columns": ["a", "a", 7], "data": [[1, 2, 3]]}
    with pytest.raises(InvalidValueError, match="Two columns have one name"):
        table(frame, media.encode_table({"b": [1]}, None, "t.json"))


def test_rows_are_added_as_pandas_joins_tables():
    first, second = FRAMES["numbers"], pd.DataFrame({"d": ["x"], "a": [7]})
    joined = pd.concat([first, second], ignore_index=True)
    found = table(second, media.encode_table(first, None, "t.json"))
    assert found == json.loads(joined.to_json(orient="split", index=False, double_precision=15))


def test_a_table_that_mlflow_wrote_is_added_to():
    theirs = FRAMES["text"].to_json(orient="split", index=False).encode()
    assert table([{"a": "z"}], theirs)["data"] == [["x", "a/b"], ["é", 'say "x"'], ["z", None]]


def test_a_series_is_a_column():
    assert table({"a": pd.Series([1, 2]), "b": 3}) == {"columns": ["a", "b"], "data": [[1, 3], [2, 3]]}


def test_images_in_a_table_are_sent_to_their_own_function():
    with pytest.raises(InvalidValueError, match=r"log_image\(\)"):
        table({"a": [PIL.Image.new("L", (2, 2))]})


def test_parquet_is_written_by_pandas(monkeypatch):
    written = []
    monkeypatch.setitem(sys.modules, "pyarrow", pd)  # any module: what pandas does with it is its own business

    def write(frame, file, index):
        written.append((frame, index))
        file.write(b"PAR1")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", write)
    assert media.encode_table({"a": [1, 2]}, None, "t.parquet") == b"PAR1"
    [(frame, index)] = written
    assert index is False
    pd.testing.assert_frame_equal(frame, pd.DataFrame({"a": [1, 2]}))


def test_dicts_are_written_as_mlflow_writes_them(tmp_path, monkeypatch):
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    client = mlflow.MlflowClient(tracking_uri=(tmp_path / "mlruns").as_uri())
    run = client.create_run("0")
    value = {"b": [1, 2.5, None, True], "a": {"é": "text", "x": []}, "c": "12:30", "empty": {}}
    for name in ("x.json", "x", "x.yaml", "a/x.yml"):
        client.log_dict(run.info.run_id, value, name)
        path = client.download_artifacts(run.info.run_id, name, str(tmp_path))
        with open(path, "rb") as file:
            assert file.read().decode() == media.encode_dict(value, name).decode()
