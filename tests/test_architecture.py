"""The shape of the package: which module may import which, how long a file may be, what an import loads."""

import ast
import json
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Set

import pytest

import mini_mlflow

PACKAGE = Path(mini_mlflow.__file__).resolve().parent
NAME = PACKAGE.name

# From the ground up. A room is a module or a folder; its modules import from its own floor and those below.
FLOORS = [
    {"errors", "records", "clock", "keys", "values", "readable", "fields", "layout", "starting"},
    {"config", "surroundings", "params", "progress"},
    {"store"},
    {
        "summary", "query", "provenance", "repository", "probe", "git_probe", "masking", "artifacts", "artifact_files",
        "artifact_names", "artifact_sources", "media", "images", "series", "series_tables", "noise", "seeds",
        "text_tables", "group_records", "goals", "separated", "command_origin", "reasons",
    },
    {"run", "recorder", "artifact_recorder", "origin", "identity", "joining", "resuming", "active", "endings", "index"},
    {
        "search", "fluent", "fluent_artifacts", "experiments", "upkeep", "system", "console", "console_detour",
        "console_reading", "console_streams", "console_tee", "console_file", "launching", "forwarding", "packs",
        "history_tables", "given_runs", "groups", "comparing",
    },
    {"tracker", "storage", "merging", "merging_experiments", "exporting", "importing", "check", "doctor"},
    {"cli", "__main__", "ui", "mlflow_plugin", "remote", "compat", "integrations"},
    {"__init__"},
]  # fmt: skip
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
GROUND = {"errors", "records"}
LONGEST = 400
# Slow to load, or there for a few users only: `import mini_mlflow` leaves them alone.
HEAVY = {
    "yaml", "sqlite3", "subprocess", "logging", "random", "uuid", "tempfile", "hashlib", "ctypes", "asyncio",
    "numpy", "pandas", "unittest", "json",
}  # fmt: skip

# For those who look at runs: who only logs does without.
READING = {
    "records", "summary", "tracker", "resuming", "store.reader", "store.folders", "store.metric_file",
    "store.foreign_meta", "store.mlflow_layout",
}  # fmt: skip


class Import(NamedTuple):
    """One module that names another; for type checkers alone where it never runs."""

    source: str
    target: str
    line: int
    is_for_types: bool


def module_name(path: Path) -> str:
    """Return the dotted name within the package: store.writer, store for its __init__, __init__ at the top."""
    parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return ".".join(parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@lru_cache(maxsize=None)
def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


@lru_cache(maxsize=None)
def imports() -> List[Import]:
    """Return what modules of the package import of each other; read where a test asks, not where tests are listed."""
    return [found for name in MODULES for found in iter_imports(name)]


def iter_imports(name: str) -> Iterator[Import]:
    """Yield what a module imports from the package, wherever in the file."""
    for_types = {
        node
        for block in ast.walk(tree(name))
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for node in ast.walk(block)
    }
    for node in ast.walk(tree(name)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for target in resolve(name, node):
                yield Import(name, target, node.lineno, node in for_types)


def resolve(name: str, node: ast.stmt) -> Set[str]:
    """Return the modules of the package that one import statement loads."""
    if isinstance(node, ast.Import):
        dotted = [alias.name for alias in node.names if alias.name.split(".")[0] == NAME]
        return {target[len(NAME) + 1 :] or "__init__" for target in dotted}
    assert isinstance(node, ast.ImportFrom)
    if node.level:
        is_package = MODULES[name].name == "__init__.py"
        here = [] if name == "__init__" else name.split(".")
        base = here[: len(here) - node.level + (1 if is_package else 0)] if here else []
        base += node.module.split(".") if node.module else []
    elif node.module and node.module.split(".")[0] == NAME:
        base = node.module.split(".")[1:]
    else:
        return set()
    found = set()
    for alias in node.names:
        inner = ".".join([*base, alias.name])
        found.add(inner if inner in MODULES else ".".join(base) or "__init__")
    return found


def room(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


def shown(found: Import) -> str:
    return f"{found.source}:{found.line} imports {found.target}"


def test_every_module_has_its_floor():
    assert {room(name) for name in MODULES} <= set(FLOOR_OF)


def test_every_import_within_the_package_names_a_module():
    assert [shown(found) for found in imports() if found.target not in MODULES] == []


def test_no_module_imports_from_a_floor_above_its_own():
    upward = [found for found in imports() if FLOOR_OF[room(found.target)] > FLOOR_OF[room(found.source)]]
    assert [shown(found) for found in upward] == []


def test_errors_and_records_stand_on_nothing():
    assert [shown(found) for found in imports() if found.source in GROUND and found.target not in GROUND] == []


def test_writer_and_reader_meet_in_the_files_only():
    sides = {"store.writer", "store.reader"}
    assert [shown(found) for found in imports() if {found.source, found.target} == sides] == []


def test_modules_do_not_import_each_other_in_a_circle():
    graph: Dict[str, Set[str]] = {name: set() for name in MODULES}
    for found in imports():
        if not found.is_for_types and found.target != found.source:
            graph[found.source].add(found.target)
    assert find_cycle(graph) == []


def find_cycle(graph: Dict[str, Set[str]]) -> List[str]:
    """Return the modules of one circle in order, or nothing."""
    finished: Set[str] = set()

    def visit(name: str, trail: List[str]) -> List[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in finished:
            return []
        for target in sorted(graph[name]):
            cycle = visit(target, [*trail, name])
            if cycle:
                return cycle
        finished.add(name)
        return []

    return next((cycle for cycle in (visit(name, []) for name in sorted(graph)) if cycle), [])


@pytest.mark.parametrize(
    ("graph", "cycle"),
    [
        ({"a": {"b"}, "b": set()}, []),
        ({"a": {"b"}, "b": {"a"}}, ["a", "b", "a"]),
        ({"a": {"b", "c"}, "b": {"c"}, "c": {"b"}}, ["b", "c", "b"]),
    ],
)
def test_a_circle_is_found_where_there_is_one(graph, cycle):
    assert find_cycle(graph) == cycle


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_file_is_at_most_400_lines_long(name):
    assert len(MODULES[name].read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_file_begins_by_saying_which_question_it_answers(name):
    if MODULES[name].read_text(encoding="utf-8").strip():
        assert ast.get_docstring(tree(name))


def test_no_module_is_a_drawer_for_odds_and_ends():
    assert {name.split(".")[-1] for name in MODULES} & {"utils", "helpers", "common", "misc"} == set()


def test_every_public_name_exists_and_says_what_it_does():
    silent = [
        name
        for name in mini_mlflow.__all__
        if not name.startswith("_") and not (getattr(mini_mlflow, name).__doc__ or "").strip()
    ]
    assert silent == []


def loaded_by(code: str) -> Set[str]:
    """Return the modules that the code loads in a fresh process."""
    code = f"import sys; before = set(sys.modules); {code}; loaded = set(sys.modules) - before;"
    code += "import json; print(json.dumps(sorted(loaded)))"
    output = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout
    return set(json.loads(output.decode()))


def test_importing_the_package_loads_no_heavy_module():
    loaded = {name.split(".")[0] for name in loaded_by("import mini_mlflow")}
    assert NAME in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize(
    ("code", "of_reading"),
    [
        ("import mini_mlflow as m; m.start_run(); %s; m.end_run()", set()),
        ("import mini_mlflow as m\nwith m.ExperimentTracker() as m: %s\nimport sys", {f"{NAME}.tracker"}),
    ],
)
def test_who_only_logs_loads_nothing_of_what_reads(code, of_reading, tmp_path, monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_PROVENANCE", "off")
    monkeypatch.chdir(tmp_path)
    log = "m.log_metric('loss', 0.5); m.log_metric('loss', 0.4); m.log_param('lr', 0.1)"
    loaded = loaded_by(code % log)
    assert f"{NAME}.store.writer" in loaded
    assert loaded & {f"{NAME}.{name}" for name in READING} == of_reading


@pytest.mark.parametrize("program", ["-m", "/usr/bin/mini-mlflow", "mini-mlflow.exe"])
def test_a_command_loads_what_logs_only_where_it_logs(program):
    code = f"sys.argv[:] = ['{program}']; import mini_mlflow as m"
    assert loaded_by(code) & {f"{NAME}.fluent", f"{NAME}.run", f"{NAME}.store.writer"} == set()
    assert {f"{NAME}.fluent", f"{NAME}.run"} <= loaded_by(code + "; m.start_run, m.Run")


def test_what_logs_is_loaded_in_the_midst_of_no_training(tmp_path, monkeypatch):
    assert {f"{NAME}.fluent", f"{NAME}.run"} <= loaded_by("import mini_mlflow")
    monkeypatch.setenv("MINI_MLFLOW_PROVENANCE", "off")  # else a thread loads what looks at Git meanwhile
    monkeypatch.chdir(tmp_path)
    start = "import mini_mlflow as m; m.start_run()"
    log = "m.log_metric('loss', 0.5, step=1); m.log_metrics({'a': 1}); m.log_param('lr', 0.1); m.set_tag('by', 'me')"
    assert loaded_by(f"{start}; {log}") == loaded_by(start) >= {f"{NAME}.store.writer"}


def test_the_names_that_are_loaded_at_their_first_use_are_there_after_a_plain_import():
    code = "import mini_mlflow as m; assert m.tracker.ExperimentTracker is m.ExperimentTracker; m.RunInfo; m.Metric"
    assert f"{NAME}.tracker" in loaded_by(code)
