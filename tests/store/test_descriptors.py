"""Which metric files are kept open, and what the user's own files notice of it."""

import errno
import os
import random
import sys
import threading
import tracemalloc

import pytest
from logged import log, metric_path, open_writer, parsed, pool_of, spy_on_calls, spy_on_writes, values

from mini_mlflow import StorageWarning
from mini_mlflow.store import descriptors, open_file

resource = pytest.importorskip("resource", reason="Windows has no limit of descriptors to ask for")
pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open descriptors are counted in /proc")


def open_count():
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def writer(tmp_path):
    writer = open_writer(tmp_path, bound=16)
    yield writer
    writer.release()


@pytest.fixture
def opens(monkeypatch):
    counted = []
    real = open_file.OpenFile._open

    def counting(self, **options):
        counted.append(self.key)
        return real(self, **options)

    monkeypatch.setattr(open_file.OpenFile, "_open", counting)
    return counted


@pytest.mark.parametrize("order", ["in turn", "at random", "most the first"])
def test_far_more_metrics_than_fit_keep_every_row_and_few_descriptors(writer, order):
    keys = ["m%d" % number for number in range(300)]
    chance = random.Random(1)
    before = open_count()
    logged = {key: [] for key in keys}
    for round_ in range(12):
        order_of_keys = list(keys)
        if order == "at random":
            chance.shuffle(order_of_keys)
        elif order == "most the first":
            order_of_keys = keys[:5] * 10 + keys
        for key in order_of_keys:
            log(writer, key, round_ + len(key) / 8)
            logged[key].append(round_ + len(key) / 8)
        assert open_count() - before <= 17
    assert len(writer.appenders) <= 16
    assert len(writer.parked) == 300 - len(writer.appenders)
    for key in keys:
        history = parsed(metric_path(writer, key))["history"]
        assert [row.value for row in history] == logged[key]
        assert [row.step for row in history] == list(range(len(logged[key])))


def test_one_metric_more_than_fit_costs_few_opens(writer, opens):
    """With least recently used, each of the 17,000 values would cost one."""
    for _ in range(1000):
        for number in range(17):
            log(writer, "m%d" % number, 0.5)
    assert len(opens) < 17000 / 6


def test_a_value_of_a_metric_that_does_not_fit_costs_five_calls(writer, monkeypatch):
    """An open and a close, a look at what is there (two calls), and the row; every eighth takes another's place."""
    keys = ["m%d" % number for number in range(116)]
    for key in keys:
        log(writer, key, 0.5)
    calls = []
    spy_on_calls(monkeypatch, calls)
    misses = 0
    for key in keys:
        is_open = key in writer.appenders
        del calls[:]
        log(writer, key, 0.25)
        if is_open:
            assert calls == ["pwrite"]
        elif (misses + 1) % 8:
            assert calls == ["open", "fstat", "pread", "pwrite", "close"]
            misses += 1
        else:
            assert len(calls) <= 13
            misses += 1
    assert misses >= 90


def test_metrics_that_are_logged_no_more_make_room_for_others(writer, opens):
    for number in range(16):
        log(writer, "old%d" % number, 0.5)
    for _ in range(100):
        for number in range(10):
            log(writer, "new%d" % number, 0.5)
    del opens[:]
    for number in range(10):
        log(writer, "new%d" % number, 0.5)
    assert len(opens) <= 1


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_a_file_opened_for_one_value_that_a_disk_refuses_is_closed_and_goes_on(tmp_path, monkeypatch, error):
    """Rule P4."""
    writer = open_writer(tmp_path, bound=1)
    for key in "abc":
        log(writer, key, 1)
    before = open_count()
    with monkeypatch.context() as patched:
        refuse = iter([OSError(error, os.strerror(error))])

        def fail_once(descriptor, data, offset):
            for failure in refuse:
                raise failure

        spy_on_writes(patched, fail_once)
        with pytest.warns(StorageWarning):
            log(writer, "c", 2)
    assert open_count() == before
    log(writer, "c", 3)
    writer.close()
    assert values(writer, "c") == [1, 2, 3]


def test_ctrl_c_while_a_file_is_open_for_one_value_leaves_it_closed_and_whole(tmp_path, monkeypatch):
    writer = open_writer(tmp_path, bound=1)
    for key in "abc":
        log(writer, key, 1)
    before = open_count()

    def interrupt(descriptor, data, offset):
        os.pwrite(descriptor, data, offset)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        spy_on_writes(patched, interrupt)
        with pytest.raises(KeyboardInterrupt):
            log(writer, "c", 2)
    assert open_count() == before
    log(writer, "c", 3)
    writer.release()
    assert values(writer, "c") == [1, 2, 3]


def test_metrics_that_fit_cost_no_open_at_all(writer, opens):
    for _ in range(1000):
        for number in range(16):
            log(writer, "m%d" % number, 0.5)
    assert opens == []


def test_a_parked_metric_takes_at_most_200_bytes(tmp_path):
    writer = open_writer(tmp_path, bound=16)
    keys = ["metric_%d" % number for number in range(3016)]
    log(writer, "first", 0.5)
    tracemalloc.start()
    for key in keys[:16]:
        log(writer, key, 0.5)
    before = tracemalloc.get_traced_memory()[0]
    for key in keys[16:]:
        log(writer, key, 0.5)
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert len(writer.parked) > 2990
    writer.release()
    assert taken / 3000 <= 200


def test_h09_with_1024_descriptors_and_5000_metrics_the_users_own_opens_succeed(tmp_path):
    old = resource.getrlimit(resource.RLIMIT_NOFILE)
    if old[0] < 1024:
        pytest.skip("fewer than 1,024 descriptors are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, old[1]))
    try:
        writer = open_writer(tmp_path)
        assert writer.pool.bound == 512
        for number in range(5000):
            log(writer, "m%d" % number, number)
        files = [os.open(os.devnull, os.O_RDONLY) for _ in range(400)]
        for file in files:
            os.close(file)
        for number in range(0, 5000, 7):
            log(writer, "m%d" % number, -number)
        assert [row.value for row in parsed(metric_path(writer, "m4998"))["history"]] == [4998, -4998]
        writer.release()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, old)


def test_descriptors_are_moved_to_high_numbers_and_not_inherited():
    pool = pool_of()
    bound = pool.bound
    descriptor = pool.lift(os.open(os.devnull, os.O_RDONLY))
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    soft = soft if soft != resource.RLIM_INFINITY else 4096
    assert descriptor >= max(64, min(soft, 4096) - bound)
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)


@pytest.mark.parametrize(("soft", "bound"), [(1024, 512), (256, 128), (1 << 20, 1024), (-1, 1024), (1, 1)])
def test_at_most_half_of_the_descriptors_are_taken(soft, bound, monkeypatch):
    monkeypatch.setattr(os, "sysconf", lambda name: {"SC_OPEN_MAX": soft}[name])  # -1: without limit
    assert descriptors.DescriptorPool().bound == bound


def test_runs_in_several_threads_share_the_bound(tmp_path):
    pool = pool_of(8)
    writers = []
    for number in range(4):
        writer = open_writer(tmp_path, run_id="r%d" % number)
        writer.pool = pool
        writers.append(writer)
    failures = []

    def work(writer):
        try:
            for round_ in range(40):
                for number in range(25):
                    log(writer, "m%d" % number, round_)
        except BaseException as error:
            failures.append(error)
            raise

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    before = open_count()
    threads = [threading.Thread(target=work, args=[writer]) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(switch)
    assert failures == []
    live = [each for writer in writers for each in writer.appenders.values() if each.descriptor >= 0]
    assert {id(each) for each in pool._open.values()} == {id(each) for each in live}
    assert open_count() - before <= 16
    for writer in writers:
        for number in range(25):
            history = parsed(metric_path(writer, "m%d" % number))["history"]
            assert [row.value for row in history] == list(range(40))
        writer.release()
    assert len(pool._open) == 0
    assert open_count() < before


def test_what_cannot_be_written_leaks_no_descriptor(tmp_path, writer):
    """A file that is in the way and broken is looked at again and again; each look closes what it opened."""
    log(writer, "a", 1)
    os.mkdir(metric_path(writer, "b"))
    log(writer, "b", 2)
    before = open_count()
    for number in range(50):
        log(writer, "c%d" % (number % 3), number)
        with open(metric_path(writer, "d%d" % number), "wb") as file:
            file.write(b'{"key": "d%d", "history": [\n' % number)
        log(writer, "d%d" % number, 1)
    assert open_count() - before <= 16
