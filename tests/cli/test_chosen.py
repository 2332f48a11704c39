"""Which runs a word means."""

import pytest

from mini_mlflow.cli import chosen, failures
from mini_mlflow.cli.screen import Screen
from mini_mlflow.cli.target import Target

ODD = ("last", "1", "-x", "best:acc", "g1", "abcd")


def choose(store, *words, **how):
    """Return the names of the runs that words mean, in a script."""
    import io

    screen = Screen(io.StringIO(), io.StringIO(), {})
    found = chosen.choose_runs(words, Target(str(store.path), "mlruns"), screen, **how)
    return [run.name for run in found]


def refused(store, *words, **how):
    """Return the error that words mean no run, or more than one."""
    with pytest.raises(failures.CommandError) as caught:
        choose(store, *words, **how)
    return caught.value


def test_last_is_the_newest_and_best_the_best(store):
    store.run("old", metrics={"acc": [0.9, 0.1]}, ago_s=500)
    store.run("new", metrics={"acc": [0.5]}, ago_s=100)
    assert choose(store, "last", "best:acc", "best:acc:min") == ["new", "old"]
    assert choose(store, "best:acc:min") == ["old"]


def test_a_run_that_diverged_is_not_the_best(store):
    store.run("broken", metrics={"loss": [0.1, float("nan")]})
    store.run("sound", metrics={"loss": [0.5]})
    assert choose(store, "best:loss") == ["sound"]


def test_the_best_of_several_experiments_is_nobodys_guess(store):
    store.run("here", metrics={"acc": [0.9]})
    store.run("there", store.experiment("other"), metrics={"acc": [0.8]})
    error = refused(store, "best:acc")
    assert (error.exit_code, error.lines) == (failures.AMBIGUOUS, ["-e 'Default'", "-e 'other'"])
    assert choose(store, "best:acc", experiment="other") == ["there"]


def test_a_name_an_id_and_its_beginning(store):
    run_id = store.run("alpha")
    for word in ("alpha", run_id, run_id[:4], run_id[:12], "name:alpha", "id:" + run_id[:5]):
        assert choose(store, word) == ["alpha"]
    assert refused(store, run_id[:3]).exit_code == failures.NOT_FOUND
    assert refused(store, "id:alpha").exit_code == failures.NOT_FOUND
    assert refused(store, "name:" + run_id).exit_code == failures.NOT_FOUND


def test_a_beginning_of_several_ids_is_told_with_the_runs(store):
    store.run("alpha", run_id="9d19" + "b" * 28, ago_s=7200)
    store.run("beta", run_id="9d19" + "c" * 28, status="FAILED")
    error = refused(store, "9d19")
    assert error.exit_code == failures.AMBIGUOUS
    assert error.message == "'9d19' is the beginning of 2 runs"
    assert len(error.lines) == 3
    assert "9d19bbbb" in "".join(error.lines)
    assert error.lines[-1] == "add characters until it is one"
    assert choose(store, "9d19b") == ["alpha"]


def test_a_name_that_several_runs_have_is_told_with_their_ids(store):
    first, second = store.run("twin"), store.run("twin")
    error = refused(store, "twin")
    assert error.exit_code == failures.AMBIGUOUS
    assert first[:8] in "".join(error.lines)
    assert second[:8] in "".join(error.lines)


def test_f07_the_first_meaning_counts_for_who_looks_and_names_can_be_forced(store):
    for name in ODD:
        store.run(name, run_id="abcd" + name.encode().hex().ljust(28, "0"), metrics={"acc": [0.5]}, ago_s=900)
    store.run("other", metrics={"acc": [0.9]}, ago_s=100)
    assert choose(store, "last") == ["other"]
    assert choose(store, "best:acc") == ["other"]
    for name in ODD:
        assert choose(store, "name:" + name) == [name]
    assert choose(store, "-x") == ["-x"]
    assert choose(store, "1") == ["1"]  # a script has no rows
    assert refused(store, "2").exit_code == failures.USAGE


def test_f07_what_changes_runs_never_guesses(store):
    for name in ODD:
        store.run(name, run_id="abcd" + name.encode().hex().ljust(28, "0"), metrics={"acc": [0.5]}, ago_s=900)
    store.run("other", metrics={"acc": [0.9]}, ago_s=100)
    for word in ("last", "best:acc", "abcd"):
        error = refused(store, word, is_strict=True)
        assert error.exit_code == failures.AMBIGUOUS
        assert "name:%s" % word in error.lines[-1]
    assert choose(store, "name:last", "-x", "other", is_strict=True) == ["last", "-x", "other"]


def test_f07_a_row_that_is_also_a_name_is_not_guessed_on_a_terminal(store, run_cli, monkeypatch):
    store.run("1", ago_s=900)
    store.run("other", ago_s=100)
    place = ("-d", str(store.path))
    run_cli(*place, "ls", "Default", columns=80)
    assert run_cli(*place, "show", "1", columns=80).out.splitlines()[0].startswith("\x1b[32m✓\x1b[0m \x1b[1mother")


def test_rows_mean_what_the_last_list_showed_though_new_runs_have_come(store, run_cli):
    place = ("-d", str(store.path))
    for number in range(4):
        store.run("run-%d" % number, metrics={"acc": [number / 10]}, params={"seed": number}, ago_s=1000 - number)
    run_cli(*place, "ls", "Default", columns=80)
    store.run("newer", ago_s=10)
    names = run_cli(*place, "compare", "2", "3-4", "--color", "never", columns=80).lines[0].split()
    assert names == ["a", "run-2", "b", "run-1", "c", "run-0"]
    assert run_cli(*place, "show", "5", columns=80).code == 3
    assert "the last one had 1 to 4" in run_cli(*place, "show", "5", columns=80).err
    run_cli(*place, "ls", "Default", "-g", columns=80)
    assert len(run_cli(*place, "compare", "g1", "--json", columns=80).out) > 100


def test_a_row_whose_run_is_gone_means_nothing(store, run_cli):
    import shutil

    place = ("-d", str(store.path))
    gone = store.run("gone", ago_s=10)
    store.run("kept", ago_s=100)
    run_cli(*place, "ls", "Default", columns=80)
    shutil.rmtree(str(store.path / "0" / gone))
    assert run_cli(*place, "show", "1", columns=80).code == 3
    assert run_cli(*place, "show", "2", columns=80).code == 0


def test_another_store_and_a_pipe_have_no_rows(store, new_store, run_cli):
    other = new_store("other")
    for each in (store, other):
        each.run("alpha")
    run_cli("-d", str(store.path), "ls", "Default", columns=80)
    assert run_cli("-d", str(store.path), "show", "1", columns=80).code == 0
    assert run_cli("-d", str(other.path), "show", "1", columns=80).code == 3
    result = run_cli("-d", str(store.path), "show", "1")
    assert (result.code, result.out) == (2, "")
    assert "is a row of the last ls in a terminal" in result.err


def test_what_a_cache_file_says_is_a_hint_only(store, run_cli, tmp_path):
    run_cli("-d", str(store.path), "ls", columns=80)
    store.run("alpha")
    run_cli("-d", str(store.path), "ls", "Default", columns=80)
    (noted,) = (tmp_path / "cache").rglob("*.rows")
    assert noted.stat().st_mode & 0o777 == 0o600
    for text in ('{"rows": [["0", "../../x"]]}', '{"rows": 7}', "[]", "{", '{"rows": [[1, 2, 3]]}', ""):
        noted.write_text(text)
        assert run_cli("-d", str(store.path), "show", "1", columns=80).code == 3
