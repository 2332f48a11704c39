"""What becomes of values when a signal handler or a destructor logs, ends the run or raises in mid-call."""

import gc
import itertools
import os
import signal
import sys

import pytest
from logged import log, metric_path, open_writer, parsed, spy_on_writes, values

from mini_mlflow import clock
from mini_mlflow.errors import RunEndedError
from mini_mlflow.store import appender, metric_file

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer")


@pytest.fixture
def alarm():
    """Start a timer that calls a handler again and again."""
    old = signal.getsignal(signal.SIGALRM)
    callbacks = gc.callbacks[:]  # hypothesis has one, in which an error of the handler would be told as nobody's
    gc.callbacks.clear()

    def start(handler, period_s):
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, period_s, period_s)

    yield start
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, old)
    gc.callbacks[:] = callbacks


def stop():
    signal.setitimer(signal.ITIMER_REAL, 0)


@pytest.fixture
def writer(tmp_path):
    writer = open_writer(tmp_path, bound=4)
    yield writer
    writer.release()


@pytest.mark.parametrize("others", [0, 9], ids=["same metric", "more metrics than fit"])
def test_h15_a_signal_handler_that_logs_loses_nothing(others, writer, alarm):
    """While the main thread logs 20,000 values. Rules P1 and M1."""
    logged = []
    numbers = itertools.count(-1, -1)

    def handler(number, frame):  # may interrupt itself
        value = next(numbers)
        log(writer, "a", value)
        if others:
            log(writer, "b%d" % (value % others), value)
        logged.append(value)

    alarm(handler, 0.001)
    for number in range(20000):
        log(writer, "a", number)
        if others and number % 50 == 0:
            log(writer, "c%d" % (number // 50 % others), number)
    stop()
    assert len(logged) > 20
    writer.close()
    found = [row.value for row in parsed(metric_path(writer, "a"))["history"]]
    assert [value for value in found if value >= 0] == list(range(20000))
    assert sorted(value for value in found if value < 0) == sorted(logged)
    if others:
        found = [value for number in range(others) for value in values(writer, "b%d" % number)]
        assert sorted(found) == sorted(logged)


class BrokenOffError(Exception):
    pass


@pytest.mark.parametrize("error", [BrokenOffError, KeyboardInterrupt])
def test_h14_a_handler_that_raises_in_mid_call_loses_no_acknowledged_row(error, writer, alarm):
    """Rules P1 and M1."""

    is_armed = [False]

    def handler(number, frame):
        if is_armed[0]:
            is_armed[0] = False
            raise error

    acknowledged, broken_off = {"a": [], "b": []}, 0
    alarm(handler, 0.0005)
    for attempt in range(20000):
        key = "ab"[attempt % 2]
        try:
            is_armed[0] = True
            log(writer, key, attempt)
            is_armed[0] = False
            acknowledged[key].append(attempt)
        except error:
            broken_off += 1
    stop()
    assert broken_off > 20
    writer.close()
    for key, wanted in acknowledged.items():
        found = [row.value for row in parsed(metric_path(writer, key))["history"]]
        assert found == sorted(found)
        assert set(wanted) <= set(found)
        assert len(found) <= len(wanted) + broken_off
        assert metric_file.read_history(metric_path(writer, key)).is_exact
    assert "writers" not in os.listdir(writer.folder)


@pytest.mark.skipif(sys.platform == "win32", reason="the spy replaces pwrite, which Windows lacks")
@pytest.mark.parametrize("when", [1, 109, 110, 111])
def test_h14_a_row_that_was_written_when_its_call_broke_off_is_stepped_over(when, writer, monkeypatch):
    """Rules M1 and M2: what follows is shorter, and does not overwrite it in part."""
    log(writer, "a", 0)
    counted = []

    def before(descriptor, data, offset):
        counted.append(offset)
        if len(counted) == when:
            os.pwrite(descriptor, data, offset)
            raise BrokenOffError

    spy_on_writes(monkeypatch, before)
    for number in range(1, 200):
        try:
            log(writer, "a", 10**200 + number if len(counted) == when - 1 else number)
        except BrokenOffError:
            pass
        parsed(metric_path(writer, "a"))
    writer.close()
    found = [row.value for row in parsed(metric_path(writer, "a"))["history"]]
    assert [value for value in found if value < 10**6] == [n for n in range(200) if n in found]
    assert len(found) in (199, 200)


def logs_within_a_write(writer, monkeypatch, when, call):
    """Let *call* happen just before the n-th write of a metric file, in mid-call."""
    counted = []

    def before(descriptor, data, offset):
        counted.append(offset)
        if len(counted) == when:
            call()

    spy_on_writes(monkeypatch, before)


@pytest.mark.skipif(sys.platform == "win32", reason="the spy replaces pwrite, which Windows lacks")
@pytest.mark.parametrize("when", [1, 50, 109, 110, 111, 112, 113])
def test_h15_a_value_logged_in_mid_call_is_written_after_it(when, writer, monkeypatch):
    """On the fast path and at a page's end, where two writes make one row."""
    log(writer, "a", 0)
    log(writer, "b", 0)

    def call():
        log(writer, "a", -1)
        log(writer, "b", -2)
        log(writer, "new", -3)

    logs_within_a_write(writer, monkeypatch, when, call)
    for number in range(1, 200):
        log(writer, "a", number)
    writer.close()
    found = [row.value for row in parsed(metric_path(writer, "a"))["history"]]
    assert [value for value in found if value >= 0] == list(range(200))
    assert found.count(-1) == 1
    assert values(writer, "b") == [0, -2]
    assert values(writer, "new") == [-3]


@pytest.mark.skipif(sys.platform == "win32", reason="the spy replaces pwrite, which Windows lacks")
@pytest.mark.parametrize("when", [1, 50, 109, 110, 111])
def test_h14_a_handler_that_ends_the_run_in_mid_call_leaves_it_whole(when, writer, monkeypatch):
    """The interrupted call says that the run has ended, or its row is there."""
    log(writer, "a", 0)

    def call():
        log(writer, "a", -1)
        writer.close(status="KILLED")

    logs_within_a_write(writer, monkeypatch, when, call)
    acknowledged = [0]
    with pytest.raises(RunEndedError):
        for number in range(1, 200):
            log(writer, "a", number)
            acknowledged.append(number)
    found = [row.value for row in parsed(metric_path(writer, "a"))["history"]]
    assert set(acknowledged) | {-1} <= set(found)
    assert len(found) == len(set(found)) <= len(acknowledged) + 2


def test_h15_a_destructor_that_logs_loses_nothing(writer):
    """The collector runs destructors in the middle of whatever allocates."""
    logged = []

    class Metered:
        def __init__(self):
            self.circle = self

        def __del__(self):
            logged.append(-1 - len(logged))
            log(writer, "a", logged[-1])

    old = gc.get_threshold()
    gc.set_threshold(5)
    try:
        for number in range(3000):
            Metered()
            log(writer, "a", number)
            log(writer, "n%d" % (number % 7), number)
    finally:
        gc.set_threshold(*old)
    gc.collect()
    writer.close()
    found = values(writer, "a")
    assert sorted(value for value in found if value < 0) == sorted(logged)
    assert sorted(value for value in found if value >= 0) == list(range(3000))


def test_a_value_of_a_handler_is_written_by_the_next_call_at_the_latest(writer, monkeypatch):
    """Rule P1."""
    log(writer, "a", 0)
    log(writer, "b", 0)
    logs_within_a_write(writer, monkeypatch, 1, lambda: log(writer, "a", -1))
    log(writer, "a", 1)
    log(writer, "b", 1)
    assert sorted(values(writer, "a")) == [-1, 0, 1]


def test_h15_a_handler_that_looks_at_the_file_that_it_interrupts_leaves_it_alone(writer, monkeypatch):
    """Rule M12: the file is due, and a call is at work on it; it stays due."""
    log(writer, "a", 0)
    log(writer, "b", 0)
    now = [clock.now_ms() + 500]
    monkeypatch.setattr(appender, "time_ns", lambda: now[0] * 1000000)

    def interrupt(descriptor, data, offset):
        patched.undo()
        now[0] += 10000
        writer._watch._waiting["a"] = None
        log(writer, "b", 1)

    with monkeypatch.context() as patched:
        spy_on_writes(patched, interrupt)
        log(writer, "a", 1)
    log(writer, "a", 2)
    assert (values(writer, "a"), values(writer, "b")) == ([0, 1, 2], [0, 1])
