"""What the documents say is true: their snippets and commands run, their links lead somewhere."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple

import pytest

import mini_mlflow

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
READER = ROOT / "docs" / "reading-without-us.md"
# The description of version 0.1.0, word for word: its code must go on running.
SEED = ROOT / "tests" / "data" / "seed.md"
DOCUMENTS = [README, *sorted((ROOT / "docs").glob("*.md"))]
RUN_ID = "8a665e0cd8697c185c01760fd2a2ca74"


class Snippet(NamedTuple):
    """A fenced block of a document, and where it starts."""

    path: Path
    line: int
    text: str

    @property
    def place(self) -> str:
        return f"{self.path.name}:{self.line}"


def find_snippets(path: Path, language: str) -> List[Snippet]:
    text = path.read_text(encoding="utf-8")
    blocks = re.finditer(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [Snippet(path, text.count("\n", 0, block.start(1)) + 1, block.group(1)) for block in blocks]


def all_snippets(language: str, paths: List[Path]) -> List[Snippet]:
    return [snippet for path in paths for snippet in find_snippets(path, language)]


def place(value: object) -> object:
    return value.place if isinstance(value, Snippet) else None


def is_a_script(snippet: Snippet) -> bool:
    return "sys.argv" in snippet.text


PYTHON = [snippet for snippet in all_snippets("python", [*DOCUMENTS, SEED]) if not is_a_script(snippet)]
SCRIPTS = [snippet for snippet in all_snippets("python", DOCUMENTS) if is_a_script(snippet)]
COMMANDS = [
    pytest.param(snippet, command, id=f"{snippet.place}: {command}")
    for snippet in all_snippets("bash", DOCUMENTS)
    for command in snippet.text.splitlines()
]
NEEDS_A_RUN = {"log_param", "log_params", "log_metric", "log_metrics", "set_tag", "set_tags", "end_run"}
PROSE_TO_SUPPLY = {
    "train_one_epoch": lambda: 0.9,
    "train_and_evaluate": lambda learning_rate: 1.0 - learning_rate,
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder, and no active run before and after."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINI_MLFLOW_DIR", raising=False)
    environment = dict(os.environ)
    yield tmp_path
    while mini_mlflow.active_run():
        mini_mlflow.end_run()
    mini_mlflow.active.reset()
    os.environ.clear()
    os.environ.update(environment)  # MLflow's way, and so the front's, hands an experiment on to children by it


@pytest.mark.parametrize("snippet", PYTHON, ids=place)
def test_a_snippet_of_the_documents_runs_as_it_stands(snippet, folder):
    names: Dict[str, object] = {"__name__": "__main__", **PROSE_TO_SUPPLY}
    if not re.search(r"^(import|from) ", snippet.text, re.MULTILINE):  # an excerpt: its imports are left out
        names.update((name, getattr(mini_mlflow, name)) for name in mini_mlflow.__all__)
    calls = called_names(snippet)
    if calls & NEEDS_A_RUN and "start_run" not in calls:
        mini_mlflow.start_run()
    exec(compile(snippet.text, snippet.place, "exec"), names)


def called_names(snippet: Snippet) -> set:
    """Return the plain functions that a snippet calls; methods are not among them."""
    calls = (node.func for node in ast.walk(ast.parse(snippet.text)) if isinstance(node, ast.Call))
    return {function.id for function in calls if isinstance(function, ast.Name)}


def test_the_readme_shows_all_that_the_description_of_0_1_0_shows():
    described = {name for snippet in find_snippets(SEED, "python") for name in called_names(snippet)}
    shown = {name for snippet in find_snippets(README, "python") for name in called_names(snippet)}
    assert described <= shown


def test_every_public_name_is_in_the_readme():
    text = README.read_text(encoding="utf-8")
    errors = {name for name in mini_mlflow.__all__ if name.endswith("Error")}
    public = {name for name in mini_mlflow.__all__ if not name.startswith("_")} - errors
    assert {name for name in public if not re.search(rf"\b{name}\b", text)} == set()


def test_the_version_is_the_same_wherever_it_stands():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"$', project, re.MULTILINE).group(1)
    assert mini_mlflow.__version__ == version
    assert f"Version {version}." in README.read_text(encoding="utf-8")
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


# The reader, and commands ----------------------------------------------------------------------------------------


@pytest.fixture
def store(folder):
    """A store in the current folder with the run that the documents name."""
    with mini_mlflow.Run(run_id=RUN_ID, name="documented") as run:
        run.log_param("learning_rate", 0.01)
        for step, (loss, accuracy) in enumerate([(0.7, 0.5), (0.4, 0.9), (float("nan"), 0.8)]):
            run.log_metrics({"loss": loss, "accuracy": accuracy}, step=step)
    return folder


def test_a_reader_of_at_most_ten_lines_prints_every_metric_of_a_run(store):
    (script,) = [snippet for snippet in SCRIPTS if snippet.path == READER]
    lines = [line for line in script.text.splitlines() if line]
    assert len(lines) <= 10
    assert "mini_mlflow" not in script.text
    Path("read_run.py").write_text(script.text, encoding="utf-8")
    output = run_command([sys.executable, "read_run.py", "mlruns/0/" + RUN_ID])
    assert output.splitlines() == ["accuracy 0.8 3", "loss NaN 3"]


def run_reader(folder: Path) -> List[str]:
    (script,) = [snippet for snippet in SCRIPTS if snippet.path == READER]
    Path("read_run.py").write_text(script.text, encoding="utf-8")
    return run_command([sys.executable, "read_run.py", str(folder)]).splitlines()


GOLDEN = ROOT / "tests" / "golden"
# Runs that a kill, a power cut or an editor has left, and that nobody has opened again.
NOT_AT_REST = {"killed"}
AT_REST = [path.parent for path in sorted(GOLDEN.glob("*/*/*/meta.yaml")) if path.parent.name not in NOT_AT_REST]


@pytest.mark.parametrize("run", AT_REST, ids=lambda run: "/".join(run.parts[-3:]))
def test_the_reader_prints_what_the_library_reads_of_every_golden_run_at_rest(run, folder):
    tracker = mini_mlflow.ExperimentTracker(experiment_id=run.parent.name, runs_dir=run.parent.parent)
    keys = tracker.get_run(run.name)["metrics"]
    lines = run_reader(run)
    assert {line.rsplit(" ", 2)[0] for line in lines} == set(keys)
    for key in keys:
        counts = [int(line.rsplit(" ", 1)[1]) for line in lines if line.rsplit(" ", 2)[0] == key]
        assert sum(counts) == len(tracker.history(run.name, key))


def test_the_reading_page_says_truly_what_happens_without_a_closing_and_what_to_do(folder):
    shutil.copytree(str(GOLDEN / "format-1"), "mlruns")
    tracker = mini_mlflow.ExperimentTracker()
    rows = {key: tracker.history("killed", key) for key in ("torn", "power")}
    (script,) = [snippet for snippet in SCRIPTS if snippet.path == READER]
    Path("read_run.py").write_text(script.text, encoding="utf-8")
    result = subprocess.run([sys.executable, "read_run.py", "mlruns/0/killed"], capture_output=True, check=False)
    assert b"JSONDecodeError" in result.stderr
    names: Dict[str, object] = {}
    (by_hand,) = [snippet for snippet in find_snippets(READER, "python") if "read_rows" in snippet.text]
    exec(compile(by_hand.text, by_hand.place, "exec"), names)
    for key, wanted in rows.items():
        text = Path(f"mlruns/0/killed/metrics/{key}.json").read_text(encoding="utf-8")
        assert [tuple(row) for row in names["read_rows"](text)] == [tuple(row) for row in wanted]


@pytest.mark.parametrize(("snippet", "command"), COMMANDS)
def test_a_command_of_the_documents_does_what_it_says(snippet, command, store):
    if command == "pip install mini-mlflow":
        assert 'name = "mini-mlflow"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    elif command.startswith("python3 dev.py "):
        assert f"\n  {command.split()[2]} " in run_command([sys.executable, str(ROOT / "dev.py"), "--help"])
    elif command.startswith("python examples/"):
        run_command([sys.executable, str(ROOT / command.split()[1])])
    elif command.startswith("python3 read_run.py "):
        assert command.split()[2] == "mlruns/0/" + RUN_ID  # the script itself has its own test
    elif command.split()[0] in ("jq", "grep"):
        for pattern in re.findall(r"mlruns/\S+", command):
            assert list(Path().glob(pattern))
        if shutil.which(command.split()[0]) and shutil.which("bash"):
            assert run_command(["bash", "-c", command]).strip()
    else:
        raise AssertionError("no test knows this command")


@pytest.mark.parametrize(
    ("wanted", "output"),
    [
        ("max_by", "[1,"),
        ("@csv", ",0.7\n"),
        ("@tsv", "accuracy\t0.8\nloss\tNaN\n"),
        ("status", f"mlruns/0/{RUN_ID}/meta.yaml\n"),
        ("0.01", f"mlruns/0/{RUN_ID}/params/learning_rate.json\n"),
        ('"NaN"', f"mlruns/0/{RUN_ID}/metrics/loss.json:"),
    ],
)
def test_a_command_of_the_reading_page_prints_what_the_page_promises(wanted, output, store):
    lines = [line for snippet in find_snippets(READER, "bash") for line in snippet.text.splitlines()]
    (command,) = [line for line in lines if wanted in line]
    if shutil.which(command.split()[0]) and shutil.which("bash"):
        assert output in run_command(["bash", "-c", command])


def run_command(command: List[str]) -> str:
    environ = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    result = subprocess.run(command, env=environ, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode("utf-8", "replace")
    return result.stdout.decode("utf-8")


def test_the_page_on_reliability_names_tests_and_files_that_exist():
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", page))
    assert len(named) > 50
    assert {name for name in named if f"def {name}(" not in sources} == set()
    assert {path for path in re.findall(r"`(tests/[\w./]+)`", page) if not (ROOT / path).exists()} == set()


# Links -----------------------------------------------------------------------------------------------------------


def headings(path: Path) -> set:
    """Return the anchors of a document's headings, as they are made from the text."""
    lines = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line).strip().lower().replace(" ", "-") for line in lines}


@pytest.mark.parametrize(
    "name", [*(str(path.relative_to(ROOT)) for path in DOCUMENTS), "CONTRIBUTING.md", "CHANGELOG.md"]
)
def test_links_between_documents_lead_somewhere(name):
    path = ROOT / name
    prose = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", prose)
    broken = []
    for target in targets:
        if re.match(r"https?://", target):
            continue
        file, _, anchor = target.partition("#")
        document = path.parent / file if file else path
        if not document.exists() or (anchor and anchor not in headings(document)):
            broken.append(target)
    assert broken == []
