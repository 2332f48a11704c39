"""Is what was deleted removed for good, whole, and is nothing else ever removed?"""

import os
import shutil
import time

import pytest
from deleted_runs import ended_run, files_below, written_elsewhere

from mini_mlflow import Run
from mini_mlflow.records import Removed
from mini_mlflow.store import experiment_changes, experiments, reader, trash

NEEDS_LINKS = pytest.mark.skipif(os.name == "nt", reason="links need special rights on Windows")


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "mlruns")


def collect(store, **options):
    removed, problems = trash.gc(store, time.time(), **options)
    assert problems == []
    return removed


def test_gc_removes_what_is_in_the_trash_and_nothing_else(store):
    """Rule T4."""
    sizes = {}
    for experiment_id, run_id in ((0, "a"), (0, "b"), (3, "c")):
        sizes[run_id] = sum(map(len, files_below(ended_run(store, run_id, experiment_id)).values()))
    kept = ended_run(store, "kept")
    for experiment_id, run_id in ((0, "a"), (0, "b"), (3, "c")):
        trash.delete_run(store, experiment_id, run_id)
    expected = [Removed(0, "a", sizes["a"]), Removed(0, "b", sizes["b"]), Removed(3, "c", sizes["c"])]
    before = files_below(store)
    assert collect(store, is_dry=True) == expected
    assert files_below(store) == before
    progress = []
    assert collect(store, experiment_ids=[3, 9]) == expected[2:]
    assert collect(store, on_progress=progress.append) == expected[:2]
    assert progress == [sizes["a"], sizes["b"]]
    assert collect(store) == []
    assert os.listdir(os.path.join(store, "0", ".trash")) == []
    assert set(files_below(store)) == {"0/meta.yaml", "3/meta.yaml"} | {"0/kept/" + name for name in files_below(kept)}


def test_gc_leaves_what_was_deleted_too_short_a_time_ago(store):
    """Rules T2 and T4."""
    for run_id in ("old", "new"):
        ended_run(store, run_id)
        moved = trash.delete_run(store, 0, run_id)
        then = time.time() - (1000 if run_id == "old" else 10)
        os.utime(moved, (then, then))
    assert [each.run_id for each in collect(store, older_than_s=100)] == ["old"]
    assert [each.run_id for each in collect(store)] == ["new"]


def test_gc_removes_a_deleted_experiment_with_all_that_is_in_it(store):
    """Rule T4."""
    ended_run(store, "a", 4)
    ended_run(store, "b", 4)
    trash.delete_run(store, 4, "b")
    ended_run(store, "kept", 5)
    experiment_changes.delete(store, 4, int(time.time() * 1000) - 1000000)
    assert collect(store, older_than_s=2000) == []
    size = sum(map(len, files_below(os.path.join(store, "4")).values()))
    assert collect(store, is_dry=True) == [Removed(4, None, size)]
    assert collect(store, older_than_s=900) == [Removed(4, None, size)]
    assert os.listdir(store) == ["5"]


def test_gc_leaves_a_deleted_experiment_in_which_a_run_lives(store):
    """Rule T4: one that began at the moment of the deletion."""
    experiments.ensure(store, 4, 1)
    run = Run(experiment_id=4, runs_dir=store)
    path = os.path.join(store, "4", "meta.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("active", "deleted"))
    removed, problems = trash.gc(store, time.time())
    assert (removed, [problem.reason for problem in problems]) == ([], ["a process writes a run of it"])
    run.log_metric("loss", 1)
    run.end()
    assert [each.run_id for each in collect(store)] == [None]


def test_gc_puts_an_experiment_back_that_came_to_life_meanwhile(store, monkeypatch):
    """Rule T5."""
    ended_run(store, "a", 4)
    experiment_changes.delete(store, 4, 1)
    answers = iter([None, "a", None, None])
    monkeypatch.setattr(experiment_changes, "find_living", lambda _: next(answers))
    before = files_below(os.path.join(store, "4", "a"))
    removed, problems = trash.gc(store, time.time())
    assert (removed, [problem.reason for problem in problems]) == ([], ["a process writes a run of it"])
    assert files_below(os.path.join(store, "4", "a")) == before


def test_gc_leaves_an_experiment_that_was_restored_meanwhile(store, monkeypatch):
    """Rules E5 and T5."""
    ended_run(store, "a", 4)
    experiment_changes.delete(store, 4, 1)
    measure = trash._measure

    def meanwhile(*arguments):
        experiment_changes.restore(store, 4, 2)
        return measure(*arguments)

    monkeypatch.setattr(trash, "_measure", meanwhile)
    assert collect(store) == []
    assert reader.list_run_ids(store, 4) == ["a"]


def test_gc_leaves_a_run_in_the_trash_that_a_process_writes(store):
    """Rule T4: it was silent for so long that it counted as gone."""
    folder = ended_run(store)
    trash.delete_run(store, 0, "r")
    written_elsewhere(os.path.join(store, "0", ".trash", "r", "writers", "w"))
    removed, problems = trash.gc(store, time.time())
    assert removed == []
    assert [(problem.path, problem.reason) for problem in problems] == [
        (os.path.join(store, "0", ".trash", "r"), "a process writes it")
    ]
    assert not os.path.exists(folder)


def test_h25_gc_finishes_what_an_earlier_one_was_kept_from(store):
    """Rule T5: it has hidden what it was about to remove."""
    for run_id in ("a", "b"):
        ended_run(store, run_id)
        trash.delete_run(store, 0, run_id)
    inside = os.path.join(store, "0", ".trash")
    os.rename(os.path.join(inside, "a"), os.path.join(inside, ".tmp-0123456789abcdef"))
    shutil.copytree(os.path.join(inside, "b"), os.path.join(store, ".tmp-0123456789abcdef", "b"))
    assert collect(store, is_dry=True)[0].run_id == "b"
    assert [each.run_id for each in collect(store)] == ["b"]
    assert (os.listdir(inside), os.listdir(store)) == ([], ["0"])


def test_h22_what_others_leave_in_the_trash_is_passed_over(store):
    """Rule S4."""
    ended_run(store)
    inside = os.path.dirname(trash.delete_run(store, 0, "r"))
    for name in (".DS_Store", ".nfs00000001", "notes.txt", ".tmp-0123456789abcdef"):
        with open(os.path.join(inside, name), "w") as file:
            file.write("x")
    os.mkdir(os.path.join(inside, ".hidden"))
    assert [each.run_id for each in trash.list_deleted(store, 0)] == ["r"]
    assert [each.run_id for each in collect(store)] == ["r"]
    assert len(os.listdir(inside)) == 5


@NEEDS_LINKS
@pytest.mark.parametrize("place", ["artifacts/x", "params", "writers", "artifacts/deep/er/x"])
def test_a12_gc_follows_no_link_in_a_run(store, tmp_path, place):
    """Rule T6."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("kept")
    folder = ended_run(store)
    if place == "params":
        shutil.rmtree(os.path.join(folder, place))
    os.makedirs(os.path.dirname(os.path.join(folder, place)), exist_ok=True)
    os.symlink(str(outside), os.path.join(folder, place))
    os.makedirs(os.path.join(folder, "artifacts"), exist_ok=True)
    os.symlink(".", os.path.join(folder, "artifacts", "loop"))
    trash.delete_run(store, 0, "r")
    assert [each.run_id for each in collect(store)] == ["r"]
    assert (outside / "file").read_text() == "kept"


@NEEDS_LINKS
def test_a12_a_run_that_is_a_link_is_deleted_and_removed_as_the_link_that_it_is(store, tmp_path):
    """Rule T6."""
    shutil.move(ended_run(store), str(tmp_path / "elsewhere"))
    before = files_below(str(tmp_path / "elsewhere"))
    os.symlink(str(tmp_path / "elsewhere"), os.path.join(store, "0", "r"))
    trash.delete_run(store, 0, "r")
    trash.restore_run(store, 0, "r")
    trash.delete_run(store, 0, "r")
    assert collect(store) == [Removed(0, "r", 0)]
    assert files_below(str(tmp_path / "elsewhere")) == before
    assert os.listdir(os.path.join(store, "0", ".trash")) == []


@NEEDS_LINKS
def test_a12_a_trash_or_an_experiment_that_is_a_link_is_left_alone(store, tmp_path):
    """Rule T6."""
    ended_run(store, "a")
    ended_run(str(tmp_path / "other"), "b")
    trash.delete_run(str(tmp_path / "other"), 0, "b")
    before = files_below(str(tmp_path / "other"))
    os.symlink(str(tmp_path / "other" / "0" / ".trash"), os.path.join(store, "0", ".trash"))
    os.symlink(str(tmp_path / "other" / "0"), os.path.join(store, "5"))
    with pytest.raises(NotADirectoryError, match="no folder of its own"):
        trash.delete_run(store, 0, "a")
    removed, problems = trash.gc(store, time.time())
    assert removed == []
    assert [problem.path for problem in problems] == [os.path.join(store, "0"), os.path.join(store, "5")]
    assert {problem.reason for problem in problems} == {"it is a link, which is not followed"}
    assert files_below(str(tmp_path / "other")) == before


@NEEDS_LINKS
def test_a_store_that_is_reached_by_a_link_is_one(store, tmp_path):
    ended_run(store)
    os.symlink(store, str(tmp_path / "link"))
    trash.delete_run(str(tmp_path / "link"), 0, "r")
    assert len(collect(str(tmp_path / "link"))) == 1


def test_folders_that_lie_too_deep_are_left_whole(store):
    """Rule T6."""
    folder = ended_run(store)
    deep = os.path.join(folder, "artifacts", *["d"] * 203)
    os.makedirs(deep)
    moved = trash.delete_run(store, 0, "r")
    before = files_below(moved)
    removed, problems = trash.gc(store, time.time())
    assert removed == []
    assert "more than 200 deep" in problems[0].reason
    assert files_below(moved) == before
