"""What a run's writer does when somebody else is at its files, or its run is gone."""

import os
import shutil
import threading
import warnings

import pytest
from logged import Clock, content, log, metric_path, open_writer, parsed, values

from mini_mlflow.errors import RunEndedError, StorageWarning
from mini_mlflow.store import documents, metric_file, reader


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.fixture
def writer(tmp_path, clock):
    writer = open_writer(tmp_path)
    yield writer
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        writer.release()


def shares(writer):
    """Return the folders under ``writers/`` that hold metrics."""
    inside = os.path.join(writer.folder, "writers")
    return sorted(os.listdir(inside)) if os.path.isdir(inside) else []


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def removed(path):
    os.unlink(path)


def renamed_over(path):
    data = content(path)
    write(path + "~", data)
    os.replace(path + "~", path)


def appended_by_another(path):
    """One row replaces our last write, and is exactly as long: size alone would not tell."""
    data = content(path)
    place = data.rindex(b"0.25}")
    row = data.rindex(b"0.25]")
    changed = bytearray(data)
    changed[place : place + 4] = changed[row : row + 4] = b"0.75"
    with open(path, "r+b") as file:
        file.write(bytes(changed))


def truncated(path):
    os.truncate(path, os.path.getsize(path) // 2)


def edited(path):
    write(path, content(path).replace(b"[0, ", b"[5, "))
    with open(path, "ab") as file:
        file.write(b"\n")


DISTURBANCES = [removed, renamed_over, appended_by_another, truncated, edited]
LEFT_WITHOUT_A_NAME = [removed, renamed_over]


@pytest.mark.parametrize("disturb", DISTURBANCES)
@pytest.mark.parametrize("when", ["within a second", "at the end"])
def test_h11_a_disturbed_file_is_left_to_the_other_and_values_go_on(disturb, when, writer, clock):
    """Rules M12 and W11."""
    for _ in range(5):
        log(writer, "a", 0.25)
    log(writer, "b", 1)
    path = metric_path(writer, "a")
    disturb(path)
    theirs = content(path) if os.path.exists(path) else None
    with pytest.warns(StorageWarning, match="changed by somebody else") as caught:
        if when == "within a second":
            clock.now_ms += 1001
            for number in range(3):
                log(writer, "a", 100 + number)
        writer.close()
    assert len(caught) == 1
    assert (content(path) if os.path.exists(path) else None) == theirs
    found = values(writer, "a") if theirs is None or disturb in LEFT_WITHOUT_A_NAME or shares(writer) else []
    if when == "within a second":
        assert len(shares(writer)) == 1
        assert sorted(found)[-3:] == [100, 101, 102]
    if disturb is removed:
        assert sorted(found)[:5] == [0.25] * 5
    if disturb is renamed_over:  # both what the other kept and what we had
        assert sorted(found)[:5] == [0.25] * 5
    assert values(writer, "b") == [1]
    for name in shares(writer):
        share = os.path.join(writer.folder, "writers", name, "metrics")
        for each in os.listdir(share) if os.path.isdir(share) else []:
            parsed(os.path.join(share, each))


@pytest.mark.parametrize("disturb", LEFT_WITHOUT_A_NAME)
def test_no_row_since_the_last_look_is_lost_with_its_file(disturb, writer, clock):
    """Rule W11: rows before the look are the other's, rows after it are written anew first."""
    for number in range(300):
        clock.now_ms += 100
        log(writer, "a", number)
    disturb(metric_path(writer, "a"))
    for number in range(300, 309):
        log(writer, "a", number)
    clock.now_ms += 1001
    with pytest.warns(StorageWarning):
        log(writer, "a", 309)
    (share,) = shares(writer)
    rows = parsed(os.path.join(writer.folder, "writers", share, "metrics", "a.json"))["history"]
    assert [row.value for row in rows][-10:] == list(range(300, 310))
    assert [row.step for row in rows][-10:] == list(range(300, 310))
    assert len(rows) <= 25


def test_rows_without_a_file_wait_in_order_where_the_new_share_cannot_be_made(writer, clock):
    """Rules W11 and P4."""
    for number in range(5):
        log(writer, "a", number)
    removed(metric_path(writer, "a"))
    write(os.path.join(writer.folder, "writers"), b"in the way")
    clock.now_ms += 1001
    with pytest.warns(StorageWarning) as caught:
        log(writer, "a", 5)
        log(writer, "a", 6)
        os.unlink(os.path.join(writer.folder, "writers"))
        clock.now_ms += 1001
        log(writer, "a", 7)
        log(writer, "a", 8)
    assert len(caught) == 1
    assert values(writer, "a") == list(range(9))


def test_after_a_disturbance_a_run_still_ends_finished(writer, clock):
    """Rule W11: the share is left, the run is not."""
    log(writer, "a", 1)
    removed(metric_path(writer, "a"))
    with pytest.warns(StorageWarning):
        writer.close(status="FINISHED")
    store = os.path.dirname(os.path.dirname(writer.folder))
    assert reader.read_run(store, 0, "r").metadata["status"] == "FINISHED"


def test_a_parked_file_that_was_disturbed_is_seen_when_it_is_opened_again(tmp_path, clock):
    """Rules M12 and W11."""
    writer = open_writer(tmp_path, bound=1)
    for key in "abc":
        log(writer, key, 0.25)
    assert "c" in writer.parked
    edited(metric_path(writer, "c"))
    with pytest.warns(StorageWarning):
        log(writer, "c", 2)
    assert values(writer, "c") == [2, 0.25]
    writer.release()


@pytest.mark.parametrize("gone", ["run", "experiment", "store"])
def test_h06_a_removed_run_stops_no_training_and_is_not_half_made_again(gone, tmp_path, clock):
    """Rules D5 and P4."""
    store = tmp_path / "mlruns"
    writer = open_writer(store)
    log(writer, "a", 1)
    writer.write_value("params", "p", 1)
    folder = {"run": writer.folder, "experiment": os.path.dirname(writer.folder), "store": str(store)}[gone]
    shutil.rmtree(folder)
    with pytest.warns(StorageWarning) as caught:
        for number in range(50):
            log(writer, "a", number)
            log(writer, "new%d" % number, number)
            writer.write_value("tags", "t", number)
            clock.now_ms += 100
        assert len(caught) == 1
        writer.close(status="FINISHED")
    assert any("could not be written" in str(each.message) for each in caught)
    assert not os.path.exists(folder)


def test_h06_a_run_that_comes_back_takes_the_late_values_in_order(tmp_path, clock):
    """Rule P4."""
    writer = open_writer(tmp_path)
    log(writer, "a", 0)
    writer.write_value("params", "p", 1)
    clock.now_ms += 1001
    os.rename(writer.folder, str(tmp_path / "away"))
    with pytest.warns(StorageWarning) as caught:
        for number in range(1, 20):
            log(writer, "a", number)
            clock.now_ms += 100
        os.rename(str(tmp_path / "away"), writer.folder)
        clock.now_ms += 1001
        log(writer, "a", 20)
        writer.close()
    assert len(caught) == 1
    assert [value for value in values(writer, "a") if value] == list(range(1, 21))


def test_a_closed_writer_refuses_further_values(writer):
    log(writer, "a", 1)
    there = writer.appenders["a"]
    writer.close()
    for attempt in (lambda: there.append(2), lambda: writer.write_value("params", "p", 1)):
        with pytest.raises(RunEndedError):
            attempt()
    assert values(writer, "a") == [1]


@pytest.mark.parametrize("count", [1, 50])
def test_threads_lose_no_value(count, tmp_path):
    """Rule W1: eight threads, one run."""
    writer = open_writer(tmp_path, bound=16)
    failures = []

    def work(thread):
        try:
            for number in range(5000):
                log(writer, "m%d" % (number % count), thread * 10000 + number)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    assert failures == []
    found = {}
    for number in range(count):
        history = parsed(metric_path(writer, "m%d" % number))["history"]
        found.update({row.value: None for row in history})
        assert [row.step for row in history] == list(range(len(history)))
        assert len(history) == 40000 // count
    assert len(found) == 40000


def test_h10_a_users_file_that_gets_our_number_keeps_its_bytes(tmp_path, clock):
    """Foreign code closes all descriptors, opens files of its own, and writes to them."""
    pid = os.fork() if hasattr(os, "fork") else pytest.skip("the test closes all descriptors of a child")
    if pid == 0:
        status = 1
        try:
            warnings.simplefilter("ignore")
            status = close_everything(tmp_path, clock)
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    metrics = tmp_path / "store" / "0" / "r"
    rows = [
        row.value
        for folder, _, files in os.walk(str(metrics))
        for name in files
        if name == "a.json"
        for row in metric_file.read_history(os.path.join(folder, name)).rows
    ]
    assert sorted(rows) == list(range(40))
    for number in range(30):
        assert content(str(tmp_path / ("checkpoint%d" % number))) == b"weights" * 1000


def close_everything(tmp_path, clock):
    writer = open_writer(tmp_path / "store")
    for number in range(10):
        log(writer, "a", number)
    os.closerange(3, 8192)
    flags = os.O_RDWR | os.O_CREAT
    checkpoints = [os.open(str(tmp_path / ("checkpoint%d" % number)), flags) for number in range(30)]
    for each in checkpoints:
        os.write(each, b"weights" * 500)
    for number in range(10, 40):
        log(writer, "a", number)
        clock.now_ms += 100
    for each in checkpoints:
        os.write(each, b"weights" * 500)
    writer.close(status="FINISHED")
    for each in checkpoints:
        os.close(each)
    return 0


def test_a_param_of_a_replaced_owner_goes_to_a_share_of_its_own(writer, clock):
    """Rule W11: owner.json is not our own any more."""
    writer.write_value("params", "p", 1)
    owner = os.path.join(writer.folder, "owner.json")
    documents.replace(owner, content(owner))
    clock.now_ms += 1001
    with pytest.warns(StorageWarning):
        writer.write_value("params", "p", 2)
    assert len(shares(writer)) == 1
    store = os.path.dirname(os.path.dirname(writer.folder))
    assert reader.read_run(store, 0, "r").params == {"p": 2}
