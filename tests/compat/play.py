"""Play scripts, each in a folder of its own, and keep what they and a process after them see of the store.

``python play.py [SCRIPT ...]`` plays all or some under the MLflow that is installed, and writes what was seen to
``expected.json``.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, "scripts")
LOOK = os.path.join(HERE, "look.py")
EXPECTED = os.path.join(HERE, "expected.json")
SILENT = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ALLOW_FILE_STORE": "true", "PYTHONIOENCODING": "utf-8"}
VARIABLES = ("MLFLOW_", "MINI_MLFLOW_")
DEADLINE_S = 120
# What MLflow imports when a store is used for the first time: seconds in each child, were it not there already.
LATE = (
    "git", "IPython", "mlflow.artifacts", "mlflow.entities", "mlflow.protos.internal_pb2", "mlflow.utils.name_utils",
    "mlflow.store.tracking.file_store", "mlflow.store.tracking.sqlalchemy_store", "mlflow.store.db.utils",
    "alembic.command", "sqlalchemy.dialects.sqlite",
)  # fmt: skip


def script_names():
    """Return the names of all scripts."""
    return sorted(name[:-3] for name in os.listdir(SCRIPTS) if name.endswith(".py"))


def environment(subject, folder, store, facts):
    """Return the environment of a script: whom it looks at, where runs go, where facts go."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(VARIABLES)}
    kept.update(SILENT, COMPAT_SUBJECT=subject, COMPAT_FACTS=os.path.join(folder, facts))
    kept["PYTHONPATH"] = os.pathsep.join([HERE, *filter(None, [kept.get("PYTHONPATH")])])
    kept["MLFLOW_TRACKING_URI"] = {
        "file": "file://" + os.path.join(folder, "store"),
        "sqlite": "sqlite:///" + os.path.join(folder, "store.db"),
    }[store]
    return kept


def read(folder, codes):
    """Return the facts that a script and the look after it have left, and how the script ended."""
    facts = {"exit": codes[0]}
    for name, prefix in (("script.facts", ""), ("look.facts", "then: ")):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                for line in file:
                    key, value = json.loads(line)
                    facts[prefix + key] = value
    if codes[1] != 0:
        facts["then: exit"] = codes[1]
    return facts


def play_ours(name, folder):
    """Return the facts of one script under our front, each process a new one."""
    codes, said = [], []
    outside = os.path.join(folder, "code")  # of any repository, so that git has nothing to tell of it
    os.mkdir(outside)
    for path, facts in ((os.path.join(SCRIPTS, name + ".py"), "script.facts"), (LOOK, "look.facts")):
        path = shutil.copy(path, outside)  # noqa: PLW2901 - the copy is what runs
        done = subprocess.run(
            [sys.executable, "-W", "error", path],
            cwd=folder, env=environment("ours", folder, "file", facts), check=False, timeout=DEADLINE_S,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        codes.append(done.returncode)
        said.append(done.stdout.decode("utf-8", "replace"))
    return read(folder, codes), "".join(said)


def play_real(store, folder, names):
    """Return the facts of scripts under MLFlow: imported once, then forked, as the import takes seconds."""
    os.environ.update(SILENT, COMPAT_SUBJECT="mlflow")
    for module in LATE:
        with contextlib.suppress(ImportError):  # other versions have them elsewhere
            importlib.import_module(module)
    gc.collect()
    gc.freeze()  # what the children share with this process stays shared
    template = os.path.join(folder, "template.db")
    if store == "sqlite":
        forked(folder, dict(os.environ, MLFLOW_TRACKING_URI="sqlite:///" + template), None)
    found = {}
    for name in names:
        inside = os.path.join(folder, name)
        os.mkdir(inside)
        if store == "sqlite":
            shutil.copy(template, os.path.join(inside, "store.db"))
        codes = [
            forked(inside, environment("mlflow", inside, store, facts), path)
            for path, facts in ((os.path.join(SCRIPTS, name + ".py"), "script.facts"), (LOOK, "look.facts"))
        ]
        found[name] = read(inside, codes)
    return found


def forked(folder, environ, path):
    """Run a script in a forked child as if it had been started; return its exit status."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environ)
        output = os.open(os.path.join(folder, "output"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.path[0] = SCRIPTS
        sys.path.insert(1, HERE)
        leave(path)
    deadline = time.monotonic() + DEADLINE_S
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return -(status & 127) if status & 127 else status >> 8
        if time.monotonic() > deadline:
            os.kill(child, 9)
        time.sleep(0.01)


def leave(path):
    """Run a script, None for a look at the store alone, and end as the interpreter does, but for what takes a second.

    That is taking every module of MLflow's to pieces.
    """
    status = 0
    try:
        if path is None:
            import mlflow

            mlflow.search_experiments()
        else:
            sys.argv = [path]
            runpy.run_path(path, run_name="__main__")
    except SystemExit as asked:
        status = asked.code if isinstance(asked.code, int) else int(asked.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter does
        sys.excepthook(*sys.exc_info())
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def record(folder, names):
    """Return what is seen under MLflow: per script and fact one value, or those on the file store and on SQLite."""
    seen = {}
    for store in ("file", "sqlite"):
        inside = os.path.join(folder, store)
        os.makedirs(inside)
        seen[store] = play_real(store, inside, names)
    facts = {}
    for name in names:
        on_files, on_sqlite = seen["file"][name], seen["sqlite"][name]
        facts[name] = {}
        for key in sorted({*on_files, *on_sqlite}):
            both = [on_files.get(key), on_sqlite.get(key)]
            facts[name][key] = both[:1] if both[0] == both[1] else both
    return facts


def main(names):
    """Record, and write the file that the tests compare with."""
    import mlflow

    folder = tempfile.mkdtemp()
    facts = {}
    if names:
        with open(EXPECTED, encoding="utf-8") as file:
            facts = json.load(file)["facts"]
    facts.update(record(folder, names or script_names()))
    facts = {name: facts[name] for name in script_names()}
    shutil.rmtree(folder)
    lines = ['{"mlflow": %s, "facts": {' % json.dumps(mlflow.__version__)]
    for number, (name, found) in enumerate(facts.items()):
        lines.append("%s%s: {" % ("," if number else "", json.dumps(name)))
        pairs = ["  %s: %s" % (json.dumps(key), json.dumps(value)) for key, value in sorted(found.items())]
        lines += [",\n".join(pairs), "}"]
    with open(EXPECTED, "w", encoding="utf-8") as file:
        file.write("\n".join([*lines, "}}"]) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
