"""Does the index answer queries as the files would?"""

import os

import pytest
from made_entries import STORE, made_entry, made_pairs, made_state

import mini_mlflow
from mini_mlflow.index.blocks import SIZE
from mini_mlflow.index.database import Database
from mini_mlflow.index.entry import ACTIVE, DELETED, DELETED_IN_PLACE, STAGES
from mini_mlflow.index.table import IndexTable
from mini_mlflow.query.conditions import find_rows
from mini_mlflow.query.grammar import parse_filter
from mini_mlflow.query.ordering import parse_order, sort_rows


@pytest.fixture
def database(tmp_path):
    with Database(str(tmp_path / "index.sqlite")) as opened:
        yield opened


def names(table, text, order=None):
    rows = sort_rows(find_rows(parse_filter(text), table, 0), parse_order(order), table, 0)
    return [entry.name for entry in table.entries(rows)]


def test_a_query_finds_filters_and_sorts(database):
    database.put(made_pairs(range(SIZE + 100)))
    with IndexTable(database, STORE) as table:
        assert table.count == SIZE + 100
        assert names(table, "loss < 0.1 and model = 'vit' and layers <= 13") == ["run00013", "run00011"]
        assert names(table, "rare = 0.5", "metrics.loss ASC")[:2] == ["run00607", "run00507"]
        assert names(table, "name = 'name 600'") == ["run00600"]
        assert names(table, "tags.note LIKE 'xx%' and layers > 500", ["layers"]) == ["run00503", "run00553", "run00603"]


def test_keys_are_those_of_the_runs_that_are_asked_for(database):
    database.put(made_pairs(range(3)))
    database.put([(made_entry(9, "1", params={"only here": None}, metrics={}, tags={}), made_state())])
    with IndexTable(database, STORE, ["0"]) as table:
        assert table.keys("params") == ["layers", "lr", "model"]
        assert table.column("params", "only here") is None
    with IndexTable(database, STORE, ["1"]) as table:
        assert table.keys("params") == ["only here"]
        assert table.column("params", "only here") == [None]
        assert table.column("metrics", "loss") is None
        assert table.column("attributes", "end_time") == [None]
    with IndexTable(database, STORE) as table:
        assert table.column("params", "lr") == [0.0, 0.001, 0.002, None]


def test_an_empty_index_is_a_table_of_no_runs(database):
    with IndexTable(database, STORE, ["0"], STAGES) as table:
        assert table.count == 0
        assert table.keys("metrics") == []
        assert table.column("metrics", "loss") is None
        assert table.column("attributes", "run_id") == []
        assert table.entries([]) == []


def test_where_a_run_lies_follows_from_its_folder_whatever_the_index_was_told(database):
    lies = {"artifact_uri": "/etc", "run_id": "x", "experiment_id": "9", "lifecycle_stage": "none", "status": "FAILED"}
    for stage, name in ((ACTIVE, "a"), (DELETED, "a~2"), (DELETED_IN_PLACE, "a")):
        database.put([(made_entry(0, "7", stage, name=name, attributes=dict(lies)), made_state())])
    with IndexTable(database, STORE, ["7"], STAGES) as table:
        folder = os.path.join(STORE, "7")
        expected = [os.path.join(folder, "a"), os.path.join(folder, ".trash", "a~2"), os.path.join(folder, "a")]
        expected = [os.path.join(each, "artifacts") for each in expected]
        assert table.column("attributes", "artifact_uri") == expected
        assert table.column("attributes", "run_id") == ["a", "a", "a"]
        assert table.column("attributes", "experiment_id") == ["7", "7", "7"]
        assert table.column("attributes", "lifecycle_stage") == ["active", "deleted", "deleted"]
        for row, entry in enumerate(table.entries(range(3))):
            for key, value in entry.attributes.items():
                assert value == table.column("attributes", key)[row]
    with IndexTable(database, STORE, ["7"]) as table:
        assert table.column("attributes", "run_id") == ["a"]


def test_rows_of_runs_that_are_gone_are_left_out(database):
    database.put(made_pairs(range(2 * SIZE)))
    gone = [("0", ACTIVE, f"run{number:05d}") for number in range(0, 2 * SIZE, 3)]
    database.remove(gone)
    left = [number for number in range(2 * SIZE) if number % 3]
    with IndexTable(database, STORE) as table:
        assert sorted(table.column("params", "layers")) == left
        assert table.count == len(left)


def test_what_a_history_comes_to_is_read_from_the_files(database, tmp_path):
    store = str(tmp_path / "mlruns")
    with mini_mlflow.start_run(run_id="r1", runs_dir=store) as run:
        for value in (3.0, 1.0, 2.0):
            run.log_metric("loss", value)
    database.put([(made_entry(0, name=name, metrics={"loss": 2.0}), made_state()) for name in ("r1", "gone")])
    database.put([(made_entry(0, name="other", metrics={}), made_state())])
    with IndexTable(database, store) as table:
        assert table.summary_column("min", "loss") == [1.0, None, None]
        assert table.summary_column("max_step", "loss") == [0, None, None]
        assert table.summary_column("min", "acc") is None


def test_a_table_is_of_the_index_as_it_was(database, tmp_path):
    database.put(made_pairs(range(3)))
    with IndexTable(database, STORE) as table:
        database.put(made_pairs(range(5)))
        with pytest.raises(RuntimeError, match="Make another"):
            table.column("params", "lr")
    with IndexTable(database, STORE) as table:
        assert table.column("params", "layers") == [0, 1, 2, 3, 4]


def test_columns_that_were_decoded_are_thrown_away_when_another_process_wrote(database, tmp_path):
    database.put(made_pairs(range(3)))
    with IndexTable(database, STORE) as table:
        assert table.column("params", "lr") is table.column("params", "lr")
        old = table.column("params", "lr")
    with IndexTable(database, STORE) as table:
        assert table.column("params", "lr") is old
    with Database(database.path) as other:
        other.put([(made_entry(1, params={"lr": 9.0}), made_state())])
    with IndexTable(database, STORE) as table:
        assert table.column("params", "lr") == [0.0, 9.0, 0.002]
