"""``import FORMAT PATH``: bring in the runs of another tracker."""

from __future__ import annotations

from ..importing import sources
from . import carried
from .failures import DONE, NO, NOT_FOUND, CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import List

    from ..importing.arrival import Imported
    from .options import Parser
    from .screen import Screen
    from .target import Target

EXAMPLES = (
    "import mlflow old/mlruns -d mlruns",
    "import mlflow mlflow.db -e cifar10",
    "import lightning-csv lightning_logs --into cifar10",
)


def add_arguments(parser: Parser) -> None:
    """Add what ``import`` takes."""
    text = "mlflow: a file store of MLflow 1.0 to 3.18, or its SQLite file; lightning-csv: what CSVLogger wrote"
    parser.add_argument("format", metavar="FORMAT", choices=sources.FORMATS, help=text)
    parser.add_argument("path", metavar="PATH", help="where it lies; it is only read")
    parser.add_argument("-e", "--experiment", metavar="NAME", help="mlflow: only this experiment there: its name or id")
    parser.add_argument("--into", metavar="NAME", help="the experiment here that all go to; else one of the same name")
    text = "mlflow, SQLite: the folder in which artifacts may lie; else that of the file"
    parser.add_argument("--artifacts", metavar="DIR", help=text)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Import, and tell what came in; exit code 1 where something was left out."""
    target = carried.find_or_name_store(arguments)
    try:
        if arguments.format == "mlflow":
            imported = sources.import_mlflow(
                arguments.path,
                target.folder,
                only=arguments.experiment,
                into=arguments.into,
                reach=arguments.artifacts,
            )
        else:
            imported = sources.import_lightning(arguments.path, target.folder, into=arguments.into)
    except FileNotFoundError as error:
        raise CommandError("%s: %s" % (error.strerror, arguments.path), NOT_FOUND) from error
    if screen.is_json:
        screen.write_json(
            "import",
            store=target.shown,
            source=arguments.path,
            runs=carried.runs_as_documents(imported.runs, target),
            problems=carried.as_documents(imported.problems),
            size_bytes=imported.size_bytes,
        )
    else:
        screen.write_lines(_render(imported, arguments, target, screen))
    return DONE if imported.is_whole else NO


def _render(imported: Imported, arguments: argparse.Namespace, target: Target, screen: Screen) -> List[str]:
    names = (screen.clean(arguments.path), screen.clean(target.shown))
    lines = [screen.styled("strong", "%s into %s" % names), ""]
    what = "of artifacts"
    lines.append(" " + carried.summary_line(imported.runs, imported.size_bytes, screen, is_dry=False, what=what))
    experiments = list(dict.fromkeys(each.experiment for each in imported.runs))
    if experiments:
        shown = ", ".join(experiments[:5]) + (", ..." if len(experiments) > 5 else "")
        lines.append(" in " + screen.clean(shown))
    told = carried.list_left(imported.runs, screen) + carried.list_problems(imported.problems, arguments.path, screen)
    return [*lines, "", *told] if told else lines
