"""Do runs of MLflow's SQLite file come in whole, and is the file neither changed nor obeyed?"""

import hashlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from mini_mlflow import BrokenFileError, InvalidValueError, get_run, search_runs
from mini_mlflow.importing import sqlite_file
from mini_mlflow.importing.sources import import_mlflow
from mini_mlflow.store import experiments, reader, trash

T0 = 1795510800000
# The tables of MLflow 3.18's SQLite file that hold runs, as it makes them, but for constraints.
SCHEMA = """
CREATE TABLE experiments (experiment_id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(256) NOT NULL UNIQUE,
    artifact_location VARCHAR(256), lifecycle_stage VARCHAR(32), creation_time BIGINT, last_update_time BIGINT);
CREATE TABLE runs (run_uuid VARCHAR(32) NOT NULL PRIMARY KEY, name VARCHAR(250), source_type VARCHAR(20),
    source_name VARCHAR(500), entry_point_name VARCHAR(50), user_id VARCHAR(256), status VARCHAR(9), start_time BIGINT,
    end_time BIGINT, source_version VARCHAR(50), lifecycle_stage VARCHAR(20), artifact_uri VARCHAR(200),
    experiment_id INTEGER, deleted_time BIGINT);
CREATE TABLE params (key VARCHAR(250) NOT NULL, value VARCHAR(8000) NOT NULL, run_uuid VARCHAR(32) NOT NULL,
    PRIMARY KEY (key, run_uuid));
CREATE TABLE tags (key VARCHAR(250) NOT NULL, value VARCHAR(8000), run_uuid VARCHAR(32) NOT NULL,
    PRIMARY KEY (key, run_uuid));
CREATE TABLE experiment_tags (key VARCHAR(250) NOT NULL, value VARCHAR(5000), experiment_id INTEGER NOT NULL,
    PRIMARY KEY (key, experiment_id));
CREATE TABLE metrics (key VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT NOT NULL,
    run_uuid VARCHAR(32) NOT NULL, step BIGINT NOT NULL DEFAULT '0', is_nan BOOLEAN NOT NULL DEFAULT '0',
    PRIMARY KEY (key, timestamp, step, run_uuid, value, is_nan));
"""
A, B, C, D = ("%032x" % number for number in (0xA, 0xB, 0xC, 0xD))
LARGEST = 1.7976931348623157e308


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "ours")


@pytest.fixture
def database(tmp_path):
    """Return the path of a SQLite file as MLflow fills it."""
    path = str(tmp_path / "mlflow.db")
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA)
    connection.executemany(
        "INSERT INTO experiments VALUES (?, ?, ?, ?, ?, ?)",
        [
            (0, "Default", "mlflow-artifacts:/0", "active", T0, T0),
            (1, "vision", "/elsewhere/mlruns/1", "active", T0 + 1, T0 + 1),
            (2, "gone", "/elsewhere/mlruns/2", "deleted", T0, T0),
        ],
    )
    for run_id, name, status, end, stage, experiment_id in (
        (A, "first", "FINISHED", T0 + 9000, "active", 1),
        (B, "second", "RUNNING", None, "active", 1),
        (C, "third", "KILLED", T0 + 1, "deleted", 0),
        (D, "fourth", "FINISHED", T0 + 1, "active", 2),
    ):
        uri = "/elsewhere/mlruns/%d/%s/artifacts" % (experiment_id, run_id)
        row = (run_id, name, "LOCAL", "", "", "anna", status, T0, end, "", stage, uri, experiment_id, None)
        connection.execute("INSERT INTO runs VALUES (%s)" % ", ".join("?" * 14), row)
        connection.execute("INSERT INTO params VALUES ('lr', '0.1', ?)", (run_id,))
        connection.execute("INSERT INTO tags VALUES ('mlflow.runName', ?, ?)", (name, run_id))
    connection.executemany(
        "INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)",
        [
            ("loss", 0.5, T0 + 1, A, 0, 0),
            ("loss", 0.25, T0 + 2, A, 1, 0),
            ("val/acc", 0.0, T0, A, 0, 1),
            ("up", LARGEST, T0, A, -3, 0),
            ("down", -LARGEST, T0, A, 2**62, 0),
            ("loss", 3.0, T0, C, 0, 0),
        ],
    )
    connection.execute("INSERT INTO experiment_tags VALUES ('lead', 'anna', 1)")
    connection.execute("INSERT INTO tags VALUES ('mlflow.note.content', 'a note', ?)", (A,))
    connection.commit()
    connection.close()
    return path


def change(path, *statements):
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def outcomes(imported):
    return {run.run_id: run.outcome for run in imported.runs}


def test_runs_come_with_every_row_and_the_file_stays_as_it_is(database, store):
    before = digest(database), sorted(os.listdir(os.path.dirname(database)))
    imported = import_mlflow(database, store)
    assert outcomes(imported) == {A: "added", B: "added", C: "added"}
    assert imported.problems == []
    chosen = experiments.find(store, "vision")
    assert (chosen.creation_time, chosen.tags) == (T0 + 1, {"lead": "anna"})
    run = get_run(A, runs_dir=store)
    assert (run.info.run_name, run.info.status, run.info.user_id) == ("first", "FINISHED", "anna")
    assert (run.info.start_time, run.info.end_time) == (T0, T0 + 9000)
    assert (run.data.params, run.data.tags["mlflow.note.content"]) == ({"lr": "0.1"}, "a note")
    folder = reader.run_folder(store, chosen.experiment_id, A)
    rows = {key: [list(row) for row in reader.read_history(folder, key, [])] for key in reader.list_metrics(folder)}
    assert rows["loss"] == [[0, T0 + 1, 0.5], [1, T0 + 2, 0.25]]
    assert repr(rows["val/acc"]) == repr([[0, T0, float("nan")]])
    assert (rows["up"], rows["down"]) == ([[-3, T0, float("inf")]], [[2**62, T0, float("-inf")]])
    assert get_run(B, runs_dir=store).info.status == "LOST"
    assert [each.run_id for each in trash.list_deleted(store, 0)] == [C]
    here = sorted(name for name in os.listdir(os.path.dirname(database)) if name != "ours")
    assert (digest(database), here) == before
    assert set(outcomes(import_mlflow(database, store)).values()) == {"same"}


def test_a_deleted_experiment_comes_if_it_is_asked_for_and_one_that_is_not_there_is_told(database, store):
    assert outcomes(import_mlflow(database, store, only="gone")) == {D: "added"}
    assert outcomes(import_mlflow(database, store, only="1")) == {A: "added", B: "added"}
    with pytest.raises(InvalidValueError, match="vision"):
        import_mlflow(database, store, only="visoin")


@pytest.mark.parametrize("folder", ["mlruns", "mlartifacts", ""])
def test_artifacts_beside_the_file_come_though_they_were_moved(database, store, tmp_path, folder):
    place = tmp_path / folder / "1" / A / "artifacts"
    place.mkdir(parents=True)
    (place / "model.txt").write_text("weights")
    import_mlflow(database, store)
    (copy,) = Path(store).glob("*/%s/artifacts/model.txt" % A)
    assert copy.read_text() == "weights"


@pytest.mark.parametrize(
    "uri", ["{home}", "file://{home}", "{home}/../artifacts", "s3://bucket/%s/artifacts" % A, "../.."]
)
def test_a11_artifacts_out_of_reach_are_not_read(database, store, tmp_path, uri):
    home = tmp_path.parent / (tmp_path.name + "-home") / A / "artifacts"
    home.mkdir(parents=True)
    (home / "secret").write_text("secret")
    text = uri.format(home=home)
    change(database, "UPDATE runs SET artifact_uri = '%s' WHERE run_uuid = '%s'" % (text, A))
    imported = import_mlflow(database, store)
    assert outcomes(imported)[A] == "added"
    assert not list(Path(store).rglob("secret"))
    if uri != "../.." and "s3" not in uri:
        assert [each.path for each in imported.problems] == [text]


def test_a11_a_link_out_of_reach_is_not_followed(database, store, tmp_path):
    home = tmp_path.parent / (tmp_path.name + "-home") / A / "artifacts"
    home.mkdir(parents=True)
    (home / "secret").write_text("secret")
    (tmp_path / "mlruns" / "1" / A).mkdir(parents=True)
    os.symlink(str(home), str(tmp_path / "mlruns" / "1" / A / "artifacts"))
    import_mlflow(database, store)
    assert not list(Path(store).rglob("secret"))


def test_artifacts_elsewhere_come_if_their_folder_is_named(database, store, tmp_path):
    home = tmp_path / "elsewhere" / A / "artifacts"
    home.mkdir(parents=True)
    (home / "x").write_text("content")
    change(database, "UPDATE runs SET artifact_uri = '%s' WHERE run_uuid = '%s'" % (home, A))
    import_mlflow(database, store, reach=str(tmp_path / "elsewhere"))
    assert len(list(Path(store).rglob("x"))) == 1


ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT %s FROM n"


def test_b18_a_view_in_place_of_the_runs_is_refused(database, store):
    columns = "x AS run_uuid, 1 AS experiment_id"
    change(database, "DROP TABLE runs", "CREATE VIEW runs AS " + ENDLESS % columns)
    before = digest(database)
    with pytest.raises(BrokenFileError, match="no table runs"):
        import_mlflow(database, store)
    assert digest(database) == before
    assert not os.path.exists(store)


@pytest.mark.parametrize("table", ["metrics", "params", "tags"])
def test_b18_views_in_place_of_other_tables_are_never_asked(database, store, table):
    change(database, "DROP TABLE %s" % table, "CREATE VIEW %s AS " % table + ENDLESS % "x AS run_uuid, 'k' AS key")
    assert set(outcomes(import_mlflow(database, store)).values()) == {"added"}


def test_b18_generated_columns_are_never_computed(database, store):
    if sqlite3.sqlite_version_info < (3, 31):
        pytest.skip("this SQLite has no generated columns")
    change(
        database,
        "DROP TABLE params",
        "CREATE TABLE params (run_uuid TEXT, key TEXT, value TEXT AS (hex(zeroblob(1000))))",
        "INSERT INTO params VALUES ('%s', 'lr')" % A,
    )
    import_mlflow(database, store)
    assert get_run(A, runs_dir=store).data.params == {"lr": ""}


def test_b18_triggers_and_functions_are_out_of_reach(database):
    with sqlite_file.SqliteFile(database) as file:
        for statement in (
            "SELECT hex(run_uuid) FROM runs",
            "SELECT x FROM (%s) LIMIT 3" % (ENDLESS % "x"),
            "DELETE FROM runs",
            "ATTACH '/etc/passwd' AS other",
            "PRAGMA query_only=OFF",
            "SELECT name FROM sqlite_master",
        ):
            with pytest.raises(sqlite3.DatabaseError):
                file._connection.execute(statement).fetchall()


def test_b18_a_query_that_takes_too_long_is_stopped(tmp_path):
    path = str(tmp_path / "long.db")
    change(path, "CREATE TABLE runs (run_uuid TEXT)")
    connection = sqlite3.connect(path)
    connection.executemany(
        "INSERT INTO runs VALUES (?)", (("%08d" % (number * 7919 % 10**6),) for number in range(200000))
    )
    connection.commit()
    connection.close()
    with sqlite_file.SqliteFile(path) as file:
        file._limit_s = -1.0
        with pytest.raises(BrokenFileError, match="found no row for"):
            list(file.rows("runs", ["run_uuid"], ["run_uuid"]))


def test_b18_a_hot_journal_is_rolled_back_in_a_copy_and_the_file_stays(database, store, tmp_path):
    """A writer was killed in the middle of a change: the file holds half of it, the journal what was there before."""
    script = tmp_path / "killed.py"
    script.write_text(
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA cache_size=1')\n"
        "c.execute('BEGIN IMMEDIATE')\n"
        "c.execute(\"UPDATE params SET value = 'torn'\")\n"
        "c.executemany('INSERT INTO tags VALUES (?, ?, ?)', ((str(n), 'x' * 2000, 'r') for n in range(500)))\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, str(script), database], check=False)
    assert os.path.getsize(database + "-journal") > 0
    before = digest(database), digest(database + "-journal")
    import_mlflow(database, store)
    assert get_run(A, runs_dir=store).data.params == {"lr": "0.1"}
    assert (digest(database), digest(database + "-journal")) == before


def test_a_file_in_wal_mode_is_read_with_its_log_and_nothing_is_written_beside_it(database, store):
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("UPDATE params SET value = '0.7'")
    connection.commit()
    before = digest(database), digest(database + "-wal")
    import_mlflow(database, store)
    assert get_run(A, runs_dir=store).data.params == {"lr": "0.7"}
    assert (digest(database), digest(database + "-wal")) == before
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO metrics VALUES ('loss', 'words', 5, '%s', 5, 0)" % A,
        "INSERT INTO metrics VALUES ('loss', 0.5, 'now', '%s', 5, 0)" % A,
        "INSERT INTO metrics VALUES ('loss', 0.5, 5, '%s', 1.5, 0)" % A,
        "INSERT INTO metrics VALUES (x'ff00', 0.5, 5, '%s', 5, 0)" % A,
    ],
)
def test_rows_that_are_none_are_told_and_the_others_come(database, store, statement):
    change(database, statement)
    imported = import_mlflow(database, store)
    assert len(imported.problems) == 1
    assert get_run(A, runs_dir=store).data.metrics["loss"] == 0.25


def test_a08_ids_that_are_no_folder_names_are_left_and_told(database, store, tmp_path):
    change(database, "UPDATE runs SET run_uuid = '../../x' WHERE run_uuid = '%s'" % A)
    imported = import_mlflow(database, store)
    assert outcomes(imported)["../../x"] == "left"
    assert outcomes(imported)[B] == "added"
    assert not (tmp_path / "x").exists()
    assert len(search_runs(search_all_experiments=True, output_format="list", runs_dir=store)) == 1


def test_the_file_of_an_old_version_lacks_tables_and_columns_and_comes_all_the_same(database, store):
    change(
        database,
        "DROP TABLE experiment_tags",
        "DROP TABLE metrics",
        "CREATE TABLE metrics (key TEXT, value REAL, timestamp INTEGER, run_uuid TEXT)",
        "INSERT INTO metrics VALUES ('loss', 0.5, 7, '%s')" % A,
    )
    imported = import_mlflow(database, store)
    assert imported.problems == []
    assert get_run(A, runs_dir=store).data.metrics == {"loss": 0.5}


def test_what_is_no_database_of_mlflow_is_refused(tmp_path, store):
    (tmp_path / "text.db").write_text("not a database")
    with pytest.raises(BrokenFileError, match="no SQLite file"):
        import_mlflow(str(tmp_path / "text.db"), store)
    change(str(tmp_path / "other.db"), "CREATE TABLE music (title TEXT)")
    with pytest.raises(BrokenFileError, match="no database of MLflow"):
        import_mlflow(str(tmp_path / "other.db"), store)
    data = b"SQLite format 3\0" + b"\xff" * 5000
    (tmp_path / "broken.db").write_bytes(data)
    with pytest.raises(BrokenFileError):
        import_mlflow(str(tmp_path / "broken.db"), store)
