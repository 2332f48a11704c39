"""What of a run's origin stands in its files when it has ended?"""

import json
import os
import subprocess
import sys
import textwrap
import time

import pytest

from git_checkout import GIT, Checkout, own_places, write_program
from mini_mlflow.store import meta

pytestmark = pytest.mark.skipif(GIT is None or os.name == "nt", reason="needs git, and programs that are shell scripts")

# Only the first waits for git; where nobody waits, a busy machine decides whether it answers in time.
TRAIN = """
import json, os, sys, time
import mini_mlflow
run = mini_mlflow.start_run(runs_dir=sys.argv[1])
if sys.argv[2] == "patient":
    from mini_mlflow import provenance
    provenance.start_probe().wait(60)
for step in range(10):
    mini_mlflow.log_metric("loss", 1 / (step + 1), step)
start = time.monotonic()
mini_mlflow.end_run()
took_s = time.monotonic() - start
print(json.dumps([run.store_folder, str(run.experiment_id), run.run_id, took_s]))
"""


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    own_places(tmp_path, monkeypatch)
    checkout = Checkout(tmp_path / "code")
    checkout.git("remote", "add", "origin", "https://user:token@host/r")
    checkout.write("run.py", textwrap.dedent(TRAIN))
    checkout.commit()
    return checkout


def train(checkout, store, patience, *arguments, provenance="on"):
    """Run the script; return its run's folder, what meta.yaml says, and how long the end took."""
    done = subprocess.run(
        [sys.executable, "run.py", str(store), patience, *arguments],
        cwd=str(checkout.folder),
        env={**os.environ, "MINI_MLFLOW_PROVENANCE": provenance},
        stdout=subprocess.PIPE,
        check=True,
    )
    *parts, took_s = decoded(done.stdout)
    folder = os.path.join(*parts)
    return folder, meta.read_meta(os.path.join(folder, "meta.yaml")), took_s


def decoded(text):

    return json.loads(text.decode())


def test_a_run_tells_where_it_comes_from_and_what_was_not_committed(checkout, tmp_path):
    checkout.write("train.py", "lr = 0.2\n")
    folder, fields, _ = train(checkout, tmp_path / "mlruns", "patient", "--api-key", "X")
    assert fields["entry"] == os.path.realpath(str(checkout.folder / "run.py"))
    assert fields["command"][-2:] == ["--api-key", "***"]
    assert (fields["git_commit"], fields["git_branch"], fields["git_dirty"]) == (checkout.head(), "main", True)
    assert fields["git_remote"] == "https://host/r"
    assert fields["packages"]["mini_mlflow"]
    with open(os.path.join(folder, "artifacts", "git.diff"), encoding="utf-8") as file:
        assert "-lr = 0.1\n+lr = 0.2\n" in file.read()


def test_a_run_of_committed_code_says_so_and_has_no_diff(checkout, tmp_path):
    folder, fields, _ = train(checkout, tmp_path / "mlruns", "patient")
    assert fields["git_dirty"] is False
    assert not os.path.exists(os.path.join(folder, "artifacts", "git.diff"))


def test_one_setting_turns_all_of_it_off(checkout, tmp_path):
    checkout.write("train.py", "lr = 0.2\n")
    sung = tmp_path / "sung"
    programs = tmp_path / "programs"
    programs.mkdir()
    write_program(programs / "git", "touch %s" % sung)
    os.environ["PATH"], path = "%s:%s" % (programs, os.environ["PATH"]), os.environ["PATH"]
    try:
        folder, fields, _ = train(checkout, tmp_path / "mlruns", "impatient", provenance="off")
    finally:
        os.environ["PATH"] = path
    assert {"command", "entry", "cwd", "user", "host", "packages", "git_commit", "git_dirty"} & set(fields) == set()
    assert not os.path.exists(os.path.join(folder, "artifacts"))
    assert not sung.exists()


def test_e03_a_git_that_hangs_does_not_hold_up_the_end_of_a_run(checkout, tmp_path, monkeypatch):
    programs = tmp_path / "programs"
    programs.mkdir()
    write_program(programs / "git", "sleep 1000")
    monkeypatch.setenv("PATH", "%s%s%s" % (programs, os.pathsep, os.environ["PATH"]))
    start = time.monotonic()
    _, fields, took_s = train(checkout, tmp_path / "mlruns", "impatient")
    assert fields["git_commit"] == checkout.head()
    assert "git_dirty" not in fields
    assert fields["status"] == "FINISHED"
    assert took_s < 30 > (time.monotonic() - start) / 10


def test_what_git_has_answered_an_earlier_run_stands_in_the_first_meta_yaml_of_the_next(checkout, tmp_path):
    (checkout.folder / "sweep.py").write_text(
        "import os, sys, mini_mlflow\n"
        "from mini_mlflow import provenance\n"
        "for turn in range(3):\n"
        "    run = mini_mlflow.start_run(runs_dir=sys.argv[1])\n"
        "    path = os.path.join(run.store_folder, '0', run.run_id, 'meta.yaml')\n"
        "    first = os.stat(path).st_ino\n"
        "    provenance.start_probe().wait(60)\n"
        "    mini_mlflow.log_metric('loss', 1.0)\n"
        "    text = open(path).read()\n"
        "    print('git_dirty' in text, 'packages' in text, os.stat(path).st_ino == first)\n"
        "    mini_mlflow.end_run()\n"
    )
    done = subprocess.run(
        [sys.executable, "sweep.py", str(tmp_path / "mlruns")],
        cwd=str(checkout.folder),
        env={**os.environ, "MINI_MLFLOW_PROVENANCE": "on"},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert done.stdout.decode().splitlines() == ["True True False", "True True True", "True True True"]


def test_a_run_of_100_ms_knows_at_its_end_what_git_says(checkout, tmp_path):
    """On a busy machine git may take longer than the end waits for it, so one of several runs has to do."""
    (checkout.folder / "short.py").write_text(
        "import sys, time, mini_mlflow\n"
        "with mini_mlflow.start_run(runs_dir=sys.argv[1]) as run:\n"
        "    time.sleep(0.1)\n"
        "print(run.run_id)\n"
    )
    deadline = time.monotonic() + 60
    while True:
        done = subprocess.run(
            [sys.executable, "short.py", str(tmp_path / "mlruns")],
            cwd=str(checkout.folder),
            env={**os.environ, "MINI_MLFLOW_PROVENANCE": "on"},
            stdout=subprocess.PIPE,
            check=True,
        )
        fields = meta.read_meta(str(tmp_path / "mlruns" / "0" / done.stdout.decode().strip() / "meta.yaml"))
        if "git_dirty" in fields:
            break
        assert time.monotonic() < deadline
    assert fields["git_dirty"] is False
    assert fields["packages"]["mini_mlflow"]
