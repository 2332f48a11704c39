"""Does the index hold what it is given, for several processes at once?"""

import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest
from made_entries import STORE, by_place, held, made_entry, made_pairs, made_state

from mini_mlflow.errors import CorruptIndexError
from mini_mlflow.index import opening
from mini_mlflow.index.blocks import SIZE
from mini_mlflow.index.database import Database
from mini_mlflow.index.entry import ACTIVE, DELETED
from mini_mlflow.index.table import IndexTable

# Puts runs in from another process, as long as it lives.
WRITER = """
import sys
sys.path.insert(0, sys.argv[2])
from made_entries import made_pairs
from mini_mlflow.index.database import Database
database = Database(sys.argv[1])
for turn in range(100000):
    database.put(made_pairs(range(turn % 7, 300, 1 + turn % 3), "other"))
    database.remove([("other", "active", "run%05d" % number) for number in range(turn % 5, 300, 2)])
    print(database.path is not None, flush=True)
"""


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "index.sqlite")


@pytest.fixture(params=["file", "memory"])
def database(request, path):
    with Database(path if request.param == "file" else None) as opened:
        yield opened


def test_runs_come_back_as_they_were_put(database):
    pairs = made_pairs(range(2 * SIZE + 10)) + made_pairs(range(5), "1") + made_pairs(range(5), "1", DELETED)
    database.put(pairs)
    assert held(database) == by_place(pairs)
    assert [row[2] for row in database.state_rows("1")] == [ACTIVE] * 5 + [DELETED] * 5


def test_another_process_finds_them(path):
    with Database(path) as database:
        database.put(made_pairs(range(5)))
    with Database(path) as database:
        assert held(database) == by_place(made_pairs(range(5)))


def test_names_and_keys_of_any_bytes_come_back(database):
    entry = made_entry(
        0, "ex\udcff", name="r\udcff", params={"k\udcff\ud800": "\ud800", "": 1, "a'b\"": [1, {"x": None}]}
    )
    database.put([(entry, made_state())])
    assert held(database) == by_place([(entry, made_state())])


@pytest.mark.parametrize("seed", range(4))
def test_the_index_is_a_dict_of_runs_whatever_order_they_change_in(database, seed):
    chance, model = random.Random(seed), {}
    for turn in range(25):
        pairs = []
        for _ in range(chance.choice([1, 5, 150])):
            number, place = chance.randrange(700), chance.choice([("0", ACTIVE), ("1", ACTIVE), ("1", DELETED)])
            entry = made_entry(number, *place, metrics={chance.choice("abc"): chance.choice([1, 0.5, 2**70])})
            pairs.append((entry, made_state(turn, is_live=chance.random() < 0.3, is_provisional=chance.random() < 0.5)))
        database.put(pairs)
        model.update(by_place(pairs))
        gone = [*chance.sample(sorted(model), len(model) // 4), ("9", ACTIVE, "none"), ("0", ACTIVE, "none")]
        database.remove(gone)
        for key in gone:
            model.pop(key, None)
    assert held(database) == model
    live = [row[1:4] for row in database.state_rows(only_live=True)]
    assert sorted(live) == sorted(key for key, (_, state) in model.items() if state.is_live)
    both = [row[1:4] for row in database.state_rows(only_live=True, only_provisional=True)]
    assert sorted(both) == sorted(key for key, (_, state) in model.items() if state.is_live or state.is_provisional)
    database.remove(list(model))
    assert held(database) == {}
    assert database.directories() == []


def test_places_of_runs_that_are_gone_are_used_again(path):
    with Database(path) as database:
        for turn in range(5):
            database.put(made_pairs(range(turn * 1000, turn * 1000 + SIZE)))
            database.remove(
                [("0", ACTIVE, f"run{number:05d}") for number in range(turn * 1000, turn * 1000 + SIZE - 1)]
            )
        assert len(database.directories()) <= 2
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM documents").fetchone() == (5,)
        assert connection.execute("SELECT count(*) FROM states").fetchone() == (5,)
    connection.close()


def test_a_sweep_goes_on_where_it_stood(database):
    database.put(made_pairs(range(SIZE + 20)) + made_pairs(range(20), "1"))
    rows, after = [], 0
    while True:
        found = database.state_rows(after=after, limit=100)
        if not found:
            break
        rows += found
        database.set_cursor(found[-1][0])
        after = database.cursor
    assert rows == database.state_rows()
    assert len(rows) == SIZE + 40


def test_what_is_noted_of_experiments_comes_back_and_is_forgotten(path):
    with Database(path) as database:
        database.put(made_pairs(range(3)) + made_pairs(range(3), "1") + made_pairs(range(3), "1", DELETED))
        database.put_experiment("0", b"\0\xff", True)
        database.put_experiment("1", b"", False)
        database.remove_experiments(["1", "none"])
    with Database(path) as database:
        assert database.experiments() == {"0": (b"\0\xff", True)}
        assert held(database) == by_place(made_pairs(range(3)))


def test_a_put_that_fails_leaves_everything_as_it_was(database):
    database.put(made_pairs(range(SIZE)))
    with pytest.raises(AssertionError):
        database.put([*made_pairs(range(SIZE, SIZE + 5)), (made_entry(1, "../../x"), made_state())])
    assert held(database) == by_place(made_pairs(range(SIZE)))


def test_a_file_is_for_its_user_alone(path):
    old = os.umask(0)
    try:
        Database(path).close()
        assert os.stat(path).st_mode & 0o777 == 0o600
        os.chmod(path, 0o666)
        Database(path).close()
    finally:
        os.umask(old)
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_g07_where_another_process_holds_the_file_there_is_one_in_memory_within_moments(path, monkeypatch):
    monkeypatch.setattr(opening, "PATIENCE_S", 0.05)
    Database(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with Database(path) as database:
            assert database.path is None
            database.put(made_pairs(range(3)))
            assert held(database) == by_place(made_pairs(range(3)))
    other.close()
    with Database(path) as database:
        assert (database.path, held(database)) == (path, {})


def test_a_process_that_cannot_write_goes_on_with_a_copy(path, monkeypatch):
    monkeypatch.setattr(opening, "PATIENCE_S", 0.05)
    with Database(path) as database, sqlite3.connect(path, isolation_level=None) as other:
        database.put(made_pairs(range(5)))
        other.execute("BEGIN IMMEDIATE")
        database.put(made_pairs(range(5, 10)))
        assert database.path is None
        assert held(database) == by_place(made_pairs(range(10)))
        other.execute("ROLLBACK")
    other.close()
    with Database(path) as database:
        assert held(database) == by_place(made_pairs(range(5)))


def test_a_full_disk_is_passed_over(path):
    with Database(path) as database:
        database.put(made_pairs(range(5)))
        pages = database._connection.execute("PRAGMA page_count").fetchone()[0]
        database._connection.execute("PRAGMA max_page_count = %d" % pages)
        database.put(made_pairs(range(600)))
        assert database.path is None
        assert held(database) == by_place(made_pairs(range(600)))


def test_a_file_that_is_deleted_in_between_does_no_harm(path):
    with Database(path) as database:
        database.put(made_pairs(range(5)))
        os.remove(path)
        database.put(made_pairs(range(5, 10)))
        assert held(database) == by_place(made_pairs(range(10)))
    with Database(path) as database:
        assert held(database) == {}


def test_a_query_sees_one_state_and_lets_others_write_afterwards(path):
    with Database(path) as database, Database(path) as other:
        database.put(made_pairs(range(5)))
        with IndexTable(other, STORE) as table:
            assert table.column("params", "layers") == [0, 1, 2, 3, 4]
        database.put(made_pairs(range(5, 6)))
        assert database.path == path
        assert held(other) == by_place(made_pairs(range(6)))


def test_a_child_after_a_fork_has_an_index_of_its_own(path):
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    with Database(path) as database:
        database.put(made_pairs(range(5)))
        database.start_reading()
        child = multiprocessing.get_context("fork").Process(target=_put_in_child, args=(database,))
        database.end_reading()
        child.start()
        child.join(20)
        assert child.exitcode == 0
        assert held(database) == by_place(made_pairs(range(8)))


def _put_in_child(database):
    database.put(made_pairs(range(5, 8)))
    assert database.path is not None


def written_to(path, pairs):
    """Return an index with these runs in its file: who waits too long for others goes on in memory."""
    for _ in range(100):
        database = Database(path)
        database.put(pairs)
        if database.path is not None:
            return database
        database.close()
    raise AssertionError("the file was never free for a second")


@pytest.mark.long
def test_several_processes_write_and_one_is_killed_in_the_middle(path):
    """However often a writer is killed, what the others find is whole."""
    truth = by_place(made_pairs(range(600)))
    Database(path).close()
    command = [sys.executable, "-c", WRITER, path, os.path.dirname(os.path.abspath(__file__))]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for writer in writers:
            assert writer.stdout.readline().strip() in (b"True", b"False")
        with written_to(path, made_pairs(range(600))) as database:
            for _ in range(4):
                victim = writers.pop(0)
                os.kill(victim.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
                victim.communicate()
                assert {key: run for key, run in held(database).items() if key[0] == "0"} == truth
                writers.append(subprocess.Popen(command, stdout=subprocess.PIPE))
                assert writers[-1].stdout.readline()
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    with Database(path) as database:
        assert database.path == path
        assert {key: run for key, run in held(database).items() if key[0] == "0"} == truth


def test_after_a_second_unsound_file_the_index_stays_in_memory(path):
    with Database(path) as database:
        for is_in_file in (True, False):
            database.remake()
            assert (database.path is not None) is is_in_file
            database.put(made_pairs(range(3)))
            assert held(database) == by_place(made_pairs(range(3)))


def test_a_read_that_waits_for_another_in_vain_is_told_and_the_file_stays(path, monkeypatch):
    monkeypatch.setattr(opening, "PATIENCE_S", 0.05)
    with Database(path) as database, sqlite3.connect(path, isolation_level=None) as other:
        database.put(made_pairs(range(5)))
        other.execute("BEGIN EXCLUSIVE")
        start = time.monotonic()
        with pytest.raises(CorruptIndexError, match="locked"):
            database.state_rows()
        assert time.monotonic() - start < 20
        database.remake()
        assert database.path is None
        assert database.state_rows() == []
    other.close()
    with Database(path) as database:
        assert len(database.state_rows()) == 5
