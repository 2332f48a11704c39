"""Does a command that is tracked behave as it does alone, and is its run what became of it?"""

import fcntl
import json
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

from mini_mlflow.store import experiments, reader

DEADLINE_S = 60
PYTHON = sys.executable
CLI = [PYTHON, "-m", "mini_mlflow"]
READY = "import sys; print('ready', flush=True); "
# As on a system that does not tell who sent a signal.
_BY_HANDLERS = "import sys; from mini_mlflow import forwarding; from mini_mlflow.cli.main import main\n"
_BY_HANDLERS += "forwarding._CAN_TELL = False; sys.exit(main(sys.argv[1:]))"
ELSEWHERE = [PYTHON, "-c", _BY_HANDLERS]


@pytest.fixture(autouse=True)
def environment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("MINI_MLFLOW_DIR", "MINI_MLFLOW_RUN_ID", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "mlruns")


def track(*command, options=(), **more):
    """Run a command as a tracked run and return the finished process."""
    more.setdefault("stdout", subprocess.PIPE)
    more.setdefault("stderr", subprocess.PIPE)
    more.setdefault("stdin", subprocess.DEVNULL)
    words = [*CLI, "run", *options, "--", *command]
    return subprocess.run(words, text=True, timeout=DEADLINE_S, check=False, **more)


def started(*command, options=(), by=CLI, **more):
    """Start a command as a tracked run, and return the process once it has printed ``ready``."""
    process = subprocess.Popen(
        [*by, "run", *options, "--", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        universal_newlines=True, start_new_session=True, **more,
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    return process


def records(store):
    found = []
    for experiment_id in experiments.list_ids(store):
        found += [reader.read_run(store, experiment_id, each) for each in reader.list_run_ids(store, experiment_id)]
    assert [each.problems for each in found] == [[]] * len(found)
    return found


def only(store):
    (found,) = records(store)
    return found


def log_of(store, name="console.log"):
    meta = only(store).metadata
    path = os.path.join(store, str(meta["experiment_id"]), meta["run_id"], "artifacts", name)
    with open(path, "rb") as file:
        return file.read().decode()


class Terminal:
    """A terminal of its own for a process, which is the first of its session."""

    def __init__(self, *command, columns=97):
        self.pid, self.master = pty.fork()
        if not self.pid:
            os.execv(command[0], command)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 31, columns, 0, 0))
        self.seen = b""

    def wait_for(self, text, times=1):
        deadline = time.monotonic() + DEADLINE_S
        while self.seen.count(text) < times:
            assert select.select([self.master], [], [], max(0, deadline - time.monotonic()))[0], self.seen
            self.seen += os.read(self.master, 65536)

    def listen(self, seconds):
        """Note what is shown until nothing is for a while."""
        if select.select([self.master], [], [], seconds)[0]:
            self.seen += os.read(self.master, 65536)
            while select.select([self.master], [], [], 1)[0]:
                self.seen += os.read(self.master, 65536)

    def type(self, data):
        os.write(self.master, data)

    def finish(self):
        """Return all that was shown, and how the process ended as ``os.waitpid`` has it."""
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                break
            if not data:
                break
            self.seen += data
        os.close(self.master)
        return self.seen.decode(), os.waitpid(self.pid, 0)[1]


@pytest.mark.parametrize(("code", "status"), [(0, "FINISHED"), (3, "FAILED"), (255, "FAILED"), (143, "KILLED")])
def test_e10_the_exit_code_is_the_commands_own_and_the_run_says_how_it_ended(store, code, status):
    process = track("sh", "-c", "exit %d" % code)
    assert process.returncode == code
    meta = only(store).metadata
    assert (meta["status"], meta["exit_code"]) == (status, code)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        *[(name, "KILLED") for name in ("KILL", "TERM", "HUP", "USR1")],
        *[(name, "FAILED") for name in ("SEGV", "ABRT")],
    ],
)
def test_e10_a_signal_that_ends_the_command_is_told_as_a_shell_tells_it(store, name, status):
    number = getattr(signal, "SIG" + name)
    process = track("sh", "-c", "ulimit -c 0; kill -%s $$" % name)
    assert process.returncode == 128 + number
    meta = only(store).metadata
    assert (meta["status"], meta["exit_code"]) == (status, -number)


def test_e10_the_command_gets_the_very_arguments_and_no_shell_reads_them(tmp_path, store, monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_PROVENANCE", "on")
    words = ["a; touch x", "$(touch y)", "`touch z`", "", " ", "*", "--json", "-h", "--", "-e", "\u00e4\n", "%s"]
    code = "import json, sys; print(json.dumps(sys.argv[1:]))"
    process = track(PYTHON, "-c", code, *words)
    assert json.loads(process.stdout) == words
    assert sorted(os.listdir(str(tmp_path))) == ["mlruns"]
    assert only(store).metadata["command"] == [PYTHON, "-c", code, *words]


def test_options_end_where_the_command_begins_with_or_without_two_dashes(store):
    for words in (["-t", "a=b", "--", "echo", "-t", "c=d"], ["-t", "a=b", "echo", "-t", "c=d"]):
        process = subprocess.run([*CLI, "run", *words], capture_output=True, check=False)
        assert (process.stdout, process.returncode) == (b"-t c=d\n", 0)
    assert [each.tags for each in records(store)] == [{"a": "b"}] * 2


def test_help_is_ours_before_the_command_and_the_commands_own_behind_it(store):
    for words, shown in ((["-h"], "no shell reads them"), (["-t", "a=b", "--help"], "no shell reads them")):
        process = subprocess.run([*CLI, "run", *words], capture_output=True, text=True, check=False)
        assert (process.returncode, shown in process.stdout) == (0, True)
    assert not os.path.exists(store)
    for words in (["echo", "-h", "--json"], ["-q", "--", "echo", "-h", "--json"]):
        process = subprocess.run([*CLI, "run", *words], capture_output=True, text=True, check=False)
        assert (process.returncode, process.stdout) == (0, "-h --json\n")


def test_what_the_command_prints_comes_through_and_is_kept_and_ours_comes_after_it(store):
    process = track("sh", "-c", "echo err >&2; echo out; printf 'no end'")
    assert process.stdout == "out\nno end"
    first, ours = process.stderr.splitlines()
    assert first == "err"
    meta = only(store).metadata
    assert ours.split()[1:4] == [meta["name"], meta["run_id"][:8], "finished"]
    assert {"out\nno end" in log_of(store), "err\n" in log_of(store)} == {True}


def test_quiet_says_nothing_and_json_says_it_in_one_document_on_standard_error(store):
    process = track("sh", "-c", "exit 3", options=["-q"])
    assert (process.returncode, process.stdout, process.stderr) == (3, "", "")
    process = track("sh", "-c", "echo '{}'; exit 3", options=["--json", "--name", "n"])
    assert (process.returncode, process.stdout) == (3, "{}\n")
    document = json.loads(process.stderr)
    assert document["schema"] == "mini-mlflow/launched/1"
    assert (document["name"], document["status"], document["exit_code"]) == ("n", "FAILED", 3)
    assert {each.metadata["run_id"] for each in records(store)} >= {document["run_id"]}


def test_the_run_has_the_name_the_tags_and_the_experiment_that_were_given(store):
    track("true", options=["-e", "sweep", "--name", "first", "-t", "a=1", "-t", "b=x=y"])
    track("true", options=["--experiment", "sweep"])
    sweep = experiments.find(store, "sweep").experiment_id
    second, first = reader.list_run_ids(store, sweep)
    record = reader.read_run(store, sweep, first)
    assert (record.metadata["name"], record.tags) == ("first", {"a": "1", "b": "x=y"})
    assert experiments.list_ids(store) == [sweep]
    assert second


def test_the_run_comes_from_the_command_and_not_from_us(tmp_path, store, monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_PROVENANCE", "on")
    monkeypatch.setenv("API_TOKEN", "x")
    (tmp_path / "code").mkdir()
    script = tmp_path / "code" / "train.py"
    script.write_text("print('trained')")
    git = ["git", "-c", "user.name=n", "-c", "user.email=e", "-C", str(tmp_path / "code")]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "m"]):
        subprocess.run([*git, *words], check=True)
    track(PYTHON, "-u", "code/train.py", "--lr", "0.1", "--password", "hunter2")
    meta = only(store).metadata
    assert meta["command"] == [PYTHON, "-u", "code/train.py", "--lr", "0.1", "--password", "***"]
    assert (meta["entry"], meta["cwd"]) == (str(script), str(tmp_path))
    assert len(meta["git_commit"]) == 40
    assert not {"python", "packages"} & set(meta)


def test_what_git_and_the_script_say_is_there_while_the_command_still_runs(tmp_path, store, monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_PROVENANCE", "on")
    git = ["git", "-c", "user.name=n", "-c", "user.email=e", "-C", str(tmp_path)]
    (tmp_path / "train.py").write_text(
        "import glob, time\nfrom mini_mlflow import *\nrun = start_run(run_name='inner')\n"
        "path = glob.glob(%r)[0]\nuntil = time.monotonic() + %d\n"
        "while not {'git_dirty: true', 'name: \"inner\"'} <= set(open(path).read().split('\\n')):\n"
        "    assert time.monotonic() < until\n    time.sleep(0.05)\n" % (store + "/0/*/meta.yaml", DEADLINE_S)
    )
    for words in (["init", "-q"], ["add", "train.py"], ["commit", "-q", "-m", "m"]):
        subprocess.run([*git, *words], check=True)
    with open(str(tmp_path / "train.py"), "a") as file:
        file.write("# changed\n")
    process = track(PYTHON, "train.py")
    assert process.returncode == 0, process.stderr
    meta = only(store).metadata
    assert (meta["git_dirty"], meta["name"]) == (True, "inner")
    assert "+# changed" in log_of(store, "git.diff")


def test_a_script_inside_gives_its_name_its_python_and_its_packages(store, monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_PROVENANCE", "on")
    code = "from mini_mlflow import *\nwith start_run(run_name='inner') as run: log_metric('loss', 1)"
    process = track(PYTHON, "-c", code)
    record = only(store)
    assert (record.metadata["name"], record.metrics) == ("inner", {"loss": 1})
    assert record.metadata["python"].endswith("%d.%d.%d" % sys.version_info[:3])
    assert "mini_mlflow" in record.metadata["packages"]
    assert " inner " in process.stderr
    track(PYTHON, "-c", code, options=["--name", "outer"])
    assert sorted(each.metadata["name"] for each in records(store)) == ["inner", "outer"]


@pytest.mark.parametrize(
    ("ending", "code", "status"),
    [
        ("end_run()", 0, "FINISHED"),
        ("end_run('FAILED')", 0, "FAILED"),
        ("end_run('KILLED')", 0, "KILLED"),
        ("raise ValueError", 1, "FAILED"),
        ("end_run(); raise ValueError", 1, "FAILED"),
        ("os.kill(os.getpid(), 15)", 143, "KILLED"),
        ("os._exit(0)", 0, "FINISHED"),
        ("os._exit(9)", 9, "FAILED"),
    ],
)
def test_the_status_that_a_script_gives_agrees_with_the_exit_code(store, ending, code, status):
    process = track(PYTHON, "-c", "import os\nfrom mini_mlflow import *\nstart_run()\n%s" % ending)
    assert process.returncode == code
    assert only(store).metadata["status"] == status


def test_an_experiment_that_the_script_asks_for_is_told_with_the_way_there(store):
    code = "from mini_mlflow import *\nset_experiment('theirs')\nstart_run()"
    process = track(PYTHON, "-c", code)
    meta = next(each for each in records(store)).metadata
    advice = "the script asked for the experiment 'theirs': mini-mlflow mv %s 'theirs'"
    assert advice % meta["run_id"][:8] in process.stderr
    process = track(PYTHON, "-c", code, options=["-e", "ours"])
    assert "asked" not in process.stderr


@pytest.mark.parametrize("fields", [{"name": 7}, {"name": "x" * 10001, "packages": []}, {"status": "RUNNING"}, {}])
def test_what_is_told_and_makes_no_sense_is_passed_over(store, fields):
    code = "from mini_mlflow.joining import *; import os; place = find(os.environ['MINI_MLFLOW_DIR'])\n"
    code += "take(place).tell(**%r)" % fields
    process = track(PYTHON, "-c", code, options=["--json"])
    assert (process.returncode, json.loads(process.stderr)["warnings"]) == (0, [])
    meta = only(store).metadata
    assert (meta["status"], meta["name"].count("-"), meta["exit_code"]) == ("FINISHED", 2, 0)


def test_a_tracked_command_within_another_is_its_child(store):
    code = "from mini_mlflow import *; start_run(run_name='inner')"
    track(*CLI, "run", "--", PYTHON, "-c", code, options=["-e", "x"])
    by_parent = {each.metadata["parent_run_id"]: each.metadata for each in records(store)}
    outer, inner = by_parent[None], by_parent[by_parent[None]["run_id"]]
    assert inner["name"] == "inner"
    assert inner["experiment_id"] == outer["experiment_id"]
    assert len(by_parent) == 2


def test_a_program_that_is_not_there_or_is_none_gets_a_shells_exit_codes_and_no_run(tmp_path, store):
    (tmp_path / "text").write_text("no program")
    for word, code in (("no-such-program", 127), ("./nowhere", 127), ("./text", 126), (str(tmp_path), 126), ("", 127)):
        process = track(word)
        assert (process.returncode, process.stdout) == (code, "")
        assert process.stderr.startswith("error:")
    assert not os.path.exists(store)


def test_a_program_that_the_system_refuses_to_start_is_a_run_that_failed(tmp_path, store):
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    process = track("./script")
    assert process.returncode == 126
    assert "cannot be started" in process.stderr
    assert only(store).metadata["status"] == "FAILED"


def test_a_tracker_that_cannot_start_says_so_and_does_not_start_the_command(tmp_path):
    (tmp_path / "file").write_text("")
    for directory in ("file", "/proc/nowhere"):
        process = track("touch", "started", options=["-d", directory])
        assert process.returncode == 125
        assert "the command was not started" in process.stderr
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("words", [["run"], ["run", "--"], ["run", "-t", "x", "true"], ["run", "-t", "=x", "true"]])
def test_a_line_that_makes_no_sense_is_a_usage_error(words, store):
    process = subprocess.run([*CLI, *words], capture_output=True, check=False)
    assert process.returncode == 2
    assert not os.path.exists(store)


def test_nothing_of_ours_fails_the_command_where_the_store_goes_away(store):
    code = READY + "import shutil; shutil.rmtree(%r); print('on', flush=True); sys.exit(4)" % store
    process = track(PYTHON, "-c", code)
    assert (process.returncode, process.stdout) == (4, "ready\non\n")
    assert "Traceback" not in process.stderr


@pytest.mark.skipif(os.path.exists("/dev/full") is False, reason="there is no full disk to write to")
def test_nothing_of_ours_fails_the_command_where_nobody_hears_us(store):
    with open("/dev/full", "w") as full:
        assert track("sh", "-c", "exit 7", stderr=full).returncode == 7
    read, write = os.pipe()
    os.close(read)
    assert track("sh", "-c", "exit 6", stderr=write).returncode == 6
    os.close(write)
    assert sorted(each.metadata["exit_code"] for each in records(store)) == [6, 7]


def test_f06_a_command_whose_reader_leaves_ends_as_it_would_alone(store):
    """``yes | head -1``: else it would print for ever."""
    line = "%s -m mini_mlflow run -q -- yes | head -1; echo ${PIPESTATUS[0]}" % PYTHON
    process = subprocess.run(["bash", "-c", line], stdout=subprocess.PIPE, timeout=DEADLINE_S, check=False)
    assert process.stdout == b"y\n141\n"
    assert only(store).metadata["exit_code"] == -signal.SIGPIPE


def test_input_comes_to_the_command(store):
    words = [*CLI, "run", "-q", "--", "tr", "a-z", "A-Z"]
    process = subprocess.run(words, input=b"hello", stdout=subprocess.PIPE, timeout=DEADLINE_S, check=False)
    assert (process.stdout, log_of(store)) == (b"HELLO", "HELLO")


def test_files_that_were_opened_for_the_command_come_to_it_and_none_of_ours(store):
    code = "import os; print(open('/dev/fd/9').read(), end=''); print(sorted(os.listdir('/proc/self/fd')))"
    shown = []
    for before in ("", "%s -m mini_mlflow run -q -- " % PYTHON):
        line = '%s%s -c "%s" 9< <(echo data)' % (before, PYTHON, code)
        process = subprocess.run(
            ["bash", "-c", line], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=DEADLINE_S, check=False
        )
        shown.append(process.stdout)
    assert shown[0].startswith(b"data\n['0', '1', '2', ")
    assert shown[1] == shown[0]


@pytest.mark.parametrize(
    ("name", "by"),
    [*[(name, CLI) for name in ("INT", "TERM", "HUP", "USR1", "USR2")], ("INT", ELSEWHERE), ("TERM", ELSEWHERE)],
)
def test_a_signal_that_is_sent_to_us_alone_reaches_the_command_once(store, name, by):
    """As a container's runtime does it with its first process."""
    code = "import signal, os, time; came = []\n"
    code += "signal.signal(signal.SIG%s, lambda *_: came.append(1))\n" % name
    code += "print('ready', flush=True)\nwhile not came: time.sleep(0.01)\n"
    code += "time.sleep(0.3); print(len(came)); sys.exit(5)"
    process = started(PYTHON, "-c", "import sys\n" + code, by=by)
    os.kill(process.pid, getattr(signal, "SIG" + name))
    output, errors = process.communicate(timeout=DEADLINE_S)
    assert (output, process.returncode) == ("1\n", 5), errors
    assert only(store).metadata["status"] == ("KILLED" if not name.startswith("USR") else "FAILED")


def test_a_signal_that_the_command_does_not_answer_ends_it_and_the_run_is_killed(store):
    process = started(PYTHON, "-c", READY + "import time; time.sleep(600)")
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 128 + signal.SIGTERM
    assert only(store).metadata["status"] == "KILLED"


def test_a_command_that_answers_a_signal_and_ends_well_has_finished(store):
    code = READY + "import signal; signal.signal(15, lambda *_: sys.exit(0)); print('go', flush=True); signal.pause()"
    process = started(PYTHON, "-c", code)
    assert process.stdout.readline() == "go\n"
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0
    assert only(store).metadata["status"] == "FINISHED"


def test_signals_that_are_ignored_stay_so_for_us_and_for_the_command(store):
    """nohup."""
    code = READY + "import signal; print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN, flush=True); input()"
    command = ["nohup", *CLI, "run", "-q", "--", PYTHON, "-c", code]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout.readline() == b"ready\n"
    assert process.stdout.readline() == b"True\n"
    os.kill(process.pid, signal.SIGHUP)
    process.communicate(b"\n", timeout=DEADLINE_S)
    assert process.returncode == 0


def test_our_death_leaves_the_command_alone_and_its_values_are_kept(store):
    code = READY + "from mini_mlflow import *; start_run(); print('go', flush=True); input(); log_metric('loss', 1)"
    process = started(PYTHON, "-c", code, stdin=subprocess.PIPE)
    assert process.stdout.readline() == "go\n"
    process.kill()
    process.stdin.write("\n")
    process.stdin.flush()
    process.wait(DEADLINE_S)
    while process.stdout.read(1):
        pass  # until the command has ended
    process.communicate()
    record = only(store)
    assert record.metrics == {"loss": 1}
    assert record.metadata["status"] == "LOST"  # it logged beside us, who said how the run stands


def test_a_terminal_stays_one_with_its_size_and_its_colours_and_progress_bars_end_as_they_look(store):
    code = "import os, sys\n"
    code += "print(sys.stdin.isatty(), sys.stdout.isatty(), sys.stderr.isatty(), os.get_terminal_size())\n"
    code += "input()\nprint('\\033[32mgreen\\033[0m')\nfor part in range(101): print('\\r%d%%' % part, end='')\nprint()"
    terminal = Terminal(PYTHON, "-m", "mini_mlflow", "run", "--", PYTHON, "-c", code)
    terminal.wait_for(b"lines=31)")
    terminal.type(b"\n")
    shown, ended = terminal.finish()
    assert ended == 0
    assert "True True True os.terminal_size(columns=97, lines=31)" in shown
    assert "\x1b[32mgreen\x1b[0m\r\n" in shown
    assert shown.count("%") == 101
    lines = log_of(store).split("\n")
    assert lines[-3:] == ["\x1b[32mgreen\x1b[0m", "100%", ""]


@pytest.mark.parametrize(("printed", "options", "shown"), [
    ("no newline", [], "no newline\r\n✓ "), ("a line\\n", [], "a line\r\n✓ "), ("", [], "✓ "),
    ("50%\\r", [], "50%\r\r\n✓ "), ("a line\\n\\x1b[0m", [], "a line\r\n\x1b[0m✓ "),
    ("no newline", ["-q"], "no newline"),
])  # fmt: skip
def test_on_a_terminal_our_line_begins_as_one(store, monkeypatch, printed, options, shown):
    monkeypatch.setenv("NO_COLOR", "1")
    code = "import sys; sys.stdout.write('%s')" % printed
    terminal = Terminal(PYTHON, "-m", "mini_mlflow", "run", *options, "--", PYTHON, "-c", code)
    found, ended = terminal.finish()
    assert ended == 0
    assert found.startswith(shown)
    assert found.count("\n") == shown.count("\n") + (not options)


@pytest.mark.parametrize("by", [CLI, ELSEWHERE], ids=["here", "elsewhere"])
def test_what_is_typed_into_the_terminal_comes_to_the_command_once(store, by):
    """Ctrl-C reaches the whole group of processes by itself."""
    code = "import signal, sys, time; came = []; signal.signal(2, lambda *_: came.append(1))\n"
    code += "print('ready', flush=True)\n"
    code += "while not came: time.sleep(0.01)\ntime.sleep(0.5); print('came', len(came)); sys.exit(5)"
    terminal = Terminal(*by, "run", "--", PYTHON, "-c", code)
    terminal.wait_for(b"ready")
    terminal.type(b"\x03")
    shown, ended = terminal.finish()
    assert "came 1" in shown
    assert os.WEXITSTATUS(ended) == 5
    assert only(store).metadata["status"] == "KILLED"


def test_ctrl_c_that_ends_the_command_ends_us_too_so_that_a_loop_in_a_shell_stops(store):
    line = "while :; do %s -m mini_mlflow run -- sh -c 'echo ready; exec sleep 600'; done" % PYTHON
    terminal = Terminal(shutil.which("bash"), "-c", line)
    terminal.wait_for(b"ready")
    terminal.type(b"\x03")
    shown, ended = terminal.finish()
    assert os.WTERMSIG(ended) == signal.SIGINT
    assert "Traceback" not in shown
    assert only(store).metadata["status"] == "KILLED"


def test_ctrl_c_before_the_command_is_waited_for_counts_as_typed():
    code = "import time; from mini_mlflow.forwarding import Signals; signals = Signals()\n"
    code += "print('ready', flush=True)\nwhile not signals.number: time.sleep(0.01)\n"
    code += "print('typed', signals.is_from_terminal)"
    terminal = Terminal(PYTHON, "-c", code)
    terminal.wait_for(b"ready")
    terminal.type(b"\x03")
    assert "typed True" in terminal.finish()[0]


def test_ctrl_z_stops_both_and_both_go_on(store, monkeypatch):
    monkeypatch.setenv("PS1", "<prompt>")
    code = "import os, signal; signal.signal(signal.SIGCONT, lambda *_: os.write(1, b'goes on\\n')); "
    code += "print('ready', flush=True); lines = iter(lambda: os.read(0, 99), b''); "
    code += "print('got', next(line for line in lines if b'hello' in line).decode())"
    terminal = Terminal(shutil.which("bash"), "--norc", "-i")
    terminal.wait_for(b"<prompt>")  # what is typed before is lost
    terminal.type(b'%s -m mini_mlflow run -- %s -c "%s"\n' % (PYTHON.encode(), PYTHON.encode(), code.encode()))
    terminal.wait_for(b"ready\r\n")
    terminal.type(b"\x1a")
    terminal.wait_for(b"Stopped")
    terminal.wait_for(b"<prompt>", times=2)
    stopped = len(terminal.seen)
    while b"mini_mlflow run" not in terminal.seen[stopped:]:  # the shell may not listen yet; twice is as good
        terminal.type(b"fg\n")
        terminal.listen(seconds=10)
    terminal.wait_for(b"goes on\r\n")
    terminal.type(b"hello\n")
    terminal.wait_for(b"got hello")
    terminal.wait_for(b"<prompt>", times=3)
    terminal.type(b"exit\n")
    terminal.finish()
    assert only(store).metadata["status"] == "FINISHED"
