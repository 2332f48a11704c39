"""``export FORMAT PATH``: write runs as CSV, JSON, MLflow's files or Parquet."""

from __future__ import annotations

import io
from contextlib import contextmanager

from ..exporting import csv_table, destination, json_document, mlflow_files
from ..progress import Progress
from ..search.runs import search_runs
from . import carried, numbers, texts
from .failures import DONE, NO, USAGE, CommandError
from .options import add_place
from .target import find_target

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Callable, Iterator, List, TextIO

    from ..records import Problem, StoredRun
    from .options import Parser
    from .screen import Screen
    from .target import Target

FORMATS = ("csv", "json", "mlflow", "parquet")
EXAMPLES = (
    "export csv runs.csv -e cifar10-sweep",
    "export csv curves.csv --histories -f 'val.acc > 0.9'",
    "export json - | jq '.runs[].metrics'",
    "export mlflow ../for-mlflow/mlruns",
)


def add_arguments(parser: Parser) -> None:
    """Add what ``export`` takes."""
    text = "csv: a row per run; json; mlflow: files that every MLflow reads; parquet (needs mini-mlflow[parquet])"
    parser.add_argument("format", metavar="FORMAT", choices=FORMATS, help=text)
    parser.add_argument("path", metavar="PATH", help="the file, or the folder (mlflow, parquet); - is standard output")
    add_place(parser)
    parser.add_argument("-f", "--filter", metavar="TEXT", help="such as 'val.acc > 0.9 and lr < 0.1'")
    parser.add_argument("-a", "--all", action="store_true", help="deleted runs, too")
    parser.add_argument("--histories", action="store_true", help="every value of every metric, not the last alone")
    parser.add_argument("--raw", action="store_true", help="csv: no apostrophe before what a spreadsheet would compute")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Export, and tell how much; exit code 1 where something could not be read."""
    target = find_target(arguments)
    if arguments.path == "-" and arguments.format not in ("csv", "json"):
        raise CommandError("%s writes a folder, not to standard output" % arguments.format, USAGE)
    runs = search_runs(
        target.ids(arguments.experiment),
        arguments.filter or "",
        "ALL" if arguments.all else "ACTIVE_ONLY",
        None,
        output_format="list",
        runs_dir=target.folder,
    )
    problems: List[Problem] = []
    with Progress("Exporting", len(runs), "runs") as progress:
        skipped = _write(arguments, target, runs, problems, progress.advance, screen)
    if arguments.path != "-":
        _tell(arguments, len(runs), skipped, problems, target, screen)
    elif problems:
        for line in carried.list_problems(problems, target.folder, screen):
            screen.write_error(line)
    return NO if problems else DONE


def _write(
    arguments: argparse.Namespace,
    target: Target,
    runs: List[StoredRun],
    problems: List[Problem],
    advance: Callable[[int], None],
    screen: Screen,
) -> int:
    """Write the runs; return how many an earlier export has written."""
    names = target.names()
    if arguments.format == "mlflow":
        there = {str(each.experiment_id): each for each in target.experiments(with_deleted=True)}
        written = mlflow_files.write(arguments.path, runs, there, advance)
        problems.extend(written.problems)
        return len(written.there)
    if arguments.format == "parquet":
        from ..exporting import parquet  # pyarrow takes a while to load

        parquet.write(arguments.path, runs, names, problems, advance, with_histories=arguments.histories)
        return 0
    with _stream(arguments, screen) as stream:
        if arguments.format == "json":
            facts = {"store": target.shown, "with_histories": arguments.histories}
            json_document.write(stream, runs, names, problems, advance, **facts)
        elif arguments.histories:
            csv_table.write_histories(stream, runs, names, problems, advance, is_raw=arguments.raw)
        else:
            csv_table.write_runs(stream, runs, names, is_raw=arguments.raw)
    return 0


@contextmanager
def _stream(arguments: argparse.Namespace, screen: Screen) -> Iterator[TextIO]:
    """Lend where the text goes: a new file, or standard output; on a terminal nothing in it steers that."""
    if arguments.path != "-":
        with destination.new_file(arguments.path, is_replaced=arguments.force) as stream:
            yield stream
        return
    text = io.StringIO(newline="")
    yield text
    if screen.is_terminal:
        screen.write("".join(texts.clean(line, screen.encoding) + "\n" for line in text.getvalue().splitlines()))
    else:
        screen.write(text.getvalue().encode(screen.encoding, "backslashreplace").decode(screen.encoding))


def _tell(
    arguments: argparse.Namespace,
    count: int,
    skipped: int,
    problems: List[Problem],
    target: Target,
    screen: Screen,
) -> None:
    if screen.is_json:
        screen.write_json(
            "export",
            store=target.shown,
            path=arguments.path,
            format=arguments.format,
            runs=count,
            skipped=skipped,
            problems=carried.as_documents(problems),
        )
        return
    line = "%s to %s" % (numbers.counted(count - skipped, "run"), screen.clean(arguments.path))
    if skipped:
        line += screen.own(" · %s there already" % numbers.counted(skipped, "run"))
    lines = [line]
    if problems:
        lines += ["", *carried.list_problems(problems, target.folder, screen)]
    screen.write_lines(lines)
