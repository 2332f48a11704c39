"""Does git's answer come without anybody waiting for it, and without a trace in the user's process?"""

import gc
import glob
import os
import signal
import subprocess
import sys
import threading
import time
import warnings

import pytest

from git_checkout import DEADLINE_S, GIT, Checkout, answer, is_alive, own_places, wait_until, write_program
from mini_mlflow import git_probe, provenance
from mini_mlflow import probe as probes
from mini_mlflow.probe import Probe, ProbeResult

pytestmark = pytest.mark.skipif(GIT is None or os.name == "nt", reason="needs git, and programs that are shell scripts")
NOTHING = ProbeResult({}, None)


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    own_places(tmp_path, monkeypatch)


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path / "code")


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder that stands first in PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", "%s%s%s" % (folder, os.pathsep, os.environ["PATH"]))
    return folder


def fake_git(folder, *lines):
    folder.mkdir(exist_ok=True)
    write_program(folder / "git", *lines)
    return folder / "git"


# Who waits for whom -----------------------------------------------------------------------------------------------


def test_an_answer_is_given_again_and_again(checkout):
    checkout.write("train.py", "x\n")
    probe = Probe(checkout.find())
    first = probe.wait(DEADLINE_S)
    assert first.fields["git_dirty"] is True
    assert probe.poll() is first
    assert probe.wait(0) is first


def test_e03_a_git_that_hangs_holds_up_nobody_and_is_ended(checkout, programs, tmp_path, monkeypatch):
    started = tmp_path / "started"
    fake_git(programs, "echo $$ >%s.part; mv %s.part %s" % (started, started, started), "sleep 1000")
    start = time.monotonic()
    probe = Probe(checkout.find())
    assert probe.poll() is None
    assert probe.wait(0.05) is None
    assert time.monotonic() - start < 5
    wait_until(started.exists)
    pid = int(started.read_text())
    assert is_alive(pid)
    monkeypatch.setattr(probes, "monotonic", lambda: time.monotonic() + 1000)
    wait_until(lambda: probe.poll() == NOTHING)
    os.kill(pid, signal.SIGKILL)


def test_e03_the_program_that_asks_ends_with_whoever_started_it(checkout, programs, tmp_path):
    started = tmp_path / "started"
    fake_git(programs, "echo $$ $PPID >%s.part; mv %s.part %s" % (started, started, started), "sleep 1000")
    code = (
        "import sys, time, os; from mini_mlflow import repository; from mini_mlflow.probe import Probe;"
        "probe = Probe(repository.find(sys.argv[1]))\nwhile not os.path.exists(sys.argv[2]): time.sleep(0.001)"
    )
    subprocess.run([sys.executable, "-c", code, checkout.find().root, str(started)], check=True, timeout=DEADLINE_S)
    pids = [int(pid) for pid in started.read_text().split()]
    end = time.monotonic()
    wait_until(lambda: not any(map(is_alive, pids)) and os.listdir(str(tmp_path / "TMPDIR")) == [])
    assert time.monotonic() - end < git_probe.DEADLINE_S - 2


def test_e03_the_program_that_asks_ends_a_git_that_hangs(checkout, programs, tmp_path):
    started = tmp_path / "started"
    fake_git(programs, "echo $$ >%s.part; mv %s.part %s" % (started, started, started), "sleep 1000")
    found = checkout.find()
    folder = os.path.dirname(probes.__file__)
    code = probes._START.replace("git_probe.main", "git_probe.DEADLINE_S=0.3;git_probe.main")
    arguments = [folder, str(os.getpid()), "on", found.root, found.git_dir, found.common_dir, found.commit]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, *arguments], stdout=subprocess.PIPE, check=True, timeout=DEADLINE_S
    )
    assert done.stdout == b'{"found": {}, "diff_bytes": 0}\n'
    wait_until(lambda: not started.exists() or not is_alive(int(started.read_text())))
    assert os.listdir(str(tmp_path / "TMPDIR")) == []


@pytest.mark.parametrize("lines", [["exit 1"], ["kill -9 $$"], ["kill -9 $PPID"]])
def test_e03_a_git_that_fails_tells_nothing(checkout, programs, lines):
    fake_git(programs, *lines)
    assert answer(Probe(checkout.find())) == ({}, None)


@pytest.mark.parametrize(
    "line", ["yes", "echo nonsense", "printf 'a\\0'", "exec >&-", "exit 0", "head -c 99999 /dev/zero"]
)
def test_e03_a_git_that_babbles_does_no_harm(checkout, programs, line):
    fake_git(programs, line)
    fields, diff = answer(Probe(checkout.find()))
    assert set(fields) == {"git_dirty", "git_changed_files"}
    assert diff is None or len(diff) < 2**20 + 50000


def test_e03_without_git_the_commit_is_told_all_the_same(checkout, tmp_path, monkeypatch):
    commit = checkout.head()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert checkout.find().commit == commit
    assert checkout.ask() == ({}, None)


# E05 ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", ".", "programs", "./programs", "{code}", "{code}/bin", "{link}", "~"])
def test_e05_a_git_that_lies_about_is_not_run(checkout, tmp_path, monkeypatch, path):
    sung = tmp_path / "sung"
    for folder in (tmp_path, tmp_path / "programs", checkout.folder, checkout.folder / "bin", tmp_path / "HOME"):
        fake_git(folder, "touch %s" % sung)
        fake_git(folder, "touch %s" % sung).rename(folder / "git.exe")
        fake_git(folder, "touch %s" % sung)
    os.symlink(str(tmp_path), str(tmp_path / "HOME" / "link"))
    path = path.format(code=checkout.folder, link=tmp_path / "HOME" / "link")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join([path, os.environ["PATH"]]))
    assert checkout.ask()[0] == {"git_dirty": False, "git_changed_files": 0}
    assert not sung.exists()


def test_e11_the_program_that_asks_loads_nothing_from_the_current_folder(checkout, tmp_path, monkeypatch):
    """E05 for Python: modules that lie about."""
    sung = tmp_path / "sung"
    for name in ("json", "subprocess", "re", "git_probe", "masking", "sitecustomize", "usercustomize"):
        (tmp_path / (name + ".py")).write_text("open(%r, 'w').close()\n" % str(sung))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    checkout.write("train.py", "x\n")
    assert checkout.ask()[0]["git_dirty"] is True
    assert not sung.exists()


def test_e09_the_program_that_asks_gets_of_the_environment_what_is_listed(checkout, programs, tmp_path, monkeypatch):
    seen = tmp_path / "seen"
    fake_git(programs, "env >%s" % seen, "exit 1")
    monkeypatch.setenv("WANDB_API_KEY", "hush")
    monkeypatch.setenv("GIT_ASKPASS", "hush")
    monkeypatch.setenv("LD_PRELOAD", "")
    answer(Probe(checkout.find()))
    names = {line.partition("=")[0] for line in seen.read_text().splitlines()}
    ours = {name for name in names if not name.startswith("GIT_")} - {"HOME", "LC_ALL", "PWD", "SHLVL", "_", "OLDPWD"}
    assert ours <= {"XDG_CONFIG_HOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SUDO_UID", "LC_CTYPE", "TEMP", "TMP"}
    assert {"GIT_ASKPASS"} & names == set()
    assert "hush" not in seen.read_text()


# No trace in the user's process -----------------------------------------------------------------------------------


def children_of_this_process():
    """The numbers of its children, where the system tells them; other tests may have left some."""
    found = []
    for folder in glob.glob("/proc/self/task/*/children"):
        with open(folder) as file:
            found += file.read().split()
    return sorted(found)


def test_a_probe_leaves_no_thread_no_child_and_no_descriptor(checkout):
    gc.collect()  # what other tests left behind goes now, and not in between
    before = sorted(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    threads, children = threading.active_count(), children_of_this_process()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        probe = Probe(checkout.find())
        assert threading.active_count() == threads
        assert children_of_this_process() == children
        answer(probe)
        del probe
        gc.collect()
    if before is not None:
        assert sorted(os.listdir("/proc/self/fd")) == before


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="only Linux shows what a process holds")
def test_the_program_that_asks_holds_nothing_of_the_users_and_hears_no_ctrl_c(checkout, programs, tmp_path):
    seen = tmp_path / "seen"
    fake_git(programs, "ls -l /proc/$PPID/fd >%s; ps -o sid= -p $PPID >>%s" % (seen, seen), "exit 1")
    reading, writing = os.pipe()
    inodes = ["[%d]" % os.fstat(reading).st_ino]
    for descriptor in (reading, writing):
        os.set_inheritable(descriptor, True)
    try:
        answer(Probe(checkout.find()))
    finally:
        for descriptor in (reading, writing):
            os.close(descriptor)
    lines = seen.read_text().splitlines()
    held = {line.split(" -> ")[0].split()[-1]: line.split(" -> ")[1] for line in lines if "->" in line}
    assert held.pop("0") == held.pop("2") == "/dev/null"
    assert held.pop("1").startswith(("/memfd:", str(tmp_path)))  # a file of its own
    # Its own, to git; /dev/null may not be closed yet when git looks.
    assert [target for target in held.values() if not target.startswith("pipe:") and target != "/dev/null"] == []
    assert not any(inode in target for inode in inodes for target in held.values())
    assert int(lines[-1]) != os.getsid(0)


@pytest.mark.skipif(sys.platform != "linux", reason="closes what the tests themselves print to")
def test_a_process_without_standard_streams_can_ask(checkout, tmp_path):
    code = (
        "import os, sys; os.closerange(0, 3); from mini_mlflow import repository; from mini_mlflow.probe import Probe;"
        "found = Probe(repository.find(sys.argv[1])).wait(60); open(sys.argv[2], 'w').write(repr(found.fields))"
    )
    subprocess.run([sys.executable, "-c", code, checkout.find().root, str(tmp_path / "out")], check=True)
    assert "'git_dirty': False" in (tmp_path / "out").read_text()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_child_learns_nothing_and_does_not_wait(checkout, programs):
    fake_git(programs, "sleep 1000")
    probe = Probe(checkout.find())
    pid = os.fork()
    if not pid:
        start = time.monotonic()
        try:
            is_right = probe.poll() is None and probe.wait(1000) is None and time.monotonic() - start < 100
            os._exit(0 if is_right else 1)
        finally:
            os._exit(2)
    assert os.waitpid(pid, 0)[1] == 0
    assert probe.poll() is None  # it is not the child's to end
    probe._kill()
    assert probe.wait(DEADLINE_S) == NOTHING


@pytest.mark.skipif(not hasattr(signal, "SIGCHLD"), reason="only Unix tells of children")
def test_somebody_who_waits_for_all_children_does_not_disturb(checkout):
    old = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert checkout.ask()[0] == {"git_dirty": False, "git_changed_files": 0}
    finally:
        signal.signal(signal.SIGCHLD, old)


@pytest.mark.parametrize("program", [None, "", "/usr/bin/blender", "/opt/uwsgi"])
def test_python_inside_another_program_starts_none(checkout, monkeypatch, program):
    monkeypatch.setattr(sys, "executable", program)
    probe = Probe(checkout.find())
    assert probe.poll() == NOTHING


def test_a_frozen_program_starts_none(checkout, monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert Probe(checkout.find()).poll() == NOTHING


def test_what_cannot_be_started_is_done_without(checkout, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert answer(Probe(checkout.find())) == ({}, None)


def test_without_a_repository_nothing_is_started():
    assert Probe(None).poll() == NOTHING


@pytest.mark.parametrize(
    "data", [b"", b"{}", b'{"found": {}, "diff_bytes": 5}\nabc', b"[]\n", b"\xff\n", b'{"diff_bytes": 0}\n']
)
def test_an_answer_that_was_cut_short_is_none(data):
    assert probes._decode(data) is None


def test_a_process_asks_once(checkout, monkeypatch):
    monkeypatch.setattr(provenance, "_entry", lambda: (str(checkout.folder / "train.py"), str(checkout.folder)))
    provenance.forget()
    try:
        first = provenance.start_probe()
        assert answer(first)[0]["git_dirty"] is False
        checkout.write("train.py", "x\n")
        assert provenance.start_probe() is first  # what runs is what was there at the start
    finally:
        provenance.forget()


def test_a_notebook_asks_again_after_a_minute(checkout, monkeypatch):
    monkeypatch.setattr(provenance, "_entry", lambda: ("notebook", str(checkout.folder)))
    provenance.forget()
    try:
        first = provenance.start_probe()
        assert answer(first)[0]["git_dirty"] is False
        assert provenance.start_probe() is first
        checkout.write("train.py", "x\n")
        monkeypatch.setattr(provenance, "monotonic", lambda: time.monotonic() + 61)
        assert answer(provenance.start_probe())[0]["git_dirty"] is True
    finally:
        provenance.forget()
