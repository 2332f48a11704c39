"""Which commands are there?"""

from __future__ import annotations

from collections import namedtuple

LOOK, WRITE, CARRY, KEEP = "Look", "Write", "Carry", "Keep"


class Command(namedtuple("Command", ["module", "group", "usage", "line"])):
    """One command.

    Attributes:
        module: The module of ``mini_mlflow.cli`` that does it: ``add_arguments(parser)``, ``run(arguments, screen)``.
        group: Where the overview lists it.
        usage: What may follow its name.
        line: What it does, in one line.
    """

    __slots__ = ()

    module: str
    group: str
    usage: str
    line: str


# By name, in the order of the overview. A module is loaded when its command runs.
COMMANDS = {
    "ls": Command("ls", LOOK, "[EXPERIMENT]", "experiments; the runs of one; with -g, groups of runs"),
    "show": Command("show", LOOK, "RUN", "one run: params, metrics, files, where it comes from"),
    "compare": Command("compare", LOOK, "RUN RUN...", "what differs between runs"),
    "best": Command("best", LOOK, "METRIC[:min|:max]", "the runs with the best values of a metric"),
    "history": Command("history", LOOK, "RUN [METRIC...]", "every value of metrics, step by step"),
    "plot": Command("plot", LOOK, "METRIC [RUN...]", "curves of a metric, of runs or of groups of runs"),
    "watch": Command("watch", LOOK, "[EXPERIMENT]", "a dashboard of the runs as they go; a line per change in a pipe"),
    "tail": Command("tail", LOOK, "RUN", "the last values and printed lines of a run; with -f, those that come"),
    "path": Command("path", LOOK, "RUN [ARTIFACT]", "where the files of a run lie"),
    "ui": Command("ui", LOOK, "[DIR...]", "the runs as a page in the browser"),
    "run": Command("run", WRITE, "-- COMMAND", "run a command as a tracked run: console, exit code, origin"),
    "tag": Command("tag", WRITE, "RUN... KEY=VALUE", "attach tags to runs, or take them away"),
    "note": Command("note", WRITE, "RUN [TEXT]", "keep a note on a run"),
    "rename": Command("rename", WRITE, "RUN NAME", "give a run another name"),
    "mv": Command("mv", WRITE, "RUN... EXPERIMENT", "move runs into another experiment"),
    "rm": Command("rm", WRITE, "RUN...", "move runs to the trash"),
    "restore": Command("restore", WRITE, "RUN...", "bring runs back from the trash"),
    "gc": Command("gc", WRITE, "", "what is in the trash; remove it for good"),
    "merge": Command("merge", CARRY, "STORE", "bring in what another store has and this one lacks"),
    "import": Command("import_runs", CARRY, "FORMAT PATH", "bring in runs of MLflow or of Lightning's CSVLogger"),
    "export": Command("export", CARRY, "FORMAT PATH", "write runs as CSV, JSON, Parquet or MLflow's files"),
    "report": Command("report", CARRY, "RUN...", "runs as one HTML file that opens anywhere, without a server"),
    "pack": Command("pack", CARRY, "EXPERIMENT", "finished runs into archives, for disks that count files"),
    "unpack": Command("unpack", CARRY, "EXPERIMENT [RUN...]", "runs out of their archives again"),
    "check": Command("check", KEEP, "[--repair]", "does the store keep the rules of its files? mend what can be"),
    "doctor": Command("doctor", KEEP, "", "what can this disk do, and what will the tracker do because of it?"),
    "completion": Command("completion", KEEP, "SHELL", "what teaches bash, zsh or fish the words of this program"),
}

# What the same is called by others, or was guessed to be.
OTHER_NAMES = {
    "diff": "compare", "cmp": "compare", "list": "ls", "runs": "ls", "experiments": "ls", "groups": "ls",
    "search": "ls", "status": "watch", "top": "best", "leaderboard": "best", "log": "history", "metrics": "history",
    "logs": "tail", "chart": "plot", "info": "show", "cat": "show", "view": "ui", "server": "ui", "start": "run",
    "exec": "run", "comment": "note", "move": "mv", "delete": "rm", "remove": "rm", "undelete": "restore",
    "purge": "gc", "prune": "gc", "sync": "merge", "pull": "merge", "fsck": "check", "repair": "check",
}  # fmt: skip
