"""What a disk that refuses does to a run: nothing to the training, and as little as can be to the values."""

import errno
import os
import subprocess
import sys
import warnings

import pytest
from logged import Clock, log, metric_path, open_writer, parsed, spy_on_writes, values

from mini_mlflow.errors import StorageWarning
from mini_mlflow.store import documents, reader, spool

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the spy replaces pwrite, which Windows lacks")

ERRORS = [errno.ENOSPC, errno.EIO, errno.EBADF, errno.ESTALE, errno.EDQUOT]
HUGE = 10**300


class Disk:
    """Lets calls of ``os`` fail from the n-th on, for a while; metric files see short writes too."""

    def __init__(self, monkeypatch):
        self.calls = 0
        self.first = self.last = 10**9
        self.error = errno.ENOSPC
        self.short = None
        spy_on_writes(monkeypatch, self._before_pwrite)
        for name in ("open", "write", "link", "replace", "rename", "mkdir", "fsync"):
            monkeypatch.setattr(os, name, self._failing(getattr(os, name)))

    def refuse(self, first, last, error=errno.ENOSPC, short=None):
        self.calls = 0
        self.first, self.last, self.error, self.short = first, last, error, short

    def heal(self):
        self.first = self.last = 10**9

    def _refuses(self):
        self.calls += 1
        return self.first <= self.calls <= self.last

    def _failing(self, real):
        def call(*args, **kwargs):
            if self._refuses():
                raise OSError(self.error, os.strerror(self.error))
            return real(*args, **kwargs)

        return call

    def _before_pwrite(self, descriptor, data, offset):
        if not self._refuses():
            return None
        if self.short is None:
            raise OSError(self.error, os.strerror(self.error))
        return os.pwrite(descriptor, data[: int(len(data) * self.short)], offset)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.fixture
def disk(monkeypatch, clock):
    return Disk(monkeypatch)


def train(writer, clock, disk):
    """Log over a page boundary, long values beside short ones; return what must be found."""
    wanted = []
    for number in range(30):
        value = number + HUGE if number % 3 == 0 else number
        log(writer, "a", value)
        wanted.append(value)
        if number % 10 == 5:
            log(writer, "b%d" % number, number)
            writer.write_value("params", "p", number)
            writer.write_value("tags", "t%d" % number, number)
        clock.now_ms += 60
    return wanted


def check(writer, wanted):
    assert values(writer, "a") == wanted
    run = reader.read_run(os.path.dirname(os.path.dirname(writer.folder)), 0, "r")
    assert run.params == {"p": 25}
    assert run.tags == {"t5": 5, "t15": 15, "t25": 25}
    assert run.problems == []
    for folder, _, names in os.walk(writer.folder):
        for name in names:
            assert not name.startswith(".tmp-")
            if os.path.basename(folder) == "metrics":
                parsed(os.path.join(folder, name))


def count_of_calls(tmp_path, clock, disk):
    writer = open_writer(tmp_path / "count")
    disk.refuse(10**9, 10**9)
    train(writer, clock, disk)
    writer.close()
    return disk.calls


@pytest.mark.long
@pytest.mark.parametrize("error", ERRORS, ids=errno.errorcode.get)
@pytest.mark.parametrize("length", [1, 25])
def test_h01_whichever_call_fails_no_value_is_lost_and_one_warning_tells(error, length, tmp_path, clock, disk):
    """Rules P3 and P4; attacks H02, H04, H05 and H07 too. Values come in order when the disk takes them again."""
    for first in range(1, count_of_calls(tmp_path, clock, disk), 1 if length == 1 else 7):
        writer = open_writer(tmp_path / str(first))
        disk.refuse(first, first + length - 1, error)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            wanted = train(writer, clock, disk)
            assert len(caught) <= 1
            disk.heal()
            clock.now_ms += 1001
            log(writer, "a", -1)
            writer.close()
        assert len([each for each in caught if "could not be written" in str(each.message)]) == 0
        check(writer, [*wanted, -1])


@pytest.mark.parametrize("short", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_h03_a_short_write_is_made_good(short, tmp_path, clock, disk):
    """Rule P3."""
    for first in range(1, count_of_calls(tmp_path, clock, disk)):
        writer = open_writer(tmp_path / str(first))
        disk.refuse(first, first, short=short)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = train(writer, clock, disk)
            writer.close()
        check(writer, wanted)


def test_what_could_not_be_written_to_the_end_is_counted_and_told(tmp_path, clock, disk):
    """Rule P4."""
    writer = open_writer(tmp_path)
    for number in range(5):
        log(writer, "a", number)
    disk.refuse(1, 10**9)
    with pytest.warns(StorageWarning) as caught:
        for number in range(5, 12):
            log(writer, "a", number)
        log(writer, "new", 1)
        writer.write_value("params", "p", 1)
        assert len(caught) == 1
        writer.close()
    told = [str(each.message) for each in caught if "these values could not be written" in str(each.message)]
    assert len(told) == 1
    assert "7 of 'a', 1 of 'new', 1 of 'p'" in told[0]
    disk.heal()
    assert values(writer, "a") == [0, 1, 2, 3, 4]
    parsed(metric_path(writer, "a"))


def test_a_warning_that_is_an_error_does_not_stop_the_training(tmp_path, clock, disk, capsys):
    """Rule P4."""
    writer = open_writer(tmp_path)
    log(writer, "a", 1)
    disk.refuse(1, 10**9)
    log(writer, "a", 2)
    disk.heal()
    assert "Training goes on" in capsys.readouterr().err
    writer.close()
    assert values(writer, "a") == [1, 2]


def test_while_the_disk_refuses_it_is_asked_once_a_second(tmp_path, clock, disk):
    writer = open_writer(tmp_path)
    log(writer, "a", 0)
    disk.refuse(1, 10**9)
    with pytest.warns(StorageWarning):
        for number in range(1, 1000):
            log(writer, "a", number)
            clock.now_ms += 10
    assert disk.calls < 100
    disk.heal()
    writer.close()
    assert values(writer, "a") == list(range(1000))


def test_the_memory_for_what_waits_is_bounded(tmp_path, clock, disk, monkeypatch):
    """Rule P4."""
    monkeypatch.setattr(spool, "MOST", 50)
    writer = open_writer(tmp_path)
    log(writer, "a", 0)
    disk.refuse(1, 10**9)
    with pytest.warns(StorageWarning) as caught:
        for number in range(1, 72):
            log(writer, "a", number)
        disk.heal()
        writer.close()
    assert "could not be written: 21 of 'a'" in str(caught[-1].message)
    assert values(writer, "a") == list(range(51))


def test_values_keep_the_time_at_which_they_were_logged(tmp_path, clock, disk):
    """Rule P4."""
    writer = open_writer(tmp_path)
    log(writer, "a", 0)
    start = clock.now_ms
    disk.refuse(1, 10**9)
    with pytest.warns(StorageWarning):
        log(writer, "a", 1)
    disk.heal()
    clock.now_ms += 5000
    log(writer, "a", 2)
    assert [row.timestamp - start for row in parsed(metric_path(writer, "a"))["history"]] == [0, 0, 5000]


@pytest.fixture
def full_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
    try:
        made = subprocess.run(options, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    except OSError:
        pytest.skip("there is no mount here")
    if made.returncode:
        pytest.skip("a small tmpfs cannot be mounted: " + made.stdout.decode().strip())
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_h01_on_a_disk_that_is_really_full_values_wait_for_space(full_disk, tmp_path, clock):
    """Rules M4, P3 and P4."""
    ballast = full_disk / "ballast"
    ballast.write_bytes(b"x" * 60000)
    writer = open_writer(full_disk / "mlruns")
    with pytest.warns(StorageWarning) as caught:
        for number in range(3000):
            log(writer, "a", number)
            log(writer, "b", number / 7)
            clock.now_ms += 1
        for key in "ab":  # the rows that are there read well while the disk is full
            there = parsed(metric_path(writer, key))["history"]
            assert 10 < len(there) < 3000
            assert [row.step for row in there] == list(range(len(there)))
        os.unlink(str(ballast))
        clock.now_ms += 1001
        log(writer, "c", 1)
        missing = 3000 - len(parsed(metric_path(writer, "a"))["history"])
        writer.close()
    told = [str(each.message) for each in caught]
    assert len([text for text in told if "Training goes on" in text]) == 1
    for key in "ab":
        history = parsed(metric_path(writer, key))["history"]
        assert [row.step for row in history] == list(range(len(history)))
    if missing:  # there was no room for all: then the end tells
        assert any("could not be written" in text for text in told)


@pytest.mark.parametrize("number", [errno.ENAMETOOLONG, errno.EFBIG, errno.EACCES], ids=errno.errorcode.get)
def test_a_file_that_cannot_be_written_holds_up_no_other(tmp_path, clock, monkeypatch, number):
    """Rule P4: a disk may refuse one long name, or one large file, for ever."""
    writer = open_writer(tmp_path)
    create = documents.create_open

    def refuse_one(path, *arguments, **options):
        if "refused" in os.path.basename(path):
            raise OSError(number, os.strerror(number), path)
        return create(path, *arguments, **options)

    monkeypatch.setattr(documents, "create_open", refuse_one)
    with pytest.warns(StorageWarning) as caught:
        for step in range(300):
            log(writer, "refused", step)
            log(writer, "loss", step)
            clock.now_ms += 20
        writer.write_value("params", "lr", 0.1)
        assert values(writer, "loss") == list(range(300))
        writer.close()
    assert "300 of 'refused'" in str(caught[-1].message)
    assert "loss" not in str(caught[-1].message)
    assert (tmp_path / "0" / "r" / "params" / "lr.json").exists()
