"""Many processes reach for one folder: one owner, one heir, and readers are in nobody's way."""

import json
import os

import pytest

from mini_mlflow import Run
from mini_mlflow.store import owner, reader

PROCESSES = 20
ROUNDS = 8


def record_in(folder):
    with open(os.path.join(folder, "owner.json"), encoding="utf-8") as file:
        return json.load(file)


@pytest.mark.long
@pytest.mark.parametrize("attempt", range(ROUNDS))
def test_of_many_who_claim_a_folder_exactly_one_owns_it(together, tmp_path, attempt):
    """Rule W2."""

    def claim(number):
        try:
            return owner.claim_new(str(tmp_path), 0).is_held()
        except FileExistsError:
            return False

    assert sum(together(PROCESSES, claim)) == 1
    assert os.listdir(str(tmp_path)) == ["owner.json"]


@pytest.mark.long
@pytest.mark.parametrize("attempt", range(ROUNDS))
def test_of_many_who_take_over_from_a_dead_owner_exactly_one_does(together, tmp_path, attempt):
    """Rules W3 and W4."""
    owner.claim_new(str(tmp_path), 0).release()
    before = os.stat(str(tmp_path / "owner.json"))
    winners = together(PROCESSES, lambda number: owner.take_over(str(tmp_path), 1) is not None)
    assert sum(winners) == 1
    after = os.stat(str(tmp_path / "owner.json"))
    assert (after.st_ino, after.st_size, after.st_nlink) == (before.st_ino, 2048, 1)


def left_by_another_process(store, *, is_ended):
    pid = os.fork()
    if not pid:
        run = Run(run_id="r", runs_dir=store)
        if is_ended:
            run.end()
        os._exit(0)
    os.waitpid(pid, 0)


@pytest.mark.parametrize("attempt", range(ROUNDS))
@pytest.mark.parametrize("is_ended", [False, True])
def test_of_many_who_resume_a_run_exactly_one_is_its_heir_and_the_others_join(together, store, attempt, is_ended):
    """Rules W5 to W7."""
    left_by_another_process(store, is_ended=is_ended)
    kept = []

    def resume(number):
        kept.append(Run(run_id="r", runs_dir=store))
        kept[0].log_metric("loss", float(number))
        return bool(kept[0].writer.meta_folder)

    assert sum(together(PROCESSES, resume)) == 1
    folder = os.path.join(store, "0", "r")
    assert record_in(folder)["generation"] == 1
    shares = os.listdir(os.path.join(folder, "writers"))
    assert len(shares) == PROCESSES - 1
    assert {record_in(os.path.join(folder, "writers", name))["generation"] for name in shares} == {1}
    rows = reader.read_history(folder, "loss", [])
    assert sorted(row.value for row in rows) == [float(number) for number in range(PROCESSES)]


def test_who_opens_and_ends_a_run_over_and_over_gets_each_generation_once(together, store):
    """Rule W6."""
    Run(run_id="r", runs_dir=store).end()

    def resume(number):
        generations = []
        for _ in range(15):
            run = Run(run_id="r", runs_dir=store)
            if run.writer.meta_folder:
                generations.append(run.writer.fields["generation"])
            run.end()
        return generations

    found = sorted(generation for answers in together(8, resume) for generation in answers)
    assert found == list(range(1, len(found) + 1))
    assert reader.read_run(store, 0, "r").metadata["status"] == "FINISHED"


def test_readers_that_probe_without_pause_turn_no_owner_away(together, store):
    """Rule W3."""
    folder = os.path.join(store, "0", "r")
    Run(run_id="r", runs_dir=store).writer.release()
    record = owner.read_owner(folder)
    turns = 150

    def probe_or_own(number):
        if number:
            seen = set()
            while not os.path.exists(os.path.join(store, "done")):
                seen.add(owner.liveness(folder, record, 0.0))
            return sorted(seen)
        refused = 0
        for _ in range(turns):
            claim = owner.take_over(folder, 1)
            if claim is None:
                refused += 1
            else:
                claim.release()
        os.mkdir(os.path.join(store, "done"))
        return refused

    answers = together(4, probe_or_own)
    assert answers[0] == 0
    assert all(set(seen) <= {owner.ALIVE, owner.GONE} for seen in answers[1:])


def test_an_owner_is_never_displaced_while_others_try(together, store):
    """Rules W2 and W3."""
    run = Run(run_id="r", runs_dir=store)
    folder = os.path.join(store, "0", "r")
    before = record_in(folder)

    def try_hard(number):
        return [owner.take_over(folder, 9) is None for _ in range(100)]

    for answers in together(6, try_hard):
        assert all(answers)
    assert record_in(folder) == before
    run.log_metric("loss", 1.0)
    run.end()
    assert sorted(os.listdir(folder)) == ["meta.yaml", "metrics", "owner.json"]


def test_an_heir_that_holds_the_lock_and_has_not_signed_yet_is_waited_for(together, store):
    """Rules W5 and W7: the old record is that of a dead process while the heir is between two steps."""
    left_by_another_process(store, is_ended=False)
    slow, kept = os.pipe(), []

    def resume(number):
        if not number:
            describe = owner._describe

            def wait_first(*arguments, **options):
                os.write(slow[1], b"locked")
                os.close(slow[1])
                deadline = owner.monotonic() + 0.1
                while owner.monotonic() < deadline:
                    pass
                return describe(*arguments, **options)

            owner._describe = wait_first
        else:
            os.read(slow[0], 6)
        kept.append(Run(run_id="r", runs_dir=store))
        return bool(kept[0].writer.meta_folder)

    assert together(2, resume) == [True, False]


def test_of_many_who_resume_a_run_that_their_parent_let_go_exactly_one_is_its_heir(together, store):
    """Rule W5."""
    Run(run_id="r", runs_dir=store).writer.release()
    kept = []

    def resume(number):
        kept.append(Run(run_id="r", runs_dir=store))
        return bool(kept[0].writer.meta_folder)

    assert sum(together(PROCESSES, resume)) == 1
