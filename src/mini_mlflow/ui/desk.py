"""Which address answers what? The table of routes, and what each does with plain data."""

from __future__ import annotations

from collections import namedtuple
from time import monotonic

from ..clock import now_ms
from ..errors import MiniMLflowError, QueryError
from . import answers, artifact_answers, pages
from .api import (
    completion,
    details,
    differences,
    downloads,
    edits,
    files,
    histories,
    live,
    overview,
    patience,
    requests,
    runs,
    series,
    tables,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional

    from .answers import Answer
    from .api.stores import Stores
    from .settings import Settings

LIGHT, HEAVY = "light", "heavy"
_STATUS = {
    "query": 400, "invalid": 400, "not_found": 404, "conflict": 409, "read_only": 403, "unreadable": 422, "broken": 500,
}  # fmt: skip
_MOST_IDS = 500
_AHEAD_S = 2.0  # for curves that are read before somebody asks


class Asked(namedtuple("Asked", ["query", "body", "path", "headers"])):
    """What a request asks for.

    Attributes:
        query: Of the address, by name.
        body: Its JSON, None for GET.
        path: What stands in the place of the route's variable part.
        headers: By name in small letters, of those that matter.
    """

    __slots__ = ()

    query: Dict[str, str]
    body: Optional[requests.Body]
    path: str
    headers: Dict[str, str]


class Route(namedtuple("Route", ["method", "path", "answer", "weight"])):
    """An address that is answered.

    Attributes:
        method: ``GET`` (which answers HEAD, too) or ``POST``.
        path: Below the prefix; one that ends with ``/`` answers for all that follows.
        answer: Makes the answer.
        weight: Whether it may take long.
    """

    __slots__ = ()

    method: str
    path: str
    answer: Callable[[Asked], Answer]
    weight: str


class Desk:
    """Answers requests that were let in. It knows nothing of sockets, and may be asked by several threads."""

    def __init__(self, stores: Stores, settings: Settings, version: str) -> None:
        self.stores = stores
        self.histories = histories.Histories()
        self.static = pages.read_static()
        self._patience = patience.Patience()
        self._stamps = live.Stamps(self._patience)
        self._settings = settings
        self._version = version
        self.routes: List[Route] = [
            Route("GET", "/", self._index, HEAVY),
            Route("GET", "/static/", lambda asked: pages.send_file(self.static, asked.path), LIGHT),
            Route("GET", "/artifacts/", self._artifact, LIGHT),
            Route("GET", "/api/bootstrap", lambda _: answers.give(self._bootstrap()), HEAVY),
            Route("GET", "/api/experiments", lambda _: answers.give(overview.read_experiments(self.stores)), LIGHT),
            Route("GET", "/api/run", self._run, HEAVY),
            Route("GET", "/api/diff", self._diff, LIGHT),
            Route("GET", "/api/files", self._files, LIGHT),
            Route("GET", "/api/preview", self._preview, LIGHT),
            Route("GET", "/api/tail", self._tail, LIGHT),
            Route("POST", "/api/runs", self._runs, HEAVY),
            Route("POST", "/api/complete", self._complete, LIGHT),
            Route("POST", "/api/series", self._series, HEAVY),
            Route("POST", "/api/values", self._values, LIGHT),
            Route("POST", "/api/live", self._live, LIGHT),
            Route("POST", "/api/compare", self._compare, HEAVY),
            Route("POST", "/api/resolve", self._resolve, LIGHT),
            Route("POST", "/api/csv", self._csv, HEAVY),
            Route("POST", "/api/series.csv", self._series_csv, HEAVY),
            Route("POST", "/api/edit", self._edit, LIGHT),
            Route("POST", "/api/tag", self._tag, LIGHT),
            Route("POST", "/api/delete", self._delete, LIGHT),
            Route("POST", "/api/restore", self._restore, LIGHT),
        ]
        self._exact = {(route.method, route.path): route for route in self.routes if not is_open(route)}
        self._open = [route for route in self.routes if is_open(route)]

    def prepare(self) -> None:
        """Do what who opens the page first would wait for: modules, index, files of the page, curves seen first."""
        pages.pack_files(self.static)
        try:
            told = self._bootstrap()["runs"]
            if told is not None:
                metrics = [told["sorted_metric"], *(each["key"] for each in told["keys"]["metrics"])]
                wanted = [metric for metric in dict.fromkeys(metrics) if metric is not None]
                series.read_ahead(self.stores, self.histories, told["first"], wanted, monotonic() + _AHEAD_S)
        except (MiniMLflowError, OSError):
            pass  # it is told when somebody asks

    def find(self, method: str, path: str) -> Any:
        """Return the route of a path and what stands in its variable part; an answer where there is none."""
        method = "GET" if method == "HEAD" else method
        route = self._exact.get((method, path))
        if route is not None:
            return route, ""
        for route in self._open:
            if route.method == method and path.startswith(route.path):
                return route, path[len(route.path) :]
        if any(there == path for _, there in self._exact):
            return answers.refuse(405, "method", "This address is asked by another method."), ""
        return answers.refuse(404, "not_found", "There is no such address."), ""

    def answer(self, route: Route, asked: Asked) -> Answer:
        """Return the answer of a route, also where it fails."""
        try:
            return route.answer(asked)
        except QueryError as error:
            told = completion.describe_error(error, None)
            return answers.refuse(400, told.pop("code"), told.pop("message"), **told)
        except (MiniMLflowError, edits.ReadOnlyError, OSError, RecursionError, UnicodeError) as error:
            code = edits.code_of(error)
            return answers.refuse(_STATUS[code], code, edits.tell(error))

    def _index(self, asked: Asked) -> Answer:  # noqa: ARG002 - as every route
        return pages.send_index(self.static, self._bootstrap())

    def _bootstrap(self) -> Any:
        return overview.read_bootstrap(
            self.stores,
            self.histories,
            self._settings.instance,
            self._version,
            now_ms(),
            self._patience,
        )

    def _artifact(self, asked: Asked) -> Answer:
        parts = asked.path.split("/", 3)
        if len(parts) < 4 or not parts[3]:
            return answers.refuse(404, "not_found", "An artifact's address is artifacts/STORE/EXPERIMENT/RUN/PATH.")
        place = self.stores.get_run("/".join(parts[:3]))
        return artifact_answers.send_artifact(
            place,
            parts[3],
            range_text=asked.headers.get("range", ""),
            if_none_match=asked.headers.get("if-none-match", ""),
            is_download=asked.query.get("download") == "1",
        )

    def _run(self, asked: Asked) -> Answer:
        return answers.give(details.read_run(self.stores, self.histories, asked.query.get("run", ""), now_ms()))

    def _diff(self, asked: Asked) -> Answer:
        return answers.give(files.read_diff(self._place(asked), details.DIFF_FILE))

    def _files(self, asked: Asked) -> Answer:
        return answers.give(files.list_files(self._place(asked), asked.query.get("path", "")))

    def _preview(self, asked: Asked) -> Answer:
        return answers.give(files.read_preview(self._place(asked), asked.query.get("path", "")))

    def _tail(self, asked: Asked) -> Answer:
        wanted, seen = (_to_whole(asked.query.get(name)) for name in ("bytes", "from"))
        told = files.read_tail(self._place(asked), asked.query.get("path", ""), wanted or 65536, seen)
        return answers.give(told)

    def _place(self, asked: Asked) -> Any:
        return self.stores.get_run(asked.query.get("run", ""))

    def _runs(self, asked: Asked) -> Answer:
        return answers.give(runs.read_runs(self.stores, self.histories, _body(asked), now_ms(), self._patience))

    def _complete(self, asked: Asked) -> Answer:
        body = _body(asked)
        text = body.text("text", "")
        caret = completion.from_units(text, body.whole("caret", len(text), 0, 10**6))
        chosen = tables.choose(self.stores, body)
        stage = tables.stage_of(body)
        told, _ = self._patience.ask(chosen, stage, lambda table: completion.complete(table, text, caret, now_ms()))
        return answers.give(told)

    def _series(self, asked: Asked) -> Answer:
        data = series.read_series(self.stores, self.histories, _body(asked), now_ms())
        return answers.make(200, data, answers.BINARY)

    def _values(self, asked: Asked) -> Answer:
        return answers.give(series.read_values(self.stores, self.histories, _body(asked)))

    def _live(self, asked: Asked) -> Answer:
        found = live.read_live(self.stores, self.histories, self._stamps, _body(asked), now_ms())
        if found is None:
            return answers.make(204, b"", answers.JSON)
        return answers.make(200, found, answers.BINARY) if isinstance(found, bytes) else answers.give(found)

    def _compare(self, asked: Asked) -> Answer:
        return answers.give(differences.compare(self.stores, self.histories, _body(asked)))

    def _resolve(self, asked: Asked) -> Answer:
        body = _body(asked)
        prefixes = body.get_texts("ids", most=_MOST_IDS)
        chosen = tables.choose(self.stores, body)
        found = tables.ask(chosen, tables.stage_of(body), lambda table: tables.resolve_ids(table, prefixes))
        return answers.give({"refs": found})

    def _csv(self, asked: Asked) -> Answer:
        found = downloads.write_runs(self.stores, _body(asked), now_ms())
        return answers.make(200, found, answers.CSV, [_named("runs.csv")])

    def _series_csv(self, asked: Asked) -> Answer:
        found = downloads.write_series(self.stores, self.histories, _body(asked))
        return answers.make(200, found, answers.CSV, [_named("series.csv")])

    def _edit(self, asked: Asked) -> Answer:
        return answers.give(edits.edit(self.stores, _body(asked)))

    def _tag(self, asked: Asked) -> Answer:
        return answers.give(edits.tag(self.stores, _body(asked)))

    def _delete(self, asked: Asked) -> Answer:
        return answers.give(edits.delete(self.stores, _body(asked), self.histories.forget))

    def _restore(self, asked: Asked) -> Answer:
        return answers.give(edits.restore(self.stores, _body(asked), self.histories.forget))


def is_open(route: Route) -> bool:
    """Tell whether a route answers for all that follows its path."""
    return route.path.endswith("/") and route.path != "/"


def _body(asked: Asked) -> requests.Body:
    return requests.Body({}) if asked.body is None else asked.body


def _named(name: str) -> Any:
    return b"content-disposition", artifact_answers.disposition(name, is_inline=False)


def _to_whole(text: Optional[str]) -> Optional[int]:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else None
