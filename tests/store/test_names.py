"""Which file does a key get in a folder where others have theirs already?"""

import os

import pytest

from mini_mlflow import ExperimentTracker, Run, layout
from mini_mlflow.store import documents
from mini_mlflow.store.names import Names

FAMILIES = [
    ["Loss", "loss", "LOSS"],
    ["\u00e9", "e\u0301", "\u00c9", "E\u0301"],
    ["\u00df", "SS", "ss", "\u1e9e", "\u017fs"],
    ["K", "k", "\u212a"],
    ["I", "i", "\u0131"],
    ["\ufb01", "fi", "FI"],
    ["nul", "NUL", "nul.x"],
    ["x.", "x", "X."],
]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family[0].encode("unicode-escape").decode())
@pytest.mark.parametrize("is_reversed", [False, True])
def test_a18_keys_that_some_disk_takes_for_one_are_all_kept_apart(tmp_path, family, is_reversed):
    """Rules K3, K5 and K6: through the whole way in and out, on any disk."""
    values = {key: float(number) for number, key in enumerate(reversed(family) if is_reversed else family)}
    with Run("r", runs_dir=tmp_path) as run:
        for _ in range(3):
            for key, value in values.items():
                run.log_metric(key, value)
        run.log_params(values)
        run.set_tags(values)
    with Run("r", runs_dir=tmp_path) as run:
        for key, value in reversed(list(values.items())):
            run.log_metric(key, value + 0.5)
    found = ExperimentTracker(runs_dir=tmp_path).get_run("r")
    assert found["params"] == values
    assert found["tags"] == values
    assert found["metrics"] == {key: value + 0.5 for key, value in values.items()}
    for key, value in values.items():
        assert [row.value for row in run.history(key)] == [value] * 3 + [value + 0.5]
    names = os.listdir(str(tmp_path / "0" / "r" / "metrics"))
    assert len({layout.fold(name) for name in names}) == len(values)
    assert not (tmp_path / "0" / "r" / "writers").exists()


def test_a17_keys_that_look_encoded_are_read_back_as_they_were_logged(tmp_path):
    """Rules K1, K2 and K6."""
    keys = ["a%2Fb", "a%252Fb", "%", "%2e", "~0123456789abcdef", "x~0123456789ABCDEF", "50%", "%%41"]
    with Run("r", runs_dir=tmp_path) as run:
        run.log_params({key: key for key in keys})
    assert ExperimentTracker(runs_dir=tmp_path).get_run("r")["params"] == {key: key for key in sorted(keys)}


@pytest.mark.parametrize("key", ["x" * 250, "\u00e9" * 250, "\U0001f600" * 250, "%41" * 83, "~" * 250, "." + "x" * 249])
def test_a16_the_longest_keys_are_stored_and_read_back(tmp_path, key):
    """Rules K1 and K4."""
    with Run("r", runs_dir=tmp_path) as run:
        for value in (1.0, 2.0):
            run.log_metric(key, value)
            run.log_param(key, value)
    found = ExperimentTracker(runs_dir=tmp_path).get_run("r")
    assert found["params"] == found["metrics"] == {key: 2.0}


def test_the_names_that_others_gave_are_taken_in(tmp_path):
    """Rule K5."""
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "Loss.json").write_bytes(b"{}")
    (tmp_path / "metrics" / "acc.json.bak").write_bytes(b"{}")
    names = Names()
    names.learn(str(tmp_path))
    assert names.stem("metrics", "Loss") == "Loss"
    assert names.stem("metrics", "loss") == layout.hashed_stem("loss")
    assert names.stem("params", "loss") == "loss"
    assert names.stem("metrics", "Acc") == "Acc"


def test_what_a_kill_left_half_done_is_swept_and_nothing_else(tmp_path):
    """Rule D5."""
    for kind in ("params", "metrics", "tags"):
        (tmp_path / kind).mkdir()
        for name in (".tmp-0123456789abcdef", "a.json", ".nfs0001", "note.txt"):
            (tmp_path / kind / name).write_bytes(b"x")
    (tmp_path / "tags" / ".tmp-folder").mkdir()
    Names().learn(str(tmp_path))
    assert sorted(os.listdir(str(tmp_path / "params"))) == [".nfs0001", "a.json", "note.txt"]
    assert sorted(os.listdir(str(tmp_path / "tags"))) == [".nfs0001", ".tmp-folder", "a.json", "note.txt"]


def test_a_fault_in_between_does_not_move_a_key_to_another_file(tmp_path, recwarn):
    """Rule K5: every row of a key is found, although all files were closed in the middle."""
    run = Run("r", runs_dir=tmp_path)
    for key in ("loss", "Loss"):
        run.log_metric(key, 0.0)
    run.writer._close_all()
    for key in ("Loss", "loss"):
        run.log_metric(key, 1.0)
    run.end()
    assert sorted(os.listdir(str(tmp_path / "0" / "r" / "metrics"))) == [
        layout.file_name(layout.hashed_stem("Loss")),
        "loss.json",
    ]
    for key in ("loss", "Loss"):
        assert [row.value for row in run.history(key)] == [0.0, 1.0]
    assert list(recwarn) == []


def test_a18_a_name_that_a_disk_has_decomposed_is_given_back(tmp_path):
    """Rule K6: HFS+ keeps names in NFD; a store copied from there goes on in the same file."""
    folder = tmp_path / "params"
    folder.mkdir()
    (folder / "caf\u0065\u0301.json").write_bytes(documents.encode_value("caf\u00e9", 1, 1))
    (folder / "other\u0065\u0301.json").write_bytes(b"not a document")
    names = Names()
    names.learn(str(tmp_path))
    assert sorted(path.name for path in folder.iterdir()) == sorted(["caf\u00e9.json", "othere\u0301.json"])
    assert names.stem("params", "caf\u00e9") == "caf\u00e9"
