"""How do the modules of the page become one script, for a browser in a hurry, or a file that has nobody to ask?

Each module becomes a function that is called once, those that it imports first, and gives back what it exports. That
is the same as the browser does as long as modules do not import each other in a circle, export no variable that is set
anew, and use the few forms below. Whatever else there is, is refused: a page is right or there is none.
"""

from __future__ import annotations

import re
from posixpath import dirname, join, normpath

from ..errors import MiniMLflowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Mapping, Sequence, Tuple

_IMPORT = re.compile(r"^import \{([^}]*)\} from '(\./[\w./-]+\.js)';", re.ASCII | re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function\*? |class |const )([A-Za-z_$][\w$]*)", re.ASCII | re.MULTILINE)
_EXPORT_LIST = re.compile(r"(?:^|(?<=[;}\n]))export ?\{([^{}]*)\};?\s*\Z", re.ASCII)
_NAME = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_OTHER_FORM = re.compile(
    r"(?:^|;)[ \t]*(?:import|export)\b(?!\s*mini_mlflow).*|\bimport\s*\(|\bimport\.meta\b", re.MULTILINE
)
# What uPlot makes when it is loaded, used or not, has the browser load its tables of languages and of time zones: that
# takes longer than uPlot itself. Here the one is made when it is first asked, and no zone is the own one, which it asks
# for to save a step alone.
_CALM_PLOT = """((Intl) => {
%s
globalThis.uPlot = uPlot;
})({
  NumberFormat: function (...given) {
    let made = null;
    return { format: value => (made ??= new globalThis.Intl.NumberFormat(...given)).format(value) };
  },
  DateTimeFormat: function () { return { resolvedOptions: () => ({}) }; },
});
"""
_ENDING = re.compile(r"</script|<!--|<script", re.IGNORECASE)


def bundle_modules(files: Mapping[str, str], entries: Sequence[str]) -> str:
    """Return one classic script that does what modules do that are started one after the other.

    Args:
        files: The text of each module by its path.
        entries: The paths of those that are started.

    Raises:
        MiniMLflowError: A module is missing, imports in a circle, or has a form that is not known here.
    """
    order: List[str] = []
    for entry in entries:
        _visit(files, entry, [], order)
    names = {path: "module%d" % number for number, path in enumerate(order)}
    parts = ["(() => {\n'use strict';\n"]
    parts += ["const %s = (() => {\n%s})();\n" % (names[path], _turn(files[path], path, names)) for path in order]
    parts.append("})();\n")
    return check_inline("".join(parts), " and ".join(entries))


def calm_plot(text: str) -> str:
    """Return the published script of uPlot so that it loads fast; it does the same."""
    return _CALM_PLOT % text


def check_inline(text: str, path: str) -> str:
    """Return a script that may stand within a page.

    Raises:
        MiniMLflowError: It holds what a browser takes for the end, or the beginning, of a script.
    """
    found = _ENDING.search(text)
    if found:
        raise MiniMLflowError("The script %s cannot stand within a page: it holds %r." % (path, found.group()))
    return text


def _visit(files: Mapping[str, str], path: str, above: List[str], order: List[str]) -> None:
    """Put a module behind all that it imports."""
    if path in order:
        return
    if path in above:
        raise MiniMLflowError("Modules import each other in a circle: %s." % " > ".join([*above, path]))
    if path not in files:
        raise MiniMLflowError("The module %s, which %s imports, is missing." % (path, above[-1] if above else "nobody"))
    for match in _IMPORT.finditer(files[path]):
        _visit(files, _reached(path, match.group(2)), [*above, path], order)
    order.append(path)


def _reached(path: str, target: str) -> str:
    return normpath(join(dirname(path), target))


def _turn(text: str, path: str, names: Dict[str, str]) -> str:
    """Return the body of the function that a module becomes."""

    def take(match: re.Match[str]) -> str:
        return "const { %s } = %s;" % (_shown(_pairs(match.group(1), path)), names[_reached(path, match.group(2))])

    text = _IMPORT.sub(take, text)
    exported = [(name, name) for _, name in _EXPORT.findall(text)]  # how others call it, how it is called within
    text = _EXPORT.sub(r"\1\2", text)
    last = _EXPORT_LIST.search(text)
    if last:
        exported += [pair[::-1] for pair in _pairs(last.group(1), path)]
        text = text[: last.start()]
    other = _OTHER_FORM.search(text)
    if other:
        raise MiniMLflowError("The module %s has a form that no script can hold: %s" % (path, other.group()[:80]))
    return "%s\nreturn { %s };\n" % (text.rstrip("\n"), _shown(exported))


def _pairs(names: str, path: str) -> List[Tuple[str, str]]:
    return [_renamed(part, path) for part in names.split(",") if part.strip()]


def _shown(pairs: Sequence[Tuple[str, str]]) -> str:
    """Return the inside of an object or a pattern with these names."""
    return ", ".join(outer if outer == inner else "%s: %s" % (outer, inner) for outer, inner in pairs)


def _renamed(part: str, path: str) -> Tuple[str, str]:
    """Return both names of ``a as b``; the same twice of ``a``."""
    words = part.split()
    if len(words) == 3 and words[1] == "as":
        del words[1]
    if len(words) not in (1, 2) or not all(_NAME.fullmatch(word) for word in words):
        raise MiniMLflowError("The module %s has names that no script can hold: %s" % (path, part.strip()[:80]))
    return words[0], words[-1]
