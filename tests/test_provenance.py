"""What does a process know at once of where it comes from?"""

import json
import os
import subprocess
import sys
import textwrap
import types
import zipapp

import pytest

from git_checkout import GIT, Checkout
from mini_mlflow import Run, config, provenance
from mini_mlflow.store import meta

LOOK = "import json; from mini_mlflow import provenance; print(json.dumps(provenance.quick_fields()))"


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    for name in (
        "MINI_MLFLOW_MASK",
        "KUBERNETES_SERVICE_HOST",
        "SLURM_JOB_ID",
        "PBS_JOBID",
        "LSB_JOBID",
        "JPY_SESSION_NAME",
    ):
        monkeypatch.delenv(name, raising=False)
    provenance.forget()
    yield
    provenance.forget()


def told(*arguments, given=None, cwd=None, **variables):
    """Return what a new Python process tells of itself."""
    done = subprocess.run(
        [sys.executable, *arguments], input=given, stdout=subprocess.PIPE, check=True, text=True,
        cwd=None if cwd is None else str(cwd), env={**os.environ, **variables},
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "train.py"
    path.write_text(LOOK)
    return path


def test_a_script_is_told_by_its_path_and_its_whole_command(script, tmp_path):
    fields = told("-B", str(script.name), "--lr", "0.1", "--api-key", "X", "--url=postgres://u:p@h", cwd=tmp_path)
    assert fields["entry"] == os.path.realpath(str(script))
    assert fields["cwd"] == os.path.realpath(str(tmp_path))
    arguments = ["train.py", "--lr", "0.1", "--api-key", "***", "--url=postgres://***@h"]
    assert fields["command"][-len(arguments) :] == arguments
    if sys.version_info >= (3, 10) or sys.platform == "linux":
        assert fields["command"] == [sys.executable, "-B", *arguments]


def test_e07_secrets_of_the_command_line_stay_where_masking_is_off(script):
    assert told(str(script), "--api-key", "X", MINI_MLFLOW_MASK="off")["command"][-1] == "X"


def test_a_module_a_command_and_a_prompt_are_told_as_what_they_are(tmp_path):
    package = tmp_path / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(LOOK)
    (package / "part.py").write_text(LOOK)
    assert told("-m", "pack", cwd=tmp_path)["entry"] == "-m pack"
    assert told("-m", "pack.part", cwd=tmp_path)["entry"] == "-m pack.part"
    assert told("-c", LOOK)["entry"] == "-c"
    assert told(given=LOOK)["entry"] == "interactive"


def test_a_folder_and_an_archive_that_are_started_are_told_by_their_paths(tmp_path):
    (tmp_path / "tool").mkdir()
    (tmp_path / "tool" / "__main__.py").write_text(LOOK)
    zipapp.create_archive(str(tmp_path / "tool"), str(tmp_path / "tool.pyz"))
    for name in ("tool", "tool.pyz"):
        assert told(str(tmp_path / name))["entry"] == str(tmp_path / name)
        assert told(name, cwd=tmp_path)["entry"] == os.path.join(os.path.realpath(str(tmp_path)), name)


def test_a_script_that_leaves_its_folder_first_is_told_by_the_path_that_it_has(script, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    for decoy in (False, True):
        if decoy:  # a file of that name where the script has gone
            (tmp_path / "elsewhere" / "train.py").write_text("")
        script.write_text("import os; os.chdir('elsewhere'); " + LOOK)
        assert told("train.py", cwd=tmp_path)["entry"] == os.path.realpath(str(script))


def test_a_path_that_leads_nowhere_stays_as_given_and_finds_no_repository(tmp_path, monkeypatch):
    main = types.ModuleType("__main__")
    main.__file__ = "gone.py"
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.chdir(tmp_path)
    fields = provenance.quick_fields()
    assert fields["entry"] == "gone.py"
    assert "git_commit" not in fields


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_the_repository_is_that_of_the_file_which_a_link_leads_to(script, tmp_path):
    (tmp_path / "bin").mkdir()
    os.symlink(str(script), str(tmp_path / "bin" / "train"))
    assert told(str(tmp_path / "bin" / "train"))["entry"] == str(tmp_path / "bin" / "train")


@pytest.mark.skipif(GIT is None, reason="needs git")
def test_the_repository_is_the_scripts_own(tmp_path):
    """E02: git looks at the entry script's repository only."""
    code, other = Checkout(tmp_path / "code"), Checkout(tmp_path / "other")
    other.write("x", "x")
    other.commit()
    code.git("remote", "add", "origin", "https://user:token@host/r")
    script = code.write("sub/train.py", LOOK)
    fields = told(str(script), cwd=other.folder)
    assert (fields["git_commit"], fields["git_branch"], fields["git_remote"]) == (code.head(), "main", "https://host/r")
    assert "git_dirty" not in fields
    assert told("-c", LOOK, cwd=other.folder)["git_commit"] == other.head()
    (tmp_path / "loose.py").write_text(LOOK)
    assert told(str(tmp_path / "loose.py"), cwd=other.folder).get("git_commit") != other.head()


@pytest.mark.skipif(GIT is None, reason="needs git")
def test_e03_what_a_hook_hands_down_does_not_lead_astray(tmp_path):
    code, other = Checkout(tmp_path / "code"), Checkout(tmp_path / "other")
    other.write("x", "x")
    other.commit()
    script = code.write("train.py", LOOK)
    fields = told(str(script), GIT_DIR=str(other.folder / ".git"), GIT_WORK_TREE=str(other.folder))
    assert fields["git_commit"] == code.head() != other.head()


def test_quick_fields_start_no_program_and_load_none_that_could(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(
        textwrap.dedent(
            """
            import json, sys
            import mini_mlflow
            before = set(sys.modules)
            if hasattr(sys, "addaudithook"):
                sys.addaudithook(lambda event, facts: event in ("os.posix_spawn", "subprocess.Popen") and 1 / 0)
            from mini_mlflow import provenance
            provenance.quick_fields()
            provenance.packages()
            print(json.dumps(sorted(set(sys.modules) - before)))
            """
        )
    )
    loaded = set(told(str(script)))
    assert (
        loaded & {"subprocess", "importlib.metadata", "platform", "getpass", "socket", "tempfile", "hashlib"} == set()
    )


def test_the_rest_is_told_in_a_defined_order_and_fits_meta_yaml():
    fields = provenance.quick_fields()
    first = ["command", "entry", "user", "host", "python", "platform", "cwd"]
    assert list(fields)[: len(first)] == first
    assert fields["host"] == config.host_name()
    assert fields["python"] == "%s %s" % (sys.implementation.name, sys.version.split()[0])
    assert fields["entry"].startswith(("-m ", "-c")) or os.path.isabs(fields["entry"])
    assert meta.decode(meta.encode({"format": 1, **fields}), "meta.yaml") == {"format": 1, **fields}
    assert provenance.quick_fields() == fields


def test_a_folder_that_is_left_later_is_told_anew(tmp_path, monkeypatch):
    before = provenance.quick_fields()
    monkeypatch.chdir(tmp_path)
    after = provenance.quick_fields()
    assert after.pop("cwd") == os.path.realpath(str(tmp_path)) != before.pop("cwd")
    assert after == before


@pytest.mark.skipif(os.name == "nt", reason="no folder that is in use is removed there")
def test_a_current_folder_that_was_removed_is_left_out(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert "cwd" not in provenance.quick_fields()


def test_a_command_line_beyond_all_measure_is_cut(monkeypatch):
    monkeypatch.setattr(sys, "orig_argv", ["python", "a" * 10000, *["b" * 1000] * 100], raising=False)
    command = provenance.quick_fields()["command"]
    assert command[1] == "a" * 4096 + "…"
    assert command[-1] == "…"
    assert sum(map(len, command)) < 40000


@pytest.mark.parametrize(
    ("variables", "jobs"),
    [
        ({"SLURM_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "2"}, {"SLURM_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "2"}),
        ({"PBS_JOBID": "8.host"}, {"PBS_JOBID": "8.host"}),
        ({"LSB_JOBID": "9", "LSB_JOBINDEX": "3"}, {"LSB_JOBID": "9", "LSB_JOBINDEX": "3"}),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "train-x7"}, {"KUBERNETES_POD": "train-x7"}),
        ({"HOSTNAME": "laptop"}, None),
    ],
)
def test_the_schedulers_ids_are_told(monkeypatch, variables, jobs):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert provenance.quick_fields().get("jobs") == jobs


def test_a_user_without_a_name_in_the_environment_has_one_all_the_same(monkeypatch):
    monkeypatch.setenv("LOGNAME", "ada")
    assert provenance.quick_fields()["user"] == "ada"
    provenance.forget()
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    if hasattr(os, "getuid"):
        assert provenance.quick_fields()["user"]


# Notebooks ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def notebook(monkeypatch):
    main = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    return main


def test_a_notebook_is_told_by_its_path_where_that_is_known(notebook, tmp_path, monkeypatch):
    path = tmp_path / "a.ipynb"
    path.write_text("{}")
    assert provenance.quick_fields()["entry"] == "notebook"
    provenance.forget()
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    assert provenance.quick_fields()["entry"] == str(path)
    provenance.forget()
    monkeypatch.setenv("JPY_SESSION_NAME", "relative.ipynb")
    assert provenance.quick_fields()["entry"] == "notebook"
    provenance.forget()
    vars(notebook)["__vsc_ipynb_file__"] = str(path)
    assert provenance.quick_fields()["entry"] == str(path)


@pytest.mark.skipif(GIT is None, reason="needs git")
def test_in_a_notebook_the_commit_is_looked_at_each_time(notebook, tmp_path, monkeypatch):
    checkout = Checkout(tmp_path / "code")
    monkeypatch.chdir(checkout.folder)
    assert provenance.quick_fields()["git_commit"] == checkout.head()
    checkout.write("x", "x")
    assert checkout.commit() == provenance.quick_fields()["git_commit"]


# Packages -----------------------------------------------------------------------------------------------------------


def test_packages_are_told_with_what_they_call_themselves():
    found = provenance.packages()
    assert found["mini_mlflow"] == sys.modules["mini_mlflow"].__version__
    assert found["pytest"] == pytest.__version__
    assert list(found) == sorted(found)
    assert {"json", "re", "os", "sys", "builtins", "__main__"} & set(found) == set()


def test_a_package_without_a_version_of_its_own_has_that_of_its_metadata(tmp_path, monkeypatch):
    site = tmp_path / "site-packages"
    for name in ("My_Pack", "single", "egg", "unknown"):
        module = types.ModuleType(name)
        module.__file__ = str(site / name / "__init__.py") if name != "single" else str(site / "single.py")
        monkeypatch.setitem(sys.modules, name, module)
    for name in (
        "my_pack-1.2.dist-info",
        "single-3.0+cu118.dist-info",
        "egg-0.1-py3.11.egg-info",
        "x.txt",
        "odd.dist-info",
    ):
        (site / name).mkdir(parents=True)
    found = provenance.packages()
    assert {name: found.get(name) for name in ("My_Pack", "single", "egg", "unknown")} == {
        "My_Pack": "1.2", "single": "3.0+cu118", "egg": "0.1", "unknown": None,
    }  # fmt: skip


def test_a_lazy_module_is_not_woken(monkeypatch):
    class Lazy(types.ModuleType):
        def __getattribute__(self, name):
            raise AssertionError(name)

        def __getattr__(self, name):
            raise AssertionError(name)

    lazy = Lazy("lazy_pack")
    object.__setattr__(lazy, "__file__", "/x/site-packages/lazy_pack/__init__.py")
    object.__setattr__(lazy, "__version__", "1.0")
    no_text = types.ModuleType("no_text")
    no_text.__file__ = "/x/site-packages/no_text.py"
    no_text.__version__ = (1, 2)
    for name, module in {"lazy_pack": lazy, "no_text": no_text, "no_module": object(), "nothing": None}.items():
        monkeypatch.setitem(sys.modules, name, module)
    found = provenance.packages()
    assert found["lazy_pack"] == "1.0"
    assert {"no_text", "no_module", "nothing"} & set(found) == set()


def test_a_package_that_is_imported_between_two_runs_is_told_by_the_second(monkeypatch):
    assert "late_pack" not in provenance.packages()
    module = types.ModuleType("late_pack")
    module.__file__, module.__version__ = "/x/site-packages/late_pack.py", "1"
    monkeypatch.setitem(sys.modules, "late_pack", module)
    assert provenance.packages()["late_pack"] == "1"
    provenance.packages().clear()
    assert provenance.packages()["late_pack"] == "1"
    monkeypatch.delitem(sys.modules, "late_pack")
    assert "late_pack" not in provenance.packages()


def test_at_most_300_packages_are_told(monkeypatch):
    for number in range(400):
        module = types.ModuleType("a%03d" % number)
        module.__file__, module.__version__ = "/x/site-packages/a.py", "1"
        monkeypatch.setitem(sys.modules, "a%03d" % number, module)
    assert len(provenance.packages()) == 300


# E02 ------------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(
    GIT is None or sys.version_info < (3, 8), reason="needs git, and a Python that tells what it starts"
)
def test_e02_reading_a_store_starts_no_program(tmp_path):
    """Whatever lies around the store: only a run that is written asks git, and of the script's repository alone."""
    code = Checkout(tmp_path / "code")
    code.git("config", "core.fsmonitor", "/bin/false")
    store = str(code.folder / "mlruns")
    with Run(name="a", runs_dir=store) as run:
        run.log_param("lr", 0.1)
        run.log_metric("loss", 0.5)
    script = code.write(
        "look.py",
        textwrap.dedent(
            """
            import json, sys
            started = []
            signs = ("subprocess", "os.posix_spawn", "os.exec", "os.fork", "os.system", "os.spawn", "pty")
            sys.addaudithook(lambda event, facts: event.startswith(signs) and started.append([event, str(facts)]))
            from mini_mlflow import ExperimentTracker
            tracker = ExperimentTracker(runs_dir=sys.argv[1])
            runs = tracker.list_runs()
            found = [tracker.get_run(sys.argv[2]), tracker.history(sys.argv[2], "loss")]
            assert len(runs) == 1 and found
            print(json.dumps(started))
            """
        ),
    )
    assert told(str(script), store, run.run_id, MINI_MLFLOW_PROVENANCE="on") == []
