"""What a reader makes of half-copied, foreign and hostile files: told, or read as a correct prefix."""

import os
import shutil
import socket
import sys
import time

import pytest

from mini_mlflow import Run
from mini_mlflow.errors import MiniMLflowError
from mini_mlflow.store import reader

ROWS = 60  # of the long metric: more than one page
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


class Damaged:
    """A sound run of two writers, to be damaged and read again."""

    def __init__(self, root):
        self.root = root
        run = Run(runs_dir=root, run_id="r", name="a name", version="v1")
        run.log_params({"lr": 0.015625, "text": "päram"})
        run.set_tag("team", [1, {"x": None}])
        for step in range(ROWS):
            run.log_metric("loss", step * 1.5, timestamp=10**12 + step)
        joiner = Run(runs_dir=root, run_id="r")
        joiner.log_metric("loss", -7.0, step=1000, timestamp=10**12 + 1000)
        joiner.log_metric("other", 5)
        joiner.log_param("beside", 12345)
        joiner.end()
        run.end()
        self.folder = os.path.join(root, "0", "r")
        self.sound = reader.read_run(root, 0, "r")
        self.rows = reader.get_history(self.folder, "r", "loss")
        self.files = sorted(os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names)

    def check(self):
        """Read the run; whatever is left of it is right, and what is missing has its reason."""
        found = reader.read_run(self.root, 0, "r")
        for name in ("params", "metrics", "tags"):
            left, sound = getattr(found, name), getattr(self.sound, name)
            wrong = {key: value for key, value in left.items() if sound.get(key, value) != value}
            assert set(wrong) <= {"loss"}, wrong  # a shorter history has another latest value
            assert all(value in [row.value for row in self.rows] for value in wrong.values())
        self.check_history()
        reader.list_metrics(self.folder)
        reader.list_run_ids(self.root, 0)
        return found

    def check_history(self):
        problems = []
        rows = reader.read_history(self.folder, "loss", problems)
        mine = [row for row in rows if row.step < 1000]
        others = [row for row in rows if row.step >= 1000]
        assert mine == self.rows[: len(mine)]
        assert others in ([], self.rows[-1:])


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return Damaged(str(tmp_path_factory.mktemp("store")))


@pytest.fixture
def damaged(sound):
    """The sound run, put back in order afterwards."""
    kept = {}
    for path in sound.files:
        with open(path, "rb") as file:
            kept[path] = file.read()
    yield sound
    shutil.rmtree(sound.root)
    for path, data in kept.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)


def lengths(size):
    """Return every length of a small file; of a longer one those about its ends and page boundaries, and some."""
    every = set(range(min(size, 700))) | set(range(max(0, size - 200), size)) | set(range(0, size, 97))
    return sorted(every | {cut for page in range(4096, size, 4096) for cut in range(page - 10, page + 10)} - {size})


@pytest.mark.long
def test_h22_every_file_of_a_run_cut_at_every_length_is_told_or_reads_as_a_correct_prefix(damaged):
    """Rules S4 and M8."""
    assert len(damaged.files) == 11
    named = []
    for path in damaged.files:
        with open(path, "rb") as file:
            data = file.read()
        name = os.path.relpath(path, damaged.root).split(os.sep)[-2:]
        for length in lengths(len(data)):
            with open(path, "wb") as file:
                file.write(data[:length])
            try:
                found = damaged.check()
            except MiniMLflowError as error:
                named.append(os.path.basename(path) in str(error))
                continue
            told = [problem.path for problem in found.problems]
            assert set(told) <= {path}, (name, length, told)
            if name[-1] == "owner.json" and data[length:].strip():
                assert told == [path], (name, length)
            if "params" in name or "tags" in name:
                assert told == [path] or not data[length:].strip(), (name, length)
            if name[-2] == "metrics" and not told:
                assert found.metrics.keys() == damaged.sound.metrics.keys()
        with open(path, "wb") as file:
            file.write(data)
    assert damaged.check() == damaged.sound
    assert all(named)


def test_h22_a_cut_meta_yaml_is_told_or_its_whole_lines_read_as_they_were(damaged):
    """Rule S4."""
    path = os.path.join(damaged.folder, "meta.yaml")
    with open(path, "rb") as file:
        data = file.read()
    named = []
    for length in range(len(data)):
        with open(path, "wb") as file:
            file.write(data[:length])
        try:
            found = damaged.check()
        except MiniMLflowError as error:
            named.append(path in str(error))
            continue
        if not found.problems:
            whole = data[:length].count(b"\n")
            assert list(found.metadata.items())[:whole] == list(damaged.sound.metadata.items())[:whole]
    assert all(named)


def test_h22_every_file_of_a_run_may_be_missing(damaged):
    """Rule S4."""
    for path in damaged.files:
        os.rename(path, path + "~")
        found = damaged.check()
        assert found.problems == []
        os.rename(path + "~", path)


def test_h22_every_folder_of_a_run_may_be_missing_or_a_file(damaged):
    """Rule S4."""
    for folder in sorted({os.path.dirname(path) for path in damaged.files if damaged.folder in path}):
        if folder == damaged.folder:
            continue
        os.rename(folder, folder + "~")
        assert damaged.check().problems == []
        with open(folder, "w", encoding="utf-8"):
            pass
        told = [problem.path for problem in damaged.check().problems]
        assert told == ([folder] if os.path.basename(os.path.dirname(folder)) != "writers" else [])
        os.unlink(folder)
        os.rename(folder + "~", folder)


def test_h22_junk_beside_the_files_of_a_run_is_ignored(damaged):
    """Rule S4."""
    for folder in {os.path.dirname(path) for path in damaged.files}:
        for name in (
            ".nfs0000000000000001",
            "._loss.json",
            ".DS_Store",
            "loss.json~",
            ".tmp-0123456789abcdef",
            "Thumbs.db",
        ):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(b"\xff junk")
    assert damaged.check() == damaged.sound


def test_nul_bytes_behind_every_file_are_no_wrong_number(damaged):
    """Rule M9 and attack H13."""
    named = []
    for path in damaged.files:
        with open(path, "ab") as file:
            file.write(b"\0" * 100)
        try:
            damaged.check()
        except MiniMLflowError as error:
            named.append(os.path.basename(path) in str(error))
    assert all(named)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('\ufeff{"key": "x", "history": [\n[0, 1, 0.5]\n], "step": 0, "timestamp": 1, "value": 0.5}\n', [(0, 1, 0.5)]),
        ('{"key": "x", "history": [\n[0, 1, 0.5],\n[1, 2, 0.25]' + "\0" * 5000, [(0, 1, 0.5), (1, 2, 0.25)]),
        ('{"key": "x", "history": [\n[0, 1, 0.5],\n[1, 2, 0.25' + "9" * 10**6 + "]\n]}", [(0, 1, 0.5)]),
        ("null", None),
        ("[]", None),
        ("7", None),
        ('{"key": "x", "history": [[1]]}', None),
        ('{"key": "x", "history": [[1, 2, "x"]]}', None),
        ('{"key": "x", "history": [[1, 2, true]]}', None),
        ('{"key": "x", "history": [[1.5, 2, 3]]}', None),
        ('{"key": "x", "history": {"a": 1}}', None),
        ('{"key": "x", "history": null}', None),
        ('{"key": "x", "history": []}', []),
        ('{"key": ["x"], "history": [[1, 2, 3]]}', None),
        ('{"key": "x", "key": "x", "history": [], "history": [[1, 2, 3]]}', [(1, 2, 3)]),
    ],
    ids=range(15),
)
def test_b10_a_metric_in_no_known_form_reads_as_a_correct_prefix_or_is_told(damaged, text, rows):
    """Rules M8 to M10."""
    path = os.path.join(damaged.folder, "metrics", "x.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    found = damaged.check()
    problems = []
    read = [tuple(row) for row in reader.read_history(damaged.folder, "x", problems)]
    if rows is None:
        assert read == []
        assert [problem.path for problem in found.problems] == [path]
        assert "x" not in found.metrics
    else:
        assert read == rows
        assert found.metrics.get("x") == (rows[-1][2] if rows else None)


def test_b10_latin_1_in_a_metric_is_told(damaged):
    path = os.path.join(damaged.folder, "metrics", "x.json")
    with open(path, "wb") as file:
        file.write('{"key": "é", "history": [[1, 2, 3]]}'.encode("latin-1"))
    assert [problem.path for problem in damaged.check().problems] == [path]


def special_files(path):
    """Put each kind of file that is no file in place of a document, one after the other."""
    os.mkfifo(path)
    yield "a FIFO"
    os.unlink(path)
    os.mkdir(path)
    yield "a folder"
    os.rmdir(path)
    here = os.getcwd()
    os.chdir(os.path.dirname(path))  # the address of a socket has at most 108 bytes
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(os.path.basename(path))
            yield "a socket"
    finally:
        os.chdir(here)
    os.unlink(path)
    for target in ("/dev/zero", "/dev/full", "/dev/null", path, "..", "/nowhere"):
        os.symlink(target, path)
        yield "a link to " + target
        os.unlink(path)
    with open(path, "wb") as file:
        file.truncate(1 << 40)
    yield "1 TiB"
    os.unlink(path)


@needs_posix
@pytest.mark.parametrize("name", ["meta.yaml", "owner.json", "params/lr.json", "tags/team.json", "metrics/loss.json"])
def test_a15_what_is_no_plain_file_is_told_at_once_and_takes_no_memory(damaged, name):
    """Rule S4; opening never blocks."""
    import resource

    path = os.path.join(damaged.folder, *name.split("/"))
    os.unlink(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for kind in special_files(path):
        start = time.monotonic()
        found = damaged.check()
        assert time.monotonic() - start < 1, kind
        if kind != "a link to /nowhere":  # as if it were missing
            assert path in [problem.path for problem in found.problems], kind
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


@needs_posix
@pytest.mark.parametrize("target", ["..", ".", "/", "/dev"])
@pytest.mark.parametrize("name", ["params", "metrics", "tags", "writers"])
def test_a12_a_folder_that_is_a_link_elsewhere_or_a_loop_ends(damaged, name, target):
    folder = os.path.join(damaged.folder, name)
    shutil.rmtree(folder)
    os.symlink(target, folder)
    damaged.check()
    os.unlink(folder)


@needs_posix
def test_a12_a_run_that_is_a_link_to_itself_is_no_run(damaged):
    os.symlink("x", os.path.join(damaged.root, "0", "x"))
    assert reader.list_run_ids(damaged.root, 0) == ["r"]
    with pytest.raises(MiniMLflowError):
        reader.read_run(damaged.root, 0, "x")
