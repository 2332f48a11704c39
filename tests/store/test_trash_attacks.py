"""Does the trash hold against kills at any step, against links that come and go, and where we have no rights?"""

import errno
import json
import os
import signal
import time
from pathlib import Path

import pytest
from deleted_runs import files_below

from kept_files import open_to_others
from mini_mlflow import Run
from mini_mlflow.store import experiment_changes, experiments, reader, trash

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")

SWAPS = 10000
CHANGES = ("rename", "replace", "unlink", "rmdir", "mkdir", "utime", "link")


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "mlruns")


def ended_run(store, run_id="r", experiment_id=0):
    with Run(run_id=run_id, experiment_id=experiment_id, runs_dir=store) as run:
        run.log_metric("loss", 1)
        run.log_param("lr", 0.1)
    folder = os.path.join(store, str(experiment_id), run_id)
    os.makedirs(os.path.join(folder, "artifacts", "a", "b", "c"))
    for place in ("", "a", "a/b/c"):
        with open(os.path.join(folder, "artifacts", place, "file"), "w") as file:
            file.write("content")
    return folder


def in_a_child(work):
    """Do something in a forked child; return its wait status."""
    child = os.fork()
    if not child:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1]


def killed_at(number, work):
    """Do something in a child that is killed before the *number*-th change it makes; tell whether it came so far."""

    def counted(function):
        def call(*arguments, **options):
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return call

    left = [number]

    def act():
        for name in CHANGES:
            setattr(os, name, counted(getattr(os, name)))
        work()

    status = in_a_child(act)
    assert status in (0, signal.SIGKILL)
    return status == signal.SIGKILL


def test_h25_a_kill_at_any_step_of_a_deletion_or_a_return_leaves_the_run_whole_in_one_place(store):
    """Rules T1 and T2: a repeat finishes."""
    folder = ended_run(store)
    before = files_below(folder)
    for act, other, there in (
        (trash.delete_run, trash.restore_run, os.path.join(store, "0", ".trash", "r")),
        (trash.restore_run, trash.delete_run, folder),
    ):
        number = 1
        while killed_at(number, lambda act=act: act(store, 0, "r")):
            places = [path for path in (folder, os.path.join(store, "0", ".trash", "r")) if os.path.exists(path)]
            assert len(places) == 1
            assert files_below(places[0]) == before
            if places != [there]:
                act(store, 0, "r")
            assert files_below(there) == before
            other(store, 0, "r")
            number += 1
        assert number > 1
        assert files_below(there) == before


@pytest.mark.long
@pytest.mark.parametrize("what", ["run", "experiment"])
def test_h25_a_kill_at_any_step_of_gc_costs_nothing_else_and_a_repeat_finishes(store, what):
    """Rule T5."""
    kept = ended_run(store, "kept")
    before = files_below(kept)
    number = 1
    while True:
        whole = files_below(ended_run(store, "r", 4))
        if what == "run":
            trash.delete_run(store, 4, "r")
        else:
            experiment_changes.delete(store, 4, 1)
        was_killed = killed_at(number, lambda: trash.gc(store, time.time()))
        assert files_below(kept) == before
        assert [files_below(each.folder) for each in trash.list_deleted(store, 4)] in ([], [whole])
        assert trash.gc(store, time.time())[1] == []
        assert reader.find_experiments(store, "r") == trash.find_deleted(store, "r") == []
        left = [name for path, names, _ in os.walk(store) for name in names if name.startswith(".tmp-")]
        assert left == []
        assert os.path.exists(os.path.join(store, "4")) == (what == "run")
        if not was_killed:
            break
        number += 1
    assert number > 10


def test_h25_a_kill_at_any_step_of_a_change_leaves_an_experiment_as_it_was_or_as_it_should_be(store):
    """Rules D2 and E5."""
    made = experiments.create(store, "before", 1)
    number = 1
    while killed_at(number, lambda: experiment_changes.rename(store, made.experiment_id, "after", 2)):
        assert experiments.get(store, made.experiment_id).name in ("before", "after")
        experiment_changes.rename(store, made.experiment_id, "before", 3)
        number += 1
    assert experiments.get(store, made.experiment_id).name == "after"
    assert number > 1


@pytest.mark.long
def test_a14_gc_removes_no_byte_outside_while_a_folder_is_swapped_for_a_link_again_and_again(store, tmp_path):
    """Rule T6: by somebody who keeps the folder that it lies in open."""
    outside = tmp_path / "outside"
    (outside / "b").mkdir(parents=True)
    for path in (outside / "file", outside / "b" / "file"):
        path.write_text("kept")
    reading, writing = os.pipe()
    swaps = rounds = 0
    while swaps < SWAPS or rounds < 20:
        rounds += 1
        folder = ended_run(store, "r%d" % rounds)
        os.symlink(str(outside), os.path.join(folder, "artifacts", "link"))
        moved = trash.delete_run(store, 0, "r%d" % rounds)
        child = os.fork()
        if not child:
            swap_until_it_is_gone(os.path.join(moved, "artifacts"), writing)
        assert os.read(reading, 1) == b"."  # it swaps
        trash.gc(store, time.time())
        trash.gc(store, time.time())  # what it was kept from: a name that was gone at that moment
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
        swaps += json.loads(os.read(reading, 100).decode())
        assert sorted(os.listdir(str(outside))) == ["b", "file"]
        assert [path.read_text() for path in (outside / "file", outside / "b" / "file")] == ["kept", "kept"]
        trash.gc(store, time.time())
    assert trash.list_deleted(store, 0) == []
    os.close(reading)
    os.close(writing)


def swap_until_it_is_gone(path, writing):
    """Swap the folder ``a`` in *path* for a link, and back, by the descriptor of *path*; tell how often at SIGTERM."""
    here = os.open(path, os.O_RDONLY)
    state = {"swaps": 0}

    def tell(*_):
        os.write(writing, json.dumps(state["swaps"]).encode())
        os._exit(0)

    signal.signal(signal.SIGTERM, tell)
    has_begun = False
    while True:
        for source, target in (("a", "z"), ("link", "a"), ("a", "link"), ("z", "a")):
            try:
                os.rename(source, target, src_dir_fd=here, dst_dir_fd=here)
                state["swaps"] += 1
            except OSError:
                pass  # it is being removed
        if not has_begun and state["swaps"] > 500:
            has_begun = True
            os.write(writing, b".")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may become another user")
@pytest.mark.parametrize("place", ["", "artifacts/a/b"])
def test_g10_what_we_may_not_remove_whole_stays_whole_and_is_told(store, place):
    """Rules T3 and T6: a run that is another's, or has a folder of mode 000."""
    folder = ended_run(store)
    ended_run(store, "other")
    moved = trash.delete_run(store, 0, "r")
    before = files_below(store)
    for path, _, names in os.walk(store):
        for name in [path] + [os.path.join(path, each) for each in names]:
            os.chown(name, 65534, 65534)
    locked = os.path.join(moved, place)
    if place:
        os.chmod(locked, 0)
    else:
        os.chown(moved, 0, 0)
        os.chmod(os.path.join(store, "0", "other"), 0o555)
        os.chown(os.path.join(store, "0", "other"), 0, 0)
    open_to_others(Path(store))
    trash.gc(store, time.time(), is_dry=True)  # loads what the child may not
    reading, writing = os.pipe()

    def act():
        os.setgid(65534)
        os.setuid(65534)
        removed, problems = trash.gc(store, time.time())
        found = [len(removed), [problem.reason for problem in problems]]
        if not place:
            try:
                trash.delete_run(store, 0, "other")
            except OSError as error:
                found.append(error.errno)
        os.write(writing, json.dumps(found).encode())

    assert in_a_child(act) == 0
    answer = json.loads(os.read(reading, 1000).decode())
    os.chmod(locked, 0o755)
    assert answer[:2] == [0, [os.strerror(errno.EACCES)]]
    assert answer[2:] == ([] if place else [errno.EACCES])
    assert files_below(store) == before
    assert not os.path.exists(folder)
    os.close(reading)
    os.close(writing)
