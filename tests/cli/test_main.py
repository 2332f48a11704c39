"""How commands are read, how they fail and how they end."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from measured import widest

import mini_mlflow
from mini_mlflow.cli import main as cli_main
from mini_mlflow.cli.commands import COMMANDS, OTHER_NAMES
from mini_mlflow.keys import check_key
from mini_mlflow.search import scanning

SOURCE = str(Path(mini_mlflow.__file__).resolve().parent.parent)
HOSTILE = "\x1b[2J\x1b]52;c;eA==\x07\x9b31m\r\n\t\u202e名" + "x" * 40


def start(arguments, **options):
    """Start the command line as users do, in a process of its own."""
    environ = {**os.environ, "PYTHONPATH": SOURCE, **options.pop("environ", {})}
    command = [sys.executable, "-m", "mini_mlflow", *arguments]
    return subprocess.Popen(command, env=environ, **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options})


def test_every_command_has_a_module_that_can_do_it():
    for command in COMMANDS.values():
        module = __import__("mini_mlflow.cli." + command.module, fromlist=["run"])
        assert callable(module.run)
        assert callable(module.add_arguments)


def test_alone_it_tells_what_there_is(run_cli):
    result = run_cli(columns=80)
    assert result.code == 0
    assert all("\n  %s " % name in result.out for name in COMMANDS)
    assert widest(result.lines) <= 80
    assert run_cli("--help").out == run_cli("-h").out == run_cli("help").out == run_cli().out


@pytest.mark.parametrize("name", COMMANDS)
def test_help_comes_also_where_the_rest_makes_no_sense(run_cli, name):
    result = run_cli(name, "-h", "--no-such-option")
    assert result.code == 0
    assert result.lines[0].startswith("usage: mini-mlflow " + name)
    assert result.out == run_cli("help", name).out == run_cli("-h", name).out


def test_the_store_can_be_named_before_and_after_the_command(store, run_cli):
    store.run("alpha")
    before = run_cli("-d", str(store.path), "ls", "Default", "-q")
    assert before.out == run_cli("ls", "Default", "-q", "-d", str(store.path)).out
    assert before.out == run_cli("--dir=%s" % store.path, "ls", "-q", "-e", "Default").out
    assert len(before.out) == 33


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("lss",), "error: no command 'lss'"),
        (("ls", "--sidewise"), "error: unrecognized arguments: --sidewise"),
        (("show",), "error: mini-mlflow show needs RUN"),
        (("ls", "-n"), "error: -n needs a value"),
        (("ls", "-n", "0"), "error: '0' is no number of rows"),
        (("ls", "-f", "acc >> 1"), "error: cannot read 'acc >> 1'"),
        (("ls", "-b", "acc", "-s", "lr"), "error: -b and -s both say"),
        (("ls", "--color", "sometimes"), "error: argument --color/--colour: invalid choice: 'sometimes'"),
        (("compare", "a"), "error: no run 'a'"),
    ],
)
def test_misuse_is_told_with_what_to_do(store, run_cli, arguments, says):
    store.run("alpha")
    result = run_cli("-d", str(store.path), *arguments)
    assert result.err.startswith(says)
    assert result.code == (3 if "no run" in says else 2)
    assert result.out == ""
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("word", "command"), [("diff", "compare"), ("list", "ls"), ("delete", "rm"), ("lss", "ls"), ("shwo", "show")]
)
def test_what_others_call_a_command_leads_to_it(run_cli, word, command):
    assert "  near:  %s" % command in run_cli(word, "a", "b").err


def test_examples_name_metrics_that_can_be_logged(run_cli):
    docs = Path(__file__).resolve().parents[2] / "docs"
    texts = {name: run_cli(name, "-h").out for name in COMMANDS}
    texts.update((name, (docs / (name + ".md")).read_text(encoding="utf-8")) for name in ("cli", "filters", "carrying"))
    found = {name: re.findall(r"\b(?:val|valid|train)/[\w*]+", text) for name, text in texts.items()}
    assert {name: keys for name, keys in found.items() if keys} == {}
    assert "val.acc" in texts["ls"]
    assert check_key("val.acc") == "val.acc"


def test_other_names_of_commands_are_none_themselves_and_lead_to_some():
    assert not set(OTHER_NAMES) & set(COMMANDS)
    assert set(OTHER_NAMES.values()) <= set(COMMANDS)


def test_what_follows_two_dashes_is_no_option(store, run_cli):
    store.run("--json")
    result = run_cli("-d", str(store.path), "show", "--", "--json")
    assert result.out.startswith("✓ --json  ")
    assert run_cli("-d", str(store.path), "show", "--", "--jso").err.startswith("error: no run '--jso'")


def test_it_tells_its_version(run_cli):
    assert run_cli("--version").out == "mini-mlflow %s\n" % mini_mlflow.__version__


def test_a_filter_that_cannot_be_read_is_pointed_at(store, run_cli):
    store.run("alpha", metrics={"val.acc": [0.5]})
    text = "val.acc >> 0.9 and lr < 0.1"
    result = run_cli("-d", str(store.path), "ls", "-f", text)
    _, shown, pointer, *_ = result.err.splitlines()
    assert shown == "  " + text
    assert pointer == " " * (2 + text.index(">>") + 1) + "^"


def test_what_is_not_there_is_3_and_names_what_comes_near(store, run_cli):
    store.run("brisk-otter", metrics={"val.acc": [0.5]})
    place = ("-d", str(store.path))
    assert run_cli(*place, "show", "brisk-oter").code == 3
    assert "  near:  brisk-otter\n" in run_cli(*place, "show", "brisk-oter").err
    assert "  near:  val.acc\n" in run_cli(*place, "best", "val.ac").err
    assert "  near:  Default\n" in run_cli(*place, "ls", "Defalt").err
    assert run_cli("-d", str(store.path) + "x", "ls").code == 3
    assert "near:  mlruns" in run_cli("-d", str(store.path) + "x", "ls").err


def test_a_default_store_that_is_missing_is_just_empty(run_cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run_cli("ls", columns=80)
    assert (result.code, result.err) == (0, "")
    assert result.lines[0] == "No runs in mlruns yet."
    assert run_cli("ls", "Default").code == 0
    assert not (tmp_path / "mlruns").exists()


def test_a_store_of_a_newer_format_is_refused(store, run_cli):
    run_id = store.run("alpha")
    meta = store.path / "0" / run_id / "meta.yaml"
    meta.write_text(meta.read_text().replace("format: 1", "format: 99"))
    result = run_cli("-d", str(store.path), "ls", "Default", columns=80)
    assert result.code == 0
    assert "warning:" in result.err


@pytest.mark.parametrize(
    "arguments", [("show", HOSTILE), ("ls", HOSTILE), ("best", HOSTILE), (HOSTILE,), ("ls", "-f", HOSTILE)]
)
def test_f01_errors_print_what_users_wrote_visibly_escaped(store, run_cli, arguments):
    store.run("alpha", metrics={"acc": [1.0]})
    result = run_cli("-d", str(store.path), *arguments, columns=80)
    assert result.code in (2, 3)
    assert "\\x1b[2J" in result.err
    assert not {"\x1b", "\x9b", "\r", "\t", "\u202e", "\x07"} & set(result.err.replace("\x1b[31merror:\x1b[0m", ""))


@pytest.mark.parametrize("columns", [20, 33, 60, 80])
def test_f01_no_screen_shows_what_steers_a_terminal(store, run_cli, columns):
    name = HOSTILE[:40]
    experiment = store.experiment("h\x1b[2J\u202e")
    for number in range(3):
        store.run(
            "%d%s" % (number, name), experiment, params={"p\x1b[1m": HOSTILE, "n": number}, note=HOSTILE,
            metrics={"m\x9b\u202e/acc": [0.1, 0.2]}, tags={"t\x07": HOSTILE}, files={"a.txt": "x"},
        )  # fmt: skip
    for arguments in (("ls",), ("ls", "h\x1b[2J\u202e"), ("ls", "-g", "n"), ("show", "last"), ("compare", "1", "2"),
                      ("best", "m\x9b\u202e/acc"), ("history", "last"), ("ls", "h\x1b[2J\u202e", "-w")):  # fmt: skip
        result = run_cli("-d", str(store.path), *arguments, "--color", "never", columns=columns)
        assert (result.code, result.err) == (0, ""), arguments
        assert not {"\x1b", "\x9b", "\r", "\t", "\u202e", "\x07"} & set(result.out)
        if "-w" not in arguments:
            assert widest(result.lines) <= columns


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    columns=st.sampled_from([20, 41, 60, 80, 120, 200]),
    name=st.text(st.characters(), min_size=1, max_size=60),
    text=st.text(max_size=80),
    value=st.floats(),
)
def test_f01_no_line_is_wider_than_the_terminal(new_store, run_cli, columns, name, text, value):
    store = new_store("mlruns-%d" % abs(hash((columns, name, text, value))))
    store.run(name, params={"p": text, "lr": value}, metrics={"val.acc": [0.1, value]}, note=text)
    store.run(name + "2", params={"p": text + "x", "lr": 0.1}, metrics={"val.acc": [0.2]}, status="FAILED")
    for arguments in (("ls",), ("ls", "Default"), ("ls", "-g", "lr"), ("show", "last"), ("compare", "1", "2"),
                      ("best", "val.acc"), ("history", "last")):  # fmt: skip
        result = run_cli("-d", str(store.path), *arguments, columns=columns)
        assert result.code == 0, (arguments, result.err)
        assert widest(result.lines) <= columns
        assert widest(result.err.splitlines()) <= columns


def test_f05_json_is_one_valid_document_whatever_runs_hold(store, run_cli):
    odd = '\x1b\x9b\u202e\u2028\x7f"\\\ud800'
    store.run(odd, params={"p": odd, "x": float("nan"), "big": 10**400}, note=odd, tags={"t": odd},
              metrics={"val.acc": [0.1, float("nan")], "loss": [float("inf")]})  # fmt: skip
    place = ("-d", str(store.path))
    commands = (("ls",), ("ls", "Default"), ("ls", "-g"), ("show", "last"), ("best", "loss"), ("history", "last"))
    for arguments in commands:
        for encoding in ("utf-8", "ascii"):
            result = run_cli(*place, *arguments, "--json", encoding=encoding)
            document = json.loads(result.out, parse_constant=pytest.fail)
            assert document["schema"].startswith("mini-mlflow/")
            assert document["warnings"] == []
            assert result.err == ""
            assert not {"\x1b", "\x9b", "\u202e", "\x7f"} & set(result.out)
            result.out.encode("utf-8")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", "nobody\ud800\x1b"), 3), (("ls", "-f", ">"), 2), (("nothing",), 2), (("ls", "--none"), 2),
        (("best", "m"), 3), (("show",), 2),
    ],
)  # fmt: skip
def test_f05_an_error_is_one_valid_document_too(store, run_cli, arguments, code):
    store.run("alpha")
    result = run_cli("-d", str(store.path), *arguments, "--json")
    document = json.loads(result.out)
    assert document["schema"] == "mini-mlflow/error/1"
    assert document["exit_code"] == result.code == code
    assert document["error"]
    assert result.err == ""


@pytest.mark.parametrize("form", ["--tsv", "--csv", "--json"])
def test_f06_a_pipe_that_closes_early_ends_it_silently(store, form):
    store.run("alpha", params={"p": "x" * 4_000_000})
    source, sink = os.pipe()
    process = start(["-d", str(store.path), "ls", "Default", form], stdout=sink)
    os.close(sink)
    os.read(source, 10)
    os.close(source)
    _, err = process.communicate()
    assert (process.returncode, err) == (141, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full disk to write to")
@pytest.mark.parametrize("is_unbuffered", [False, True])
def test_f06_an_error_that_cannot_be_told_keeps_its_exit_code(store, monkeypatch, is_unbuffered):
    monkeypatch.setenv("PYTHONUNBUFFERED", "1" if is_unbuffered else "")
    with open("/dev/full", "w") as full:
        process = start(["-d", str(store.path), "ls", "nosuch"], stderr=full)
        process.communicate()
    assert process.returncode == 3


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full disk to write to")
@pytest.mark.parametrize("form", ["--tsv", "--json", "-t"])
def test_f06_an_answer_that_cannot_be_written_is_told(store, form):
    store.run("alpha")
    with open("/dev/full", "w") as full:
        process = start(["-d", str(store.path), "ls", "Default", form], stdout=full)
        _, err = process.communicate()
    assert process.returncode == 5
    assert err == b"error: cannot write the answer: No space left on device\n"


def test_f06_ctrl_c_ends_it_silently(monkeypatch, run_cli):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("mini_mlflow.cli.ls.find_target", interrupt)
    result = run_cli("ls")
    assert (result.code, result.out, result.err) == (130, "", "")


def test_f06_a_narrow_ascii_terminal_shows_all_the_same(store, run_cli):
    store.run("名前" * 30, params={"p": "é" * 100}, metrics={"val.acc": [0.5]})
    for arguments in (("ls",), ("ls", "Default"), ("show", "last"), ("history", "last"), ("best", "val.acc")):
        result = run_cli("-d", str(store.path), *arguments, columns=20, encoding="ascii")
        assert (result.code, result.err) == (0, "")
        assert widest(result.lines) <= 20


def test_without_standard_streams_it_does_its_work(store):
    store.run("alpha")
    code = "import sys; sys.stdout = sys.stderr = None; from mini_mlflow.cli.main import main; sys.exit(main(%r))"
    command = [sys.executable, "-c", code % ["-d", str(store.path), "ls"]]
    assert subprocess.run(command, env={**os.environ, "PYTHONPATH": SOURCE}, check=False).returncode == 0


def test_a_fault_of_ours_is_told_in_a_line_and_shown_whole_on_request(run_cli, monkeypatch):
    def break_down(*_):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("mini_mlflow.cli.ls.find_target", break_down)
    result = run_cli("ls")
    assert result.code == 70
    assert result.err.startswith("error: ZeroDivisionError: division by zero\n")
    assert "MINI_MLFLOW_DEBUG=1" in result.err
    monkeypatch.setenv("MINI_MLFLOW_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run_cli("ls")


def test_of_many_warnings_three_are_told_and_the_others_counted(store, run_cli, monkeypatch):
    from mini_mlflow import errors
    from mini_mlflow.cli import ls

    def warn_often(arguments, screen):
        for number in range(5):
            errors.warn("trouble \x1b %d" % number, stacklevel=2)
            errors.warn("trouble \x1b %d" % number, stacklevel=2)
        return 0

    monkeypatch.setattr(ls, "run", warn_often)
    result = run_cli("ls")
    assert result.err == "".join("warning: trouble \\x1b %d\n" % number for number in range(3)) + "warning: 2 more\n"


def test_e11_no_file_of_the_folder_is_imported(tmp_path):
    for name in ("yaml", "json", "argparse", "unicodedata", "sqlite3", "hashlib", "mini_mlflow_friend"):
        (tmp_path / (name + ".py")).write_text("open(%r, 'w').close()\n" % str(tmp_path / ("canary-" + name)))
    process = start(["ls"], cwd=tmp_path)
    _, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert list(tmp_path.glob("canary-*")) == []


def test_e11_a_program_of_somebody_else_that_is_started_with_m_keeps_its_folder(tmp_path):
    package = tmp_path / "theirs"
    package.mkdir()
    (package / "__init__.py").write_text("import mini_mlflow\n")
    (package / "__main__.py").write_text("import beside\nprint(beside.__name__)\n")
    (tmp_path / "beside.py").write_text("")
    command = [sys.executable, "-m", "theirs"]
    environ = {**os.environ, "PYTHONPATH": SOURCE}
    done = subprocess.run(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, check=True)
    assert done.stdout.split() == [b"beside"]


def test_an_interrupt_in_a_process_of_its_own_is_130():
    code = "import sys, time; from mini_mlflow.cli import main, ls\n"
    code += "def wait(_):\n    sys.stderr.write('ready'); sys.stderr.flush()\n"
    code += "    while True: time.sleep(0.01)\n"  # just before one endless call the signal would be seen too late
    code += "ls.find_target = wait; sys.exit(main.main(['ls']))"
    environ = {**os.environ, "PYTHONPATH": SOURCE}
    process = subprocess.Popen([sys.executable, "-c", code], env=environ, stderr=subprocess.PIPE)
    assert process.stderr.read(5) == b"ready"
    process.send_signal(signal.SIGINT)
    rest = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), rest) == (130, b"")


def test_starting_loads_nothing_that_only_few_commands_need(tmp_path):
    code = "import sys; from mini_mlflow.cli.main import main; main(['-d', %r, 'ls']); print(sorted(sys.modules))"
    (tmp_path / "mlruns").mkdir()
    command = [sys.executable, "-c", code % str(tmp_path / "mlruns")]
    environ = {**os.environ, "PYTHONPATH": SOURCE}
    done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=True)
    heavy = {"yaml", "subprocess", "logging", "asyncio", "curses", "tempfile", "shlex", "numpy", "mini_mlflow.tracker"}
    assert {name for name in heavy if "'%s'" % name in done.stdout.decode()} == set()


def test_where_nothing_has_changed_nothing_that_reads_runs_is_loaded(store, run_cli, monkeypatch):
    store.run("alpha", metrics={"val.acc": [0.5]})
    place = ("-d", str(store.path), "ls", "-t")
    for later_s in (0, 100, 200):  # until the index is sure of what it has read
        monkeypatch.setattr(scanning, "time", lambda later_s=later_s: time.time() + later_s)
        run_cli(*place)
    code = "import sys, time; sys.argv[:] = ['mini-mlflow']; from mini_mlflow.search import scanning\n"
    code += "scanning.time = lambda: time.time() + 300\n"
    code += "from mini_mlflow.cli.main import main; main(%r); print(sorted(sys.modules))" % (list(place),)
    environ = {**os.environ, "PYTHONPATH": SOURCE}
    done = subprocess.run([sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE, check=True)
    shown = done.stdout.decode()
    readers = ("store.reader", "store.folders", "store.owner", "store.trash", "summary", "index.reading", "index.crowd")
    assert "val.acc" in shown
    assert {name for name in readers if "'mini_mlflow.%s'" % name in shown} == set()


def test_main_takes_the_words_of_the_process_where_none_are_given(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["mini-mlflow", "nothing"])
    assert cli_main.main() == 2
    assert "no command 'nothing'" in capsys.readouterr().err
