"""Is an index that was damaged found out, whatever was done to it?"""

import json
import os
import random
import shutil
import sqlite3

import pytest
from made_entries import STORE, by_place, held, made_entry, made_pairs, made_state

from mini_mlflow.errors import CorruptIndexError
from mini_mlflow.index import blocks
from mini_mlflow.index.blocks import SIZE
from mini_mlflow.index.catalogue import Directory, Root
from mini_mlflow.index.database import Database
from mini_mlflow.index.table import IndexTable

pytestmark = pytest.mark.long

NUMBERS = range(SIZE + 60)


def pairs():
    live = [(made_entry(number, "1"), made_state(number, is_live=True)) for number in range(20)]
    return made_pairs(NUMBERS) + live


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return a sound index, and an older one of the same file."""
    path = str(tmp_path_factory.mktemp("sound") / "index.sqlite")
    with Database(path) as database:
        database.put(made_pairs(range(0, SIZE + 60, 2)))
        database.put_experiment("0", b"fingerprint", True)
        shutil.copy(path, path + ".old")
        database.put(pairs())
    return path


@pytest.fixture
def path(sound, tmp_path):
    return shutil.copy(sound, str(tmp_path / "index.sqlite"))


def assert_never_believed(path, *others):
    """Assert that what an index says is what was put, or what was in *others*, or nothing; and that it goes on."""
    truth = by_place(pairs())
    with Database(path) as database:
        try:
            found = held(database)
            live = database.state_rows(only_live=True)
            experiments = database.experiments()
        except CorruptIndexError:
            database.remake()
            found, live, experiments = held(database), database.state_rows(only_live=True), database.experiments()
            assert (found, live, experiments) == ({}, [], {})
        assert found in ({}, truth, *others)
        assert len(live) == sum(state.is_live for _, state in found.values())
        assert experiments in ({}, {"0": (b"fingerprint", True)})
        try:
            database.put(pairs())  # which must not believe it either
        except CorruptIndexError:
            database.remake()
            database.put(pairs())
        assert held(database) == truth
    return found


def change(path, how, chance):
    with open(path, "r+b") as file:
        size = os.path.getsize(path)
        how(file, size, chance)


def flip_a_byte(file, size, chance):
    place = chance.randrange(size)
    file.seek(place)
    byte = file.read(1)[0]
    file.seek(place)
    file.write(bytes([byte ^ 1 << chance.randrange(8)]))


def flip_many_bytes(file, size, chance):
    for _ in range(50):
        flip_a_byte(file, size, chance)


def flip_a_byte_of_the_header(file, size, chance):
    flip_a_byte(file, 100, chance)


def flip_where_the_pages_begin(file, size, chance):
    for page in range(0, size, 4096):
        if chance.random() < 0.1:
            file.seek(page + chance.randrange(12))
            file.write(bytes([chance.randrange(256)]))


def cut(file, size, chance):
    file.truncate(chance.randrange(size))


def cut_at_a_page(file, size, chance):
    file.truncate(4096 * chance.randrange(size // 4096))


def zero(file, size, chance):
    file.seek(chance.randrange(size))
    file.write(bytes(chance.randrange(1, 20000)))


def swap_two_pages(file, size, chance):
    places = [4096 * chance.randrange(1, size // 4096) for _ in range(2)]
    pages = []
    for place in places:
        file.seek(place)
        pages.append(file.read(4096))
    for place, page in zip(places, reversed(pages)):
        file.seek(place)
        file.write(page)


def garbage(file, size, chance):
    file.seek(chance.randrange(size))
    file.write(bytes(chance.randrange(256) for _ in range(5000)))


def append(file, size, chance):
    file.seek(size)
    file.write(bytes(chance.randrange(256) for _ in range(5000)))


HOWS = [
    flip_a_byte, flip_many_bytes, flip_a_byte_of_the_header, flip_where_the_pages_begin, cut, cut_at_a_page, zero,
    swap_two_pages, garbage, append,
]  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("how", HOWS)
def test_g05_a_damaged_file_is_found_out(path, how, seed):
    change(path, how, random.Random(f"{how.__name__} {seed}"))
    assert_never_believed(path)


@pytest.mark.parametrize("seed", range(10))
def test_g05_pages_of_an_older_index_among_newer_ones_are_found_out(path, sound, seed):
    chance = random.Random(seed)
    with open(path, "r+b") as file, open(sound + ".old", "rb") as old:
        for page in range(0, os.path.getsize(sound + ".old"), 4096):
            if chance.random() < (0.1 if seed % 2 else 0.9):
                old.seek(page)
                file.seek(page)
                file.write(old.read(4096))
    assert_never_believed(path)


def test_a_file_that_is_as_it_was_earlier_says_what_was_true_then(path, sound):
    shutil.copy(sound + ".old", path)
    assert assert_never_believed(path, by_place(made_pairs(range(0, SIZE + 60, 2))))


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", bytes(100000), b"<!DOCTYPE html><script>alert(1)</script>", b"SQLite format 3\0", b"a,b\n1,2\n" * 9999,
     b"\xff" * 8192],
)  # fmt: skip
def test_g05_a_file_of_something_else_is_made_anew(path, content):
    with open(path, "wb") as file:
        file.write(content)
    assert assert_never_believed(path) == {}
    with Database(path) as database:
        assert database.path == path
        assert held(database) == by_place(pairs())


COMMANDS = [
    "CREATE TRIGGER t AFTER UPDATE ON root BEGIN DELETE FROM states; END",
    "CREATE TRIGGER t AFTER INSERT ON states BEGIN INSERT INTO documents SELECT slot + 999, body FROM documents; END",
    "CREATE VIEW v AS SELECT 1",
    "CREATE TABLE extra (x)",
    "CREATE INDEX i ON states (body)",
    "DROP TABLE states",
    "ALTER TABLE states ADD COLUMN x",
    "DROP TABLE states; CREATE VIEW states AS SELECT slot, body FROM documents",
    "DROP TABLE root; CREATE VIEW root AS WITH RECURSIVE r(i) AS (SELECT 0 UNION SELECT i + 1 FROM r) SELECT i FROM r",
    "PRAGMA user_version = 99",
    "PRAGMA application_id = 1",
    "PRAGMA journal_mode = WAL",
    "DELETE FROM root",
    "DELETE FROM directories",
    "DELETE FROM states WHERE slot % 7 = 0",
    "DELETE FROM states",
    "DELETE FROM documents WHERE slot = 600",
    "DELETE FROM columns WHERE block = 1",
    "DELETE FROM columns WHERE kind = x'706172616d73'",
    "UPDATE root SET body = 'text'",
    "UPDATE root SET body = NULL",
    "UPDATE root SET body = x''",
    "UPDATE directories SET body = 5",
    "UPDATE states SET body = 1.5",
    "UPDATE states SET body = (SELECT body FROM states WHERE slot = 600)",
    "UPDATE documents SET body = (SELECT body FROM documents WHERE slot = 600)",
    "UPDATE documents SET body = replace(body, 'vit', 'vat')",
    "UPDATE columns SET body = zeroblob(1000000) WHERE block = 2",
    "UPDATE columns SET body = CAST(body AS TEXT)",
    "UPDATE columns SET body = (SELECT body FROM columns AS c WHERE c.key = columns.key AND block = 1)",
    "UPDATE columns SET key = CAST('../../x' AS BLOB) WHERE key = CAST('lr' AS BLOB)",
    "INSERT INTO states SELECT slot + 5000, body FROM states",
    "INSERT INTO columns SELECT kind, CAST('evil' AS BLOB), block, body FROM columns WHERE key = CAST('lr' AS BLOB)",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_g05_an_index_that_somebody_changed_with_sqlite_is_never_believed(path, command):
    connection = sqlite3.connect(path)
    connection.executescript(command)
    connection.commit()
    connection.close()
    assert_never_believed(path)


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "..", "", 5, None])
def test_g05_a_path_instead_of_a_name_is_refused_though_all_checksums_are_right(path, name):
    with sqlite3.connect(path) as connection:
        where = (b"state", b"name", 1)
        query = "SELECT body FROM columns WHERE kind = ? AND key = ? AND block = ?"
        (body,) = connection.execute(query, where).fetchone()
        body = blocks.patch_column(body, {3: name})
        connection.execute("UPDATE columns SET body = ? WHERE kind = ? AND key = ? AND block = ?", (body, *where))
        _sign(connection, 1, "name", body)
    connection.close()
    with Database(path) as database:
        with IndexTable(database, STORE) as table:
            assert table.count  # so far it is sound
            with pytest.raises(CorruptIndexError, match="a name that is none"):
                table.column("attributes", "artifact_uri")
        with pytest.raises(CorruptIndexError):
            database.state_rows()


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "..", "", 5, None])
def test_g05_a_path_instead_of_a_name_in_a_document_is_refused_though_all_checksums_are_right(path, name):
    slot = SIZE + 3
    with sqlite3.connect(path) as connection:
        (document,) = connection.execute("SELECT body FROM documents WHERE slot = ?", (slot,)).fetchone()
        document = json.dumps([*json.loads(document)[:-1], name]).encode()
        connection.execute("UPDATE documents SET body = ? WHERE slot = ?", (document, slot))
        where = (b"state", b"documents", 1)
        query = "SELECT body FROM columns WHERE kind = ? AND key = ? AND block = ?"
        (body,) = connection.execute(query, where).fetchone()
        body = blocks.patch_column(body, {3: blocks.row_checksum(document, slot)})
        connection.execute("UPDATE columns SET body = ? WHERE kind = ? AND key = ? AND block = ?", (body, *where))
        _sign(connection, 1, "documents", body)
    connection.close()
    with Database(path) as database, IndexTable(database, STORE) as table, pytest.raises(
        CorruptIndexError, match="a name that is none"
    ):
        table.entries(range(table.count))


def _sign(connection, number, key, body):
    """Make the catalogue vouch for a body, as one who knows the code could."""
    from zlib import crc32

    (root_body,) = connection.execute("SELECT body FROM root").fetchone()
    (directory_body,) = connection.execute("SELECT body FROM directories WHERE block = ?", (number,)).fetchone()
    root, directory = Root.decode(root_body), Directory.decode(directory_body)
    directory.columns["state"][key] = blocks.checksum(body, number, "state", key)
    directory_body = directory.encode()
    connection.execute("UPDATE directories SET body = ? WHERE block = ?", (directory_body, number))
    root.blocks[number] = root.blocks[number]._replace(checksum=crc32(directory_body, number))
    connection.execute("UPDATE root SET body = ?", (root.encode(),))


@pytest.mark.parametrize("ending", ["-journal", "-wal", "-shm"])
@pytest.mark.parametrize("content", [b"", b"garbage" * 1000, bytes(50000), "old", "folder", "full folder"])
def test_what_lies_beside_the_file_does_no_harm(path, sound, ending, content):
    beside = path + ending
    if content in ("folder", "full folder"):
        os.mkdir(beside)
        if content == "full folder":
            os.mkdir(os.path.join(beside, "x"))
    elif content == "old":
        shutil.copy(sound + ".old", beside)
    else:
        with open(beside, "wb") as file:
            file.write(content)
    assert_never_believed(path)


def test_a_stale_journal_of_an_earlier_transaction_takes_the_index_back_or_is_found_out(path):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA cache_size = 1")  # so that pages are written before the end
    connection.execute("BEGIN")
    connection.execute("UPDATE documents SET body = zeroblob(900)")
    connection.execute("UPDATE states SET body = zeroblob(90)")
    shutil.copy(path + "-journal", path + ".kept")
    connection.execute("ROLLBACK")
    connection.close()
    with Database(path) as database:
        database.put(made_pairs(range(1000, 2000)))
        database.remove([("0", "active", f"run{number:05d}") for number in range(1000, 2000)])
    os.rename(path + ".kept", path + "-journal")
    assert_never_believed(path)


@pytest.mark.parametrize("is_full", [False, True])
def test_a_folder_in_its_place_is_passed_over(tmp_path, is_full):
    path = str(tmp_path / "index.sqlite")
    os.mkdir(path)
    if is_full:
        (tmp_path / "index.sqlite" / "precious").write_text("x")
    assert assert_never_believed(path) == {}
    assert not is_full or (tmp_path / "index.sqlite" / "precious").read_text() == "x"


@pytest.mark.parametrize("sort", ["link", "dangling link", "hard link", "fifo"])
def test_g04_what_is_no_file_of_its_own_is_replaced_and_what_it_led_to_stays(path, tmp_path, sort):
    other = tmp_path / "precious"
    other.write_text("x" * 100)
    os.remove(path)
    if sort == "fifo":
        if not hasattr(os, "mkfifo"):
            pytest.skip("this system has no pipes with a name")
        os.mkfifo(path)
    elif sort == "hard link":
        os.link(str(other), path)
    else:
        os.symlink(str(other) + ("" if sort == "link" else ".none"), path)
    assert assert_never_believed(path) == {}
    assert other.read_text() == "x" * 100
    assert sorted(os.listdir(str(tmp_path))) == ["index.sqlite", "precious"]
    assert os.lstat(path).st_size > 10000


@pytest.mark.parametrize("seed", range(10))
def test_a_file_that_is_damaged_while_it_is_open_is_found_out(path, seed):
    with Database(path) as database:
        database.state_rows(limit=5)
        change(path, HOWS[seed % len(HOWS)], random.Random(seed))
        try:
            found = held(database)
        except CorruptIndexError:
            database.remake()
            found = held(database)
        assert found in ({}, by_place(pairs()))
        try:
            database.put(pairs())
        except CorruptIndexError:
            database.remake()
            database.put(pairs())
        assert held(database) == by_place(pairs())


def test_g04_a_sound_index_that_is_called_elsewhere_too_is_replaced(path, sound):
    os.remove(path)
    shutil.copy(sound, path + ".other")
    os.link(path + ".other", path)
    with open(path, "rb") as file:
        before = file.read()
    assert assert_never_believed(path) == {}
    with open(path + ".other", "rb") as file:
        assert file.read() == before
