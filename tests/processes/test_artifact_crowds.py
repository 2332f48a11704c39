"""What if several processes keep files in one run, and does one who does nothing else count as alive?"""

import json

import pytest

import mini_mlflow
from mini_mlflow import Run
from mini_mlflow.errors import ActiveRunError

ROWS = 10


def test_rows_that_several_processes_add_to_one_table_are_all_there(store, together):
    """Rule A2."""
    with Run(run_id="r", runs_dir=store) as run:

        def work(number):
            with Run(run_id="r", runs_dir=store) as joiner:
                for row in range(ROWS):
                    joiner.log_table({"a": [number * ROWS + row]}, "t.json")

        together(4, work)
        with open(run.artifact_path("t.json")) as file:
            assert sorted(row for (row,) in json.load(file)["data"]) == list(range(4 * ROWS))


def test_a_run_is_not_deleted_while_somebody_beside_its_owner_keeps_files(store, script):
    """Rules W7 and T3: the owner has ended, the other goes on."""
    code = """
    import sys
    from mini_mlflow import Run
    run = Run(run_id="r", runs_dir=sys.argv[1])
    run.log_text("x", "a.txt")
    sys.stdout.write("kept\\n"); sys.stdout.flush()
    sys.stdin.readline()
    run.log_text("y", "b.txt")
    run.end()
    """
    with Run(run_id="r", runs_dir=store):
        joiner = script(code, store)
        assert joiner.stdout.readline() == "kept\n"
    with pytest.raises(ActiveRunError):
        mini_mlflow.delete_run("r", runs_dir=store)
    assert joiner.communicate("\n", timeout=60) == ("", "")
    assert joiner.returncode == 0
    mini_mlflow.delete_run("r", runs_dir=store)
