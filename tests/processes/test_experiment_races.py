"""Many processes choose, rename, delete and resume at the same moment: nobody fails, and nothing is lost."""

import os
import subprocess
import threading

import pytest

import mini_mlflow
from mini_mlflow import Run, active, upkeep
from mini_mlflow.errors import (
    ActiveRunError,
    ExperimentDeletedError,
    ExperimentExistsError,
    RunExistsError,
    RunNotFoundError,
)
from mini_mlflow.store import experiment_changes, experiments, reader

pytestmark = pytest.mark.long

PROCESSES = 50
ROUNDS = 4


@pytest.fixture(autouse=True)
def chosen_store(store, monkeypatch):
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MINI_MLFLOW_DIR", store)
    active.reset()
    yield
    active.reset()


CHOOSER = """
    import sys
    import mini_mlflow
    sys.stdout.write("ready\\n"); sys.stdout.flush()
    sys.stdin.readline()
    experiment = mini_mlflow.set_experiment("x")
    with mini_mlflow.start_run() as run:
        run.log_metric("loss", 0.5)
    print(experiment.experiment_id, run.experiment_id, run.run_id)
"""


@pytest.mark.parametrize("attempt", range(3))
def test_fifty_real_processes_that_choose_one_name_in_an_empty_store_get_one_experiment(store, script, attempt):
    """Rules E1 and E2: each an interpreter of its own, behind a barrier."""
    choosers = [script(CHOOSER) for _ in range(PROCESSES)]
    for chooser in choosers:
        assert chooser.stdout.readline() == "ready\n"
    for chooser in choosers:
        chooser.stdin.write("go\n")
        chooser.stdin.flush()
    answers = [chooser.communicate() for chooser in choosers]
    assert {error for _, error in answers} == {""}
    assert {chooser.returncode for chooser in choosers} == {0}
    found = [output.split() for output, _ in answers]
    home = experiments.home_id("x")
    assert {(chosen, of_run) for chosen, of_run, _ in found} == {(str(home), str(home))}
    assert [each.name for each in mini_mlflow.search_experiments("ALL")] == ["x"]
    assert sorted(reader.list_run_ids(store, home)) == sorted(run_id for _, _, run_id in found)


@pytest.mark.parametrize("attempt", range(ROUNDS))
def test_of_many_who_create_one_name_one_does_and_the_others_are_told(together, attempt):
    """Rule E2."""

    def create(number):
        try:
            return mini_mlflow.create_experiment("x", tags={"by": number})
        except ExperimentExistsError:
            return None

    made = [each for each in together(20, create) if each is not None]
    assert made == [experiments.home_id("x")]


@pytest.mark.parametrize("attempt", range(ROUNDS))
def test_of_many_who_rename_to_one_name_at_most_one_does(together, attempt):
    """Rule E5."""
    ids = [mini_mlflow.create_experiment("from %d" % number) for number in range(8)]

    def rename(number):
        try:
            mini_mlflow.rename_experiment(ids[number], "x")
            return True
        except ExperimentExistsError:
            return False

    winners = [number for number, has_won in enumerate(together(8, rename)) if has_won]
    names = [mini_mlflow.get_experiment(experiment_id).name for experiment_id in ids]
    assert len(winners) <= 1
    assert names == ["x" if number in winners else "from %d" % number for number in range(8)]


@pytest.mark.parametrize("attempt", range(ROUNDS))
def test_who_creates_a_name_while_another_renames_to_it_gets_one_that_every_later_look_up_gives(together, attempt):
    """Rules E3 and E5."""
    renamed = mini_mlflow.create_experiment("before")

    def act(number):
        if number:
            return mini_mlflow.set_experiment("x").experiment_id
        try:
            mini_mlflow.rename_experiment(renamed, "x")
        except ExperimentExistsError:
            return -1
        return renamed

    answers = together(6, act)
    assert set(answers) <= {-1, renamed, experiments.home_id("x")}
    later = mini_mlflow.set_experiment("x").experiment_id
    assert later in answers
    if answers[0] == -1:
        assert mini_mlflow.get_experiment(renamed).name == "before"
        assert set(answers[1:]) == {later}


def test_who_finds_a_name_that_a_rename_takes_back_gets_the_experiment_that_keeps_it(store, monkeypatch):
    """Rule E5: one looks while the name is that of two."""
    renamed = mini_mlflow.create_experiment("before")
    looked, refuse_taken, find = threading.Event(), experiment_changes._refuse_taken, experiments.find
    chosen = []

    def find_and_tell(*arguments):
        found = find(*arguments)
        looked.set()
        return found

    def let_others_come_between(*arguments):
        if experiments.read(store, renamed).name == "x":  # the second look, after the write
            chooser.start()
            assert looked.wait(60)
            experiments._create(store, "x", 1, None)
        refuse_taken(*arguments)

    chooser = threading.Thread(target=lambda: chosen.append(experiments.create(store, "x", 1)))
    monkeypatch.setattr(experiments, "find", find_and_tell)
    monkeypatch.setattr(experiment_changes, "_refuse_taken", let_others_come_between)
    with pytest.raises(ExperimentExistsError):
        mini_mlflow.rename_experiment(renamed, "x")
    chooser.join()
    assert [each.experiment_id for each in chosen] == [experiments.home_id("x")]


@pytest.mark.parametrize("attempt", range(ROUNDS))
def test_who_chooses_an_experiment_while_another_deletes_it_is_told_or_may_use_it(together, attempt):
    """Rule E6: what began in it is not removed."""
    made = mini_mlflow.create_experiment("x")

    def act(number):
        if not number:
            try:
                mini_mlflow.delete_experiment(made)
            except ActiveRunError:
                return "alive"
            return "deleted"
        try:
            mini_mlflow.set_experiment("x")
            run = mini_mlflow.start_run()
        except ExperimentDeletedError:
            return None
        upkeep.trash.gc(os.environ["MINI_MLFLOW_DIR"], 0)
        run.log_metric("loss", number)
        run.end()
        return run.run_id

    answers = together(6, act)
    began = [run_id for run_id in answers[1:] if run_id is not None]
    assert mini_mlflow.get_experiment(made).lifecycle_stage == ("deleted" if answers[0] == "deleted" else "active")
    assert sorted(reader.list_run_ids(os.environ["MINI_MLFLOW_DIR"], made)) == sorted(began)


def test_tags_that_many_set_at_the_same_moment_are_all_there(together):
    """Rule E5."""
    made = mini_mlflow.create_experiment("x")
    store = os.environ["MINI_MLFLOW_DIR"]
    together(20, lambda number: experiment_changes.set_tags(store, made, {"tag %d" % number: number}, 1))
    assert mini_mlflow.get_experiment(made).tags == {"tag %d" % number: number for number in range(20)}


def test_stores_with_the_same_experiment_merge_by_copying_one_over_the_other(tmp_path, script):
    """Rules S1, E1 and E3."""
    code = """
        import sys
        import mini_mlflow
        mini_mlflow.set_tracking_uri(sys.argv[1])
        if sys.argv[2]:
            mini_mlflow.rename_experiment(mini_mlflow.create_experiment("first"), "vision")
        print(mini_mlflow.set_experiment("vision").experiment_id)
        with mini_mlflow.start_run(run_name=sys.argv[1]) as run:
            run.log_metric("loss", 0.5)
    """
    ids = []
    for name, is_renamed in (("one", ""), ("two", ""), ("three", "renamed")):
        process = script(code, str(tmp_path / name), is_renamed)
        output, error = process.communicate()
        assert error == ""
        ids.append(int(output))
    for name in ("two", "three"):
        subprocess.run(["cp", "-r", str(tmp_path / name) + "/.", str(tmp_path / "one")], check=True)
    store = str(tmp_path / "one")
    assert ids[0] == ids[1] == experiments.home_id("vision") != ids[2]
    assert sorted(os.path.basename(name) for name in names_of_runs(store, ids[0])) == ["one", "two"]
    assert [os.path.basename(name) for name in names_of_runs(store, ids[2])] == ["three"]
    assert mini_mlflow.get_experiment_by_name("vision", runs_dir=store).experiment_id == ids[0]
    found = mini_mlflow.search_experiments(runs_dir=store)
    assert sorted((each.experiment_id, each.name) for each in found) == sorted((each, "vision") for each in set(ids))


def names_of_runs(store, experiment_id):
    run_ids = reader.list_run_ids(store, experiment_id)
    return [reader.read_run(store, experiment_id, run_id).metadata["name"] for run_id in run_ids]


@pytest.mark.parametrize("attempt", range(ROUNDS))
def test_a_run_that_is_resumed_at_the_moment_it_is_deleted_loses_no_value(together, store, attempt):
    """Rules T3 and W5: whoever wins."""
    with Run(run_id="r", runs_dir=store) as run:
        run.log_metric("loss", -1, step=0)

    done = os.path.join(os.path.dirname(store), "done")

    def delete_and_restore():
        while not os.path.exists(done):
            try:
                mini_mlflow.delete_run("r")
                mini_mlflow.restore_run("r")
            except (ActiveRunError, RunNotFoundError, RunExistsError):
                continue

    def resume():
        try:
            for turn in range(20):
                with Run(run_id="r", runs_dir=store) as run:
                    run.log_metric("loss", turn, step=turn)
        finally:  # whatever happens, the other one ends, and what happened is shown
            open(done, "w").close()

    together(2, lambda number: resume() if number else delete_and_restore())
    folders = [os.path.join(store, "0", "r")] + [each.folder for each in upkeep.list_deleted_runs(0)]
    histories = [reader.read_history(folder, "loss", []) for folder in folders]
    assert sorted(row.value for rows in histories for row in rows) == list(range(-1, 20))
    assert {fields["status"] for fields in map(fields_of, folders) if "status" in fields} == {"FINISHED"}


def fields_of(folder):
    return reader.read_metadata(folder, [])
