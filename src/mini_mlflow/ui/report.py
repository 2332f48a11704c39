"""How do runs become one file that is a page: it opens anywhere, without a server, and asks nothing of the network?"""

from __future__ import annotations

import os
import re
import zlib
from base64 import b64encode
from collections import namedtuple
from hashlib import sha256

from .. import active, clock, config, given_runs
from ..errors import InvalidValueError, MiniMLflowError
from ..exporting import destination
from ..progress import Progress
from . import bundle, pages, report_data
from .api import histories
from .api.stores import Stores, make_ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union

    ExperimentId = Union[int, str]
    Path = Union[str, os.PathLike[str]]

DEFAULT_PATH = "report.html"
MOST_BYTES = 1000000  # of 50 runs with 10 metrics of any length; more runs or metrics take more
_WIDTH = 400  # columns of a chart: more are not seen
_LEAST_WIDTH = 40
_TRIES = 3
_SAMPLE = 8  # runs by which it is guessed how fine curves may be
_ENTRIES = ("reporting.js", "main.js")
_LICENCES = ("vendor/LICENSE.uPlot.txt", "vendor/LICENSE.preact.txt", "vendor/LICENSE.htm.txt")
_TAG = re.compile(r'<(?:link rel="(?:icon|stylesheet)"[^>]*>|script [^>]*src="static/[^>]*></script>)\n?')
_STYLES = re.compile(r'<link rel="stylesheet" href="static/([^"]+)">')


class Report(namedtuple("Report", ["path", "size_bytes", "runs", "metrics", "width"])):
    """A report that was made.

    Attributes:
        path: The file; empty before it is in one.
        size_bytes: How large it is.
        runs: How many runs it holds.
        metrics: How many metrics have curves in it.
        width: Into how many columns each curve was thinned.
    """

    __slots__ = ()

    path: str
    size_bytes: int
    runs: int
    metrics: int
    width: int


def report(
    runs: Any,
    path: Path = DEFAULT_PATH,
    *,
    experiment_id: Optional[ExperimentId] = None,
    runs_dir: Optional[Path] = None,
    provenance: bool = False,
    force: bool = False,
) -> str:
    """Write runs as one HTML file: table, charts, comparison and each run, in any browser, without a server.

    Args:
        runs: Ids, runs of ``search_runs``, a DataFrame of runs, or one run; 500 at most.
        path: The file.
        experiment_id: The experiment of those that are given as ids; None: any may have them.
        runs_dir: The store's folder, as in ``start_run``.
        provenance: Whether command lines, hosts, users, paths, versions and uncommitted changes go along. Without, the
            file tells nothing of where the runs come from, beside what was logged as a param, metric, tag or note.
        force: Whether a file that is there is replaced.

    Returns:
        The path. The file appears whole or not at all.

    Raises:
        InvalidValueError: There are no runs or too many, they are of several stores, or the file is there already.
        RunNotFoundError: There is no such run.
        AmbiguousRunError: Several experiments have a run of an id.
        OSError: The disk refused.
    """
    folder, places = find_places(runs, experiment_id, runs_dir)
    how = {"has_provenance": provenance, "is_replaced": force}
    return write_report(folder, places, os.fspath(path), now_ms=clock.now_ms(), **how).path


def find_places(
    runs: Any, experiment_id: Optional[ExperimentId], runs_dir: Optional[Path]
) -> Tuple[str, List[Tuple[ExperimentId, str]]]:
    """Return the store of runs that a user gives, and the experiment and the id of each.

    Args:
        runs: As in ``report``.
        experiment_id: The experiment of those that are given as ids; None: any may have them.
        runs_dir: The store's folder, as in ``start_run``.

    Raises:
        InvalidValueError: They are of several stores.
        RunNotFoundError, AmbiguousRunError: As ``report``.
    """
    store = active.store_folder(runs_dir)
    found = given_runs.find_given(runs, experiment_id, store)
    folders = {os.path.dirname(os.path.dirname(each.folder)) for each in found} or {store}
    if len(folders) > 1:
        message = "A report shows runs of one store, these are of %d. Bring them together by mini-mlflow merge."
        raise InvalidValueError(message % len(folders), value=None)
    return folders.pop(), [(each.experiment_id, each.run_id) for each in found]


def write_report(
    folder: str,
    places: Sequence[Tuple[ExperimentId, str]],
    path: str,
    *,
    now_ms: int,
    has_provenance: bool = False,
    is_replaced: bool = False,
) -> Report:
    """Write the report of some runs.

    Args:
        folder: Their store, an absolute path.
        places: Their experiments and ids.
        path: The file.
        now_ms: The clock.
        has_provenance: As in ``report``.
        is_replaced: Whether a file that is there is replaced.

    Raises:
        InvalidValueError: There are no runs or too many, or the file is there already.
        RunNotFoundError: One is gone.
        OSError: The disk refused.
    """
    _check_count(places)
    with destination.new_file(path, is_replaced=is_replaced) as stream:
        text, facts = make_report(folder, places, now_ms=now_ms, has_provenance=has_provenance)
        stream.write(text)
    return facts._replace(path=path)


def make_report(
    folder: str,
    places: Sequence[Tuple[ExperimentId, str]],
    *,
    now_ms: int,
    has_provenance: bool = False,
    theme: Optional[str] = None,
) -> Tuple[str, Report]:
    """Return the report of some runs as text, and what there is to tell of it; raises as ``write_report``.

    Its colours are those of *theme*, ``light`` or ``dark``; None: of the system that shows it.
    """
    _check_count(places)
    stores, kept = Stores([folder], is_read_only=True), histories.Histories()
    refs = [make_ref(0, experiment_id, run_id) for experiment_id, run_id in places]
    with Progress("Reading", len(refs), "runs") as shown:
        data = report_data.make_report_data(
            stores, refs, version=config.package_version(), now_ms=now_ms, has_provenance=has_provenance, kept=kept,
            advance=shown.advance,
        )  # fmt: skip
        first = {name: part for name, part in data.items() if name != "rest"}
        page = Page(pages.read_files(), dict(first, theme=theme))
        rest, width = _fit(
            lambda wide, some: _pack(report_data.read_curves(stores, kept, data, wide, some)), page, refs
        )
        text = page.render(rest)
    metrics = min(report_data.MOST_METRICS, len(data["runs"]["keys"]["metrics"]))
    return text, Report("", len(text.encode("utf-8", "backslashreplace")), len(refs), metrics, width)


def _check_count(places: Sequence[Any]) -> None:
    if not places:
        raise InvalidValueError("A report needs a run, or more.", value=None)
    if len(places) > report_data.MOST_RUNS:
        message = "A report shows %d runs at most, these are %d. Take fewer, such as the best."
        raise InvalidValueError(message % (report_data.MOST_RUNS, len(places)), value=len(places))


def _fit(read: Callable[[int, Sequence[str]], bytes], page: Page, refs: Sequence[str]) -> Tuple[bytes, int]:
    """Return the rest of a report, in base64, with curves as fine as fit into it, and how fine that is."""
    room = MOST_BYTES - len(page.render(b"").encode("utf-8", "backslashreplace"))
    width, few = _WIDTH, refs[:: -(-len(refs) // _SAMPLE)]
    # The few stand for all: what is in every report, whatever its runs, makes the guess a little low.
    if len(few) < len(refs):
        width = _narrower(width, room / (len(read(width, few)) * len(refs) / len(few)))
    rest = read(width, refs)
    for _ in range(_TRIES):
        if len(rest) <= room or width == _LEAST_WIDTH:
            break
        width = _narrower(width, room / len(rest))
        rest = read(width, refs)
    return rest, width


def _narrower(width: int, share: float) -> int:
    """Return how many columns fit where *share* of what there is does; as many where all does."""
    return width if share >= 1 else max(_LEAST_WIDTH, min(width - 1, int(width * 0.97 * max(0.01, share))))


def _pack(data: bytes) -> bytes:
    return b64encode(zlib.compress(data, 9))


class Page:
    """The page of a report, before it is known how fine its curves are."""

    def __init__(self, files: Mapping[str, bytes], data: Dict[str, Any]) -> None:
        """Take the files of the page, and what it begins with.

        Raises:
            MiniMLflowError: The files have a form that one page cannot hold.
        """
        texts = {name: _decode(file) for name, file in files.items() if not name.endswith(".png")}
        index = texts[pages.INDEX]
        style = "\n".join(texts[name] for name in _STYLES.findall(index))
        if "</style" in style.lower() or "url(" in style or "@import" in style:
            raise MiniMLflowError("The styles of the page cannot stand within it.")
        uplot = bundle.check_inline(bundle.calm_plot(texts[pages.UPLOT]), pages.UPLOT)
        modules = {name: text for name, text in texts.items() if name.endswith(".js") and name != pages.UPLOT}
        scripts = [uplot, bundle.bundle_modules(modules, _ENTRIES)]
        icon = b64encode(files["icon.svg"]).decode("ascii")
        head, body = _TAG.sub("", index).split("</head>")
        if "static/" in head + body:
            raise MiniMLflowError("The page of a report would ask for files.")
        hole = pages.HOLE.decode("ascii")
        self._parts = [
            head.replace('<meta charset="utf-8">', '<meta charset="utf-8">\n' + _policy(scripts, style), 1),
            '<link rel="icon" href="data:image/svg+xml;base64,%s">\n<style>%s</style>\n</head>' % (icon, style),
            body.split(hole)[0],
            pages.make_bootstrap(data).decode() + "\n",
            '<script type="text/plain" id="licences">%s</script>\n'
            % "\n\n".join(texts[name] for name in _LICENCES).replace("<", "(").replace(">", ")"),
        ]
        self._end = "".join("<script>%s</script>\n" % script for script in scripts) + body.split(hole)[1].lstrip("\n")

    def render(self, rest: bytes) -> str:
        """Return the file, with the rest of its data, packed and in base64."""
        packed = '<script type="application/octet-stream" id="rest">%s</script>\n' % rest.decode("ascii")
        return "".join([*self._parts, packed, self._end])


def _policy(scripts: List[str], style: str) -> str:
    """Return the tag that forbids all but the scripts and the style of the page, by their digests."""
    digests = ["'sha256-%s'" % b64encode(sha256(text.encode()).digest()).decode() for text in [*scripts, style]]
    policy = "default-src 'none'; script-src %s; style-src %s; img-src data:; base-uri 'none'; form-action 'none'"
    content = policy % (" ".join(digests[:-1]), digests[-1])
    return '<meta http-equiv="Content-Security-Policy" content="%s">' % content


def _decode(data: bytes) -> str:
    """Return a file as a browser reads it within a page: a digest is over line feeds alone."""
    return data.decode("utf-8").replace("\r\n", "\n")
