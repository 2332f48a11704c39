"""What a script sees, kept as facts that can be compared: plain values, with ids, times and paths made alike.

The environment says who is looked at (COMPAT_SUBJECT: ``mlflow`` or ``ours``) and where facts go (COMPAT_FACTS).
"""

import json
import math
import os
import re

if os.environ["COMPAT_SUBJECT"] == "mlflow":
    import mlflow
else:
    from mini_mlflow.compat import mlflow  # noqa: F401 - for the scripts

GENERATED = re.compile(r"^[a-z]+-[a-z]+-[0-9]+$")
MOST, LONGEST = 30, 300  # of what a fact shows: all that counts of a thousand rows fits in
_ids = {}


def note(name, value):
    """Keep one fact."""
    with open(os.environ["COMPAT_FACTS"], "a", encoding="utf-8") as file:
        file.write(json.dumps([name, plain(value)]) + "\n")


def trial(name, action, *arguments, says=(), **keywords):
    """Keep what a call returns or raises; of a message, which of the words in *says* it has."""
    try:
        result = action(*arguments, **keywords)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a fact
        is_ours = type(error).__name__ == "MlflowException"
        kind = type(error).__name__ if is_ours else builtin(error)
        fact = {"raised": kind, "says": [word for word in says if word in str(error)]}
        if is_ours:
            fact["code"] = error.error_code
        note(name, fact)
        return None
    note(name, {"returned": result})
    return result


def builtin(error):
    """Return the nearest class of an exception that Python itself has."""
    return next(base.__name__ for base in type(error).__mro__ if base.__module__ == "builtins")


def plain(value):
    """Return a value as JSON has it, without what differs from run to run."""
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return alike(value)
    if isinstance(value, dict):
        keys = sorted(value, key=str)
        shown = {alike(str(key)): plain(value[key]) for key in keys[:MOST]}
        return shown if len(keys) <= MOST else dict(shown, **{"and more, in all": len(keys)})
    if isinstance(value, (list, tuple)):
        shown = [plain(each) for each in value[:MOST]]
        return shown if len(value) <= MOST else [*shown, "and more, in all %d" % len(value)]
    return "<%s>" % type(value).__name__


def alike(text):
    """Return a text with run ids numbered as they come, and generated names and folders named as such."""
    if len(text) > LONGEST:
        return "%s and more, in all %d characters" % (text[:20], len(text))
    if GENERATED.match(text):
        return "<generated>"
    here = os.getcwd()
    text = text.replace(os.path.realpath(here), "<here>").replace(here, "<here>")
    return re.sub(r"\b[0-9a-f]{32}\b", lambda found: _ids.setdefault(found.group(), "<run %d>" % (len(_ids) + 1)), text)


def tags_of(run):
    """Return a run's tags without what depends on the machine."""
    tags = dict(run.data.tags)
    if "mlflow.user" in tags:
        tags["mlflow.user"] = "<user>"
    if "mlflow.source.name" in tags:
        tags["mlflow.source.name"] = os.path.basename(tags["mlflow.source.name"])
    return {key: value for key, value in tags.items() if not key.startswith("mlflow.source.git")}


def files_of(client, run_id, path=None):
    """Return every artifact: content for what is text, the kind for the rest."""
    found = {}
    for info in client.list_artifacts(run_id, path):
        name = re.sub(r"(?<=[+%])[0-9a-f-]{36}|(?<=timestamp.)[0-9]+", "<new>", info.path)
        if info.is_dir:
            found[name + "/"] = files_of(client, run_id, info.path)
        elif name.endswith((".txt", ".csv", ".html", ".md")):
            with open(client.download_artifacts(run_id, info.path), encoding="utf-8") as file:
                found[name] = [info.file_size, file.read()] if not name.endswith(".html") else "html"
        elif name.endswith(".json"):
            with open(client.download_artifacts(run_id, info.path), encoding="utf-8") as file:
                found[name] = json.load(file)
        else:
            found[name] = "%s bytes" % ("some" if info.file_size else "no")
    return found
