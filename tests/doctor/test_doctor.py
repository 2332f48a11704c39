"""Does a look at a disk tell what it can do, what it cannot, and what follows, and leave nothing behind?"""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from mini_mlflow import Run
from mini_mlflow.check.stores import check_store, repair_store
from mini_mlflow.doctor import beside, examining, probes, room
from mini_mlflow.doctor.companion import Companion
from mini_mlflow.doctor.findings import BAD, GOOD, SKIPPED, WARN
from mini_mlflow.store import documents, machine, mounts
from mini_mlflow.store.mounts import Mount

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

MOUNTS = r"""22 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
30 22 0:26 / /home rw,nosuid shared:4 master:2 - nfs4 nas01:/export/home rw,vers=4.2,hard,acregmax=30
31 30 0:27 / /home/u/with\040space ro - tmpfs tmp\134fs rw,size=5k
32 22 0:28 / /home/u rw - nfs nas01:/u rw,soft,noac
"""


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "mlruns")


def by_name(found):
    return {probe.name: probe for probe in found.probes}


def test_a_good_disk_has_nothing_bad_and_is_left_as_it_was(store, tmp_path):
    run = Run(runs_dir=store)
    run.log_metric("loss", 1)
    run.end()
    os.utime(store, (5, 5))
    before = sorted(os.walk(store))
    told = []
    found = examining.examine(store, on_progress=lambda done, total: told.append((done, total)))
    assert [probe for probe in found.probes if probe.level in (BAD, SKIPPED)] == []
    assert {"rename is atomic", "locks", "clock of the disk", "cost of a write", "space"} <= set(by_name(found))
    assert sorted(os.walk(store)) == before
    assert os.stat(store).st_mtime == 5
    assert told[-1][0] == told[-1][1] == 10
    assert found.verdict.startswith("Safe to log here")


def test_a_store_that_is_not_there_yet_is_tried_in_the_folder_above_and_not_made(store, tmp_path):
    deep = os.path.join(store, "deeper", "still")
    found = examining.examine(deep)
    assert (found.store, found.folder) == (deep, str(tmp_path))
    assert os.listdir(str(tmp_path)) == []


def test_where_nothing_can_be_written_that_is_the_finding(store, monkeypatch):
    os.mkdir(store)

    def refuse(path, *_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    monkeypatch.setattr(os, "mkdir", refuse)
    found = examining.examine(store)
    assert by_name(found)["writing"][:3] == ("writing", BAD, os.strerror(errno.EROFS))
    assert found.verdict == "Runs can be read here, but nothing can be logged."


@pytest.mark.skipif(fcntl is None, reason="Windows refuses locks otherwise")
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_h21_a_disk_without_locks_is_called_by_its_error_and_said_what_follows(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    probe = probes.probe_locks(str(tmp_path), None)
    assert probe.level == WARN
    assert errno.errorcode[number] in probe.result
    assert "a folder of its own" in probe.meaning


class _Answers:
    """A second process that answers what it was told to."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def ask(self, *_):
        pass

    def answer(self):
        return self.answers.pop(0)


def test_h21_a_lock_that_is_given_twice_is_bad(tmp_path):
    probe = probes.probe_locks(str(tmp_path), _Answers({"locked": True}, {"locked": True}))
    assert (probe.level, probe.result) == (BAD, "given to two processes at once")


def test_a_lock_that_stays_is_told(tmp_path):
    assert probes.probe_locks(str(tmp_path), _Answers({"locked": False}, {"locked": False})).level == WARN


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        ({"reads": 10, "missing": 0, "torn": 0, "last": 200}, GOOD),
        ({"reads": 10, "missing": 3, "torn": 0, "last": 200}, BAD),
        ({"reads": 10, "missing": 0, "torn": 1, "last": 200}, BAD),
        ({"reads": 10, "missing": 0, "torn": 0, "last": 150}, WARN),
    ],
)
def test_a_rename_is_judged_by_what_the_other_process_saw(tmp_path, answer, level):
    assert probes.probe_rename(str(tmp_path), _Answers(answer)).level == level


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        ({"seen": 100, "slowest_s": 0.001}, GOOD),
        ({"seen": 100, "slowest_s": 3.1}, WARN),
        ({"seen": 40, "slowest_s": 3.1}, BAD),
    ],
)
def test_rows_are_judged_by_when_the_other_process_saw_them(tmp_path, answer, level):
    probe = probes.probe_appends(str(tmp_path), _Answers(answer))
    assert probe.level == level
    assert probe.facts["seen"] == answer["seen"]


def test_a_real_second_process_sees_a_lock_renames_and_rows(tmp_path):
    with Companion() as companion:
        assert probes.probe_rename(str(tmp_path), companion).facts["last"] == 200
        assert probes.probe_appends(str(tmp_path), companion).facts["seen"] == 100
        assert probes.probe_locks(str(tmp_path), companion).level == GOOD


def test_e11_the_second_process_takes_no_module_from_where_it_is_started(tmp_path, monkeypatch):
    for name in ("json", "locks", "neighbour", "os", "sitecustomize"):
        (tmp_path / (name + ".py")).write_text("open(%r, 'w')" % str(tmp_path / "ran"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Companion() as companion:
        assert probes.probe_locks(str(tmp_path), companion).level == GOOD
    assert not (tmp_path / "ran").exists()


def test_without_a_second_process_the_rest_is_asked(store, monkeypatch):
    monkeypatch.setattr(sys, "executable", "")
    found = by_name(examining.examine(store))
    assert found["rename is atomic"].level == found["a second process sees rows"].level == SKIPPED
    assert found["locks"].level == GOOD


def test_a_clock_that_is_off_is_told_with_its_sign(tmp_path, monkeypatch):
    monkeypatch.setattr(probes, "time", lambda: time.time() + 100)
    probe = probes.probe_clock(str(tmp_path))
    assert (probe.level, probe.result) == (WARN, "100 s behind")
    assert probe.facts["skew_s"] == pytest.approx(-100, abs=5)


def test_folders_without_times_are_told(tmp_path, monkeypatch):
    assert probes.probe_folder_times(str(tmp_path)).level == GOOD
    create = documents.create

    def create_unseen(path, data):
        create(path, data)
        os.utime(os.path.dirname(path), (10**9, 10**9))

    monkeypatch.setattr(documents, "create", create_unseen)
    os.rename(str(tmp_path / "times"), str(tmp_path / "before"))
    assert probes.probe_folder_times(str(tmp_path)).level == WARN


def test_a_disk_without_links_is_told(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    probe = probes.probe_links(str(tmp_path))
    assert (probe.level, probe.result) == (WARN, "EPERM")


def test_a_probe_that_the_disk_refuses_is_a_finding_and_the_others_go_on(store, monkeypatch):
    def refuse(_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(probes, "probe_clock", refuse)
    found = by_name(examining.examine(store))
    assert found["clock of the disk"].level == BAD
    assert found["cost of a write"].level == GOOD


@pytest.mark.parametrize(
    ("folder", "kind", "source"),
    [
        ("/", "ext4", "/dev/vda"),
        ("/homework", "ext4", "/dev/vda"),
        ("/home/x", "nfs4", "nas01:/export/home"),
        ("/home/u", "nfs", "nas01:/u"),
        ("/home/u/with space/x", "tmpfs", "tmp\\fs"),
    ],
)
def test_the_mount_of_a_folder_is_the_one_nearest_above_it(folder, kind, source):
    found = mounts.choose_mount(folder, MOUNTS)
    assert (found.kind, found.source) == (kind, source)


def test_options_of_a_mount_have_their_values():
    assert mounts.choose_mount("/home/x", MOUNTS).options["acregmax"] == "30"
    assert "hard" in mounts.choose_mount("/home/x", MOUNTS).options
    assert mounts.choose_mount("/home/x", "") is None


@pytest.mark.parametrize(
    ("options", "late_s", "is_hard"),
    [
        ({"hard": ""}, 60, True),
        ({"hard": "", "acregmax": "5"}, 5, True),
        ({"soft": "", "actimeo": "3"}, 3, None),
        ({"soft": "", "noac": ""}, None, None),
    ],
)
def test_h08_of_nfs_it_is_said_how_late_others_see_values_and_whether_a_dead_server_blocks(
    tmp_path, monkeypatch, options, late_s, is_hard
):
    monkeypatch.setattr(machine, "is_local_device", lambda _: False)
    probe = room.probe_mount(str(tmp_path), Mount("nfs4", "nas01:/x", "/x", options))
    assert (probe.facts.get("seen_late_s"), probe.facts.get("is_hard")) == (late_s, is_hard)
    assert ("waits for it in the kernel" in probe.meaning) == bool(is_hard)
    assert probe.level == (WARN if is_hard else GOOD)


@pytest.mark.parametrize(
    ("free", "inodes", "level"),
    [
        (10**12, (10**6, 9 * 10**5), GOOD),
        (10**12, (None, None), GOOD),
        (10**12, (10**6, 10**4), WARN),
        (10**8, (10**6, 9 * 10**5), WARN),
        (10**6, (10**6, 9 * 10**5), BAD),
    ],
)
def test_little_room_is_told(tmp_path, monkeypatch, free, inodes, level):
    monkeypatch.setattr(room, "free_bytes", lambda _: free)
    monkeypatch.setattr(room, "_inodes", lambda _: inodes)
    assert room.probe_space(str(tmp_path)).level == level


def site_with(tmp_path, *names):
    site = tmp_path / "site"
    for name in names:
        (site / name).mkdir(parents=True)
    return [str(tmp_path / "missing"), str(site)]


@pytest.mark.parametrize(
    ("names", "version"),
    [
        (["mlflow-3.18.0.dist-info"], "3.18.0"),
        (["mlflow_skinny-2.22.1.dist-info", "other-1.0.dist-info"], "2.22.1"),
        (["mlflow_export_import-1.2.0.dist-info"], None),
        (["mlflow"], None),
    ],
)
def test_the_version_of_mlflow_is_found_without_importing_it(tmp_path, names, version):
    assert beside.find_mlflow(site_with(tmp_path, *names)) == version


@pytest.mark.parametrize(
    ("version", "has_experiment", "folder", "level", "text"),
    [
        ("3.18.0", True, "mlruns", WARN, "raises in this folder"),
        ("3.13.0rc1", True, "mlruns", WARN, "raises in this folder"),
        ("3.18.0", False, "mlruns", WARN, "looks at ./mlruns too"),
        ("2.22.1", True, "mlruns", WARN, "looks at ./mlruns too"),
        ("3.18.0", True, "runs", GOOD, "looks elsewhere"),
    ],
)
def test_it_is_told_where_mlflow_stumbles_over_the_store_and_what_to_set(
    tmp_path, version, has_experiment, folder, level, text
):
    store = str(tmp_path / folder)
    if has_experiment:
        run = Run(runs_dir=store)
        run.end()
    probe = beside.probe_mlflow(store, str(tmp_path), site_with(tmp_path, "mlflow-%s.dist-info" % version))
    assert (probe.level, probe.result) == (level, text)
    assert ("MINI_MLFLOW_DIR" in probe.meaning) == (level == WARN)


def test_without_mlflow_nothing_is_said_of_it(tmp_path):
    assert beside.probe_mlflow(str(tmp_path), str(tmp_path), []) is None


def test_h27_what_this_python_lacks_is_told_with_what_follows(monkeypatch):
    monkeypatch.setattr(beside, "find_spec", lambda name: None if name == "sqlite3" else object())
    probe = beside.probe_python()
    assert probe.level == WARN
    assert probe.facts["missing"] == ["sqlite3"]
    assert "no index" in probe.meaning


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_what_a_kill_leaves_behind_is_found_and_removed(store, monkeypatch):
    os.mkdir(store)
    script = (
        "import os, signal, sys\n"
        "from mini_mlflow.doctor import examining, probes\n"
        "probes.probe_clock = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        "examining.examine(sys.argv[1])\n"
    )
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    code = subprocess.run([sys.executable, "-c", script, store], env=environment, check=False).returncode
    assert code == -signal.SIGKILL
    assert len(os.listdir(store)) == 1
    monkeypatch.setattr("mini_mlflow.check.stores._HIDDEN_S", -1.0)
    assert [finding.rule for finding in check_store(store).findings] == ["T5"]
    repair_store(store)
    assert os.listdir(store) == []


def test_an_interruption_leaves_nothing_behind(store, monkeypatch):
    os.mkdir(store)

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(probes, "probe_clock", interrupt)
    with pytest.raises(KeyboardInterrupt):
        examining.examine(store)
    assert os.listdir(store) == []


@pytest.mark.parametrize(
    ("duration_s", "text"),
    [(3.1e-6, "3.1 µs"), (42e-6, "42 µs"), (0.0031, "3.1 ms"), (0.012, "12 ms"), (3.1, "3.1 s"), (100.0, "100 s")],
)
def test_lengths_of_time_are_short(duration_s, text):
    assert probes.seconds(duration_s) == text
