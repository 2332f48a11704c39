"""Do the modules of the page become one script, each form that they use handled and each other one refused?"""

import re

import pytest

from mini_mlflow.errors import MiniMLflowError
from mini_mlflow.ui import bundle, pages

FORMS = (
    r"import \{ [\w$, ]+ \} from '\./[\w./]+\.js';",
    r"export (async )?function [\w$]+\(",
    r"export class [\w$]+ ",
    r"export const [\w$]+ = ",
)


def modules():
    files = pages.read_files()
    return {name: data.decode("utf-8") for name, data in files.items() if name.endswith(".js") and "uPlot" not in name}


def test_every_form_that_the_pages_modules_use_is_one_that_is_known():
    for name, text in modules().items():
        if name.startswith("vendor/"):
            continue
        for line in text.splitlines():
            if re.match(r"\s*(import|export)\b", line):
                assert any(re.match(form, line) for form in FORMS), (name, line)


def test_the_modules_of_the_page_become_one_script_that_imports_and_exports_nothing():
    text = bundle.bundle_modules(modules(), ["reporting.js", "main.js"])
    assert text.startswith("(() => {\n'use strict';")
    assert not re.search(r"^\s*(import|export)\b", text, re.MULTILINE)
    assert "export{" not in text
    assert text.count(" = (() => {\n") == len(modules())
    # What a module takes from another stands above it, under the same name.
    given = {}
    for name, body in re.findall(r"const (module\d+) = \(\(\) => \{\n(.*?)\n\}\)\(\);\n", text, re.DOTALL):
        for names, source in re.findall(r"const \{ ([^}]*) \} = (module\d+);", body):
            assert {each.split(":")[0].strip() for each in names.split(",")} <= given[source], name
        last = body.splitlines()[-1]
        given[name] = {each.split(":")[0].strip() for each in last[len("return { ") : -len(" };")].split(",")}


def test_imports_exports_and_new_names_become_what_they_mean():
    files = {
        "main.js": "import { a, b as c } from './in/one.js';\nexport const d = a + c;\n",
        "in/one.js": "import { e } from './two.js';\nconst a = e;\nfunction b() {}\nexport{a,b as b};",
        "in/two.js": (
            "const S = `import mini_mlflow`;\nexport async function f() {}\nexport class G {}\nexport const e = 1;\n"
        ),
    }
    assert bundle.bundle_modules(files, ["main.js"]) == (
        "(() => {\n'use strict';\n"
        "const module0 = (() => {\nconst S = `import mini_mlflow`;\nasync function f() {}\nclass G {}\nconst e = 1;\n"
        "return { f, G, e };\n})();\n"
        "const module1 = (() => {\nconst { e } = module0;\nconst a = e;\nfunction b() {}\nreturn { a, b };\n})();\n"
        "const module2 = (() => {\nconst { a, b: c } = module1;\nconst d = a + c;\nreturn { d };\n})();\n"
        "})();\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "export default 1;",
        "export let changed = 1;",
        "export var a = 1;",
        "export * from './b.js';",
        "export { b } from './b.js';",
        "export const { a } = b;",
        "import b from './b.js';",
        "import * as b from './b.js';",
        "import './b.js';",
        'import { b } from "./b.js";',
        "import { b } from 'b';",
        "import { b } from './b.js' with { type: 'json' };",
        "  import { b } from './b.js';",
        "const b = await import('./b.js');",
        "const b = import ('./b.js');",
        "const here = import.meta.url;",
        "const a = 1; export { a as b, c as };",
        "const a = 1; export const b = 2;",
    ],
)
def test_a_form_that_is_not_known_is_refused(text):
    with pytest.raises(MiniMLflowError, match="no script can hold"):
        bundle.bundle_modules({"main.js": text + "\nconst z = 1;\n", "b.js": "export const b = 1;\n"}, ["main.js"])


def test_modules_that_import_in_a_circle_or_are_missing_are_refused():
    circle = {"a.js": "import { b } from './b.js';\n", "b.js": "import { a } from './a.js';\n"}
    with pytest.raises(MiniMLflowError, match=r"in a circle: a\.js > b\.js > a\.js"):
        bundle.bundle_modules(circle, ["a.js"])
    with pytest.raises(MiniMLflowError, match=r"The module b\.js, which a\.js imports, is missing"):
        bundle.bundle_modules({"a.js": circle["a.js"]}, ["a.js"])


@pytest.mark.parametrize("text", ["const a = '</script>';", "const a = '<!--';", "const a = '<SCRIPT src=x>';"])
def test_a_script_that_would_end_its_tag_is_refused(text):
    with pytest.raises(MiniMLflowError, match="cannot stand within a page"):
        bundle.bundle_modules({"main.js": text}, ["main.js"])
