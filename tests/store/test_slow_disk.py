"""What a value costs where every system call takes long: the clock stands still but for the calls."""

import os
from collections import Counter

import pytest
from logged import Clock, content, log, metric_path, open_writer, spy_on_calls, values

from mini_mlflow import StorageWarning
from mini_mlflow.store import watch


class Disk:
    """A disk whose calls each take *call_ms*; nothing else takes time but what the test says."""

    def __init__(self, monkeypatch):
        self.clock = Clock(monkeypatch)
        monkeypatch.setattr(watch, "monotonic", lambda: self.clock.now_ms / 1000)
        self.call_ms = 0
        self.calls = []
        spy_on_calls(monkeypatch, self.calls, self.take)

    def take(self, _):
        self.clock.now_ms += self.call_ms

    def counted(self):
        return Counter(self.calls)


@pytest.fixture
def disk(monkeypatch):
    return Disk(monkeypatch)


@pytest.fixture
def writer(tmp_path, disk):
    writer = open_writer(tmp_path)
    yield writer
    disk.call_ms = 0
    writer.release()


def log_in_turn(writer, disk, metrics, rounds, pause_ms=0):
    """Log each metric in each round; return the calls and the milliseconds of it, and the values."""
    keys = ["m%d" % number for number in range(metrics)]
    for key in keys:
        log(writer, key, 0)
    del disk.calls[:]
    start = disk.clock.now_ms
    for number in range(rounds):
        for key in keys:
            log(writer, key, number)
        disk.clock.now_ms += pause_ms
    return disk.counted(), disk.clock.now_ms - start - rounds * pause_ms, metrics * rounds


@pytest.mark.parametrize("call_ms", [1, 5, 20, 50, 300, 2000])
@pytest.mark.parametrize("metrics", [1, 10, 100])
def test_a_value_costs_one_write_and_a_tenth_for_looks(writer, disk, metrics, call_ms):
    """Rule M12: one more write stands at the end of a page, for each metric after some eighty values."""
    disk.call_ms = call_ms
    calls, took_ms, count = log_in_turn(writer, disk, metrics, rounds=3000 // metrics)
    assert count <= calls["pwrite"] <= count * (1 + 1 / 50)
    looks = sum(calls.values()) - calls["pwrite"]
    # A tenth of the time, what a second of grace gives, and the look that was under way.
    assert looks * call_ms <= took_ms / 10 + 100 + 7 * call_ms
    assert took_ms == sum(calls.values()) * call_ms


def test_on_a_fast_disk_each_of_a_thousand_files_has_its_look_every_second(writer, disk):
    """Rule M12."""
    disk.call_ms = 0
    log_in_turn(writer, disk, 1000, rounds=1)
    for _ in range(3):
        disk.clock.now_ms += 1000
        calls, _, _ = log_in_turn(writer, disk, 1000, rounds=1)
        disk.clock.now_ms += 1000
        del disk.calls[:]
        for number in range(1000):
            log(writer, "m%d" % number, 1)
        calls = disk.counted()
        assert calls["pread"] >= 1000
        assert calls["pwrite"] <= 1020


@pytest.mark.parametrize("pause_ms", [0, 700, 1500, 5000])
def test_on_a_slow_disk_each_file_and_the_folder_have_their_turn(writer, disk, pause_ms, monkeypatch):
    """Rules M12 and W11: also where the same metric is always the first to be logged."""
    log_in_turn(writer, disk, 5, rounds=1)
    looked = Counter()
    for appender in writer.appenders.values():
        monkeypatch.setattr(type(appender), "check", count_looks(type(appender).check, looked))
        break
    claim = writer._home.claim
    is_held = claim.is_held
    monkeypatch.setattr(claim, "is_held", lambda: looked.update(["folder"]) or is_held())
    disk.call_ms = 50
    log_in_turn(writer, disk, 5, rounds=400, pause_ms=pause_ms)
    assert len(looked) == 6
    assert max(looked.values()) <= 2 * min(looked.values()) + 2


def count_looks(real, looked):
    def check(self, now):
        looked[self.key] += 1
        return real(self, now)

    return check


def test_a_file_that_was_removed_on_a_slow_disk_is_found_in_its_turn(writer, disk):
    """Rule W11: the rows since the last look are read back and go on in a share."""
    log_in_turn(writer, disk, 10, rounds=3)
    disk.call_ms = 50
    log_in_turn(writer, disk, 10, rounds=10)
    before = len(values(writer, "m7"))
    os.unlink(metric_path(writer, "m7"))
    with pytest.warns(StorageWarning, match="a file was removed"):
        log_in_turn(writer, disk, 10, rounds=300)
    assert len(os.listdir(os.path.join(writer.folder, "writers"))) == 1
    assert values(writer, "m7")[-1] == 299
    assert 301 <= len(values(writer, "m7")) <= before + 301


def test_a_process_that_was_stopped_in_a_look_does_not_look_away_for_hours(writer, disk, monkeypatch):
    log(writer, "loss", 1)
    log(writer, "loss", 2)
    claim = writer._home.claim
    is_held = claim.is_held
    naps = [3600 * 1000]

    def nap():
        disk.clock.now_ms += naps.pop() if naps else 0
        return is_held()

    monkeypatch.setattr(claim, "is_held", nap)
    disk.clock.now_ms += 1001
    log(writer, "loss", 3)
    assert naps == []
    os.unlink(metric_path(writer, "loss"))
    disk.clock.now_ms += 601 * 1000
    with pytest.warns(StorageWarning, match="a file was removed"):
        log(writer, "loss", 4)


def test_values_are_whole_on_a_slow_disk(writer, disk):
    """Rule P1."""
    disk.call_ms = 20
    log_in_turn(writer, disk, 3, rounds=200)
    assert values(writer, "m1") == [0, *range(200)]
    assert content(metric_path(writer, "m1")).endswith(b"}\n")
