"""dev.py sets up what is missing, or says in one line what to install."""

import importlib.util
import os
import runpy
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "dev.py"


@pytest.fixture
def dev():
    """The module, loaded from its file."""
    spec = importlib.util.spec_from_file_location("dev", str(SCRIPT))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def clone(tmp_path):
    """A folder with what dev.py needs of the project, and no environment in it yet."""
    folder = tmp_path / "a clone with spaces"
    folder.mkdir()
    for name in ("dev.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(str(ROOT / name), str(folder / name))
    shutil.copytree(str(ROOT / "src"), str(folder / "src"))
    return folder


def run_dev(script, *arguments, prelude="", **environ):
    """Run dev.py in a process of its own, after the statement *prelude*, from a folder that is not the project's."""
    code = "import runpy, sys; sys.argv = {!r}; {}; runpy.run_path({!r}, run_name='__main__')".format(
        [str(script), *arguments], prelude or "pass", str(script)
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=str(script.parent.parent),
        env={**os.environ, **environ},
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )


def only_line(result):
    """Return the one line of an error that is meant for a person."""
    (line,) = result.stderr.splitlines()
    assert line.startswith("dev.py: ")
    return line


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"], ["help"]])
def test_without_a_command_it_lists_the_commands(dev, arguments, capsys):
    assert dev.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines if line.startswith("  ")} == set(dev.COMMANDS)


def test_an_unknown_command_gets_one_line_and_status_2():
    result = run_dev(SCRIPT, "bulid")
    assert result.returncode == 2
    assert "no command 'bulid'; there are demo, test" in only_line(result)


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_venv_gets_one_line_that_says_what_to_install(clone, module):
    result = run_dev(clone / "dev.py", "test", prelude=f"sys.modules[{module!r}] = None")
    assert result.returncode == 1
    assert f"without its module {module}. Install" in only_line(result)
    assert not (clone / ".venv").exists()


def test_on_debian_the_line_names_the_package(dev, monkeypatch):
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    monkeypatch.setattr(dev.shutil, "which", lambda name: "/usr/bin/" + name)
    with pytest.raises(dev.SetUpError, match=r"sudo apt-get install python3\.\d+-venv"):
        dev.check_modules()


@pytest.mark.long
def test_without_a_network_it_says_so_in_one_line(clone):
    environ = {name: "" for name in os.environ if name.startswith("PIP_")}
    environ.update(
        PIP_CONFIG_FILE=os.devnull, PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="1", PIP_NO_CACHE_DIR="1"
    )
    result = run_dev(clone / "dev.py", "test", **environ)
    assert result.returncode == 1
    assert "no network" in only_line(result)


def test_an_old_python_is_told_which_one_the_demo_needs(dev):
    dev.check_python("demo", (3, 9), (3, 9))
    with pytest.raises(dev.SetUpError, match=r"demo needs Python 3\.9 or newer, and this is 3\.8"):
        dev.check_python("demo", (3, 9), (3, 8))


def test_a_python_older_than_the_library_is_refused_for_every_command(dev):
    with pytest.raises(dev.SetUpError, match=r"needs Python 3\.7 or newer"):
        dev.check_python("test", (3, 7), (3, 6))


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("... [Errno 28] No space left on device\nERROR: x", "the disk is full"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "set PIP_CERT"),
        ("Temporary failure in name resolution\nERROR: No matching distribution found for pytest", "no network"),
        ("ERROR: No matching distribution found for scikit-learn>=1.3", "use another Python"),
        ("Collecting x\nERROR: Something odd\n", "the tool says: ERROR: Something odd"),
        ("", "no output at all"),
    ],
)
def test_the_cause_of_a_failed_set_up_becomes_advice(dev, output, advice):
    assert advice in dev.explain(output)


def test_a_folder_that_cannot_be_written_gets_one_line(clone):
    (clone / ".venv").write_text("not a folder")
    result = run_dev(clone / "dev.py", "test")
    assert result.returncode == 1
    assert "cannot be set up" in only_line(result)


@pytest.fixture
def made(dev, clone, monkeypatch):
    """The environments that were made, where making one is only noted."""
    monkeypatch.setattr(dev, "ROOT", str(clone))
    monkeypatch.setattr(dev, "ENVIRONMENTS", str(clone / ".venv"))
    made = []

    def build(folder, python, extra):
        os.makedirs(os.path.dirname(python))
        Path(python).write_text("")
        made.append(extra)

    monkeypatch.setattr(dev, "build", build)
    return made


def test_an_environment_is_kept_until_the_project_changes(dev, clone, made):
    with dev.environment("test") as first:
        assert os.path.exists(first)
    with dev.environment("test") as second:
        assert second == first
    assert made == ["test"]
    with (clone / "pyproject.toml").open("a") as file:
        file.write("# changed\n")
    with dev.environment("test") as third:
        assert third == first
    assert made == ["test", "test"]


def test_an_environment_that_is_used_may_be_used_by_others_too(dev, made):
    with dev.environment("test") as first, dev.environment("test") as second:
        assert first == second
    assert made == ["test"]


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps files that are in use by itself")
def test_nobody_makes_an_environment_anew_while_somebody_uses_it(dev, clone, made, capsys):
    dev.COMMANDS["test"] = dev.Command("test", (3, 7), do_nothing)
    second = threading.Thread(target=dev.main, args=(["test"],))
    with dev.environment("test") as python:
        with (clone / "pyproject.toml").open("a") as file:
            file.write("# changed\n")
        second.start()
        wait_until(lambda: "Waiting for another dev.py" in capsys.readouterr().out)
        assert made == ["test"]
        assert os.path.exists(python)
    second.join()
    assert made == ["test", "test"]


@pytest.mark.skipif(os.name == "nt", reason="there the others say only after ten seconds that they wait")
def test_of_several_that_start_together_one_makes_the_environment(dev, made, capsys):
    build = dev.build

    def build_while_others_wait(folder, python, extra):
        wait_until(lambda: "Waiting for another dev.py" in capsys.readouterr().out)
        build(folder, python, extra)

    dev.build = build_while_others_wait
    dev.COMMANDS["test"] = dev.Command("test", (3, 7), do_nothing)
    threads = [threading.Thread(target=dev.main, args=(["test"],)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["test"]


def do_nothing(*arguments):
    return 0


def test_an_environment_on_a_disk_that_only_reads_is_used(dev, made, monkeypatch):
    with dev.environment("test") as lent:
        python = lent

    def refuse(*arguments, **named):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(dev.os, "makedirs", refuse)
    with dev.environment("test") as same:
        assert same == python


def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_each_interpreter_and_each_purpose_has_its_own_environment(dev, monkeypatch):
    names = {dev.environment_name("test"), dev.environment_name("demo")}
    monkeypatch.setattr(dev.sys, "platform", "another")
    names.add(dev.environment_name("test"))
    assert len(names) == 3


def test_the_long_run_of_the_faults_sets_its_length_and_leaves_one_that_is_set(dev, monkeypatch):
    called = []
    monkeypatch.setattr(dev, "run_child", lambda command, cwd: called.append((command, cwd)) or 0)
    monkeypatch.setattr(dev.os, "environ", {"MINI_MLFLOW_TEST_KILLS": "7"})
    assert dev.COMMANDS["faults"].run("python", ["-x"]) == 0
    assert dev.os.environ == {"MINI_MLFLOW_TEST_KILLS": "7", "FAULTS": "all"}
    ((command, cwd),) = called
    assert (command[-1], cwd) == ("-x", str(ROOT))
    assert {str(ROOT / "tests" / "faults"), str(ROOT / "tests" / "processes")} <= set(command)


@pytest.mark.parametrize("status", [0, 1, 5])
def test_the_exit_status_of_the_command_is_passed_on(dev, status):
    assert dev.run_child([sys.executable, "-c", f"raise SystemExit({status})"]) == status


def test_a_command_keeps_the_bytecode_of_what_it_imports_whatever_the_shell_says(dev, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert dev.run_child([sys.executable, "-c", "import sys; raise SystemExit(sys.dont_write_bytecode)"]) == 0


@pytest.mark.skipif(os.name == "nt", reason="signals end a process in another way there")
def test_a_command_killed_by_a_signal_gives_the_status_that_a_shell_gives(dev):
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert dev.run_child([sys.executable, "-c", killed]) == 128 + signal.SIGKILL


def test_ctrl_c_is_quiet(dev, monkeypatch, capsys):
    def interrupt(extra):
        raise KeyboardInterrupt

    monkeypatch.setattr(dev, "environment", interrupt)
    assert dev.main(["test"]) == 130
    assert capsys.readouterr() == ("", "")


def test_paths_among_the_arguments_may_be_relative_to_the_current_folder(dev, tmp_path, monkeypatch):
    (tmp_path / "test_x.py").write_text("")
    monkeypatch.chdir(tmp_path)
    absolute = os.path.join(os.getcwd(), "test_x.py")
    assert dev.absolute_path("test_x.py::test_one[a/b]") == absolute + "::test_one[a/b]"
    assert dev.absolute_path("-x") == "-x"
    assert dev.absolute_path("not and there") == "not and there"


def test_it_loads_with_the_standard_library_alone():
    names = runpy.run_path(str(SCRIPT), run_name="dev")
    assert {"main", "COMMANDS"} <= set(names)
    code = f"import runpy; runpy.run_path({str(SCRIPT)!r}, run_name='dev')"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)
