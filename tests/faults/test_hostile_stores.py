"""Can a store that others may write into stop its reader, or make it leave the store or change somebody's values?"""

import errno
import json
import os
import shutil
import sys

import pytest
import verdict

from kept_files import open_to_others
from mini_mlflow import ExperimentTracker, InvalidIdError, Run, StorageWarning

PAIRS = list(zip("abcdefgh", "bcdefghi"))
HOSTILE_META = {
    "b01": "a: !!python/object/apply:os.system [touch canary]\n",
    "b02": "[" * 30000,
    "b03": "a: &a [x, x]\n" + "".join("%s: &%s [%s]\n" % (b, b, ", ".join(["*" + a] * 9)) for a, b in PAIRS),
    "b04": 'start_time: 2026-99-99\nend_time: !!int ""\n',
}


@pytest.fixture
def store(tmp_path):
    """A store with a sound run of two writers."""
    folder = tmp_path / "mlruns"
    with Run(run_id="sound", runs_dir=str(folder)) as run:
        run.log_param("lr", 0.1)
        for step in range(5):
            run.log_metric("loss", step / 4, step=step)
    return folder


def sound_run(store):
    tracker = ExperimentTracker(runs_dir=str(store))
    found = tracker.get_run("sound")
    history = [(row.step, row.value) for row in tracker.history("sound", "loss")]
    return found["params"], found["metadata"]["status"], history


SOUND = ({"lr": 0.1}, "FINISHED", [(step, step / 4) for step in range(5)])


@pytest.mark.parametrize("name", sorted(HOSTILE_META))
def test_b01_b02_b03_b04_a_hostile_meta_yaml_is_told_and_the_other_runs_read(store, tmp_path, monkeypatch, name):
    """Rules S4 and Y4."""
    monkeypatch.chdir(tmp_path)
    (store / "0" / "hostile").mkdir()
    (store / "0" / "hostile" / "meta.yaml").write_text(HOSTILE_META[name])
    tracker = ExperimentTracker(runs_dir=str(store))
    assert sorted(tracker.list_runs()) == ["hostile", "sound"]
    with pytest.warns(StorageWarning, match="hostile"):
        assert tracker.get_run("hostile")["params"] == {}
    assert sound_run(store) == SOUND
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("run_id", ["../../mlruns-evil/0/x", "../../mlruns-evil", "..", "../0/x", "0/../../x", "\0"])
def test_a09_a_store_beside_ours_whose_name_begins_alike_is_never_reached(store, tmp_path, run_id):
    """Rule S3: an id is one name, so no comparison of paths is needed."""
    shutil.copytree(str(store), str(tmp_path / "mlruns-evil"))
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    tracker = ExperimentTracker(runs_dir=str(store))
    acts = [tracker.get_run, lambda each: tracker.history(each, "loss"), lambda each: Run(each, runs_dir=str(store))]
    for act in acts:
        with pytest.raises(InvalidIdError):
            act(run_id)
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows refuses such names by itself")
def test_g12_a_writer_of_a_hostile_name_is_merged_or_passed_over_and_changes_nobodys_rows(store, tmp_path):
    """Rules W1, W8 and S4."""
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    writers = store / "0" / "sound" / "writers"
    row = '{"key": "loss", "history": [\n[%d, 1000, 9.5]\n], "step": %d, "timestamp": 1000, "value": 9.5}\n'
    names = ["..%2f..%2fx", "\x1b[2J", "a\nb", "-rf", "..x", "<script>", "x" * 255]
    for number, name in enumerate(names):
        (writers / name / "metrics").mkdir(parents=True)
        (writers / name / "metrics" / "loss.json").write_text(row % (100 + number, 100 + number))
        (writers / name / "owner.json").write_text('{"host": "../../\\u001b[2J", "pid": -1, "generation": 10000}')
    outside = tmp_path / "outside"
    shutil.copytree(str(writers / "-rf"), str(outside))
    (writers / "link").symlink_to(outside)
    with pytest.warns(StorageWarning, match="owner.json"):
        params, status, history = sound_run(store)
    assert (params, status) == SOUND[:2]
    assert history[:5] == SOUND[2]
    assert len(history) == 5 + 5  # a name that begins with a dot is no share, and a link is none
    assert {path: path.read_bytes() for path in before} == before
    with Run(run_id="sound", runs_dir=str(store)) as run:
        run.log_metric("loss", 1.5, step=5)
    with pytest.warns(StorageWarning, match="owner.json"):
        history = sound_run(store)[2]
    assert history[:6] == [*SOUND[2], (5, 1.5)]
    assert len(history) == 6 + 5


@pytest.mark.skipif(not hasattr(os, "fork") or os.geteuid() != 0, reason="only root may become another user")
def test_g10_a_run_that_we_may_not_read_is_told_or_missing_and_the_others_read(store):
    """Rule S4."""
    shutil.copytree(str(store / "0" / "sound"), str(store / "0" / "secret"))
    open_to_others(store)
    os.chmod(str(store / "0" / "secret"), 0)
    assert sound_run(store) == SOUND  # loads what the child may not: the interpreter may lie where others see nothing
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgid(65534)
            os.setuid(65534)
            answer = [sound_run(store) == SOUND]
            try:
                ExperimentTracker(runs_dir=str(store)).get_run("secret")
                answer.append("read")
            except Exception as error:  # noqa: BLE001 - the test shows whichever it is
                answer.append(type(error).__name__)
            try:
                Run(run_id="secret", runs_dir=str(store))
                answer.append("opened")
            except OSError as error:
                answer.append(error.errno)
            os.write(writing, json.dumps(answer).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading) as file:
        answer = json.load(file)
    os.waitpid(child, 0)
    os.chmod(str(store / "0" / "secret"), 0o755)
    assert answer in ([True, each, errno.EACCES] for each in ("RunNotFoundError", "PermissionError"))


def test_h04_an_io_error_is_told_and_a_sync_that_failed_is_not_taken_for_a_good_one(cases, tmp_path):
    """Rules P2 and P3: the rows that were there stay; whichever call it was, the run does not end in silence."""
    store = tmp_path / "store"
    calls = cases.run("whole_run", store, only="fsync")["count"]
    for at in range(1, calls + 1):
        shutil.rmtree(str(store))
        report = cases.run("whole_run", store, at=at, action=errno.EIO, only="fsync")
        assert (report["signal"], report["result"]) == (0, "FINISHED")
        assert len([text for text in report["warnings"] if "Errno 5" in text]) == 1
        verdict.check_nothing_lost(store, report["acknowledged"])
        verdict.check_files(store)
