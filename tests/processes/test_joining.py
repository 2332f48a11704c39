"""Is the first run that a tracked command starts the command's own, and are later ones its children?"""

import json
import os
import subprocess
import sys
import textwrap

import pytest

from mini_mlflow import Run
from mini_mlflow.store import joined, reader

EXPERIMENT = 5
HEAD = """
import os, sys, warnings
from mini_mlflow import *
from mini_mlflow import active
"""


@pytest.fixture
def owner(store):
    """The run that the environment names; this process owns it, as ``mini-mlflow run`` does."""
    run = Run(run_id="tracked", experiment_id=EXPERIMENT, name="outer", runs_dir=store)
    yield run
    if run.status == "RUNNING":
        run.end()


@pytest.fixture
def play(store, tmp_path, owner):
    """Run a script as a tracked command runs it; returns the lines that it printed."""

    def run(code, *, head=HEAD, returncode=0, **variables):
        named = {"MINI_MLFLOW_DIR": store, "MINI_MLFLOW_RUN_ID": "tracked", "MINI_MLFLOW_RUN_EXPERIMENT_ID": "5"}
        environ = {**os.environ, **named, **variables}
        environ = {name: value for name, value in environ.items() if value is not None}
        process = subprocess.run(
            [sys.executable, "-W", "error", "-c", head + textwrap.dedent(code)],
            env=environ, capture_output=True, text=True, cwd=str(tmp_path), check=False,
        )  # fmt: skip
        assert process.returncode == returncode, process.stderr
        return process.stdout.split("\n")[:-1]

    return run


def runs(store, experiment_id=EXPERIMENT):
    return reader.list_run_ids(store, experiment_id)


def parent_of(store, run_id, experiment_id=EXPERIMENT):
    return reader.read_run(store, experiment_id, run_id).metadata["parent_run_id"]


def told(owner):
    return joined.read_told(os.path.join(owner.store_folder, str(EXPERIMENT), "tracked"), 0)


def test_the_first_run_of_a_script_is_the_tracked_one_and_its_end_ends_its_part_only(store, play, owner):
    """Rule W13."""
    lines = play(
        """
        with start_run(run_name="inner", tags={"a": 1}) as run:
            log_metric("loss", 0.5, step=3)
            log_param("lr", 0.1)
        print(run.run_id, run.experiment_id, run.name, run.status)
        """
    )
    assert lines == ["tracked 5 outer FINISHED"]
    assert runs(store) == ["tracked"]
    record = reader.read_run(store, EXPERIMENT, "tracked")
    assert (record.params, record.metrics, record.tags) == ({"lr": 0.1}, {"loss": 0.5}, {"a": 1})
    assert (record.metadata["status"], record.problems) == ("RUNNING", [])
    owner.end("FAILED")
    assert reader.read_run(store, EXPERIMENT, "tracked").metadata["status"] == "FAILED"


def test_later_runs_of_the_script_are_children_whether_nested_or_not(store, play):
    first, nested, later = play(
        """
        with start_run() as run:
            with start_run(nested=True) as nested:
                pass
        with start_run() as later:
            pass
        print(run.run_id, nested.run_id, later.run_id, sep="\\n")
        """
    )
    assert first == "tracked"
    assert parent_of(store, nested) == parent_of(store, later) == "tracked"
    assert sorted(runs(store)) == sorted([first, nested, later])


def test_of_several_scripts_one_after_the_other_the_first_has_the_run_and_the_others_are_its_children(store, play):
    """A sweep in a shell script: the params of one must not be those of another."""
    started = [play("with start_run() as run:\n  log_param('lr', %d)\nprint(run.run_id)" % lr)[0] for lr in range(3)]
    assert started[0] == "tracked"
    assert [parent_of(store, run_id) for run_id in started[1:]] == ["tracked"] * 2
    assert [reader.read_run(store, EXPERIMENT, run_id).params["lr"] for run_id in started] == [0, 1, 2]


@pytest.mark.parametrize("variable", ["RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID"])
def test_every_rank_of_one_program_has_the_same_run(store, play, variable):
    code = "with start_run() as run:\n  log_metric('rank', 1)\nprint(run.run_id)"
    clean = dict.fromkeys(["RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID"])
    for rank in ("1", "0", "2"):
        assert play(code, **{**clean, variable: rank}) == ["tracked"]
    assert runs(store) == ["tracked"]
    history = reader.read_history(os.path.join(store, str(EXPERIMENT), "tracked"), "rank", [])
    assert [row.value for row in history] == [1, 1, 1]


@pytest.mark.parametrize(
    "arguments",
    ["run_id='mine'", "resume='mine'", "parent_run_id='tracked', run_id='mine'"],
    ids=["id", "resume", "parent"],
)
def test_a_script_that_says_which_run_it_means_gets_that_one_and_leaves_the_tracked_one_to_the_next(
    store, play, arguments
):
    code = "with start_run(%s) as run: pass\nwith start_run() as next: pass\nprint(run.run_id, next.run_id)"
    lines = play(code % arguments)
    assert lines == ["mine tracked"]
    assert parent_of(store, "mine") == "tracked"


def test_a_tracker_and_its_block_have_the_tracked_run_too(store, play):
    lines = play(
        """
        with ExperimentTracker(run_name="t") as run:
            log_metric("loss", 1.0)
        with ExperimentTracker(run_name="second") as second:
            pass
        print(run.run_id, second.parent_run_id, second.experiment_id)
        """
    )
    assert lines == ["tracked tracked 5"]


MLFLOW = """
import os
from mini_mlflow.compat import mlflow
"""


def test_a_script_for_mlflow_has_the_tracked_run_too(store, play, owner):
    lines = play(
        """
        mlflow.set_experiment("theirs")
        with mlflow.start_run(run_name="inner", tags={"mlflow.runName": "other", "a": "b"}) as run:
            mlflow.log_metric("val/loss", 0.5, step=2)
            mlflow.set_tag("mlflow.runName", "renamed")
            with mlflow.start_run(nested=True) as nested:
                pass
        with mlflow.start_run() as later:
            pass
        print(run.info.run_id, nested.data.tags["mlflow.parentRunId"], later.data.tags["mlflow.parentRunId"])
        """,
        head=MLFLOW,
    )
    assert lines == ["tracked tracked tracked"]
    record = reader.read_run(store, EXPERIMENT, "tracked")
    assert (record.metrics, record.tags["a"], record.metadata["name"]) == ({"val/loss": 0.5}, "b", "outer")
    assert (told(owner)["name"], told(owner)["experiment"], told(owner)["status"]) == ("renamed", "theirs", "FINISHED")


def test_a_log_call_of_mlflow_that_starts_a_run_starts_the_tracked_one(store, play):
    play("mlflow.log_param('lr', 0.1)\nmlflow.MlflowClient().set_terminated('tracked', end_time=5)", head=MLFLOW)
    record = reader.read_run(store, EXPERIMENT, "tracked")
    assert (record.params, record.metadata["status"], runs(store)) == ({"lr": 0.1}, "RUNNING", ["tracked"])


def test_the_script_tells_its_owner_what_it_would_say_itself(store, play, owner):
    """Rule W13."""
    play(
        """
        run = start_run(run_name="inner", experiment_id=7)
        rename_run(run.run_id, "better")
        sys.exit(3)
        """,
        returncode=3,
        MINI_MLFLOW_PROVENANCE="on",
    )
    found = told(owner)
    assert (found["name"], found["experiment"], found["status"]) == ("better", "7", "FAILED")
    assert found["python"].endswith("%d.%d.%d" % sys.version_info[:3])
    assert found["packages"]["mini_mlflow"]
    assert not os.path.exists(os.path.join(store, "7"))


def test_a_forked_child_tells_nothing_and_has_runs_of_its_own(store, play, owner):
    lines = play(
        """
        run = start_run(run_name="inner")
        pid = os.fork()
        if not pid:
            run.end("FAILED")
            with start_run() as mine:
                pass
            print(mine.parent_run_id, flush=True)
            os._exit(0)
        os.waitpid(pid, 0)
        end_run()
        """
    )
    assert lines == ["tracked"]
    assert told(owner)["status"] == "FINISHED"


def test_a_script_that_logs_into_another_store_has_runs_of_its_own_there(store, tmp_path, play):
    code = "with start_run(runs_dir='elsewhere') as run:\n  log_metric('a', 1)\nprint(run.run_id, run.parent_run_id)"
    lines = play(code)
    assert lines[0].endswith(" None")
    assert lines[0].split()[0] != "tracked"
    assert (tmp_path / "elsewhere" / "0").is_dir()


@pytest.mark.parametrize("run_id", ["gone", "../0", "-rf", "a/b", ".trash"])
def test_an_environment_that_names_no_run_changes_nothing(store, play, run_id):
    code = "with start_run() as run: pass\nprint(run.experiment_id, run.parent_run_id)"
    lines = play(code, MINI_MLFLOW_RUN_ID=run_id)
    assert lines == ["0 None"]


@pytest.mark.parametrize("experiment_id", [None, ""])
def test_an_id_alone_is_enough_where_one_experiment_has_it(store, play, experiment_id):
    lines = play("print(start_run().run_id)", MINI_MLFLOW_RUN_EXPERIMENT_ID=experiment_id)
    assert lines == ["tracked"]


def test_a_script_whose_tracker_was_killed_goes_on_with_the_run_and_ends_it(store, play, owner):
    """Rule W4: then nobody else says how it ended."""
    owner.writer.release()
    play("with start_run(run_name='inner') as run:\n  log_metric('loss', 1)")
    record = reader.read_run(store, EXPERIMENT, "tracked")
    assert (record.metadata["status"], record.metadata["name"], record.metrics) == ("FINISHED", "inner", {"loss": 1})
    owner.status = "FINISHED"


def test_a_disk_that_takes_no_mark_does_not_keep_the_script_from_its_run(store, play, owner):
    writers = os.path.join(store, str(EXPERIMENT), "tracked", "writers")
    with open(writers, "w"):
        pass
    lines = play("warnings.simplefilter('ignore')\nrun = start_run()\nprint(run.run_id)")
    assert lines == ["tracked"]
    os.unlink(writers)


def test_what_the_script_prints_is_not_kept_twice(store, play):
    play("with start_run() as run:\n  print('x')", MINI_MLFLOW_CONSOLE="on")
    assert not os.path.exists(os.path.join(store, str(EXPERIMENT), "tracked", "artifacts"))


def test_what_was_told_and_cannot_be_read_is_as_if_nobody_had_told_it(store, owner):
    folder = os.path.join(store, str(EXPERIMENT), "tracked")
    mark = joined.claim_first(folder)
    assert joined.claim_first(folder) == ""
    joined.tell(mark, {"name": "\ud800\u00e4"})
    assert joined.read_told(folder, 0) == {"name": "\ud800\u00e4"}
    for text in ("", "[]", "{" * 9, json.dumps("x")):
        with open(os.path.join(mark, "told.json"), "w") as file:
            file.write(text)
        assert joined.read_told(folder, 0) == {}
