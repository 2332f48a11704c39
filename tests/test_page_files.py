"""The files of the page: small, whole, in text only, and fetched from nowhere else."""

import hashlib
import re
from pathlib import Path

import pytest

import mini_mlflow
from mini_mlflow.ui import pages

STATIC = Path(mini_mlflow.__file__).parent / "ui" / "static"
OWN = sorted(path for path in STATIC.iterdir() if path.suffix in (".js", ".css", ".html"))
MODULES = [path for path in OWN if path.suffix == ".js"]
VENDORED = sorted(path for path in (STATIC / "vendor").iterdir() if path.suffix in (".js", ".css"))
WAYS = (
    "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "dangerouslySetInnerHTML", "eval(",
    "new Function", "srcdoc",
)  # fmt: skip
ONLY_IN_REPORTS = {"reporting.js", "report.js", "reportcompare.js", "packed.js"}
MOST_BYTES = 400000  # of the first view, not compressed


def read(path):
    return path.read_text(encoding="utf-8")


def imports_of(path):
    return re.findall(r"""(?:from|import) '(\.[^']+)'""", read(path))


def test_the_first_view_is_below_400_kb():
    assert (
        sum(path.stat().st_size for path in [*OWN, *VENDORED, STATIC / "icon.svg"] if path.name not in ONLY_IN_REPORTS)
        < MOST_BYTES
    )


def test_libraries_are_as_they_were_published():
    notes = read(STATIC / "vendor" / "README.md")
    told = dict(re.findall(r"^\| `([^`]+)` \|.*`([0-9a-f]{64})` \|$", notes, re.MULTILINE))
    assert told == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDORED}
    for name in re.findall(r"`(LICENSE[^`]*)`", notes):
        assert (STATIC / "vendor" / name).stat().st_size > 500


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_a_file_answers_one_question_in_at_most_400_lines(path):
    lines = read(path).splitlines()
    assert len(lines) <= 400
    if path.suffix == ".js":
        assert lines[0].startswith("// ")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_every_import_leads_to_a_file_that_exports_what_is_asked_for(path):
    for names, target in re.findall(r"import \{([^}]*)\} from '(\.[^']+)'", read(path)):
        text = read(STATIC / target)
        for name in (part.split(" as ")[0].strip() for part in names.split(",") if part.strip()):
            asked = re.escape(name)
            exported = r"export (?:async )?(?:const|function|class|let) %s\b|export\{[^}]*\b%s\b" % (asked, asked)
            assert re.search(exported, text), (target, name)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_every_import_is_used(path):
    text = read(path)
    for names, _ in re.findall(r"import \{([^}]*)\} from '(\.[^']+)'", text):
        for name in (part.split(" as ")[-1].strip() for part in names.split(",") if part.strip()):
            assert len(re.findall(r"(?<![\w$])%s(?![\w$])" % re.escape(name), text)) > 1, name


def test_one_script_brings_all_modules_of_the_page_and_none_is_left_over():
    asked = set(re.findall(r'"static/([^"]+\.js)"', read(STATIC / "index.html")))
    assert asked == {"vendor/uPlot.iife.min.js", "page.js"}
    served = pages.read_static().files
    assert re.findall(rb'="static/([^"]+)"', served["index.html"]) == [b"icon.svg", b"styles.css", b"page.js"]
    assert served["vendor/uPlot.iife.min.js"] in served["page.js"]
    for name in re.findall(r'"static/([^"]+\.css)"', read(STATIC / "index.html")):
        assert served[name] in served["styles.css"]
    assert ONLY_IN_REPORTS.isdisjoint(path.name for path in reached_from("main.js"))
    both = reached_from("main.js") | reached_from("reporting.js")
    assert {path.name for path in MODULES} <= {path.name for path in both}
    script = pages.read_static().files["page.js"].decode("utf-8")
    assert script.count(" = (() => {\n") == len(reached_from("main.js"))


def reached_from(entry):
    reached, open_ends = set(), [STATIC / entry]
    while open_ends:
        path = open_ends.pop()
        if path not in reached:
            reached.add(path)
            open_ends += [(path.parent / target).resolve() for target in imports_of(path) if path in MODULES]
    return reached


def test_the_page_has_no_script_or_style_of_its_own_and_fetches_from_nowhere_else():
    page = read(STATIC / "index.html")
    assert not re.search(r"<script(?![^>]* src=)(?![^>]*application/json)", page)
    assert not re.search(r"<style|style=|\son\w+=", page)
    assert page.count('<script type="application/json" id="bootstrap"></script>') == 1
    for path in OWN:
        addresses = set(re.findall(r"""https?://[^\s'"`)]+""", read(path)))
        assert not addresses, path.name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_text_never_becomes_html_or_code(path):
    text = read(path)
    for way in WAYS:
        assert way not in text
    assert "setAttribute('style'" not in text
    assert not re.search(r"""\bstyle="[^"]*\$\{""", text)
