"""Does the source keep away from what turns a file or a text into a program?"""

import ast
from pathlib import Path

import pytest

import mini_mlflow

PACKAGE = Path(mini_mlflow.__file__).resolve().parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "yaml.load_all", "yaml.unsafe_load",
    "yaml.full_load", "tempfile.mktemp", "os.tempnam", "subprocess.getoutput", "subprocess.getstatusoutput",
    # These look a program up in PATH, where the current folder may stand.
    "os.posix_spawnp", "os.execvp", "os.execvpe", "os.execlp", "os.execlpe", "os.spawnvp", "os.spawnlp", "shutil.which",
}  # fmt: skip
METHODS = {"extractall", "extract", "unsafe_load", "full_load"}
MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "joblib", "imp", "code", "runpy"}
LOADERS = {"Loader", "UnsafeLoader", "FullLoader", "CLoader", "CUnsafeLoader", "CFullLoader"}
WRITABLE_BY_OTHERS = 0o022
SECRETS = ("token", "secret", "password", "signature", "digest")


def name_of(node):
    """Return a dotted name as it stands in the code, empty for anything else."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def offences(tree):
    """Return (line, what) of everything that attack E14 forbids."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = name_of(node.func)
            if name in CALLS or (isinstance(node.func, ast.Attribute) and node.func.attr in METHODS):
                found.append((node.lineno, name or node.func.attr))
            shells = [literal(keyword.value) for keyword in node.keywords if keyword.arg == "shell"]
            found += [(node.lineno, "shell=") for value in shells if value is not False]
            if name in ("os.chmod", "os.fchmod", "os.mkdir", "os.makedirs") or name.endswith(".chmod"):
                found += [(node.lineno, name) for mode in integers(node) if mode & WRITABLE_BY_OTHERS]
        elif isinstance(node, ast.Import):
            found += [(node.lineno, each.name) for each in node.names if each.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = {"%s.%s" % (node.module, each.name) for each in node.names}
            if node.module.split(".")[0] in MODULES or names & CALLS:
                found.append((node.lineno, node.module))
        elif isinstance(node, ast.Attribute) and node.attr in LOADERS:
            found.append((node.lineno, node.attr))
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            words = [name_of(side).rpartition(".")[2].lower() for side in [node.left, *node.comparators]]
            found += [(node.lineno, "== on a secret") for word in words if word.endswith(SECRETS)]
    return found


def literal(node):
    """Return the value of a literal; Python 3.7 has another name for it."""
    return node.value if hasattr(node, "value") else getattr(node, "n", None)


def integers(node):
    return [value for value in map(literal, ast.walk(node)) if type(value) is int]


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(PACKAGE)) for path in SOURCES])
def test_e14_the_source_runs_no_text_and_opens_nothing_to_others(path):
    assert offences(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "code",
    [
        "eval('1')", "exec(x)", "os.system('x')", "subprocess.run('x', shell=True)", "subprocess.Popen(x, shell=flag)",
        "import pickle", "from pickle import loads", "import pickle as p", "yaml.load(x)", "yaml.load(x, Loader)",
        "yaml.unsafe_load(x)", "yaml.CLoader(x)", "archive.extractall()", "tarfile.open(x).extractall(y)",
        "tempfile.mktemp()", "from tempfile import mktemp", "os.chmod(x, 0o777)", "path.chmod(0o666)",
        "os.mkdir(x, 0o777)", "from os import system", "token == given", "if self.token != x: pass",
        "shutil.which('git')", "os.posix_spawnp('git', x, y)", "from os import execvp",
    ],
)  # fmt: skip
def test_e14_such_code_would_be_found(code):
    assert offences(ast.parse(code)) != []


@pytest.mark.parametrize(
    "code",
    ["subprocess.run([x], shell=False)", "yaml.SafeLoader(x)", "os.mkdir(x)", "os.chmod(x, 0o600)", "re.compile(x)",
     "hmac.compare_digest(token, x)", "tokens = 5", "os.makedirs(x, exist_ok=True)"],
)  # fmt: skip
def test_e14_innocent_code_is_not(code):
    assert offences(ast.parse(code)) == []
