"""Where do the files of the page come from, and what is sent for ``/``?"""

from __future__ import annotations

import os
import re
from collections import namedtuple
from hashlib import sha256

from . import answers, bundle
from .api import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

    from .answers import Answer

INDEX = "index.html"
UPLOT = "vendor/uPlot.iife.min.js"  # a classic script, as it is published
_ENTRY = "main.js"
_BUNDLE = "page.js"  # of all scripts: asking for each takes longer than all the rest of the first view
_STYLES = "styles.css"  # likewise
_LINK = re.compile(rb'<link rel="stylesheet" href="static/([^"]+)">\r?\n')
_SCRIPT = re.compile(rb'<script defer src="static/([^"]+)"></script>\r?\n')
_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "static")
_BOOTSTRAP = b'<script type="application/json" id="bootstrap">%s</script>'
HOLE = _BOOTSTRAP % b""
_TYPES = {
    ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon",
    ".txt": "text/plain; charset=utf-8", ".html": "text/html; charset=utf-8", ".woff2": "font/woff2",
    ".json": "application/json", ".md": "text/plain; charset=utf-8",
}  # fmt: skip
_LOGIN = b"""<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Mini MLflow</title><h1>%s</h1><p>%s</p></html>
"""


class Static(namedtuple("Static", ["files", "version"])):
    """What a browser may ask for.

    Attributes:
        files: Content by path.
        version: What changes with any of them.
    """

    __slots__ = ()

    files: Dict[str, bytes]
    version: str


def read_files() -> Dict[str, bytes]:
    """Return the files of the page as they are now, by path."""
    files = {}
    for path, folders, names in os.walk(_FOLDER):
        folders.sort()
        for name in sorted(names):
            if os.path.splitext(name)[1] in _TYPES and not name.startswith("."):
                whole = os.path.join(path, name)
                with open(whole, "rb") as file:
                    files[os.path.relpath(whole, _FOLDER).replace(os.sep, "/")] = file.read()
    return files


def read_static() -> Static:
    """Return what a browser may ask for: the files of the page, one script of all its modules, one of its styles."""
    files = read_files()
    modules = {name: data.decode("utf-8") for name, data in files.items() if name.endswith(".js")}
    if _ENTRY in modules and INDEX in files:
        page = files[INDEX]
        files[_BUNDLE] = (bundle.calm_plot(modules.pop(UPLOT)) + bundle.bundle_modules(modules, [_ENTRY])).encode()
        files[_STYLES] = b"\n".join(files[name.decode()] for name in _LINK.findall(page))
        head = b'<link rel="stylesheet" href="static/%s">\n<script defer src="static/%s"></script>\n</head>'
        page = _SCRIPT.sub(b"", _LINK.sub(b"", page))
        files[INDEX] = page.replace(b"</head>", head % (_STYLES.encode(), _BUNDLE.encode()), 1)
    digest = sha256()
    for name, data in sorted(files.items()):
        digest.update(b"%s\0%d\0" % (name.encode(), len(data)) + data)
    return Static(files, digest.hexdigest()[:16])


def send_file(static: Static, path: str) -> Answer:
    """Return a file of the page: for ever under the version of all files, else to be asked for again."""
    version, slash, rest = path.partition("/")
    is_versioned = bool(slash) and version == static.version
    data = static.files.get(rest if is_versioned else path)
    if data is None:
        return answers.refuse(404, "not_found", "The page has no such file.")
    kind = _TYPES[os.path.splitext(path)[1]]
    return answers.make(200, data, kind, cache=answers.FOR_EVER if is_versioned else b"no-cache")


def pack_files(static: Static) -> None:
    """Make the files that every first view asks for smaller, before it does."""
    for name in (_BUNDLE, _STYLES):
        answers.pack(send_file(static, "%s/%s" % (static.version, name)), b"gzip")


def send_index(static: Static, bootstrap: Any) -> Answer:
    """Return the page with what it begins with inside."""
    page = static.files.get(INDEX)
    if page is None:
        return answers.refuse(500, "broken", "The page's files are missing from this installation.")
    page = page.replace(b'="static/', b'="static/%s/' % static.version.encode())
    return answers.make(200, page.replace(HOLE, make_bootstrap(bootstrap), 1), answers.HTML)


def make_bootstrap(content: Any) -> bytes:
    """Return what stands in the hole of the page: what it begins with."""
    return _BOOTSTRAP % plain.encode_for_html(content)


def send_note(status: int, title: str, text: str, target: Optional[str] = None) -> Answer:
    """Return a page of two sentences, for who comes without a token; with a link where there is one to follow."""
    shown = _escape(text).encode()
    if target is not None:
        shown += b' <a href="%s">Open the page</a>' % _escape(target).encode()
    return answers.make(status, _LOGIN % (_escape(title).encode(), shown), answers.HTML)


def _escape(text: str) -> str:
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(sign, name)
    return text
